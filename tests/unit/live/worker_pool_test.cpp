// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/worker_pool.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <vector>

#include "unit/live/fake_front_end.hpp"

namespace lab::live {
namespace {

using test::clock_now;
using test::fill;
using test::generation_of;
using test::route_of;
using test::step;

struct WorkerPoolTest : ::testing::Test {
    System system;
    test::FakeFrontEnd front_end;
    GenerationPtr settings;
    std::deque<test::FakeExchange> exchanges;
    std::unique_ptr<WorkerPool> pool;

    ~WorkerPoolTest() override {
        if (pool) pool->stop();
    }

    void start(std::vector<Step> steps) {
        system.routes = {route_of(std::move(steps))};
        settings = generation_of(system);
        pool = WorkerPool::start({settings, &front_end.completions, nullptr}).value();
    }
    void apply() {
        settings = generation_of(system, settings->number + 1);
        pool->apply(settings);
    }
    test::FakeExchange& make() { return exchanges.emplace_back(settings, exchanges.size() + 1); }
    test::FakeExchange& submit() {
        auto& made = make();
        pool->submit(made);
        return made;
    }
    [[nodiscard]] bool wait_for(const test::FakeExchange& exchange) {
        return front_end.run_until([&] { return exchange.answered; });
    }
    [[nodiscard]] bool wait_for_all() {
        return front_end.run_until([&] {
            for (const auto& exchange : exchanges) {
                if (!exchange.answered) return false;
            }
            return true;
        });
    }
    [[nodiscard]] ServerSample sample() {
        ServerSample made;
        pool->sample(made);
        return made;
    }
};

TEST_F(WorkerPoolTest, AnswersARequestThroughAWorker) {
    start({fill(100)});
    auto& exchange = submit();
    EXPECT_FALSE(exchange.answered) << "callbacks never come from inside a call";
    ASSERT_TRUE(wait_for(exchange));
    EXPECT_EQ(exchange.effect.op, core::Op::respond);
    EXPECT_EQ(exchange.effect.status, 200);
    EXPECT_EQ(exchange.answer.body.size(), 100U);
    EXPECT_EQ(exchange.slot, -1) << "the answer is buffered, the worker is free";
    pool->finish(exchange, false);
    EXPECT_TRUE(exchange.cursor.ended);
}

TEST_F(WorkerPoolTest, ServesAnExchangeAgainAndAgain) {
    start({});
    auto& exchange = make();
    for (int i = 0; i < 500; ++i) {
        exchange.begin(settings);
        pool->submit(exchange);
        ASSERT_TRUE(wait_for(exchange));
        pool->finish(exchange, false);
    }
}

TEST_F(WorkerPoolTest, CountsTheTimeOfAWaitAsIoWait) {
    start({step(StepKind::wait, 5ms)});
    auto& exchange = submit();
    ASSERT_TRUE(wait_for(exchange));
    EXPECT_GE(exchange.part(Part::io_wait), 5ms);
    EXPECT_EQ(exchange.part(Part::cpu), Duration{});
}

TEST_F(WorkerPoolTest, CountsTheTimeBeforeAWorkerIsFreeAsQueue) {
    start({step(StepKind::wait, 10ms)});
    submit();
    auto& second = submit();
    EXPECT_EQ(sample().queue_depth, 1U);
    ASSERT_TRUE(wait_for_all());
    EXPECT_GE(second.part(Part::queue), 9ms);
}

TEST_F(WorkerPoolTest, AnswersInTheOrderOfTheQueue) {
    start({step(StepKind::wait, 1ms)});
    for (int i = 0; i < 10; ++i) submit();
    ASSERT_TRUE(wait_for_all());
    for (std::size_t i = 1; i < exchanges.size(); ++i) {
        EXPECT_LT(exchanges[i - 1].cursor.since, exchanges[i].cursor.since);
    }
}

TEST_F(WorkerPoolTest, RefusesWith503WhenTheQueueIsFull) {
    system.server.queue = 2;
    start({step(StepKind::wait, 20ms)});
    for (int i = 0; i < 3; ++i) submit();
    auto& refused = submit();
    ASSERT_TRUE(wait_for(refused));
    EXPECT_EQ(refused.effect.op, core::Op::respond);
    EXPECT_EQ(refused.effect.status, 503);
    EXPECT_FALSE(exchanges.front().answered);
    pool->finish(refused, false);
    ASSERT_TRUE(wait_for_all());
    EXPECT_EQ(exchanges[2].effect.status, 200);
}

TEST_F(WorkerPoolTest, EndsAbruptlyWhenTheQueueIsFullAndItIsToldToReset) {
    system.server.queue = 1;
    system.server.when_full = WhenFull::reset;
    start({step(StepKind::wait, 20ms)});
    submit();
    submit();
    auto& reset = submit();
    ASSERT_TRUE(wait_for(reset));
    EXPECT_EQ(reset.effect.op, core::Op::end);
    EXPECT_EQ(reset.effect.status, 0);
    pool->finish(reset, false);
    ASSERT_TRUE(wait_for_all());
}

TEST_F(WorkerPoolTest, HoldsWhatComesWhileTheQueueIsFullAndSaysWhenThereIsRoom) {
    system.server.queue = 1;
    system.server.when_full = WhenFull::wait;
    start({step(StepKind::wait, 5ms)});
    int told = 0;
    pool->set_on_accepting([&] { ++told; });
    EXPECT_TRUE(pool->accepting());
    submit();
    EXPECT_TRUE(pool->accepting());
    submit();
    EXPECT_FALSE(pool->accepting());
    submit();
    submit();
    EXPECT_EQ(sample().queue_depth, 1U);
    ASSERT_TRUE(wait_for_all());
    EXPECT_TRUE(front_end.run_until([&] { return told == 1; }));
    EXPECT_TRUE(pool->accepting());
    for (std::size_t i = 0; i < exchanges.size(); ++i) {
        EXPECT_EQ(exchanges[i].effect.status, 200);
        EXPECT_GE(exchanges[i].part(Part::queue), 4ms * i);
    }
}

TEST_F(WorkerPoolTest, RefusesWhatWaitedTooLong) {
    system.server.queue_timeout = 5ms;
    start({step(StepKind::wait, 60ms)});
    auto& first = submit();
    auto& second = submit();
    ASSERT_TRUE(wait_for(second));
    EXPECT_EQ(second.effect.status, 503);
    EXPECT_FALSE(first.answered);
    ASSERT_TRUE(wait_for(first));
    EXPECT_EQ(first.effect.status, 200);
}

TEST_F(WorkerPoolTest, WithdrawsARequestThatWaits) {
    start({step(StepKind::wait, 10ms)});
    auto& first = submit();
    auto& second = submit();
    auto& third = submit();
    EXPECT_TRUE(pool->withdraw(second));
    EXPECT_FALSE(pool->withdraw(first)) << "a worker has it in hand";
    ASSERT_TRUE(front_end.run_until([&] { return first.answered && third.answered; }));
    EXPECT_FALSE(second.answered);
}

TEST_F(WorkerPoolTest, WithdrawsARequestThatWaitsOutsideTheQueue) {
    system.server.queue = 1;
    system.server.when_full = WhenFull::wait;
    start({step(StepKind::wait, 5ms)});
    submit();
    submit();
    auto& outside = submit();
    EXPECT_TRUE(pool->withdraw(outside));
    ASSERT_TRUE(front_end.run_until([&] { return exchanges[1].answered; }));
    EXPECT_FALSE(outside.answered);
}

TEST_F(WorkerPoolTest, KeepsTheWorkerUntilTheAnswerIsDrained) {
    system.server.release = ReleasePoint::drained;
    start({fill(10)});
    auto& first = submit();
    ASSERT_TRUE(wait_for(first));
    EXPECT_EQ(first.slot, 0);
    auto& second = submit();
    EXPECT_EQ(sample().queue_depth, 1U);
    EXPECT_EQ(sample().threads[0].state, WorkerState::writing);
    EXPECT_FALSE(second.answered);
    pool->finish(first, false);
    ASSERT_TRUE(wait_for(second));
    pool->finish(second, false);
    EXPECT_EQ(sample().in_service, 0U);
}

TEST_F(WorkerPoolTest, BindsAWorkerToAConnectionForAsLongAsItGoesOn) {
    system.server.bind = BindPoint::accept;
    start({fill(10)});
    auto& connection = make();
    pool->bind(connection);
    ASSERT_TRUE(front_end.run_until([&] { return connection.bound; }));
    EXPECT_EQ(sample().in_service, 1U);
    for (int i = 0; i < 3; ++i) {
        connection.begin(settings);
        pool->submit(connection);
        ASSERT_TRUE(wait_for(connection));
        EXPECT_EQ(connection.answer.body.size(), 10U);
        pool->finish(connection, true);
        EXPECT_EQ(connection.slot, 0);
    }
    auto& other = make();
    pool->bind(other);
    EXPECT_EQ(sample().queue_depth, 1U);
    EXPECT_TRUE(pool->withdraw(connection)) << "the connection has closed";
    ASSERT_TRUE(front_end.run_until([&] { return other.bound; }));
    EXPECT_TRUE(pool->withdraw(other));
    EXPECT_EQ(sample().in_service, 0U);
}

TEST_F(WorkerPoolTest, TellsNothingToAConnectionThatWentBeforeItWasTold) {
    system.server.bind = BindPoint::accept;
    start({});
    auto& gone = make();
    pool->bind(gone);
    EXPECT_TRUE(pool->withdraw(gone));
    auto& next = make();
    pool->bind(next);
    ASSERT_TRUE(front_end.run_until([&] { return next.bound; }));
    EXPECT_FALSE(gone.bound);
    EXPECT_TRUE(pool->withdraw(next));
}

TEST_F(WorkerPoolTest, RefusesAConnectionThatCannotBeBound) {
    system.server.bind = BindPoint::accept;
    system.server.queue = 1;
    start({});
    for (int i = 0; i < 3; ++i) pool->bind(make());
    ASSERT_TRUE(wait_for(exchanges[2]));
    EXPECT_EQ(exchanges[2].effect.op, core::Op::respond);
    EXPECT_EQ(exchanges[2].effect.status, 503);
    pool->finish(exchanges[2], false);
    EXPECT_TRUE(pool->withdraw(exchanges[1]));
    EXPECT_TRUE(pool->withdraw(exchanges[0]));
}

TEST_F(WorkerPoolTest, GivesTheQueueToWorkersThatAreAdded) {
    start({step(StepKind::wait, 200ms)});
    for (int i = 0; i < 4; ++i) submit();
    EXPECT_EQ(sample().queue_depth, 3U);
    system.server.workers = 4;
    apply();
    EXPECT_EQ(sample().queue_depth, 0U);
    EXPECT_EQ(sample().threads.size(), 4U);
    ASSERT_TRUE(wait_for_all());
    EXPECT_LT(exchanges[3].answered_at - exchanges[0].answered_at, 190ms) << "side by side";
}

TEST_F(WorkerPoolTest, LosesNoRequestWhenWorkersAreTakenAway) {
    system.server.workers = 4;
    start({step(StepKind::wait, 10ms)});
    for (int i = 0; i < 12; ++i) submit();
    system.server.workers = 1;
    apply();
    const auto levels = sample();
    EXPECT_EQ(levels.threads.size(), 4U);
    EXPECT_TRUE(levels.threads[3].draining);
    EXPECT_FALSE(levels.threads[0].draining);
    ASSERT_TRUE(wait_for_all());
    for (const auto& exchange : exchanges) EXPECT_EQ(exchange.effect.status, 200);
    EXPECT_EQ(sample().threads.size(), 1U);
}

TEST_F(WorkerPoolTest, LosesNoRequestWhileWorkersAndThreadsChange) {
    start({step(StepKind::cpu, 100us), step(StepKind::wait, 300us)});
    const std::vector<std::pair<int, int>> shapes = {{3, 1}, {1, 4}, {2, 2},
                                                     {1, 1}, {4, 2}, {1, 2}};
    for (const auto& [workers, threads] : shapes) {
        for (int i = 0; i < 8; ++i) submit();
        system.server.workers = workers;
        system.server.threads = threads;
        apply();
        EXPECT_EQ(sample().threads_per_worker, threads);
    }
    ASSERT_TRUE(wait_for_all());
    for (const auto& exchange : exchanges) EXPECT_EQ(exchange.effect.status, 200);
    EXPECT_EQ(sample().in_service, 0U);
    EXPECT_EQ(sample().threads.size(), 2U);
}

TEST_F(WorkerPoolTest, UsesNewSettingsFromTheNextRequestOn) {
    start({fill(10)});
    auto& old = submit();
    system.routes = {route_of({fill(20)})};
    apply();
    EXPECT_EQ(pool->generation()->number, 2U);
    auto& fresh = submit();
    ASSERT_TRUE(wait_for_all());
    EXPECT_EQ(old.answer.body.size(), 10U);
    EXPECT_EQ(fresh.answer.body.size(), 20U);
}

TEST_F(WorkerPoolTest, EndsEveryWaitWhenItIsCancelled) {
    system.server.workers = 2;
    start({step(StepKind::wait, 60s)});
    submit();
    submit();
    auto& waiting = submit();
    EXPECT_TRUE(pool->withdraw(waiting));
    const Instant begun = clock_now();
    pool->cancel();
    ASSERT_TRUE(
        front_end.run_until([&] { return exchanges[0].answered && exchanges[1].answered; }));
    EXPECT_LT(clock_now() - begun, 1s);
    EXPECT_EQ(exchanges[0].effect.op, core::Op::end);
    auto& late = submit();
    ASSERT_TRUE(wait_for(late));
    EXPECT_EQ(late.effect.op, core::Op::end);
}

TEST_F(WorkerPoolTest, EndsComputingWhenItIsCancelled) {
    system.server.threads = 2;
    start({step(StepKind::cpu, 60s)});
    submit();
    submit();
    const Instant begun = clock_now();
    pool->cancel();
    ASSERT_TRUE(wait_for_all());
    EXPECT_LT(clock_now() - begun, 1s);
}

TEST_F(WorkerPoolTest, LetsOneThreadOfAWorkerComputeAtATime) {
    system.server.threads = 2;
    system.server.switch_interval = 1ms;
    start({step(StepKind::cpu, 10ms)});
    auto& one = submit();
    auto& other = submit();
    ASSERT_TRUE(wait_for_all());
    EXPECT_GT(one.part(Part::lock_wait) + other.part(Part::lock_wait), 5ms);
    EXPECT_GE(one.part(Part::cpu), 10ms);
    EXPECT_GE(other.part(Part::cpu), 10ms);
}

TEST_F(WorkerPoolTest, LetsThreadsWaitSideBySideUnderOneLock) {
    system.server.threads = 8;
    start({step(StepKind::wait, 50ms)});
    const Instant begun = clock_now();
    for (int i = 0; i < 8; ++i) submit();
    ASSERT_TRUE(wait_for_all());
    EXPECT_LT(clock_now() - begun, 200ms) << "one after the other would take 400 ms";
}

TEST_F(WorkerPoolTest, CountsHowLongSlotsAreHeld) {
    start({step(StepKind::wait, 20ms)});
    static_cast<void>(sample());
    submit();
    ASSERT_TRUE(wait_for_all());
    const auto levels = sample();
    EXPECT_GE(levels.busy_time, 20ms);
    EXPECT_GT(levels.threads[0].busy, 0.0);
    EXPECT_LE(levels.threads[0].busy, 1.0);
    EXPECT_EQ(sample().threads[0].request, 0U);
}

TEST_F(WorkerPoolTest, ShowsWhatEachThreadIsDoing) {
    start({step(StepKind::wait, 30ms)});
    auto& exchange = submit();
    ASSERT_TRUE(front_end.run_until([&] {
        front_end.completions.post([] {});  // look again and again
        return sample().threads[0].state == WorkerState::io_wait;
    }));
    EXPECT_EQ(sample().threads[0].request, 1U);
    ASSERT_TRUE(wait_for(exchange));
    EXPECT_EQ(sample().threads[0].state, WorkerState::idle);
}

TEST_F(WorkerPoolTest, TellsWhatHappenedToEachRequest) {
    start({step(StepKind::wait, 1ms)});
    submit();
    submit();
    ASSERT_TRUE(wait_for_all());
    std::uint64_t left_out = 0;
    const auto events = pool->take_events(100, left_out);
    using Kind = RequestEvent::Kind;
    std::vector<Kind> of_second;
    for (const auto& event : events) {
        if (event.request == 2) of_second.push_back(event.kind);
    }
    EXPECT_EQ(of_second, (std::vector{Kind::queued, Kind::started, Kind::answered}));
    EXPECT_EQ(left_out, 0U);
}

TEST_F(WorkerPoolTest, BurnsTheCpuTimeThatAStepAsksFor) {
    start({step(StepKind::cpu, 20ms)});
    static_cast<void>(sample());
    submit();
    ASSERT_TRUE(wait_for_all());
    const auto levels = sample();
    EXPECT_GE(levels.worker_cpu, 20ms);
    EXPECT_LT(levels.worker_cpu, 30ms);
}

}  // namespace
}  // namespace lab::live
