// SPDX-License-Identifier: GPL-3.0-or-later
#include <cmath>

#include <gmock/gmock.h>

#include "core/keyed_random.hpp"
#include "lab/study.hpp"

namespace lab {
namespace {

TEST(Confidence, IsStudentsInterval) {
    // Law, Simulation Modeling and Analysis, 4.5: ten observations, t(9) = 1.833 at 90 %.
    const std::vector<double> values{1.20, 1.50, 1.68, 1.89, 0.95, 1.49, 1.58, 1.55, 0.50, 1.09};
    const Interval interval = confidence(values, 0.9);
    EXPECT_NEAR(interval.mean, 1.343, 1e-9);
    EXPECT_NEAR(interval.half_width, 0.24, 0.005);
    EXPECT_EQ(interval.count, 10u);
}

TEST(Confidence, IsExactlyNothingForEqualValues) {
    const std::vector<double> values(7, 0.1);
    EXPECT_EQ(confidence(values).mean, 0.1);
    EXPECT_EQ(confidence(values).half_width, 0);
}

TEST(Confidence, HasNoEndWithOneValue) {
    EXPECT_TRUE(std::isinf(confidence(std::vector<double>{3}).half_width));
    EXPECT_EQ(confidence(std::vector<double>{}).count, 0u);
}

TEST(Confidence, HoldsTheTruthAsOftenAsItSays) {
    int held = 0;
    for (std::uint64_t trial = 0; trial < 2'000; ++trial) {
        std::vector<double> values;
        for (std::uint64_t i = 0; i < 8; ++i) {
            double sum = 0;  // nearly normal
            for (std::uint32_t k = 0; k < 12; ++k) sum += core::keyed_uniform(trial, i, k);
            values.push_back(sum - 6);
        }
        held += confidence(values).holds_zero() ? 1 : 0;
    }
    EXPECT_NEAR(held / 2'000.0, 0.95, 0.015);
}

TEST(Mser5, CutsWhatSettles) {
    std::vector<double> series;
    for (std::uint64_t i = 0; i < 400; ++i) {
        const double noise = core::keyed_uniform(5, i, 1) - 0.5;
        series.push_back(10 + noise - 20 * std::exp(-static_cast<double>(i) / 20));
    }
    EXPECT_GE(mser5(series), 60u);
    EXPECT_LE(mser5(series), 200u);
    EXPECT_EQ(mser5(series) % 5, 0u);
}

TEST(Mser5, CutsNothingOfWhatIsSettled) {
    std::vector<double> series;
    for (std::uint64_t i = 0; i < 400; ++i) series.push_back(core::keyed_uniform(5, i, 1));
    EXPECT_LE(mser5(series), 100u);
    EXPECT_EQ(mser5(std::vector<double>(200, 3.0)), 0u);
    EXPECT_EQ(mser5(std::vector<double>{}), 0u);
    EXPECT_EQ(mser5(std::vector<double>{1, 2}), 0u);
}

TEST(Mser5, NeverCutsMoreThanHalf) {
    std::vector<double> series;
    for (int i = 0; i < 1'000; ++i) series.push_back(i);  // overload: it never settles
    EXPECT_LE(mser5(series), 500u);
    EXPECT_GE(mser5(series), 400u);
}

}  // namespace
}  // namespace lab
