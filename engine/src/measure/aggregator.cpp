// SPDX-License-Identifier: GPL-3.0-or-later
#include "measure/aggregator.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "measure/remarks.hpp"

namespace lab::measure {
namespace {

/// Frames that are looked at again when the end of the window is known: two minutes of them.
constexpr std::ptrdiff_t most_kept = 1'200;

/// As long as this for a cut that was asked for after 100 ms: the process did not run. Cuts end on
/// the beat, so that one of four tenths stands for a silence of up to five.
constexpr Duration silent_cut = 400ms;

double share_of(Duration used, double available_s) {
    return available_s > 0 ? std::clamp(to_seconds(used) / available_s, 0.0, 1.0) : 0;
}

/// What finish() needs of a frame.
struct Kept {
    Instant start, end;
    std::uint32_t threads = 0;
    std::uint32_t cores = 0;  ///< that the worker threads may use; 0: as the machine has
    std::uint32_t pool = 0;
    std::uint32_t tokens = 0, tokens_in_use = 0, tokens_waiting = 0;
    SparseCounts loop_lag;
    Duration busy{}, worker_cpu{}, pool_busy{}, generator_cpu{}, breaker_open{};
    std::uint64_t hits = 0, misses = 0, evictions = 0, errors = 0, duplicates = 0;
    std::uint64_t entries = 0, bytes = 0;
    std::uint64_t kills = 0, restarts = 0, boots = 0;
    Bytes memory{};
    DatabaseCounts database;
    std::vector<BackendSample> backends;
    ProxySample proxy;
};

/// The database's counts one after another, whatever they are called.
constexpr std::array database_counts{
    &DatabaseCounts::queries,        &DatabaseCounts::rows_touched,
    &DatabaseCounts::opened,         &DatabaseCounts::pool_timeouts,
    &DatabaseCounts::query_timeouts, &DatabaseCounts::lock_timeouts};

/// Sums over the window, in seconds and counts; a frame that reaches over its edge counts by the
/// part inside.
struct Sums {
    double thread_s = 0, core_s = 0, pool_s = 0;
    double busy_s = 0, worker_cpu_s = 0, pool_busy_s = 0, generator_cpu_s = 0;
    double breaker_open_s = 0;
    double hits = 0, misses = 0, evictions = 0, errors = 0, duplicates = 0;
    std::uint64_t entries = 0, bytes = 0;  ///< of the last frame inside
    double loop_s = 0, token_s = 0, tokens_busy_s = 0, tokens_waiting_s = 0;
    Histogram loop_lag;  ///< of whole frames that begin inside
    std::array<double, database_counts.size()> database{};
    double seconds = 0, retries = 0, lost = 0, proxy_hits = 0, proxy_misses = 0;
    std::vector<RunResult::BackendTotals> backends;

    void add_backends(const Kept& frame, double inside, double share) {
        seconds += inside;
        retries += share * static_cast<double>(frame.proxy.retries);
        lost += share * static_cast<double>(frame.proxy.lost);
        proxy_hits += share * static_cast<double>(frame.proxy.cache_hits);
        proxy_misses += share * static_cast<double>(frame.proxy.cache_misses);
        if (backends.size() < frame.backends.size()) backends.resize(frame.backends.size());
        for (std::size_t i = 0; i < frame.backends.size(); ++i) {
            const BackendSample& sample = frame.backends[i];
            backends[i].requests += share * static_cast<double>(sample.requests);
            backends[i].failures += share * static_cast<double>(sample.failures);
            backends[i].mean_in_flight += inside * sample.in_flight;  // an integral, for now
        }
    }

    void tell_backends(RunResult& r, const std::vector<Kept>& kept) {
        double all = 0;
        for (const auto& backend : backends) all += backend.requests;
        for (std::size_t i = 0; i < backends.size(); ++i) {
            auto& backend = backends[i];
            if (all > 0) backend.share = backend.requests / all;
            if (seconds > 0) backend.mean_in_flight /= seconds;
            const auto& last = kept.back().backends;
            if (i < last.size()) backend.last = last[i];
        }
        r.backends = std::move(backends);
        r.upstream_retries = retries;
        r.upstream_lost = lost;
        const double lookups = proxy_hits + proxy_misses;
        if (lookups > 0) r.proxy_hit_ratio = proxy_hits / lookups;
    }
    std::uint64_t kills = 0, restarts = 0, boots = 0;  ///< of frames that end inside
    std::int64_t memory_peak = 0;

