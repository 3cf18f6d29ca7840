// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>
#include <vector>

#include "models/knob.hpp"
#include "widgets/theme.hpp"

class QHBoxLayout;
class QLabel;

namespace lab::app {

class FiguresRow;
class FlowLayout;
class LessonController;
class LessonModel;
class PlotCard;
class RunController;

/// The running scenario at a projector's size: one question, three figures, two charts, and keys.
///
/// Space: the next step. A knob's letter moves it up, with Shift down. R: the first state. F5
/// runs, Esc leaves. Dark by default, whatever the window is. Threads: GUI.
class PresentPage : public QWidget {
    Q_OBJECT
  public:
    PresentPage(LessonModel* lesson, LessonController* controller, RunController* run,
                QWidget* parent = nullptr);

    void setTheme(const Theme& theme);
    /// The question on top.
    [[nodiscard]] QString headline() const;

  signals:
    void left();
    /// F5: run or stop.
    void runToggled();

  protected:
    void keyPressEvent(QKeyEvent* event) override;
    void showEvent(QShowEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void paintEvent(QPaintEvent*) override;

  private:
    void rebuildKeys();
    void showStep();
    void showStatus();
    bool moveKnob(const QString& letter, bool back);
    void addChip(const QString& key, const QString& meaning, int id);
    void press(int id);
    [[nodiscard]] int chipPixels() const;

    LessonModel* m_lesson;
    LessonController* m_controller;
    RunController* m_run;
    QLabel* m_headline;
    QLabel* m_counter;
    QLabel* m_line;
    QLabel* m_status;
    FiguresRow* m_figures;
    std::vector<PlotCard*> m_charts;
    QWidget* m_keys;
    FlowLayout* m_keysLayout;
    QLabel* m_follow;
    std::vector<KnobModel> m_knobs;
};

}  // namespace lab::app
