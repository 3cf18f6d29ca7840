// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "lab/report.hpp"
#include "lab/text.hpp"
#include "report/numbers.hpp"

namespace lab {
namespace {

using report::for_person_count;
using report::for_person_ms;
using report::for_person_rate;
using report::for_person_share;

constexpr std::size_t bar_width = 30;

void add_heading(std::string& out, const RunResult& r) {
    out += fmt::format("{} ({}, seed {})\n", r.scenario.empty() ? "run" : escaped(r.scenario),
                       escaped(r.mode), r.seed);
    out += fmt::format("{:.1f} s measured after {:.1f} s of warm-up\n\n", to_seconds(r.length),
                       to_seconds(r.warm_up));
}

void add_rates(std::string& out, const RunResult& r) {
    if (r.length <= Duration{}) {
        out += "  nothing was measured\n\n";
        return;
    }
    const auto line = [&out](const char* name, double rate, const char* meaning) {
        out += fmt::format("  {:<12}{:>10}/s  {}\n", name, for_person_rate(rate), meaning);
    };
    line("goodput", r.goodput_per_s, "right, fresh and in time");
    line("throughput", r.throughput_per_s, "answered");
    line("offered", r.offered_per_s, "planned");
    out += fmt::format("  {:<12}{:>10}    requests begun and not done, on average\n\n", "in flight",
                       for_person_rate(r.concurrency));
}

void add_latency_row(std::string& out, const char* name, const Histogram& histogram) {
    const LatencySummary s = summarise(histogram);
    if (s.count == 0) return;
    out += fmt::format("  {:<14}", name);
    for (const auto& value : {s.p50, s.p90, s.p99, s.p999, s.max, s.mean})
        out += fmt::format("{:>10}", for_person_ms(value));
    out += fmt::format("{:>11}\n", for_person_count(s.count));
}

/// Where it matters: what a tool says that starts its clock at the sending.
void add_naive(std::string& out, const RunResult& r) {
    constexpr double notable = 1.5;
    const LatencySummary all = summarise(r.latency), naive = summarise(r.since_send);
    if (!all.p99 || !naive.p99 || *all.p99 < notable * *naive.p99) return;
    out += fmt::format(
        "  a stopwatch that starts at the sending would say p99 {}: it misses what waited before\n",
        for_person_ms(naive.p99));
}

void add_latencies(std::string& out, const RunResult& r) {
    if (r.latency.count() == 0) {
        out += "  no latency: nothing was answered\n\n";
        return;
    }
    out += fmt::format("  {:<14}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>11}\n", "", "p50", "p90",
                       "p99", "p99.9", "max", "mean", "samples");
    add_latency_row(out, "latency", r.latency);
    add_latency_row(out, "since send", r.since_send);
    add_latency_row(out, "service time", r.service);
    add_latency_row(out, "schedule slip", r.slip);
    if (r.loop_lag.count() > 0) add_latency_row(out, "loop lag", r.loop_lag);
    add_naive(out, r);
    if (r.counts.of(Ending::timed_out) > 0)
        out += fmt::format(
            "  {} timed out and are in there with the time at which they gave up: the "
            "tail is at least that\n",
            for_person_count(r.counts.of(Ending::timed_out)));
    out += '\n';
}

void add_parts(std::string& out, const RunResult& r) {
    if (r.parts_of == 0) return;
    const auto n = static_cast<double>(r.parts_of);
    const Duration largest = *std::max_element(r.parts.begin(), r.parts.end());
    out += "  where the time goes (mean of an answered request)\n";
    for (std::size_t i = 0; i < part_count; ++i) {
        const double mean = to_ms(r.parts[i]) / n;
        if (mean < 0.0005) continue;
        const double share = to_ms(r.parts[i]) / to_ms(largest);
        const auto length = static_cast<std::size_t>(std::lround(share * bar_width));
        out += fmt::format("    {:<14}{:>10}  {}\n", part_label(static_cast<Part>(i)),
                           for_person_ms(mean), std::string(std::max<std::size_t>(1, length), '#'));
    }
    out += '\n';
}

/// Only where the client does more than ask once.
void add_attempts(std::string& out, const RunResult& r) {
    const Counts& c = r.counts;
    if (c.retries + c.hedges > 0) {
        out += fmt::format("  {} attempts: {} retries, {} second copies\n",
                           for_person_count(c.attempts), for_person_count(c.retries),
                           for_person_count(c.hedges));
    }
    if (c.abandoned > 0)
        out += fmt::format("  {} of those who timed out lost patience and left\n",
                           for_person_count(c.abandoned));
    if (c.held_back > 0 || r.breaker_open > 0)
        out += fmt::format("  the circuit breaker was open {} of the time and held back {}\n",
                           for_person_share(r.breaker_open), for_person_count(c.held_back));
}

void add_counts(std::string& out, const RunResult& r) {
    const Counts& c = r.counts;
    out += fmt::format("  {} planned: {} answered", for_person_count(c.planned),
                       for_person_count(c.of(Ending::ok)));
    const auto some = [&out](std::uint64_t n, const char* what) {
        if (n > 0) out += fmt::format(", {} {}", for_person_count(n), what);
    };
    some(c.of(Ending::timed_out), "timed out");
    some(c.of(Ending::rejected), "rejected");
    some(c.of(Ending::reset), "reset");
    some(c.of(Ending::not_sent), "not sent");
    some(c.of(Ending::http_4xx), "with a 4xx");
    some(c.of(Ending::http_5xx), "with a 5xx");
    out += '\n';
    add_attempts(out, r);
    if (c.late + c.stale + c.wrong_user == 0) return;
    out += fmt::format("  of the answers {} late", for_person_count(c.late));
    if (r.truth_known)
        out += fmt::format(", {} stale, {} for the wrong user", for_person_count(c.stale),
                           for_person_count(c.wrong_user));
    out += '\n';
}

void add_cache(std::string& out, const RunResult& r) {
    out += fmt::format("  cache hit ratio {}, {} misses, {} entries of {} in all",
                       for_person_share(*r.cache_hit_ratio), for_person_count(r.cache_misses),
                       for_person_count(r.cache_entries),
                       show_bytes(Bytes{static_cast<std::int64_t>(r.cache_bytes)}));
    const auto some = [&out](std::uint64_t n, const char* what) {
        if (n > 0) out += fmt::format(", {} {}", for_person_count(n), what);
    };
    some(r.cache_evictions, "evicted");
    some(r.cache_duplicates, "made while another made the same");
    some(r.cache_errors, "errors swallowed");
    out += '\n';
}

void add_database(std::string& out, const RunResult& r) {
    const DatabaseCounts& d = r.database;
    if (!r.truth_known || d.queries + d.pool_timeouts + d.lock_timeouts == 0) return;
    const auto mean = [&r](std::string_view name) {
        return for_person_rate(quantity(r, name)->value_or(0));
    };
    out += fmt::format("  database: {} queries, {} an answer, {} rows touched a query\n",
                       for_person_count(d.queries), mean("database.queries_per_answer"),
                       mean("database.rows_per_query"));
    const auto refused = [&out](std::uint64_t n, const char* what) {
        if (n > 0) out += fmt::format("  {} waited in vain: {}\n", for_person_count(n), what);
    };
    refused(d.pool_timeouts, "no connection came free in time");
    refused(d.lock_timeouts, "the write lock did not come free in time");
    if (d.query_timeouts > 0)
        out += fmt::format("  {} queries ran too long and were broken off\n",
                           for_person_count(d.query_timeouts));
}

void add_server(std::string& out, const RunResult& r) {
    if (r.truth_known)
        out +=
            fmt::format("  workers {} busy, CPU {}, connections to the database {}\n",
                        for_person_share(r.utilisation_workers),
                        for_person_share(r.utilisation_cpu), for_person_share(r.utilisation_pool));
    if (r.cache_hit_ratio) add_cache(out, r);
    if (r.worker_kills + r.worker_restarts + r.worker_boots > 0)
        out += fmt::format("  workers: {} killed, {} restarted, {} booted\n",
                           for_person_count(r.worker_kills), for_person_count(r.worker_restarts),
                           for_person_count(r.worker_boots));
    add_database(out, r);
    for (const std::string& plan : r.plans) out += fmt::format("  query plan: {}\n", escaped(plan));
}

}  // namespace

std::string printable(std::string_view text) { return escaped(text); }

std::string to_text(const RunResult& r) {
    std::string out;
    add_heading(out, r);
    add_rates(out, r);
    add_latencies(out, r);
    add_parts(out, r);
    add_counts(out, r);
    add_server(out, r);
    if (!r.remarks.empty()) out += '\n';
    for (const std::string& remark : r.remarks) out += fmt::format("  Note: {}\n", escaped(remark));
    if (!r.machine.empty() || !r.version.empty())
        out += fmt::format("\n  {}{}{}\n", escaped(r.machine),
                           r.machine.empty() ? "" : "; version ", escaped(r.version));
    return out;
}

std::string to_live_line(const Frame& f, std::size_t columns) {
    const double length = to_seconds(f.length);
    const auto rate = [length](std::uint64_t n) {
        return for_person_rate(length > 0 ? static_cast<double>(n) / length : 0);
    };
    const LatencySummary latency = summarise(f.latency);
    std::vector<std::string> fields{
        fmt::format("{:6.1f} s{}", to_seconds(f.since_start + f.length),
                    f.warm_up ? " warm-up" : ""),
        fmt::format("{:>6}/s good of {}/s", rate(f.counts.good), rate(f.counts.planned)),
        fmt::format("p50 {:>7}", for_person_ms(latency.p50)),
        fmt::format("p99 {:>7}", for_person_ms(latency.p99))};
    if (!f.server.threads.empty()) {
        fields.push_back(fmt::format("queue {:>3}", f.server.queue_depth));
        fields.push_back(fmt::format("busy {}/{}", f.server.in_service, f.server.threads.size()));
    }
    fields.push_back(fmt::format("in flight {}", f.in_flight));
    if (f.counts.errors() > 0) fields.push_back(fmt::format("errors {}", f.counts.errors()));
    if (!f.server.progress.empty()) fields.push_back(escaped(f.server.progress));

    std::string line;
    for (const std::string& field : fields) {
        const std::string_view gap = line.empty() ? "" : "  ";
        if (line.size() + gap.size() + field.size() > columns) break;
        line += gap;
        line += field;
    }
    return line;
}

}  // namespace lab
