// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/worker_lives.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "support/time.hpp"

namespace lab::core {
namespace {

using test::at;
using What = WorkerLives::Order::What;
using State = WorkerLives::State;

Server server_of(int workers) {
    Server server;
    server.workers = workers;
    return server;
}

std::vector<WorkerLives::Look> looks(int workers) {
    return std::vector<WorkerLives::Look>(static_cast<std::size_t>(workers));
}

TEST(WorkerLives, AreUpFromTheBeginningAndNeverDoAnythingByThemselves) {
    const WorkerLives lives{server_of(2), 42, at(0s)};
    EXPECT_EQ(lives.state(0), State::up);
    EXPECT_EQ(lives.state(1), State::up);
    EXPECT_FALSE(lives.next_tick());
}

TEST(WorkerLives, KillAWorkerWhoseHeartStandsStillAtTheNextLookRound) {
    Server server = server_of(1);
    server.worker_timeout = 1s;
    server.boot_time = 500ms;
    WorkerLives lives{server, 42, at(0s)};
    auto seen = looks(1);
    seen[0].silent_since = at(300ms);  // a request of 3 s began
    EXPECT_EQ(lives.next_tick(), at(1s));
    EXPECT_TRUE(lives.tick(seen, at(1s)).empty()) << "0.7 s old";
    const auto orders = lives.tick(seen, at(2s));
    ASSERT_EQ(orders.size(), 1u) << "1.7 s old, E8";
    EXPECT_EQ(orders[0], (WorkerLives::Order{0, What::kill}));
    lives.killed(0, at(2s));
    EXPECT_EQ(lives.state(0), State::booting);
    EXPECT_EQ(lives.counts().kills, 1u);
    EXPECT_EQ(lives.next_tick(), at(2500ms));
    const auto up = lives.tick(looks(1), at(2500ms));
    ASSERT_EQ(up.size(), 1u);
    EXPECT_EQ(up[0].what, What::serve);
    EXPECT_EQ(lives.state(0), State::up);
    EXPECT_EQ(lives.counts().boots, 1u);
}

TEST(WorkerLives, LetAWorkerLiveWhoseHeartBeatsInALoop) {
    Server server = server_of(1);
    server.worker_timeout = 1s;
    WorkerLives lives{server, 42, at(0s)};
    for (int second = 1; second < 10; ++second) {
        EXPECT_TRUE(lives.tick(looks(1), at(std::chrono::seconds{second})).empty());
    }
}

TEST(WorkerLives, EndAfterTheirRequestsAndBootAnew) {
    Server server = server_of(1);
    server.max_requests = 3;
    server.boot_time = 1s;
    WorkerLives lives{server, 42, at(0s)};
    for (int i = 0; i < 2; ++i) {
        EXPECT_FALSE(lives.begun(0));
        EXPECT_FALSE(lives.ended(0, at(1s)));
    }
    EXPECT_FALSE(lives.begun(0));
    const auto order = lives.ended(0, at(2s));
    ASSERT_TRUE(order);
    EXPECT_EQ(order->what, What::leave);
    EXPECT_EQ(lives.state(0), State::leaving);
    EXPECT_EQ(lives.counts().restarts, 1u);
    lives.left(0, at(3s));
    EXPECT_EQ(lives.state(0), State::booting);
    EXPECT_EQ(lives.tick(looks(1), at(4s)).size(), 1u);
    EXPECT_EQ(lives.served(0), 0u) << "a new life";
}

TEST(WorkerLives, KillOneThatDoesNotLeaveInTime) {
    Server server = server_of(1);
    server.max_requests = 1;
    server.graceful_timeout = 5s;
    WorkerLives lives{server, 42, at(0s)};
    ASSERT_TRUE(lives.ended(0, at(1s)));
    EXPECT_EQ(lives.next_tick(), at(6s));
    EXPECT_TRUE(lives.tick(looks(1), at(5s)).empty());
    const auto orders = lives.tick(looks(1), at(6s));
    ASSERT_EQ(orders.size(), 1u);
    EXPECT_EQ(orders[0].what, What::kill);
}

/// After how many requests each of eight workers leaves.
std::vector<int> lengths_of_lives(int jitter) {
    Server server = server_of(8);
    server.max_requests = 100;
    server.max_requests_jitter = jitter;
    WorkerLives lives{server, 42, at(0s)};
    std::vector<int> lengths;
    for (int worker = 0; worker < 8; ++worker) {
        int length = 1;
        while (!lives.ended(worker, at(0s))) ++length;
        lengths.push_back(length);
    }
    return lengths;
}

TEST(WorkerLives, RestartTogetherWithoutJitterAndApartWithIt) {
    EXPECT_EQ(lengths_of_lives(0), std::vector<int>(8, 100));
    const auto with = lengths_of_lives(50);
    EXPECT_GE(std::set<int>(with.begin(), with.end()).size(), 6u);
    EXPECT_GE(*std::min_element(with.begin(), with.end()), 100);
    EXPECT_LE(*std::max_element(with.begin(), with.end()), 150);
    EXPECT_EQ(with, lengths_of_lives(50)) << "drawn from the seed";
}

TEST(WorkerLives, AreKilledByTheRequestThatBringsThemAboveTheMemoryLimit) {
    Server server = server_of(1);
    server.memory = Bytes{40'000'000};
    server.leak = Bytes{10'000'000};
    server.memory_limit = Bytes{60'000'000};
    WorkerLives lives{server, 42, at(0s)};
    EXPECT_FALSE(lives.begun(0));
    EXPECT_FALSE(lives.begun(0));
    EXPECT_EQ(lives.memory(0).count, 60'000'000);
    const auto order = lives.begun(0);
    ASSERT_TRUE(order);
    EXPECT_EQ(order->what, What::kill);
    lives.killed(0, at(1s));
    EXPECT_EQ(lives.memory(0).count, 40'000'000);
}

int running(const WorkerLives& lives) {
    int count = 0;
    for (int w = 0; w < lives.workers(); ++w) count += lives.state(w) != State::off;
    return count;
}

TEST(WorkerLivesCheaper, GrowWhenAllAreBusyAndShrinkOneByOne) {
    Server server = server_of(4);
    server.cheaper = 1;
    server.cheaper_overload = 3s;
    WorkerLives lives{server, 42, at(0s)};
    EXPECT_EQ(running(lives), 1);
    auto busy = looks(4);
    for (auto& look : busy) look.busy = true;
    int second = 1;
    for (; second <= 3; ++second) {
        static_cast<void>(lives.tick(busy, at(std::chrono::seconds{second})));
        EXPECT_EQ(running(lives), 1) << "not yet, at second " << second;
    }
    static_cast<void>(lives.tick(busy, at(4s)));
    EXPECT_EQ(running(lives), 2) << "busy in more than three looks: one more";
    for (second = 5; second <= 20; ++second) {
        static_cast<void>(lives.tick(busy, at(std::chrono::seconds{second})));
    }
    EXPECT_EQ(running(lives), 4) << "and no more than there are";

    // Nobody has work any more: every three seconds the oldest goes, down to one.
    std::vector<int> gone;
    for (second = 21; second <= 60; ++second) {
        for (const auto& order : lives.tick(looks(4), at(std::chrono::seconds{second}))) {
            ASSERT_EQ(order.what, What::leave);
            gone.push_back(order.worker);
            lives.left(order.worker, at(std::chrono::seconds{second}));
        }
    }
    EXPECT_EQ(running(lives), 1);
    EXPECT_EQ(gone, (std::vector<int>{0, 1, 2}));
    EXPECT_EQ(lives.state(3), State::up);
}

TEST(WorkerLivesCheaper, StayWhereExactlyOneIsToSpare) {
    Server server = server_of(4);
    server.cheaper = 1;
    WorkerLives lives{server, 42, at(0s)};
    auto busy = looks(4);
    for (auto& look : busy) look.busy = true;
    for (int s = 1; s <= 12; ++s) {
        static_cast<void>(lives.tick(busy, at(std::chrono::seconds{s})));
    }
    const int grown = running(lives);
    ASSERT_GE(grown, 3);
    auto one_free = busy;
    for (int w = 0; w < 4; ++w) {
        if (lives.state(w) == State::up) one_free[static_cast<std::size_t>(w)].busy = w != 0;
    }
    for (int s = 13; s <= 60; ++s) {
        for (const auto& order : lives.tick(one_free, at(std::chrono::seconds{s}))) {
            EXPECT_NE(order.what, What::leave);
        }
    }
    EXPECT_EQ(running(lives), grown);
}

TEST(WorkerLives, BootTheWorkersThatAKnobAdds) {
    Server server = server_of(1);
    server.boot_time = 2s;
    WorkerLives lives{server, 42, at(0s)};
    server.workers = 3;
    lives.configure(server, at(10s));
    EXPECT_EQ(lives.state(0), State::up);
    EXPECT_EQ(lives.state(2), State::booting);
    EXPECT_EQ(lives.next_tick(), at(12s));
    server.boot_time = 0s;
    server.workers = 4;
    lives.configure(server, at(11s));
    EXPECT_EQ(lives.state(3), State::up) << "booting takes no time";
}

}  // namespace
}  // namespace lab::core
