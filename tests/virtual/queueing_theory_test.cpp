// SPDX-License-Identifier: GPL-3.0-or-later
// Mean waits against closed forms: if the schedule, the draws, the pool or the spans were wrong,
// these would be the first to know.
#include <gtest/gtest.h>

#include <cmath>

#include "support/routes.hpp"
#include "support/virtual_bench.hpp"

namespace lab {
namespace {

using test::Done;
using test::VirtualBench;

constexpr double service_seconds = 0.010;

/// Servers without an interpreter lock and with a queue that never fills.
VirtualBench::Setup plain(int workers, double utilisation, const Distribution& service) {
    VirtualBench::Setup setup;
    setup.system.server.workers = workers;
    setup.system.server.queue = 1'000'000'000;
    setup.system.server.interpreter_lock = false;
    setup.system.routes = {test::route({test::wait(service)})};
    setup.load.rate = ArrivalRate::per_second(utilisation * workers / service_seconds);
    setup.load.arrivals = Arrivals::poisson;
    return setup;
}

struct Means {
    double wait = 0;
    double service = 0;
    double busy = 0;  ///< share of the workers' time
    double served = 0;
};

Means run(const VirtualBench::Setup& setup, double customers) {
    VirtualBench bench{setup};
    const Duration length = from_seconds(customers / setup.load.rate.per_second());
    Means means;
    bench.on_done = [&](const Done& done) {
        means.wait += to_seconds(done.part(Part::queue));
        means.service += to_seconds(done.part(Part::io_wait));
        means.served += 1;
    };
    bench.run_until(Instant{length});
    means.busy = means.service / (to_seconds(length) * setup.system.server.workers);
    means.wait /= means.served;
    means.service /= means.served;
    return means;
}

/// Erlang's C formula: the share of customers who have to wait with c servers.
double erlang_c(int servers, double utilisation) {
    const double offered = servers * utilisation;
    double term = 1, sum = 1;
    for (int k = 1; k < servers; ++k) {
        term *= offered / k;
        sum += term;
    }
    const double all_busy = term * offered / servers / (1 - utilisation);
    return all_busy / (sum + all_busy);
}

TEST(VirtualQueue, WaitsAsErlangSaysWithExponentialService) {
    for (const int servers : {1, 2, 4}) {
        for (const double utilisation : {0.5, 0.7, 0.9}) {
            const bool heavy = utilisation > 0.8;
            const Means means = run(plain(servers, utilisation, Distribution::exponential(10ms)),
                                    heavy ? 1'000'000 : 300'000);
            const double exact =
                erlang_c(servers, utilisation) * service_seconds / (servers * (1 - utilisation));
            EXPECT_NEAR(means.wait / exact, 1.0, heavy ? 0.05 : 0.03)
                << servers << " servers at " << utilisation;
            EXPECT_NEAR(means.service, service_seconds, 0.01 * service_seconds);
            EXPECT_NEAR(means.busy, utilisation, 0.01 * utilisation);
        }
    }
}

TEST(VirtualQueue, WaitsHalfAsLongWithConstantService) {
    for (const double utilisation : {0.5, 0.8, 0.9}) {
        const Means means = run(plain(1, utilisation, Distribution::constant(10ms)), 500'000);
        const double exact = utilisation * service_seconds / (2 * (1 - utilisation));
        EXPECT_NEAR(means.wait / exact, 1.0, 0.04) << "at " << utilisation;
    }
}

TEST(VirtualQueue, WaitsAsPollaczekAndKhinchineSayWithUniformService) {
    const double least = 0.002, most = 0.018, utilisation = 0.8;
    const Means means = run(plain(1, utilisation, Distribution::uniform(2ms, 18ms)), 500'000);
    const double variance = (most - least) * (most - least) / 12;
    const double squared = variance / (service_seconds * service_seconds);
    const double exact = utilisation / (1 - utilisation) * service_seconds * (1 + squared) / 2;
    EXPECT_NEAR(means.wait / exact, 1.0, 0.04);
}

TEST(VirtualQueue, NobodyWaitsWhereArrivalsAndServiceAreBothConstant) {
    VirtualBench::Setup setup = plain(1, 0.95, Distribution::constant(10ms));
    setup.load.arrivals = Arrivals::constant;
    const Means means = run(setup, 10'000);
    EXPECT_EQ(means.wait, 0);
    EXPECT_GT(means.served, 9'990);
}

TEST(VirtualQueue, RefusesAsErlangSaysWhereThereIsNoQueue) {
    // Erlang's B formula holds for every law of service: here a lognormal one.
    const int servers = 4;
    VirtualBench::Setup setup = plain(servers, 0.9, Distribution::constant(10ms));
    setup.system.routes[0].steps[0].time = Distribution::lognormal(10ms, 40ms);
    setup.system.server.queue = 0;
    VirtualBench bench{setup};
    double refused = 0, all = 0, service = 0;
    bench.on_done = [&](const Done& done) {
        all += 1;
        refused += done.status == 503 ? 1 : 0;
        service += to_seconds(done.part(Part::io_wait));
    };
    bench.run_until(Instant{1'000s});
    const double offered = setup.load.rate.per_second() * service / (all - refused);
    double blocking = 1;
    for (int k = 1; k <= servers; ++k) {
        blocking = offered * blocking / (k + offered * blocking);
    }
    EXPECT_NEAR(refused / all / blocking, 1.0, 0.02);
}

}  // namespace
}  // namespace lab
