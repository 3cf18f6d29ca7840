// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>

#include "theory/queues.hpp"
#include "unit/theory/reference.hpp"

namespace lab::theory {
namespace {

/// Erlang's own formula of 1909 for the waits of M/D/1: terms of both signs, so only for short
/// waits.
double erlang_1909(double rate, double service, double wait) {
    long double sum = 0;
    for (int k = 0; k * service <= wait; ++k) {
        const long double x = static_cast<long double>(rate) * (wait - k * service);
        long double term = std::exp(x);
        for (int i = 1; i <= k; ++i) term *= -x / i;
        sum += term;
    }
    return static_cast<double>((1 - rate * service) * sum);
}

TEST(MD1, WaitsHalfAsLongAsMM1) {
    for (const double rho : {0.1, 0.5, 0.8, 0.9, 0.95, 0.99}) {
        const Queue constant = md1(rho / 0.01, 0.01), exponential = mm1(rho / 0.01, 0.01);
        EXPECT_NEAR(constant.wait / exponential.wait, 0.5, 1e-9) << rho;
        EXPECT_NEAR(constant.waits, rho, 1e-9);
    }
}

TEST(MD1, HasTheDistributionOfErlang) {
    for (const double rho : {0.3, 0.5, 0.8}) {
        const Queue queue = md1(rho / 0.01, 0.01);
        for (double wait = 0; wait < 0.08; wait += 0.0013) {
            EXPECT_NEAR(1 - queue.tail(wait + 0.01), erlang_1909(rho / 0.01, 0.01, wait), 1e-9)
                << rho << " " << wait;
        }
    }
}

TEST(MD1, HasATailWhoseAreaIsItsMeanAtEveryLoad) {
    for (const double rho : {0.1, 0.5, 0.9, 0.95, 0.98}) {
        const Queue queue = md1(rho / 0.01, 0.01);
        const double area = test::mean_of_tail(queue.tail, 0.01 + queue.wait * 20, 1'500);
        EXPECT_NEAR(area / queue.latency, 1, 4e-3) << rho;
    }
}

TEST(MDc, HasTheMeanOfItsOwnTail) {
    for (const int servers : {2, 3, 8, 32}) {
        for (const double rho : {0.5, 0.8, 0.95}) {
            const Queue queue = mdc(rho * servers / 0.01, 0.01, servers);
            const double most = 0.01 + 0.01 * 14 / (servers * (1 - rho));
            const double area = test::mean_of_tail(queue.tail, most, 1'000);
            EXPECT_NEAR(area / queue.latency, 1, 4e-3) << servers << " at " << rho;
        }
    }
}

TEST(MDc, AgreesWithAQueuePlayedThrough) {
    for (const int servers : {2, 4}) {
        const double rate = 0.8 * servers / 0.01;
        const auto played = test::play(rate, servers, 150'000, [](std::uint64_t) { return 0.01; });
        const Queue queue = mdc(rate, 0.01, servers);
        EXPECT_NEAR(played.wait / queue.wait, 1, 0.04) << servers;
        for (const double share : {0.5, 0.9, 0.99}) {
            EXPECT_NEAR(played.percentile(share) / percentile(queue, share), 1, 0.04)
                << servers << " " << share;
        }
    }
}

TEST(MDc, LiesBelowHalfOfMMcByNoMoreThanCosmetatosAllows) {
    // G. P. Cosmetatos, "Approximate explicit formulae for the average queueing time in the
    // processes M/D/r and D/M/r", INFOR 13 (1975): within 2 % of the exact mean.
    for (const int c : {2, 4, 10}) {
        for (const double rho : {0.5, 0.7, 0.9}) {
            const double factor =
                0.5 * (1 + (1 - rho) * (c - 1) * (std::sqrt(4 + 5.0 * c) - 2) / (16 * rho * c));
            const double rate = rho * c / 0.01;
            EXPECT_NEAR(mdc(rate, 0.01, c).wait / (factor * mmc(rate, 0.01, c).wait), 1, 0.02)
                << c << " at " << rho;
        }
    }
}

}  // namespace
}  // namespace lab::theory
