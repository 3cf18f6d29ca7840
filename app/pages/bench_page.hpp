// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

#include "widgets/theme.hpp"

namespace lab::app {

class Banner;
class CacheDialog;
class ChartsPanel;
class FiguresRow;
class KnobPanel;
class LessonController;
class LessonModel;
class LessonPanel;
class PipelineView;
class RunController;

/// The bench: the lesson at the left, the server and its charts in the middle, the knobs at the
/// right.
///
/// In a narrow window the lesson folds into a drawer over the charts and the knobs into tabs.
/// Threads: GUI.
class BenchPage : public QWidget {
    Q_OBJECT
  public:
    /// Narrower than this: drawer and tabs.
    static constexpr int narrowBelow = 1180;

    BenchPage(LessonModel* lesson, LessonController* controller, RunController* run,
              QWidget* parent = nullptr);

    void setTheme(const Theme& theme);
    /// With the lesson at the left, or without it (Experiment).
    void setLessonShown(bool shown);
    [[nodiscard]] bool isLessonShown() const { return m_lessonShown; }
    [[nodiscard]] bool isNarrow() const { return m_narrow; }
    [[nodiscard]] bool isDrawerOpen() const { return m_drawerOpen; }
    void setDrawerOpen(bool open);

    /// What the cache holds, in a window of its own.
    void showCache();
    /// Null until it was shown.
    [[nodiscard]] CacheDialog* cacheDialog() const { return m_cache; }
    [[nodiscard]] PipelineView* pipeline() const { return m_pipeline; }
    [[nodiscard]] LessonPanel* lessonPanel() const { return m_lessonPanel; }
    [[nodiscard]] KnobPanel* knobPanel() const { return m_knobs; }
    [[nodiscard]] Banner* banner() const { return m_banner; }

  signals:
    /// The lesson's button on the top bar has to change.
    void drawerChanged();
    /// The person wants to ask the database something.
    void databaseClicked();

  protected:
    void resizeEvent(QResizeEvent* event) override;

  private:
    void place();
    void showModel();
    void showState();
    void followLesson();

    LessonModel* m_lesson;
    RunController* m_run;
    LessonPanel* m_lessonPanel;
    Banner* m_banner;
    PipelineView* m_pipeline;
    FiguresRow* m_figures;
    ChartsPanel* m_charts;
    KnobPanel* m_knobs;
    QWidget* m_centre;
    CacheDialog* m_cache = nullptr;
    bool m_lessonShown = true;
    bool m_narrow = false;
    bool m_drawerOpen = true;
    bool m_lessonRuns = false;  ///< A and B, one after the other
};

}  // namespace lab::app
