// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QDir>
#include <QElapsedTimer>
#include <QObject>
#include <QTimer>
#include <functional>
#include <vector>

namespace lab::app {

class MainWindow;

/// Drives the window through its pages with a real run going and saves a picture of each, at two
/// sizes,
/// light and dark. Ends by itself: finished(0), or finished(1) and a sentence on standard error.
class ScreenshotTour : public QObject {
    Q_OBJECT
  public:
    ScreenshotTour(MainWindow* window, const QString& folder, QObject* parent = nullptr);
    void start();

  signals:
    void finished(int exitCode);

  private:
    /// One thing to wait for, then to photograph, then to do.
    struct Stop {
        QString name;  ///< of the pictures; empty: none
        std::function<bool()> ready;
        std::function<void()> then;
    };
    void plan();
    void planLesson();
    void planPlay();
    void step();
    void nextLook();
    void dress(std::size_t look);
    void fail(const QString& why);

    MainWindow* m_window;
    QDir m_folder;
    QTimer m_timer;
    QElapsedTimer m_waited;
    std::vector<Stop> m_stops;
    std::size_t m_stop = 0;
    std::size_t m_look = 0;  ///< size and theme of the next picture
    bool m_dressed = false;
};

}  // namespace lab::app
