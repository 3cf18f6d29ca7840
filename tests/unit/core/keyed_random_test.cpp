// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/keyed_random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace lab::core {
namespace {

/// How many representable numbers lie between `found` and the exact value.
double ulps_off(double found, long double exact) {
    const auto nearest = static_cast<double>(exact);
    const double spacing =
        std::nextafter(std::abs(nearest), std::numeric_limits<double>::infinity()) -
        std::abs(nearest);
    return static_cast<double>(std::abs(static_cast<long double>(found) - exact) / spacing);
}

std::vector<double> sample_ms(const Distribution& law, int count) {
    std::vector<double> values;
    for (int i = 1; i <= count; ++i) {
        values.push_back(to_ms(keyed_duration(law, 42, static_cast<std::uint64_t>(i), 1000)));
    }
    std::sort(values.begin(), values.end());
    return values;
}
double mean(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}
double quantile(const std::vector<double>& sorted, double share) {
    return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

TEST(KeyedBits, AreTheSameOnEveryMachine) {
    EXPECT_EQ(keyed_bits(0, 0, 0), 0x238275bc38fcbe91U);
    EXPECT_EQ(keyed_bits(42, 1, 1000), 0x45e588f522a5f289U);
    EXPECT_EQ(keyed_bits(~0ULL, ~0ULL, ~0U), 0x21f4668c29f89bedU);
}

TEST(KeyedBits, ChangeByHalfWhenAnyBitOfTheKeyChanges) {
    double flips = 0;
    int pairs = 0;
    for (std::uint64_t request = 1; request <= 200; ++request) {
        const std::uint64_t base = keyed_bits(7, request, 1000);
        for (int bit = 0; bit < 64; ++bit) {
            const std::uint64_t mask = std::uint64_t{1} << bit;
            flips += std::popcount(base ^ keyed_bits(7 ^ mask, request, 1000));
            flips += std::popcount(base ^ keyed_bits(7, request ^ mask, 1000));
            pairs += 2;
            if (bit >= 32) continue;
            flips += std::popcount(base ^
                                   keyed_bits(7, request, 1000 ^ static_cast<std::uint32_t>(mask)));
            ++pairs;
        }
    }
    EXPECT_NEAR(flips / pairs, 32.0, 0.1);
}

TEST(KeyedUniform, FillsTheUnitIntervalEvenly) {
    std::vector<int> bins(20);
    const int count = 200'000;
    for (int i = 1; i <= count; ++i) {
        const double u = keyed_uniform(42, static_cast<std::uint64_t>(i), 3);
        ASSERT_GE(u, 0.0);
        ASSERT_LT(u, 1.0);
        ++bins[static_cast<std::size_t>(u * 20)];
    }
    double chi_square = 0;
    for (const int bin : bins) {
        chi_square += (bin - count / 20.0) * (bin - count / 20.0) / (count / 20.0);
    }
    EXPECT_LT(chi_square, 43.8) << "19 degrees of freedom, 1 in 1,000";
}

TEST(KeyedUniform, TellsNothingOfOneRequestFromTheOneBefore) {
    double product = 0;
    const int count = 100'000;
    for (std::uint64_t i = 1; i <= count; ++i) {
        product += (keyed_uniform(42, i, 3) - 0.5) * (keyed_uniform(42, i + 1, 3) - 0.5);
    }
    EXPECT_NEAR(product / count * 12, 0.0, 0.01) << "correlation of neighbours";
}

TEST(KeyedBelow, ReachesEveryNumberBelowAndNoOther) {
    std::vector<int> seen(7);
    for (std::uint64_t i = 0; i < 7'000; ++i) {
        const std::uint64_t drawn = keyed_below(1, i, 2, 7);
        ASSERT_LT(drawn, 7u);
        ++seen[drawn];
    }
    for (const int count : seen) {
        EXPECT_NEAR(count, 1'000, 120);
    }
    EXPECT_EQ(keyed_below(1, 2, 3, 1), 0u);
    EXPECT_GT(keyed_below(1, 2, 3, ~0ULL), 1ULL << 32) << "the whole width is used";
}

TEST(KeyedDuration, IsTheSameOnEveryMachine) {
    EXPECT_EQ(keyed_duration(Distribution::constant(5ms), 42, 7, 1000), 5ms);
    EXPECT_EQ(keyed_duration(Distribution::uniform(10ms, 90ms), 42, 7, 1000).count(), 24983386);
    EXPECT_EQ(keyed_duration(Distribution::exponential(50ms), 42, 7, 1000).count(), 10369190);
    EXPECT_EQ(keyed_duration(Distribution::lognormal(50ms, 200ms), 42, 7, 1000).count(), 29456170);
    EXPECT_EQ(keyed_exponential(50ms, 42, 8, 1).count(), 69978789);
}

TEST(KeyedDuration, UniformRunsFromTheLeastToTheMost) {
    const auto values = sample_ms(Distribution::uniform(10ms, 90ms), 100'000);
    EXPECT_NEAR(mean(values), 50, 0.3);
    EXPECT_NEAR(quantile(values, 0.25), 30, 0.5);
    EXPECT_GE(values.front(), 10);
    EXPECT_LE(values.back(), 90);
    EXPECT_LT(values.front(), 10.01);
    EXPECT_GT(values.back(), 89.99);
}

TEST(KeyedDuration, UniformMeetsBothItsEnds) {
    int least = 0, most = 0;
    const Distribution law = Distribution::uniform(Duration{1}, Duration{3});
    for (std::uint64_t i = 0; i < 300; ++i) {
        const Duration drawn = keyed_duration(law, 1, i, 1);
        least += drawn == Duration{1};
        most += drawn == Duration{3};
    }
    EXPECT_NEAR(least, 100, 40);
    EXPECT_NEAR(most, 100, 40);
}

TEST(KeyedDuration, ExponentialHasItsMeanAndItsTail) {
    const auto values = sample_ms(Distribution::exponential(50ms), 200'000);
    EXPECT_NEAR(mean(values), 50, 0.5);
    EXPECT_NEAR(quantile(values, 0.5), 50 * std::log(2.0), 0.5);
    EXPECT_NEAR(quantile(values, 0.99), 50 * std::log(100.0), 4);
}

TEST(KeyedDuration, LognormalHasItsMedianAndItsNinetyNinthPercentile) {
    const auto values = sample_ms(Distribution::lognormal(50ms, 200ms), 200'000);
    EXPECT_NEAR(quantile(values, 0.5), 50, 0.4);
    EXPECT_NEAR(quantile(values, 0.99), 200, 4);
    const double sigma = std::log(4.0) / 2.3263478740408411;
    EXPECT_NEAR(mean(values), 50 * std::exp(sigma * sigma / 2), 0.5);
    EXPECT_NEAR(quantile(values, 0.0001), 50 * std::exp(-3.719 * sigma), 1.0) << "the low tail";
}

TEST(KeyedDuration, IsNeverNegativeWhateverItsLawHolds) {
    for (const Duration a : {-5ms, 0ms, 5ms}) {
        for (const Duration b : {-5ms, 0ms, 1ms}) {
            for (const auto law : {Distribution::Law::constant, Distribution::Law::uniform,
                                   Distribution::Law::exponential, Distribution::Law::lognormal}) {
                EXPECT_GE(keyed_duration({law, a, b}, 1, 2, 3), 0ms);
            }
        }
    }
}

TEST(KeyedDuration, StaysWithinWhatADurationHolds) {
    const Distribution wild = Distribution::lognormal(1h, 24h * 365 * 200);
    for (std::uint64_t i = 0; i < 2'000; ++i) {
        EXPECT_GE(keyed_duration(wild, 1, i, 3), 0ms);
    }
}

TEST(ExactLog, StaysWithinTwoUlp) {
    double worst = 0;
    for (std::uint64_t i = 0; i < 400'000; ++i) {
        // Every size of number, then the neighbourhood of 1 where the result is small.
        const double u = keyed_uniform(1, i, 1);
        const double wide = std::ldexp(1 + u, static_cast<int>(keyed_below(1, i, 2, 2045)) - 1022);
        const double near = 0.5 + 1.5 * u;
        const double nearer = 1 + (u - 0.5) * 1e-4;
        for (const double x : {wide, near, nearer}) {
            worst = std::max(worst, ulps_off(exact_log(x), std::log(static_cast<long double>(x))));
        }
    }
    EXPECT_LE(worst, 2.0);
    RecordProperty("worst_ulp", std::to_string(worst));
}

TEST(ExactLog, KnowsTheEdges) {
    EXPECT_EQ(exact_log(1), 0);
    EXPECT_EQ(exact_log(0), -std::numeric_limits<double>::infinity());
    EXPECT_EQ(exact_log(std::numeric_limits<double>::infinity()),
              std::numeric_limits<double>::infinity());
    EXPECT_TRUE(std::isnan(exact_log(-1)));
    EXPECT_TRUE(std::isnan(exact_log(std::numeric_limits<double>::quiet_NaN())));
    EXPECT_NEAR(exact_log(5e-324), std::log(5e-324), 1e-12) << "the least subnormal";
}

TEST(ExactExp, StaysWithinTwoUlp) {
    double worst = 0;
    for (std::uint64_t i = 0; i < 400'000; ++i) {
        const double u = keyed_uniform(2, i, 1);
        for (const double x : {-708 + 1417 * u, -1 + 2 * u, (u - 0.5) * 1e-4}) {
            worst = std::max(worst, ulps_off(exact_exp(x), std::exp(static_cast<long double>(x))));
        }
    }
    EXPECT_LE(worst, 2.0);
    RecordProperty("worst_ulp", std::to_string(worst));
}

TEST(ExactExp, KnowsTheEdges) {
    EXPECT_EQ(exact_exp(0), 1);
    EXPECT_EQ(exact_exp(710), std::numeric_limits<double>::infinity());
    EXPECT_TRUE(std::isfinite(exact_exp(709.78)));
    EXPECT_EQ(exact_exp(-746), 0);
    EXPECT_EQ(exact_exp(std::numeric_limits<double>::infinity()),
              std::numeric_limits<double>::infinity());
    EXPECT_EQ(exact_exp(-std::numeric_limits<double>::infinity()), 0);
    EXPECT_TRUE(std::isnan(exact_exp(std::numeric_limits<double>::quiet_NaN())));
    EXPECT_DOUBLE_EQ(exact_exp(-740), std::exp(-740.0)) << "subnormal";
}

TEST(ZipfSampler, GivesEachRankItsShare) {
    for (const double s : {0.0, 0.5, 0.99, 1.0, 1.2, 2.0}) {
        constexpr std::uint64_t n = 1'000;
        const ZipfSampler sampler{n, s};
        double total = 0;
        for (std::uint64_t k = 1; k <= n; ++k) {
            total += std::pow(static_cast<double>(k), -s);
        }
        const int count = 200'000;
        std::vector<int> drawn(n);
        for (std::uint64_t i = 1; i <= count; ++i) {
            const std::uint64_t rank = sampler.draw(42, i, 3);
            ASSERT_LT(rank, n);
            ++drawn[rank];
        }
        // Each of the first ten alone, the rest by tens and hundreds: five standard deviations.
        const auto check = [&](std::uint64_t from, std::uint64_t to) {
            double share = 0, found = 0;
            for (std::uint64_t k = from; k < to; ++k) {
                share += std::pow(static_cast<double>(k + 1), -s) / total;
                found += drawn[k];
            }
            const double deviation = std::sqrt(count * share * (1 - share));
            EXPECT_NEAR(found, count * share, 5 * deviation + 1)
                << "s = " << s << ", ranks " << from << " to " << to;
        };
        for (std::uint64_t k = 0; k < 10; ++k) check(k, k + 1);
        for (std::uint64_t k = 10; k < 100; k += 10) check(k, k + 10);
        for (std::uint64_t k = 100; k < n; k += 100) check(k, k + 100);
    }
}

TEST(ZipfSampler, IsTheSameOnEveryMachine) {
    const ZipfSampler sampler{1'000'000, 1.1};
    std::vector<std::uint64_t> drawn;
    for (std::uint64_t i = 1; i <= 8; ++i) {
        drawn.push_back(sampler.draw(42, i, 3));
    }
    EXPECT_EQ(drawn, (std::vector<std::uint64_t>{44, 0, 51, 117505, 154297, 26696, 34, 55897}));
}

TEST(ZipfSampler, HasOneRankAmongOne) {
    for (const double s : {0.0, 1.0, 3.0}) {
        EXPECT_EQ(ZipfSampler(1, s).draw(1, 2, 3), 0u);
    }
}

TEST(ZipfSampler, ServesTheLargestSetsAndTheSteepestLaws) {
    const ZipfSampler flat{1'000'000'000, 0.01};
    const ZipfSampler steep{1'000'000'000, 8.0};
    std::uint64_t largest = 0;
    for (std::uint64_t i = 0; i < 1'000; ++i) {
        largest = std::max(largest, flat.draw(1, i, 3));
        EXPECT_LT(steep.draw(1, i, 3), 50u);
    }
    EXPECT_GT(largest, 900'000'000u);
    EXPECT_LT(largest, 1'000'000'000u);
}

}  // namespace
}  // namespace lab::core
