// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/queue_pool.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

#include "support/time.hpp"

namespace lab::core {
namespace {

using test::at;

TEST(QueuePool, OpensWhatItNeedsAndUsesAgainWhatItKept) {
    QueuePool pool{{.kept = 1, .overflow = 0}};
    const auto first = pool.acquire(1, at(0ms));
    EXPECT_TRUE(first.opens);
    EXPECT_FALSE(pool.release(first.grant.slot, at(1ms)).closes);
    EXPECT_EQ(pool.idle(), 1);
    EXPECT_FALSE(pool.acquire(2, at(2ms)).opens);
    EXPECT_EQ(pool.open(), 1);
}

TEST(QueuePool, OpensOverflowOnDemandAndClosesItOnReturn) {
    QueuePool pool{{.kept = 2, .overflow = 1}};
    int slots[3] = {};
    for (int i = 0; i < 3; ++i) {
        const auto taken = pool.acquire(static_cast<Ticket>(i), at(0ms));
        ASSERT_EQ(taken.grant.admission, Admission::granted);
        EXPECT_TRUE(taken.opens);
        slots[i] = taken.grant.slot;
    }
    EXPECT_EQ(pool.acquire(9, at(0ms)).grant.admission, Admission::queued);
    ASSERT_TRUE(pool.withdraw(9));
    EXPECT_FALSE(pool.release(slots[0], at(1ms)).closes);
    EXPECT_FALSE(pool.release(slots[1], at(1ms)).closes);
    EXPECT_TRUE(pool.release(slots[2], at(1ms)).closes) << "two are kept already";
    EXPECT_EQ(pool.open(), 2);
}

TEST(QueuePool, HandsAnOverflowConnectionToWhoWaitsInsteadOfClosingIt) {
    QueuePool pool{{.kept = 1, .overflow = 1}};
    pool.acquire(1, at(0ms));
    const auto overflow = pool.acquire(2, at(0ms));
    ASSERT_EQ(pool.acquire(3, at(0ms)).grant.admission, Admission::queued);
    const auto back = pool.release(overflow.grant.slot, at(1ms));
    ASSERT_TRUE(back.wake);
    EXPECT_EQ(back.wake->ticket, 3u);
    EXPECT_FALSE(back.opens);
    EXPECT_FALSE(back.closes);
}

TEST(QueuePool, LetsTheNextOpenOneWhereOneCouldNotBeOpened) {
    QueuePool pool{{.kept = 1, .overflow = 0}};
    const auto first = pool.acquire(1, at(0ms));
    pool.acquire(2, at(0ms));
    const auto back = pool.release(first.grant.slot, at(1ms), true);
    ASSERT_TRUE(back.wake);
    EXPECT_TRUE(back.opens);
    const auto again = pool.release(back.wake->slot, at(2ms), true);
    EXPECT_FALSE(again.closes);
    EXPECT_EQ(pool.open(), 0);
}

TEST(QueuePool, GivesUpWhoHasWaitedTooLong) {
    QueuePool pool{{.kept = 1, .overflow = 0, .patience = 30s}};
    pool.acquire(1, at(0ms));
    pool.acquire(2, at(1s));
    EXPECT_TRUE(pool.expire(at(31s) - 1ns).empty());
    EXPECT_EQ(pool.expire(at(31s)), std::vector<Ticket>{2});
    EXPECT_EQ(pool.waiting(), 0);
}

TEST(QueuePool, ClosesIdleOnesWhenItKeepsFewer) {
    QueuePool pool{{.kept = 3, .overflow = 0}};
    for (Ticket i = 0; i < 3; ++i) pool.acquire(i, at(0ms));
    for (int slot = 0; slot < 3; ++slot) pool.release(slot, at(1ms));
    EXPECT_EQ(pool.configure({.kept = 1, .overflow = 0}, at(2ms)).closes, 2);
    EXPECT_EQ(pool.idle(), 1);
}

/// Keeps books of its own, by tickets and by how many connections it was told to open and close.
RC_GTEST_PROP(QueuePoolProperty, NeverHasMoreOpenThanItMayAndKeepsNoMoreThanItSays, ()) {
    const QueuePool::Options options{*rc::gen::inRange(1, 5), *rc::gen::inRange(0, 4), 0ms};
    QueuePool pool{options};
    std::map<int, Ticket> holders;
    std::set<Ticket> waiting;
    int open = 0;
    Ticket next = 0;
    for (int step = 0; step < 60; ++step) {
        const Instant now = at(Duration{1ms} * step);
        if (holders.empty() || *rc::gen::inRange(0, 2) == 0) {
            const auto taken = pool.acquire(++next, now);
            if (taken.grant.admission == Admission::granted) {
                RC_ASSERT(holders.emplace(taken.grant.slot, next).second);
                open += taken.opens ? 1 : 0;
            } else {
                waiting.insert(next);
            }
        } else {
            const int slot = holders.begin()->first;
            holders.erase(slot);
            const bool broken = *rc::gen::inRange(0, 5) == 0;
            open -= broken ? 1 : 0;
            const auto back = pool.release(slot, now, broken);
            RC_ASSERT(back.wake.has_value() == !waiting.empty());
            if (back.wake) {
                RC_ASSERT(back.wake->ticket == *waiting.begin());
                waiting.erase(waiting.begin());
                RC_ASSERT(holders.emplace(back.wake->slot, back.wake->ticket).second);
                open += back.opens ? 1 : 0;
            }
            open -= back.closes ? 1 : 0;
        }
        RC_ASSERT(pool.open() == open);
        RC_ASSERT(open <= options.kept + options.overflow);
        RC_ASSERT(pool.idle() <= options.kept);
        RC_ASSERT(waiting.empty() || pool.in_use() == options.kept + options.overflow);
    }
}

}  // namespace
}  // namespace lab::core
