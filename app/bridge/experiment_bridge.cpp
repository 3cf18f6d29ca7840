// SPDX-License-Identifier: GPL-3.0-or-later
#include "bridge/experiment_bridge.hpp"

#include <QMetaObject>
#include <utility>

namespace lab::app {

namespace {
/// Half a second of the fastest virtual time, 200 times real time: the GUI is woken for each, so
/// that a full ring means it hangs.
constexpr std::size_t ringCapacity = 1024;
}  // namespace

ExperimentBridge::ExperimentBridge(const RunnerFactory& factory, QObject* parent)
    : QObject(parent), m_ring(ringCapacity) {
    auto runner = factory(makeEvents());
    if (runner) {
        m_runner = std::move(*runner);
    } else {
        m_problem = runner.error();
    }
}

ExperimentBridge::~ExperimentBridge() = default;

ExperimentEvents ExperimentBridge::makeEvents() {
    ExperimentEvents events;
    events.on_frame = [this](FramePtr frame) { offer(std::move(frame)); };
    events.on_phase = [this](RunPhase phase, const std::string& progress) {
        QMetaObject::invokeMethod(
            this,
            [this, run = m_eventRun, phase, text = QString::fromStdString(progress)] {
                onPhase(run, phase, text);
            },
            Qt::QueuedConnection);
    };
    events.on_finished = [this](Result<RunResultPtr> result) {
        const std::uint64_t run = m_eventRun++;
        RunResultPtr value = result ? *result : nullptr;
        QString problem = result ? QString() : QString::fromStdString(result.error().message());
        QMetaObject::invokeMethod(
            this, [this, run, value, problem] { onFinished(run, value, problem); },
            Qt::QueuedConnection);
    };
    events.on_cache = [this](std::vector<CacheContent> contents) {
        QMetaObject::invokeMethod(
            this,
            [this, run = m_eventRun, contents = std::move(contents)] {
                if (run == m_started) emit cacheArrived(contents);
            },
            Qt::QueuedConnection);
    };
    return events;
}

void ExperimentBridge::offer(FramePtr frame) {
    if (m_ring.offer({m_eventRun, std::move(frame)})) {
        QMetaObject::invokeMethod(
            this, [this] { drain(); }, Qt::QueuedConnection);
    }
}

void ExperimentBridge::drain() {
    m_ring.drain([this](FrameRing::Item item) {
        if (item.run == m_started) emit frameArrived(item.frame);
    });
}

void ExperimentBridge::onPhase(std::uint64_t run, RunPhase phase, const QString& progress) {
    if (run != m_started) return;
    m_phase = phase;
    emit phaseChanged(phase, progress);
}

void ExperimentBridge::onFinished(std::uint64_t run, const RunResultPtr& result,
                                  const QString& problem) {
    if (run != m_started) return;
    drain();  // the frames before the ending come before it
    m_phase = RunPhase::idle;
    emit phaseChanged(RunPhase::idle, QString());
    emit finished(result, problem);
}

Result<void> ExperimentBridge::start(RunPlan plan) {
    if (!m_runner) return *m_problem;
    ++m_started;  // before the call: a runner may call back at once
    auto started = m_runner->start(std::move(plan));
    if (!started) {
        --m_started;
        return started;
    }
    m_phase = RunPhase::preparing;
    emit phaseChanged(m_phase, QString());
    return started;
}

Result<void> ExperimentBridge::apply(Model model) {
    if (!m_runner) return *m_problem;
    auto generation = m_runner->apply(std::move(model));
    if (!generation) return generation.error();
    return {};
}

void ExperimentBridge::askCache(std::size_t most) {
    if (m_runner) m_runner->ask_cache(most);
}

void ExperimentBridge::stop() {
    if (m_runner) m_runner->stop();
}

void ExperimentBridge::setPace(Pace pace) {
    if (m_runner) m_runner->setPace(pace);
}

void ExperimentBridge::step(Duration by) {
    if (m_runner) m_runner->step(by);
}

}  // namespace lab::app
