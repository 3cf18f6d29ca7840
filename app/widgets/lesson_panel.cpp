// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/lesson_panel.hpp"

#include <QGridLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QScrollBar>
#include <QVBoxLayout>
#include <set>

#include "models/knob.hpp"
#include "models/lesson_controller.hpp"
#include "models/plain_text.hpp"
#include "widgets/controls.hpp"
#include "widgets/pieces.hpp"
#include "widgets/theme.hpp"

namespace lab::app {

namespace {

/// The settings in which the variants of a step can differ, each with its value in each variant.
struct VariantTable {
    QStringList names;
    struct Row {
        QString label;
        QStringList values;
    };
    std::vector<Row> rows;
};

VariantTable describeVariants(const Scenario& scenario, const LessonStep& step) {
    VariantTable table;
    std::set<std::string> paths;
    std::vector<Model> models;
    for (const auto& [name, overrides] : step.variants) {
        table.names << plainText(name, 20);
        for (const auto& [path, value] : overrides) paths.insert(path);
        auto model = with_overrides(scenario.model, overrides, scenario.file);
        models.push_back(model ? *model : scenario.model);
    }
    for (const auto& path : paths) {
        VariantTable::Row row;
        for (const Model& model : models) {
            const ShownSetting shown = showSetting(model, path);
            row.label = shown.label;
            row.values << shown.value;
        }
        table.rows.push_back(std::move(row));
    }
    return table;
}

}  // namespace

LessonPanel::LessonPanel(LessonModel* lesson, LessonController* controller, RunController* run,
                         QWidget* parent)
    : QFrame(parent),
      m_lesson(lesson),
      m_controller(controller),
      m_run(run),
      m_scroll(new QScrollArea),
      m_back(makeButton(tr("Back"))),
      m_again(makeButton(tr("Run again"))),
      m_primary(makeButton({}, "primary")) {
    setProperty("kind", QStringLiteral("left"));
    setFixedWidth(panelWidth);
    setAccessibleName(tr("Lesson"));
    m_scroll->setWidgetResizable(true);
    m_scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_scroll->setFocusPolicy(Qt::NoFocus);
    auto* buttons = new QHBoxLayout;
    buttons->setContentsMargins(18, 10, 18, 16);
    buttons->setSpacing(8);
    buttons->addWidget(m_back);
    buttons->addStretch();
    buttons->addWidget(m_again);
    buttons->addWidget(m_primary);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 1, 0);
    layout->setSpacing(0);
    layout->addWidget(m_scroll, 1);
    layout->addLayout(buttons);
    connect(m_back, &QPushButton::clicked, controller, &LessonController::goBack);
    connect(m_again, &QPushButton::clicked, controller, &LessonController::runAgain);
    connect(m_primary, &QPushButton::clicked, controller, &LessonController::goOn);
    connect(lesson, &LessonModel::stepChanged, this, &LessonPanel::rebuild);
    connect(lesson, &LessonModel::resultsChanged, this, &LessonPanel::rebuild);
    connect(controller, &LessonController::changed, this, &LessonPanel::showButtons);
    connect(run, &RunController::ticked, this, &LessonPanel::showProgress);
    connect(run, &RunController::stateChanged, this, &LessonPanel::showProgress);
    rebuild();
}

QString LessonPanel::verdict() const {
    return m_verdict != nullptr ? m_verdict->text() : QString();
}

void LessonPanel::focusStep() {
    if (!m_options.empty() && m_options.front()->isEnabled()) {
        m_options.front()->setFocus(Qt::TabFocusReason);
    } else {
        m_primary->setFocus(Qt::TabFocusReason);
    }
}

void LessonPanel::keyPressEvent(QKeyEvent* event) {
    QScrollBar* bar = m_scroll->verticalScrollBar();
    if (event->key() == Qt::Key_PageDown) {
        bar->triggerAction(QAbstractSlider::SliderPageStepAdd);
    } else if (event->key() == Qt::Key_PageUp) {
        bar->triggerAction(QAbstractSlider::SliderPageStepSub);
    } else {
        QFrame::keyPressEvent(event);
    }
}

