// SPDX-License-Identifier: GPL-3.0-or-later
#include <QApplication>

#include <gtest/gtest.h>

#include <set>

#include "support/synthetic_frames.hpp"
#include "widgets/pipeline_scene.hpp"
#include "widgets/pipeline_view.hpp"

namespace lab::app {
namespace {

Model modelWith(std::initializer_list<StepKind> kinds) {
    Model model;
    Route route;
    route.id = "pay";
    route.path = "/pay";
    for (const StepKind kind : kinds) {
        Step step;
        step.kind = kind;
        route.steps.push_back(step);
    }
    model.system.routes.push_back(route);
    model.load.rate = ArrivalRate::per_second(80);
    return model;
}

Instant at(Duration d) { return Instant{1000s} + d; }

RequestEvent event(std::uint64_t request, RequestEvent::Kind kind, Duration when,
                   Ending ending = Ending::ok) {
    return {request, kind, 0, ending, at(when)};
}

/// A scene that has seen one frame with these events.
PipelineScene sceneOf(const std::vector<RequestEvent>& events, std::uint64_t leftOut = 0) {
    RunHistory history;
    auto frame = std::make_shared<Frame>();
    frame->server.threads.resize(4);
    frame->server.queue_capacity = 64;
    frame->events = events;
    frame->events_left_out = leftOut;
    history.append(frame);
    PipelineScene scene;
    scene.append(*frame, history);
    return scene;
}

using Kind = RequestEvent::Kind;
const PipelineParts plainParts = partsOf(modelWith({StepKind::wait}));
const PipelinePlaces places = placeBoxes({736, 207}, plainParts);

TEST(PipelineScene, ShowsOnlyTheBoxesThatTheScenarioHas) {
    EXPECT_FALSE(partsOf(modelWith({StepKind::wait})).database);
    EXPECT_TRUE(partsOf(modelWith({StepKind::query})).database);
    EXPECT_TRUE(partsOf(modelWith({StepKind::cache})).cache);
    Model nested = modelWith({StepKind::cache});
    nested.system.routes[0].steps[0].steps = modelWith({StepKind::query}).system.routes[0].steps;
    EXPECT_TRUE(partsOf(nested).database);
    EXPECT_TRUE(placeBoxes({736, 207}, partsOf(modelWith({StepKind::query}))).cache.isNull());
}

TEST(PipelineScene, PlacesBoxesFromLeftToRightWithoutOverlap) {
    for (const QSizeF size : {QSizeF(440, 170), QSizeF(736, 207), QSizeF(2600, 320)}) {
        const auto p = placeBoxes(size, partsOf(modelWith({StepKind::cache, StepKind::query})));
        EXPECT_LT(p.clients.right(), p.queue.left());
        EXPECT_LT(p.queue.right(), p.workers.left());
        EXPECT_LT(p.workers.right(), p.cache.left());
        EXPECT_LE(p.cache.right(), size.width());
        EXPECT_LT(p.cache.bottom(), p.exitY);
        EXPECT_LT(p.exitY, p.database.top());
        EXPECT_LE(p.database.bottom(), size.height());
    }
}

TEST(PipelineScene, FindsACellForEachOfOneToTwoHundredAndFiftySixThreads) {
    for (const std::size_t count : {1U, 4U, 8U, 16U, 64U, 256U}) {
        const WorkerCells cells = layWorkers(places.workers, count);
        std::set<std::pair<double, double>> corners;
        for (std::size_t i = 0; i < count; ++i) {
            const QRectF cell = cells.cell(i);
            EXPECT_TRUE(places.workers.contains(cell)) << count << " threads, cell " << i;
            EXPECT_GE(cell.width(), 4);
            corners.insert({cell.left(), cell.top()});
        }
        EXPECT_EQ(corners.size(), count);
        if (count <= 8 || count >= 64) {
            EXPECT_EQ(cells.words, count <= 8);
        }
    }
}

TEST(PipelineScene, MovesADotFromTheClientsToTheQueueToAWorkerAndOut) {
    PipelineScene scene = sceneOf({event(1, Kind::sent, 0ms), event(1, Kind::queued, 1ms),
                                   event(1, Kind::started, 500ms), event(1, Kind::answered, 900ms),
                                   event(1, Kind::done, 901ms)});
    EXPECT_TRUE(scene.dots(at(-1ms), places).empty());
    const auto leaving = scene.dots(at(110ms), places);
    ASSERT_EQ(leaving.size(), 1U);
    EXPECT_GT(leaving[0].at.x(), places.clients.right());
    EXPECT_LT(leaving[0].at.x(), places.queue.left());
    EXPECT_TRUE(scene.dots(at(400ms), places).empty()) << "it is a square of the queue now";
    const auto entering = scene.dots(at(610ms), places);
    ASSERT_EQ(entering.size(), 1U);
    EXPECT_GT(entering[0].at.x(), places.queue.right());
    EXPECT_TRUE(scene.dots(at(800ms), places).empty()) << "a worker has it in hand";
    const auto out = scene.dots(at(1010ms), places);
    ASSERT_EQ(out.size(), 1U);
    EXPECT_GT(out[0].at.x(), places.workers.right());
    EXPECT_FALSE(out[0].failed);
    EXPECT_TRUE(scene.dots(at(1200ms), places).empty());
    EXPECT_FALSE(scene.hasDots());
}

TEST(PipelineScene, LetsARejectionFallOffTheQueue) {
    PipelineScene scene =
        sceneOf({event(1, Kind::sent, 0ms), event(1, Kind::done, 1ms, Ending::rejected)});
    const auto falling = scene.dots(at(450ms), places);
    ASSERT_EQ(falling.size(), 1U);
    EXPECT_TRUE(falling[0].failed);
    EXPECT_GT(falling[0].at.y(), places.queue.bottom());
    EXPECT_TRUE(scene.dots(at(700ms), places).empty());
}

TEST(PipelineScene, LetsATimeOutFallOffTheWorkers) {
    PipelineScene scene = sceneOf({event(1, Kind::sent, 0ms), event(1, Kind::started, 10ms),
                                   event(1, Kind::done, 900ms, Ending::timed_out)});
    const auto falling = scene.dots(at(1100ms), places);
    ASSERT_EQ(falling.size(), 1U);
    EXPECT_TRUE(falling[0].failed);
    EXPECT_GT(falling[0].at.y(), places.workers.bottom());
}

TEST(PipelineScene, TurnsToBandsWhereNotEveryRequestWasTold) {
    EXPECT_FALSE(sceneOf({event(1, Kind::sent, 0ms)}).facts().dense);
    const PipelineScene dense = sceneOf({event(1, Kind::sent, 0ms)}, 1);
    EXPECT_TRUE(dense.facts().dense);
    EXPECT_FALSE(dense.hasDots());
}

TEST(PipelineScene, TurnsToBandsAboveHundredAndFiftyRequestsASecond) {
    RunHistory history;
    PipelineScene scene;
    for (const FramePtr& frame : test::SyntheticRun({.rate = 400, .length = 3}).frames()) {
        history.append(frame);
        scene.append(*frame, history);
    }
    EXPECT_TRUE(scene.facts().dense);
}

TEST(PipelineScene, ForgetsRequestsWhoseEndIsNeverTold) {
    std::vector<RequestEvent> events;
    for (std::uint64_t i = 0; i < 5000; ++i) events.push_back(event(i + 1, Kind::sent, 0ms));
    PipelineScene scene = sceneOf(events);
    EXPECT_LE(scene.dots(at(10ms), places).size(), PipelineScene::most);
    (void)scene.dots(at(61s), places);
    EXPECT_FALSE(scene.hasDots());
}

TEST(PipelineScene, HasAWordAndALetterForEveryStateOfAWorker) {
    std::set<QString> words;
    std::set<QChar> letters;
    for (int state = 0; state < static_cast<int>(workerStates); ++state) {
        words.insert(workerWord(static_cast<WorkerState>(state)));
        letters.insert(workerLetter(static_cast<WorkerState>(state)));
    }
    EXPECT_EQ(words.size(), workerStates);
    EXPECT_EQ(letters.size(), workerStates);
    EXPECT_EQ(workerWord(WorkerState::io_wait), QStringLiteral("waiting I/O"));
}

TEST(PipelineScene, ShortensThePlanToWhatItMeans) {
    EXPECT_EQ(shortPlan("SCAN product"), QStringLiteral("SCAN: every row"));
    EXPECT_EQ(shortPlan("SEARCH product USING INDEX product_sku (sku=?)"),
              QStringLiteral("SEARCH: by index"));
    EXPECT_EQ(shortPlan("SEARCH product USING INTEGER PRIMARY KEY (rowid=?)"),
              QStringLiteral("SEARCH: by its number"));
    EXPECT_TRUE(shortPlan("").isEmpty());
}

TEST(PipelineView, DescribesQueueAndWorkersInWords) {
    RunHistory history;
    PipelineView view(&history);
    view.setModel(modelWith({StepKind::wait}));
    EXPECT_TRUE(view.describe().contains(QStringLiteral("80 req/s")))
        << qPrintable(view.describe());
    EXPECT_TRUE(view.describe().contains(QStringLiteral("Nothing runs")));
    view.show();
    const auto frames = test::SyntheticRun({}).frames();
    for (std::size_t i = 0; i < 80; ++i) history.append(frames[i]);
    const QString words = view.describe();
    EXPECT_TRUE(words.contains(QStringLiteral("64 of 64 waiting"))) << qPrintable(words);
    EXPECT_TRUE(words.contains(QStringLiteral("Workers: 1 "))) << qPrintable(words);
    EXPECT_TRUE(words.contains(QStringLiteral("rejected a second"))) << qPrintable(words);
    EXPECT_FALSE(view.accessibleDescription().isEmpty());
}

TEST(PipelineView, MovesOnlyWhileItIsSeenAndSomethingRuns) {
    RunHistory history;
    PipelineView view(&history);
    view.setModel(modelWith({StepKind::wait}));
    const auto frames = test::SyntheticRun({}).frames();
    history.append(frames[0]);
    EXPECT_FALSE(view.isAnimating()) << "hidden";
    view.show();
    for (std::size_t i = 1; i < 5; ++i) history.append(frames[i]);
    EXPECT_TRUE(view.isAnimating());
    view.setReducedMotion(true);
    EXPECT_FALSE(view.isAnimating());
    view.setReducedMotion(false);
    EXPECT_TRUE(view.isAnimating());
    view.setRunning(false);
    EXPECT_FALSE(view.isAnimating());
    view.setRunning(true);
    view.hide();
    EXPECT_FALSE(view.isAnimating());
}

TEST(PipelineView, StandsAnySizeAndManyThreads) {
    RunHistory history;
    PipelineView view(&history);
    view.setModel(modelWith({StepKind::cache, StepKind::query}));
    view.show();
    for (const std::size_t threads : {1U, 4U, 8U, 64U, 256U}) {
        auto frame = std::make_shared<Frame>();
        frame->number = threads;
        frame->server.threads.resize(threads);
        history.append(frame);
        for (const QSize size : {QSize(1, 1), QSize(440, 170), QSize(3000, 400)}) {
            view.resize(size);
            EXPECT_FALSE(view.grab().isNull());
        }
    }
}

}  // namespace
}  // namespace lab::app
