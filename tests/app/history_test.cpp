// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/run_history.hpp"

#include <QSignalSpy>

#include <gtest/gtest.h>

#include <cmath>

#include "lab/histogram.hpp"
#include "support/synthetic_frames.hpp"

namespace lab::app {
namespace {

/// A frame of 100 ms with `answers` of `latency` each.
FramePtr frameOf(std::uint64_t number, std::uint64_t answers, Duration latency,
                 std::uint64_t rejected = 0) {
    auto frame = std::make_shared<Frame>();
    frame->number = number;
    frame->since_start = static_cast<std::int64_t>(number) * 100ms;
    frame->counts.planned = answers + rejected;
    frame->counts.of(Ending::ok) = answers;
    frame->counts.of(Ending::rejected) = rejected;
    frame->counts.good = answers;
    frame->server.threads.resize(2);
    frame->server.busy_time = 100ms;
    Histogram histogram;
    if (answers > 0) histogram.record(latency, answers);
    frame->latency = histogram.sparse();
    return frame;
}

FramePtr changedFrame(std::uint64_t number, const std::string& label, const std::string& from,
                      const std::string& to) {
    auto frame = std::make_shared<Frame>(*frameOf(number, 5, 10ms));
    frame->changes.push_back({"server." + label, label, from, to});
    return frame;
}

TEST(RunHistory, TakesPercentilesFromTheMergedHistogramOfTheLastSecond) {
    RunHistory history;
    const auto frames = test::SyntheticRun({.rate = 300, .wait = 5ms, .changeAt = 99}).frames();
    for (std::size_t i = 0; i < 40; ++i) history.append(frames[i]);
    Histogram expected;
    for (std::size_t i = 30; i < 40; ++i) expected.merge(frames[i]->latency);
    ASSERT_GE(expected.count(), RunHistory::enoughSamples);
    const WindowedPercentiles& found = history.points().back().latency;
    EXPECT_DOUBLE_EQ(found.p50, to_ms(*expected.percentile(50)));
    EXPECT_DOUBLE_EQ(found.p95, to_ms(*expected.percentile(95)));
    EXPECT_DOUBLE_EQ(found.p99, to_ms(*expected.percentile(99)));
    EXPECT_EQ(found.samples, expected.count());
    EXPECT_NEAR(found.window, 1.0, 1e-9);
}

TEST(RunHistory, LooksBackAsFarAsHundredSamplesNeedAndNoFurtherThanFiveSeconds) {
    RunHistory slow, slower;
    for (std::uint64_t i = 0; i < 80; ++i) {
        slow.append(frameOf(i, 4, 10ms));
        slower.append(frameOf(i, 1, 10ms));
    }
    EXPECT_EQ(slow.points().back().latency.samples, 100U);
    EXPECT_NEAR(slow.points().back().latency.window, 2.5, 1e-9);
    EXPECT_FALSE(slow.points().back().latency.p99Faint);
    EXPECT_EQ(slower.points().back().latency.samples, 50U);
    EXPECT_NEAR(slower.points().back().latency.window, 5.0, 1e-9);
    EXPECT_TRUE(slower.points().back().latency.p99Faint);
    EXPECT_FALSE(slower.points().back().latency.p95Faint);
}

TEST(RunHistory, HasNoPercentileWithoutSamplesRatherThanZero) {
    RunHistory history;
    history.append(frameOf(0, 0, 0ms, 7));
    EXPECT_FALSE(history.points().back().latency.present());
    EXPECT_FALSE(history.figures().p99.has_value());
    ASSERT_TRUE(history.figures().errorShare.has_value());
    EXPECT_DOUBLE_EQ(*history.figures().errorShare, 1.0);
}

TEST(RunHistory, LeavesAnInterruptedFrameOutOfThePercentiles) {
    RunHistory history;
    for (std::uint64_t i = 0; i < 10; ++i) history.append(frameOf(i, 20, 10ms));
    auto gap = std::make_shared<Frame>(*frameOf(10, 20, 5s));
    gap->interrupted = true;
    history.append(gap);
    EXPECT_LT(history.points().back().latency.p99, 11);
    EXPECT_TRUE(history.points().back().interrupted);
}

TEST(RunHistory, SmoothsRatesOverTheLastSecondOfFrames) {
    RunHistory history;
    for (std::uint64_t i = 0; i < 20; ++i) history.append(frameOf(i, i < 10 ? 2 : 8, 10ms, 1));
    EXPECT_NEAR(history.points()[9].completed, 20, 1e-9);
    EXPECT_NEAR(history.points()[14].completed, 50, 1e-9);
    EXPECT_NEAR(history.points()[19].completed, 80, 1e-9);
    EXPECT_NEAR(history.points()[19].errors, 10, 1e-9);
    EXPECT_NEAR(history.points()[19].offered, 90, 1e-9);
    EXPECT_NEAR(history.points()[0].completed, 20, 1e-9);
    EXPECT_NEAR(history.points()[19].busy, 0.5, 1e-9);
}

TEST(RunHistory, WeighsPartsByRequestsAndDoesNotAverageMeans) {
    RunHistory history;
    auto few = std::make_shared<Frame>(*frameOf(0, 1, 10ms));
    few->parts[static_cast<std::size_t>(Part::queue)] = 100ms;
    few->parts_of = 1;
    auto many = std::make_shared<Frame>(*frameOf(1, 9, 10ms));
    many->parts_of = 9;
    history.append(few);
    history.append(many);
    EXPECT_NEAR(history.points()[1].partsMs[static_cast<std::size_t>(Part::queue)], 10, 1e-4);
}

TEST(RunHistory, KeepsTenMinutesAndNoMore) {
    RunHistory history;
    const FramePtr frame = frameOf(0, 1, 10ms);
    for (std::size_t i = 0; i < RunHistory::most + 500; ++i) {
        auto next = std::make_shared<Frame>(*frame);
        next->since_start = static_cast<std::int64_t>(i) * 100ms;
        if (i % 100 == 0) next->changes.push_back({"a", "Rate", "1", "2"});
        history.append(next);
    }
    EXPECT_EQ(history.points().size(), RunHistory::most);
    EXPECT_NEAR(history.points().front().seconds, 50.1, 1e-6);
    EXPECT_LE(history.markers().size(), RunHistory::most / 100 + 1);
}

TEST(RunHistory, MarksAChangeInWordsWhereItTookEffect) {
    RunHistory history;
    for (std::uint64_t i = 0; i < 12; ++i) history.append(frameOf(i, 5, 10ms));
    history.append(changedFrame(12, "Workers", "1", "4"));
    ASSERT_EQ(history.markers().size(), 1U);
    EXPECT_EQ(history.markers()[0].text, QStringLiteral("workers 1 → 4"));
    EXPECT_NEAR(history.markers()[0].seconds, 1.2, 1e-9);
}

TEST(RunHistory, LetsTheNameOfAPresetStandForAllThatItFills) {
    RunHistory history;
    history.append(frameOf(0, 5, 10ms));
    auto frame = std::make_shared<Frame>(*frameOf(1, 5, 10ms));
    frame->changes = {{"server.preset", "Server", "none", "uWSGI"},
                      {"network.backlog", "Backlog", "4,096", "100"}};
    history.append(frame);
    ASSERT_EQ(history.markers().size(), 1U);
    EXPECT_EQ(history.markers()[0].text, QStringLiteral("server → uWSGI"));
    EXPECT_EQ(history.markers()[0].changes.size(), 2U);
}

TEST(RunHistory, TellsTheStepsOfOneDragAsOneChange) {
    RunHistory history;
    history.append(changedFrame(0, "Workers", "1", "2"));
    history.append(changedFrame(1, "Workers", "2", "3"));
    history.append(changedFrame(2, "Workers", "3", "4"));
    history.append(changedFrame(30, "Workers", "4", "5"));
    ASSERT_EQ(history.markers().size(), 2U);
    EXPECT_EQ(history.markers()[0].text, QStringLiteral("workers 1 → 4"));
    EXPECT_EQ(history.markers()[1].text, QStringLiteral("workers 4 → 5"));
}

TEST(RunHistory, PinsTheLastSteadyStretchAndAlignsTheGhostByTimeSinceTheStart) {
    RunHistory history;
    test::SyntheticPlan plan{.rate = 60, .changeAt = 99};
    const auto first = test::SyntheticRun(plan).frames();
    for (std::size_t i = 0; i < 100; ++i) history.append(first[i]);
    history.pinAsA();
    history.clear();
    plan.workers = plan.laterWorkers = 4;
    const auto second = test::SyntheticRun(plan).frames();
    for (std::size_t i = 0; i < 50; ++i) history.append(second[i]);

    const PinnedRunPtr a = history.pinned();
    ASSERT_NE(a, nullptr);
    EXPECT_EQ(a->points.size(), 100U);
    EXPECT_NEAR(a->points[49].seconds, history.points()[49].seconds, 1e-9);
    Histogram steady;
    std::uint64_t answers = 0;
    for (std::size_t i = 10; i < 100; ++i) {  // after the warm-up
        steady.merge(first[i]->latency);
        answers += first[i]->counts.of(Ending::ok);
    }
    EXPECT_DOUBLE_EQ(a->figures.p99.value(), to_ms(*steady.percentile(99)));
    EXPECT_NEAR(a->figures.throughput.value(), static_cast<double>(answers) / 9, 1e-9);
    EXPECT_NEAR(a->figures.from, 1.0, 1e-9);
    EXPECT_GT(history.figures().goodput.value(), 2 * a->figures.goodput.value());
}

TEST(RunHistory, BeginsTheStretchAnewAtAChange) {
    RunHistory history;
    const auto frames = test::SyntheticRun({.changeAt = 5, .length = 20}).frames();
    for (const FramePtr& frame : frames) history.append(frame);
    history.pinAsA();
    EXPECT_NEAR(history.pinned()->figures.from, 5.0, 1e-9);
    EXPECT_NEAR(history.pinned()->figures.throughput.value(), 78, 8);
}

TEST(RunHistory, PinsNothingWhereNothingHasRun) {
    RunHistory history;
    history.pinAsA();
    EXPECT_EQ(history.pinned(), nullptr);
}

TEST(RunHistory, SaysChangedOnceAFrame) {
    RunHistory history;
    const QSignalSpy changed(&history, &RunHistory::changed);
    for (std::uint64_t i = 0; i < 7; ++i) history.append(frameOf(i, 1, 10ms));
    EXPECT_EQ(changed.count(), 7);
}

TEST(RunHistory, SettlesOnTheWholeRunWhenItIsOver) {
    RunHistory history;
    history.setPlannedLength(2);
    for (std::uint64_t i = 0; i < 20; ++i) history.append(frameOf(i, i < 15 ? 10 : 2, 10ms));
    for (std::uint64_t i = 20; i < 30; ++i) history.append(frameOf(i, 0, 10ms));
    EXPECT_EQ(history.figures().goodput, 0.0) << "the last second: what was left to answer";
    history.settle();
    EXPECT_NEAR(*history.figures().goodput, (15 * 10 + 5 * 2) / 2.0, 1e-6);
    EXPECT_NEAR(history.figures().to, 2, 1e-6);
}

TEST(RunHistory, ShowsThePlannedLengthThenGrowsInStepsThenScrolls) {
    RunHistory history;
    history.setPlannedLength(13);
    history.append(frameOf(0, 1, 10ms));
    EXPECT_EQ(history.visibleRange(), (RunHistory::TimeRange{0, 13}));
    history.setPlannedLength(std::nullopt);
    EXPECT_EQ(history.visibleRange(), (RunHistory::TimeRange{0, 15}));
    history.append(frameOf(200, 1, 10ms));
    EXPECT_EQ(history.visibleRange(), (RunHistory::TimeRange{0, 30}));
    history.append(frameOf(699, 1, 10ms));
    EXPECT_NEAR(history.visibleRange().from, 10, 1e-6);
    EXPECT_NEAR(history.visibleRange().to, 70, 1e-6);
}

TEST(HeatRows, HoldTheLatencyTheyAreNamedFor) {
    for (const double ms : {0.02, 0.5, 1.0, 9.99, 51.0, 212.0, 4100.0}) {
        const int row = heatRowOf(ms);
        EXPECT_LE(heatRowEdge(row), ms * 1.000001);
        EXPECT_GT(heatRowEdge(row + 1), ms * 0.999999);
    }
    EXPECT_EQ(heatRowOf(0), 0);
    EXPECT_EQ(heatRowOf(1e9), heatRows - 1);
}

}  // namespace
}  // namespace lab::app
