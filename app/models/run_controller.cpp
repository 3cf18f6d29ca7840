// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/run_controller.hpp"

#include <algorithm>
#include <utility>

#include "models/plain_text.hpp"
#include "models/run_history.hpp"

namespace lab::app {

RunController::RunController(ExperimentBridge* bridge, RunHistory* history, QObject* parent)
    : QObject(parent), m_bridge(bridge), m_history(history) {
    m_applyTimer.setSingleShot(true);
    m_applyTimer.setInterval(applyEveryMs);
    connect(&m_applyTimer, &QTimer::timeout, this, [this] {
        if (m_applyWaiting) applyNow();
    });
    connect(bridge, &ExperimentBridge::frameArrived, this, &RunController::onFrame);
    connect(bridge, &ExperimentBridge::finished, this, &RunController::onFinished);
    connect(bridge, &ExperimentBridge::cacheArrived, this, &RunController::cacheArrived);
    connect(bridge, &ExperimentBridge::phaseChanged, this,
            [this](RunPhase, const QString& progress) {
                m_phaseProgress = progress;
                emit stateChanged();
            });
}

void RunController::open(std::shared_ptr<const Scenario> scenario) {
    stop();
    setMode(Mode::idle);
    m_variants.clear();
    m_scenario = std::move(scenario);
    m_model = m_scenario->model;
    m_seconds = 0;
    m_plan.clear();
    m_serverProgress.clear();
    m_history->unpin();
    m_history->clear();
    emit scenarioChanged();
    emit modelChanged();
    emit stateChanged();
}

bool RunController::isFirstState() const { return m_scenario && m_model == m_scenario->model; }

void RunController::askCache() {
    constexpr std::size_t most = 50;
    if (isRunning()) m_bridge->askCache(most);
}

RunPhase RunController::phase() const { return m_bridge->phase(); }

QString RunController::statusText() const {
    if (m_mode == Mode::idle) return {};
    if (phase() == RunPhase::preparing) {
        return m_phaseProgress.isEmpty() ? tr("getting ready") : m_phaseProgress;
    }
    if (m_mode == Mode::freePlay) return m_stopAsked ? tr("stopping") : QString();
    const QString name = QString::fromStdString(m_variants[m_variant].name);
    if (phase() == RunPhase::draining) return tr("%1 · last answers").arg(name);
    if (m_warmUp || m_seconds <= to_seconds(m_variantWarmUp))
        return tr("%1 · warming up").arg(name);
    const int whole = static_cast<int>(to_seconds(m_variantLength) + 0.5);
    const int done = static_cast<int>(m_seconds - to_seconds(m_variantWarmUp));
    return tr("%1 · %2 of %3 s").arg(name).arg(std::clamp(done, 0, whole)).arg(whole);
}

double RunController::variantProgress() const {
    if (m_mode != Mode::variants || m_variants.empty()) return 0;
    const double each = to_seconds(m_variantLength + m_variantWarmUp);
    const double inThis = each > 0 ? std::clamp(m_seconds / each, 0.0, 1.0) : 1;
    return (static_cast<double>(m_variant) + inThis) / static_cast<double>(m_variants.size());
}

void RunController::setMode(Mode mode) {
    m_mode = mode;
    if (mode == Mode::idle) {
        m_serverProgress.clear();
        m_stopAsked = false;
    }
    emit stateChanged();
}

void RunController::startRun(const Model& model, std::optional<Duration> length, Duration warmUp) {
    m_applyTimer.stop();
    m_applyWaiting = false;
    m_seconds = 0;
    m_warmUp = warmUp.count() > 0;
    m_stopAsked = false;
    m_history->setPlannedLength(length ? std::optional(to_seconds(*length + warmUp))
                                       : std::nullopt);
    m_history->clear();
    RunPlan plan;
    plan.scenario = m_scenario->id;
    plan.model = model;
    plan.seed = m_scenario->seed;
    plan.warm_up = warmUp;
    plan.length = length;
    plan.mode = m_runMode;
    if (m_runMode == RunMode::virtual_time) plan.costs = m_costs;
    m_pace.paused = false;
    m_bridge->setPace(m_pace);
    emit paceChanged();
    const auto started = m_bridge->start(std::move(plan));
    if (!started) {
        setMode(Mode::idle);
        emit problem(plainText(started.error().message(), 1000));
    }
}

void RunController::play() {
    if (!m_scenario) return;
    m_variants.clear();
    setMode(Mode::freePlay);
    startRun(m_model, std::nullopt, m_scenario->warm_up);
}

void RunController::runVariants(const LessonStep& step) {
    if (!m_scenario) return;
    m_variants.clear();
    m_results.clear();
    for (const auto& [name, overrides] : step.variants) {
        auto model = with_overrides(m_scenario->model, overrides, m_scenario->file);
        if (!model) {
            emit problem(plainText(model.error().message(), 1000));
            emit variantsFinished({});
            return;
        }
        m_variants.push_back({name, std::move(*model)});
    }
    if (m_variants.empty()) m_variants.push_back({"A", m_scenario->model});
    m_variantLength = step.length.count() > 0 ? step.length : m_scenario->length;
    m_variantWarmUp = step.warm_up;
    m_variant = 0;
    m_history->unpin();
    setMode(Mode::variants);
    startNextVariant();
}

void RunController::startNextVariant() {
    if (m_variant > 0) m_history->pinAsA();
    m_model = m_variants[m_variant].model;
    emit modelChanged();
    startRun(m_model, m_variantLength, m_variantWarmUp);
    if (m_mode == Mode::idle) endVariants(false);
}

void RunController::endVariants(bool complete) {
    setMode(Mode::idle);
    const RunResults results = complete ? m_results : RunResults{};
    emit variantsFinished(results);
}

void RunController::stop() {
    m_playAgain = false;
    if (!isRunning() || m_stopAsked) return;
    m_stopAsked = true;
    m_bridge->stop();
    emit stateChanged();
}

void RunController::reset() {
    if (!m_scenario || m_mode == Mode::variants) return;
    adopt(m_scenario->model);
    if (m_mode != Mode::freePlay) {
        m_seconds = 0;
        m_history->unpin();
        m_history->clear();
        emit ticked();
    }
}

void RunController::set(const std::string& path, const std::string& text) {
    if (!m_scenario || m_mode == Mode::variants) return;
    Model moved = m_model;
    const auto done = set_setting_text(moved, path, text);
    if (!done) {
        emit problem(plainText(done.error().message(), 1000));
        emit modelChanged();  // the knob goes back to where the model is
        return;
    }
    if (moved == m_model) return;
    adopt(std::move(moved));
}

void RunController::adopt(Model moved) {
    // A run keeps its balancer, or stays without one: a change of that is a new run.
    const auto balanced = [](const Model& m) {
        return m.system.balancer.rule != BalancerRule::none;
    };
    const bool fresh = balanced(moved) != balanced(m_model);
    m_model = std::move(moved);
    emit modelChanged();
    if (m_mode != Mode::freePlay) return;
    if (fresh) {
        stop();
        m_playAgain = true;
    } else if (!m_playAgain) {
        applySoon();
    }
}

void RunController::applySoon() {
    if (m_applyTimer.isActive()) {
        m_applyWaiting = true;
        return;
    }
    applyNow();
}

void RunController::applyNow() {
    m_applyWaiting = false;
    m_applyTimer.start();
    if (m_mode != Mode::freePlay || m_stopAsked) return;
    const auto applied = m_bridge->apply(m_model);
    if (!applied) emit problem(plainText(applied.error().message(), 1000));
}

void RunController::pinAsA() { m_history->pinAsA(); }

void RunController::setRunMode(RunMode mode) {
    if (mode == m_runMode || m_mode == Mode::variants) return;
    m_runMode = mode;
    m_pace.paused = false;
    emit paceChanged();
    if (m_mode == Mode::freePlay) play();
}

void RunController::setPace(Pace pace) {
    if (pace == m_pace) return;
    m_pace = pace;
    m_bridge->setPace(pace);
    emit paceChanged();
}

void RunController::step() {
    if (!m_pace.paused) return;
    m_bridge->step(from_seconds(0.1 * std::min(1.0, m_pace.speed)));
}

double RunController::timeScale() const {
    if (m_runMode == RunMode::live) return 1;
    return m_pace.paused ? 0 : m_pace.speed;
}

void RunController::onFrame(const FramePtr& frame) {
    m_seconds = to_seconds(frame->since_start + frame->length);
    m_warmUp = frame->warm_up;
    m_serverProgress = plainText(frame->server.progress, 120);
    m_plan = plainText(frame->server.plan, 300);
    m_history->append(frame);
    emit ticked();
}

void RunController::onFinished(const RunResultPtr& result, const QString& why) {
    const bool stopped = m_stopAsked;
    if (!m_playAgain) m_history->settle();
    if (!result && !why.isEmpty() && !stopped) emit problem(why);
    if (m_mode != Mode::variants) {
        setMode(Mode::idle);
        if (std::exchange(m_playAgain, false)) play();
        return;
    }
    if (!result || stopped) {
        endVariants(false);
        return;
    }
    m_results[m_variants[m_variant].name] = result;
    ++m_variant;
    if (m_variant < m_variants.size()) {
        startNextVariant();
    } else {
        endVariants(true);
    }
}

}  // namespace lab::app
