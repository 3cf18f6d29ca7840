// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/screenshot_tour.hpp"

#include <QAbstractButton>
#include <QPixmap>
#include <QPushButton>
#include <QSize>
#include <QTextStream>
#include <array>

#include "bridge/preferences.hpp"
#include "models/lesson_controller.hpp"
#include "models/run_controller.hpp"
#include "pages/bench_page.hpp"
#include "pages/gallery_page.hpp"
#include "pages/main_window.hpp"
#include "widgets/controls.hpp"
#include "widgets/lesson_panel.hpp"

namespace lab::app {

namespace {

struct Look {
    QSize size;
    ThemeChoice theme;
    const char* name;
};
const std::array<Look, 4> looks = {{
    {QSize(1440, 900), ThemeChoice::light, "1440x900-light"},
    {QSize(1440, 900), ThemeChoice::dark, "1440x900-dark"},
    {QSize(1024, 700), ThemeChoice::light, "1024x700-light"},
    {QSize(1024, 700), ThemeChoice::dark, "1024x700-dark"},
}};
constexpr int pollMs = 100;
constexpr int settleMs = 350;       ///< from a change of size to a picture with a fresh frame in it
constexpr int patienceMs = 90'000;  ///< for two runs of a lesson on a slow machine

}  // namespace

ScreenshotTour::ScreenshotTour(MainWindow* window, const QString& folder, QObject* parent)
    : QObject(parent), m_window(window), m_folder(folder) {
    m_timer.setSingleShot(true);
    connect(&m_timer, &QTimer::timeout, this, &ScreenshotTour::step);
}

void ScreenshotTour::start() {
    if (!QDir().mkpath(m_folder.path())) {
        fail(tr("the folder %1 cannot be made").arg(m_folder.path()));
        return;
    }
    plan();
    m_waited.start();
    m_timer.start(pollMs);
}

void ScreenshotTour::plan() {
    m_stops.push_back({QStringLiteral("gallery"),
                       [this] { return m_window->gallery()->startHere() != nullptr; },
                       [this] { m_window->galleryPage()->predictButton()->click(); }});
    planLesson();
    planPlay();
}

void ScreenshotTour::planLesson() {
    LessonModel* lesson = m_window->lesson();
    LessonController* controller = m_window->lessonController();
    const auto at = [lesson](LessonKind kind) {
        return lesson->current() != nullptr && lesson->current()->kind == kind;
    };
    m_stops.push_back({QStringLiteral("lesson"), [] { return true; }, [] {}});
    m_stops.push_back(
        {{},
         [=] {
             // On to the prediction; what is said before it needs no picture of its own.
             if (!at(LessonKind::predict)) controller->goOn();
             return at(LessonKind::predict);
         },
         [=, this] { m_window->benchPage()->lessonPanel()->options().at(1)->click(); }});
    m_stops.push_back(
        {QStringLiteral("predict"), [] { return true; }, [=] { controller->goOn(); }});
    RunController* run = m_window->run();
    m_stops.push_back({QStringLiteral("run-b"),
                       [=] {
                           return run->mode() == RunController::Mode::variants &&
                                  run->variantProgress() > 0.72;
                       },
                       [] {}});
    m_stops.push_back({QStringLiteral("explain"),
                       [=] { return at(LessonKind::explain) && !run->isRunning(); },
                       [=] {
                           while (!lesson->isLast() && !at(LessonKind::flask) &&
                                  lesson->at(lesson->step() + 1)->kind != LessonKind::run) {
                               lesson->goTo(lesson->step() + 1);
                           }
                       }});
    m_stops.push_back({QStringLiteral("flask"), [] { return true; }, [] {}});
}

void ScreenshotTour::planPlay() {
    RunController* run = m_window->run();
    m_stops.push_back({{},
                       [] { return true; },
                       [=, this] {
                           m_window->showPlace(MainWindow::Place::experiment);
                           run->reset();
                           run->play();
                       }});
    m_stops.push_back(
        {{}, [=] { return run->seconds() > 9; }, [=] { run->set("server.workers", "4"); }});
    m_stops.push_back({QStringLiteral("play"), [=] { return run->seconds() > 16; },
                       [=] { run->set("server.preset", "gunicorn-gthread"); }});
    m_stops.push_back({QStringLiteral("server"), [=] { return run->seconds() > 20; },
                       [=, this] { m_window->showPlace(MainWindow::Place::present); }});
    m_stops.push_back({QStringLiteral("present"), [] { return true; }, [=] { run->stop(); }});
    m_stops.push_back({{}, [=] { return !run->isRunning(); }, [] {}});
}

void ScreenshotTour::dress(std::size_t look) {
    m_window->resize(looks[look].size);
    m_window->setThemeChoice(looks[look].theme);
}

void ScreenshotTour::step() {
    if (m_stop >= m_stops.size()) {
        emit finished(0);
        return;
    }
    const Stop& stop = m_stops[m_stop];
    if (m_look == 0 && !m_dressed && !stop.ready()) {
        if (m_waited.elapsed() > patienceMs) {
            fail(tr("waited in vain for \"%1\" (stop %2)").arg(stop.name).arg(m_stop + 1));
        } else {
            m_timer.start(pollMs);
        }
        return;
    }
    if (!stop.name.isEmpty() && m_look < looks.size()) {
        nextLook();
        return;
    }
    m_look = 0;
    m_dressed = false;
    stop.then();
    ++m_stop;
    m_waited.restart();
    m_timer.start(pollMs);
}

void ScreenshotTour::nextLook() {
    if (!m_dressed) {
        dress(m_look);
        m_dressed = true;
        m_timer.start(settleMs);
        return;
    }
    const QString file =
        m_folder.filePath(m_stops[m_stop].name + u'-' + QString::fromLatin1(looks[m_look].name) +
                          QStringLiteral(".png"));
    if (!m_window->grab().save(file)) {
        fail(tr("%1 cannot be written").arg(file));
        return;
    }
    ++m_look;
    m_dressed = false;
    if (m_look == looks.size()) dress(0);
    m_timer.start(pollMs);
}

void ScreenshotTour::fail(const QString& why) {
    QTextStream(stderr) << "latency-lab-window: screenshots: " << why << '\n';
    emit finished(1);
}

}  // namespace lab::app
