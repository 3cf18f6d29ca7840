// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <deque>

#include "core/circuit_breaker.hpp"
#include "support/time.hpp"

namespace lab::core {
namespace {

using test::at;
using State = CircuitBreaker::State;

constexpr Breaker half{.share = 0.5, .window = 1s, .calls = 10, .pause = 2s};

/// Attempts that end at once.
void attempts(CircuitBreaker& breaker, int count, bool failed, Instant now) {
    for (int i = 0; i < count; ++i) breaker.ended(breaker.admit(now), failed, now);
}

CircuitBreaker opened_at(Instant now) {
    CircuitBreaker breaker{half};
    attempts(breaker, 10, true, now);
    return breaker;
}

TEST(CircuitBreaker, OpensAtItsShareOfFailuresAndNotBefore) {
    CircuitBreaker breaker{half};
    attempts(breaker, 9, true, at(0s));
    EXPECT_EQ(breaker.state(at(0s)), State::closed) << "nine are too few to judge by";
    attempts(breaker, 1, true, at(0s));
    EXPECT_EQ(breaker.state(at(0s)), State::open);

    CircuitBreaker mixed{half};
    attempts(mixed, 11, false, at(0s));
    attempts(mixed, 10, true, at(100ms));
    EXPECT_EQ(mixed.state(at(100ms)), State::closed);
    attempts(mixed, 1, true, at(100ms));
    EXPECT_EQ(mixed.state(at(100ms)), State::open);
}

TEST(CircuitBreaker, ForgetsWhatIsOlderThanItsWindow) {
    CircuitBreaker breaker{half};
    attempts(breaker, 9, true, at(0s));
    attempts(breaker, 9, true, at(1100ms));
    EXPECT_EQ(breaker.state(at(1100ms)), State::closed);
    attempts(breaker, 9, true, at(60s));
    EXPECT_EQ(breaker.state(at(60s)), State::closed);
}

TEST(CircuitBreaker, LetsOneTryAfterThePause) {
    CircuitBreaker breaker = opened_at(at(0s));
    EXPECT_FALSE(breaker.admit(at(1999ms)).granted);
    const auto trial = breaker.admit(at(2s));
    EXPECT_TRUE(trial.granted);
    EXPECT_TRUE(trial.trial);
    EXPECT_FALSE(breaker.admit(at(2s)).granted) << "one at a time";
    breaker.ended(trial, false, at(2100ms));
    EXPECT_EQ(breaker.state(at(2100ms)), State::closed);
    attempts(breaker, 9, true, at(2100ms));
    EXPECT_EQ(breaker.state(at(2100ms)), State::closed) << "with a clean slate";
}

TEST(CircuitBreaker, StaysOpenWhenTheTrialFails) {
    CircuitBreaker breaker = opened_at(at(0s));
    breaker.ended(breaker.admit(at(2s)), true, at(3s));
    EXPECT_FALSE(breaker.admit(at(4999ms)).granted);
    EXPECT_TRUE(breaker.admit(at(5s)).granted);
}

TEST(CircuitBreaker, TriesAgainWhereTheTrialWasCalledOff) {
    CircuitBreaker breaker = opened_at(at(0s));
    breaker.called_off(breaker.admit(at(2s)));
    EXPECT_TRUE(breaker.admit(at(2s)).granted);
}

TEST(CircuitBreaker, HeedsNothingThatWasSentBeforeItOpened) {
    CircuitBreaker breaker{half};
    const auto early = breaker.admit(at(0s));
    attempts(breaker, 10, true, at(0s));
    const auto trial = breaker.admit(at(2s));
    breaker.ended(early, false, at(2s));
    EXPECT_EQ(breaker.state(at(2s)), State::half_open) << "only the trial decides";
    breaker.ended(trial, true, at(2s));
    breaker.ended(early, false, at(2s));
    EXPECT_EQ(breaker.state(at(2s)), State::open);
}

TEST(CircuitBreaker, TellsHowLongItWasNotClosed) {
    CircuitBreaker breaker = opened_at(at(1s));
    EXPECT_EQ(breaker.not_closed(at(2s)), 1s);
    breaker.ended(breaker.admit(at(3s)), true, at(4s));
    breaker.ended(breaker.admit(at(6s)), false, at(7s));
    EXPECT_EQ(breaker.not_closed(at(60s)), 6s);
}

TEST(CircuitBreaker, IsNotThereAtShareZeroAndCanBeTakenAway) {
    CircuitBreaker none{Breaker{}};
    attempts(none, 1'000, true, at(0s));
    EXPECT_TRUE(none.admit(at(0s)).granted);
    CircuitBreaker breaker = opened_at(at(0s));
    breaker.change(Breaker{}, at(1s));
    EXPECT_TRUE(breaker.admit(at(1s)).granted);
    EXPECT_EQ(breaker.not_closed(at(9s)), 1s);
}

RC_GTEST_PROP(CircuitBreakerProperty, AdmitsNothingWhileItIsOpenAndOneWhileHalfOpen, ()) {
    CircuitBreaker breaker{{.share = 0.3, .window = 100ms, .calls = 3, .pause = 50ms}};
    std::deque<CircuitBreaker::Permit> out;
    Instant now = at(0s);
    Duration before{};
    for (int i = 0; i < 400; ++i) {
        now += Duration{1ms} * *rc::gen::inRange(0, 20);
        const State state = breaker.state(now);
        if (*rc::gen::inRange(0, 2) == 0) {
            const auto permit = breaker.admit(now);
            RC_ASSERT(permit.granted || state != State::closed);
            RC_ASSERT(!permit.granted || state != State::open);
            RC_ASSERT(permit.trial == (permit.granted && state == State::half_open));
            if (permit.granted) out.push_back(permit);
        } else if (!out.empty()) {
            breaker.ended(out.front(), *rc::gen::inRange(0, 3) == 0, now);
            out.pop_front();
        }
        const Duration so_far = breaker.not_closed(now);
        RC_ASSERT(so_far >= before);
        RC_ASSERT(so_far <= now - at(0s));
        before = so_far;
    }
}

}  // namespace
}  // namespace lab::core
