// SPDX-License-Identifier: GPL-3.0-or-later
// How work comes to workers, and how they live, in virtual time.
#include <gtest/gtest.h>

#include "support/virtual_run.hpp"

namespace lab {
namespace {

using test::arrive;
using test::arrive_at_once;
using test::bare_model;
using test::cpu;
using test::expect_ms;
using test::route;
using test::run_for;
using test::wait;

Model two_workers(Dispatch dispatch) {
    Model model = bare_model(route({wait(Distribution::exponential(10ms))}));
    model.system.server.workers = 2;
    model.system.server.dispatch = dispatch;
    model.system.server.queue = 10'000;
    model.load.rate = ArrivalRate::per_second(160);
    model.load.keep_alive = false;  // each request chooses its worker anew
    return model;
}

// E7. Workers that accept ahead split a Poisson stream by chance: each is an M/M/1 queue. A queue
// before both is M/M/2.
TEST(VirtualServerWorkers, AcceptingAheadIsAQueueForEachWorker) {
    const double utilisation = 0.8, service = 10;
    const auto ahead = run_for(two_workers(Dispatch::ahead), 3'000s, 1, 300'000);
    EXPECT_NEAR(ahead.mean_ms(), service / (1 - utilisation), 2.0);
    const auto shared = run_for(two_workers(Dispatch::shared), 3'000s, 1, 300'000);
    EXPECT_NEAR(shared.mean_ms(), service / (1 - utilisation * utilisation), 0.7);
}

TEST(VirtualServerWorkers, AConnectionStaysWithTheWorkerThatAcceptedIt) {
    Model model = two_workers(Dispatch::ahead);
    model.system.routes = {route({wait(10ms)})};
    model.load.keep_alive = true;
    model.load.model = LoadModel::closed;
    model.load.users = 4;
    model.load.think = Distribution::constant(50ms);
    const auto ran = run_for(model, 10s);
    const auto& workers = ran.frames.at(50)->server.workers;
    ASSERT_EQ(workers.size(), 2u);
    EXPECT_EQ(workers[0].connections + workers[1].connections, 4u);
    EXPECT_EQ(ran.frames.at(20)->server.workers[0].connections, workers[0].connections);
}

TEST(VirtualServerWorkers, AThreadForEachThatComes) {
    Model model = bare_model(route({wait(100ms)}));
    model.system.server.threads = 0;
    model.system.server.queue = 0;
    arrive_at_once(model, 50);
    const auto ran = run_for(model, 1s);
    EXPECT_EQ(ran.ended(Ending::ok), 50u);
    expect_ms(ran.longest_ms(), 100);
    EXPECT_LE(ran.frames.back()->server.threads.size(), 1u) << "idle threads go";
}

TEST(VirtualServerWorkers, AWorkerLeavesAfterItsNumberOfRequests) {
    Model model = bare_model(route({wait(1ms)}));
    model.system.server.max_requests = 10;
    model.system.server.boot_time = 100ms;
    model.load.arrivals = Arrivals::constant;
    model.load.rate = ArrivalRate::per_second(20);
    const auto ran = run_for(model, 5s);  // 100 requests, one each 50 ms
    EXPECT_EQ(ran.result->counts.of(Ending::ok), ran.result->counts.planned);
    EXPECT_NEAR(static_cast<double>(ran.result->worker_restarts), 10, 1);
    EXPECT_NEAR(static_cast<double>(ran.result->worker_boots), 10, 1);
    // Ended at 1 ms after it came; the next came 49 ms later and waited out the rest of the boot.
    expect_ms(ran.longest_ms(), 100 - 49 + 1);
}

TEST(VirtualServerWorkers, AWorkerWhoseHeartStandsStillIsKilled) {
    Model model = bare_model(route({wait(30s)}));
    model.system.server.workers = 2;
    model.system.server.worker_timeout = 2s;
    arrive_at_once(model, 2);
    const auto ran = run_for(model, 10s);
    EXPECT_EQ(ran.ended(Ending::reset), 2u);
    EXPECT_EQ(ran.result->worker_kills, 2u);
    // The master looks round once a second: at 3 s the heart has stood for longer than 2 s.
    EXPECT_EQ(ran.frames.at(28)->server.in_service, 2u);
    EXPECT_EQ(ran.frames.at(31)->server.in_service, 0u);
}

TEST(VirtualServerWorkers, AWorkerAboveItsMemoryIsKilledAndComesUpAgain) {
    Model model = bare_model(route({wait(1ms)}));
    model.system.server.memory = Bytes{40'000'000};
    model.system.server.leak = Bytes{10'000'000};
    model.system.server.memory_limit = Bytes{85'000'000};
    model.load.keep_alive = false;  // on a used connection it would be sent once more
    model.load.arrivals = Arrivals::constant;
    model.load.rate = ArrivalRate::per_second(10);
    const auto ran = run_for(model, 5s);
    // 50, 60, 70, 80, 90: each fifth request finds no memory any more.
    const auto planned = static_cast<double>(ran.result->counts.planned);
    EXPECT_NEAR(static_cast<double>(ran.ended(Ending::reset)), planned / 5, 1);
    EXPECT_NEAR(static_cast<double>(ran.result->worker_kills), planned / 5, 1);
    EXPECT_EQ(ran.ended(Ending::ok) + ran.ended(Ending::reset), ran.result->counts.planned);
}

TEST(VirtualServerWorkers, MoreWorkersComeWhenAllAreBusy) {
    Model model = bare_model(route({wait(100ms)}));
    model.system.server.workers = 8;
    model.system.server.cheaper = 1;
    model.system.server.cheaper_overload = 1s;
    model.system.server.queue = 1'000;
    model.load.rate = ArrivalRate::per_second(30);
    const auto ran = run_for(model, 30s);
    const auto up = [&](std::size_t frame) {
        int count = 0;
        for (const auto& worker : ran.frames.at(frame)->server.workers) {
            count += worker.state == ProcessSample::State::up;
        }
        return count;
    };
    EXPECT_EQ(up(5), 1);
    EXPECT_GE(up(290), 4);
}

TEST(VirtualServerWorkers, KeepToTheCoresTheyMayUse) {
    Model model = bare_model(route({cpu(100ms)}));
    model.system.server.workers = 4;
    model.system.host.cores = 4;
    arrive_at_once(model, 4);
    expect_ms(run_for(model, 1s).longest_ms(), 100);
    model.system.server.cores = 2;
    const auto two = run_for(model, 1s);
    expect_ms(two.longest_ms(), 200);
    EXPECT_EQ(two.frames.at(0)->server.cores, 2u);
    model.system.server.cores = 64;  // no more than the host has
    expect_ms(run_for(model, 1s).longest_ms(), 100);
}

TEST(VirtualServerWorkers, StandStillTogether) {
    Model model = bare_model(route({wait(10ms)}));
    model.system.server.workers = 4;
    model.system.server.stall_every = 10s;
    model.system.server.stall_for = 2s;
    // The clock began a second before the run: the stall is from 7 s to 9 s of it.
    arrive(model, {1s, 7'500ms, 8s, 9'500ms});
    const auto ran = run_for(model, 12s);
    expect_ms(ran.longest_ms(), 1'510);
    expect_ms(ran.shortest_ms(), 10);
}

TEST(VirtualServerWorkers, TakeUpAnotherDispatchWhileTheyRun) {
    virtual_time::Run::Options options;
    options.model = two_workers(Dispatch::shared);
    options.length = 20s;
    auto made = virtual_time::Run::create(options);
    ASSERT_TRUE(made);
    Counts counts;
    const auto keep = [&](const FramePtr& frame) { counts += frame->counts; };
    Model model = options.model;
    for (std::uint64_t i = 0; i < 20; ++i) {
        ASSERT_TRUE((*made)->advance(900ms, {}, keep));
        model.system.server.dispatch = i % 2 == 0 ? Dispatch::ahead : Dispatch::shared;
        model.system.server.workers = 2 + static_cast<int>(i % 3);
        ASSERT_TRUE((*made)->apply(i + 1, model));
    }
    while ((*made)->stage() != virtual_time::Stage::done) {
        ASSERT_TRUE((*made)->advance(100ms, {}, keep));
    }
    const auto result = (*made)->finish(false, keep);
    EXPECT_EQ(counts.planned, counts.total_ended());
    EXPECT_GT(result->counts.of(Ending::ok), result->counts.planned * 9 / 10);
    model.system.server.execution = Execution::loop;
    const auto refused = (*made)->apply(99, model);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().where, "server.execution");
}

}  // namespace
}  // namespace lab
