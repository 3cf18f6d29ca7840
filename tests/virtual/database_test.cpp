// SPDX-License-Identifier: GPL-3.0-or-later
// Waits for the database in virtual time, exact to the nanosecond.
#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "support/routes.hpp"
#include "support/time.hpp"
#include "support/virtual_bench.hpp"

namespace lab {
namespace {

using test::at;
using test::Done;
using test::VirtualBench;

/// `count` requests at once for one worker with so many threads.
std::vector<Done> all_at_once(VirtualBench::Setup setup, int count) {
    setup.system.server.threads = count;
    setup.system.server.interpreter_lock = false;
    std::vector<core::Planned> plan;
    for (int i = 0; i < count; ++i) {
        core::Planned planned;
        planned.id = static_cast<std::uint64_t>(i) + 1;
        planned.intended = at(1ms);
        plan.push_back(planned);
    }
    VirtualBench bench{std::move(setup), std::move(plan)};
    std::vector<Done> done;
    bench.on_done = [&](const Done& one) { done.push_back(one); };
    bench.run_until(at(600s));
    bench.finish();
    return done;
}

VirtualBench::Setup asking(Step step, Duration query_time) {
    VirtualBench::Setup setup;
    setup.system.routes = {test::route({std::move(step)})};
    setup.query_time = query_time;
    return setup;
}

TEST(VirtualPool, LetsFifteenInByDefaultAndMakesTheRestWaitForAConnection) {
    std::map<Duration, int> waited;
    for (const Done& one : all_at_once(asking(test::query(), 100ms), 32)) {
        EXPECT_EQ(one.status, 200);
        ++waited[one.part(Part::pool_wait)];
    }
    EXPECT_EQ(waited, (std::map<Duration, int>{{0ms, 15}, {100ms, 15}, {200ms, 2}}));
}

TEST(VirtualPool, EndsInAnErrorAfterThirtySecondsByDefault) {
    std::map<std::uint16_t, int> statuses;
    for (const Done& one : all_at_once(asking(test::query(), 40s), 20)) {
        ++statuses[one.status];
        if (one.status == 500) {
            EXPECT_EQ(one.part(Part::pool_wait), 30s);
        }
    }
    EXPECT_EQ(statuses, (std::map<std::uint16_t, int>{{200, 15}, {500, 5}}));
}

TEST(VirtualPool, KeepsFiveOfFifteenOpen) {
    VirtualBench::Setup setup = asking(test::query(), 10ms);
    setup.system.server.threads = 20;
    setup.load.rate = ArrivalRate::per_second(2'000);
    VirtualBench bench{setup};
    int most = 0;
    bench.on_done = [&](const Done&) { most = std::max(most, bench.connections_open()); };
    bench.run_until(at(1s));
    bench.finish();
    EXPECT_EQ(most, 15);
    EXPECT_EQ(bench.connections_open(), 5);
}

TEST(VirtualWriteLock, LetsOneTransactionWriteAtATime) {
    Step write = test::write_row();
    write.time = Distribution::constant(20ms);
    std::vector<Duration> waited;
    for (const Done& one : all_at_once(asking(write, 1ms), 4)) {
        waited.push_back(one.part(Part::write_wait));
        EXPECT_EQ(one.part(Part::io_wait), 20ms);
    }
    EXPECT_EQ(waited, (std::vector<Duration>{0ms, 21ms, 42ms, 63ms}));
}

TEST(VirtualWriteLock, EndsInAnErrorAfterFiveSecondsByDefault) {
    Step write = test::write_row();
    write.time = Distribution::constant(2s);
    std::map<std::uint16_t, int> statuses;
    for (const Done& one : all_at_once(asking(write, 0ms), 6)) {
        ++statuses[one.status];
        if (one.status == 500) {
            EXPECT_EQ(one.part(Part::write_wait), 5s);
        }
    }
    EXPECT_EQ(statuses, (std::map<std::uint16_t, int>{{200, 3}, {500, 3}}));
}

TEST(VirtualQuery, EndsInAnErrorWhenItRunsTooLong) {
    VirtualBench::Setup setup = asking(test::query(), 80ms);
    setup.system.database.round_trip = 3ms;
    setup.system.database.query_timeout = 50ms;
    for (const Done& one : all_at_once(setup, 2)) {
        EXPECT_EQ(one.status, 500);
        EXPECT_EQ(one.part(Part::database), 53ms);
    }
    setup.query_time = 49ms;
    for (const Done& one : all_at_once(setup, 2)) EXPECT_EQ(one.status, 200);
}

TEST(VirtualQuery, PaysTheRoundTripOnceATimeItAsks) {
    const auto time_of = [](QueryKind kind) {
        Step step = test::query(kind);
        step.times = 20;
        VirtualBench::Setup setup = asking(step, 0ms);
        setup.system.database.round_trip = 1ms;
        return all_at_once(setup, 1).at(0).part(Part::database);
    };
    EXPECT_EQ(time_of(QueryKind::reviews_per_product), 21ms);
    EXPECT_EQ(time_of(QueryKind::reviews_in_batch), 2ms);
    EXPECT_EQ(time_of(QueryKind::reviews_joined), 1ms);
    EXPECT_EQ(time_of(QueryKind::product_by_id), 20ms);
}

}  // namespace
}  // namespace lab
