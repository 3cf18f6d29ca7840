// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>

#include "theory/closed_network.hpp"
#include "theory/queues.hpp"
#include "unit/theory/reference.hpp"

namespace lab::theory {
namespace {

/// Buzen's convolution algorithm, another way to the same figures: throughput for `users`.
double by_convolution(const ClosedNetwork& network, int users) {
    std::vector<double> constants(static_cast<std::size_t>(users) + 1);
    constants[0] = 1;
    for (std::size_t n = 1; n < constants.size(); ++n) {
        constants[n] = constants[n - 1] * network.think / static_cast<double>(n);
    }
    for (const Station& station : network.stations) {
        std::vector<double> factor(constants.size()), next(constants.size());
        factor[0] = 1;
        for (std::size_t n = 1; n < factor.size(); ++n) {
            factor[n] = factor[n - 1] * station.demand /
                        std::min(static_cast<double>(n), static_cast<double>(station.servers));
        }
        for (std::size_t n = 0; n < next.size(); ++n) {
            for (std::size_t k = 0; k <= n; ++k) next[n] += factor[k] * constants[n - k];
        }
        constants = next;
    }
    return constants[constants.size() - 2] / constants.back();
}

TEST(MeanValueAnalysis, SharesABalancedNetworkEvenly) {
    // Lazowska et al., 5.4: X(N) = N / (D (N + M - 1)) with M equal stations.
    const ClosedNetwork network{{{0.01, 1}, {0.01, 1}, {0.01, 1}}, 0};
    for (const int users : {1, 2, 10, 500}) {
        EXPECT_NEAR(mean_value_analysis(network, users).throughput, users / (0.01 * (users + 2)),
                    1e-9);
    }
}

TEST(MeanValueAnalysis, HasTheFiguresOfLazowskasExample) {
    // Lazowska et al., Quantitative System Performance (1984), table 6.2: three users who think for
    // 15 s, a processor and two disks.
    const auto figures = mean_value_analysis({{{0.605, 1}, {2.1, 1}, {1.35, 1}}, 15}, 3);
    EXPECT_NEAR(figures.throughput, 0.152, 5e-4);
    EXPECT_NEAR(figures.latency, 3 / figures.throughput - 15, 1e-9);
}

TEST(MeanValueAnalysis, AgreesWithConvolutionForSeveralServers) {
    const ClosedNetwork network{{{0.05, 4}, {0.004, 1}, {0.02, 2}}, 0.3};
    for (const int users : {1, 2, 5, 20, 60}) {
        EXPECT_NEAR(mean_value_analysis(network, users).throughput / by_convolution(network, users),
                    1, 1e-10)
            << users;
    }
}

TEST(MeanValueAnalysis, AgreesWithTheMachineRepairModelFarIntoSaturation) {
    // Where one minus a sum of shares has lost every digit: 64 servers, 1,000 users.
    for (const int servers : {1, 8, 64}) {
        for (const int users : {1, 64, 65, 200, 1'000}) {
            const auto figures = mean_value_analysis({{{0.05, servers}}, 1.0}, users);
            const auto shares = machine_repair(users, 1.0, 0.05, servers);
            double busy = 0, number = 0;
            for (std::size_t n = 0; n < shares.size(); ++n) {
                busy += shares[n] * std::min(static_cast<double>(n), servers * 1.0);
                number += shares[n] * static_cast<double>(n);
            }
            EXPECT_NEAR(figures.throughput / (busy / 0.05), 1, 1e-9) << servers << " " << users;
            EXPECT_NEAR(figures.number[0] / number, 1, 1e-9) << servers << " " << users;
        }
    }
}

TEST(MeanValueAnalysis, LeavesNobodyOut) {
    const auto figures = mean_value_analysis({{{0.05, 4}, {0.01, 1}}, 0.2}, 30);
    EXPECT_NEAR(figures.number[0] + figures.number[1] + figures.throughput * 0.2, 30, 1e-9);
    EXPECT_NEAR(figures.utilisation[0], figures.throughput * 0.05 / 4, 1e-12);
}

TEST(MachineRepair, GivesTheSojournThatMeanValueAnalysisMeans) {
    for (const int users : {3, 20, 100}) {
        const auto seen = machine_repair(users - 1, 0.5, 0.05, 4);
        const double latency = mean_value_analysis({{{0.05, 4}}, 0.5}, users).latency;
        const auto tail = [&](double t) { return sojourn_tail(seen, 0.05, 4, t); };
        EXPECT_NEAR(test::mean_of_tail(tail, latency * 12, 1'500) / latency, 1, 3e-4) << users;
    }
}

}  // namespace
}  // namespace lab::theory