    void add(const Kept& frame, Instant from, Instant to, unsigned cores) {
        const double whole = to_seconds(frame.end - frame.start);
        const double inside = to_seconds(std::min(frame.end, to) - std::max(frame.start, from));
        if (inside <= 0 || whole <= 0) return;
        const double share = inside / whole;
        thread_s += inside * frame.threads;
        const unsigned usable = frame.cores > 0 ? std::min<unsigned>(frame.cores, cores) : cores;
        core_s += inside * std::min(frame.threads, usable);
        pool_s += inside * frame.pool;
        busy_s += share * to_seconds(frame.busy);
        worker_cpu_s += share * to_seconds(frame.worker_cpu);
        pool_busy_s += share * to_seconds(frame.pool_busy);
        generator_cpu_s += share * to_seconds(frame.generator_cpu);
        breaker_open_s += share * to_seconds(frame.breaker_open);
        hits += share * static_cast<double>(frame.hits);
        misses += share * static_cast<double>(frame.misses);
        add_backends(frame, inside, share);
        evictions += share * static_cast<double>(frame.evictions);
        errors += share * static_cast<double>(frame.errors);
        duplicates += share * static_cast<double>(frame.duplicates);
        entries = frame.entries;
        bytes = frame.bytes;
        for (std::size_t i = 0; i < database.size(); ++i) {
            database[i] += share * static_cast<double>(frame.database.*database_counts[i]);
        }
        memory_peak = std::max(memory_peak, frame.memory.count);
        if (frame.end <= to) {
            kills += frame.kills;
            restarts += frame.restarts;
            boots += frame.boots;
        }
        if (frame.tokens == 0) return;
        loop_s += inside;
        token_s += inside * frame.tokens;
        tokens_busy_s += inside * frame.tokens_in_use;
        tokens_waiting_s += inside * frame.tokens_waiting;
        if (frame.start >= from) loop_lag.merge(frame.loop_lag);
    }
};

void tell_cache(RunResult& r, const Sums& sums) {
    const auto whole = [](double n) { return static_cast<std::uint64_t>(n + 0.5); };
    if (sums.hits + sums.misses > 0) r.cache_hit_ratio = sums.hits / (sums.hits + sums.misses);
    r.cache_misses = whole(sums.misses);
    r.cache_evictions = whole(sums.evictions);
    r.cache_errors = whole(sums.errors);
    r.cache_duplicates = whole(sums.duplicates);
    r.cache_entries = sums.entries;
    r.cache_bytes = sums.bytes;
}

void tell_database(RunResult& r, const Sums& sums) {
    for (std::size_t i = 0; i < sums.database.size(); ++i) {
        r.database.*database_counts[i] = static_cast<std::uint64_t>(std::llround(sums.database[i]));
    }
}

std::vector<RequestEvent> joined(const std::vector<RequestEvent>& client,
                                 std::vector<RequestEvent> server) {
    server.insert(server.end(), client.begin(), client.end());
    std::stable_sort(server.begin(), server.end(),
                     [](const RequestEvent& a, const RequestEvent& b) { return a.at < b.at; });
    return server;
}

}  // namespace

struct Aggregator::State {
    Run run;
    std::uint64_t frames = 0;
    std::vector<Kept> kept;
    Sums folded;  ///< of frames before those kept: a long run needs no more room than a short one
    Duration longest_gap{};
    std::vector<SettingChange> changes;

    /// What is folded ended long before the window can have.
    void fold() {
        const Instant from = run.start + run.warm_up;
        for (std::ptrdiff_t i = 0; i < most_kept; ++i) {
            folded.add(kept[static_cast<std::size_t>(i)], from, Instant::max(),
                       std::max(1U, run.cores));
        }
        kept.erase(kept.begin(), kept.begin() + most_kept);
    }

