// SPDX-License-Identifier: GPL-3.0-or-later
// The value of each row of the table of quantities.
#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "lab/frame.hpp"
#include "lab/text.hpp"
#include "measure/latency_keys.hpp"

namespace lab {

std::optional<double> measure::latency_value(const LatencySummary& s, std::string_view key) {
    if (key == "mean") return s.mean;
    if (key == "p50") return s.p50;
    if (key == "p90") return s.p90;
    if (key == "p95") return s.p95;
    if (key == "p99") return s.p99;
    if (key == "p999") return s.p999;
    if (key == "max") return s.max;
    return std::nullopt;
}

namespace {

using Value = std::optional<double>;

double number(std::uint64_t n) { return static_cast<double>(n); }

Value of_summary(const Histogram& histogram, std::string_view key) {
    const LatencySummary s = summarise(histogram);
    if (key == "count") return number(s.count);
    return measure::latency_value(s, key);
}

Value of_counts(const RunResult& r, std::string_view key) {
    constexpr std::array<std::string_view, ending_count> endings{
        "ok", "timed_out", "rejected", "reset", "not_sent", "http_4xx", "http_5xx"};
    const auto found = std::find(endings.begin(), endings.end(), key);
    if (found != endings.end())
        return number(r.counts.ended[static_cast<std::size_t>(found - endings.begin())]);
    if (key == "planned") return number(r.counts.planned);
    if (key == "late") return number(r.counts.late);
    if (key == "abandoned") return number(r.counts.abandoned);
    if (key == "held_back") return number(r.counts.held_back);
    if (key == "attempts") return number(r.counts.attempts);
    if (key == "retries") return number(r.counts.retries);
    if (key == "hedges") return number(r.counts.hedges);
    if (!r.truth_known) return std::nullopt;
    if (key == "wrong_user") return number(r.counts.wrong_user);
    if (key == "stale") return number(r.counts.stale);
    return std::nullopt;
}

Value of_breakdown(const RunResult& r, std::string_view key) {
    if (r.parts_of == 0) return std::nullopt;
    for (std::size_t i = 0; i < part_count; ++i) {
        if (part_key(static_cast<Part>(i)) == key) return to_ms(r.parts[i]) / number(r.parts_of);
    }
    return std::nullopt;
}

Value of_utilisation(const RunResult& r, std::string_view key) {
    if (!r.truth_known) return std::nullopt;
    if (key == "workers") return r.utilisation_workers;
    if (key == "cpu") return r.utilisation_cpu;
    if (key == "pool") return r.utilisation_pool;
    if (key == "tokens") return r.utilisation_tokens;
    return std::nullopt;
}

Value of_cache(const RunResult& r, std::string_view name) {
    if (name == "cache_hit_ratio") return r.cache_hit_ratio;
    if (!r.truth_known) return std::nullopt;
    if (name == "cache_misses") return number(r.cache_misses);
    if (name == "cache_evictions") return number(r.cache_evictions);
    if (name == "cache_errors") return number(r.cache_errors);
    if (name == "cache_duplicates") return number(r.cache_duplicates);
    if (name == "cache_entries") return number(r.cache_entries);
    if (name == "cache_bytes") return number(r.cache_bytes);
    return std::nullopt;
}

Value of_workers(const RunResult& r, std::string_view key) {
    if (!r.truth_known) return std::nullopt;
    if (key == "kills") return number(r.worker_kills);
    if (key == "restarts") return number(r.worker_restarts);
    if (key == "boots") return number(r.worker_boots);
    if (key == "memory_mb") return static_cast<double>(r.memory_peak.count) / 1e6;
    return std::nullopt;
}

Value of_database(const RunResult& r, std::string_view key) {
    if (!r.truth_known) return std::nullopt;
    const DatabaseCounts& d = r.database;
    const auto over = [](std::uint64_t n, std::uint64_t of) -> Value {
        if (of == 0) return std::nullopt;
        return number(n) / number(of);
    };
    if (key == "queries") return number(d.queries);
    if (key == "queries_per_answer") return over(d.queries, r.inside.of(Ending::ok));
    if (key == "rows_per_query") return over(d.rows_touched, d.queries);
    if (key == "opened") return number(d.opened);
    if (key == "pool_timeouts") return number(d.pool_timeouts);
    if (key == "query_timeouts") return number(d.query_timeouts);
    if (key == "lock_timeouts") return number(d.lock_timeouts);
    return std::nullopt;
}

Value of_upstream(const RunResult& r, std::string_view key) {
    if (r.backends.empty()) return std::nullopt;
    if (key == "retries") return r.upstream_retries;
    if (key == "lost") return r.upstream_lost;
    if (key == "cache_hit_ratio") return r.proxy_hit_ratio;
    double requests = 0, failures = 0, least = 1, most = 0;
    for (const auto& backend : r.backends) {
        requests += backend.requests;
        failures += backend.failures;
        least = std::min(least, backend.share);
        most = std::max(most, backend.share);
    }
    if (key == "failures") return failures;
    if (requests <= 0) return std::nullopt;
    if (key == "largest_share") return most;
    if (key == "smallest_share") return least;
    return std::nullopt;
}

Value value_of(const RunResult& r, std::string_view name) {
    const std::size_t dot = name.find('.');
    const std::string_view family = name.substr(0, dot);
    const std::string_view key = dot == std::string_view::npos ? "" : name.substr(dot + 1);
    if (family == "latency_ms") return of_summary(r.latency, key);
    if (family == "since_send_ms") return of_summary(r.since_send, key);
    if (family == "service_ms") return of_summary(r.service, key);
    if (family == "schedule_slip_ms") return of_summary(r.slip, key);
    if (family == "loop_lag_ms") return of_summary(r.loop_lag, key);
    if (family == "tokens_waiting") return r.tokens_waiting;
    if (family == "counts") return of_counts(r, key);
    if (family == "breakdown_ms") return of_breakdown(r, key);
    if (family == "utilisation") return of_utilisation(r, key);
    if (family == "workers") return of_workers(r, key);
    if (family == "database") return of_database(r, key);
    if (family == "upstream") return of_upstream(r, key);
    if (family == "errors") return number(r.counts.errors());
    if (family.starts_with("cache_")) return of_cache(r, name);
    if (r.length <= Duration{}) return std::nullopt;  // a rate over no time
    if (family == "offered_per_s") return r.offered_per_s;
    if (family == "throughput_per_s") return r.throughput_per_s;
    if (family == "goodput_per_s") return r.goodput_per_s;
    if (family == "concurrency") return r.concurrency;
    if (family == "breaker_open") return r.breaker_open;
    return std::nullopt;
}

Error no_such(std::string_view name) {
    std::vector<std::string_view> known;
    for (const QuantityInfo& row : quantities_table()) {
        known.push_back(row.name);
        known.push_back(row.short_name);
    }
    const std::string_view near = did_you_mean(name, known);
    return {ErrorCode::not_found, "",
            fmt::format("there is no quantity {}{}", quoted(name),
                        near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near))};
}

}  // namespace

Result<std::optional<double>> quantity(const RunResult& result, std::string_view name) {
    const QuantityInfo* const row = find_quantity(name);
    if (row == nullptr) return no_such(name);
    return value_of(result, row->name);
}

}  // namespace lab
