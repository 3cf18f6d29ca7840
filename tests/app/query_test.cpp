// SPDX-License-Identifier: GPL-3.0-or-later
// A learner's own SELECT in the window, with a real database.
#include "pages/query_dialog.hpp"

#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QTableWidget>
#include <QTemporaryDir>
#include <QTest>

#include <gtest/gtest.h>

#include "app/window_support.hpp"
#include "bridge/experiment_bridge.hpp"
#include "bridge/sql_bridge.hpp"
#include "pages/main_window.hpp"
#include "widgets/controls.hpp"
#include "widgets/icons.hpp"
#include "widgets/pipeline_scene.hpp"
#include "widgets/pipeline_view.hpp"

namespace lab::app {
namespace {

using testing::FakeEngine;
using testing::Places;
using testing::scenarioText;
using testing::turnUntil;

struct Asking {
    QTemporaryDir folder;
    SqlBridge sql{folder.path().toStdString()};
    QueryDialog dialog{&sql};

    Asking() {
        Database database;
        database.products = 2'000;
        dialog.setDatabase(database);
        dialog.show();
    }
    void ask(const QString& text) {
        dialog.editor()->setPlainText(text);
        dialog.askButton()->click();
        EXPECT_FALSE(dialog.askButton()->isEnabled());
        EXPECT_TRUE(turnUntil([this] { return dialog.askButton()->isEnabled(); }));
    }
};

TEST(QueryDialog, ShowsRowsPlanAndCostWithTheIndexAndWithout) {
    Asking desk;
    desk.ask(QStringLiteral("SELECT id, name FROM product WHERE sku = 'P-9E3779B1'"));
    EXPECT_EQ(desk.dialog.table()->rowCount(), 1);
    EXPECT_EQ(desk.dialog.table()->horizontalHeaderItem(1)->text(), QStringLiteral("name"));
    EXPECT_TRUE(desk.dialog.plan().contains(QStringLiteral("SEARCH product USING INDEX")));
    EXPECT_TRUE(desk.dialog.said().contains(QStringLiteral("1 rows in")));
    desk.dialog.indexToggle()->setChecked(false);
    QTest::keyClick(desk.dialog.editor(), Qt::Key_Return, Qt::ControlModifier);
    ASSERT_TRUE(turnUntil([&] { return desk.dialog.plan() == QStringLiteral("SCAN product"); }));
}

TEST(QueryDialog, ShowsWhyThereIsNoAnswer) {
    Asking desk;
    desk.ask(QStringLiteral("DROP TABLE product"));
    EXPECT_TRUE(desk.dialog.said().contains(QStringLiteral("allowed: one SELECT")));
    EXPECT_EQ(desk.dialog.table()->rowCount(), 0);
    desk.ask(QStringLiteral("SELECT '<img src=x>' AS \"<b>\""));
    EXPECT_EQ(desk.dialog.table()->item(0, 0)->text(), QStringLiteral("<img src=x>"));
}

TEST(QueryDialog, OpensByKeyAndByTheBoxOfTheDatabase) {
    initResources();
    Places places;
    FakeEngine engine;
    places.write("scenarios/foundations/shop.toml", scenarioText("shop"));
    Storage storage(places.storage());
    ExperimentBridge bridge(engine.factory());
    MainWindow window(&storage, &bridge, Preferences{}, QPalette());
    window.resize(1440, 900);
    window.show();
    ASSERT_TRUE(turnUntil([&] { return window.gallery()->startHere() != nullptr; }));
    window.activateWindow();
    ASSERT_TRUE(turnUntil([&] { return QApplication::activeWindow() == &window; }));
    EXPECT_EQ(window.queryDialog(), nullptr);
    QTest::keyClick(&window, Qt::Key_E, Qt::ControlModifier);
    ASSERT_NE(window.queryDialog(), nullptr);
    EXPECT_TRUE(window.queryDialog()->isVisible());
    window.queryDialog()->close();

    RunHistory history;
    PipelineView pipeline(&history);
    pipeline.resize(736, 207);
    Model model;
    Route route;
    Step query;
    query.kind = StepKind::query;
    route.steps = {query};
    model.system.routes = {route};
    pipeline.setModel(model);
    int clicks = 0;
    QObject::connect(&pipeline, &PipelineView::databaseClicked, [&] { ++clicks; });
    const PipelinePlaces boxes = placeBoxes(pipeline.size(), partsOf(model));
    QTest::mouseClick(&pipeline, Qt::LeftButton, {}, boxes.database.center().toPoint());
    QTest::mouseClick(&pipeline, Qt::LeftButton, {}, boxes.queue.center().toPoint());
    EXPECT_EQ(clicks, 1);
}

}  // namespace
}  // namespace lab::app
