// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/frame.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lab/assert.hpp"

namespace lab {
namespace {

struct PartName {
    std::string_view key;
    std::string_view label;
};

constexpr std::array<PartName, part_count> part_names{{
    {"schedule_slip", "schedule slip"},
    {"retry", "retries"},
    {"client_wait", "client wait"},
    {"connect", "connect"},
    {"network", "network"},
    {"proxy", "proxy"},
    {"queue", "queue"},
    {"parse", "parse"},
    {"lock_wait", "lock wait"},
    {"loop_wait", "loop wait"},
    {"token_wait", "token wait"},
    {"cpu", "CPU"},
    {"io_wait", "I/O wait"},
    {"pool_wait", "pool wait"},
    {"write_wait", "write lock"},
    {"database", "database"},
    {"cache", "cache"},
    {"render", "render"},
    {"write", "write"},
    {"unexplained", "unexplained"},
}};

const PartName& name_of(Part part) {
    const auto index = static_cast<std::size_t>(part);
    LAB_ASSERT(index < part_count);
    return part_names[index];
}

std::optional<double> ms_or_none(const Result<Duration>& value) {
    if (!value) return std::nullopt;
    return to_ms(*value);
}

}  // namespace

std::uint64_t Counts::total_ended() const {
    return std::accumulate(ended.begin(), ended.end(), std::uint64_t{0});
}

std::uint64_t Counts::errors() const { return total_ended() - of(Ending::ok); }

Counts& Counts::operator+=(const Counts& other) {
    planned += other.planned;
    for (std::size_t i = 0; i < ended.size(); ++i) ended[i] += other.ended[i];
    wrong_user += other.wrong_user;
    stale += other.stale;
    late += other.late;
    good += other.good;
    abandoned += other.abandoned;
    held_back += other.held_back;
    attempts += other.attempts;
    retries += other.retries;
    hedges += other.hedges;
    return *this;
}

std::string_view part_key(Part part) { return name_of(part).key; }
std::string_view part_label(Part part) { return name_of(part).label; }

LatencySummary summarise(const Histogram& histogram) {
    LatencySummary out;
    out.count = histogram.count();
    out.mean = ms_or_none(histogram.mean());
    out.p50 = ms_or_none(histogram.percentile(50));
    out.p90 = ms_or_none(histogram.percentile(90));
    out.p95 = ms_or_none(histogram.percentile(95));
    out.p99 = ms_or_none(histogram.percentile(99));
    out.p999 = ms_or_none(histogram.percentile(99.9));
    out.max = ms_or_none(histogram.max());
    return out;
}

LatencySummary summarise(const SparseCounts& counts) {
    LatencySummary out;
    double sum_ms = 0;
    for (const auto& [bucket, count] : counts) {
        out.count += count;
        const Duration middle = (Histogram::lower_edge(bucket) + Histogram::upper_edge(bucket)) / 2;
        sum_ms += to_ms(middle) * count;
    }
    if (out.count == 0) return out;
    const auto total = static_cast<double>(out.count);
    const auto at = [&counts, total](double share) {
        const double rank = std::max(1.0, std::ceil(share * total * (1.0 - 1e-12)));
        double seen = 0;
        for (const auto& [bucket, count] : counts) {
            seen += count;
            if (seen >= rank) return to_ms(Histogram::upper_edge(bucket));
        }
        return to_ms(Histogram::upper_edge(counts.back().first));
    };
    out.mean = sum_ms / total;
    out.p50 = at(0.5);
    out.p90 = at(0.9);
    out.p95 = at(0.95);
    out.p99 = at(0.99);
    out.p999 = at(0.999);
    out.max = to_ms(Histogram::upper_edge(counts.back().first));
    return out;
}

}  // namespace lab
