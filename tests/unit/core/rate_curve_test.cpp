// SPDX-License-Identifier: GPL-3.0-or-later
// Load shapes: where the rate is when, and that arrivals follow it.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "core/arrival_schedule.hpp"
#include "core/rate_curve.hpp"
#include "support/time.hpp"

namespace lab::core {
namespace {

using test::at;

ArrivalRate per_second(double n) { return ArrivalRate::per_second(n); }

Load shaped(LoadShape kind, double rate = 10, double peak = 50) {
    Load load;
    load.rate = per_second(rate);
    load.shape.kind = kind;
    load.shape.peak = per_second(peak);
    load.shape.start = 2s;
    load.shape.length = 4s;
    return load;
}

double rate_at(const Load& load, Duration t) { return RateCurve{load, 42}.rate_at(t); }

std::vector<Duration> arrivals(const Load& load, Duration length, std::uint64_t seed = 42) {
    ArrivalSchedule schedule{load, seed, at(0s)};
    std::vector<Duration> due;
    while (schedule.peek() < at(length)) {
        due.push_back(schedule.peek().time_since_epoch());
        static_cast<void>(schedule.take());
    }
    return due;
}

double share_between(const std::vector<Duration>& due, Duration from, Duration to) {
    const auto n =
        std::count_if(due.begin(), due.end(), [&](Duration t) { return t >= from && t < to; });
    return static_cast<double>(n) / to_seconds(to - from);
}

TEST(RateCurve, RisesInARampAndStaysUp) {
    const Load ramp = shaped(LoadShape::ramp);
    EXPECT_DOUBLE_EQ(rate_at(ramp, 0s), 10);
    EXPECT_DOUBLE_EQ(rate_at(ramp, 1999ms), 10);
    EXPECT_NEAR(rate_at(ramp, 3s), 20, 1e-9);
    EXPECT_NEAR(rate_at(ramp, 5s), 40, 1e-9);
    EXPECT_DOUBLE_EQ(rate_at(ramp, 6s), 50);
    EXPECT_DOUBLE_EQ(rate_at(ramp, 600s), 50);
}

TEST(RateCurve, RisesInEqualSteps) {
    Load steps = shaped(LoadShape::steps);
    steps.shape.steps = 4;
    for (const auto& [t, rate] : std::vector<std::pair<Duration, double>>{
             {1s, 10}, {2s, 20}, {2999ms, 20}, {3s, 30}, {4500ms, 40}, {5s, 50}, {60s, 50}}) {
        EXPECT_DOUBLE_EQ(rate_at(steps, t), rate) << to_seconds(t);
    }
}

TEST(RateCurve, SpikesOnceOrAgainAndAgain) {
    Load spike = shaped(LoadShape::spike);
    EXPECT_DOUBLE_EQ(rate_at(spike, 1s), 10);
    EXPECT_DOUBLE_EQ(rate_at(spike, 3s), 50);
    EXPECT_DOUBLE_EQ(rate_at(spike, 6s), 10);
    EXPECT_DOUBLE_EQ(rate_at(spike, 13s), 10);
    spike.shape.repeat = 10s;
    EXPECT_DOUBLE_EQ(rate_at(spike, 11s), 10);
    EXPECT_DOUBLE_EQ(rate_at(spike, 13s), 50);
    EXPECT_DOUBLE_EQ(rate_at(spike, 16s), 10);
    EXPECT_DOUBLE_EQ(rate_at(spike, 102s), 50);
}

TEST(RateCurve, SleepsAtFiveAndPeaksAtEightInTheEvening) {
    Load day = shaped(LoadShape::daily, 5, 105);
    day.shape.day = 24s;
    EXPECT_DOUBLE_EQ(rate_at(day, 5s), 5);
    EXPECT_DOUBLE_EQ(rate_at(day, 20s), 105);
    EXPECT_NEAR(rate_at(day, 24s), rate_at(day, 0s), 1e-9) << "one night into the next day";
    EXPECT_NEAR(rate_at(day, 20s + 24s * 5), 105, 1e-9);
}

TEST(RateCurve, HoldsBurstsAndCalmAsLongAsTheirMeansSay) {
    Load bursts = shaped(LoadShape::bursts, 0, 100);
    bursts.shape.calm = 300ms;
    bursts.shape.burst = 100ms;
    RateCurve curve{bursts, 7};
    double up = 0, pieces = 0;
    for (Duration t{}; t < 2'000s;) {
        const auto piece = curve.piece_at(t);
        if (piece.rate_from > 0) {
            up += to_seconds(piece.to - piece.from);
            ++pieces;
        }
        t = piece.to;
    }
    EXPECT_NEAR(up / 2'000, 0.25, 0.015);
    EXPECT_NEAR(up / pieces, 0.1, 0.005);
    EXPECT_DOUBLE_EQ(curve.expected(0s, 1s), RateCurve(bursts, 7).expected(0s, 1s))
        << "looking back begins anew";
}

TEST(RateCurve, KeepsItsBurstsWhateverTheirRate) {
    Load low = shaped(LoadShape::bursts, 10, 20), high = shaped(LoadShape::bursts, 10, 200);
    RateCurve a{low, 3}, b{high, 3};
    for (Duration t{}; t < 100s; t += 10ms) {
        ASSERT_EQ(a.rate_at(t) > 10, b.rate_at(t) > 10) << to_seconds(t);
    }
}

TEST(RateCurve, SaysByWhenSoManyAreExpected) {
    RateCurve ramp{shaped(LoadShape::ramp, 0, 50), 1};
    // Nothing comes before 2 s; then 12.5 t^2 / 2 in t seconds.
    EXPECT_NEAR(to_seconds(ramp.after(0s, 1)), 2 + std::sqrt(2 / 12.5), 1e-8);
    EXPECT_NEAR(to_seconds(ramp.after(0s, 100)), 6, 1e-8);
    EXPECT_NEAR(to_seconds(ramp.after(6s, 100)), 8, 1e-8);
}

TEST(RateCurve, KnowsWhenNobodyWillEverCome) {
    EXPECT_EQ(RateCurve(shaped(LoadShape::spike, 0, 0), 1).after(0s, 1), Duration::max());
    EXPECT_EQ(RateCurve(shaped(LoadShape::spike, 0, 50), 1).after(7s, 1), Duration::max());
    EXPECT_EQ(RateCurve(shaped(LoadShape::constant, 0, 50), 1).after(0s, 1), Duration::max());
}

Load any_shape() {
    Load load;
    load.rate = per_second(*rc::gen::inRange(0, 300));
    load.arrivals = *rc::gen::element(Arrivals::constant, Arrivals::poisson);
    load.shape.kind = *rc::gen::element(LoadShape::constant, LoadShape::ramp, LoadShape::steps,
                                        LoadShape::spike, LoadShape::bursts, LoadShape::daily);
    load.shape.peak = per_second(*rc::gen::inRange(0, 300));
    load.shape.start = Duration{1ms} * *rc::gen::inRange(0, 5'000);
    load.shape.length = Duration{1ms} * *rc::gen::inRange(1, 5'000);
    load.shape.repeat =
        *rc::gen::element(Duration{}, load.shape.length, load.shape.length + Duration{777ms});
    load.shape.steps = *rc::gen::inRange(1, 20);
    load.shape.calm = Duration{1ms} * *rc::gen::inRange(1, 2'000);
    load.shape.burst = Duration{1ms} * *rc::gen::inRange(1, 2'000);
    load.shape.day = Duration{1ms} * *rc::gen::inRange(1'000, 30'000);
    return load;
}

RC_GTEST_PROP(RateCurveProperty, PiecesFollowOneAnotherWithoutGap, ()) {
    const Load load = any_shape();
    RateCurve curve{load, 42};
    for (Duration t{}; t < 20s;) {
        const auto piece = curve.piece_at(t);
        RC_ASSERT(piece.from <= t);
        RC_ASSERT(piece.to > t);
        RC_ASSERT(piece.rate_from >= 0);
        RC_ASSERT(piece.rate_to >= 0);
        if (piece.to == Duration::max()) break;
        t = piece.to;
    }
}

RC_GTEST_PROP(RateCurveProperty, InvertsItsOwnIntegral, ()) {
    const Load load = any_shape();
    RateCurve curve{load, 42};
    const Duration from = Duration{1ms} * *rc::gen::inRange(0, 10'000);
    const double wanted = *rc::gen::inRange(1, 2'000) / 10.0;
    const Duration until = curve.after(from, wanted);
    if (until == Duration::max() || until > 1000s) return;
    RC_ASSERT(until >= from);
    RC_ASSERT(std::abs(curve.expected(from, until) - wanted) < 1e-3);
}

TEST(ShapedArrivals, FollowTheRampInTheirNumbersEvenlySpacedOrNot) {
    for (const Arrivals law : {Arrivals::constant, Arrivals::poisson}) {
        Load load = shaped(LoadShape::ramp, 100, 900);
        load.arrivals = law;
        double before = 0, half = 0, after = 0;
        constexpr int runs = 40;
        for (std::uint64_t seed = 1; seed <= runs; ++seed) {
            const auto due = arrivals(load, 8s, seed);
            before += share_between(due, 0s, 2s) / runs;
            half += share_between(due, 3500ms, 4500ms) / runs;
            after += share_between(due, 6s, 8s) / runs;
        }
        EXPECT_NEAR(before, 100, 4);
        EXPECT_NEAR(half, 500, 12);
        EXPECT_NEAR(after, 900, 15);
    }
}

TEST(ShapedArrivals, ArePoissonWithinALevelPiece) {
    Load load = shaped(LoadShape::spike, 20, 400);
    load.shape.length = 200s;
    std::vector<Duration> due = arrivals(load, 200s);
    std::erase_if(due, [](Duration t) { return t < 2s; });
    double sum = 0, squares = 0;
    for (std::size_t i = 1; i < due.size(); ++i) {
        const double gap = to_ms(due[i] - due[i - 1]);
        sum += gap;
        squares += gap * gap;
    }
    const auto n = static_cast<double>(due.size() - 1);
    EXPECT_NEAR(sum / n, 2.5, 0.05);
    EXPECT_NEAR((squares / n) / (sum / n * sum / n), 2.0, 0.05) << "an exponential law";
}

TEST(ShapedArrivals, RepeatThemselvesForTheSameSeedOnly) {
    const Load load = shaped(LoadShape::bursts, 5, 300);
    EXPECT_EQ(arrivals(load, 30s, 7), arrivals(load, 30s, 7));
    EXPECT_NE(arrivals(load, 30s, 7), arrivals(load, 30s, 8));
}

TEST(ShapedArrivals, ComeMoreUnevenlyInBurstsThanPoissonOnes) {
    // Index of dispersion of counts: 1 for Poisson, well above it for an MMPP.
    const auto dispersion = [](const Load& load) {
        const auto due = arrivals(load, 400s);
        std::vector<double> counts(400, 0);
        for (const Duration t : due) ++counts[static_cast<std::size_t>(to_seconds(t))];
        double sum = 0, squares = 0;
        for (const double n : counts) {
            sum += n;
            squares += n * n;
        }
        const double mean = sum / 400;
        return (squares / 400 - mean * mean) / mean;
    };
    EXPECT_NEAR(dispersion(shaped(LoadShape::constant, 50)), 1.0, 0.25);
    EXPECT_GT(dispersion(shaped(LoadShape::bursts, 10, 200)), 10);
}

Load recorded(std::vector<Duration> times) {
    Load load = shaped(LoadShape::recorded);
    load.shape.recording = {"some.csv",
                            std::make_shared<const std::vector<Duration>>(std::move(times))};
    return load;
}

TEST(ShapedArrivals, ComeAsRecordedAndThenNoMore) {
    const Load load = recorded({100ms, 100ms, 250ms, 3s});
    EXPECT_EQ(arrivals(load, 100s), (std::vector<Duration>{100ms, 100ms, 250ms, 3s}));
}

TEST(ShapedArrivals, SkipWhatOfARecordingIsPast) {
    const ArrivalSchedule late{recorded({100ms, 250ms, 3s}), 42, at(1s), at(0s)};
    EXPECT_EQ(late.peek(), at(3s));
}

TEST(ShapedArrivals, BeginAShapeWhenItIsChosen) {
    Load load = shaped(LoadShape::constant, 10);
    load.arrivals = Arrivals::constant;
    ArrivalSchedule schedule{load, 42, at(0s)};
    while (schedule.peek() <= at(100s)) static_cast<void>(schedule.take());
    load.shape.kind = LoadShape::spike;
    schedule.change(load, at(100s));
    EXPECT_EQ(schedule.origin(), at(100s));
    int in_spike = 0;
    for (; schedule.peek() < at(106s); static_cast<void>(schedule.take())) {
        in_spike += schedule.peek() >= at(102s) ? 1 : 0;
    }
    EXPECT_NEAR(in_spike, 200, 2);
}

TEST(ShapedArrivals, GoOnFromWhereTheyStandWhenAFigureMoves) {
    // A slider dragged at sixty a second puts no arrival off and makes none too many.
    for (const Arrivals law : {Arrivals::constant, Arrivals::poisson}) {
        Load load = shaped(LoadShape::spike, 10, 10);
        load.arrivals = law;
        ArrivalSchedule schedule{load, 42, at(0s)};
        int taken = 0, moved = 0;
        for (Instant now = at(0s); now < at(1'000s); now += 16ms) {
            for (; schedule.peek() <= now; ++taken) static_cast<void>(schedule.take());
            load.rate = per_second(++moved % 2 == 0 ? 9.0 : 11.0);
            schedule.change(load, now);
            ASSERT_EQ(schedule.origin(), at(0s));
        }
        EXPECT_NEAR(taken, 10'000, 300);
    }
}

TEST(ShapedArrivals, LeaveAnOverdueArrivalDue) {
    Load load = shaped(LoadShape::ramp, 10);
    load.arrivals = Arrivals::constant;
    ArrivalSchedule schedule{load, 1, at(0s)};
    load.rate = per_second(100);
    schedule.change(load, at(1s));
    EXPECT_EQ(schedule.peek(), at(100ms));
}

}  // namespace
}  // namespace lab::core
