// SPDX-License-Identifier: GPL-3.0-or-later
// The cache in the window: the rule of its keys, and what it holds.
#include <QCheckBox>
#include <QSignalSpy>
#include <QTableWidget>
#include <QTest>

#include <gtest/gtest.h>

#include "app/window_support.hpp"
#include "bridge/experiment_bridge.hpp"
#include "models/knob.hpp"
#include "models/run_controller.hpp"
#include "models/run_history.hpp"
#include "widgets/cache_dialog.hpp"
#include "widgets/key_editor.hpp"
#include "widgets/knob_panel.hpp"
#include "widgets/pipeline_scene.hpp"
#include "widgets/pipeline_view.hpp"

namespace lab::app {
namespace {

using testing::FakeEngine;
using testing::turnUntil;

const char* const shop = R"(schema = 1
id = "shop"
title = "Shop"

[[route]]
id = "me"
path = "/me/{key}"
steps = [{ cache = { key = ["path"], steps = [{ wait = "50ms" }] } }]

[cache]
mode = "shared"

[[knob]]
path = "route.me.cache.key"
)";

ScenarioPtr scenario(const std::string& text) {
    auto parsed = parse_scenario(text, "shop.toml");
    if (!parsed) {
        ADD_FAILURE() << parsed.error().message();
        return nullptr;
    }
    return std::make_shared<const Scenario>(std::move(*parsed));
}

struct CacheWindow : ::testing::Test {
    FakeEngine engine;
    ExperimentBridge bridge{engine.factory()};
    RunHistory history;
    RunController run{&bridge, &history};

    CacheWindow() { run.open(scenario(shop)); }
    [[nodiscard]] KeyRule rule() const { return run.model().system.routes[0].steps[0].key; }
};

TEST(KeyEditor, WritesWhatIsCheckedAndNothingAsOneKeyForAll) {
    KeyEditor editor(QStringLiteral("Cache key"));
    editor.setRule(QStringLiteral("path"));
    QSignalSpy spy(&editor, &KeyEditor::changed);
    const auto& boxes = editor.boxes();
    boxes[2]->click();
    EXPECT_EQ(spy.last()[0].toString(), QStringLiteral("path+user"));
    boxes[3]->click();
    EXPECT_EQ(editor.rule(), QStringLiteral("path+user+header"));
    boxes[4]->click();
    EXPECT_EQ(spy.last()[0].toString(), QStringLiteral("throws"));
    EXPECT_FALSE(boxes[0]->isEnabled());
    boxes[4]->click();
    EXPECT_EQ(editor.rule(), QStringLiteral("path+user+header")) << "as it was before";
    for (const int i : {0, 2, 3}) boxes[static_cast<std::size_t>(i)]->click();
    EXPECT_EQ(spy.last()[0].toString(), QStringLiteral("constant"));
    EXPECT_EQ(spy.count(), 7);
}

TEST(KeyEditor, ShowsEveryRuleThatThereIs) {
    KeyEditor editor(QStringLiteral("Cache key"));
    const auto model = scenario(shop)->model;
    for (const auto choice : find_setting(model.system, "route.me.cache.key")->choices) {
        const auto text = QString::fromUtf8(choice.data(), qsizetype(choice.size()));
        editor.setRule(text);
        EXPECT_EQ(editor.rule(), text);
    }
}

TEST_F(CacheWindow, MovesTheRuleOfTheRoute) {
    KnobPanel panel(&run);
    ASSERT_EQ(panel.rows().size(), 1u);
    auto* editor = qobject_cast<KeyEditor*>(panel.rows()[0]->control());
    ASSERT_NE(editor, nullptr);
    EXPECT_TRUE(editor->boxes()[0]->isChecked());
    run.play();
    editor->boxes()[2]->click();
    EXPECT_EQ(rule(), (KeyRule{.path = true, .user = true}));
    ASSERT_TRUE(turnUntil([&] { return !engine.applied.empty(); }));
    run.reset();
    EXPECT_FALSE(editor->boxes()[2]->isChecked());
}

TEST_F(CacheWindow, OffersPlainChoicesWhereTheScenarioNamesThem) {
    run.open(scenario(std::string(shop) + "values = [\"path\", \"path+user\"]\n"));
    KnobPanel panel(&run);
    ASSERT_EQ(panel.rows().size(), 1u);
    EXPECT_EQ(panel.rows()[0]->knob().shape(), KnobModel::Shape::choices);
}

TEST_F(CacheWindow, ShowsWhoseDataTheEntriesAre) {
    CacheContent entry;
    entry.key = "me.0 /me/7\x01";
    entry.made_for = 42;
    entry.hits = 17;
    entry.age = 1500ms;
    entry.size = Bytes{300};
    engine.cache = {entry, entry};
    engine.cache[1].left = -3s;
    engine.cache[1].worker = 2;
    CacheDialog dialog(&run);
    dialog.show();
    EXPECT_EQ(dialog.table()->rowCount(), 0);
    EXPECT_TRUE(dialog.note().contains(QStringLiteral("Nothing runs")));
    dialog.hide();
    run.play();
    dialog.show();
    ASSERT_TRUE(turnUntil([&] { return dialog.table()->rowCount() == 2; }));
    const auto cell = [&](int row, int column) {
        return dialog.table()->item(row, column)->text();
    };
    EXPECT_TRUE(cell(0, 0).startsWith(QStringLiteral("me.0 /me/7")));
    EXPECT_FALSE(cell(0, 0).contains(QChar(1)));
    EXPECT_EQ(cell(0, 1), QStringLiteral("42"));
    EXPECT_EQ(cell(0, 2), QStringLiteral("17"));
    EXPECT_EQ(cell(0, 3), QStringLiteral("1.5"));
    EXPECT_EQ(cell(0, 4), QStringLiteral("never"));
    EXPECT_EQ(cell(0, 6), QStringLiteral("all"));
    EXPECT_EQ(cell(1, 4), QStringLiteral("stale"));
    EXPECT_EQ(cell(1, 6), QStringLiteral("2"));
    engine.cache.clear();
    ASSERT_TRUE(turnUntil([&] { return dialog.table()->rowCount() == 0; })) << "asked again";
}

TEST_F(CacheWindow, IsAskedForOnlyWhileItIsShown) {
    QSignalSpy arrived(&run, &RunController::cacheArrived);
    CacheDialog dialog(&run);
    run.play();
    QTest::qWait(20);
    EXPECT_EQ(arrived.count(), 0);
    dialog.show();
    ASSERT_TRUE(turnUntil([&] { return arrived.count() > 0; }));
    dialog.hide();
    QCoreApplication::processEvents();
    const auto before = arrived.count();
    QTest::qWait(CacheDialog::askEveryMs + 200);
    EXPECT_EQ(arrived.count(), before);
}

TEST_F(CacheWindow, OpensFromTheBoxOfTheCacheAlone) {
    PipelineView view(&history);
    view.resize(view.sizeHint());
    view.setModel(run.model());
    view.show();
    QSignalSpy clicked(&view, &PipelineView::cacheClicked);
    const PipelinePlaces places = placeBoxes(view.size(), partsOf(run.model()));
    QTest::mouseClick(&view, Qt::LeftButton, {}, places.workers.center().toPoint());
    EXPECT_EQ(clicked.count(), 0);
    QTest::mouseClick(&view, Qt::LeftButton, {}, places.cache.center().toPoint());
    EXPECT_EQ(clicked.count(), 1);
}

}  // namespace
}  // namespace lab::app
