// SPDX-License-Identifier: GPL-3.0-or-later
// What must hold in every run, whatever the scenario.
#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <vector>

#include "support/routes.hpp"
#include "support/time.hpp"
#include "support/virtual_bench.hpp"

namespace lab {
namespace {

using test::at;
using test::Done;
using test::VirtualBench;

/// A bit of everything: two routes, lock, threads, cache, too small a pool, limits of patience.
VirtualBench::Setup everything(std::uint64_t seed = 42) {
    VirtualBench::Setup setup;
    Server& server = setup.system.server;
    server.workers = 2;
    server.threads = 4;
    server.queue = 12;
    server.queue_timeout = 150ms;
    setup.system.cache.mode = CacheMode::per_worker;
    setup.system.cache.ttl = 2s;
    setup.system.cache.capacity = 20;
    setup.system.database.pool = 1;
    setup.system.database.overflow = 0;
    setup.system.database.pool_timeout = 15ms;
    setup.query_time = 8ms;
    setup.system.routes = {
        test::route({test::cpu(Distribution::exponential(4ms)),
                     test::cached({test::query(), test::render(10)}), test::respond(500)},
                    "list"),
        test::route({test::wait(Distribution::lognormal(20ms, 90ms)), test::write_row(),
                     test::cpu(Distribution::uniform(1ms, 12ms))},
                    "pay")};
    setup.load.rate = ArrivalRate::per_second(240);
    setup.load.mix = {{"list", 3}, {"pay", 2}};
    setup.load.keys = 50;
    setup.load.zipf = 0.8;
    setup.seed = seed;
    return setup;
}

std::vector<Done> run(const VirtualBench::Setup& setup, Duration length) {
    VirtualBench bench{setup};
    std::vector<Done> all;
    bench.on_done = [&](const Done& done) { all.push_back(done); };
    bench.run_until(at(length));
    bench.finish();
    return all;
}

std::map<core::RequestId, Done> by_id(const std::vector<Done>& all) {
    std::map<core::RequestId, Done> map;
    for (const Done& done : all) map.emplace(done.planned.id, done);
    return map;
}

TEST(VirtualLaws, PartsAddUpToTheLatencyOfEveryRequestExactly) {
    for (const ReleasePoint point : {ReleasePoint::buffered, ReleasePoint::drained}) {
        VirtualBench::Setup setup = everything();
        setup.system.server.release = point;
        std::map<std::uint16_t, int> statuses;
        PartTimes sums{};
        for (const Done& done : run(setup, 60s)) {
            ++statuses[done.status];
            const Duration sum = std::accumulate(done.parts.begin(), done.parts.end(), Duration{});
            ASSERT_EQ(sum, done.latency()) << "request " << done.planned.id;
            for (std::size_t i = 0; i < part_count; ++i) sums[i] += done.parts[i];
        }
        // The scenario does go everywhere: otherwise the sentence above would say little.
        EXPECT_GT(statuses[200], 1'000);
        EXPECT_GT(statuses[503], 10);
        EXPECT_GT(statuses[500], 10);
        for (const Part part : {Part::queue, Part::lock_wait, Part::cpu, Part::io_wait,
                                Part::pool_wait, Part::database}) {
            EXPECT_GT(sums[static_cast<std::size_t>(part)], 1s) << static_cast<int>(part);
        }
    }
}

TEST(VirtualLaws, InFlightIsThroughputTimesMeanLatency) {
    for (const double rate : {30.0, 70.0, 75.0}) {
        VirtualBench::Setup setup;
        setup.system.server.workers = 4;
        setup.system.routes = {
            test::route({test::wait(Distribution::exponential(50ms)), test::cpu(1ms)})};
        setup.load.rate = ArrivalRate::per_second(rate);
        VirtualBench bench{setup};
        double ended = 0, latency = 0;
        bench.on_done = [&](const Done& done) {
            ended += 1;
            latency += to_seconds(done.latency());
        };
        bench.run_until(at(20s));
        ended = latency = 0;
        const double before = bench.request_seconds();
        bench.run_until(at(320s));
        const double in_flight = (bench.request_seconds() - before) / 300;
        EXPECT_NEAR(in_flight / (ended / 300 * latency / ended), 1.0, 0.01) << "at " << rate;
    }
}

TEST(VirtualLaws, EveryPlannedRequestEndsOnce) {
    VirtualBench bench{everything()};
    std::map<core::RequestId, int> ends;
    bench.on_done = [&](const Done& done) { ++ends[done.planned.id]; };
    bench.run_until(at(60s));
    bench.finish();
    EXPECT_EQ(ends.size(), bench.planned());
    for (const auto& [id, count] : ends) EXPECT_EQ(count, 1) << "request " << id;
    EXPECT_EQ(bench.busy_threads(), 0);
    EXPECT_EQ(bench.connections_in_use(), 0);
    EXPECT_EQ(bench.locks_held(), 0);
}

TEST(VirtualLaws, CancellingEverythingLeavesNothingHeld) {
    for (int i = 1; i <= 40; ++i) {
        VirtualBench bench{everything(static_cast<std::uint64_t>(i))};
        std::uint64_t ended = 0;
        bench.on_done = [&](const Done&) { ++ended; };
        bench.run_until(at(i * 37ms));
        bench.cancel_all();
        EXPECT_EQ(bench.in_flight(), 0u);
        EXPECT_EQ(bench.queue_depth(), 0);
        EXPECT_EQ(bench.busy_threads(), 0);
        EXPECT_EQ(bench.connections_in_use(), 0);
        EXPECT_EQ(bench.locks_held(), 0);
        bench.run_until(at(10s));
        EXPECT_GT(ended, 100u) << "and what comes later is served";
    }
}

TEST(VirtualLaws, TheSameSeedGivesTheSameTrace) {
    const auto trace = [](std::uint64_t seed) {
        VirtualBench bench{everything(seed)};
        bench.run_until(at(30s));
        return bench.trace_hash();
    };
    EXPECT_EQ(trace(42), trace(42));
    EXPECT_NE(trace(42), trace(43));
    EXPECT_EQ(trace(42), 9369026856237234345U) << "on every machine and every build";
}

TEST(VirtualLaws, EqualVariantsDifferByExactlyZero) {
    EXPECT_EQ(run(everything(), 30s), run(everything(), 30s));
}

TEST(VirtualLaws, TwoVariantsSeeTheSameArrivalsAndTheSameWork) {
    VirtualBench::Setup more = everything();
    more.system.server.workers = 5;
    more.system.server.interpreter_lock = false;
    const auto a = by_id(run(everything(), 30s));
    const auto b = by_id(run(more, 30s));
    ASSERT_EQ(a.size(), b.size());
    int both = 0;
    for (const auto& [id, one] : a) {
        const Done& other = b.at(id);
        EXPECT_EQ(one.planned.intended, other.planned.intended);
        EXPECT_EQ(one.planned.route, other.planned.route);
        EXPECT_EQ(one.planned.key, other.planned.key);
        EXPECT_EQ(one.planned.user, other.planned.user);
        if (one.status != 200 || other.status != 200) continue;
        ++both;
        EXPECT_EQ(one.part(Part::cpu), other.part(Part::cpu));
        EXPECT_EQ(one.part(Part::io_wait), other.part(Part::io_wait));
    }
    EXPECT_GT(both, 1'000);
}

TEST(VirtualLaws, AStepAddedElsewhereMovesNoOtherDraw) {
    VirtualBench::Setup before = everything();
    before.system.server.queue = 1'000'000;
    before.system.server.queue_timeout = 0s;
    before.system.database.pool_timeout = 0s;
    VirtualBench::Setup after = before;
    auto& pay = after.system.routes[1].steps;
    pay.insert(pay.begin(), test::wait(Distribution::exponential(5ms), "audit"));
    const auto a = by_id(run(before, 10s));
    const auto b = by_id(run(after, 10s));
    double added = 0, count = 0;
    for (const auto& [id, one] : a) {
        const Done& other = b.at(id);
        EXPECT_EQ(one.part(Part::cpu), other.part(Part::cpu));
        if (one.planned.route != 1) continue;
        added += to_ms(other.part(Part::io_wait) - one.part(Part::io_wait));
        count += 1;
    }
    EXPECT_NEAR(added / count, 5.0, 1.0);
}

TEST(VirtualLaws, CachedAnswersCostWhatTheHitRatioImplies) {
    const auto mean_service = [](CacheMode mode, double& hits) {
        VirtualBench::Setup setup;
        setup.system.server.workers = 4;
        setup.system.cache.mode = mode;
        setup.system.routes = {test::route({test::cached({test::query()}), test::cpu(1ms)})};
        setup.query_time = 30ms;
        setup.load.rate = ArrivalRate::per_second(60);
        setup.load.keys = 200;
        setup.load.zipf = 1;
        double service = 0, count = 0;
        for (const Done& done : run(setup, 60s)) {
            if (done.status != 200) continue;
            service += to_ms(core::service_time(done.parts));
            count += 1;
            hits += done.part(Part::database) == 0ms ? 1 : 0;
        }
        hits /= count;
        return service / count;
    };
    double none = 0, ratio = 0;
    const double without = mean_service(CacheMode::none, none);
    const double with = mean_service(CacheMode::shared, ratio);
    EXPECT_EQ(none, 0);
    EXPECT_NEAR(without, 31, 0.01);
    EXPECT_GT(ratio, 0.5);
    EXPECT_NEAR(with, 1 + 30 * (1 - ratio), 0.1);
}

}  // namespace
}  // namespace lab
