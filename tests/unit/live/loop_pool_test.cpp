// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/loop_pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "live/execution_switch.hpp"
#include "support/routes.hpp"
#include "unit/live/fake_front_end.hpp"

namespace lab::live {
namespace {

using lab::test::blocking;
using lab::test::cpu;
using lab::test::gather;
using lab::test::group;
using lab::test::offload;
using lab::test::respond;
using lab::test::wait;
using test::clock_now;
using test::generation_of;

struct LoopPoolTest : ::testing::Test {
    System system;
    test::FakeFrontEnd front_end;
    GenerationPtr settings;
    std::deque<test::FakeExchange> exchanges;
    std::unique_ptr<Workers> pool;
    Instant begun{};

    LoopPoolTest() {
        system.server.execution = Execution::loop;
        system.server.async_views = true;
        system.server.async_cost = 0ms;
    }
    ~LoopPoolTest() override {
        if (pool) pool->stop();
    }

    void start(std::vector<Step> steps) {
        system.routes = {lab::test::route(std::move(steps))};
        settings = generation_of(system);
        pool = ExecutionSwitch::start({settings, &front_end.completions, nullptr}).value();
        begun = clock_now();
    }
    void apply() {
        settings = generation_of(system, settings->number + 1);
        pool->apply(settings);
    }
    test::FakeExchange& submit() {
        auto& made = exchanges.emplace_back(settings, exchanges.size() + 1);
        pool->submit(made);
        return made;
    }
    [[nodiscard]] bool wait_for_all() {
        return front_end.run_until([&] {
            return std::all_of(exchanges.begin(), exchanges.end(),
                               [](const auto& exchange) { return exchange.answered; });
        });
    }
    /// How long until the last of `count` that come at once has its answer.
    Duration all_of(int count) {
        begun = clock_now();
        for (int i = 0; i < count; ++i) submit();
        EXPECT_TRUE(wait_for_all());
        Instant last = begun;
        for (auto& exchange : exchanges) {
            EXPECT_EQ(exchange.effect.op, core::Op::respond);
            EXPECT_EQ(exchange.effect.status, 200);
            last = std::max(last, exchange.answered_at);
            pool->finish(exchange, false);
            EXPECT_TRUE(exchange.cursor.ended);
        }
        exchanges.clear();
        return last - begun;
    }
    [[nodiscard]] ServerSample sample() {
        ServerSample made;
        pool->sample(made);
        return made;
    }
    template <class Condition>
    [[nodiscard]] bool comes_true(Condition&& condition) {
        const Instant limit = clock_now() + 10s;
        while (!condition()) {
            if (clock_now() > limit) return false;
            std::this_thread::yield();
        }
        return true;
    }
};

TEST_F(LoopPoolTest, LetsWaitsThatAreAwaitedOverlap) {
    start({wait(40ms), respond(10)});
    const Duration time = all_of(20);
    EXPECT_GE(time, 40ms);
    EXPECT_LT(time, 400ms);
}

TEST_F(LoopPoolTest, UnderALockOneMakesTheEntryWhileTheOthersAwaitIt) {
    system.cache.mode = CacheMode::shared;
    system.cache.stampede = Stampede::lock;
    start({lab::test::cached({wait(60ms), respond(10)})});
    const Duration time = all_of(10);
    EXPECT_GE(time, 60ms);
    EXPECT_LT(time, 400ms);
    const auto levels = sample();
    EXPECT_EQ(levels.cache_misses, 1U);
    EXPECT_EQ(levels.cache_hits, 9U);
    EXPECT_EQ(levels.cache_duplicates, 0U);
    EXPECT_EQ(pool->cache_contents(5).size(), 1U);
}

TEST_F(LoopPoolTest, EndsEveryWaitForAnEntryWhenItIsCancelled) {
    system.cache.mode = CacheMode::per_worker;
    system.cache.stampede = Stampede::lock;
    start({lab::test::cached({wait(60s)})});
    for (int i = 0; i < 3; ++i) submit();
    pool->cancel();
    EXPECT_TRUE(wait_for_all());
    EXPECT_LT(clock_now() - begun, 5s);
}

TEST_F(LoopPoolTest, StandsStillForAWaitThatBlocksAndSaysSo) {
    start({blocking(wait(20ms))});
    for (int i = 0; i < 5; ++i) submit();
    EXPECT_TRUE(comes_true([&] { return sample().threads.at(0).state == WorkerState::blocked; }));
    ASSERT_TRUE(wait_for_all());
    EXPECT_GE(clock_now() - begun, 100ms);
    for (std::size_t i = 0; i < exchanges.size(); ++i) {
        EXPECT_GE(exchanges[i].part(Part::io_wait), 20ms);
        EXPECT_GE(exchanges[i].part(Part::loop_wait), 19ms * i);
    }
}

TEST_F(LoopPoolTest, MeasuresHowLateTurnsAre) {
    start({blocking(wait(30ms))});
    static_cast<void>(sample());
    static_cast<void>(all_of(2));
    const ServerSample seen = sample();
    EXPECT_EQ(seen.loops, 1U);
    ASSERT_FALSE(seen.loop_lag.empty());
    EXPECT_GE(Histogram::upper_edge(seen.loop_lag.back().first), 29ms);
    EXPECT_LT(Histogram::lower_edge(seen.loop_lag.front().first), 29ms);
    EXPECT_GT(seen.threads.at(0).busy, 0.3);
}

TEST_F(LoopPoolTest, ComputesForOneAfterTheOther) {
    start({cpu(10ms)});
    EXPECT_GE(all_of(5), 50ms);
}

TEST_F(LoopPoolTest, SpreadsConnectionsOverItsLoopsAndKeepsEachOnItsOwn) {
    system.server.workers = 2;
    start({blocking(wait(50ms))});
    auto& first = submit();
    auto& second = submit();
    EXPECT_NE(first.loop, second.loop);
    ASSERT_TRUE(wait_for_all());
    const int before = first.loop;
    pool->finish(first, false);
    first.begin(settings);
    pool->submit(first);
    EXPECT_EQ(first.loop, before);
    ASSERT_TRUE(wait_for_all());
}

TEST_F(LoopPoolTest, RunsASyncViewInItsPoolOfThreads) {
    system.server.async_views = false;
    system.server.pool_threads = 4;
    start({wait(40ms)});
    for (int i = 0; i < 5; ++i) submit();
    EXPECT_TRUE(comes_true([&] { return sample().tokens_waiting == 1; }));
    const ServerSample seen = sample();
    EXPECT_EQ(seen.tokens, 4U);
    EXPECT_EQ(seen.tokens_in_use, 4U);
    ASSERT_TRUE(wait_for_all());
    EXPECT_GE(exchanges[4].part(Part::token_wait), 30ms);
    EXPECT_EQ(exchanges[4].part(Part::queue) / 20ms, 0) << "unseen by the queue";
    EXPECT_GE(clock_now() - begun, 80ms);
}

TEST_F(LoopPoolTest, TakesMoreThreadsWhenToldTo) {
    system.server.async_views = false;
    system.server.pool_threads = 1;
    start({wait(100ms)});
    for (int i = 0; i < 4; ++i) submit();
    ASSERT_TRUE(comes_true([&] { return sample().tokens_waiting == 3; }));
    system.server.pool_threads = 8;
    apply();
    ASSERT_TRUE(wait_for_all());
    EXPECT_LT(clock_now() - begun, 380ms);
}

TEST_F(LoopPoolTest, LeavesTheLoopToOthersForWhatIsOffloaded) {
    start({offload(blocking(wait(60ms)))});
    const Duration time = all_of(6);
    EXPECT_GE(time, 60ms);
    EXPECT_LT(time, 300ms);
}

TEST_F(LoopPoolTest, GathersBranchesThatAwaitAndFollowsThoseThatBlock) {
    start({gather({wait(60ms)}, 3)});
    const Duration at_once = all_of(1);
    EXPECT_GE(at_once, 60ms);
    EXPECT_LT(at_once, 160ms);
    system.routes[0].steps[0].steps[0].blocking = true;
    apply();
    EXPECT_GE(all_of(1), 180ms);
}

TEST_F(LoopPoolTest, AddsWhatTheBranchesMadeInTheirOrder) {
    start({gather({group({wait(10ms), respond(100)}), respond(7)}, 2), respond(1)});
    auto& exchange = submit();
    ASSERT_TRUE(wait_for_all());
    EXPECT_EQ(exchange.answer.body.size(), 2 * 107U + 1U);
    Duration sum{};
    for (const Duration one : exchange.cursor.parts) sum += one;
    EXPECT_GE(sum, 10ms);
    EXPECT_LT(sum, 60ms) << "the critical path, not the sum of the branches";
}

TEST_F(LoopPoolTest, GathersInAnAsyncViewOnAThreadToo) {
    system.server.execution = Execution::threads;
    system.server.threads = 4;
    system.server.async_cost = 1ms;
    start({gather({wait(60ms)}, 3), respond(5)});
    const Duration at_once = all_of(4);
    EXPECT_GE(at_once, 61ms);
    EXPECT_LT(at_once, 170ms);
    system.routes[0].steps[0].steps[0].blocking = true;
    apply();
    EXPECT_GE(all_of(1), 180ms);
    system.routes[0].view = View::sync;
    apply();
    EXPECT_GE(all_of(1), 180ms);
}

TEST_F(LoopPoolTest, TurnsAwayWhatItCannotTakeInHand) {
    system.server.worker_connections = 1;
    system.server.queue = 1;
    start({wait(50ms)});
    auto& served = submit();
    auto& queued = submit();
    auto& refused = submit();
    ASSERT_TRUE(front_end.run_until([&] { return refused.answered; }));
    EXPECT_EQ(refused.effect.status, 503);
    EXPECT_EQ(sample().queue_depth, 1U);
    ASSERT_TRUE(wait_for_all());
    EXPECT_EQ(served.effect.status, 200);
    EXPECT_EQ(queued.effect.status, 200);
    EXPECT_GE(queued.part(Part::queue), 45ms);
}

TEST_F(LoopPoolTest, HoldsWhatComesWhileItIsFullAndSaysWhenThereIsRoom) {
    system.server.worker_connections = 1;
    system.server.queue = 0;
    system.server.when_full = WhenFull::wait;
    int told = 0;
    start({wait(5ms)});
    pool->set_on_accepting([&] { ++told; });
    submit();
    submit();
    submit();
    EXPECT_FALSE(pool->accepting());
    ASSERT_TRUE(wait_for_all());
    EXPECT_TRUE(front_end.run_until([&] { return told > 0; }));
    EXPECT_TRUE(pool->accepting());
}

TEST_F(LoopPoolTest, RefusesWhatWaitedTooLong) {
    system.server.worker_connections = 1;
    system.server.queue_timeout = 5ms;
    start({wait(80ms)});
    auto& first = submit();
    auto& second = submit();
    ASSERT_TRUE(front_end.run_until([&] { return second.answered; }));
    EXPECT_EQ(second.effect.status, 503);
    EXPECT_FALSE(first.answered);
    ASSERT_TRUE(wait_for_all());
}

TEST_F(LoopPoolTest, WithdrawsWhatWaitsButNotWhatRuns) {
    system.server.worker_connections = 1;
    start({wait(20ms)});
    auto& running = submit();
    auto& waiting = submit();
    EXPECT_TRUE(pool->withdraw(waiting));
    EXPECT_FALSE(pool->withdraw(running));
    ASSERT_TRUE(front_end.run_until([&] { return running.answered; }));
    EXPECT_FALSE(waiting.answered);
}

TEST_F(LoopPoolTest, BindsAConnectionAndKeepsItsPlace) {
    system.server.bind = BindPoint::accept;
    start({respond(3)});
    auto& exchange = exchanges.emplace_back(settings, 1);
    pool->bind(exchange);
    ASSERT_TRUE(front_end.run_until([&] { return exchange.bound; }));
    EXPECT_EQ(sample().in_service, 1U);
    for (int i = 0; i < 3; ++i) {
        exchange.begin(settings);
        pool->submit(exchange);
        ASSERT_TRUE(wait_for_all());
        pool->finish(exchange, i < 2);
    }
    EXPECT_EQ(sample().in_service, 0U);
}

TEST_F(LoopPoolTest, ChangesTheKindOfWorkersWithoutLosingARequest) {
    start({wait(30ms), respond(2)});
    const Execution kinds[] = {Execution::threads, Execution::greenlets, Execution::loop,
                               Execution::threads};
    for (int i = 0; i < 40; ++i) {
        submit();
        if (i % 10 != 9) continue;
        system.server.execution = kinds[i / 10];
        system.server.threads = kinds[i / 10] == Execution::threads ? 8 : 1;
        apply();
        EXPECT_EQ(sample().loops, kinds[i / 10] == Execution::threads ? 0U : 1U);
    }
    submit();
    ASSERT_TRUE(wait_for_all());
    for (const auto& exchange : exchanges) {
        EXPECT_EQ(exchange.effect.status, 200);
        EXPECT_EQ(exchange.answer.body.size(), 2U);
    }
}

TEST_F(LoopPoolTest, MovesABoundConnectionToTheOtherKindOfWorkers) {
    system.server.bind = BindPoint::accept;
    start({respond(3)});
    auto& exchange = exchanges.emplace_back(settings, 1);
    pool->bind(exchange);
    ASSERT_TRUE(front_end.run_until([&] { return exchange.bound; }));
    system.server.execution = Execution::threads;
    apply();
    exchange.begin(settings);
    pool->submit(exchange);
    ASSERT_TRUE(wait_for_all());
    EXPECT_EQ(exchange.effect.status, 200);
    EXPECT_EQ(sample().in_service, 1U) << "bound over there";
    pool->finish(exchange, false);
    EXPECT_EQ(sample().in_service, 0U);
}

TEST_F(LoopPoolTest, LosesNobodyWhileTheNumberOfLoopsChanges) {
    system.server.workers = 4;
    start({wait(3ms), cpu(100us)});
    const int plan[] = {1, 8, 2, 3};
    for (int i = 0; i < 200; ++i) {
        submit();
        if (i % 25 != 24) continue;
        system.server.workers = plan[(i / 25) % 4];
        apply();
    }
    ASSERT_TRUE(wait_for_all());
    for (const auto& exchange : exchanges) EXPECT_EQ(exchange.effect.status, 200);
}

struct Stopping : LoopPoolTest, ::testing::WithParamInterface<int> {};

TEST_P(Stopping, EndsEverythingThatIsInHandAtOnce) {
    const std::vector<Step> cases[] = {
        {wait(60s)},
        {blocking(wait(60s))},
        {cpu(60s)},
        {offload(blocking(wait(60s)))},
        {offload(cpu(60s))},
        {gather({wait(60s), blocking(wait(1ms))}, 3)},
        {gather({offload(blocking(wait(60s))), group({gather({wait(60s)}, 2)})}, 3)},
    };
    system.server.pool_threads = 2;
    for (const auto execution : {Execution::loop, Execution::greenlets, Execution::threads}) {
        exchanges.clear();
        system.server.execution = execution;
        start(cases[GetParam()]);
        for (int i = 0; i < 5; ++i) submit();
        ASSERT_TRUE(comes_true([&] { return sample().in_service >= 1; }));
        const Instant stopping = clock_now();
        pool->cancel();
        // What waits in the queue is withdrawn by the front end, as it closes.
        for (auto& exchange : exchanges) {
            if (pool->withdraw(exchange)) exchange.answered = true;
        }
        ASSERT_TRUE(wait_for_all());
        pool->stop();
        EXPECT_LT(clock_now() - stopping, 1s);
        pool.reset();
    }
}

INSTANTIATE_TEST_SUITE_P(LoopPool, Stopping, ::testing::Range(0, 7));

}  // namespace
}  // namespace lab::live
