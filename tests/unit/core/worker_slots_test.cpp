// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/worker_slots.hpp"

#include <map>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "support/time.hpp"

namespace lab::core {
namespace {

using test::at;

Server server_of(Dispatch dispatch, int workers, int threads) {
    Server server;
    server.dispatch = dispatch;
    server.workers = workers;
    server.threads = threads;
    return server;
}

WorkerSlots slots_of(const Server& server, std::uint64_t seed = 42) {
    WorkerSlots slots{server, seed};
    const std::vector<bool> none(static_cast<std::size_t>(server.workers), false);
    EXPECT_TRUE(slots.configure(server, server.workers * server.threads, none, at(0s)).empty());
    return slots;
}

TEST(WorkerSlotsShared, GivesWhoComesWhicheverThreadIsFree) {
    auto slots = slots_of(server_of(Dispatch::shared, 2, 2));
    std::set<int> given;
    for (Ticket ticket = 1; ticket <= 4; ++ticket) {
        const Grant grant = slots.acquire(ticket, slots.open(), at(0s));
        ASSERT_EQ(grant.admission, Admission::granted);
        given.insert(grant.slot);
    }
    EXPECT_EQ(given, (std::set<int>{0, 1, 2, 3}));
    EXPECT_EQ(slots.acquire(5, slots.open(), at(0s)).admission, Admission::queued);
    EXPECT_EQ(slots.worker_of(1), 0);
    EXPECT_EQ(slots.worker_of(2), 1);
    EXPECT_EQ(slots.busy_of(0), 2);
    const auto wake = slots.release(3, at(1s));
    ASSERT_TRUE(wake);
    EXPECT_EQ(wake->ticket, 5u);
    EXPECT_EQ(wake->slot, 3) << "late binding: the first thread that is free";
}

TEST(WorkerSlotsAhead, QueuesBehindABusyThreadWhileASiblingIdles) {
    auto slots = slots_of(server_of(Dispatch::ahead, 4, 1));
    const int busy = slots.open();
    ASSERT_EQ(slots.acquire(1, busy, at(0s)).admission, Admission::granted);
    const Grant second = slots.acquire(2, busy, at(0s));
    EXPECT_EQ(second.admission, Admission::queued) << "three workers are idle";
    EXPECT_EQ(slots.busy(), 1);
    EXPECT_EQ(slots.depth_of(busy), 1);
    const auto wake = slots.release(busy, at(1s));
    ASSERT_TRUE(wake);
    EXPECT_EQ(wake->ticket, 2u);
    EXPECT_EQ(wake->slot, busy);
}

TEST(WorkerSlotsAhead, AcceptsByChanceAndNotByWhoIsFree) {
    // One worker is busy and four more connections come: some of them meet it in 1 - (3/4)^4, 68 %.
    int hurt = 0;
    constexpr int trials = 2'000;
    for (int trial = 0; trial < trials; ++trial) {
        auto slots = slots_of(server_of(Dispatch::ahead, 4, 1), static_cast<std::uint64_t>(trial));
        const int busy = slots.open();
        bool met = false;
        for (int i = 0; i < 4; ++i) met = slots.open() == busy || met;
        hurt += met;
    }
    EXPECT_NEAR(hurt / double{trials}, 1 - 0.75 * 0.75 * 0.75 * 0.75, 0.04);
}

TEST(WorkerSlotsAhead, AcceptsNoMoreThanItsConnections) {
    Server server = server_of(Dispatch::ahead, 2, 1);
    server.worker_connections = 3;
    auto slots = slots_of(server);
    std::map<int, int> each;
    for (int i = 0; i < 6; ++i) ++each[slots.open()];
    EXPECT_EQ(each, (std::map<int, int>{{0, 3}, {1, 3}}));
    EXPECT_FALSE(slots.has_room());
    EXPECT_EQ(slots.open(), WorkerSlots::nowhere);
    slots.close(1);
    EXPECT_TRUE(slots.has_room());
    EXPECT_EQ(slots.open(), 1);
}

TEST(WorkerSlotsUnbounded, HasAThreadForEachThatComes) {
    Server server = server_of(Dispatch::shared, 1, 0);
    server.queue = 0;
    auto slots = slots_of(server);
    for (int i = 0; i < WorkerSlots::most_slots; ++i) {
        const auto ticket = static_cast<Ticket>(i + 1);
        ASSERT_EQ(slots.acquire(ticket, slots.open(), at(0s)).slot, i);
    }
    EXPECT_TRUE(slots.full()) << "the safety cap";
    EXPECT_EQ(slots.acquire(9'999, -1, at(0s)).admission, Admission::refused);
    for (int slot = WorkerSlots::most_slots; slot-- > 10;) slots.release(slot, at(1s));
    EXPECT_EQ(slots.trim(at(1s)), 10);
    EXPECT_EQ(slots.busy(), 10);
    EXPECT_FALSE(slots.full());
}

TEST(WorkerSlots, GiveNothingToAWorkerThatLeavesOrIsStopped) {
    auto shared = slots_of(server_of(Dispatch::shared, 2, 1));
    ASSERT_EQ(shared.acquire(1, -1, at(0s)).slot, 0);
    shared.leave(0);
    ASSERT_EQ(shared.acquire(2, -1, at(0s)).slot, 1);
    ASSERT_EQ(shared.acquire(3, -1, at(0s)).admission, Admission::queued);
    EXPECT_FALSE(shared.release(0, at(1s))) << "it leaves";
    EXPECT_EQ(shared.busy_of(0), 0);
    const auto woken = shared.serve(0, at(2s));
    ASSERT_EQ(woken.size(), 1u);
    EXPECT_EQ(woken[0].ticket, 3u);

    auto ahead = slots_of(server_of(Dispatch::ahead, 2, 1));
    ASSERT_EQ(ahead.acquire(1, 0, at(0s)).admission, Admission::granted);
    ASSERT_EQ(ahead.acquire(2, 0, at(0s)).admission, Admission::queued);
    ahead.leave(0);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(ahead.open(), 1) << "no new connection";
    ASSERT_TRUE(ahead.release(0, at(1s))) << "what has come to it is still served";
    ASSERT_EQ(ahead.acquire(3, 0, at(1s)).admission, Admission::queued);
    EXPECT_EQ(ahead.stop(0), std::vector<Ticket>{3}) << "handed back, to be reset";
    EXPECT_FALSE(ahead.release(0, at(2s)));
    EXPECT_TRUE(ahead.serve(0, at(3s)).empty());
    EXPECT_EQ(ahead.acquire(4, 0, at(3s)).admission, Admission::granted);
}

TEST(WorkerSlots, KeepStoppedWorkersStoppedWhenThereAreMore) {
    Server server = server_of(Dispatch::shared, 1, 1);
    auto slots = slots_of(server);
    ASSERT_EQ(slots.acquire(1, -1, at(0s)).slot, 0);
    ASSERT_EQ(slots.acquire(2, -1, at(0s)).admission, Admission::queued);
    server.workers = 2;
    EXPECT_TRUE(slots.configure(server, 2, {false, true}, at(1s)).empty()) << "it boots";
    EXPECT_EQ(slots.serve(1, at(2s)).size(), 1u);
}

TEST(WorkerSlots, FitOtherSettingsOnlyWhereNobodyHasToMove) {
    const auto shared = slots_of(server_of(Dispatch::shared, 2, 2));
    EXPECT_TRUE(shared.fits(server_of(Dispatch::shared, 4, 1)));
    EXPECT_FALSE(shared.fits(server_of(Dispatch::shared, 2, 0)));
    EXPECT_FALSE(shared.fits(server_of(Dispatch::ahead, 2, 2)));
    const auto ahead = slots_of(server_of(Dispatch::ahead, 2, 2));
    EXPECT_FALSE(ahead.fits(server_of(Dispatch::ahead, 4, 2)));
    EXPECT_TRUE(ahead.fits(server_of(Dispatch::ahead, 2, 2)));
}

/// Whatever happens in whatever order: a slot has one holder, nobody is lost, and nobody waits
/// beside an idle thread that could have served him.
RC_GTEST_PROP(WorkerSlotsLaw, NobodyIsLostAndNoThreadIdlesBesideWork, ()) {
    const bool is_ahead = *rc::gen::arbitrary<bool>();
    const int workers = *rc::gen::inRange(1, 5), threads = *rc::gen::inRange(1, 4);
    Server server = server_of(is_ahead ? Dispatch::ahead : Dispatch::shared, workers, threads);
    server.queue = 1'000;
    WorkerSlots slots{server, 7};
    const std::vector<bool> none(static_cast<std::size_t>(workers), false);
    static_cast<void>(slots.configure(server, workers * threads, none, at(0s)));
    std::map<int, Ticket> held;
    std::set<Ticket> waiting;
    std::vector<bool> stopped(static_cast<std::size_t>(workers), false);
    Ticket next = 1;
    const auto take = [&](const Wake& wake) {
        RC_ASSERT(waiting.erase(wake.ticket) == 1);
        RC_ASSERT(held.emplace(wake.slot, wake.ticket).second);
        RC_ASSERT(!stopped[static_cast<std::size_t>(slots.worker_of(wake.slot))]);
    };
    const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 40));
    for (const int step : steps) {
        const int worker = step % workers;
        if (step < 20) {
            const Grant grant = slots.acquire(next, is_ahead ? worker : -1, at(0s));
            RC_ASSERT(grant.admission != Admission::refused);
            waiting.insert(next);
            if (grant.admission == Admission::granted) take({next, grant.slot});
            ++next;
        } else if (step < 32 && !held.empty()) {
            const int slot = held.begin()->first;
            held.erase(slot);
            if (const auto wake = slots.release(slot, at(0s))) take(*wake);
        } else if (step < 36) {
            stopped[static_cast<std::size_t>(worker)] = true;
            for (const Ticket ticket : slots.stop(worker)) RC_ASSERT(waiting.erase(ticket) == 1);
        } else {
            stopped[static_cast<std::size_t>(worker)] = false;
            for (const Wake& wake : slots.serve(worker, at(0s))) take(wake);
        }
        RC_ASSERT(slots.busy() == static_cast<int>(held.size()));
        RC_ASSERT(slots.depth() == static_cast<int>(waiting.size()));
        for (int w = 0; w < workers; ++w) {
            const bool idles = !stopped[static_cast<std::size_t>(w)] && slots.busy_of(w) < threads;
            RC_ASSERT(!idles || (is_ahead ? slots.depth_of(w) : slots.depth()) == 0);
        }
    }
}

}  // namespace
}  // namespace lab::core
