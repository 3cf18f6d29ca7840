// SPDX-License-Identifier: GPL-3.0-or-later
// Async views over real sockets, held against what was measured of the real servers (SERVERS.md
// section 0). Only ratios, directions and bounds: the machine is shared.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "live/server.hpp"
#include "live/wire.hpp"
#include "support/http_client.hpp"
#include "support/routes.hpp"
#include "unit/live/temporary_folder.hpp"

namespace lab::live {
namespace {

using lab::test::async;
using lab::test::blocking;
using lab::test::cpu;
using lab::test::gather;
using lab::test::HttpClient;
using lab::test::offload;
using lab::test::route;
using lab::test::wait;

Instant clock_now() { return std::chrono::steady_clock::now(); }

struct AsyncTest : ::testing::Test {
    lab::test::TemporaryFolder folder;
    System system;
    std::unique_ptr<live::Server> server;

    void open(Execution execution, int workers, int threads, std::vector<Route> routes) {
        system.server.execution = execution;
        system.server.workers = workers;
        system.server.threads = threads;
        system.routes = std::move(routes);
        Server::Options options;
        options.system = system;
        options.data_folder = folder.path();
        auto opened = live::Server::open(std::move(options));
        ASSERT_TRUE(opened) << opened.error().message();
        server = std::move(opened.value());
    }
    /// Eight at once, each on a connection of its own: how long until the last answer.
    Duration eight(const std::string& target) {
        std::deque<HttpClient> clients;
        for (int i = 0; i < 8; ++i) clients.emplace_back(server->port());
        const Instant begun = clock_now();
        for (HttpClient& client : clients) client.send(target);
        for (HttpClient& client : clients) EXPECT_EQ(client.receive().status, 200);
        return clock_now() - begun;
    }
    /// One after the other on one connection: the mean.
    Duration mean_of(int count, const std::string& target) {
        HttpClient client{server->port()};
        EXPECT_EQ(client.get(target).status, 200);
        const Instant begun = clock_now();
        for (int i = 0; i < count; ++i) EXPECT_EQ(client.get(target).status, 200);
        return (clock_now() - begun) / count;
    }
    Duration part_of(const std::string& target, Part part) {
        HttpClient client{server->port()};
        const auto times =
            read_times(client.get(target, "X-Lab-Request: 1\r\n").field(std::string{times_field}));
        return times ? times->parts[static_cast<std::size_t>(part)] : Duration::max();
    }
};

TEST_F(AsyncTest, E2BlockingInAnAsyncViewHurtsNobodyElseUnderThreads) {
    open(Execution::threads, 1, 8,
         {async(route({blocking(wait(250ms))}, "block")), async(route({wait(250ms)}, "await"))});
    const Duration blocks = eight("/block"), awaits = eight("/await");
    EXPECT_GE(blocks, 250ms);
    EXPECT_LT(blocks, 400ms);
    EXPECT_GE(awaits, 250ms);
    EXPECT_LT(awaits, 400ms);
}

TEST_F(AsyncTest, E3AndE4AnAsyncViewGainsNothingFromSyncWorkers) {
    open(Execution::threads, 1, 1,
         {route({wait(100ms)}, "sync"), async(route({wait(100ms)}, "await"))});
    const Duration sync = eight("/sync"), awaits = eight("/await");
    EXPECT_GE(sync, 800ms);
    EXPECT_NEAR(to_seconds(awaits) / to_seconds(sync), 4.08 / 4.06, 0.15);
    system.server.workers = 4;
    const auto number = server->apply(system);
    while (server->generation() != number) std::this_thread::yield();
    const Duration two_waves = eight("/await");
    EXPECT_GE(two_waves, 200ms);
    EXPECT_LT(two_waves, 300ms);
}

TEST_F(AsyncTest, E5GatherIsWorthItWhereItAwaits) {
    open(Execution::threads, 1, 8,
         {async(route({gather({blocking(wait(200ms))}, 3)}, "block")),
          async(route({gather({wait(200ms)}, 3)}, "await"))});
    const double blocks = to_seconds(eight("/block")), awaits = to_seconds(eight("/await"));
    EXPECT_GE(blocks, 0.6);
    EXPECT_GE(awaits, 0.2);
    EXPECT_NEAR(blocks / awaits, 0.62 / 0.23, 0.45);
    EXPECT_GE(part_of("/block", Part::loop_wait), 390ms);
}

TEST_F(AsyncTest, E6AnEmptyAsyncViewCostsAThreadAndALoop) {
    open(Execution::threads, 1, 1, {route({}, "sync"), async(route({}, "async"))});
    const Duration sync = mean_of(100, "/sync"), costly = mean_of(100, "/async");
    EXPECT_GE(costly - sync, 800us);
    EXPECT_LT(costly - sync, 8ms);
}

TEST_F(AsyncTest, OneBlockingCallStallsEverybodyOnTheLoop) {
    open(Execution::loop, 1, 1,
         {async(route({blocking(wait(400ms))}, "block")), async(route({wait(50ms)}, "await"))});
    EXPECT_LT(eight("/await"), 300ms);
    HttpClient slow{server->port()};
    slow.send("/block");
    const Instant limit = clock_now() + 10s;
    ServerSample sample;
    while (sample.threads.empty() || sample.threads[0].state != WorkerState::blocked) {
        ASSERT_LT(clock_now(), limit);
        sample = server->sample();
    }
    EXPECT_GE(eight("/await"), 300ms);
    EXPECT_EQ(slow.receive().status, 200);
    EXPECT_GE(eight("/block"), 3'200ms);
    sample = server->sample();
    ASSERT_FALSE(sample.loop_lag.empty());
    EXPECT_GE(Histogram::upper_edge(sample.loop_lag.back().first), 2'700ms);
}

TEST_F(AsyncTest, AnotherWorkerIsNotStalled) {
    open(Execution::loop, 2, 1,
         {async(route({blocking(wait(400ms))}, "block")), async(route({}, "quick"))});
    HttpClient slow{server->port()};
    slow.send("/block");
    const Instant limit = clock_now() + 10s;
    while (server->sample().in_service == 0) ASSERT_LT(clock_now(), limit);
    HttpClient quick{server->port()};
    const Instant begun = clock_now();
    EXPECT_EQ(quick.get("/quick").status, 200);
    EXPECT_LT(clock_now() - begun, 300ms);
    EXPECT_EQ(slow.receive().status, 200);
}

TEST_F(AsyncTest, SyncViewsShareThePoolAndTheNextWaitsUnseen) {
    system.server.pool_threads = 4;
    open(Execution::loop, 1, 1, {route({wait(100ms)}, "def")});
    const Duration time = eight("/def");
    EXPECT_GE(time, 200ms);
    EXPECT_LT(time, 350ms);
}

struct AsyncDatabaseTest : AsyncTest {
    AsyncDatabaseTest() {
        system.database.products = 100'000;
        system.database.index = false;
        system.database.round_trip = 50ms;
    }
};

TEST_F(AsyncDatabaseTest, AQueryBlocksTheLoopUnlessItIsOffloaded) {
    Step query = lab::test::query();
    open(Execution::loop, 1, 1,
         {async(route({query}, "query")), async(route({offload(query)}, "offload")),
          async(route({blocking(query)}, "block"))});
    const Duration block = eight("/block");
    EXPECT_GE(block, 400ms) << "each round trip alone";
    const Duration awaits = eight("/query");
    EXPECT_LT(awaits, block);
    EXPECT_GE(part_of("/query", Part::database), 50ms);
    EXPECT_EQ(eight("/offload") > 50ms, true);
    EXPECT_GT(part_of("/offload", Part::database), 50ms);
}

TEST_F(AsyncDatabaseTest, WaitsForAConnectionWithoutBlockingTheLoop) {
    system.database.pool = 1;
    system.database.overflow = 0;
    system.database.index = true;
    open(Execution::loop, 1, 1,
         {async(route({gather({lab::test::query(QueryKind::product_by_id)}, 4)}, "page")),
          async(route({}, "quick"))});
    HttpClient page{server->port()};
    page.send("/page");
    const Instant limit = clock_now() + 10s;
    while (server->sample().pool_waiting < 3) ASSERT_LT(clock_now(), limit);
    EXPECT_LT(mean_of(5, "/quick"), 40ms);
    EXPECT_EQ(page.receive().status, 200);
    system.database.pool_timeout = 20ms;
    const auto number = server->apply(system);
    while (server->generation() != number) ASSERT_LT(clock_now(), limit);
    HttpClient again{server->port()};
    EXPECT_EQ(again.get("/page").status, 500) << "a branch waited too long";
    EXPECT_EQ(again.get("/quick").status, 200);
}

TEST_F(AsyncDatabaseTest, StopsWithinASecondWhileItGathers) {
    system.database.pool = 1;
    open(Execution::loop, 2, 1,
         {async(route({gather({lab::test::query(), blocking(wait(60s))}, 8)}, "page"))});
    std::deque<HttpClient> clients;
    for (int i = 0; i < 10; ++i) clients.emplace_back(server->port()).send("/page");
    const Instant limit = clock_now() + 10s;
    while (server->sample().in_service < 10) ASSERT_LT(clock_now(), limit);
    const Instant begun = clock_now();
    server->stop();
    EXPECT_LT(clock_now() - begun, 1s);
}

}  // namespace
}  // namespace lab::live
