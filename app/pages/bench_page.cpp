// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/bench_page.hpp"

#include <QResizeEvent>
#include <QScrollArea>
#include <QVBoxLayout>
#include <algorithm>

#include "charts/charts_panel.hpp"
#include "models/lesson_controller.hpp"
#include "models/run_controller.hpp"
#include "models/run_history.hpp"
#include "widgets/cache_dialog.hpp"
#include "widgets/figures_row.hpp"
#include "widgets/knob_panel.hpp"
#include "widgets/lesson_panel.hpp"
#include "widgets/pieces.hpp"
#include "widgets/pipeline_view.hpp"

namespace lab::app {

namespace {
constexpr int gap = 10;
}  // namespace

BenchPage::BenchPage(LessonModel* lesson, LessonController* controller, RunController* run,
                     QWidget* parent)
    : QWidget(parent),
      m_lesson(lesson),
      m_run(run),
      m_lessonPanel(new LessonPanel(lesson, controller, run, this)),
      m_banner(new Banner),
      m_pipeline(new PipelineView(run->history())),
      m_figures(new FiguresRow(run->history())),
      m_charts(new ChartsPanel(run->history())),
      m_knobs(new KnobPanel(run, this)),
      m_centre(new QWidget(this)) {
    auto* layout = new QVBoxLayout(m_centre);
    layout->setContentsMargins(gap + 2, gap + 2, gap + 2, gap + 2);
    layout->setSpacing(gap);
    layout->addWidget(m_banner);
    layout->addWidget(m_pipeline, 0);
    layout->addWidget(m_figures, 0);
    layout->addWidget(m_charts, 1);
    m_centre->lower();
    m_charts->setHint(tr("Press Run to see the first answers"));
    // Tab goes from the lesson over the charts to the knobs, as the eye does.
    setTabOrder(m_lessonPanel->primaryButton(), m_pipeline);
    connect(run, &RunController::scenarioChanged, this, &BenchPage::showModel);
    connect(run, &RunController::modelChanged, this, &BenchPage::showModel);
    connect(run, &RunController::stateChanged, this, &BenchPage::showState);
    connect(m_pipeline, &PipelineView::cacheClicked, this, &BenchPage::showCache);
    connect(run, &RunController::paceChanged, this,
            [this] { m_pipeline->setTimeScale(m_run->timeScale()); });
    connect(lesson, &LessonModel::stepChanged, this, &BenchPage::followLesson);
    connect(m_pipeline, &PipelineView::databaseClicked, this, &BenchPage::databaseClicked);
    showModel();
    showState();
}

void BenchPage::setTheme(const Theme& theme) {
    m_pipeline->setTheme(theme);
    m_figures->setTheme(theme);
    m_charts->setTheme(theme);
}

void BenchPage::showCache() {
    if (m_cache == nullptr) m_cache = new CacheDialog(m_run, this);
    m_cache->show();
    m_cache->raise();
    m_cache->activateWindow();
}

void BenchPage::setLessonShown(bool shown) {
    m_lessonShown = shown;
    m_knobs->setServerShown(!shown);
    m_drawerOpen = true;
    place();
    emit drawerChanged();
}

void BenchPage::setDrawerOpen(bool open) {
    if (open == m_drawerOpen) return;
    m_drawerOpen = open;
    place();
    if (open) m_lessonPanel->focusStep();
    emit drawerChanged();
}

void BenchPage::followLesson() {
    // While A and B run there is something to see; the words come back when they are done.
    if (!m_narrow || !m_lessonShown) return;
    setDrawerOpen(!m_lessonRuns);
}

void BenchPage::showModel() {
    if (m_run->scenario() == nullptr) return;
    m_pipeline->setModel(m_run->model());
    const bool open = m_run->model().load.model == LoadModel::open;
    m_charts->setLoopText(open ? tr("open loop") : tr("closed loop"));
}

void BenchPage::showState() {
    m_pipeline->setRunning(m_run->isRunning());
    const bool lessonRuns = m_run->mode() == RunController::Mode::variants;
    if (lessonRuns == m_lessonRuns) return;
    m_lessonRuns = lessonRuns;
    followLesson();
}

void BenchPage::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    const bool narrow = event->size().width() < narrowBelow - 72;
    if (narrow != m_narrow) {
        m_narrow = narrow;
        m_knobs->setCompact(narrow);
        m_drawerOpen = !m_lessonRuns;
        emit drawerChanged();
    }
    place();
}

void BenchPage::place() {
    // In a low window the charts need the room more than the boxes do.
    m_pipeline->setMaximumHeight(std::max(m_pipeline->minimumSizeHint().height(), height() / 4));
    const bool lesson = m_lessonShown && m_lesson->hasSteps() && (!m_narrow || m_drawerOpen);
    const int left = lesson && !m_narrow ? LessonPanel::panelWidth : 0;
    const bool knobs = !m_knobs->rows().empty() || !m_lessonShown;
    const int right = knobs ? m_knobs->width() : 0;
    m_knobs->setVisible(right > 0);
    m_knobs->setGeometry(width() - right, 0, right, height());
    m_centre->setGeometry(left, 0, width() - left - right, height());
    m_lessonPanel->setGeometry(0, 0, LessonPanel::panelWidth, height());
    m_lessonPanel->setVisible(lesson);
    m_lessonPanel->raise();
}

}  // namespace lab::app
