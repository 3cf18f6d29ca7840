// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/frame.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace lab {
namespace {

TEST(Counts, AddUpOverAllEndings) {
    Counts a;
    a.planned = 28;
    for (std::size_t i = 0; i < ending_count; ++i) a.ended[i] = i + 1;
    EXPECT_EQ(a.total_ended(), 28U);
    EXPECT_EQ(a.errors(), 27U);
    EXPECT_EQ(a.of(Ending::http_5xx), 7U);
    Counts b = a;
    b.wrong_user = 1;
    b.stale = 2;
    b.late = 3;
    b.good = 4;
    b += a;
    EXPECT_EQ(b.planned, 56U);
    EXPECT_EQ(b.total_ended(), 56U);
    EXPECT_EQ(b.stale, 2U);
    EXPECT_EQ(b.good, 4U);
}

TEST(Part, HasAKeyAndALabelOfItsOwn) {
    std::set<std::string_view> keys, labels;
    for (std::size_t i = 0; i < part_count; ++i) {
        keys.insert(part_key(static_cast<Part>(i)));
        labels.insert(part_label(static_cast<Part>(i)));
    }
    EXPECT_EQ(keys.size(), part_count);
    EXPECT_EQ(labels.size(), part_count);
    EXPECT_EQ(part_key(Part::schedule_slip), "schedule_slip");
    EXPECT_EQ(part_key(Part::database), "database");
    EXPECT_EQ(part_key(Part::unexplained), "unexplained");
    EXPECT_EQ(part_label(Part::io_wait), "I/O wait");
}

TEST(Summary, IsEmptyWithoutSamples) {
    EXPECT_EQ(summarise(Histogram{}), LatencySummary{});
    EXPECT_EQ(summarise(SparseCounts{}), LatencySummary{});
    EXPECT_FALSE(summarise(Histogram{}).p99.has_value());
}

TEST(Summary, IsInMilliseconds) {
    Histogram h;
    for (int i = 1; i <= 1000; ++i) h.record(Duration{i});
    const LatencySummary s = summarise(h);
    EXPECT_EQ(s.count, 1000U);
    EXPECT_DOUBLE_EQ(*s.p50, 500e-6);
    EXPECT_DOUBLE_EQ(*s.p90, 900e-6);
    EXPECT_DOUBLE_EQ(*s.p95, 950e-6);
    EXPECT_DOUBLE_EQ(*s.p99, 990e-6);
    EXPECT_DOUBLE_EQ(*s.p999, 999e-6);
    EXPECT_DOUBLE_EQ(*s.max, 1000e-6);
    EXPECT_NEAR(*s.mean, 500.5e-6, 1e-6);
}

TEST(Summary, OfAFrameIsThatOfTheHistogramItCameFrom) {
    Histogram h;
    for (int i = 1; i <= 777; ++i) h.record(Duration{i * i * 1000LL});
    const LatencySummary whole = summarise(h);
    const LatencySummary sparse = summarise(h.sparse());
    EXPECT_EQ(sparse.count, whole.count);
    EXPECT_EQ(sparse.p50, whole.p50);
    EXPECT_EQ(sparse.p90, whole.p90);
    EXPECT_EQ(sparse.p99, whole.p99);
    EXPECT_EQ(sparse.p999, whole.p999);
    EXPECT_EQ(sparse.max, whole.max);
    EXPECT_NEAR(*sparse.mean, *whole.mean, *whole.mean * 0.0005);
}

}  // namespace
}  // namespace lab
