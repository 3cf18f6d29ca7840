// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace lab {
namespace {

// 3 significant digits need 2 * 10^3 values of single-unit resolution, rounded up to a power of
// two.
constexpr std::uint32_t sub_bucket_bits = 11;
constexpr std::uint32_t sub_buckets = 1U << sub_bucket_bits;
constexpr std::uint32_t half_bits = sub_bucket_bits - 1;
constexpr std::uint32_t half = sub_buckets / 2;

constexpr std::int64_t highest_ns = Histogram::highest.count();

constexpr std::int64_t clamped(Duration value) noexcept {
    return std::clamp<std::int64_t>(value.count(), 1, highest_ns);
}

// The first 2048 buckets are 1 ns wide; each further 1024 are twice as wide as the 1024 before.
constexpr std::uint32_t index_of(std::int64_t ns) noexcept {
    const auto value = static_cast<std::uint64_t>(ns);
    const auto width_bits =
        static_cast<std::uint32_t>(std::bit_width(value | (sub_buckets - 1))) - sub_bucket_bits;
    const auto sub = static_cast<std::uint32_t>(value >> width_bits);
    return ((width_bits + 1) << half_bits) + sub - half;
}

constexpr std::uint32_t buckets = index_of(highest_ns) + 1;

struct Edge {
    std::int64_t lower;
    std::int64_t width;
};

constexpr Edge edge_of(std::uint32_t bucket) noexcept {
    if (bucket < sub_buckets) return {static_cast<std::int64_t>(bucket), 1};
    const std::uint32_t width_bits = (bucket >> half_bits) - 1;
    const std::int64_t sub = (bucket & (half - 1)) + half;
    return {sub << width_bits, std::int64_t{1} << width_bits};
}

constexpr std::int64_t upper_of(std::uint32_t bucket) noexcept {
    const Edge edge = edge_of(bucket);
    return std::min(edge.lower + edge.width - 1, highest_ns);
}

constexpr std::size_t words = (buckets + 63) / 64;

/// Calls `visit(bucket)` for each bucket in [first, last] whose bit is set, ascending, until it
/// says true.
template <class Visit>
void each_used(const std::vector<std::uint64_t>& used, std::uint32_t first, std::uint32_t last,
               Visit&& visit) {
    for (std::uint32_t word = first / 64; word <= last / 64; ++word) {
        for (std::uint64_t bits = used.data()[word]; bits != 0; bits &= bits - 1) {
            const auto bucket = word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
            if (bucket > last || visit(bucket)) return;
        }
    }
}

Error no_samples() { return {ErrorCode::no_samples, "", "there are no samples"}; }

}  // namespace

Histogram::Histogram() : counts_(buckets), used_(words), lowest_used_{buckets}, highest_used_{0} {}

void Histogram::record(Duration value, std::uint64_t count) noexcept {
    if (count == 0) return;
    const std::int64_t ns = clamped(value);
    if (value.count() > highest_ns) overflowed_ += count;
    const std::uint32_t bucket = index_of(ns);
    counts_.data()[bucket] += count;
    used_.data()[bucket / 64] |= std::uint64_t{1} << (bucket % 64);
    count_ += count;
    sum_ns_ += static_cast<Sum>(static_cast<std::uint64_t>(ns)) * count;
    lowest_used_ = std::min(lowest_used_, bucket);
    highest_used_ = std::max(highest_used_, bucket);
}

void Histogram::merge(const Histogram& other) noexcept {
    if (other.count_ == 0) return;
    each_used(other.used_, other.lowest_used_, other.highest_used_, [&](std::uint32_t b) {
        counts_[b] += other.counts_[b];
        return false;
    });
    for (std::uint32_t word = other.lowest_used_ / 64; word <= other.highest_used_ / 64; ++word) {
        used_[word] |= other.used_[word];
    }
    count_ += other.count_;
    overflowed_ += other.overflowed_;
    sum_ns_ += other.sum_ns_;
    lowest_used_ = std::min(lowest_used_, other.lowest_used_);
    highest_used_ = std::max(highest_used_, other.highest_used_);
}

