// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QTimer>
#include <cstddef>
#include <vector>

namespace lab::app {

class MainWindow;

/// What the window itself costs while a run is going: for the benchmark `window`, which reads the
/// lines that this prints ("gui_cpu_share 0.06"). Runs the scenario that is open, moves its first
/// knob a few times, ends by itself. Threads: GUI.
class WindowMeter : public QObject {
    Q_OBJECT
  public:
    explicit WindowMeter(MainWindow* window, QObject* parent = nullptr);
    void start();

  signals:
    void finished(int exitCode);

  protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

  private:
    void waitForScenario();
    void beginToMeasure();
    void moveKnob();
    void onHistoryChanged();
    void report();

    MainWindow* m_window;
    QTimer m_timer;
    QElapsedTimer m_turn, m_measured, m_knobMoved;
    std::vector<double> m_turnsMs;
    std::vector<double> m_knobMs;
    double m_cpuAtStart = 0;
    std::size_t m_markers = 0;
    int m_moves = 0;
    bool m_painted = false;
    bool m_measuring = false;
};

}  // namespace lab::app
