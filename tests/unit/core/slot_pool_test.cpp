// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/slot_pool.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "support/time.hpp"

namespace lab::core {

bool operator==(const Wake& a, const Wake& b) { return a.ticket == b.ticket && a.slot == b.slot; }

namespace {

using test::at;

TEST(SlotPool, GrantsWhileThereAreSlotsThenQueuesThenRefuses) {
    SlotPool pool{{.slots = 2, .queue_capacity = 1}};
    EXPECT_EQ(pool.acquire(1, at(0ms)).slot, 0);
    EXPECT_EQ(pool.acquire(2, at(0ms)).slot, 1);
    EXPECT_EQ(pool.acquire(3, at(0ms)).admission, Admission::queued);
    EXPECT_EQ(pool.acquire(4, at(0ms)).admission, Admission::refused);
    EXPECT_EQ(pool.busy(), 2);
    EXPECT_EQ(pool.depth(), 1);
}

TEST(SlotPool, ServesThoseWhoWaitInTheOrderInWhichTheyCame) {
    SlotPool pool{{.slots = 1, .queue_capacity = 3}};
    static_cast<void>(pool.acquire(1, at(0ms)));
    for (Ticket ticket = 2; ticket <= 4; ++ticket) {
        static_cast<void>(pool.acquire(ticket, at(1ms)));
    }
    EXPECT_EQ(pool.release(0, at(2ms)), (Wake{2, 0}));
    EXPECT_EQ(pool.release(0, at(3ms)), (Wake{3, 0}));
    EXPECT_EQ(pool.release(0, at(4ms)), (Wake{4, 0}));
    EXPECT_EQ(pool.release(0, at(5ms)), std::nullopt);
    EXPECT_EQ(pool.busy(), 0);
}

TEST(SlotPool, GivesTheSlotThatHasBeenIdleLongest) {
    SlotPool pool{{.slots = 3, .queue_capacity = 0}};
    EXPECT_EQ(pool.acquire(1, at(0ms)).slot, 0);
    static_cast<void>(pool.release(0, at(1ms)));
    EXPECT_EQ(pool.acquire(2, at(2ms)).slot, 1);
    EXPECT_EQ(pool.acquire(3, at(2ms)).slot, 2);
    EXPECT_EQ(pool.acquire(4, at(2ms)).slot, 0);
}

TEST(SlotPool, HandsBackTheTicketThatWaitedTooLong) {
    SlotPool pool{{.slots = 1, .queue_capacity = 8, .patience = 50ms}};
    static_cast<void>(pool.acquire(1, at(0ms)));
    static_cast<void>(pool.acquire(2, at(10ms)));
    static_cast<void>(pool.acquire(3, at(20ms)));
    EXPECT_EQ(pool.next_expiry(), at(60ms));
    EXPECT_TRUE(pool.expire(at(60ms - 1ns)).empty());
    EXPECT_EQ(pool.expire(at(60ms)), (std::vector<Ticket>{2}));
    EXPECT_EQ(pool.next_expiry(), at(70ms));
    EXPECT_EQ(pool.expire(at(1s)), (std::vector<Ticket>{3}));
    EXPECT_EQ(pool.next_expiry(), std::nullopt);
}

TEST(SlotPool, NeverServesATicketWhosePatienceHasEnded) {
    SlotPool pool{{.slots = 1, .queue_capacity = 8, .patience = 50ms}};
    static_cast<void>(pool.acquire(1, at(0ms)));
    static_cast<void>(pool.acquire(2, at(0ms)));
    static_cast<void>(pool.acquire(3, at(40ms)));
    EXPECT_EQ(pool.release(0, at(50ms)), (Wake{3, 0}));
    EXPECT_EQ(pool.expire(at(50ms)), (std::vector<Ticket>{2}));
}

TEST(SlotPool, LeavesTheSlotIdleWhereEveryPatienceHasEnded) {
    SlotPool pool{{.slots = 1, .queue_capacity = 8, .patience = 50ms}};
    static_cast<void>(pool.acquire(1, at(0ms)));
    static_cast<void>(pool.acquire(2, at(0ms)));
    EXPECT_EQ(pool.release(0, at(80ms)), std::nullopt);
    EXPECT_EQ(pool.acquire(3, at(80ms)).admission, Admission::granted);
    EXPECT_EQ(pool.expire(at(80ms)), (std::vector<Ticket>{2}));
}

TEST(SlotPool, CountsNoPlaceForTicketsThatHaveGivenUp) {
    SlotPool pool{{.slots = 1, .queue_capacity = 1, .patience = 50ms}};
    static_cast<void>(pool.acquire(1, at(0ms)));
    static_cast<void>(pool.acquire(2, at(0ms)));
    EXPECT_EQ(pool.acquire(3, at(49ms)).admission, Admission::refused);
    EXPECT_EQ(pool.acquire(4, at(50ms)).admission, Admission::queued);
}

TEST(SlotPool, WaitsForEverWithoutALimit) {
    SlotPool pool{{.slots = 1, .queue_capacity = 1}};
    static_cast<void>(pool.acquire(1, at(0ms)));
    static_cast<void>(pool.acquire(2, at(0ms)));
    EXPECT_EQ(pool.next_expiry(), std::nullopt);
    EXPECT_TRUE(pool.expire(at(24h)).empty());
}

TEST(SlotPool, MeasuresANewPatienceFromTheBeginningOfTheWait) {
    SlotPool pool{{.slots = 1, .queue_capacity = 1}};
    static_cast<void>(pool.acquire(1, at(0ms)));
    static_cast<void>(pool.acquire(2, at(10ms)));
    pool.set_patience(20ms);
    EXPECT_EQ(pool.next_expiry(), at(30ms));
}

TEST(SlotPool, TakesAWaitingTicketOutOnce) {
    SlotPool pool{{.slots = 1, .queue_capacity = 2}};
    static_cast<void>(pool.acquire(1, at(0ms)));
    static_cast<void>(pool.acquire(2, at(0ms)));
    EXPECT_FALSE(pool.withdraw(1)) << "it holds a slot, it does not wait";
    EXPECT_TRUE(pool.withdraw(2));
    EXPECT_FALSE(pool.withdraw(2));
    EXPECT_EQ(pool.release(0, at(1ms)), std::nullopt);
}

TEST(SlotPool, ServesThoseWhoWaitWhenSlotsAreAdded) {
    SlotPool pool{{.slots = 1, .queue_capacity = 8}};
    for (Ticket ticket = 1; ticket <= 5; ++ticket) {
        static_cast<void>(pool.acquire(ticket, at(0ms)));
    }
    EXPECT_EQ(pool.resize(4, at(1ms)), (std::vector<Wake>{{2, 1}, {3, 2}, {4, 3}}));
    EXPECT_EQ(pool.depth(), 1);
    EXPECT_EQ(pool.slots(), 4);
}

TEST(SlotPool, LetsABusySlotFinishBeforeItLeaves) {
    SlotPool pool{{.slots = 2, .queue_capacity = 8}};
    for (Ticket ticket = 1; ticket <= 3; ++ticket) {
        static_cast<void>(pool.acquire(ticket, at(0ms)));
    }
    EXPECT_TRUE(pool.resize(1, at(1ms)).empty());
    EXPECT_EQ(pool.slots(), 1);
    EXPECT_EQ(pool.busy(), 2);
    EXPECT_TRUE(pool.draining(1));
    EXPECT_FALSE(pool.draining(0));
    EXPECT_EQ(pool.release(1, at(2ms)), std::nullopt) << "it leaves, though somebody waits";
    EXPECT_FALSE(pool.draining(1));
    EXPECT_EQ(pool.release(0, at(3ms)), (Wake{3, 0}));
}

TEST(SlotPool, TakesIdleSlotsAwayAtOnce) {
    SlotPool pool{{.slots = 4, .queue_capacity = 0}};
    EXPECT_TRUE(pool.resize(1, at(0ms)).empty());
    EXPECT_EQ(pool.acquire(1, at(0ms)).slot, 0);
    EXPECT_EQ(pool.acquire(2, at(0ms)).admission, Admission::refused);
}

TEST(SlotPool, KeepsADrainingSlotThatIsAskedForAgain) {
    SlotPool pool{{.slots = 2, .queue_capacity = 8}};
    for (Ticket ticket = 1; ticket <= 3; ++ticket) {
        static_cast<void>(pool.acquire(ticket, at(0ms)));
    }
    static_cast<void>(pool.resize(1, at(1ms)));
    EXPECT_TRUE(pool.resize(2, at(2ms)).empty()) << "both are still busy";
    EXPECT_FALSE(pool.draining(1));
    EXPECT_EQ(pool.release(1, at(3ms)), (Wake{3, 1}));
}

TEST(SlotPool, TurnsNobodyAwayWhoAlreadyWaitsWhenTheQueueShrinks) {
    SlotPool pool{{.slots = 1, .queue_capacity = 3}};
    for (Ticket ticket = 1; ticket <= 4; ++ticket) {
        static_cast<void>(pool.acquire(ticket, at(0ms)));
    }
    pool.set_queue_capacity(1);
    EXPECT_EQ(pool.depth(), 3);
    EXPECT_EQ(pool.acquire(5, at(1ms)).admission, Admission::refused);
    EXPECT_EQ(pool.release(0, at(2ms)), (Wake{2, 0}));
}

}  // namespace
}  // namespace lab::core