void Histogram::merge(const SparseCounts& other) noexcept {
    for (const auto& [bucket, count] : other) {
        if (bucket >= buckets || count == 0) continue;
        counts_[bucket] += count;
        used_[bucket / 64] |= std::uint64_t{1} << (bucket % 64);
        count_ += count;
        const Edge edge = edge_of(bucket);
        sum_ns_ +=
            static_cast<Sum>(static_cast<std::uint64_t>(edge.lower + (edge.width - 1) / 2)) * count;
        lowest_used_ = std::min(lowest_used_, bucket);
        highest_used_ = std::max(highest_used_, bucket);
    }
}

void Histogram::clear() noexcept {
    if (count_ != 0) {
        each_used(used_, lowest_used_, highest_used_, [&](std::uint32_t b) {
            counts_[b] = 0;
            return false;
        });
        std::fill(used_.begin() + lowest_used_ / 64, used_.begin() + highest_used_ / 64 + 1, 0U);
    }
    count_ = 0;
    overflowed_ = 0;
    sum_ns_ = 0;
    lowest_used_ = buckets;
    highest_used_ = 0;
}

Result<Duration> Histogram::percentile(double percent) const {
    if (count_ == 0) return no_samples();
    // A product such as 99.9 % of 1000 comes out a hair above 999: that hair must not become a
    // rank.
    const double share = std::clamp(percent, 0.0, 100.0) / 100.0;
    const double exact = share * static_cast<double>(count_);
    const double rank = std::ceil(exact * (1.0 - 1e-12));
    const auto wanted = std::clamp<std::uint64_t>(
        rank >= static_cast<double>(count_) ? count_ : static_cast<std::uint64_t>(rank), 1, count_);
    std::uint64_t seen = 0;
    std::uint32_t found = highest_used_;
    each_used(used_, lowest_used_, highest_used_, [&](std::uint32_t b) {
        seen += counts_[b];
        found = b;
        return seen >= wanted;
    });
    return Duration{upper_of(found)};
}

Result<Duration> Histogram::mean() const {
    if (count_ == 0) return no_samples();
    return Duration{static_cast<std::int64_t>((sum_ns_ + count_ / 2) / count_)};
}

Result<Duration> Histogram::min() const {
    if (count_ == 0) return no_samples();
    return Duration{edge_of(lowest_used_).lower};
}

Result<Duration> Histogram::max() const {
    if (count_ == 0) return no_samples();
    return Duration{upper_of(highest_used_)};
}

std::uint64_t Histogram::count_at_or_below(Duration value) const noexcept {
    if (count_ == 0 || value.count() < 0) return 0;
    if (value >= highest) return count_;
    std::uint64_t seen = 0;
    const std::uint32_t last =
        std::min(value.count() == 0 ? 0U : index_of(value.count()), highest_used_);
    if (last < lowest_used_) return 0;
    each_used(used_, lowest_used_, last, [&](std::uint32_t b) {
        seen += counts_[b];
        return false;
    });
    return seen;
}

SparseCounts Histogram::sparse() const {
    constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
    SparseCounts out;
    if (count_ == 0) return out;
    each_used(used_, lowest_used_, highest_used_, [&](std::uint32_t b) {
        for (std::uint64_t left = counts_[b]; left > 0;) {
            const std::uint64_t part = std::min(left, most);
            out.emplace_back(b, static_cast<std::uint32_t>(part));
            left -= part;
        }
        return false;
    });
    return out;
}

SparseCounts Histogram::take_sparse() {
    SparseCounts out = sparse();
    clear();
    return out;
}

std::uint32_t Histogram::bucket_of(Duration value) noexcept { return index_of(clamped(value)); }

Duration Histogram::lower_edge(std::uint32_t bucket) noexcept {
    return Duration{edge_of(std::min(bucket, buckets - 1)).lower};
}

Duration Histogram::upper_edge(std::uint32_t bucket) noexcept {
    return Duration{upper_of(std::min(bucket, buckets - 1))};
}

std::uint32_t Histogram::bucket_count() noexcept { return buckets; }

}  // namespace lab
