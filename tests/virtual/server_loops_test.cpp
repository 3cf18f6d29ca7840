// SPDX-License-Identifier: GPL-3.0-or-later
// Event loops, greenlets, async views, their pools of threads and gathers, in virtual time: what
// was measured of real servers (SERVERS.md section 0: E2 to E6).
#include <gtest/gtest.h>

#include "support/virtual_run.hpp"

namespace lab {
namespace {

using test::arrive;
using test::arrive_at_once;
using test::async;
using test::bare_model;
using test::blocking;
using test::cpu;
using test::expect_ms;
using test::gather;
using test::offload;
using test::query;
using test::route;
using test::run_for;
using test::wait;

Model model_of(Execution execution, Route view, int workers = 1, int threads = 1) {
    Model model = bare_model(std::move(view));
    model.system.server.execution = execution;
    model.system.server.workers = workers;
    model.system.server.threads = threads;
    model.system.server.async_cost = 2ms;
    return model;
}

/// How long until the last of eight that come at once, in milliseconds.
double eight(Model model) {
    arrive_at_once(model, 8);
    const auto ran = run_for(model, 1s);
    EXPECT_EQ(ran.ended(Ending::ok), 8u);
    Duration sum{};
    for (const Duration part : ran.result->parts) sum += part;
    EXPECT_NEAR(to_seconds(sum) * 1e3 / 8, ran.mean_ms(), 0.002 * ran.mean_ms());
    EXPECT_EQ(ran.result->parts[static_cast<std::size_t>(Part::unexplained)], Duration{});
    return ran.longest_ms();
}

TEST(VirtualServerLoops, AnAsyncViewGainsNothingFromAWorkerOfThreads) {
    const Route sleeps = async(route({wait(500ms)}));
    const Route blocks = async(route({blocking(wait(500ms))}));
    const auto threads = Execution::threads;
    expect_ms(eight(model_of(threads, route({wait(500ms)}))), 4'000);  // E3
    expect_ms(eight(model_of(threads, sleeps)), 8 * 502);              // E3: the cost beside
    expect_ms(eight(model_of(threads, sleeps, 4)), 2 * 502);           // E4: two waves of four
    expect_ms(eight(model_of(threads, sleeps, 1, 8)), 502);            // E2
    expect_ms(eight(model_of(threads, blocks, 1, 8)), 502);            // E2: it hurts nobody else
}

TEST(VirtualServerLoops, ABlockingCallStallsEverybodyOnALoop) {
    const auto loop = Execution::loop;
    expect_ms(eight(model_of(loop, async(route({wait(500ms)})))), 500);
    expect_ms(eight(model_of(loop, async(route({blocking(wait(500ms))})))), 4'000);
    expect_ms(eight(model_of(loop, async(route({blocking(wait(500ms))})), 4)), 1'000);
    const auto greenlets = Execution::greenlets;
    expect_ms(eight(model_of(greenlets, route({wait(500ms)}))), 500);
    expect_ms(eight(model_of(greenlets, route({blocking(wait(500ms))}))), 4'000);
}

TEST(VirtualServerLoops, ComputingStallsALoopAndCountsAsLag) {
    Model model = model_of(Execution::loop, async(route({cpu(10ms)})));
    arrive_at_once(model, 3);
    const auto ran = run_for(model, 1s);
    expect_ms(ran.longest_ms(), 30);
    expect_ms(ran.part_ms(Part::cpu), 10);
    expect_ms(ran.part_ms(Part::loop_wait), 10);  // 0, 10 and 20
    ASSERT_TRUE(ran.result->loop_lag.max());
    expect_ms(to_seconds(*ran.result->loop_lag.max()) * 1e3, 20);
    EXPECT_EQ(ran.result->loop_lag.count(), 3u);
    EXPECT_EQ(ran.frames.at(0)->server.loops, 1u);
    expect_ms(to_seconds(ran.result->worker_cpu) * 1e3, 30);
}

TEST(VirtualServerLoops, ASyncViewRunsInThePoolOfThreads) {
    Model model = model_of(Execution::loop, route({wait(500ms)}));
    model.system.server.pool_threads = 2;
    expect_ms(eight(model), 2'000);
    model.system.server.pool_threads = 40;
    expect_ms(eight(model), 500);
    model.system.server.pool_threads = 4;
    arrive_at_once(model, 8);
    const auto ran = run_for(model, 2s);
    expect_ms(ran.part_ms(Part::token_wait), 250);
    const ServerSample& seen = ran.frames.at(2)->server;
    EXPECT_EQ(seen.tokens, 4u);
    EXPECT_EQ(seen.tokens_in_use, 4u);
    EXPECT_EQ(seen.tokens_waiting, 4u);
}

TEST(VirtualServerLoops, AnOffloadedStepLetsTheLoopGo) {
    Model model = model_of(Execution::loop, async(route({offload(blocking(wait(100ms)))})));
    expect_ms(eight(model), 100);
    model.system.server.pool_threads = 1;
    expect_ms(eight(model), 800);
}

TEST(VirtualServerLoops, AGatherTakesAsLongAsItsLongestBranch) {
    const auto view = [] {
        return route({gather({wait(100ms, "short"), wait(300ms, "long")})});
    };
    const auto one = [](Model model) {
        arrive_at_once(model, 1);
        const auto ran = run_for(model, 1s);
        EXPECT_EQ(ran.ended(Ending::ok), 1u);
        return ran;
    };
    const auto on_loop = one(model_of(Execution::loop, async(view())));
    expect_ms(on_loop.longest_ms(), 300);
    expect_ms(on_loop.part_ms(Part::io_wait), 300);  // the critical path, not 400
    expect_ms(one(model_of(Execution::greenlets, view())).longest_ms(), 300);
    expect_ms(one(model_of(Execution::threads, view())).longest_ms(), 400);
    expect_ms(one(model_of(Execution::threads, async(view()))).longest_ms(), 302);
    // Branches that compute follow one another wherever they run.
    expect_ms(
        one(model_of(Execution::loop, async(route({gather({cpu(10ms)}, 5)})))).longest_ms(), 50);
}

TEST(VirtualServerLoops, ABranchThatFailsCancelsTheOthers) {
    Model model = model_of(
        Execution::loop,
        async(route({gather({query(QueryKind::product_by_id), wait(2s, "long")})})));
    model.system.costs.query = 50ms;
    model.system.database.query_timeout = 10ms;
    arrive_at_once(model, 1);
    const auto ran = run_for(model, 3s);
    EXPECT_EQ(ran.ended(Ending::http_5xx), 1u);
    EXPECT_EQ(ran.result->database.query_timeouts, 1u);
    // The connection came back and the next request is served at once.
    EXPECT_LT(ran.frames.size(), 45u);
}

TEST(VirtualServerLoops, ALoopHasItsOwnQueueAndPlaces) {
    Model model = model_of(Execution::loop, async(route({wait(100ms)})));
    model.system.server.worker_connections = 2;
    model.system.server.queue = 1;
    arrive_at_once(model, 5);
    const auto ran = run_for(model, 1s);
    EXPECT_EQ(ran.ended(Ending::ok), 3u);
    EXPECT_EQ(ran.ended(Ending::rejected), 2u);
    expect_ms(ran.longest_ms(), 200);
}

TEST(VirtualServerLoops, WaitingForAConnectionLetsOthersRun) {
    Model model = model_of(Execution::loop, async(route({query(QueryKind::product_by_id)})));
    model.system.database.round_trip = 100ms;
    model.system.database.pool = 1;
    model.system.database.overflow = 1;
    expect_ms(eight(model), 400);
    model.system.database.pool_timeout = 150ms;
    arrive_at_once(model, 8);
    const auto ran = run_for(model, 2s);
    EXPECT_EQ(ran.ended(Ending::ok), 4u);
    EXPECT_EQ(ran.ended(Ending::http_5xx), 4u);
    EXPECT_EQ(ran.result->database.pool_timeouts, 4u);
}

}  // namespace
}  // namespace lab