void LessonPanel::rebuild() {
    const bool hadFocus = focusWidget() != nullptr && isAncestorOf(focusWidget());
    m_options.clear();
    m_text = nullptr;
    m_verdict = nullptr;
    m_status = nullptr;
    m_progress = nullptr;
    auto* content = new QWidget;
    auto* layout = new QVBoxLayout(content);
    layout->setContentsMargins(18, 16, 17, 8);
    layout->setSpacing(10);
    const LessonStep* step = m_lesson->current();
    if (step != nullptr) {
        layout->addWidget(makeLabel(m_lesson->header(), Fonts::groupName(), "second"));
        layout->addWidget(makeParagraph(m_lesson->title(), Fonts::text(19, QFont::Bold)));
        if (step->kind == LessonKind::explain) addVerdict(layout);
        addText(layout);
        if (step->kind == LessonKind::predict) {
            if (!step->title.empty()) {
                layout->addWidget(
                    makeParagraph(plainText(step->ask, 400), Fonts::text(14, QFont::DemiBold)));
            }
            addPrediction(layout, m_lesson->step(), !m_lesson->isCommitted(m_lesson->step()));
        }
        if (step->kind == LessonKind::run) addVariants(layout);
        if (step->kind == LessonKind::flask && !step->code.empty()) {
            auto* code = new CodeBlock;
            code->setCode(plainText(step->code, 4000, true));
            layout->addWidget(code);
        }
    }
    layout->addStretch();
    m_scroll->setWidget(content);  // takes it, and deletes the one before
    content->setAutoFillBackground(false);
    m_scroll->viewport()->setAutoFillBackground(false);
    m_scroll->verticalScrollBar()->setValue(0);
    showButtons();
    showProgress();
    if (hadFocus && isVisible()) focusStep();
}

void LessonPanel::addText(QVBoxLayout* layout) {
    const QString text = m_lesson->text();
    if (text.trimmed().isEmpty()) return;
    m_text = new LessonText;
    m_text->setLesson(text);
    layout->addWidget(m_text);
}

void LessonPanel::addPrediction(QVBoxLayout* layout, int predictStep, bool open) {
    const LessonStep* predict = m_lesson->at(predictStep);
    const auto judgement = open ? std::nullopt : m_lesson->judgement();
    auto* group = new QWidget;
    group->setAccessibleName(plainText(predict->ask, 400));
    auto* column = new QVBoxLayout(group);
    column->setContentsMargins(0, 2, 0, 2);
    column->setSpacing(7);
    for (int i = 0; i < static_cast<int>(predict->options.size()); ++i) {
        auto* option =
            new OptionButton(plainText(predict->options[static_cast<std::size_t>(i)].text));
        option->setChecked(m_lesson->chosen(predictStep) == i);
        option->setEnabled(open);
        if (judgement && judgement->right_option == i) {
            option->setMark(OptionButton::Mark::right, m_lesson->measuredTag(*judgement));
        }
        connect(option, &QAbstractButton::clicked, m_lesson, [this, i] { m_lesson->choose(i); });
        connect(option, &QAbstractButton::toggled, m_lesson, [this, i](bool on) {
            if (on) m_lesson->choose(i);
        });
        column->addWidget(option);
        m_options.push_back(option);
    }
    layout->addWidget(group);
}

