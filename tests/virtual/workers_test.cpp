// SPDX-License-Identifier: GPL-3.0-or-later
// The scenario `workers` in virtual time: 50 ms of waiting and 1 ms of computing, a queue of 64.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include "support/routes.hpp"
#include "support/time.hpp"
#include "support/virtual_bench.hpp"

namespace lab {
namespace {

using test::at;
using test::Done;
using test::VirtualBench;

VirtualBench::Setup cooks(int workers, double rate, std::uint64_t seed = 42) {
    VirtualBench::Setup setup;
    setup.system.server.workers = workers;
    setup.system.server.queue = 64;
    setup.system.routes = {test::route({test::wait(50ms), test::cpu(1ms)})};
    setup.load.rate = ArrivalRate::per_second(rate);
    setup.seed = seed;
    return setup;
}

/// Answers a second after a second of warm-up, over `length`.
double throughput(const VirtualBench::Setup& setup, Duration length) {
    VirtualBench bench{setup};
    double answers = 0;
    bench.on_done = [&](const Done& done) {
        answers += done.status == 200 && done.at > at(1s) ? 1 : 0;
    };
    bench.run_until(at(1s) + length);
    return answers / to_seconds(length);
}

TEST(VirtualWorkers, FourCookFourTimesAsMuchAsOne) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const double one = throughput(cooks(1, 120, seed), 12s);
        const double four = throughput(cooks(4, 120, seed), 12s);
        EXPECT_NEAR(one, 1 / 0.051, 0.2);
        EXPECT_GE(four / one, 3.9) << "seed " << seed;
        EXPECT_LE(four / one, 4.1) << "seed " << seed;
    }
}

TEST(VirtualWorkers, OneDrownsAtThirtyASecond) {
    VirtualBench bench{cooks(1, 30)};
    int deepest = 0;
    std::uint64_t refused = 0, ended = 0;
    bench.on_depth = [&](Instant, int depth) { deepest = std::max(deepest, depth); };
    bench.on_done = [&](const Done& done) {
        ++ended;
        refused += done.status == 503 ? 1 : 0;
    };
    bench.run_until(at(60s));
    EXPECT_EQ(deepest, 64);
    // What is neither served nor inside is refused: (30 - 19.6) a second once the queue is full.
    EXPECT_NEAR(static_cast<double>(refused), 60 * (30 - 1 / 0.051) - 65, 120);
    EXPECT_EQ(bench.planned(), ended + bench.in_flight());
    EXPECT_EQ(bench.in_flight(), static_cast<std::uint64_t>(bench.queue_depth()) + 1);
}

TEST(VirtualWorkers, TwoSwimAtThirtyASecond) {
    VirtualBench bench{cooks(2, 30)};
    std::uint64_t refused = 0;
    bench.on_done = [&](const Done& done) { refused += done.status == 503 ? 1 : 0; };
    bench.run_until(at(60s));
    EXPECT_EQ(refused, 0u);
}

TEST(VirtualWorkers, AFullQueueDrainsWithinTwoSecondsWhenThreeMoreCome) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        VirtualBench bench{cooks(1, 30, seed)};
        bench.run_until(at(40s));
        ASSERT_GE(bench.queue_depth(), 55) << "seed " << seed;
        Instant empty = Instant::max();
        bench.on_depth = [&](Instant now, int depth) {
            if (depth == 0) empty = std::min(empty, now);
        };
        bench.set_workers(4);
        bench.run_until(at(50s));
        EXPECT_LT(empty, at(42s)) << "seed " << seed;
    }
}

TEST(VirtualWorkers, NobodyIsLostWhileTheNumberOfWorkersChanges) {
    VirtualBench bench{cooks(4, 70)};
    std::uint64_t ok = 0, refused = 0, other = 0;
    bench.on_done = [&](const Done& done) {
        ++(done.status == 200 ? ok : done.status == 503 ? refused : other);
    };
    const int plan[] = {1, 8, 2, 16, 3, 1, 4};
    for (int i = 0; i < 70; ++i) {
        bench.run_until(at(i * 300ms));
        bench.set_workers(plan[i % 7]);
    }
    bench.finish();
    EXPECT_EQ(bench.planned(), ok + refused);
    EXPECT_EQ(other, 0u);
    EXPECT_EQ(bench.in_flight(), 0u);
    EXPECT_EQ(bench.busy_threads(), 0);
}

TEST(VirtualWorkers, WhoWaitedTooLongIsTurnedAwayAtThatMoment) {
    VirtualBench::Setup setup = cooks(1, 60);
    setup.system.server.queue_timeout = 200ms;
    VirtualBench bench{setup};
    std::uint64_t expired = 0;
    Duration longest{};
    bench.on_done = [&](const Done& done) {
        longest = std::max(longest, done.part(Part::queue));
        if (done.status != 503) return;
        ++expired;
        EXPECT_EQ(done.part(Part::queue), 200ms);
        EXPECT_EQ(done.latency(), 200ms);
    };
    bench.run_until(at(20s));
    bench.finish();
    EXPECT_GT(expired, 500u);
    EXPECT_EQ(longest, 200ms);
}

}  // namespace
}  // namespace lab
