// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/lesson_controller.hpp"

#include <QDateTime>

namespace lab::app {

LessonController::LessonController(LessonModel* lesson, RunController* run, Storage* storage,
                                   QObject* parent)
    : QObject(parent), m_lesson(lesson), m_run(run), m_storage(storage) {
    connect(storage, &Storage::predictionSaved, this, &LessonController::onPredictionSaved);
    connect(run, &RunController::variantsFinished, this, &LessonController::onVariantsFinished);
    connect(run, &RunController::stateChanged, this, &LessonController::changed);
    connect(run, &RunController::scenarioChanged, this, [this] {
        m_committing = -1;
        m_runningStep = -1;
    });
    connect(lesson, &LessonModel::stepChanged, this, &LessonController::changed);
    connect(lesson, &LessonModel::choiceChanged, this, &LessonController::changed);
    connect(lesson, &LessonModel::resultsChanged, this, &LessonController::changed);
}

LessonController::Primary LessonController::primary() const {
    const LessonStep* now = m_lesson->current();
    if (now == nullptr) return {};
    const int step = m_lesson->step();
    const LessonStep* next = m_lesson->at(m_lesson->next());
    const bool busy = m_run->mode() == RunController::Mode::variants;
    switch (now->kind) {
        case LessonKind::predict: {
            if (m_lesson->isCommitted(step)) return {tr("Next"), true};
            const bool runs = next != nullptr && next->kind == LessonKind::run;
            return {runs ? tr("Commit and run") : tr("Commit"),
                    m_lesson->chosen(step) >= 0 && m_committing < 0};
        }
        case LessonKind::run:
            if (busy) return {tr("Running…"), false};
            return {m_lesson->hasResults(step) ? tr("Next") : tr("Run it"), true};
        default:
            break;
    }
    if (next == nullptr) return {tr("Finish"), true};
    if (next->kind == LessonKind::play) return {tr("Play with the knobs"), true};
    return {tr("Next"), true};
}

bool LessonController::canGoBack() const {
    return !m_lesson->isFirst() && m_run->mode() != RunController::Mode::variants &&
           m_committing < 0;
}

bool LessonController::canRunAgain() const {
    const int runStep = m_lesson->lastOf(LessonKind::run, m_lesson->step());
    return runStep >= 0 && m_lesson->hasResults(runStep) &&
           m_run->mode() != RunController::Mode::variants;
}

void LessonController::goOn() {
    const LessonStep* now = m_lesson->current();
    if (now == nullptr || !primary().enabled) return;
    const int step = m_lesson->step();
    if (now->kind == LessonKind::predict && !m_lesson->isCommitted(step)) {
        commit();
    } else if (now->kind == LessonKind::run && !m_lesson->hasResults(step)) {
        startRunStep(step);
    } else if (m_lesson->isLast()) {
        rememberProgress(true);
        emit done();
    } else {
        enter(m_lesson->next());
    }
}

void LessonController::goBack() {
    if (canGoBack()) m_lesson->goTo(m_lesson->previous());
}

void LessonController::runAgain() {
    const int runStep = m_lesson->lastOf(LessonKind::run, m_lesson->step());
    if (runStep < 0 || m_run->mode() == RunController::Mode::variants) return;
    m_lesson->goTo(runStep);
    startRunStep(runStep);
}

void LessonController::presentNext() {
    if (m_lesson->current() == nullptr || m_run->mode() == RunController::Mode::variants) return;
    const int step = m_lesson->step();
    const bool unrun = m_lesson->current()->kind == LessonKind::run && !m_lesson->hasResults(step);
    if (unrun) {
        startRunStep(step);
        return;
    }
    if (m_lesson->isLast()) return;
    enter(m_lesson->next());
    if (m_lesson->current()->kind == LessonKind::run) startRunStep(m_lesson->step());
}

void LessonController::commit() {
    m_committing = m_lesson->step();
    emit changed();
    m_storage->savePrediction(m_lesson->prediction());
}

void LessonController::onPredictionSaved(const StoredPrediction& prediction) {
    const Scenario* open = m_lesson->scenario();
    if (m_committing < 0 || open == nullptr || prediction.scenario != open->id ||
        prediction.step != m_committing) {
        return;
    }
    const int step = m_committing;
    m_committing = -1;
    m_lesson->markCommitted(step);
    if (m_lesson->step() != step || m_lesson->isLast()) return;
    enter(m_lesson->next());
    if (m_lesson->current()->kind == LessonKind::run) startRunStep(m_lesson->step());
}

void LessonController::enter(int step) {
    m_lesson->goTo(step);
    rememberProgress(false);
    const LessonStep* now = m_lesson->current();
    // Free play begins in the scenario's first state, moving: the learner asked for it by the
    // button.
    if (now != nullptr && now->kind == LessonKind::play && !m_run->isRunning()) {
        m_run->reset();
        m_run->play();
    }
}

void LessonController::startRunStep(int step) {
    m_runningStep = step;
    m_run->runVariants(*m_lesson->at(step));
    emit changed();
}

void LessonController::onVariantsFinished(const RunResults& results) {
    const int step = m_runningStep;
    m_runningStep = -1;
    if (step < 0) return;
    m_lesson->setResults(step, results);
    const bool stillThere = m_lesson->step() == step;
    if (stillThere && !results.empty() && !m_lesson->isLast()) enter(m_lesson->next());
}

void LessonController::rememberProgress(bool finished) {
    const Scenario* open = m_lesson->scenario();
    if (open == nullptr) return;
    StoredProgress progress;
    progress.scenario = open->id;
    progress.step = m_lesson->step();
    progress.finished = finished || m_lesson->isLast();
    progress.at_unix_ms = QDateTime::currentMSecsSinceEpoch();
    m_storage->saveProgress(progress);
}

}  // namespace lab::app
