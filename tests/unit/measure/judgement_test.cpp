// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/judgement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "measure/precision.hpp"
#include "unit/measure/samples.hpp"

namespace lab {
namespace {

using ::testing::HasSubstr;
using Verdict = Judgement::Verdict;

constexpr double infinity = std::numeric_limits<double>::infinity();

/// A run of so many seconds in which every request was answered well, in 10 to 20 ms.
RunResult run(double per_second, int seconds) {
    RunResult r;
    r.length = std::chrono::seconds{seconds};
    r.truth_known = true;
    const auto n = static_cast<std::uint64_t>(std::llround(per_second * seconds));
    r.counts.planned = r.inside.planned = n;
    r.counts.of(Ending::ok) = r.inside.of(Ending::ok) = n;
    r.counts.good = r.inside.good = n;
    r.offered_per_s = r.throughput_per_s = r.goodput_per_s = per_second;
    for (std::uint64_t i = 0; i < 1000; ++i) r.latency.record(10ms + i * 10us, (n + 999) / 1000);
    return r;
}

std::map<std::string, RunResultPtr> runs(const RunResult& a, const RunResult& b) {
    return {{"A", std::make_shared<RunResult>(a)}, {"B", std::make_shared<RunResult>(b)}};
}

/// "About the same", "twice as many", "four times as many".
LessonStep question(const std::string& measure = "B.throughput / A.throughput") {
    LessonStep step;
    step.kind = LessonKind::predict;
    step.measure = measure;
    step.options = {{"the same", -infinity, 1.5}, {"twice", 1.5, 3}, {"four times", 3, infinity}};
    return step;
}

TEST(Judge, FindsTheOptionThatTheRunsShow) {
    const auto measured = runs(run(20, 12), run(78, 12));
    const Judgement right = judge(question(), 2, measured);
    EXPECT_EQ(right.verdict, Verdict::right);
    EXPECT_EQ(right.right_option, 2);
    EXPECT_NEAR(right.measured, 3.9, 1e-9);
    const Judgement wrong = judge(question(), 0, measured);
    EXPECT_EQ(wrong.verdict, Verdict::wrong);
    EXPECT_EQ(wrong.right_option, 2);
}

TEST(Judge, HasAnUncertaintyFromTheCountsOfBothRuns) {
    // 240 and 960 answers: 12.9 % and 6.5 %, moved one at a time and joined in squares.
    const Judgement j = judge(question(), 2, runs(run(20, 12), run(80, 12)));
    const double a = 2 / std::sqrt(240.0), b = 2 / std::sqrt(960.0);
    EXPECT_NEAR(j.uncertainty, 4 * std::hypot(1 / (1 - a) - 1, b), 1e-9);
}

TEST(Judge, CallsAnIntervalThatSpansTwoOptionsTooClose) {
    const Judgement j = judge(question(), 2, runs(run(20, 12), run(62, 12)));
    EXPECT_EQ(j.verdict, Verdict::too_close);
    EXPECT_EQ(j.right_option, -1);
    EXPECT_NEAR(j.measured, 3.1, 1e-9);
    EXPECT_THAT(j.why, HasSubstr("spans more than one answer"));
    // The same ratio after a run forty times as long.
    EXPECT_EQ(judge(question(), 2, runs(run(20, 4800), run(62, 4800))).verdict, Verdict::right);
}

TEST(Judge, RefusesRunsThatAreNoMeasurement) {
    RunResult limited = run(20, 12), cut = run(20, 12);
    limited.generator_limited = true;
    cut.interrupted = true;
    const RunResult good = run(80, 12);
    for (const auto& measured : {runs(limited, good), runs(good, limited)}) {
        const Judgement j = judge(question(), 2, measured);
        EXPECT_EQ(j.verdict, Verdict::cannot_judge);
        EXPECT_THAT(j.why, HasSubstr("the generator, not the server"));
        EXPECT_GT(j.measured, 0);
    }
    EXPECT_THAT(judge(question(), 2, runs(good, cut)).why, HasSubstr("Run B was interrupted"));
    // A run that the question does not name does not matter.
    EXPECT_EQ(judge(question("B.throughput / 20"), 2, runs(limited, good)).verdict, Verdict::right);
}

TEST(Judge, RefusesWhatWasNotMeasured) {
    const auto measured = runs(run(20, 12), run(80, 12));
    EXPECT_EQ(judge(question(), -1, measured).verdict, Verdict::cannot_judge);
    EXPECT_EQ(judge(question(), 3, measured).verdict, Verdict::cannot_judge);
    EXPECT_THAT(judge(question("C.throughput"), 0, measured).why, HasSubstr("no such run"));
    EXPECT_THAT(judge(question("A.breakdown.database"), 0, measured).why, HasSubstr("no samples"));
    EXPECT_THAT(judge(question("B.p99 / A.counts.rejected"), 0, measured).why,
                HasSubstr("divisor"));
    EXPECT_THAT(judge(question("B.throughputs"), 0, measured).why, HasSubstr("throughput"));
    LessonStep say = question();
    say.kind = LessonKind::say;
    EXPECT_EQ(judge(say, 0, measured).verdict, Verdict::cannot_judge);
    LessonStep gap = question();
    gap.options = {{"few", 0, 1}};
    EXPECT_THAT(judge(gap, 0, measured).why, HasSubstr("none of the answers"));
    EXPECT_EQ(judge(question(), 0, {{"A", nullptr}, {"B", nullptr}}).verdict,
              Verdict::cannot_judge);
}

TEST(Judge, TakesNothingCountedForExactlyZero) {
    LessonStep step = question("B.counts.rejected");
    step.options = {{"none", -infinity, 1}, {"some", 1, infinity}};
    const Judgement j = judge(step, 0, runs(run(20, 12), run(20, 12)));
    EXPECT_EQ(j.verdict, Verdict::right);
    EXPECT_EQ(j.uncertainty, 0);
}

TEST(Judge, DifferenceOfTwoLargeNumbersIsUncertain) {
    LessonStep step = question("B.throughput - A.throughput");
    step.options = {{"fewer", -infinity, 0}, {"more", 0, infinity}};
    EXPECT_EQ(judge(step, 1, runs(run(100, 10), run(101, 10))).verdict, Verdict::too_close);
    EXPECT_EQ(judge(step, 1, runs(run(100, 10), run(150, 10))).verdict, Verdict::right);
}

TEST(Judge, NeverClaimsMoreThanOnePerCentNorMoreThanTheOptionsBear) {
    measure::testing::Numbers n{5};
    for (int i = 0; i < 150; ++i) {
        const int seconds = 1 + static_cast<int>(n.next(100));
        const auto a = run(1 + static_cast<double>(n.next(500)), seconds);
        const auto b = run(1 + static_cast<double>(n.next(500)), seconds);
        LessonStep step = question();
        const double first = 0.2 + static_cast<double>(n.next(300)) / 100;
        const double second = first + 0.1 + static_cast<double>(n.next(300)) / 100;
        step.options = {{"", -infinity, first}, {"", first, second}, {"", second, infinity}};
        const int chosen = static_cast<int>(n.next(3));
        const Judgement j = judge(step, chosen, runs(a, b));
        ASSERT_GE(j.uncertainty, 0.01 * j.measured);
        ASSERT_TRUE(std::isfinite(j.uncertainty));
        ASSERT_NE(j.verdict, Verdict::cannot_judge);
        ASSERT_EQ(j.verdict == Verdict::too_close, j.right_option == -1);
        if (j.right_option < 0) continue;
        const PredictOption& option = step.options[static_cast<std::size_t>(j.right_option)];
        ASSERT_GE(j.measured - j.uncertainty, option.from);
        ASSERT_LT(j.measured + j.uncertainty, option.to);
        ASSERT_EQ(j.verdict == Verdict::right, j.right_option == chosen);
    }
}

TEST(Judge, IsMoreCertainAfterALongerRun) {
    double before = infinity;
    for (const int seconds : {2, 4, 8, 16, 32}) {
        const Judgement j = judge(question(), 2, runs(run(20, seconds), run(80, seconds)));
        EXPECT_LT(j.uncertainty, before) << seconds;
        before = j.uncertainty;
    }
}

TEST(Judge, FindsEqualRunsEqual) {
    const Judgement j = judge(question("B.p99 / A.p99"), 0, runs(run(100, 10), run(100, 10)));
    EXPECT_EQ(j.measured, 1);
    EXPECT_EQ(j.verdict, Verdict::right);
}

TEST(Precision, OfAPercentileReachesToTheRanksAround) {
    RunResult r;
    r.latency.record(1ms, 985);
    r.latency.record(100ms, 15);
    // p99 of 1000: rank 990 +- 6.3; all those are 100 ms. p98: not asked for. p90: far from the
    // step.
    EXPECT_NEAR(measure::half_width(r, "latency_ms.p90", 1), 2 / std::sqrt(1000.0), 1e-3);
    // 6.3 ranks below 990 is 983.7, which is 1 ms: the tail may as well not be there.
    EXPECT_NEAR(measure::half_width(r, "latency_ms.p99", 100), 99, 0.2);
}

TEST(Precision, OfAMeanOfUnevenSamplesIsItsStandardError) {
    RunResult r;
    r.latency.record(1ms, 990);
    r.latency.record(1000ms, 10);
    const double mean = to_ms(*r.latency.mean());
    const double deviation = std::sqrt(0.01 * 0.99) * 999;
    EXPECT_NEAR(measure::half_width(r, "latency_ms.mean", mean), 2 * deviation / std::sqrt(1000.0),
                0.02);
}

TEST(Precision, OfARateComesFromTheEventsInTheWindow) {
    const RunResult r = run(100, 4);
    EXPECT_NEAR(measure::half_width(r, "throughput_per_s", 100), 10, 1e-9);
    EXPECT_NEAR(measure::half_width(r, "counts.ok", 400), 40, 1e-9);
    EXPECT_EQ(measure::half_width(r, "counts.rejected", 0), 0);
}

}  // namespace
}  // namespace lab
