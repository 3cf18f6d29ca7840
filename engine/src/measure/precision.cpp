// SPDX-License-Identifier: GPL-3.0-or-later
#include "measure/precision.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace lab::measure {
namespace {

constexpr double sigmas = 2;

double number(std::uint64_t n) { return static_cast<double>(n); }

const Histogram* histogram_of(const RunResult& r, std::string_view family) {
    if (family == "latency_ms") return &r.latency;
    if (family == "since_send_ms") return &r.since_send;
    if (family == "service_ms") return &r.service;
    if (family == "schedule_slip_ms") return &r.slip;
    return nullptr;
}

/// 2/sqrt(n) of the value; all of it where next to nothing is behind it.
double share(double value, double n) { return n > 0 ? std::abs(value) * sigmas / std::sqrt(n) : 0; }

double of_mean(const Histogram& histogram, double mean_ms) {
    double squares = 0;
    for (const auto& [bucket, count] : histogram.sparse()) {
        const double off = to_ms(Histogram::upper_edge(bucket)) - mean_ms;
        squares += off * off * count;
    }
    const double n = number(histogram.count());
    return sigmas * std::sqrt(squares / n) / std::sqrt(n);
}

double of_percentile(const Histogram& histogram, double percent, double value_ms) {
    const double n = number(histogram.count());
    const double p = percent / 100;
    const double ranks = sigmas * std::sqrt(std::max(1.0, n * p * (1 - p)));
    const auto at_rank = [&histogram, n](double rank) {
        const auto value = histogram.percentile(std::clamp(rank / n, 1e-9, 1.0) * 100);
        return value ? to_ms(*value) : 0;
    };
    return std::max(at_rank(n * p + ranks) - value_ms, value_ms - at_rank(n * p - ranks));
}

double of_histogram(const Histogram& histogram, std::string_view key, double value) {
    const double n = number(histogram.count());
    if (n <= 0) return 0;
    const double least = share(value, n);
    if (key == "mean") return std::max(least, of_mean(histogram, value));
    using Percentile = std::pair<std::string_view, double>;
    constexpr std::array<Percentile, 6> percentiles{
        Percentile{"p50", 50}, Percentile{"p90", 90},    Percentile{"p95", 95},
        Percentile{"p99", 99}, Percentile{"p999", 99.9}, Percentile{"max", 100}};
    for (const auto& [name, percent] : percentiles) {
        if (key == name) return std::max(least, of_percentile(histogram, percent, value));
    }
    return least;  // the count itself
}

}  // namespace

double half_width(const RunResult& r, std::string_view name, double value) {
    const std::size_t dot = name.find('.');
    const std::string_view family = name.substr(0, dot);
    const std::string_view key = dot == std::string_view::npos ? "" : name.substr(dot + 1);
    if (const Histogram* const histogram = histogram_of(r, family))
        return of_histogram(*histogram, key, value);
    if (family == "offered_per_s") return share(value, number(r.inside.planned));
    if (family == "throughput_per_s") return share(value, number(r.inside.of(Ending::ok)));
    if (family == "goodput_per_s") return share(value, number(r.inside.good));
    if (family == "counts" || family == "errors") return share(value, value);
    if (family == "breakdown_ms") return share(value, number(r.parts_of));
    return share(value, number(r.counts.total_ended()));  // shares of time, hit ratio, concurrency
}

}  // namespace lab::measure
