// SPDX-License-Identifier: GPL-3.0-or-later
// Virtual time against closed forms, through everything that a person's run goes through: client,
// sessions, queue, program, books and result.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "support/virtual_model.hpp"

namespace lab {
namespace {

using test::queue_model;
using test::virtual_plan;

constexpr double service_s = 0.010;

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

/// Share of sojourns in M/M/c that exceed t.
double sojourn_tail(int servers, double utilisation, double t) {
    const double mu = 1 / service_s, c = servers;
    const double waits = erlang_c(servers, utilisation);
    const double drain = c * mu * (1 - utilisation);
    const double only_service = std::exp(-mu * t);
    if (std::abs(drain - mu) < 1e-9 * mu) return only_service * (1 + waits * mu * t);
    return only_service + waits * mu / (drain - mu) * (only_service - std::exp(-drain * t));
}

double sojourn_percentile(int servers, double utilisation, double percent) {
    double low = 0, high = 100;
    for (int i = 0; i < 200; ++i) {
        const double middle = (low + high) / 2;
        (sojourn_tail(servers, utilisation, middle) > 1 - percent / 100 ? low : high) = middle;
    }
    return high;
}

struct Means {
    double wait = 0, p50 = 0, p90 = 0, p99 = 0, busy = 0;
};

/// Means over replications of `requests` each.
Means replicated(const Model& model, int replications, std::uint64_t requests) {
    Means sum;
    const double share = 1.0 / replications;
    for (int i = 0; i < replications; ++i) {
        const auto result =
            run_virtual(virtual_plan(model, requests, 20s, static_cast<std::uint64_t>(i + 1)));
        if (!result) {
            ADD_FAILURE() << result.error().message();
            return sum;
        }
        const RunResult& r = **result;
        const auto n = static_cast<double>(r.parts_of);
        sum.wait += share * to_seconds(r.parts[static_cast<std::size_t>(Part::queue)]) / n;
        sum.p50 += share * to_seconds(*r.latency.percentile(50));
        sum.p90 += share * to_seconds(*r.latency.percentile(90));
        sum.p99 += share * to_seconds(*r.latency.percentile(99));
        sum.busy += share * r.utilisation_workers;
    }
    return sum;
}

double tolerance(double utilisation) {
    return utilisation < 0.7 ? 0.02 : 0.06;  // so many customers stray by as much
}

TEST(ClosedForms, HoldForExponentialServiceWithOneAndFourServers) {
    for (const int servers : {1, 4}) {
        for (const double utilisation : {0.5, 0.8}) {
            const Means means =
                replicated(queue_model(servers, utilisation, Distribution::exponential(10ms), 10ms),
                           4, 40'000);
            const double wait =
                erlang_c(servers, utilisation) * service_s / (servers * (1 - utilisation));
            const double within = tolerance(utilisation);
            const auto where = ::testing::Message() << servers << " at " << utilisation;
            EXPECT_NEAR(means.wait / wait, 1, 2 * within) << where;
            EXPECT_NEAR(means.p50 / sojourn_percentile(servers, utilisation, 50), 1, within)
                << where;
            EXPECT_NEAR(means.p90 / sojourn_percentile(servers, utilisation, 90), 1, within)
                << where;
            EXPECT_NEAR(means.p99 / sojourn_percentile(servers, utilisation, 99), 1, within)
                << where;
            EXPECT_NEAR(means.busy, utilisation, 0.01) << where;
        }
    }
}

TEST(ClosedForms, HoldForConstantService) {
    for (const double utilisation : {0.5, 0.8}) {
        const Means means =
            replicated(queue_model(1, utilisation, Distribution::constant(10ms), 10ms), 4, 40'000);
        const double wait = utilisation * service_s / (2 * (1 - utilisation));
        EXPECT_NEAR(means.wait / wait, 1, tolerance(utilisation)) << "at " << utilisation;
    }
}

TEST(ClosedForms, HoldForAnyService) {
    const double utilisation = 0.8;
    const Means means =
        replicated(queue_model(1, utilisation, Distribution::uniform(2ms, 18ms), 10ms), 4, 40'000);
    const double variance = 0.016 * 0.016 / 12;
    const double squared = variance / (service_s * service_s);
    const double wait = utilisation / (1 - utilisation) * service_s * (1 + squared) / 2;
    EXPECT_NEAR(means.wait / wait, 1, tolerance(utilisation));
}

/// Mean value analysis of one station with exponential service behind users who think.
double mva_throughput(int users, double think_s) {
    double queue = 0, throughput = 0;
    for (int n = 1; n <= users; ++n) {
        const double response = service_s * (1 + queue);
        throughput = n / (think_s + response);
        queue = throughput * response;
    }
    return throughput;
}

TEST(ClosedForms, HoldForUsersWhoThink) {
    for (const int users : {2, 10, 40}) {
        Model model = queue_model(1, 0.5, Distribution::exponential(10ms), 10ms);
        model.load.model = LoadModel::closed;
        model.load.users = users;
        model.load.think = Distribution::exponential(100ms);
        const auto result = run_virtual(virtual_plan(model, 30'000, 20s));
        ASSERT_TRUE(result) << result.error().message();
        EXPECT_NEAR((*result)->throughput_per_s / mva_throughput(users, 0.1), 1, 0.02)
            << users << " users";
    }
}

TEST(ClosedForms, LittlesLawHolds) {
    const auto result = run_virtual(
        virtual_plan(queue_model(2, 0.8, Distribution::lognormal(6ms, 60ms), 10ms), 40'000, 5s));
    ASSERT_TRUE(result) << result.error().message();
    const RunResult& r = **result;
    EXPECT_NEAR(r.throughput_per_s * to_seconds(*r.latency.mean()) / r.concurrency, 1, 0.02);
}

}  // namespace
}  // namespace lab
