// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace lab {
namespace {

constexpr Duration ns(std::int64_t n) { return Duration{n}; }

/// A sequence that is the same on every machine and spreads over many magnitudes.
std::vector<Duration> spread_values(std::size_t how_many) {
    std::vector<Duration> out;
    std::uint64_t x = 0x9E3779B97F4A7C15ULL;
    for (std::size_t i = 0; i < how_many; ++i) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        const auto bits = static_cast<unsigned>(1 + (x >> 58) % 41);
        out.push_back(
            ns(static_cast<std::int64_t>(1 + (x & ((1ULL << bits) - 1)) % 3'600'000'000'000)));
    }
    return out;
}

/// 10,000 requests of 1 ms and one of 100 s: the case with which the original shows what a tail is.
Histogram one_stall_among_ten_thousand() {
    Histogram h;
    h.record(1ms, 10'000);
    h.record(100s);
    return h;
}

TEST(Histogram, HasTheBucketsOfTheOriginalUpToOneHour) {
    // 2^41 ns <= 1 h < 2^42 ns: 2048 buckets of 1 ns, then 31 doublings of 1024, the last cut at 1
    // h.
    EXPECT_EQ(Histogram::bucket_of(1h), 32U * 1024 + (3'600'000'000'000 >> 31) - 1024);
    EXPECT_EQ(Histogram::bucket_count(), Histogram::bucket_of(1h) + 1);
}

TEST(Histogram, HoldsEachNanosecondBelow2048Apart) {
    for (std::int64_t v = 1; v < 2048; ++v) {
        const auto b = Histogram::bucket_of(ns(v));
        ASSERT_EQ(b, static_cast<std::uint32_t>(v));
        ASSERT_EQ(Histogram::lower_edge(b), ns(v));
        ASSERT_EQ(Histogram::upper_edge(b), ns(v));
    }
}

TEST(Histogram, DoublesTheWidthAtEachPowerOfTwoFrom2048) {
    EXPECT_EQ(Histogram::bucket_of(ns(2048)), 2048U);
    EXPECT_EQ(Histogram::bucket_of(ns(2049)), 2048U);
    EXPECT_EQ(Histogram::bucket_of(ns(2050)), 2049U);
    EXPECT_EQ(Histogram::bucket_of(ns(4095)), 3071U);
    EXPECT_EQ(Histogram::bucket_of(ns(4096)), 3072U);
    EXPECT_EQ(Histogram::bucket_of(ns(4099)), 3072U);
    EXPECT_EQ(Histogram::bucket_of(ns(4100)), 3073U);
    EXPECT_EQ(Histogram::lower_edge(3072), ns(4096));
    EXPECT_EQ(Histogram::upper_edge(3072), ns(4099));
}

TEST(Histogram, CoversEveryNanosecondWithoutGapOrOverlap) {
    for (std::uint32_t b = 1; b < Histogram::bucket_count(); ++b) {
        ASSERT_EQ(Histogram::lower_edge(b), Histogram::upper_edge(b - 1) + 1ns) << b;
        ASSERT_EQ(Histogram::bucket_of(Histogram::lower_edge(b)), b);
        ASSERT_EQ(Histogram::bucket_of(Histogram::upper_edge(b)), b);
    }
    EXPECT_EQ(Histogram::upper_edge(Histogram::bucket_count() - 1), Histogram::highest);
}

TEST(Histogram, KeepsThreeSignificantDigitsEverywhere) {
    for (std::uint32_t b = 1; b < Histogram::bucket_count(); ++b) {
        const auto lower = static_cast<double>(Histogram::lower_edge(b).count());
        const auto upper = static_cast<double>(Histogram::upper_edge(b).count());
        ASSERT_LE((upper - lower) / lower, 0.001) << b;
    }
}

TEST(Histogram, CountsWhatIsOutOfRangeAtTheEdges) {
    Histogram h;
    h.record(0ns);
    h.record(-5ms);
    h.record(1h);
    EXPECT_EQ(h.overflowed(), 0U);
    h.record(1h + 1ns, 3);
    h.record(Duration::max());
    EXPECT_EQ(h.overflowed(), 4U);
    EXPECT_EQ(h.count(), 7U);
    EXPECT_EQ(*h.min(), 1ns);
    EXPECT_EQ(*h.max(), 1h);
    EXPECT_EQ(*h.percentile(100), 1h);
}

TEST(Histogram, SaysThatItHasNoSamples) {
    const Histogram h;
    for (const auto& r : {h.percentile(50), h.mean(), h.min(), h.max()}) {
        ASSERT_FALSE(r);
        EXPECT_EQ(r.error().code, ErrorCode::no_samples);
    }
    EXPECT_TRUE(h.sparse().empty());
    EXPECT_EQ(h.count_at_or_below(1h), 0U);
}

TEST(Histogram, FindsTheStallOnlyBeyondTheLastOfTenThousand) {
    const Histogram h = one_stall_among_ten_thousand();
    const Duration usual = Histogram::upper_edge(Histogram::bucket_of(1ms));
    const Duration stall = Histogram::upper_edge(Histogram::bucket_of(100s));
    for (const double p : {0.001, 30.0, 50.0, 99.0, 99.9, 99.99})
        EXPECT_EQ(*h.percentile(p), usual) << p;
    EXPECT_EQ(*h.percentile(99.999), stall);
    EXPECT_EQ(*h.percentile(100), stall);
    EXPECT_EQ(*h.max(), stall);
    EXPECT_EQ(*h.min(), Histogram::lower_edge(Histogram::bucket_of(1ms)));
    EXPECT_EQ(*h.mean(), ns((10'000LL * 1'000'000 + 100'000'000'000 + 5000) / 10'001));
}

TEST(Histogram, TakesTheRankThatTheShareNamesAndNotTheNext) {
    Histogram h;
    for (int i = 1; i <= 1000; ++i) h.record(ns(i));
    EXPECT_EQ(*h.percentile(50), 500ns);
    EXPECT_EQ(*h.percentile(50.01), 501ns);
    EXPECT_EQ(*h.percentile(90), 900ns);
    EXPECT_EQ(*h.percentile(95), 950ns);
    EXPECT_EQ(*h.percentile(99), 990ns);
    EXPECT_EQ(*h.percentile(99.9), 999ns);
    EXPECT_EQ(*h.percentile(99.91), 1000ns);
    EXPECT_EQ(*h.percentile(1e-9), 1ns);
}

TEST(Histogram, AgreesWithSortedSamplesToTheWidthOfABucket) {
    auto values = spread_values(20'000);
    Histogram h;
    for (const auto v : values) h.record(v);
    std::sort(values.begin(), values.end());
    for (const double p : {0.1, 1.0, 25.0, 50.0, 75.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
        const auto rank = static_cast<std::size_t>(std::ceil(p / 100 * 20'000 - 1e-6));
        const Duration exact = values[std::max<std::size_t>(rank, 1) - 1];
        EXPECT_EQ(*h.percentile(p), Histogram::upper_edge(Histogram::bucket_of(exact))) << p;
    }
}

TEST(Histogram, KeepsAnExactMeanBeyondWhat64BitsHold) {
    Histogram h;
    h.record(1h, 40'000'000);  // 1.44e20 ns
    h.record(1h - 2us, 40'000'000);
    EXPECT_EQ(*h.mean(), 1h - 1us);
}

TEST(Histogram, MergedEqualsRecordedTogether) {
    const auto values = spread_values(5'000);
    Histogram all, left, right;
    for (std::size_t i = 0; i < values.size(); ++i) {
        all.record(values[i]);
        (i % 3 == 0 ? left : right).record(values[i]);
    }
    left.record(2h);
    all.record(2h);
    left.merge(right);
    EXPECT_EQ(left.sparse(), all.sparse());
    EXPECT_EQ(left.count(), all.count());
    EXPECT_EQ(left.overflowed(), 1U);
    EXPECT_EQ(*left.mean(), *all.mean());
    EXPECT_EQ(*left.min(), *all.min());
    EXPECT_EQ(*left.max(), *all.max());
}

TEST(Histogram, MergingAnEmptyOneChangesNothing) {
    Histogram h = one_stall_among_ten_thousand();
    const auto before = h.sparse();
    h.merge(Histogram{});
    h.merge(SparseCounts{});
    EXPECT_EQ(h.sparse(), before);
    Histogram fresh;
    fresh.merge(h);
    EXPECT_EQ(fresh.sparse(), before);
}

TEST(Histogram, ComesBackWholeFromItsSparseForm) {
    Histogram h;
    for (const auto v : spread_values(3'000)) h.record(v);
    Histogram back;
    back.merge(h.sparse());
    EXPECT_EQ(back.sparse(), h.sparse());
    EXPECT_EQ(*back.percentile(99), *h.percentile(99));
    EXPECT_EQ(*back.max(), *h.max());
    const double exact = to_ms(*h.mean());
    EXPECT_NEAR(to_ms(*back.mean()), exact, exact * 0.0005);
}

TEST(Histogram, IgnoresBucketsThatDoNotExist) {
    Histogram h;
    h.merge(SparseCounts{{Histogram::bucket_count(), 5}, {0xffffffff, 1}, {7, 0}});
    EXPECT_EQ(h.count(), 0U);
    EXPECT_FALSE(h.max());
}

TEST(Histogram, SplitsACountThatDoesNotFitInto32Bits) {
    Histogram h;
    h.record(7ns, (1ULL << 32) + 4);
    const SparseCounts expected{{7, std::numeric_limits<std::uint32_t>::max()}, {7, 5}};
    EXPECT_EQ(h.sparse(), expected);
    Histogram back;
    back.merge(h.sparse());
    EXPECT_EQ(back.count(), h.count());
}

TEST(Histogram, GivesOutOnlyWhatCameSinceTheLastCut) {
    Histogram h;
    h.record(10ms);
    h.record(1ms, 2);
    const SparseCounts first{{Histogram::bucket_of(1ms), 2}, {Histogram::bucket_of(10ms), 1}};
    EXPECT_EQ(h.take_sparse(), first);
    EXPECT_TRUE(h.take_sparse().empty());
    h.record(1h);
    h.record(1ns);
    const SparseCounts second{{1, 1}, {Histogram::bucket_of(1h), 1}};
    EXPECT_EQ(h.take_sparse(), second);
    h.record(5ms);
    const SparseCounts third{{Histogram::bucket_of(5ms), 1}};
    EXPECT_EQ(h.take_sparse(), third);
    EXPECT_EQ(h.count(), 0U);
}

TEST(Histogram, IsEmptyAfterClearing) {
    Histogram h = one_stall_among_ten_thousand();
    h.record(2h);
    h.clear();
    EXPECT_EQ(h.count(), 0U);
    EXPECT_EQ(h.overflowed(), 0U);
    EXPECT_FALSE(h.mean());
    h.record(3ns);
    EXPECT_EQ(*h.mean(), 3ns);
    EXPECT_EQ(*h.max(), 3ns);
}

TEST(Histogram, CountsAtOrBelowAValue) {
    const Histogram h = one_stall_among_ten_thousand();
    EXPECT_EQ(h.count_at_or_below(0ns), 0U);
    EXPECT_EQ(h.count_at_or_below(-1ns), 0U);
    EXPECT_EQ(h.count_at_or_below(998us), 0U);
    EXPECT_EQ(h.count_at_or_below(1ms), 10'000U);
    EXPECT_EQ(h.count_at_or_below(99s), 10'000U);
    EXPECT_EQ(h.count_at_or_below(100s), 10'001U);
    EXPECT_EQ(h.count_at_or_below(5h), 10'001U);
}

TEST(Histogram, RecordingNothingLeavesItEmpty) {
    Histogram h;
    h.record(1ms, 0);
    EXPECT_FALSE(h.max());
    EXPECT_TRUE(h.sparse().empty());
}

}  // namespace
}  // namespace lab
