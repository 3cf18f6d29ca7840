// SPDX-License-Identifier: GPL-3.0-or-later
// What a run measures: the second half of the one table of names.
#include <array>
#include <deque>
#include <utility>

#include <fmt/format.h>

#include "lab/frame.hpp"
#include "lab/settings.hpp"

namespace lab {
namespace {

/// The rows hold views; `texts` holds what they look at and never moves a text once it is in.
struct Table {
    std::deque<std::string> texts;
    std::vector<QuantityInfo> rows;

    std::string_view keep(std::string text) { return texts.emplace_back(std::move(text)); }
    void add(std::string_view name, std::string_view short_name, std::string_view label,
             std::string_view unit, std::string_view meaning) {
        rows.push_back({name, short_name, label, unit, meaning});
    }
};

struct Family {
    std::string_view key, prefix, label, meaning;
};

/// The keys of one histogram. The latency's short names stand alone: "p99".
void add_histogram(Table& t, const Family& family) {
    struct Key {
        std::string_view name, label;
    };
    constexpr std::array keys{Key{"mean", "mean"},  Key{"p50", "p50"}, Key{"p90", "p90"},
                              Key{"p95", "p95"},    Key{"p99", "p99"}, Key{"p999", "p99.9"},
                              Key{"max", "maximum"}};
    for (const Key& key : keys) {
        t.add(t.keep(fmt::format("{}.{}", family.key, key.name)),
              t.keep(fmt::format("{}{}", family.prefix, key.name)),
              t.keep(fmt::format("{} {}", family.label, key.label)), "ms",
              t.keep(fmt::format("{}: {}", family.meaning, key.label)));
    }
    const std::string_view samples = family.prefix.empty() ? "samples" : "";
    t.add(t.keep(fmt::format("{}.count", family.key)),
          samples.empty() ? t.keep(fmt::format("{}count", family.prefix)) : samples,
          t.keep(fmt::format("{} samples", family.label)), "",
          t.keep(fmt::format("{}: how many samples", family.meaning)));
}

void add_rates(Table& t) {
    t.add("offered_per_s", "offered", "Offered", "/s", "Requests planned per second");
    t.add("throughput_per_s", "throughput", "Throughput", "/s",
          "Answers with 2xx or 3xx per second");
    t.add("goodput_per_s", "goodput", "Goodput", "/s",
          "Answers per second that are right, fresh and within the deadline");
}

void add_counts(Table& t) {
    struct Count {
        std::string_view key, label, meaning;
    };
    constexpr std::array counts{
        Count{"planned", "Planned", "Requests that were due"},
        Count{"ok", "Answered", "Ended with 2xx or 3xx"},
        Count{"timed_out", "Timed out", "The client gave up"},
        Count{"rejected", "Turned away", "503: the server turned them away"},
        Count{"reset", "Broken off", "The connection broke or was refused"},
        Count{"not_sent", "Not sent", "The generator could not send them"},
        Count{"http_4xx", "Client errors", "Ended with 4xx"},
        Count{"http_5xx", "Server errors", "Ended with 5xx other than 503"},
        Count{"wrong_user", "Wrong user",
              "Answered ok, for somebody else than who asked, or in another language"},
        Count{"stale", "Stale", "Answered ok, older than what was committed when it was sent"},
        Count{"late", "Late", "Answered ok, after the deadline"},
        Count{"abandoned", "Left", "Of those timed out: the user's patience had ended"},
        Count{"held_back", "Held back", "Of those not sent: the circuit breaker was open"},
        Count{"attempts", "Attempts", "Requests written to a connection, all of them"},
        Count{"retries", "Retries", "Of the attempts: made again after one that failed"},
        Count{"hedges", "Second copies", "Of the attempts: beside one that took long"},
    };
    for (const Count& count : counts) {
        const auto name = t.keep(fmt::format("counts.{}", count.key));
        t.add(name, name, count.label, "", count.meaning);
    }
    t.add("errors", "errors", "Errors", "",
          "Everything that is no answer: timed out, rejected, reset, not sent, 4xx, 5xx");
}

void add_breakdown(Table& t) {
    using Words = std::pair<std::string_view, std::string_view>;
    constexpr std::array<Words, part_count> parts{
        Words{"schedule_slip", "schedule slip"},
        Words{"retry", "retries"},
        Words{"client_wait", "client wait"},
        Words{"connect", "connect"},
        Words{"network", "network"},
        Words{"proxy", "the proxy"},
        Words{"queue", "queue"},
        Words{"parse", "parse"},
        Words{"lock_wait", "lock wait"},
        Words{"loop_wait", "loop wait"},
        Words{"token_wait", "token wait"},
        Words{"cpu", "computing"},
        Words{"io_wait", "waiting"},
        Words{"pool_wait", "pool wait"},
        Words{"write_wait", "waiting for the write lock"},
        Words{"database", "database"},
        Words{"cache", "cache"},
        Words{"render", "render"},
        Words{"write", "write"},
        Words{"unexplained", "unexplained"},
    };
    for (const auto& [key, label] : parts) {
        t.add(t.keep(fmt::format("breakdown_ms.{}", key)), t.keep(fmt::format("breakdown.{}", key)),
              t.keep(fmt::format("Time in {}", label)), "ms",
              t.keep(fmt::format("Mean per request: {}", label)));
    }
}

void add_cache(Table& t) {
    const auto same = [&t](std::string_view name, std::string_view label,
                           std::string_view meaning) { t.add(name, name, label, "", meaning); };
    same("cache_misses", "Cache misses", "Look-ups that found nothing: the view was called");
    same("cache_evictions", "Cache evictions", "Entries that had to go for want of room");
    same("cache_errors", "Cache errors swallowed",
         "Errors of the cache or its key function; the view was called as if there were no cache");
    same("cache_duplicates", "Entries made at the same time",
         "Misses while another request was making the same entry: the stampede");
    same("cache_entries", "Cache entries", "Entries at the end of the window");
    same("cache_bytes", "Cache bytes", "Bytes of keys and bodies at the end of the window");
}

void add_database(Table& t) {
    struct Row {
        std::string_view key, label, meaning;
    };
    constexpr std::array rows{
        Row{"queries", "Queries", "Questions and writes to the database, each one round trip"},
        Row{"queries_per_answer", "Queries an answer", "Queries over answers"},
        Row{"rows_per_query", "Rows a query", "Rows that a query passed in a scan or found"},
        Row{"opened", "Connections opened", "Database connections that were opened"},
        Row{"pool_timeouts", "Pool timeouts", "Waited too long for a connection: 500"},
        Row{"query_timeouts", "Query timeouts", "Ran longer than a query may: 500"},
        Row{"lock_timeouts", "Lock timeouts", "Waited too long for the write lock: 500"},
    };
    for (const Row& row : rows) {
        const auto name = t.keep(fmt::format("database.{}", row.key));
        t.add(name, name, row.label, "", row.meaning);
    }
}

void add_upstream(Table& t) {
    t.add("upstream.retries", "upstream_retries", "Next backend asked", "",
          "Requests that the balancer gave to the next backend after a failure");
    t.add("upstream.failures", "upstream_failures", "Backend failures", "",
          "Requests to a backend that were broken off or took too long");
    t.add("upstream.lost", "upstream_lost", "No backend answered", "",
          "Requests that the proxy answered 502 or 504");
    t.add("upstream.largest_share", "largest_share", "Largest share of a backend", "share",
          "Of the requests given to backends, what the busiest got, 0 to 1");
    t.add("upstream.smallest_share", "smallest_share", "Smallest share of a backend", "share",
          "Of the requests given to backends, what the least busy got, 0 to 1");
    t.add("upstream.cache_hit_ratio", "proxy_hit_ratio", "Proxy cache hit ratio", "share",
          "Hits of the proxy's cache over its look-ups, 0 to 1");
}

Table make_table() {
    Table t;
    add_rates(t);
    add_histogram(t, {"latency_ms", "", "Latency", "From the intended start to the last byte"});
    add_histogram(
        t, {"since_send_ms", "since_send.", "Since send", "From the actual send to the last byte"});
    add_histogram(t, {"service_ms", "service.", "Service time",
                      "A worker busy or waiting on this request alone"});
    add_histogram(t, {"schedule_slip_ms", "schedule_slip.", "Schedule slip",
                      "Released later than planned: the generator's own lateness"});
    add_histogram(t, {"loop_lag_ms", "loop_lag.", "Loop lag",
                      "From when something was due on an event loop until it ran"});
    add_counts(t);
    add_breakdown(t);
    t.add("utilisation.workers", "utilisation.workers", "Workers busy", "share",
          "Busy worker time over all worker time, 0 to 1");
    t.add("utilisation.cpu", "utilisation.cpu", "Workers computing", "share",
          "CPU time of the worker threads over the cores they could use, 0 to 1");
    t.add("utilisation.pool", "utilisation.pool", "Connections busy", "share",
          "Busy database connections over all, 0 to 1");
    t.add("utilisation.tokens", "utilisation.tokens", "Pool threads busy", "share",
          "Tokens in use of the thread pools beside event loops over all, 0 to 1");
    t.add("tokens_waiting", "tokens_waiting", "Waiting for a token", "",
          "Mean number of steps that wait for a thread of such a pool");
    t.add("breaker_open", "breaker_open", "Breaker open", "share",
          "Share of the window in which the client's circuit breaker was not closed, 0 to 1");
    t.add("workers.kills", "kills", "Workers killed", "",
          "Workers that were killed: no heartbeat in time, or above the memory limit");
    t.add("workers.restarts", "restarts", "Workers restarted", "",
          "Workers that left gracefully after their number of requests");
    t.add("workers.boots", "boots", "Workers booted", "", "Workers that came up during the run");
    t.add("workers.memory_mb", "memory", "Memory of all workers", "MB",
          "The most that all workers held together; modelled, not measured");
    t.add("cache_hit_ratio", "hit_ratio", "Hit ratio", "share", "Cache hits over look-ups, 0 to 1");
    add_cache(t);
    add_database(t);
    add_upstream(t);
    t.add("concurrency", "concurrency", "In flight", "",
          "Mean number of requests begun and not done: Little's L");
    return t;
}

const Table& table() {
    static const Table made = make_table();
    return made;
}

}  // namespace

std::span<const QuantityInfo> quantities_table() { return table().rows; }

const QuantityInfo* find_quantity(std::string_view name) {
    for (const QuantityInfo& row : table().rows) {
        if (row.name == name || row.short_name == name) return &row;
    }
    return nullptr;
}

}  // namespace lab
