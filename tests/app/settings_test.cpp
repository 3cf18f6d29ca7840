// SPDX-License-Identifier: GPL-3.0-or-later
// The list of real servers and the table of all settings, with a stand-in engine.
#include "pages/settings_dialog.hpp"

#include <QComboBox>
#include <QLineEdit>
#include <QPushButton>
#include <QTableView>
#include <QTest>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/window_support.hpp"
#include "bridge/experiment_bridge.hpp"
#include "lab/presets.hpp"
#include "models/run_controller.hpp"
#include "models/run_history.hpp"
#include "widgets/knob_panel.hpp"
#include "widgets/server_block.hpp"

namespace lab::app {
namespace {

using testing::FakeEngine;
using testing::makeScenario;
using testing::turnUntil;

struct Bench {
    FakeEngine engine;
    ExperimentBridge bridge{engine.factory()};
    RunHistory history;
    RunController run{&bridge, &history};

    Bench() { run.open(makeScenario()); }
    void choose(ServerBlock& block, const char* preset) {
        const int index = block.list()->findData(QString::fromLatin1(preset));
        ASSERT_GE(index, 0) << preset;
        block.list()->setCurrentIndex(index);
        emit block.list()->activated(index);
    }
};

TEST(ServerBlock, OffersEveryPresetAndShowsItsCommand) {
    Bench bench;
    ServerBlock block(&bench.run);
    EXPECT_EQ(block.list()->count(), static_cast<int>(presets_table().size()) + 1);
    EXPECT_EQ(block.list()->currentIndex(), 0);
    bench.choose(block, "gunicorn-gthread");
    block.showModel();
    EXPECT_EQ(bench.run.model().system.server.preset, "gunicorn-gthread");
    EXPECT_TRUE(block.command().startsWith(QStringLiteral("gunicorn -w ")))
        << block.command().toStdString();
    EXPECT_TRUE(block.command().contains(QStringLiteral("-k gthread")));
}

TEST(ServerBlock, ShowsWhatWasSetOtherwiseThanTheServerSays) {
    Bench bench;
    ServerBlock block(&bench.run);
    bench.choose(block, "gunicorn-gthread");
    bench.run.set("server.keep_alive_timeout", "9s");
    block.showModel();
    EXPECT_TRUE(block.overridden().contains(QStringLiteral("9 s, as shipped 2 s")))
        << block.overridden().toStdString();
    EXPECT_TRUE(block.command().contains(QStringLiteral("--keep-alive 9")))
        << block.command().toStdString();
    bench.choose(block, "none");
    block.showModel();
    EXPECT_TRUE(block.overridden().isEmpty());
}

TEST(ServerBlock, PutsNginxInFrontAndShowsItsConfiguration) {
    Bench bench;
    ServerBlock block(&bench.run);
    EXPECT_EQ(block.frontList()->currentIndex(), 0);
    emit block.frontList()->activated(4);
    block.showModel();
    EXPECT_EQ(bench.run.model().system.balancer.rule, BalancerRule::round_robin);
    EXPECT_EQ(bench.run.model().system.balancer.count, 4);
    EXPECT_EQ(block.frontList()->currentIndex(), 4);
    EXPECT_EQ(block.configuration().count(QStringLiteral("server 127.0.0.1:")), 4);
    emit block.frontList()->activated(0);
    block.showModel();
    EXPECT_EQ(bench.run.model().system.balancer.rule, BalancerRule::none);
}

TEST(RunController, BeginsAnewWhereABalancerComesOrGoes) {
    Bench bench;
    bench.run.play();
    ASSERT_EQ(bench.engine.plans.size(), 1U);
    bench.run.set("balancer.rule", "least-conn");
    EXPECT_EQ(bench.engine.stops, 1);
    EXPECT_TRUE(bench.engine.applied.empty()) << "a run keeps its balancer";
    bench.engine.finish(20);
    ASSERT_TRUE(turnUntil([&] { return bench.engine.plans.size() == 2; }));
    EXPECT_EQ(bench.engine.plans[1].model.system.balancer.rule, BalancerRule::least_conn);
    bench.run.reset();
    bench.run.stop();
    bench.engine.finish(20);
    ASSERT_TRUE(turnUntil([&] { return !bench.run.isRunning(); }));
    EXPECT_EQ(bench.engine.plans.size(), 2U) << "who stops it wants it stopped";
}

TEST(ServerBlock, StandsInFreePlayAndNotInALesson) {
    Bench bench;
    KnobPanel panel(&bench.run);
    panel.show();
    EXPECT_FALSE(panel.serverBlock()->isVisible());
    panel.setServerShown(true);
    EXPECT_TRUE(panel.serverBlock()->isVisible());
    bench.run.open(makeScenario("other"));
    EXPECT_TRUE(panel.serverBlock()->isVisible());
}

TEST(SettingsDialog, FindsAndChangesASetting) {
    Bench bench;
    SettingsDialog dialog(&bench.run);
    dialog.show();
    const int every = dialog.table()->model()->rowCount();
    EXPECT_EQ(every, static_cast<int>(listed_settings(bench.run.model()).size()));
    dialog.filter()->setText(QStringLiteral("server.queue_timeout"));
    ASSERT_EQ(dialog.table()->model()->rowCount(), 1);
    const QModelIndex cell = dialog.table()->model()->index(0, SettingsModel::valueColumn);
    ASSERT_TRUE(cell.flags().testFlag(Qt::ItemIsEditable));
    EXPECT_TRUE(dialog.table()->model()->setData(cell, QStringLiteral("250ms"), Qt::EditRole));
    EXPECT_EQ(bench.run.model().system.server.queue_timeout, std::chrono::milliseconds(250));
    EXPECT_EQ(cell.data().toString(), QStringLiteral("250 ms"));
    dialog.table()->setCurrentIndex(cell);
    EXPECT_FALSE(dialog.help().isEmpty());
    dialog.filter()->clear();
    EXPECT_EQ(dialog.table()->model()->rowCount(), every);
}

TEST(SettingsDialog, SaysWhatIsNotAllowedAndChangesNothing) {
    Bench bench;
    SettingsDialog dialog(&bench.run);
    QString said;
    QObject::connect(&bench.run, &RunController::problem, &dialog,
                     [&](const QString& why) { said = why; });
    const Model before = bench.run.model();
    SettingsModel& model = *dialog.model();
    const int row = model.rowOf("server.workers");
    ASSERT_GE(row, 0);
    model.setData(model.index(row, SettingsModel::valueColumn), QStringLiteral("many"),
                  Qt::EditRole);
    EXPECT_TRUE(said.contains(QStringLiteral("allowed"))) << said.toStdString();
    EXPECT_EQ(bench.run.model(), before);
    EXPECT_EQ(dialog.problem(), said) << "where it can be seen";
    model.setData(model.index(row, SettingsModel::valueColumn), QStringLiteral("2"), Qt::EditRole);
    EXPECT_TRUE(dialog.problem().isEmpty());
}

TEST(SettingsDialog, BeginsEachOpeningWithTheSearchAndEditsByReturn) {
    Bench bench;
    SettingsDialog dialog(&bench.run);
    dialog.show();
    dialog.filter()->setText(QStringLiteral("server.workers"));
    dialog.table()->setFocus();
    dialog.table()->setCurrentIndex(dialog.table()->model()->index(0, 0));
    emit dialog.table()->activated(dialog.table()->currentIndex());
    EXPECT_EQ(dialog.table()->currentIndex().column(), SettingsModel::valueColumn);
    EXPECT_TRUE(dialog.help().contains(QStringLiteral("Allowed: a whole number from 1 to 256")))
        << dialog.help().toStdString();
    dialog.close();
    dialog.show();
    EXPECT_EQ(dialog.filter()->selectedText(), QStringLiteral("server.workers"));
}

TEST(SettingsDialog, ShowsWhatTheChosenServerSays) {
    Bench bench;
    SettingsDialog dialog(&bench.run);
    bench.run.set("server.preset", "uwsgi");
    SettingsModel& model = *dialog.model();
    const int row = model.rowOf("network.backlog");
    EXPECT_EQ(model.index(row, SettingsModel::presetColumn).data().toString(),
              QStringLiteral("100"));
    const int choice = model.rowOf("server.execution");
    EXPECT_TRUE(model.choices(choice).contains(QStringLiteral("loop")));
}

}  // namespace
}  // namespace lab::app
