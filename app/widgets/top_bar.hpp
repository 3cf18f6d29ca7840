// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFrame>

class QComboBox;
class QLabel;
class QLineEdit;
class QMenu;
class QPushButton;

namespace lab::app {

class ElidedLabel;
class RunController;
class SegmentedControl;

/// The bar on top: where you are, and what can be done here. Knows the run, not the pages.
class TopBar : public QFrame {
    Q_OBJECT
  public:
    explicit TopBar(RunController* run, QWidget* parent = nullptr);

    enum class Place { gallery, bench };
    void setPlace(Place place);
    /// The button that folds the lesson out, in narrow windows.
    void setLessonButton(bool there, bool open);
    /// The menu of the "..." button belongs to the window.
    void setMenu(QMenu* menu);

    [[nodiscard]] QLineEdit* search() const { return m_search; }
    [[nodiscard]] QPushButton* runButton() const { return m_run; }
    [[nodiscard]] QPushButton* openButton() const { return m_open; }
    /// "Live engine" and "Virtual time".
    [[nodiscard]] SegmentedControl* runners() const { return m_runners; }
    [[nodiscard]] QComboBox* speeds() const { return m_speeds; }
    [[nodiscard]] QPushButton* pauseButton() const { return m_pause; }
    [[nodiscard]] QPushButton* stepButton() const { return m_step; }

  signals:
    void courseClicked();
    void openClicked();
    void runClicked();
    void resetClicked();
    void pinClicked();
    void lessonClicked();
    void searchChanged(const QString& text);

  protected:
    void changeEvent(QEvent* event) override;

  private:
    void showScenario();
    void showState();
    void showClock();
    void showIcons();
    void showPace();
    void makePaceControls();

    RunController* m_controller;
    QPushButton* m_course;
    QLabel* m_slash;
    ElidedLabel* m_title;
    QPushButton* m_lesson;
    SegmentedControl* m_runners;
    QComboBox* m_speeds;
    QPushButton* m_pause;
    QPushButton* m_step;
    QLabel* m_status;
    QLabel* m_clock;
    QLineEdit* m_search;
    QPushButton* m_open;
    QPushButton* m_pin;
    QPushButton* m_reset;
    QPushButton* m_run;
    QPushButton* m_more;
    Place m_place = Place::gallery;
    bool m_lessonThere = false;
};

}  // namespace lab::app
