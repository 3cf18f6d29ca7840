// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "core/retry_policy.hpp"
#include "support/time.hpp"

namespace lab::core {
namespace {

using test::at;

Retry retry_of(int most, double budget = 0) {
    Retry retry;
    retry.most = most;
    retry.budget = budget;
    return retry;
}

TEST(RetryPolicy, AsksAgainAfterWhatItIsToldTo) {
    using enum Ending;
    const std::map<RetryOn, std::set<Ending>> wanted{
        {RetryOn::all, {timed_out, rejected, reset, http_5xx}},
        {RetryOn::timeouts, {timed_out}},
        {RetryOn::errors, {rejected, reset, http_5xx}},
        {RetryOn::rejected, {rejected}}};
    for (const auto& [on, endings] : wanted) {
        for (const Ending e : {ok, timed_out, rejected, reset, not_sent, http_4xx, http_5xx}) {
            EXPECT_EQ(is_retried(on, e), endings.contains(e))
                << static_cast<int>(on) << " " << static_cast<int>(e);
        }
    }
}

TEST(RetryPolicy, StopsAfterTheMost) {
    RetryPolicy policy{retry_of(2), 42};
    EXPECT_TRUE(policy.next(1, 1, Ending::reset));
    EXPECT_TRUE(policy.next(1, 2, Ending::reset));
    EXPECT_FALSE(policy.next(1, 3, Ending::reset));
    EXPECT_FALSE(RetryPolicy(Retry{}, 42).next(1, 1, Ending::reset)) << "0 retries";
}

TEST(RetryPolicy, PausesConstantlyOrWithFullJitter) {
    Retry retry = retry_of(10);
    retry.base = 100ms;
    retry.cap = 1s;
    retry.back_off = BackOff::constant;
    EXPECT_EQ(RetryPolicy(retry, 42).next(7, 5, Ending::reset), Duration{100ms});
    retry.back_off = BackOff::exponential;
    RetryPolicy policy{retry, 42};
    for (int made = 1; made <= 6; ++made) {
        const double limit = std::min(100.0 * (1 << (made - 1)), 1000.0);
        double sum = 0, most = 0, least = limit;
        for (RequestId id = 1; id <= 4'000; ++id) {
            const double pause = to_ms(policy.next(id, made, Ending::reset).value());
            sum += pause;
            most = std::max(most, pause);
            least = std::min(least, pause);
        }
        EXPECT_NEAR(sum / 4'000, limit / 2, limit * 0.02) << "attempt " << made;
        EXPECT_LT(most, limit);
        EXPECT_LT(least, limit * 0.01) << "full jitter begins at nothing";
    }
}

TEST(RetryPolicy, DrawsThePauseFromSeedRequestAndAttemptAlone) {
    RetryPolicy a{retry_of(5), 42}, b{retry_of(5), 42}, other{retry_of(5), 43};
    static_cast<void>(a.next(1, 1, Ending::reset));
    EXPECT_EQ(a.next(9, 2, Ending::reset), b.next(9, 2, Ending::reset));
    EXPECT_NE(a.next(9, 2, Ending::reset), a.next(9, 3, Ending::reset));
    EXPECT_NE(a.next(9, 2, Ending::reset), other.next(9, 2, Ending::reset));
}

TEST(RetryPolicy, SpendsItsBudgetAndNoMore) {
    RetryPolicy policy{retry_of(3, 0.1), 42};
    int retries = 0;
    for (RequestId id = 1; id <= 10'000; ++id) {
        policy.begun();
        for (int made = 1; policy.next(id, made, Ending::timed_out); ++made) ++retries;
    }
    EXPECT_LE(retries, 1'010);
    EXPECT_GE(retries, 990) << "and it does spend it";
}

RC_GTEST_PROP(RetryPolicyProperty, NeverExceedsTheBudgetInWhateverOrder, ()) {
    const double budget = *rc::gen::inRange(1, 100) / 100.0;
    RetryPolicy policy{retry_of(20, budget), 42};
    double begun = 0, retries = 0;
    for (int i = 0; i < 500; ++i) {
        if (*rc::gen::inRange(0, 3) == 0) {
            policy.begun();
            ++begun;
        } else if (policy.next(static_cast<RequestId>(i), 1, Ending::rejected)) {
            ++retries;
        }
        RC_ASSERT(retries <= RetryPolicy::most_tokens + budget * begun + 1e-6);
    }
}

TEST(GiveUp, IsTheTimeLimitOrThePatienceWhicheverIsFirst) {
    Load load;
    load.timeout = 10s;
    const Planned planned{.id = 5, .intended = at(3s)};
    EXPECT_EQ(give_up_at(load, 42, planned).at, at(13s));
    EXPECT_FALSE(give_up_at(load, 42, planned).leaves);
    load.patience = Distribution::constant(2s);
    EXPECT_EQ(give_up_at(load, 42, planned).at, at(5s));
    EXPECT_TRUE(give_up_at(load, 42, planned).leaves);
    load.patience = Distribution::constant(20s);
    EXPECT_FALSE(give_up_at(load, 42, planned).leaves);
    load.patience = Distribution::exponential(1s);
    double sum = 0;
    for (RequestId id = 1; id <= 10'000; ++id) {
        sum += to_seconds(give_up_at(load, 42, {.id = id, .intended = at(0s)}).at - at(0s));
    }
    EXPECT_NEAR(sum / 10'000, 1, 0.03) << "each has a patience of his own";
}

TEST(Visits, AreAsLongAsTheyShouldBeAndKeepTheirUser) {
    Load load;
    load.session = 4;
    load.think = Distribution::constant(2s);
    double requests = 0;
    constexpr int visits = 20'000;
    std::set<RequestId> ids;
    for (RequestId visit = 1; visit <= visits; ++visit) {
        Planned planned{.id = visit, .user = 77};
        Instant done = at(1s);
        for (;;) {
            ++requests;
            ASSERT_TRUE(ids.insert(planned.id).second);
            ASSERT_EQ(visit_of(planned.id), visit);
            ASSERT_EQ(planned.user, 77u);
            const auto next = next_of_visit(load, 42, planned, done);
            if (!next) break;
            ASSERT_EQ(next->intended, done + 2s);
            planned = *next;
            done = planned.intended + 100ms;
        }
    }
    EXPECT_NEAR(requests / visits, 4, 0.1);
    load.session = 1;
    EXPECT_FALSE(next_of_visit(load, 42, {.id = 1}, at(0s)));
}

RC_GTEST_PROP(InShare, TakesItsShareOfAnyFirstFewEvenly, ()) {
    const double share = *rc::gen::inRange(0, 101) / 100.0;
    double in = 0;
    for (std::uint64_t n = 0; n < 1'000; ++n) {
        in += in_share(n, share) ? 1 : 0;
        RC_ASSERT(std::abs(in - share * static_cast<double>(n + 1)) < 1.001);
    }
}

}  // namespace
}  // namespace lab::core
