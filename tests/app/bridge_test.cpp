// SPDX-License-Identifier: GPL-3.0-or-later
#include "bridge/experiment_bridge.hpp"

#include <QSignalSpy>

#include <gtest/gtest.h>

#include "app/window_support.hpp"
#include "bridge/preferences.hpp"

namespace lab::app {
namespace {

using testing::FakeEngine;
using testing::Places;
using testing::turnUntil;

TEST(ExperimentBridge, TellsFramesInOrderAndBeforeTheEnding) {
    FakeEngine engine;
    ExperimentBridge bridge(engine.factory());
    std::vector<double> seen;
    bool ended = false;
    QObject::connect(&bridge, &ExperimentBridge::frameArrived, &bridge, [&](const FramePtr& frame) {
        EXPECT_FALSE(ended);
        seen.push_back(to_seconds(frame->since_start));
    });
    QObject::connect(&bridge, &ExperimentBridge::finished, &bridge, [&] { ended = true; });
    ASSERT_TRUE(bridge.start({}));
    engine.frame(0.1);
    engine.frame(0.2);
    engine.finish(20);
    ASSERT_TRUE(turnUntil([&] { return ended; }));
    ASSERT_EQ(seen.size(), 2u);
    EXPECT_LT(seen[0], seen[1]);
    EXPECT_EQ(bridge.phase(), RunPhase::idle);
}

TEST(ExperimentBridge, DropsWhatIsLeftOfARunThatWasReplaced) {
    FakeEngine engine;
    ExperimentBridge bridge(engine.factory());
    QSignalSpy frames(&bridge, &ExperimentBridge::frameArrived);
    QSignalSpy endings(&bridge, &ExperimentBridge::finished);
    ASSERT_TRUE(bridge.start({}));
    engine.frame(0.1);  // on its way when the next run is asked for
    ASSERT_TRUE(bridge.start({}));
    engine.finish(1);  // of the first
    engine.frame(0.1);
    engine.finish(2);  // of the second
    ASSERT_TRUE(turnUntil([&] { return endings.count() > 0; }));
    EXPECT_EQ(frames.count(), 1);
    EXPECT_EQ(endings.count(), 1);
    EXPECT_EQ(endings.front().front().value<RunResultPtr>()->throughput_per_s, 2);
}

TEST(ExperimentBridge, SaysWhyThereIsNoEngine) {
    ExperimentBridge bridge([](ExperimentEvents) -> Result<std::unique_ptr<Runner>> {
        return Error{ErrorCode::no_resources, "threads", "none are left"};
    });
    ASSERT_TRUE(bridge.problem());
    EXPECT_FALSE(bridge.start({}));
    EXPECT_FALSE(bridge.apply({}));
}

TEST(Preferences, AreReadAsTheyWereWritten) {
    const Places places;
    const QString file = places.folder.filePath(QStringLiteral("sub/window.ini"));
    const Preferences written{ThemeChoice::dark, QByteArray("shape")};
    EXPECT_EQ(writePreferences(file, written), QString());
    EXPECT_EQ(readPreferences(file), written);
}

TEST(Preferences, SayWhereTheyCannotBeWrittenAndReadAsAtFirst) {
    const QString file = QStringLiteral("/dev/null/window.ini");
    EXPECT_TRUE(writePreferences(file, {}).contains(QStringLiteral("could not be written")));
    EXPECT_EQ(readPreferences(file), Preferences{});
}

TEST(Storage, RefusesABrokenFileWithItsPlaceAndReason) {
    const Places places;
    places.write("bad.toml", "schema = 1\nworkerz = 3\n");
    Storage storage(places.storage());
    QSignalSpy refused(&storage, &Storage::scenarioRefused);
    storage.openScenario(QString::fromStdString(places.path("bad.toml").string()));
    ASSERT_TRUE(turnUntil([&] { return refused.count() > 0; }));
    EXPECT_TRUE(refused.front().at(1).toString().contains(QStringLiteral("bad.toml:2")))
        << refused.front().at(1).toString().toStdString();
}

TEST(Storage, FinishesWhatWasAskedForBeforeItEnds) {
    const Places places;
    {
        Storage storage(places.storage());
        StoredPrediction prediction;
        prediction.scenario = "shop";
        storage.savePrediction(prediction);
    }
    EXPECT_EQ(Store::open(places.path("data"))->predictions("shop").size(), 1u);
}

}  // namespace
}  // namespace lab::app