void LessonPanel::addVariants(QVBoxLayout* layout) {
    const VariantTable table = describeVariants(*m_lesson->scenario(), *m_lesson->current());
    if (!table.rows.empty()) {
        QFrame* note = makeFrame("note");
        auto* grid = new QGridLayout(note);
        grid->setContentsMargins(12, 9, 12, 9);
        grid->setHorizontalSpacing(12);
        grid->setVerticalSpacing(5);
        grid->setColumnStretch(0, 1);
        for (int v = 0; v < table.names.size(); ++v) {
            grid->addWidget(makeLabel(table.names[v], Fonts::text(12, QFont::Bold)), 0, v + 1,
                            Qt::AlignRight);
        }
        for (int r = 0; r < static_cast<int>(table.rows.size()); ++r) {
            const auto& row = table.rows[static_cast<std::size_t>(r)];
            const bool differs = row.values.count(row.values.value(0)) != row.values.size();
            grid->addWidget(makeParagraph(row.label, Fonts::text(12), "second"), r + 1, 0);
            for (int v = 0; v < row.values.size(); ++v) {
                const auto weight = differs ? QFont::DemiBold : QFont::Normal;
                grid->addWidget(makeLabel(row.values[v], Fonts::text(12, weight)), r + 1, v + 1,
                                Qt::AlignRight);
            }
        }
        layout->addWidget(note);
    }
    const int predictStep = m_lesson->lastOf(LessonKind::predict, m_lesson->step());
    const int option = m_lesson->chosen(predictStep);
    if (option >= 0) {
        const auto& chosen = m_lesson->at(predictStep)->options[static_cast<std::size_t>(option)];
        layout->addWidget(makeParagraph(tr("You expect: “%1”").arg(plainText(chosen.text)),
                                        Fonts::text(13, QFont::Medium)));
    }
    m_progress = new ThinProgress;
    layout->addWidget(m_progress);
    m_status = makeParagraph({}, Fonts::text(13), "second");
    layout->addWidget(m_status);
}

void LessonPanel::addVerdict(QVBoxLayout* layout) {
    const int runStep = m_lesson->lastOf(LessonKind::run, m_lesson->step());
    const int predictStep = runStep >= 0 ? m_lesson->lastOf(LessonKind::predict, runStep) : -1;
    if (runStep < 0) return;
    if (m_lesson->results() == nullptr) {
        layout->addWidget(
            makeParagraph(tr("There is no measured run yet, so the numbers below are missing. Run "
                             "the two variants to fill them in."),
                          Fonts::text(13), "second"));
        return;
    }
    if (predictStep < 0) return;
    const auto judgement = m_lesson->judgement();
    const bool right = judgement && judgement->verdict == Judgement::Verdict::right;
    const bool wrong = judgement && judgement->verdict == Judgement::Verdict::wrong;
    QFrame* note = makeFrame("note");
    auto* inside = new QVBoxLayout(note);
    inside->setContentsMargins(12, 10, 12, 10);
    inside->setSpacing(4);
    if ((right || wrong) && m_lesson->chosen(predictStep) >= 0) {
        inside->addWidget(makeLabel(right ? tr("✓ It held") : tr("It did not hold"),
                                    Fonts::text(12, QFont::DemiBold), right ? "better" : "worse"));
    }
    m_verdict = makeParagraph(m_lesson->verdictSentence(), Fonts::text(13, QFont::Medium));
    inside->addWidget(m_verdict);
    layout->addWidget(note);
    if (m_lesson->chosen(predictStep) >= 0) {
        layout->addWidget(makeLabel(tr("Your prediction"), Fonts::groupName(), "second"));
        addPrediction(layout, predictStep, false);
    }
}

void LessonPanel::showButtons() {
    const auto primary = m_controller->primary();
    m_primary->setText(primary.text);
    m_primary->setEnabled(primary.enabled);
    m_primary->setVisible(m_lesson->hasSteps());
    m_back->setVisible(m_controller->canGoBack());
    const LessonStep* step = m_lesson->current();
    const bool offers = step != nullptr &&
                        (step->kind == LessonKind::run || step->kind == LessonKind::explain) &&
                        m_controller->canRunAgain();
    const bool mustRun = step != nullptr && step->kind == LessonKind::explain &&
                         m_lesson->results() == nullptr &&
                         m_lesson->lastOf(LessonKind::run, m_lesson->step()) >= 0;
    m_again->setText(mustRun ? tr("Run it") : tr("Run again"));
    m_again->setVisible(offers || mustRun);
}

void LessonPanel::showProgress() {
    if (m_status == nullptr) return;
    const bool running = m_run->mode() == RunController::Mode::variants;
    m_progress->setVisible(running);
    m_progress->setShare(m_run->variantProgress(), false);
    const QString hint = m_lesson->hasResults(m_lesson->step())
                             ? tr("Done. Both runs are in the charts; A is the dashed one.")
                             : tr("The runs follow one after the other on this computer.");
    m_status->setText(running ? m_run->statusText() : hint);
}

}  // namespace lab::app
