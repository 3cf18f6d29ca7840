// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

#include "core/hedge_policy.hpp"

namespace lab::core {
namespace {

TEST(HedgePolicy, SendsNoCopyUnlessToldTo) {
    HedgePolicy policy{Hedge{}};
    for (int i = 0; i < 100; ++i) policy.answered(1s);
    EXPECT_FALSE(policy.delay());
}

TEST(HedgePolicy, WaitsItsFixedTime) {
    HedgePolicy policy{{.after = 80ms, .percentile = 0}};
    policy.answered(5s);
    EXPECT_EQ(policy.delay(), Duration{80ms});
}

TEST(HedgePolicy, WaitsForThePercentileOnceItKnowsOne) {
    HedgePolicy policy{{.after = {}, .percentile = 95}};
    for (int i = 1; i < 20; ++i) policy.answered(1ms);
    EXPECT_FALSE(policy.delay()) << "nineteen are too few";
    policy.answered(1ms);
    EXPECT_EQ(policy.delay(), Duration{1ms});
    HedgePolicy thousand{{.after = {}, .percentile = 95}};
    for (int i = 1; i <= 1'000; ++i) thousand.answered(Duration{1ms} * i);
    EXPECT_EQ(thousand.delay(), Duration{950ms});
}

TEST(HedgePolicy, HasAFixedTimeUntilThen) {
    HedgePolicy policy{{.after = 70ms, .percentile = 50}};
    EXPECT_EQ(policy.delay(), Duration{70ms});
}

TEST(HedgePolicy, ForgetsOldAnswers) {
    HedgePolicy policy{{.after = {}, .percentile = 90}};
    for (int i = 0; i < 1'000; ++i) policy.answered(1s);
    for (int i = 0; i < 1'000; ++i) policy.answered(2ms);
    EXPECT_EQ(policy.delay(), Duration{2ms});
}

TEST(HedgePolicy, TakesUpANewPercentileAtOnce) {
    HedgePolicy policy{{.after = {}, .percentile = 50}};
    for (int i = 1; i <= 100; ++i) policy.answered(Duration{1ms} * i);
    policy.change({.after = {}, .percentile = 99});
    EXPECT_EQ(policy.delay(), Duration{99ms});
    policy.change({});
    EXPECT_FALSE(policy.delay());
}

RC_GTEST_PROP(HedgePolicyProperty, CopiesAboutTheShareAboveThePercentile, ()) {
    const double percentile = *rc::gen::inRange(50, 100);
    HedgePolicy policy{{.after = {}, .percentile = percentile}};
    std::vector<Duration> all;
    for (int i = 0; i < 1'000; ++i) {
        all.push_back(Duration{*rc::gen::inRange(1, 1'000'000) * 1'000 + i});
        policy.answered(all.back());
    }
    const auto above = std::count_if(all.begin(), all.end(),
                                     [&](Duration d) { return d > policy.delay().value(); });
    RC_ASSERT(static_cast<double>(above) <= (100 - percentile) * 10 + 0.5);
    RC_ASSERT(static_cast<double>(above) >= (100 - percentile) * 10 - 1.5);
}

}  // namespace
}  // namespace lab::core
