// SPDX-License-Identifier: GPL-3.0-or-later
#include <cmath>

#include <gmock/gmock.h>

#include "core/keyed_random.hpp"
#include "theory/hit_ratio.hpp"
#include "theory/service_law.hpp"

namespace lab::theory {
namespace {

const Distribution laws[] = {Distribution::constant(10ms), Distribution::uniform(2ms, 18ms),
                             Distribution::exponential(10ms), Distribution::lognormal(5ms, 40ms)};

TEST(ServiceLaws, HaveTheMomentsOfWhatIsDrawn) {
    for (const Distribution& law : laws) {
        double sum = 0, squares = 0;
        constexpr int draws = 100'000;
        for (std::uint64_t i = 0; i < draws; ++i) {
            const double x = to_seconds(core::keyed_duration(law, 11, i, 3));
            sum += x;
            squares += x * x;
        }
        const double mean = sum / draws;
        EXPECT_NEAR(mean_of(law) / mean, 1, 0.02);
        EXPECT_NEAR(variance_of(law), squares / draws - mean * mean,
                    0.1 * variance_of(law) + 1e-12);
    }
}

TEST(ServiceLaws, HaveTheSharesOfWhatIsDrawn) {
    for (const Distribution& law : laws) {
        for (const double seconds : {0.003, 0.009, 0.0101, 0.03}) {
            int below = 0;
            for (std::uint64_t i = 0; i < 20'000; ++i) {
                below += to_seconds(core::keyed_duration(law, 11, i, 3)) <= seconds ? 1 : 0;
            }
            EXPECT_NEAR(share_at_or_below(law, seconds), below / 20'000.0, 0.015) << seconds;
        }
    }
}

TEST(ServiceLaws, AddTheScatterOfTheirSteps) {
    const ServiceLaw both({{1, {Distribution::exponential(3ms), Distribution::exponential(3ms)}}});
    EXPECT_NEAR(both.mean(), 0.006, 1e-15);
    EXPECT_NEAR(both.scv(), 0.5, 1e-12);  // Erlang of two stages
    EXPECT_FALSE(both.is_exponential());
}

TEST(ServiceLaws, AddTheScatterBetweenWays) {
    const ServiceLaw hits(
        {{0.9, {Distribution::constant(1ms)}}, {0.1, {Distribution::constant(21ms)}}});
    EXPECT_NEAR(hits.mean(), 0.003, 1e-15);
    EXPECT_NEAR(hits.scv(), 0.09 * 400 / 9, 1e-9);
    EXPECT_FALSE(hits.is_constant());
}

TEST(ServiceLaws, KnowTheOneExponentialTime) {
    const auto expo = Distribution::exponential(3ms);
    EXPECT_TRUE(ServiceLaw({{1, {expo}}}).is_exponential());
    EXPECT_TRUE(ServiceLaw({{0.5, {expo}}, {0.5, {Distribution{}, expo}}}).is_exponential());
    EXPECT_FALSE(ServiceLaw({{0.5, {expo}}, {0.5, {}}}).is_exponential());
    EXPECT_FALSE(ServiceLaw({{1, {expo, Distribution::constant(1ms)}}}).is_exponential());
    EXPECT_TRUE(ServiceLaw({{1, {Distribution::constant(1ms)}}}).is_constant());
}

TEST(ServiceLaws, KeepTheirMeanOnAGrid) {
    const ServiceLaw law({{0.4, {Distribution::constant(1'234us), Distribution::uniform(0ms, 5ms)}},
                          {0.6, {Distribution::lognormal(2ms, 9ms)}}});
    for (const ServiceLaw& each :
         {law, ServiceLaw::of_moments(0.003, 0.7), ServiceLaw::of_moments(0.003, 0)}) {
        const auto mass = masses(each.spectrum(2e-5, 4096));
        double mean = 0, all = 0;
        for (std::size_t i = 0; i < mass.size(); ++i) {
            all += mass[i];
            mean += mass[i] * static_cast<double>(i) * 2e-5;
        }
        EXPECT_NEAR(all, 1, 1e-9);
        EXPECT_NEAR(mean / each.mean(), 1, 2e-3);
    }
}

TEST(HitRatio, IsThatOfOneKeyThatLivesForATime) {
    CacheLoad load;
    load.rate = 2;
    load.ttl = 10;
    EXPECT_NEAR(hit_ratio(load), 20.0 / 21, 1e-12);
    load.rate = 0;
    EXPECT_EQ(hit_ratio(load), 0);
}

TEST(HitRatio, FallsWithKeysThatAreAllAlikeAndRisesWithPopularity) {
    CacheLoad load;
    load.rate = 50;
    load.ttl = 20;
    load.keys = 200;
    EXPECT_NEAR(hit_ratio(load), 5.0 / 6, 1e-12);
    const double alike = hit_ratio(load);
    load.zipf = 1.5;
    EXPECT_GT(hit_ratio(load), alike);
    load.others = 1'000;
    EXPECT_LT(hit_ratio(load), 0.6);
}

TEST(HitRatio, IsTheShareThatFitsWhereEveryKeyIsAlike) {
    CacheLoad load;
    load.rate = 1'000;
    load.ttl = 1e6;
    load.keys = 1'000;
    load.capacity = 300;
    EXPECT_NEAR(hit_ratio(load), 0.3, 1e-3);  // least recently used keeps any 300 of the 1,000
}

}  // namespace
}  // namespace lab::theory
