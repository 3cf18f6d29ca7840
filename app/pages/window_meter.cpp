// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/window_meter.hpp"

#include <algorithm>
#include <ctime>

#include <QAbstractEventDispatcher>
#include <QDateTime>
#include <QEvent>
#include <QFile>
#include <QTextStream>
#include <QThread>

#include "models/run_controller.hpp"
#include "models/run_history.hpp"
#include "pages/main_window.hpp"

namespace lab::app {

namespace {

constexpr int settleMs = 3000;
constexpr int measureMs = 10'000;
constexpr int betweenMovesMs = 3000;
constexpr int moves = 5;

double threadCpuSeconds() {
    timespec used{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

double residentMegabytes() {
    QFile file(QStringLiteral("/proc/self/status"));
    if (!file.open(QIODevice::ReadOnly)) return 0;
    for (const QByteArray& line : file.readAll().split('\n')) {
        if (line.startsWith("VmRSS:"))
            return line.mid(6).simplified().split(' ').first().toDouble() / 1000;
    }
    return 0;
}

void say(const char* name, double value) {
    QTextStream out(stdout);
    out << name << ' ' << QString::number(value, 'f', 4) << '\n';
}

}  // namespace

WindowMeter::WindowMeter(MainWindow* window, QObject* parent) : QObject(parent), m_window(window) {
    m_timer.setSingleShot(true);
    window->installEventFilter(this);
    auto* dispatcher = QThread::currentThread()->eventDispatcher();
    // A turn: from waking to the next sleep. Glib's dispatcher tells of neither; the benchmark sets
    // QT_NO_GLIB.
    connect(dispatcher, &QAbstractEventDispatcher::awake, this, [this] {
        if (!m_turn.isValid()) m_turn.start();
    });
    connect(dispatcher, &QAbstractEventDispatcher::aboutToBlock, this, [this] {
        if (m_measuring && m_turn.isValid()) {
            m_turnsMs.push_back(static_cast<double>(m_turn.nsecsElapsed()) / 1e6);
        }
        m_turn.invalidate();
    });
}

void WindowMeter::start() {
    connect(m_window->run()->history(), &RunHistory::changed, this, &WindowMeter::onHistoryChanged);
    QTimer::singleShot(100, this, &WindowMeter::waitForScenario);
}

bool WindowMeter::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::Paint && !m_painted) {
        m_painted = true;
        say("first_paint_unix_ms", static_cast<double>(QDateTime::currentMSecsSinceEpoch()));
    }
    return QObject::eventFilter(watched, event);
}

void WindowMeter::waitForScenario() {
    if (m_window->run()->scenario() == nullptr) {
        QTimer::singleShot(100, this, &WindowMeter::waitForScenario);
        return;
    }
    m_window->playScenario(m_window->run()->scenarioPtr());
    QTimer::singleShot(settleMs, this, &WindowMeter::beginToMeasure);
}

void WindowMeter::beginToMeasure() {
    m_measuring = true;
    m_measured.start();
    m_cpuAtStart = threadCpuSeconds();
    QTimer::singleShot(measureMs, this, [this] {
        const double seconds = static_cast<double>(m_measured.nsecsElapsed()) / 1e9;
        say("gui_cpu_share", (threadCpuSeconds() - m_cpuAtStart) / seconds);
        m_measuring = false;
        moveKnob();
    });
}

void WindowMeter::moveKnob() {
    if (m_moves == moves || m_window->run()->scenario()->knobs.empty()) {
        report();
        return;
    }
    const auto& knob = m_window->run()->scenario()->knobs.front();
    ++m_moves;
    m_markers = m_window->run()->history()->markers().size();
    m_knobMoved.start();
    // Between the two ends: each move is a change.
    const auto value = static_cast<int>(m_moves % 2 == 1 ? knob.most : knob.least);
    m_window->run()->set(knob.path, std::to_string(value));
    QTimer::singleShot(betweenMovesMs, this, &WindowMeter::moveKnob);
}

void WindowMeter::onHistoryChanged() {
    if (!m_knobMoved.isValid()) return;
    if (m_window->run()->history()->markers().size() <= m_markers) return;
    m_knobMs.push_back(static_cast<double>(m_knobMoved.nsecsElapsed()) / 1e6);
    m_knobMoved.invalidate();
}

void WindowMeter::report() {
    std::sort(m_turnsMs.begin(), m_turnsMs.end());
    std::sort(m_knobMs.begin(), m_knobMs.end());
    if (m_turnsMs.empty() || m_knobMs.empty()) {
        QTextStream(stderr) << "nothing was measured\n";
        emit finished(1);
        return;
    }
    say("turns", static_cast<double>(m_turnsMs.size()));
    say("turn_p99_ms", m_turnsMs[m_turnsMs.size() * 99 / 100]);
    say("turn_max_ms", m_turnsMs.back());
    say("knob_effects", static_cast<double>(m_knobMs.size()));
    say("knob_to_effect_max_ms", m_knobMs.back());
    say("resident_mb", residentMegabytes());
    emit finished(0);
}

}  // namespace lab::app
