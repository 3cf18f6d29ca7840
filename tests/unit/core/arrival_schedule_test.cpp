// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/arrival_schedule.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <vector>

#include "support/time.hpp"

namespace lab::core {
namespace {

using test::at;

ArrivalRate per_second(double n) { return ArrivalRate::per_second(n); }

std::vector<Instant> first(ArrivalSchedule& schedule, int count) {
    std::vector<Instant> due;
    for (int i = 0; i < count; ++i) {
        due.push_back(schedule.peek());
        static_cast<void>(schedule.take());
    }
    return due;
}

TEST(ArrivalSchedule, SpacesConstantArrivalsEvenly) {
    ArrivalSchedule schedule{per_second(100), Arrivals::constant, 1, at(1s)};
    EXPECT_EQ(first(schedule, 3), (std::vector<Instant>{at(1010ms), at(1020ms), at(1030ms)}));
}

TEST(ArrivalSchedule, DoesNotDriftWhereTheGapIsNoWholeNumberOfNanoseconds) {
    ArrivalSchedule schedule{per_second(3'000), Arrivals::constant, 1, at(0s)};
    const auto due = first(schedule, 3'000 * 60);
    EXPECT_EQ(due.back(), at(60s));
}

TEST(ArrivalSchedule, NumbersTheRequestsFromOne) {
    ArrivalSchedule schedule{per_second(100), Arrivals::poisson, 1, at(0s)};
    EXPECT_EQ(schedule.take(), 1u);
    EXPECT_EQ(schedule.take(), 2u);
}

TEST(ArrivalSchedule, GivesPoissonArrivalsTheirMeanAndTheirSpread) {
    ArrivalSchedule schedule{per_second(200), Arrivals::poisson, 42, at(0s)};
    constexpr int count = 200'000;
    const auto due = first(schedule, count);
    double sum = 0, squares = 0, together = 0, before = 0;
    Instant last = at(0s);
    for (const Instant instant : due) {
        ASSERT_GE(instant, last);
        const double gap = to_ms(instant - last);
        sum += gap;
        squares += gap * gap;
        together += gap * before;
        before = gap;
        last = instant;
    }
    const double mean = sum / count;
    const double variance = squares / count - mean * mean;
    EXPECT_NEAR(mean, 5.0, 0.05);
    EXPECT_NEAR(std::sqrt(variance) / mean, 1.0, 0.02) << "an exponential law's spread is its mean";
    EXPECT_NEAR((together / count - mean * mean) / variance, 0.0, 0.01)
        << "gaps know nothing of others";
}

TEST(ArrivalSchedule, RepeatsItselfForTheSameSeedOnly) {
    ArrivalSchedule a{per_second(50), Arrivals::poisson, 7, at(0s)};
    ArrivalSchedule b{per_second(50), Arrivals::poisson, 7, at(0s)};
    ArrivalSchedule other{per_second(50), Arrivals::poisson, 8, at(0s)};
    const auto due = first(a, 100);
    EXPECT_EQ(due, first(b, 100));
    EXPECT_NE(due, first(other, 100));
}

TEST(ArrivalSchedule, PlansNothingAtRateZero) {
    ArrivalSchedule schedule{per_second(0), Arrivals::poisson, 1, at(0s)};
    EXPECT_EQ(schedule.peek(), Instant::max());
    schedule.set_rate(per_second(10), Arrivals::constant, at(5s));
    EXPECT_EQ(schedule.peek(), at(5100ms));
    schedule.set_rate(per_second(0), Arrivals::constant, at(5050ms));
    EXPECT_EQ(schedule.peek(), Instant::max());
}

TEST(ArrivalSchedule, StretchesTheRunningGapToANewRate) {
    ArrivalSchedule schedule{per_second(10), Arrivals::constant, 1, at(0s)};
    schedule.set_rate(per_second(20), Arrivals::constant, at(40ms));
    EXPECT_EQ(first(schedule, 3), (std::vector<Instant>{at(70ms), at(120ms), at(170ms)}));
}

TEST(ArrivalSchedule, LeavesAnOverdueArrivalDue) {
    ArrivalSchedule schedule{per_second(10), Arrivals::constant, 1, at(0s)};
    schedule.set_rate(per_second(100), Arrivals::constant, at(1s));
    EXPECT_EQ(first(schedule, 2), (std::vector<Instant>{at(100ms), at(110ms)}));
}

TEST(ArrivalSchedule, BeginsANewGapForAnotherLaw) {
    ArrivalSchedule schedule{per_second(10), Arrivals::poisson, 1, at(0s)};
    const Instant now = at(1ns);
    schedule.set_rate(per_second(10), Arrivals::constant, now);
    EXPECT_EQ(schedule.peek(), now + 100ms);
}

TEST(ArrivalSchedule, KeepsTheRateWhileSomebodyDragsIt) {
    // A slider that moves sixty times a second must not put arrivals off.
    for (const Arrivals law : {Arrivals::constant, Arrivals::poisson}) {
        ArrivalSchedule schedule{per_second(10), law, 42, at(0s)};
        int taken = 0;
        int step = 0;
        for (Instant now = at(0s); now < at(1'000s); now += 16ms) {
            while (schedule.peek() <= now) {
                static_cast<void>(schedule.take());
                ++taken;
            }
            schedule.set_rate(per_second(step++ % 2 == 0 ? 9.0 : 11.0), law, now);
        }
        EXPECT_NEAR(taken, 10'000, 300);
    }
}

TEST(ArrivalSchedule, PutsAPoissonRateIntoForceAtOnce) {
    double before = 0, after = 0;
    for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
        ArrivalSchedule schedule{per_second(100), Arrivals::poisson, seed, at(0s)};
        for (; schedule.peek() < at(500ms); ++before) static_cast<void>(schedule.take());
        schedule.set_rate(per_second(400), Arrivals::poisson, at(500ms));
        for (; schedule.peek() < at(1s); ++after) static_cast<void>(schedule.take());
    }
    EXPECT_NEAR(before / 2'000, 50, 0.8);
    EXPECT_NEAR(after / 2'000, 200, 1.6);
}

Load load_of(int keys, int users) {
    Load load;
    load.keys = keys;
    load.users = users;
    return load;
}

TEST(RequestMix, ChoosesRoutesByTheirWeight) {
    const RequestMix mix{load_of(10, 10), {1, 0, 3}, 42};
    std::map<std::uint32_t, int> seen;
    for (RequestId id = 1; id <= 40'000; ++id) {
        Planned planned{.id = id};
        mix.describe(planned);
        ++seen[planned.route];
    }
    EXPECT_NEAR(seen[0], 10'000, 400);
    EXPECT_EQ(seen.count(1), 0u);
    EXPECT_NEAR(seen[2], 30'000, 400);
}

TEST(RequestMix, NeverChoosesAWeightlessRouteAtEitherEnd) {
    const RequestMix mix{load_of(10, 10), {0, 1, 0}, 42};
    for (RequestId id = 1; id <= 10'000; ++id) {
        Planned planned{.id = id};
        mix.describe(planned);
        ASSERT_EQ(planned.route, 1u);
    }
}

TEST(RequestMix, DrawsKeysAndUsersFromTheirRange) {
    const RequestMix mix{load_of(5, 3), {1}, 42};
    std::map<std::uint64_t, int> keys;
    std::map<std::uint32_t, int> users;
    for (RequestId id = 1; id <= 30'000; ++id) {
        Planned planned{.id = id};
        mix.describe(planned);
        ++keys[planned.key];
        ++users[planned.user];
    }
    ASSERT_EQ(keys.size(), 5u);
    ASSERT_EQ(users.size(), 3u);
    for (const auto& [key, count] : keys) EXPECT_NEAR(count, 6'000, 350) << "key " << key;
    for (const auto& [user, count] : users) EXPECT_NEAR(count, 10'000, 400) << "user " << user;
}

TEST(RequestMix, AsksForTheFirstKeyMostUnderZipf) {
    Load load = load_of(1'000, 10);
    load.zipf = 1.0;
    const RequestMix mix{load, {1}, 42};
    std::map<std::uint64_t, int> keys;
    for (RequestId id = 1; id <= 20'000; ++id) {
        Planned planned{.id = id};
        mix.describe(planned);
        ++keys[planned.key];
    }
    EXPECT_NEAR(keys[0], 2 * keys[1], 250);
    EXPECT_GT(keys[0], keys[10]);
}

TEST(RequestMix, KeepsTheAskingUserInClosedLoop) {
    Load load = load_of(5, 3);
    load.model = LoadModel::closed;
    const RequestMix mix{load, {1}, 42};
    for (RequestId id = 1; id <= 20; ++id) {
        Planned planned{.id = id, .user = 77};
        mix.describe(planned);
        EXPECT_EQ(planned.user, 77u);
    }
}

TEST(RequestMix, DescribesARequestByItsNumberAlone) {
    const RequestMix mix{load_of(1'000, 100), {1, 1}, 42};
    Planned forwards{.id = 9};
    for (RequestId id = 1; id <= 9; ++id) {
        forwards.id = id;
        mix.describe(forwards);
    }
    Planned alone{.id = 9};
    mix.describe(alone);
    EXPECT_EQ(forwards.route, alone.route);
    EXPECT_EQ(forwards.key, alone.key);
    EXPECT_EQ(forwards.user, alone.user);
}

}  // namespace
}  // namespace lab::core
