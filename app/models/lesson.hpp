// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>
#include <QString>
#include <map>
#include <memory>
#include <optional>

#include "lab/judgement.hpp"
#include "lab/scenario.hpp"
#include "lab/store.hpp"
#include "models/run_controller.hpp"

namespace lab::app {

/// Where a learner stands in a lesson: the step, what was chosen, what was measured. No widgets, no
/// runs.
///
/// Threads: GUI.
class LessonModel : public QObject {
    Q_OBJECT
  public:
    using QObject::QObject;

    /// Goes to the first screen; choices and results of an earlier lesson are forgotten.
    void open(std::shared_ptr<const Scenario> scenario);
    [[nodiscard]] bool hasSteps() const { return stepCount() > 0; }
    [[nodiscard]] int stepCount() const;
    [[nodiscard]] int step() const { return m_step; }
    /// The step on screen, or null where there is no lesson.
    [[nodiscard]] const LessonStep* current() const { return at(m_step); }
    [[nodiscard]] const LessonStep* at(int step) const;
    [[nodiscard]] const Scenario* scenario() const { return m_scenario.get(); }
    [[nodiscard]] std::shared_ptr<const Scenario> scenarioPtr() const { return m_scenario; }
    /// "STEP 4 OF 6 · EXPLAIN"
    [[nodiscard]] QString header() const;
    /// The step's title, or one made from its kind.
    [[nodiscard]] QString title() const;

    /// A lesson opens on its question: what is said right before a prediction is shown on its
    /// screen and has none of its own.
    [[nodiscard]] bool isFolded(int step) const;
    /// The step that has the next or the last screen from here; -1 where there is none.
    [[nodiscard]] int next() const;
    [[nodiscard]] int previous() const;
    [[nodiscard]] bool isFirst() const { return previous() < 0; }
    [[nodiscard]] bool isLast() const { return next() < 0; }
    /// Counted in screens, from 1.
    [[nodiscard]] int screen() const;
    [[nodiscard]] int screenCount() const;
    void goTo(int step);

    /// What was chosen at a predict step, or -1.
    [[nodiscard]] int chosen(int step) const;
    /// Ignored once the choice is committed.
    void choose(int option);
    [[nodiscard]] bool isCommitted(int step) const;
    void markCommitted(int step);
    /// The choice as it is stored. Only with a choice made.
    [[nodiscard]] StoredPrediction prediction() const;

    /// The runs of a run step. An empty map: stopped or failed.
    void setResults(int runStep, const RunResults& results);
    [[nodiscard]] bool hasResults(int runStep) const;
    /// The predict or run step at or before `step`, or -1.
    [[nodiscard]] int lastOf(LessonKind kind, int step) const;
    /// The results that belong to the step on screen, or null.
    [[nodiscard]] const RunResults* results() const;

    /// The verdict for the step on screen: of the prediction before it on the runs before it.
    [[nodiscard]] std::optional<Judgement> judgement() const;
    /// "You expected “twice as many”. Measured: 3.9 times." Plain text.
    [[nodiscard]] QString verdictSentence() const;
    /// "Measured: 3.9 times (± 0.1).", or empty: for a room, where nobody's choice was stored.
    [[nodiscard]] QString measuredSentence() const;
    /// "measured 3.9×"
    [[nodiscard]] QString measuredTag(const Judgement& judgement) const;
    /// The step's text with {A.throughput} and the like replaced, once. Markdown.
    [[nodiscard]] QString text() const;

  signals:
    void stepChanged();
    void choiceChanged();
    void resultsChanged();

  private:
    [[nodiscard]] QString measuredText(const LessonStep& predict, const Judgement& judgement) const;

    std::shared_ptr<const Scenario> m_scenario;
    int m_step = 0;
    std::map<int, int> m_chosen;
    std::map<int, bool> m_committed;
    std::map<int, RunResults> m_results;
};

/// {A.throughput}, {B.latency_ms.p99} ... by what the runs measured; what is not known becomes a
/// dash.
[[nodiscard]] QString fillPlaceholders(const QString& text, const RunResults* results);

}  // namespace lab::app
