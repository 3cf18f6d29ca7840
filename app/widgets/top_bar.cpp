// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/top_bar.hpp"

#include <QAction>
#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>

#include "models/gallery.hpp"
#include "models/plain_text.hpp"
#include "models/run_controller.hpp"
#include "models/run_history.hpp"
#include "widgets/controls.hpp"
#include "widgets/icons.hpp"
#include "widgets/pieces.hpp"
#include "widgets/theme.hpp"

namespace lab::app {

namespace {

/// Seconds of the run in a second of the watcher. The fastest is as fast as the window can show it.
struct Speed {
    double factor;
    const char* text;
};
constexpr Speed offeredSpeeds[] = {
    {0.0001, "1/10,000 ×"}, {0.001, "1/1,000 ×"}, {0.01, "1/100 ×"}, {0.1, "1/10 ×"}, {1, "1 ×"},
    {10, "10 ×"},           {100, "100 ×"},       {200, "200 ×"},
};
constexpr int normalSpeed = 4;

}  // namespace

TopBar::TopBar(RunController* run, QWidget* parent)
    : QFrame(parent),
      m_controller(run),
      m_course(makeButton({}, "quiet")),
      m_slash(makeLabel(QStringLiteral("/"), Fonts::text(13), "second")),
      m_title(new ElidedLabel(Fonts::text(13, QFont::DemiBold))),
      m_lesson(makeButton(tr("Lesson"))),
      m_runners(new SegmentedControl({tr("Live engine"), tr("Virtual time")}, 220)),
      m_speeds(new QComboBox),
      m_pause(makeButton(tr("Pause"))),
      m_step(makeButton(tr("Step"))),
      m_status(makeLabel({}, Fonts::text(12), "second")),
      m_clock(makeLabel(QStringLiteral("00:00"), Fonts::code(13), "second")),
      m_search(new QLineEdit),
      m_open(makeButton(tr("Open…"))),
      m_pin(makeButton(tr("Pin as A"))),
      m_reset(makeButton(tr("Reset"))),
      m_run(makeButton(tr("Run"), "primary")),
      m_more(makeButton({}, "")) {
    setProperty("kind", QStringLiteral("bar"));
    setFixedHeight(52);
    m_course->setAccessibleName(tr("Back to the gallery"));
    m_lesson->setCheckable(true);
    m_lesson->setToolTip(tr("Show or hide the lesson"));
    m_clock->setAccessibleName(tr("Time of the run"));
    m_search->setPlaceholderText(tr("Find a lesson, an idea or a Flask setting"));
    m_search->setAccessibleName(tr("Find a lesson"));
    m_search->setToolTip(tr("Ctrl+K"));
    m_search->setClearButtonEnabled(true);
    m_search->setFont(Fonts::text(13));
    m_search->setMinimumWidth(180);
    m_search->setMaximumWidth(320);
    m_pin->setToolTip(tr("Keep this run as the dashed line A and compare with it"));
    m_reset->setToolTip(tr("Back to the scenario's first state (Ctrl+R)"));
    m_more->setAccessibleName(tr("Menu"));
    m_more->setToolTip(tr("Menu"));
    m_more->setFixedWidth(38);

    makePaceControls();
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(16, 0, 16, 1);
    layout->setSpacing(8);
    layout->addWidget(makeLabel(tr("Latency Lab"), Fonts::text(16, QFont::Bold)));
    auto* crumb = new QHBoxLayout;
    crumb->setSpacing(2);
    crumb->addWidget(m_course);
    crumb->addWidget(m_slash);
    crumb->addSpacing(5);
    crumb->addWidget(m_title, 1);
    layout->addLayout(crumb, 3);
    layout->addStretch(1);
    layout->addWidget(m_runners);
    layout->addWidget(m_speeds);
    layout->addWidget(m_pause);
    layout->addWidget(m_step);
    layout->addWidget(m_status);
    layout->addWidget(m_clock);
    layout->addSpacing(4);
    layout->addWidget(m_search, 2);
    for (QPushButton* button : {m_open, m_lesson, m_pin, m_reset, m_run, m_more}) {
        layout->addWidget(button);
    }
    connect(m_course, &QPushButton::clicked, this, &TopBar::courseClicked);
    connect(m_open, &QPushButton::clicked, this, &TopBar::openClicked);
    connect(m_lesson, &QPushButton::clicked, this, &TopBar::lessonClicked);
    connect(m_pin, &QPushButton::clicked, this, &TopBar::pinClicked);
    connect(m_reset, &QPushButton::clicked, this, &TopBar::resetClicked);
    connect(m_run, &QPushButton::clicked, this, &TopBar::runClicked);
    connect(m_search, &QLineEdit::textChanged, this, &TopBar::searchChanged);
    connect(run, &RunController::scenarioChanged, this, &TopBar::showScenario);
    connect(run, &RunController::stateChanged, this, &TopBar::showState);
    connect(run, &RunController::ticked, this, &TopBar::showClock);
    connect(run, &RunController::paceChanged, this, &TopBar::showPace);
    showScenario();
    showIcons();
}

void TopBar::makePaceControls() {
    m_runners->setChoiceName(tr("Run with"));
    m_runners->setToolTip(
        tr("Real sockets and threads, or the same model in virtual time: repeatable, on cores that "
           "you do not have, slower or faster than life"));
    for (const Speed& speed : offeredSpeeds)
        m_speeds->addItem(QString::fromUtf8(speed.text), speed.factor);
    m_speeds->setCurrentIndex(normalSpeed);
    m_speeds->setAccessibleName(tr("Speed of virtual time"));
    m_speeds->setToolTip(tr("How fast virtual time passes"));
    m_speeds->setFont(Fonts::text(13));
    m_pause->setCheckable(true);
    m_pause->setToolTip(tr("Hold virtual time, or let it go on"));
    m_step->setToolTip(tr("Go on by a tenth of a second at most, then hold again"));
    connect(m_runners, &SegmentedControl::chosen, this, [this](int index) {
        m_controller->setRunMode(index == 1 ? RunMode::virtual_time : RunMode::live);
    });
    connect(m_speeds, &QComboBox::activated, this, [this](int index) {
        m_controller->setPace({offeredSpeeds[index].factor, m_controller->pace().paused});
    });
    connect(m_pause, &QPushButton::clicked, this, [this](bool paused) {
        m_controller->setPace({m_controller->pace().speed, paused});
    });
    connect(m_step, &QPushButton::clicked, m_controller, &RunController::step);
}

void TopBar::showPace() {
    const bool bench = m_place == Place::bench && m_controller->scenario() != nullptr;
    const bool passes = bench && m_controller->runMode() == RunMode::virtual_time;
    const bool running = m_controller->isRunning();
    m_runners->setVisible(bench);
    m_runners->setEnabled(m_controller->mode() != RunController::Mode::variants);
    m_runners->setCurrent(m_controller->runMode() == RunMode::virtual_time ? 1 : 0);
    m_speeds->setVisible(passes);
    m_pause->setVisible(passes && running);
    m_pause->setChecked(m_controller->pace().paused);
    m_step->setVisible(passes && running && m_controller->pace().paused);
}

void TopBar::setPlace(Place place) {
    m_place = place;
    showScenario();
}

void TopBar::setLessonButton(bool there, bool open) {
    m_lessonThere = there;
    m_lesson->setChecked(open);
    m_lesson->setVisible(there && m_place == Place::bench);
}

void TopBar::setMenu(QMenu* menu) {
    connect(m_more, &QPushButton::clicked, menu, [this, menu] {
        menu->popup(m_more->mapToGlobal(
            QPoint(m_more->width() - menu->sizeHint().width(), m_more->height() + 4)));
    });
}

void TopBar::showScenario() {
    const Scenario* scenario = m_controller->scenario();
    const bool bench = m_place == Place::bench && scenario != nullptr;
    m_course->setVisible(bench);
    m_slash->setVisible(bench);
    m_title->setVisible(bench);
    if (scenario != nullptr) {
        m_course->setText(
            GalleryModel::courseTitle(scenario->course).replace(u'&', QStringLiteral("&&")));
        m_title->setText(plainText(scenario->title));
    }
    for (QWidget* widget : {static_cast<QWidget*>(m_search), static_cast<QWidget*>(m_open)}) {
        widget->setVisible(m_place == Place::gallery);
    }
    m_lesson->setVisible(bench && m_lessonThere);
    showState();
}

void TopBar::showState() {
    const bool bench = m_place == Place::bench && m_controller->scenario() != nullptr;
    const bool running = m_controller->isRunning();
    m_clock->setVisible(bench);
    m_pin->setVisible(bench);
    m_reset->setVisible(bench);
    m_run->setVisible(bench || running);
    m_run->setText(running ? tr("Stop") : tr("Run"));
    m_run->setToolTip(running ? tr("End the run (Esc)") : tr("Run until stopped (F5)"));
    m_reset->setEnabled(m_controller->mode() != RunController::Mode::variants);
    showPace();
    showIcons();
    showClock();
}

void TopBar::showClock() {
    const int seconds = static_cast<int>(m_controller->seconds());
    m_clock->setText(QStringLiteral("%1:%2")
                         .arg(seconds / 60, 2, 10, QLatin1Char('0'))
                         .arg(seconds % 60, 2, 10, QLatin1Char('0')));
    m_status->setText(m_controller->statusText());
    m_status->setVisible(m_place == Place::bench && !m_status->text().isEmpty());
    m_pin->setEnabled(!m_controller->history()->isEmpty());
}

void TopBar::showIcons() {
    const Theme theme = Theme::from(palette());
    m_run->setIcon(
        tintedIcon(m_controller->isRunning() ? QStringLiteral("stop") : QStringLiteral("play"),
                   theme.onAccent));
    m_run->setIconSize(QSize(14, 14));
    m_more->setIcon(tintedIcon(QStringLiteral("more"), theme.text));
    m_more->setIconSize(QSize(18, 18));
}

void TopBar::changeEvent(QEvent* event) {
    QFrame::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) showIcons();
}

}  // namespace lab::app
