// SPDX-License-Identifier: GPL-3.0-or-later
#include <cmath>

#include <gmock/gmock.h>

#include "lab/theory.hpp"

namespace lab {
namespace {

std::vector<ScalabilityPoint> points_of(const ScalabilityLaw& law,
                                        std::initializer_list<double> sizes) {
    std::vector<ScalabilityPoint> points;
    for (const double n : sizes) points.push_back({n, law.throughput(n)});
    return points;
}

TEST(Amdahl, IsLimitedByWhatCannotBeDivided) {
    EXPECT_DOUBLE_EQ(amdahl_speedup(0.95, 1), 1);
    EXPECT_NEAR(amdahl_speedup(0.95, 20), 10.256, 5e-4);
    EXPECT_NEAR(amdahl_speedup(0.95, 1e12), 20, 1e-6);
}

TEST(Scalability, IsAmdahlWithoutCoherency) {
    const ScalabilityLaw law{10, 0.05, 0, 0};
    EXPECT_NEAR(law.throughput(20), 10 * amdahl_speedup(0.95, 20), 1e-9);
    EXPECT_TRUE(std::isinf(law.peak()));
}

TEST(Scalability, FitsWhatItMade) {
    for (const ScalabilityLaw& law :
         {ScalabilityLaw{19.6, 0.03, 0.0004, 0}, ScalabilityLaw{100, 0.2, 0, 0},
          ScalabilityLaw{5, 0, 0.01, 0}, ScalabilityLaw{7, 0, 0, 0}}) {
        const auto points = points_of(law, {1, 2, 4, 8, 16, 32});
        const auto fit = fit_scalability(points);
        ASSERT_TRUE(fit);
        EXPECT_NEAR(fit->rate, law.rate, 1e-6 * law.rate);
        EXPECT_NEAR(fit->contention, law.contention, 1e-7);
        EXPECT_NEAR(fit->coherency, law.coherency, 1e-7);
        EXPECT_NEAR(fit->residual, 0, 1e-9);
    }
}

TEST(Scalability, FitsTheSpecSdmMeasurementsAsGuntherDoes) {
    // SPEC SDM91 on a Sun SPARCcenter 2000, in Gunther, Guerrilla Capacity Planning (2007), 5.2.
    const std::vector<ScalabilityPoint> points{{1, 64.9},    {18, 995.9},   {36, 1652.4},
                                               {72, 1853.2}, {108, 1828.9}, {144, 1775.0},
                                               {216, 1702.2}};
    const auto fit = fit_scalability(points);
    ASSERT_TRUE(fit);
    EXPECT_NEAR(fit->rate, 90.0, 0.9);
    EXPECT_NEAR(fit->contention, 0.0277, 0.0005);
    EXPECT_NEAR(fit->coherency, 1.04e-4, 2e-6);
    EXPECT_NEAR(fit->peak(), 96.5, 1);
}

TEST(Scalability, NeverGoesBelowZero) {
    // Faster than straight: a law without a waste fits best.
    const std::vector<ScalabilityPoint> points{{1, 10}, {2, 21}, {4, 43}, {8, 90}};
    const auto fit = fit_scalability(points);
    ASSERT_TRUE(fit);
    EXPECT_EQ(fit->contention, 0);
    EXPECT_EQ(fit->coherency, 0);
    EXPECT_GT(fit->residual, 0.005);
}

TEST(Scalability, NeedsThreeSizesAndThroughputsAboveZero) {
    const std::vector<ScalabilityPoint> two{{1, 10}, {2, 20}, {2, 21}};
    EXPECT_EQ(fit_scalability(two).error().code, ErrorCode::no_samples);
    const std::vector<ScalabilityPoint> none{{1, 10}, {2, 0}, {4, 30}};
    EXPECT_EQ(fit_scalability(none).error().code, ErrorCode::no_samples);
}

}  // namespace
}  // namespace lab
