// SPDX-License-Identifier: GPL-3.0-or-later
// What was measured of real servers (SERVERS.md section 0: E2 to E6), in virtual time; and what an
// event loop's pool of threads does.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "support/routes.hpp"
#include "support/time.hpp"
#include "support/virtual_loops.hpp"

namespace lab {
namespace {

using test::Asked;
using test::async;
using test::at;
using test::blocking;
using test::cpu;
using test::gather;
using test::offload;
using test::query;
using test::route;
using test::Served;
using test::VirtualLoops;
using test::wait;

System system_of(Execution execution, Route view, int workers = 1, int threads = 1) {
    System system;
    system.server.execution = execution;
    system.server.workers = workers;
    system.server.threads = threads;
    system.server.interpreter_lock = false;
    system.server.async_cost = 2ms;
    system.routes = {std::move(view)};
    return system;
}

std::vector<Asked> at_once(int count) {
    return std::vector<Asked>(static_cast<std::size_t>(count), Asked{at(0ms), 0});
}

/// How long until the last of eight that come at once.
Duration eight(const System& system) {
    Duration last{};
    for (const Served& served : VirtualLoops{system, at_once(8)}.run()) {
        EXPECT_EQ(served.status, 200);
        const auto& parts = served.parts;
        EXPECT_EQ(std::accumulate(parts.begin(), parts.end(), Duration{}), served.latency);
        last = std::max(last, served.latency);
    }
    return last;
}

TEST(VirtualLoops, AnAsyncViewGainsNothingFromAWorkerOfThreads) {
    const Route sleeps = async(route({wait(500ms)}));
    const Route blocks = async(route({blocking(wait(500ms))}));
    const auto threads = Execution::threads;
    EXPECT_EQ(eight(system_of(threads, route({wait(500ms)}))), 4s) << "E3";
    EXPECT_EQ(eight(system_of(threads, sleeps)), 8 * 502ms) << "E3: no gain, and the cost";
    EXPECT_EQ(eight(system_of(threads, sleeps, 4)), 2 * 502ms) << "E4: two waves of four";
    EXPECT_EQ(eight(system_of(threads, sleeps, 1, 8)), 502ms) << "E2: awaiting";
    EXPECT_EQ(eight(system_of(threads, blocks, 1, 8)), 502ms) << "E2: blocking hurts nobody else";
}

TEST(VirtualLoops, ABlockingCallStallsEverybodyOnALoop) {
    const auto loop = Execution::loop;
    EXPECT_EQ(eight(system_of(loop, async(route({wait(500ms)})))), 500ms);
    EXPECT_EQ(eight(system_of(loop, async(route({blocking(wait(500ms))})))), 4s);
    EXPECT_EQ(eight(system_of(loop, async(route({blocking(wait(500ms))})), 4)), 1s);
    const auto greenlets = Execution::greenlets;
    EXPECT_EQ(eight(system_of(greenlets, route({wait(500ms)}))), 500ms);
    EXPECT_EQ(eight(system_of(greenlets, route({blocking(wait(500ms))}))), 4s);
}

TEST(VirtualLoops, OneBlockingCallIsPaidByThoseWhoAwait) {
    System system = system_of(Execution::loop, async(route({wait(10ms)}, "fast")));
    system.routes.push_back(async(route({blocking(wait(300ms))}, "slow")));
    const auto served =
        VirtualLoops{system, {{at(0ms), 1}, {at(5ms), 0}, {at(290ms), 0}, {at(400ms), 0}}}.run();
    EXPECT_EQ(served[0].latency, 300ms);
    EXPECT_EQ(served[1].latency, 295ms + 10ms);
    EXPECT_EQ(served[1].part(Part::loop_wait), 295ms);
    EXPECT_EQ(served[2].latency, 10ms + 10ms);
    EXPECT_EQ(served[3].latency, 10ms);
}

TEST(VirtualLoops, AGatherTakesAsLongAsItsLongestBranchUnlessItsBranchesBlock) {
    const Route awaits = async(route({gather({wait(200ms)}, 3)}));
    const Route blocks = async(route({gather({blocking(wait(200ms))}, 3)}));
    for (const auto execution : {Execution::threads, Execution::loop, Execution::greenlets}) {
        System system = system_of(execution, awaits);
        system.server.async_cost = 0ms;
        const auto one = VirtualLoops{system, at_once(1)}.run()[0];
        EXPECT_EQ(one.latency, 200ms) << "E5: awaiting";
        EXPECT_EQ(one.part(Part::io_wait), 200ms);
        system.routes = {blocks};
        const auto serial = VirtualLoops{system, at_once(1)}.run()[0];
        EXPECT_EQ(serial.latency, 600ms) << "E5: blocking";
        EXPECT_EQ(serial.part(Part::io_wait), 200ms);
        EXPECT_EQ(serial.part(Part::loop_wait), 400ms) << "of the branch that was last";
    }
    const Route sync = route({gather({wait(200ms)}, 3)});
    EXPECT_EQ(eight(system_of(Execution::threads, sync, 1, 8)), 600ms) << "def cannot gather";
}

TEST(VirtualLoops, AnEmptyAsyncViewOnAThreadCostsItsThreadAndLoop) {
    const auto empty = VirtualLoops{system_of(Execution::threads, route({})), at_once(1)}.run()[0];
    const auto async_empty =
        VirtualLoops{system_of(Execution::threads, async(route({}))), at_once(1)}.run()[0];
    EXPECT_EQ(empty.latency, 0ms);
    EXPECT_EQ(async_empty.latency, 2ms) << "E6";
    EXPECT_EQ(async_empty.part(Part::cpu), 2ms);
}

TEST(VirtualLoops, TheFortyFirstWaitsForATokenUnseen) {
    VirtualLoops bench{system_of(Execution::loop, route({wait(100ms)})), at_once(41)};
    auto served = bench.run();
    EXPECT_EQ(bench.most_waiting_for_a_token(), 1);
    std::sort(served.begin(), served.end(),
              [](const Served& a, const Served& b) { return a.latency < b.latency; });
    EXPECT_EQ(served[39].latency, 100ms);
    EXPECT_EQ(served[40].latency, 200ms);
    EXPECT_EQ(served[40].part(Part::token_wait), 100ms);
    EXPECT_EQ(served[40].part(Part::queue), 0ms);
}

TEST(VirtualLoops, ComputingHoldsTheLoopUnlessItIsOffloaded) {
    const auto lag = [](Step work) {
        System system = system_of(Execution::loop, async(route({std::move(work)})));
        VirtualLoops bench{system, at_once(4)};
        static_cast<void>(bench.run());
        return bench.longest_lag();
    };
    EXPECT_EQ(lag(cpu(50ms)), 150ms);
    EXPECT_EQ(lag(offload(cpu(50ms))), 0ms);
}

TEST(VirtualLoops, AQueryHoldsTheLoopAndItsRoundTripDoesNot) {
    System system = system_of(Execution::loop, async(route({query()})));
    system.database.round_trip = 20ms;
    const auto last = [&system] {
        Duration longest{};
        for (const Served& served : VirtualLoops{system, at_once(4), 5ms}.run()) {
            longest = std::max(longest, served.latency);
        }
        return longest;
    };
    EXPECT_EQ(last(), 20ms + 4 * 5ms);
    system.routes = {async(route({blocking(query())}))};
    EXPECT_EQ(last(), 4 * 25ms);
    system.routes = {async(route({offload(query())}))};
    EXPECT_EQ(last(), 25ms);
    system.database.pool = 1;
    system.database.overflow = 0;
    EXPECT_EQ(last(), 4 * 25ms);
}

}  // namespace
}  // namespace lab
