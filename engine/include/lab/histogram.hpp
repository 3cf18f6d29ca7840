// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/result.hpp"
#include "lab/units.hpp"

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace lab {

/// The filled buckets of a histogram: (bucket, count), buckets ascending. What a Frame carries.
using SparseCounts = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

/// Counts of durations from 1 ns to 1 h with 3 significant decimal digits (a bucket's width is at
/// most 0.1 % of its values).
///
/// Shape:   values above 1 h count as 1 h and are told by `overflowed()`; below 1 ns as 1 ns.
/// Cost:    record() is a shift, an add and an increment; the whole is about 270 kB. clear(),
///          merge(), sparse() and the statistics look at one bit for each bucket between the least
///          and the greatest sample, and then only at the buckets that are not empty.
/// Threads: one writer, or immutable. One per thread, merged: never shared.
/// Source:  Gil Tene's HdrHistogram (bucket layout: 2048 sub-buckets, doubling widths).
class Histogram {
  public:
    static constexpr int significant_digits = 3;
    static constexpr Duration highest = std::chrono::hours{1};

    Histogram();

    void record(Duration value, std::uint64_t count = 1) noexcept;
    void merge(const Histogram& other) noexcept;
    void merge(const SparseCounts& other) noexcept;
    void clear() noexcept;

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] std::uint64_t overflowed() const noexcept { return overflowed_; }
    /// Duration at or below which `percent` (0 < percent <= 100) of the samples lie: the bucket's
    /// upper edge. Errors: no_samples. Never averaged, never interpolated.
    [[nodiscard]] Result<Duration> percentile(double percent) const;
    /// The mean is exact (a running sum) for what was recorded here or merged from a whole
    /// Histogram, and to half a bucket's width (0.05 %) for what came as SparseCounts. min() is the
    /// lower edge of the least bucket that holds a sample, max() the upper edge of the greatest.
    /// Errors: no_samples.
    [[nodiscard]] Result<Duration> mean() const;
    [[nodiscard]] Result<Duration> min() const;
    [[nodiscard]] Result<Duration> max() const;
    /// Samples at or below `value`.
    [[nodiscard]] std::uint64_t count_at_or_below(Duration value) const noexcept;

    /// A bucket that holds more than fits into 32 bits appears more than once.
    [[nodiscard]] SparseCounts sparse() const;
    /// Takes what was recorded since the last call and clears it. For a recorder that is cut every
    /// 100 ms.
    [[nodiscard]] SparseCounts take_sparse();

    /// The bucket that holds `value`, and the edges of a bucket: [lower, upper].
    [[nodiscard]] static std::uint32_t bucket_of(Duration value) noexcept;
    [[nodiscard]] static Duration lower_edge(std::uint32_t bucket) noexcept;
    [[nodiscard]] static Duration upper_edge(std::uint32_t bucket) noexcept;
    [[nodiscard]] static std::uint32_t bucket_count() noexcept;

  private:
    // 3e7 samples of 1 h are 1e20 ns: more than 64 bits hold.
    __extension__ typedef unsigned __int128 Sum;

    std::vector<std::uint64_t> counts_;
    std::vector<std::uint64_t> used_;  ///< a bit for each bucket that is not empty
    std::uint64_t count_ = 0;
    std::uint64_t overflowed_ = 0;
    Sum sum_ns_ = 0;
    std::uint32_t lowest_used_ = 0;   ///< bounds of what take_sparse() has to look at; lowest above
    std::uint32_t highest_used_ = 0;  ///< highest means that nothing is used
};

}  // namespace lab
