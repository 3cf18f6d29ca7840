// SPDX-License-Identifier: GPL-3.0-or-later
// What the rules of the interpreter lock do to requests.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "support/routes.hpp"
#include "support/time.hpp"
#include "support/virtual_bench.hpp"

namespace lab {
namespace {

using test::at;
using test::Done;
using test::VirtualBench;

VirtualBench::Setup one_worker(int threads, bool lock, std::vector<Route> routes) {
    VirtualBench::Setup setup;
    setup.system.server.workers = 1;
    setup.system.server.threads = threads;
    setup.system.server.interpreter_lock = lock;
    setup.system.routes = std::move(routes);
    return setup;
}

std::vector<Step> short_waits(int count) {
    std::vector<Step> steps;
    for (int i = 0; i < count; ++i) {
        steps.push_back(test::wait(1ms, "wait" + std::to_string(i)));
    }
    return steps;
}

/// A request of twenty waits of 1 ms, which comes while another thread computes for 2 s.
Done beside_a_busy_thread(bool lock, Duration switch_interval) {
    VirtualBench::Setup setup = one_worker(
        2, lock, {test::route({test::cpu(2s)}, "report"), test::route(short_waits(20), "calls")});
    setup.system.server.switch_interval = switch_interval;
    VirtualBench bench{
        setup,
        {{.id = 1, .intended = at(0ms), .route = 0}, {.id = 2, .intended = at(1ms), .route = 1}}};
    Done calls;
    Done report;
    bench.on_done = [&](const Done& done) { (done.planned.route == 1 ? calls : report) = done; };
    bench.run_until(at(10s));
    EXPECT_EQ(report.part(Part::cpu), 2s) << "broken off, but never short-changed";
    EXPECT_EQ(report.latency(), 2s) << "who only computes loses nothing to who only waits";
    return calls;
}

TEST(VirtualLock, EachWaitBesideABusyThreadCostsASwitchInterval) {
    for (const Duration interval : {5ms, 1ms, 20ms}) {
        const Done calls = beside_a_busy_thread(true, interval);
        EXPECT_EQ(calls.part(Part::io_wait), 20ms);
        // It takes the lock once at the beginning and once after each of twenty waits.
        EXPECT_EQ(calls.part(Part::lock_wait), 21 * interval);
    }
}

TEST(VirtualLock, WithoutTheLockTheBusyThreadDisturbsNobody) {
    const Done calls = beside_a_busy_thread(false, 5ms);
    EXPECT_EQ(calls.latency(), 20ms);
    EXPECT_EQ(calls.part(Part::lock_wait), 0ms);
}

double throughput(int threads, bool lock, std::vector<Step> steps) {
    VirtualBench::Setup setup = one_worker(threads, lock, {test::route(std::move(steps))});
    setup.load.rate = ArrivalRate::per_second(1'000);
    VirtualBench bench{setup};
    double answers = 0;
    bench.on_done = [&](const Done& done) {
        answers += done.status == 200 && done.at > at(1s) ? 1 : 0;
    };
    bench.run_until(at(21s));
    return answers / 20;
}

TEST(VirtualLock, FourThreadsComputeNoMoreThanOneUnderTheLock) {
    EXPECT_NEAR(throughput(1, true, {test::cpu(10ms)}), 100, 1);
    EXPECT_NEAR(throughput(4, true, {test::cpu(10ms)}), 100, 1);
    EXPECT_NEAR(throughput(4, false, {test::cpu(10ms)}), 400, 4);
}

TEST(VirtualLock, FourThreadsWaitFourTimesAsMuchAsOneUnderTheLock) {
    EXPECT_NEAR(throughput(1, true, {test::wait(10ms)}), 100, 1);
    EXPECT_NEAR(throughput(4, true, {test::wait(10ms)}), 400, 4);
}

TEST(VirtualLock, IsHandedOverEveryIntervalAmongThoseWhoCompute) {
    VirtualBench::Setup setup = one_worker(2, true, {test::route({test::cpu(100ms)})});
    VirtualBench bench{setup, {{.id = 1, .intended = at(0ms)}, {.id = 2, .intended = at(0ms)}}};
    std::vector<Done> all;
    bench.on_done = [&](const Done& done) { all.push_back(done); };
    bench.run_until(at(1s));
    ASSERT_EQ(all.size(), 2u);
    // In turns of 5 ms: the first is done one turn before the second.
    EXPECT_EQ(all[0].latency(), 195ms);
    EXPECT_EQ(all[1].latency(), 200ms);
}

TEST(VirtualLock, IsUnfairAmongMany) {
    // Eight threads that always compute. In order, everybody would take about as long as everybody;
    // by lot the tail is about three times the median, as measured on CPython.
    VirtualBench::Setup setup = one_worker(8, true, {test::route({test::cpu(20ms)})});
    setup.load.rate = ArrivalRate::per_second(200);
    VirtualBench bench{setup};
    std::vector<Duration> service;
    bench.on_done = [&](const Done& done) {
        if (done.status == 200) service.push_back(core::service_time(done.parts));
    };
    bench.run_until(at(100s));
    std::sort(service.begin(), service.end());
    const auto p50 = service[service.size() / 2];
    const auto p99 = service[service.size() * 99 / 100];
    const double ratio = to_ms(p99) / to_ms(p50);
    EXPECT_GT(ratio, 2.0);
    EXPECT_LT(ratio, 4.0);
    RecordProperty("p99_over_p50", std::to_string(ratio));
}

TEST(VirtualLock, BelongsToOneWorkerOnly) {
    VirtualBench::Setup setup = one_worker(1, true, {test::route({test::cpu(10ms)})});
    setup.system.server.workers = 4;
    setup.load.rate = ArrivalRate::per_second(1'000);
    VirtualBench bench{setup};
    double answers = 0;
    bench.on_done = [&](const Done& done) {
        answers += done.status == 200 ? 1 : 0;
        EXPECT_EQ(done.part(Part::lock_wait), 0ms);
    };
    bench.run_until(at(10s));
    EXPECT_NEAR(answers / 10, 400, 4);
}

}  // namespace
}  // namespace lab
