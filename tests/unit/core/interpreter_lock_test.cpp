// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/interpreter_lock.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "support/time.hpp"

namespace lab::core {
namespace {

using test::at;

TEST(InterpreterLock, IsTakenAtOnceWhereItIsFree) {
    InterpreterLock lock{5ms};
    EXPECT_TRUE(lock.acquire(1, at(0ms)));
    EXPECT_EQ(lock.holder(), 1u);
    EXPECT_FALSE(lock.acquire(2, at(0ms)));
    EXPECT_EQ(lock.waiting(), (std::vector<Ticket>{2}));
}

TEST(InterpreterLock, IsAskedForWhenAWholeIntervalHasPassed) {
    InterpreterLock lock{5ms};
    EXPECT_TRUE(lock.acquire(1, at(0ms)));
    EXPECT_FALSE(lock.acquire(2, at(1ms)));
    EXPECT_FALSE(lock.drop_requested());
    EXPECT_EQ(lock.ask(2, at(6ms)), at(11ms));
    EXPECT_TRUE(lock.drop_requested());
}

TEST(InterpreterLock, IsNotAskedForWhereItChangedHandsInTheInterval) {
    InterpreterLock lock{5ms};
    EXPECT_TRUE(lock.acquire(1, at(0ms)));
    EXPECT_FALSE(lock.acquire(2, at(0ms)));
    lock.release(1, at(3ms), false);
    EXPECT_TRUE(lock.acquire(3, at(3ms))) << "who arrives may pass those who wait";
    static_cast<void>(lock.ask(2, at(5ms)));
    EXPECT_FALSE(lock.drop_requested());
    static_cast<void>(lock.ask(2, at(10ms)));
    EXPECT_TRUE(lock.drop_requested());
}

TEST(InterpreterLock, IsAskedForThoughItsHolderLetItGoAndTookItAgain) {
    InterpreterLock lock{5ms};
    EXPECT_TRUE(lock.acquire(1, at(0ms)));
    EXPECT_FALSE(lock.acquire(2, at(0ms)));
    lock.release(1, at(2ms), false);
    EXPECT_TRUE(lock.acquire(1, at(3ms))) << "a short wait, and back before the waiter woke";
    static_cast<void>(lock.ask(2, at(5ms)));
    EXPECT_TRUE(lock.drop_requested());
    EXPECT_EQ(lock.switches(), 1u);
}

TEST(InterpreterLock, IsNotAskedForWhileItIsFree) {
    InterpreterLock lock{5ms};
    EXPECT_TRUE(lock.acquire(1, at(0ms)));
    EXPECT_FALSE(lock.acquire(2, at(0ms)));
    lock.release(1, at(4ms), false);
    static_cast<void>(lock.ask(2, at(5ms)));
    EXPECT_FALSE(lock.drop_requested());
    EXPECT_TRUE(lock.retry(2, at(5ms)));
}

TEST(InterpreterLock, DoesNotGoBackToWhoWasAskedBeforeAnotherHadIt) {
    InterpreterLock lock{5ms};
    EXPECT_TRUE(lock.acquire(1, at(0ms)));
    EXPECT_FALSE(lock.acquire(2, at(0ms)));
    static_cast<void>(lock.ask(2, at(5ms)));
    lock.release(1, at(5ms), true);
    EXPECT_FALSE(lock.acquire(1, at(5ms))) << "free, but not for this thread";
    EXPECT_EQ(lock.holder(), std::nullopt);
    EXPECT_FALSE(lock.retry(1, at(5ms)));
    EXPECT_TRUE(lock.retry(2, at(5ms)));
    lock.release(2, at(6ms), false);
    EXPECT_TRUE(lock.retry(1, at(6ms)));
    EXPECT_EQ(lock.switches(), 3u);
}

TEST(InterpreterLock, MayGoBackAtOnceToWhoLetItGoForAWait) {
    InterpreterLock lock{5ms};
    EXPECT_TRUE(lock.acquire(1, at(0ms)));
    EXPECT_FALSE(lock.acquire(2, at(0ms)));
    lock.release(1, at(1ms), false);
    EXPECT_TRUE(lock.acquire(1, at(1ms)));
}

TEST(InterpreterLock, ServesAnArrivalBeforeTheWaiterThatIsStillWakingUp) {
    InterpreterLock lock{5ms};
    EXPECT_TRUE(lock.acquire(1, at(0ms)));
    EXPECT_FALSE(lock.acquire(2, at(0ms)));
    static_cast<void>(lock.ask(2, at(5ms)));
    lock.release(1, at(5ms), true);
    EXPECT_TRUE(lock.acquire(3, at(5ms)));
    EXPECT_FALSE(lock.retry(2, at(5ms)));
    EXPECT_FALSE(lock.drop_requested()) << "the request was for the holder before";
    lock.release(3, at(6ms), false);
    EXPECT_TRUE(lock.acquire(1, at(6ms))) << "another has had it";
}

TEST(InterpreterLock, BeginsANewIntervalForAWaiterThatWokeInVain) {
    InterpreterLock lock{5ms};
    EXPECT_TRUE(lock.acquire(1, at(0ms)));
    EXPECT_FALSE(lock.acquire(2, at(0ms)));
    lock.release(1, at(3ms), false);
    EXPECT_TRUE(lock.acquire(3, at(3ms)));
    EXPECT_FALSE(lock.retry(2, at(3ms)));
    static_cast<void>(lock.ask(2, at(8ms)));
    EXPECT_TRUE(lock.drop_requested());
}

TEST(InterpreterLock, RemembersAtTheEndOfAnIntervalWhoHadItEvenIfTheWaiterTriesFirst) {
    InterpreterLock lock{5ms};
    EXPECT_TRUE(lock.acquire(1, at(0ms)));
    EXPECT_FALSE(lock.acquire(2, at(0ms)));
    lock.release(1, at(3ms), false);
    EXPECT_TRUE(lock.acquire(3, at(3ms)));
    EXPECT_FALSE(lock.retry(2, at(5ms)));
    EXPECT_EQ(lock.ask(2, at(5ms)), at(10ms));
    EXPECT_FALSE(lock.drop_requested()) << "it changed hands at 3 ms";
}

TEST(InterpreterLock, HasNobodyToWaitForWhereTheWaiterGaveUp) {
    InterpreterLock lock{5ms};
    EXPECT_TRUE(lock.acquire(1, at(0ms)));
    EXPECT_FALSE(lock.acquire(2, at(0ms)));
    static_cast<void>(lock.ask(2, at(5ms)));
    lock.release(1, at(5ms), true);
    EXPECT_FALSE(lock.acquire(1, at(5ms)));
    lock.withdraw(2);
    EXPECT_TRUE(lock.retry(1, at(5ms)));
    lock.withdraw(99);
}

TEST(InterpreterLock, GoesBackAtOnceWhereTheRequestWasWithdrawn) {
    InterpreterLock lock{5ms};
    EXPECT_TRUE(lock.acquire(1, at(0ms)));
    EXPECT_FALSE(lock.acquire(2, at(0ms)));
    static_cast<void>(lock.ask(2, at(5ms)));
    lock.withdraw(2);
    EXPECT_FALSE(lock.drop_requested());
    lock.release(1, at(6ms), true);
    EXPECT_TRUE(lock.acquire(1, at(6ms)));
}

}  // namespace
}  // namespace lab::core