    void keep(const Frame& f, Duration generator_cpu) {
        Kept k;
        k.start = f.start;
        k.end = f.start + f.length;
        k.threads = static_cast<std::uint32_t>(f.server.threads.size());
        k.cores = f.server.cores;
        k.kills = f.server.worker_kills;
        k.restarts = f.server.worker_restarts;
        k.boots = f.server.worker_boots;
        k.memory = f.server.memory;
        k.pool = f.server.pool_size;
        k.tokens = f.server.tokens;
        k.tokens_in_use = f.server.tokens_in_use;
        k.tokens_waiting = f.server.tokens_waiting;
        k.loop_lag = f.server.loop_lag;
        k.busy = f.server.busy_time;
        k.worker_cpu = f.server.worker_cpu;
        k.pool_busy = f.server.pool_busy_time;
        k.generator_cpu = generator_cpu;
        k.breaker_open = f.breaker_open;
        k.hits = f.server.cache_hits;
        k.misses = f.server.cache_misses;
        k.backends = f.server.backends;
        k.proxy = f.server.proxy;
        k.evictions = f.server.cache_evictions;
        k.errors = f.server.cache_errors;
        k.duplicates = f.server.cache_duplicates;
        k.entries = f.server.cache_entries;
        k.bytes = f.server.cache_bytes;
        k.database = f.server.database;
        kept.push_back(k);
        if (kept.size() >= 2 * static_cast<std::size_t>(most_kept)) fold();
        if (f.interrupted) longest_gap = std::max(longest_gap, f.length);
        changes.insert(changes.end(), f.changes.begin(), f.changes.end());
    }
};

Aggregator::Aggregator(Run run) : state_{std::make_unique<State>()} {
    state_->run = std::move(run);
}
Aggregator::~Aggregator() = default;
Aggregator::Aggregator(Aggregator&&) noexcept = default;
Aggregator& Aggregator::operator=(Aggregator&&) noexcept = default;

FramePtr Aggregator::frame(const IntervalCut& cut, ServerSample server,
                           std::vector<RequestEvent> server_events,
                           std::uint64_t server_events_left_out, std::uint64_t generation,
                           std::vector<SettingChange> changes) {
    State& s = *state_;
    auto f = std::make_shared<Frame>();
    f->number = s.frames++;
    f->start = cut.start == Instant{} ? s.run.start : cut.start;
    f->length = std::max(Duration{}, cut.end - f->start);
    f->since_start = f->start - s.run.start;
    f->warm_up = f->since_start < s.run.warm_up;
    f->interrupted = f->length >= silent_cut;
    f->generation = generation;
    f->changes = std::move(changes);
    f->counts = cut.counts;
    f->in_flight = cut.in_flight;
    f->client_backlog = cut.client_backlog;
    f->latency = cut.latency;
    f->since_send = cut.since_send;
    f->service = cut.service;
    f->slip = cut.slip;
    f->parts = cut.parts;
    f->parts_of = cut.parts_of;
    f->breaker_open = cut.breaker_open;
    f->server = std::move(server);
    f->events = joined(cut.events, std::move(server_events));
    f->events_left_out = cut.events_left_out + server_events_left_out;
    s.keep(*f, cut.generator_cpu);
    return f;
}

RunResultPtr Aggregator::finish(const WindowTotals& totals, bool stopped_early,
                                std::vector<std::string> plans, std::vector<std::string> remarks) {
    const State& s = *state_;
    auto r = std::make_shared<RunResult>();
    r->scenario = s.run.scenario;
    r->mode = s.run.mode;
    r->seed = s.run.seed;
    r->model = s.run.model;
    r->machine = s.run.machine;
    r->version = s.run.version;
    r->truth_known = s.run.truth_known;
    r->warm_up = s.run.warm_up;
    r->length = std::max(Duration{}, totals.to - totals.from);
    r->counts = totals.counts;
    r->inside = totals.inside;
    r->latency = totals.latency;
    r->since_send = totals.since_send;
    r->service = totals.service;
    r->slip = totals.slip;
    r->unexplained = totals.unexplained;
    r->parts = totals.parts;
    r->parts_of = totals.parts_of;
    r->concurrency = totals.concurrency;
    r->trace = totals.trace;
    r->plans = std::move(plans);
    r->remarks = std::move(remarks);

    const double window_s = to_seconds(r->length);
    const auto rate = [window_s](std::uint64_t n) {
        return window_s > 0 ? static_cast<double>(n) / window_s : 0;
    };
    r->offered_per_s = rate(totals.inside.planned);
    r->throughput_per_s = rate(totals.inside.of(Ending::ok));
    r->goodput_per_s = rate(totals.inside.good);

    Sums sums = s.folded;
    for (const Kept& k : s.kept) sums.add(k, totals.from, totals.to, std::max(1U, s.run.cores));
    r->utilisation_workers = share_of(from_seconds(sums.busy_s), sums.thread_s);
    r->utilisation_cpu = share_of(from_seconds(sums.worker_cpu_s), sums.core_s);
    r->utilisation_pool = share_of(from_seconds(sums.pool_busy_s), sums.pool_s);
    if (sums.loop_s > 0) {
        r->utilisation_tokens = std::clamp(sums.tokens_busy_s / sums.token_s, 0.0, 1.0);
        r->tokens_waiting = sums.tokens_waiting_s / sums.loop_s;
        r->loop_lag = std::move(sums.loop_lag);
    }
    r->breaker_open = share_of(from_seconds(sums.breaker_open_s), window_s);
    r->worker_cpu = from_seconds(sums.worker_cpu_s);
    tell_cache(*r, sums);
    tell_database(*r, sums);
    sums.tell_backends(*r, s.kept);
    r->worker_kills = sums.kills;
    r->worker_restarts = sums.restarts;
    r->worker_boots = sums.boots;
    r->memory_peak.count = sums.memory_peak;

    Circumstances seen;
    seen.stopped_early = stopped_early;
    seen.longest_gap = s.longest_gap;
    seen.changes = s.changes;
    seen.generator_share = window_s > 0 ? sums.generator_cpu_s / window_s : 0;
    judge_run(*r, seen);
    return r;
}

}  // namespace lab::measure
