// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>

#include "bridge/storage.hpp"
#include "models/lesson.hpp"
#include "models/run_controller.hpp"

namespace lab::app {

/// What happens when a learner goes on: the prediction is stored, only then the run starts, and
/// when it is done the lesson moves to what comes after it. Threads: GUI.
class LessonController : public QObject {
    Q_OBJECT
  public:
    /// All must outlive the controller.
    LessonController(LessonModel* lesson, RunController* run, Storage* storage,
                     QObject* parent = nullptr);

    /// What the primary button of the step does, and whether it can be pressed.
    struct Primary {
        QString text;
        bool enabled = true;
    };
    [[nodiscard]] Primary primary() const;
    [[nodiscard]] bool canGoBack() const;
    /// A run step that has results offers to run once more beside going on.
    [[nodiscard]] bool canRunAgain() const;

  public slots:
    void goOn();
    void goBack();
    void runAgain();
    /// The next step before a room: nothing is predicted or stored, and a run step starts by
    /// itself.
    void presentNext();

  signals:
    /// The button's text or state may have changed.
    void changed();
    /// The lesson's last button: back to the gallery.
    void done();

  private:
    void commit();
    void onPredictionSaved(const StoredPrediction& prediction);
    void onVariantsFinished(const RunResults& results);
    void enter(int step);
    void startRunStep(int step);
    void rememberProgress(bool finished);

    LessonModel* m_lesson;
    RunController* m_run;
    Storage* m_storage;
    int m_committing = -1;  ///< predict step whose choice is being stored
    int m_runningStep = -1;
};

}  // namespace lab::app
