// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/present_page.hpp"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QPainter>
#include <QPushButton>
#include <QVBoxLayout>
#include <algorithm>

#include "charts/line_charts.hpp"
#include "models/lesson_controller.hpp"
#include "models/plain_text.hpp"
#include "models/run_controller.hpp"
#include "models/run_history.hpp"
#include "pages/present_text.hpp"
#include "widgets/figures_row.hpp"
#include "widgets/pieces.hpp"

namespace lab::app {

namespace {

constexpr int spaceKey = -1;
constexpr int runKey = -2;
constexpr int resetKey = -3;
constexpr int leaveKey = -4;
constexpr int backKey = -5;

QString knobLetter(const KnobModel& knob) { return plainText(knob.knob().key, 1).toUpper(); }

}  // namespace

PresentPage::PresentPage(LessonModel* lesson, LessonController* controller, RunController* run,
                         QWidget* parent)
    : QWidget(parent),
      m_lesson(lesson),
      m_controller(controller),
      m_run(run),
      m_headline(makeParagraph({}, Fonts::text(40, QFont::Bold))),
      m_counter(makeLabel({}, Fonts::code(20), "second")),
      m_line(makeParagraph({}, Fonts::text(20), "second")),
      m_status(makeLabel({}, Fonts::text(18, QFont::Medium), "accent")),
      m_figures(
          new FiguresRow(run->history(), {Figure::throughput, Figure::p99, Figure::waiting}, true)),
      m_keys(new QWidget),
      m_keysLayout(new FlowLayout(m_keys, 10)),
      m_follow(makeLabel({}, Fonts::text(16), "second")) {
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(tr("Present"));
    m_charts = {new ThroughputChart(run->history()), new LatencyChart(run->history())};
    auto* head = new QHBoxLayout;
    head->addWidget(m_headline, 1);
    head->addWidget(m_counter, 0, Qt::AlignTop | Qt::AlignRight);
    auto* figures = new QHBoxLayout;
    figures->addWidget(m_figures, 0);
    figures->addStretch(1);
    figures->addWidget(m_status, 0, Qt::AlignTop | Qt::AlignRight);
    auto* charts = new QHBoxLayout;
    charts->setSpacing(24);
    for (PlotCard* chart : m_charts) {
        chart->setFramed(false);
        chart->setScale(1.35);
        chart->setFocusPolicy(Qt::NoFocus);
        charts->addWidget(chart, 1);
    }
    auto* foot = new QHBoxLayout;
    foot->addWidget(m_keys, 1);
    foot->addWidget(m_follow, 0, Qt::AlignRight | Qt::AlignVCenter);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(44, 34, 44, 28);
    layout->setSpacing(14);
    layout->addLayout(head);
    layout->addWidget(m_line);
    layout->addLayout(figures);
    layout->addLayout(charts, 1);
    layout->addLayout(foot);
    connect(run, &RunController::scenarioChanged, this, &PresentPage::rebuildKeys);
    connect(run, &RunController::stateChanged, this, &PresentPage::showStatus);
    connect(run, &RunController::ticked, this, &PresentPage::showStatus);
    connect(lesson, &LessonModel::stepChanged, this, &PresentPage::showStep);
    connect(lesson, &LessonModel::resultsChanged, this, &PresentPage::showStep);
    rebuildKeys();
    showStep();
}

void PresentPage::setTheme(const Theme& theme) {
    setPalette(theme.palette());
    setStyleSheet(theme.styleSheet());
    m_figures->setTheme(theme);
    for (PlotCard* chart : m_charts) chart->setTheme(theme);
}

QString PresentPage::headline() const { return m_headline->text(); }

void PresentPage::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), palette().color(QPalette::Window));
}

void PresentPage::showEvent(QShowEvent*) {
    setFocus();
    showStep();
    showStatus();
}

void PresentPage::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    // Sizes follow the room: 1 at 1440 x 900, twice that on a 4K projector.
    const double scale = std::clamp(std::min(width() / 1440.0, height() / 900.0), 0.7, 2.4);
    m_headline->setFont(Fonts::text(qRound(40 * scale), QFont::Bold));
    m_counter->setFont(Fonts::code(qRound(20 * scale)));
    m_line->setFont(Fonts::text(qRound(20 * scale)));
    m_status->setFont(Fonts::text(qRound(18 * scale), QFont::Medium));
    m_figures->setScale(2.8 * scale);
    for (PlotCard* chart : m_charts) chart->setScale(1.35 * scale);
    for (QPushButton* chip : m_keys->findChildren<QPushButton*>()) {
        chip->setFont(Fonts::text(chipPixels(), QFont::Medium));
    }
    m_follow->setVisible(width() >= 1200);
}

int PresentPage::chipPixels() const { return qRound(15 * std::clamp(width() / 1440.0, 0.8, 2.0)); }

void PresentPage::addChip(const QString& key, const QString& meaning, int id) {
    QString text = key + QStringLiteral("  ") + meaning;
    auto* chip = makeButton(text.replace(u'&', QStringLiteral("&&")));
    chip->setFont(Fonts::text(chipPixels(), QFont::Medium));
    chip->setAccessibleName(tr("%1: key %2").arg(meaning, key));
    chip->setFocusPolicy(Qt::NoFocus);  // the key itself is the keyboard's way
    connect(chip, &QPushButton::clicked, this, [this, id] { press(id); });
    m_keysLayout->addWidget(chip);
    chip->show();
}

