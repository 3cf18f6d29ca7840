// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "lab/report.hpp"
#include "report/numbers.hpp"

namespace lab {
namespace {

using report::plain;
using Cells = std::vector<std::pair<std::string, std::string>>;

void add(Cells& cells, std::string name, double value) {
    cells.emplace_back(std::move(name), plain(value));
}
void add(Cells& cells, std::string name, const std::optional<double>& value) {
    cells.emplace_back(std::move(name), plain(value, ""));
}
void add_count(Cells& cells, std::string name, std::uint64_t n) {
    cells.emplace_back(std::move(name), fmt::format("{}", n));
}
/// Empty against a server that does not tell.
void add_told(Cells& cells, std::string name, bool told, std::uint64_t n) {
    cells.emplace_back(std::move(name), told ? fmt::format("{}", n) : "");
}

void add_summary(Cells& cells, std::string_view family, const SparseCounts& counts) {
    const LatencySummary s = summarise(counts);
    const auto name = [family](const char* key) { return fmt::format("{}.{}", family, key); };
    add(cells, name("mean"), s.mean);
    add(cells, name("p50"), s.p50);
    add(cells, name("p90"), s.p90);
    add(cells, name("p95"), s.p95);
    add(cells, name("p99"), s.p99);
    add(cells, name("p999"), s.p999);
    add(cells, name("max"), s.max);
    add_count(cells, name("count"), s.count);
}

void add_counts(Cells& cells, const Counts& c, bool truth_known) {
    add_count(cells, "counts.planned", c.planned);
    add_count(cells, "counts.ok", c.of(Ending::ok));
    add_count(cells, "counts.timed_out", c.of(Ending::timed_out));
    add_count(cells, "counts.rejected", c.of(Ending::rejected));
    add_count(cells, "counts.reset", c.of(Ending::reset));
    add_count(cells, "counts.not_sent", c.of(Ending::not_sent));
    add_count(cells, "counts.http_4xx", c.of(Ending::http_4xx));
    add_count(cells, "counts.http_5xx", c.of(Ending::http_5xx));
    add_told(cells, "counts.wrong_user", truth_known, c.wrong_user);
    add_told(cells, "counts.stale", truth_known, c.stale);
    add_count(cells, "counts.late", c.late);
    add_count(cells, "counts.abandoned", c.abandoned);
    add_count(cells, "counts.held_back", c.held_back);
    add_count(cells, "counts.attempts", c.attempts);
    add_count(cells, "counts.retries", c.retries);
    add_count(cells, "counts.hedges", c.hedges);
}

std::uint64_t workers_up(const ServerSample& s) {
    const auto up = [](const ProcessSample& w) { return w.state == ProcessSample::State::up; };
    return static_cast<std::uint64_t>(std::count_if(s.workers.begin(), s.workers.end(), up));
}

void add_server(Cells& cells, const Frame& f, bool told) {
    const ServerSample& s = f.server;
    const auto share = [&f, told](Duration used, std::size_t of) -> std::optional<double> {
        const double available = to_seconds(f.length) * static_cast<double>(of);
        if (!told || available <= 0) return std::nullopt;
        return std::clamp(to_seconds(used) / available, 0.0, 1.0);
    };
    const auto over = [told](std::uint64_t n, std::uint64_t of) -> std::optional<double> {
        if (!told || of == 0) return std::nullopt;
        return static_cast<double>(n) / static_cast<double>(of);
    };
    const double lookups = static_cast<double>(s.cache_hits + s.cache_misses);
    add(cells, "utilisation.workers", share(s.busy_time, s.threads.size()));
    add(cells, "utilisation.pool", share(s.pool_busy_time, s.pool_size));
    const double tokens = s.tokens;
    add(cells, "utilisation.tokens",
        tokens > 0 ? std::optional{std::min(1.0, s.tokens_in_use / tokens)} : std::nullopt);
    add(cells, "cache_hit_ratio",
        lookups > 0 ? std::optional{static_cast<double>(s.cache_hits) / lookups} : std::nullopt);
    add_told(cells, "queue_depth", told, s.queue_depth);
    add_told(cells, "backlog", told, s.backlog);
    add_told(cells, "connections", told, s.connections);
    add_told(cells, "in_service", told, s.in_service);
    add_told(cells, "threads", told, s.threads.size());
    add_told(cells, "workers.kills", told, s.worker_kills);
    add_told(cells, "workers.restarts", told, s.worker_restarts);
    add_told(cells, "workers.boots", told, s.worker_boots);
    add_told(cells, "workers_up", told, workers_up(s));
    add(cells, "workers.memory_mb",
        told ? std::optional{static_cast<double>(s.memory.count) / 1e6} : std::nullopt);
    add_told(cells, "pool_in_use", told, s.pool_in_use);
    add_told(cells, "pool_waiting", told, s.pool_waiting);
    add_told(cells, "pool_open", told, s.pool_open);
    add_told(cells, "database.queries", told, s.database.queries);
    add(cells, "database.queries_per_answer", over(s.database.queries, f.counts.of(Ending::ok)));
    add(cells, "database.rows_per_query", over(s.database.rows_touched, s.database.queries));
    add_told(cells, "database.opened", told, s.database.opened);
    add_told(cells, "database.pool_timeouts", told, s.database.pool_timeouts);
    add_told(cells, "database.query_timeouts", told, s.database.query_timeouts);
    add_told(cells, "database.lock_timeouts", told, s.database.lock_timeouts);
    add_told(cells, "cache_entries", told, s.cache_entries);
    add_told(cells, "cache_bytes", told, s.cache_bytes);
    add_told(cells, "cache_misses", told, s.cache_misses);
    add_told(cells, "cache_evictions", told, s.cache_evictions);
    add_told(cells, "cache_errors", told, s.cache_errors);
    add_told(cells, "cache_duplicates", told, s.cache_duplicates);
    add_told(cells, "updates", told, s.updates);
    add_summary(cells, "loop_lag_ms", s.loop_lag);
    add_told(cells, "loop_ready", told, s.loop_ready);
    add_told(cells, "tokens_in_use", told, s.tokens_in_use);
    add_told(cells, "tokens_waiting", told, s.tokens_waiting);
    add(cells, "worker_cpu_ms", told ? std::optional{to_ms(s.worker_cpu)} : std::nullopt);
    add(cells, "process_cpu_ms", told ? std::optional{to_ms(s.process_cpu)} : std::nullopt);
}

/// "3 1 0": one number a backend; empty without a balancer.
template <class Field>
std::string of_each(const std::vector<BackendSample>& backends, Field field) {
    std::string out;
    for (const BackendSample& backend : backends) {
        out += fmt::format("{}{}", out.empty() ? "" : " ", field(backend));
    }
    return out;
}

void add_backends(Cells& cells, const ServerSample& s) {
    const bool balanced = !s.backends.empty();
    std::uint64_t failures = 0;
    for (const BackendSample& backend : s.backends) failures += backend.failures;
    add_told(cells, "upstream.retries", balanced, s.proxy.retries);
    add_told(cells, "upstream.failures", balanced, failures);
    add_told(cells, "upstream.lost", balanced, s.proxy.lost);
    double all = 0, least = 1, most = 0;
    for (const BackendSample& backend : s.backends) all += static_cast<double>(backend.requests);
    for (const BackendSample& backend : s.backends) {
        const double share = all > 0 ? static_cast<double>(backend.requests) / all : 0;
        least = std::min(least, share);
        most = std::max(most, share);
    }
    const double lookups = static_cast<double>(s.proxy.cache_hits + s.proxy.cache_misses);
    const auto where = [](bool known, double value) {
        return known ? std::optional{value} : std::nullopt;
    };
    add(cells, "upstream.largest_share", where(all > 0, most));
    add(cells, "upstream.smallest_share", where(all > 0, least));
    add(cells, "upstream.cache_hit_ratio",
        where(lookups > 0, static_cast<double>(s.proxy.cache_hits) / std::max(lookups, 1.0)));
    cells.emplace_back("backends.state", of_each(s.backends, [](const BackendSample& b) {
                           return !b.up ? "down" : b.resting ? "resting" : "up";
                       }));
    cells.emplace_back("backends.in_flight",
                       of_each(s.backends, [](const BackendSample& b) { return b.in_flight; }));
    cells.emplace_back("backends.requests",
                       of_each(s.backends, [](const BackendSample& b) { return b.requests; }));
    cells.emplace_back("backends.effective_weight", of_each(s.backends, [](const BackendSample& b) {
                           return b.effective_weight;
                       }));
}

std::string changes_of(const Frame& f) {
    std::string out;
    for (const SettingChange& c : f.changes)
        out += fmt::format("{}{}: {} -> {}", out.empty() ? "" : "; ", c.path, c.from, c.to);
    return out;
}

/// Every column of a frame, name and cell: header and rows cannot differ.
Cells cells_of(const Frame& f) {
    const bool told = !f.server.threads.empty();
    const double length = to_seconds(f.length);
    const auto rate = [length](std::uint64_t n) {
        return length > 0 ? std::optional{static_cast<double>(n) / length} : std::nullopt;
    };
    Cells cells;
    add(cells, "time_s", to_seconds(f.since_start));
    add(cells, "length_s", length);
    add_count(cells, "warm_up", f.warm_up ? 1 : 0);
    add_count(cells, "interrupted", f.interrupted ? 1 : 0);
    add(cells, "offered_per_s", rate(f.counts.planned));
    add(cells, "throughput_per_s", rate(f.counts.of(Ending::ok)));
    add(cells, "goodput_per_s", rate(f.counts.good));
    add_summary(cells, "latency_ms", f.latency);
    add_summary(cells, "since_send_ms", f.since_send);
    add_summary(cells, "service_ms", f.service);
    add_summary(cells, "schedule_slip_ms", f.slip);
    add_counts(cells, f.counts, told);
    for (std::size_t i = 0; i < part_count; ++i) {
        const auto mean = f.parts_of == 0
                              ? std::nullopt
                              : std::optional{to_ms(f.parts[i]) / static_cast<double>(f.parts_of)};
        add(cells, fmt::format("breakdown_ms.{}", part_key(static_cast<Part>(i))), mean);
    }
    add_count(cells, "in_flight", f.in_flight);
    add_count(cells, "client_backlog", f.client_backlog);
    add(cells, "breaker_open",
        length > 0 ? std::optional{to_seconds(f.breaker_open) / length} : std::nullopt);
    add_server(cells, f, told);
    add_backends(cells, f.server);
    add_count(cells, "generation", f.generation);
    cells.emplace_back("changes", csv_cell(changes_of(f)));
    return cells;
}

template <class Choose>
std::string joined(const Cells& cells, Choose choose) {
    std::string out;
    for (const auto& cell : cells) {
        if (!out.empty() || &cell != cells.data()) out += ',';
        out += choose(cell);
    }
    return out + "\r\n";  // RFC 4180
}

}  // namespace

std::string csv_cell(std::string_view text) {
    std::string out(text);
    constexpr std::string_view formula("=+-@\t\r\0", 7);
    if (!out.empty() && formula.find(out.front()) != std::string_view::npos) out.insert(0, 1, '\'');
    if (out.find_first_of(",\"\r\n") == std::string::npos) return out;
    std::string quoted = "\"";
    for (const char c : out) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    return quoted + '"';
}

std::string csv_header() {
    return joined(cells_of(Frame{}), [](const auto& cell) { return cell.first; });
}

std::string to_csv_row(const Frame& frame) {
    return joined(cells_of(frame), [](const auto& cell) { return cell.second; });
}

}  // namespace lab
