// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/lesson_controller.hpp"

#include <QSignalSpy>

#include <gtest/gtest.h>

#include "app/window_support.hpp"
#include "models/knob.hpp"
#include "models/plain_text.hpp"
#include "models/run_history.hpp"

namespace lab::app {
namespace {

using testing::FakeEngine;
using testing::makeScenario;
using testing::Places;
using testing::turnUntil;

/// Everything of a lesson but its widgets.
struct Classroom {
    Places places;
    FakeEngine engine;
    Storage storage{places.storage()};
    ExperimentBridge bridge{engine.factory()};
    RunHistory history;
    RunController run{&bridge, &history};
    LessonModel lesson;
    LessonController controller{&lesson, &run, &storage};

    Classroom() {
        const ScenarioPtr scenario = makeScenario();
        run.open(scenario);
        lesson.open(scenario);
    }
    /// Through the gate: the second answer, committed, and the run begun.
    void commit() {
        lesson.choose(1);
        controller.goOn();
        ASSERT_TRUE(turnUntil([this] { return engine.plans.size() == 1; }));
    }
    void finishBoth(double a, double b) {
        engine.finish(a);
        ASSERT_TRUE(turnUntil([this] { return engine.plans.size() == 2; }));
        engine.finish(b);
        ASSERT_TRUE(turnUntil([this] { return !run.isRunning(); }));
    }
};

TEST(PredictGate, StaysShutUntilAnAnswerIsChosen) {
    Classroom room;
    EXPECT_FALSE(room.controller.primary().enabled);
    room.controller.goOn();
    EXPECT_EQ(room.lesson.step(), 1);
    room.lesson.choose(2);
    EXPECT_TRUE(room.controller.primary().enabled);
    EXPECT_EQ(room.controller.primary().text, QStringLiteral("Commit and run"));
}

TEST(LessonModel, OpensOnItsQuestionWithWhatIsSaidBeforeIt) {
    Classroom room;
    EXPECT_EQ(room.lesson.current()->kind, LessonKind::predict);
    EXPECT_EQ(room.lesson.text(), QStringLiteral("word text"));
    EXPECT_EQ(room.lesson.header(), QStringLiteral("Step 1 of 5 · Predict"));
    EXPECT_TRUE(room.lesson.isFirst());
}

TEST(PredictGate, StoresThePredictionBeforeTheRunStarts) {
    Classroom room;
    std::vector<StoredPrediction> storedAtStart;
    room.engine.onStart = [&] {
        if (room.engine.plans.empty()) {
            storedAtStart = Store::open(room.places.path("data"))->predictions("shop");
        }
    };
    room.commit();
    ASSERT_EQ(storedAtStart.size(), 1u);
    EXPECT_EQ(storedAtStart[0].option, 1);
    EXPECT_EQ(storedAtStart[0].text, "word two");
}

TEST(PredictGate, KeepsTheAnswerOnceItIsCommitted) {
    Classroom room;
    room.commit();
    room.lesson.goTo(1);
    room.lesson.choose(0);
    EXPECT_EQ(room.lesson.chosen(1), 1);
}

TEST(LessonRun, RunsAThenBWithAAsGhost) {
    Classroom room;
    room.commit();
    EXPECT_EQ(room.engine.plans[0].model.system.server.workers, 1);
    EXPECT_EQ(room.engine.plans[0].model.load.rate, ArrivalRate::per_second(120));
    EXPECT_EQ(room.engine.plans[0].length, Duration{10s});
    EXPECT_EQ(room.engine.plans[0].warm_up, Duration{1s});
    room.engine.frame(0.5);
    ASSERT_TRUE(turnUntil([&] { return !room.history.isEmpty(); }));
    EXPECT_EQ(room.run.statusText(), QStringLiteral("A · warming up"));
    EXPECT_EQ(room.history.pinned(), nullptr);
    room.engine.finish(20);
    ASSERT_TRUE(turnUntil([&] { return room.engine.plans.size() == 2; }));
    EXPECT_EQ(room.engine.plans[1].model.system.server.workers, 4);
    EXPECT_NE(room.history.pinned(), nullptr);
    EXPECT_TRUE(room.history.isEmpty());
    room.engine.frame(8.2);
    ASSERT_TRUE(turnUntil([&] { return !room.history.isEmpty(); }));
    EXPECT_EQ(room.run.statusText(), QStringLiteral("B · 7 of 10 s"));
}

TEST(LessonRun, SaysInOneSentenceWhatWasExpectedAndMeasured) {
    Classroom room;
    room.commit();
    room.finishBoth(20, 78);
    ASSERT_EQ(room.lesson.current()->kind, LessonKind::explain);
    EXPECT_TRUE(room.lesson.verdictSentence().startsWith(
        QStringLiteral("You expected “word two”. Measured: 3.9 times")))
        << room.lesson.verdictSentence().toStdString();
    ASSERT_TRUE(room.lesson.judgement());
    EXPECT_EQ(room.lesson.judgement()->right_option, 2);
    EXPECT_EQ(room.lesson.judgement()->verdict, Judgement::Verdict::wrong);
}

TEST(LessonRun, FillsTheMeasuredNumbersIntoTheExplanation) {
    Classroom room;
    room.commit();
    room.finishBoth(20, 78);
    EXPECT_EQ(room.lesson.text(), QStringLiteral("word: A gave 20/s, B gave 78/s."));
}

TEST(LessonRun, LeavesADashWhereNothingWasMeasured) {
    EXPECT_EQ(fillPlaceholders(QStringLiteral("{A.p99} {B.nonsense} {C.p50}"), nullptr),
              QStringLiteral("– – –"));
    const RunResults nothing{{"A", std::make_shared<const RunResult>()}};
    EXPECT_EQ(fillPlaceholders(QStringLiteral("{A.p99}, {A.counts.ok}"), &nothing),
              QStringLiteral("–, 0"));
}

TEST(LessonRun, OffersToRunAgainWhereOneWasStopped) {
    Classroom room;
    room.commit();
    room.run.stop();
    EXPECT_EQ(room.engine.stops, 1);
    room.engine.finish(20);
    ASSERT_TRUE(turnUntil([&] { return !room.run.isRunning(); }));
    EXPECT_EQ(room.lesson.current()->kind, LessonKind::run);
    EXPECT_FALSE(room.lesson.hasResults(2));
    EXPECT_EQ(room.controller.primary().text, QStringLiteral("Run it"));
    room.controller.goOn();
    EXPECT_EQ(room.engine.plans.size(), 2u);
}

TEST(LessonRun, TellsWhyAnEngineCouldNotRun) {
    Classroom room;
    QSignalSpy problems(&room.run, &RunController::problem);
    room.commit();
    room.engine.fail("no descriptors are left");
    ASSERT_TRUE(turnUntil([&] { return !room.run.isRunning(); }));
    ASSERT_EQ(problems.count(), 1);
    EXPECT_TRUE(problems[0][0].toString().contains(QStringLiteral("no descriptors are left")));
}

TEST(LessonRun, HoldsTheKnobsStill) {
    Classroom room;
    room.commit();
    room.run.set("server.workers", "16");
    EXPECT_EQ(room.run.model().system.server.workers, 1);
}

TEST(FreePlay, BeginsInTheFirstStateAndRuns) {
    Classroom room;
    room.commit();
    room.finishBoth(20, 78);
    room.controller.goOn();  // in Flask
    EXPECT_EQ(room.controller.primary().text, QStringLiteral("Play with the knobs"));
    room.controller.goOn();
    ASSERT_EQ(room.engine.plans.size(), 3u);
    EXPECT_EQ(room.engine.plans[2].model, room.lesson.scenario()->model);
    EXPECT_FALSE(room.engine.plans[2].length);
}

TEST(FreePlay, SendsTheLastOfManyMovesAndNotEachOfThem) {
    Classroom room;
    room.run.play();
    for (const char* workers : {"2", "3", "4", "5", "6", "7", "8"}) {
        room.run.set("server.workers", workers);
    }
    EXPECT_EQ(room.engine.applied.size(), 1u);  // the first goes at once
    ASSERT_TRUE(turnUntil([&] { return room.engine.applied.size() == 2; }));
    EXPECT_EQ(room.engine.applied[1].system.server.workers, 8);
}

TEST(FreePlay, RefusesAValueOutOfRangeAndSaysSo) {
    Classroom room;
    QSignalSpy problems(&room.run, &RunController::problem);
    room.run.set("server.workers", "100000");
    EXPECT_EQ(problems.count(), 1);
    EXPECT_EQ(room.run.model().system.server.workers, 1);
}

TEST(Progress, IsFinishedAtTheEndOfTheLesson) {
    Classroom room;
    std::vector<StoredProgress> kept;
    QObject::connect(&room.storage, &Storage::progressSaved, &room.storage,
                     [&](const StoredProgress& progress) { kept.push_back(progress); });
    room.commit();
    room.finishBoth(20, 78);
    room.controller.goOn();
    room.controller.goOn();
    ASSERT_TRUE(turnUntil([&] { return !kept.empty() && kept.back().step == 5; }));
    EXPECT_TRUE(kept.back().finished);
    EXPECT_FALSE(kept.front().finished);
}

TEST(KnobModel, StepsThroughTheGridOfTheFile) {
    const ScenarioPtr scenario = makeScenario();
    const auto knob = KnobModel::make(scenario->knobs[0], scenario->model);
    ASSERT_TRUE(knob);
    EXPECT_EQ(knob->shape(), KnobModel::Shape::slider);
    EXPECT_EQ(knob->positions(), 5);  // 1, 2, 4, 8, 16
    EXPECT_EQ(knob->position(scenario->model), 0);
    EXPECT_EQ(knob->textAt(3, scenario->model), "8");
    EXPECT_EQ(knob->textAt(4, scenario->model), "16");
}

TEST(KnobModel, OffersTheChoicesOfTheTable) {
    const ScenarioPtr scenario = makeScenario();
    const auto knob = KnobModel::make(scenario->knobs[2], scenario->model);
    ASSERT_TRUE(knob);
    EXPECT_EQ(knob->shape(), KnobModel::Shape::choices);
    EXPECT_EQ(knob->choiceLabels().size(), 4);
    EXPECT_EQ(knob->textAt(2, scenario->model), "shared");
}

TEST(PlainText, LeavesOutWhatTurnsOrHidesText) {
    EXPECT_EQ(plainText("a\u202Eb\x1b[31mc"), QStringLiteral("ab[31mc"));
    EXPECT_EQ(plainText(std::string(300, 'x')).size(), 201);
    EXPECT_EQ(plainText("one\ntwo"), QStringLiteral("one two"));
    EXPECT_EQ(plainText("one\ntwo", 200, true), QStringLiteral("one\ntwo"));
}

TEST(ShowNumber, KeepsTheDigitsThatMeanSomething) {
    EXPECT_EQ(showNumber(3.91), QStringLiteral("3.9"));
    EXPECT_EQ(showNumber(78.4), QStringLiteral("78"));
    EXPECT_EQ(showNumber(0.0512), QStringLiteral("0.051"));
    EXPECT_EQ(showNumber(1186), QStringLiteral("1186"));
}

}  // namespace
}  // namespace lab::app