void PresentPage::rebuildKeys() {
    qDeleteAll(m_keys->findChildren<QWidget*>(QString(), Qt::FindDirectChildrenOnly));
    m_knobs.clear();
    const Scenario* scenario = m_run->scenario();
    if (scenario == nullptr) return;
    addChip(tr("Space"), scenario->lesson.empty() ? tr("run") : tr("next step"), spaceKey);
    if (!scenario->lesson.empty()) addChip(QStringLiteral("←"), tr("back"), backKey);
    for (const Knob& knob : scenario->knobs) {
        auto model = KnobModel::make(knob, scenario->model);
        if (!model || knob.key.empty()) continue;
        const bool toggle = model->shape() == KnobModel::Shape::toggle;
        const QString how = toggle ? tr("on / off") : QStringLiteral("+ / ⇧ −");
        const int id = static_cast<int>(m_knobs.size());
        addChip(knobLetter(*model), model->label().toLower() + u' ' + how, id);
        m_knobs.push_back(std::move(*model));
    }
    addChip(QStringLiteral("F5"), tr("run / stop"), runKey);
    addChip(QStringLiteral("R"), tr("start over"), resetKey);
    addChip(QStringLiteral("Esc"), tr("leave"), leaveKey);
    m_follow->setText(tr("Students follow along: scenario %1, seed %2")
                          .arg(plainText(scenario->id, 40))
                          .arg(scenario->seed));
    showStep();
}

void PresentPage::press(int id) {
    if (id == spaceKey) {
        if (m_lesson->hasSteps()) {
            m_controller->presentNext();
        } else if (!m_run->isRunning()) {
            m_run->play();
        }
    } else if (id == backKey) {
        m_controller->goBack();
    } else if (id == runKey) {
        emit runToggled();
    } else if (id == resetKey) {
        m_run->reset();
    } else if (id == leaveKey) {
        emit left();
    } else {
        moveKnob(knobLetter(m_knobs[static_cast<std::size_t>(id)]), false);
    }
}

bool PresentPage::moveKnob(const QString& letter, bool back) {
    for (const KnobModel& knob : m_knobs) {
        if (letter.isEmpty() || knobLetter(knob) != letter) continue;
        const int last = knob.positions() - 1;
        int position = knob.position(m_run->model()) + (back ? -1 : 1);
        // A switch flips and a list of choices goes round; a number stops at its ends.
        if (knob.shape() == KnobModel::Shape::slider) {
            position = std::clamp(position, 0, last);
        } else {
            position = (position + last + 1) % (last + 1);
        }
        m_run->set(knob.knob().path, knob.textAt(position, m_run->model()));
        return true;
    }
    return false;
}

void PresentPage::keyPressEvent(QKeyEvent* event) {
    const bool plain = (event->modifiers() & ~(Qt::ShiftModifier | Qt::KeypadModifier)) == 0;
    const bool shift = (event->modifiers() & Qt::ShiftModifier) != 0;
    if (plain && event->key() == Qt::Key_Space) {
        press(spaceKey);
    } else if (plain && (event->key() == Qt::Key_Backspace || event->key() == Qt::Key_Left ||
                         event->key() == Qt::Key_PageUp)) {
        press(backKey);
    } else if (plain && event->key() == Qt::Key_Escape) {
        press(leaveKey);
    } else if (plain && event->key() == Qt::Key_R) {
        press(resetKey);
    } else if (plain && event->key() >= Qt::Key_A && event->key() <= Qt::Key_Z) {
        moveKnob(QString(QChar(event->key())), shift);
    } else {
        QWidget::keyPressEvent(event);
    }
}

void PresentPage::showStep() {
    const Scenario* scenario = m_run->scenario();
    if (scenario == nullptr) return;
    const LessonStep* step = m_lesson->current();
    QString headline = plainText(scenario->title);
    QString line;
    if (step != nullptr) {
        // The question stays on top until another is asked.
        const LessonStep* predict =
            m_lesson->at(m_lesson->lastOf(LessonKind::predict, m_lesson->step()));
        if (step->kind == LessonKind::say && !step->title.empty()) {
            headline = plainText(step->title);
        } else if (predict != nullptr) {
            headline = plainText(predict->ask, 300);
        }
        line = presentText(*m_lesson, *scenario);
    }
    m_headline->setText(headline);
    m_line->setText(line);
    m_line->setVisible(!line.isEmpty());
    m_counter->setVisible(m_lesson->hasSteps());
    m_counter->setText(
        QStringLiteral("%1 / %2").arg(m_lesson->screen()).arg(m_lesson->screenCount()));
}

void PresentPage::showStatus() {
    if (!isVisible()) return;
    QString status = m_run->statusText();
    if (status.isEmpty()) status = m_run->serverProgress();
    if (!m_run->isRunning()) status = tr("F5 runs it");
    m_status->setText(status);
}

}  // namespace lab::app
