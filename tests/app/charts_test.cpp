// SPDX-License-Identifier: GPL-3.0-or-later
#include <QApplication>
#include <QClipboard>
#include <QTableView>
#include <QTest>

#include <gtest/gtest.h>

#include <cmath>

#include "charts/charts_panel.hpp"
#include "charts/line_charts.hpp"
#include "support/synthetic_frames.hpp"
#include "widgets/chart_table.hpp"
#include "widgets/heat_map.hpp"
#include "widgets/plot_card.hpp"
#include "widgets/stacked_area.hpp"

namespace lab::app {
namespace {

/// A panel of bench size over a run of some seconds.
class Charts : public ::testing::Test {
  protected:
    void run(std::size_t frames) {
        const auto all = test::SyntheticRun({}).frames();
        for (std::size_t i = 0; i < frames; ++i) history.append(all[i]);
    }
    void show() {
        panel.resize(732, 520);
        panel.show();
        QApplication::processEvents();
    }

    RunHistory history;
    ChartsPanel panel{&history};
};

TEST_F(Charts, DrawOnceAFrameWhileSeen) {
    show();
    run(5);
    panel.grab();
    for (const PlotCard* chart : panel.charts()) EXPECT_EQ(chart->redraws(), 1);
    const auto all = test::SyntheticRun({}).frames();
    history.append(all[5]);
    panel.grab();
    panel.grab();
    for (const PlotCard* chart : panel.charts()) EXPECT_EQ(chart->redraws(), 2);
}

TEST_F(Charts, DrawNothingWhileHidden) {
    run(20);
    QApplication::processEvents();
    for (const PlotCard* chart : panel.charts()) EXPECT_EQ(chart->redraws(), 0);
}

TEST_F(Charts, DoNotDrawTheDataAgainWhenTheCursorMoves) {
    show();
    run(50);
    panel.grab();
    const int before = panel.charts()[0]->redraws();
    const QImage without = panel.grab().toImage();
    panel.setCursorTime(2.0);
    EXPECT_NE(panel.grab().toImage(), without);
    EXPECT_EQ(panel.charts()[0]->redraws(), before);
}

TEST_F(Charts, ShareOneCursorThatSnapsToAFrame) {
    show();
    run(100);
    panel.grab();
    PlotCard* first = panel.charts()[0];
    QTest::mouseMove(first, QPoint(first->width() / 2, first->height() / 2));
    QApplication::processEvents();
    ASSERT_TRUE(first->cursorTime().has_value());
    for (const PlotCard* chart : panel.charts())
        EXPECT_EQ(chart->cursorTime(), first->cursorTime());
    const double tenths = *first->cursorTime() * 10;
    EXPECT_NEAR(tenths, std::round(tenths), 1e-6);
}

TEST_F(Charts, MoveTheCursorByKeys) {
    show();
    run(100);
    panel.grab();
    PlotCard* chart = panel.charts()[1];
    QTest::keyClick(chart, Qt::Key_Right);
    EXPECT_NEAR(chart->cursorTime().value(), 10.0, 1e-9);
    QTest::keyClick(chart, Qt::Key_Left);
    EXPECT_NEAR(chart->cursorTime().value(), 9.9, 1e-9);
    QTest::keyClick(chart, Qt::Key_Left, Qt::ShiftModifier);
    EXPECT_NEAR(panel.charts()[3]->cursorTime().value(), 8.9, 1e-9);
    QTest::keyClick(chart, Qt::Key_Home);
    EXPECT_NEAR(chart->cursorTime().value(), 0.1, 1e-9);
    QTest::keyClick(chart, Qt::Key_Escape);
    EXPECT_FALSE(chart->cursorTime().has_value());
}

TEST_F(Charts, HaveATableWithTheValuesThatAreDrawn) {
    show();
    run(30);
    PlotCard* latency = panel.charts()[1];
    QTest::keyClick(latency, Qt::Key_T);
    EXPECT_TRUE(latency->isTableShown());
    ChartTable* table = latency->table();
    ASSERT_EQ(table->rowCount(), 30);
    EXPECT_EQ(table->headerData(3, Qt::Horizontal, Qt::DisplayRole).toString(),
              QStringLiteral("p99 (ms)"));
    for (int row = 0; row < 30; ++row) {
        const HistoryPoint& point = history.points()[static_cast<std::size_t>(row)];
        const QVariant p99 = table->data(table->index(row, 3), Qt::UserRole);
        EXPECT_EQ(p99.isValid(), point.latency.present());
        if (!p99.isValid()) continue;
        EXPECT_DOUBLE_EQ(p99.toDouble(), point.latency.p99);
    }
    auto* view = latency->findChild<QTableView*>();
    ASSERT_NE(view, nullptr);
    QTest::keyClick(view, Qt::Key_T);
    EXPECT_FALSE(latency->isTableShown());
}

TEST_F(Charts, TellEveryPartAndEveryRequestInTheirTables) {
    show();
    run(30);
    EXPECT_EQ(panel.charts()[2]->table()->columnCount(), 1 + static_cast<int>(part_count));
    ChartTable* heat = panel.charts()[3]->table();
    std::uint64_t told = 0, sampled = 0;
    for (int row = 0; row < heat->rowCount(); ++row) {
        told += heat->data(heat->index(row, 1), Qt::UserRole).toULongLong();
    }
    const auto all = test::SyntheticRun({}).frames();
    for (std::size_t i = 0; i < 30; ++i) {
        for (const auto& [bucket, count] : all[i]->latency) sampled += count;
    }
    EXPECT_EQ(told, sampled);
}

TEST_F(Charts, CopyTheirValuesAsCsvWithUnitsAndADecimalPoint) {
    QLocale::setDefault(QLocale(QLocale::German));
    show();
    run(12);
    PlotCard* throughput = panel.charts()[0];
    QTest::keyClick(throughput, Qt::Key_C, Qt::ControlModifier);
    const QString csv = QApplication::clipboard()->text();
    const QStringList lines = csv.split(QStringLiteral("\r\n"));
    EXPECT_EQ(lines[0],
              QStringLiteral("time (s),offered (/s),completed (/s),goodput (/s),errors (/s)"));
    EXPECT_TRUE(lines[1].startsWith(QStringLiteral("0.1,"))) << qPrintable(lines[1]);
    EXPECT_EQ(lines.size(), 14);
    EXPECT_EQ(lines[1].count(QLatin1Char(',')), 4);
    QLocale::setDefault(QLocale::c());
}

TEST_F(Charts, LeaveAFieldEmptyWhereThereAreNoSamples) {
    auto empty = std::make_shared<Frame>();
    history.append(empty);
    const QString row = panel.charts()[1]->csv().split(QStringLiteral("\r\n"))[1];
    EXPECT_EQ(row, QStringLiteral("0.1,,,,,0,0.1,"));
}

TEST_F(Charts, HaveNamesAndDescriptionsForScreenReaders) {
    show();
    run(30);
    panel.grab();
    for (const PlotCard* chart : panel.charts()) {
        EXPECT_FALSE(chart->accessibleName().isEmpty());
        EXPECT_FALSE(chart->accessibleDescription().isEmpty());
    }
    EXPECT_TRUE(panel.charts()[1]->accessibleDescription().contains(QStringLiteral("p99")));
}

TEST_F(Charts, ShowTheNaiveP99OfTheSameRunWhenAsked) {
    show();
    run(60);
    auto* latency = qobject_cast<LatencyChart*>(panel.charts()[1]);
    ASSERT_NE(latency, nullptr);
    EXPECT_FALSE(latency->isSinceSendShown());
    const QImage without = latency->grab().toImage();
    QTest::keyClick(latency, Qt::Key_N);
    EXPECT_TRUE(latency->isSinceSendShown());
    EXPECT_NE(latency->grab().toImage(), without);
    QTest::keyClick(latency, Qt::Key_N);
    EXPECT_EQ(latency->grab().toImage(), without);
    const HistoryPoint& last = history.points().back();
    EXPECT_GT(last.latency.p99SinceSend, 0);
    EXPECT_TRUE(latency->csv().startsWith(
        QStringLiteral("time (s),p50 (ms),p95 (ms),p99 (ms),p99 since send (ms),")));
}

TEST_F(Charts, DrawTheMarkerAndTheGhost) {
    show();
    run(110);
    const QImage plain = panel.charts()[1]->grab().toImage();
    history.pinAsA();
    history.clear();
    run(40);
    const QImage ghost = panel.charts()[1]->grab().toImage();
    history.unpin();
    EXPECT_NE(panel.charts()[1]->grab().toImage(), ghost);
    EXPECT_NE(plain, ghost);
}

TEST_F(Charts, StandAnySize) {
    show();
    run(130);
    for (const QSize size : {QSize(1, 1), QSize(360, 200), QSize(720, 400), QSize(3840, 2160)}) {
        panel.resize(size);
        EXPECT_FALSE(panel.grab().isNull());
    }
}

TEST(Axes, AreRoundAndHoldTheirValues) {
    for (const double most : {0.0, 0.07, 3.0, 86.0, 120.0, 999.0, 48'000.0}) {
        const ValueAxis axis = linearAxis(most, 0.01);
        EXPECT_GE(axis.most, most);
        EXPECT_LE(axis.most, std::max(most * 1.75, 0.02));
        EXPECT_EQ(axis.ticks.size(), 5U);
    }
    EXPECT_EQ(linearAxis(86, 10).ticks[1].second, QStringLiteral("25"));
    EXPECT_EQ(linearAxis(48'000, 10).ticks[4].second, QStringLiteral("80k"));
}

TEST(Axes, SpanWholeDecadesAndAtLeastTwo) {
    const ValueAxis axis = logAxis(51, 212);
    EXPECT_DOUBLE_EQ(axis.least, 10);
    EXPECT_DOUBLE_EQ(axis.most, 1000);
    EXPECT_EQ(axis.ticks.back().second, QStringLiteral("1 s"));
    EXPECT_NEAR(axis.share(100), 0.5, 1e-12);
    const ValueAxis narrow = logAxis(12, 14);
    EXPECT_GE(narrow.ticks.size(), 3U);
    EXPECT_EQ(logAxis(0.05, 3).ticks.front().second, QStringLiteral("0.01"));
}

TEST(StackedArea, GroupsEveryPartExactlyOnce) {
    HistoryPoint point;
    for (std::size_t i = 0; i < part_count; ++i) point.partsMs[i] = static_cast<float>(1 << i);
    double sum = 0;
    for (const double ms : StackedArea::grouped(point)) sum += ms;
    EXPECT_DOUBLE_EQ(sum, (1 << part_count) - 1);
}

}  // namespace
}  // namespace lab::app
