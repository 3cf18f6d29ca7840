// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFrame>
#include <vector>

class QLabel;
class QPushButton;
class QScrollArea;
class QVBoxLayout;

namespace lab::app {

class LessonController;
class LessonModel;
class LessonText;
class OptionButton;
class RunController;
class ThinProgress;

/// The lesson at the left of the bench: one step at a time, Back and the one thing to do next
/// below it. Threads: GUI.
class LessonPanel : public QFrame {
    Q_OBJECT
  public:
    static constexpr int panelWidth = 320;

    LessonPanel(LessonModel* lesson, LessonController* controller, RunController* run,
                QWidget* parent = nullptr);

    [[nodiscard]] QPushButton* primaryButton() const { return m_primary; }
    [[nodiscard]] const std::vector<OptionButton*>& options() const { return m_options; }
    [[nodiscard]] LessonText* text() const { return m_text; }
    [[nodiscard]] QString verdict() const;
    /// Puts the focus where the step begins: the first answer, or the primary button.
    void focusStep();

  protected:
    /// Page up and down scroll a long step, wherever in the panel the focus is.
    void keyPressEvent(QKeyEvent* event) override;

  private:
    void rebuild();
    void addText(QVBoxLayout* layout);
    void addPrediction(QVBoxLayout* layout, int predictStep, bool open);
    void addVariants(QVBoxLayout* layout);
    void addVerdict(QVBoxLayout* layout);
    void showButtons();
    void showProgress();

    LessonModel* m_lesson;
    LessonController* m_controller;
    RunController* m_run;
    QScrollArea* m_scroll;
    QPushButton* m_back;
    QPushButton* m_again;
    QPushButton* m_primary;
    LessonText* m_text = nullptr;
    QLabel* m_verdict = nullptr;
    QLabel* m_status = nullptr;
    ThinProgress* m_progress = nullptr;
    std::vector<OptionButton*> m_options;
};

}  // namespace lab::app
