// SPDX-License-Identifier: GPL-3.0-or-later
// What every runner makes and everything above the runners reads: ten Frames a second and one
// RunResult.
#pragma once

#include "lab/histogram.hpp"
#include "lab/settings.hpp"
#include "lab/units.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lab {

/// How a planned request ended. Exactly one for each; they add up to `planned`.
enum class Ending : std::uint8_t {
    ok,         ///< 2xx or 3xx
    timed_out,  ///< the client gave up
    rejected,   ///< 503: the server turned it away
    reset,      ///< the connection broke, or was refused
    not_sent,   ///< the generator could not send it: backlog full, no descriptors
    http_4xx,
    http_5xx,  ///< other than 503
};
inline constexpr std::size_t ending_count = 7;

/// Counts of endings, and marks on those that ended ok.
struct Counts {
    std::uint64_t planned = 0;
    std::array<std::uint64_t, ending_count> ended{};
    std::uint64_t wrong_user = 0;
    std::uint64_t stale = 0;
    std::uint64_t late = 0;
    std::uint64_t good = 0;       ///< ok and none of the three marks: goodput is these per second
    std::uint64_t abandoned = 0;  ///< of timed_out: the user's patience ended, not a time limit
    std::uint64_t held_back = 0;  ///< of not_sent: the circuit breaker was open
    std::uint64_t attempts = 0;   ///< requests written to a connection, all of them
    std::uint64_t retries = 0;    ///< of attempts: made again after one that failed
    std::uint64_t hedges = 0;     ///< of attempts: second copies beside one that took long

    [[nodiscard]] std::uint64_t of(Ending e) const { return ended[static_cast<std::size_t>(e)]; }
    std::uint64_t& of(Ending e) { return ended[static_cast<std::size_t>(e)]; }
    [[nodiscard]] std::uint64_t total_ended() const;
    /// Everything that is no answer: timed out, rejected, reset, not sent, 4xx, 5xx.
    [[nodiscard]] std::uint64_t errors() const;
    Counts& operator+=(const Counts&);
    friend bool operator==(const Counts&, const Counts&) = default;
};

/// The parts of a request's latency, in the order in which they can occur. They add up to it; what
/// is left over is `unexplained`. At each instant a request is in exactly one part.
enum class Part : std::uint8_t {
    schedule_slip,  ///< the generator released it later than planned
    retry,          ///< attempts that failed, and the pauses after them
    client_wait,    ///< no free connection in the client
    connect,
    network,  ///< the network's delay, which the client adds
    proxy,    ///< in the proxy in front: choosing, connecting to a backend, asking the next
    queue,    ///< kernel's buffers and backlog, then the admission queue
    parse,
    lock_wait,   ///< for the interpreter lock
    loop_wait,   ///< for a turn on the event loop
    token_wait,  ///< for a thread of the bounded pool
    cpu,
    io_wait,     ///< sleeping, as on another service
    pool_wait,   ///< for a database connection
    write_wait,  ///< for the database's one write lock
    database,
    cache,
    render,
    write,  ///< from the first byte of the answer sent to the last byte received
    unexplained,
};
inline constexpr std::size_t part_count = 20;
/// "schedule_slip", ...: the JSON key. And as shown: "schedule slip".
[[nodiscard]] std::string_view part_key(Part);
[[nodiscard]] std::string_view part_label(Part);

using PartTimes = std::array<Duration, part_count>;

/// What a worker thread is doing at the moment the frame was cut.
enum class WorkerState : std::uint8_t {
    idle,
    computing,
    lock_wait,
    io_wait,
    pool_wait,
    write_wait,
    database,
    cache,
    render,
    writing,
    blocked,  ///< an event loop that stands still: what runs on it waits without letting others run
    booting,  ///< its worker starts: nothing is served yet
    off,      ///< its worker does not run: cheaper has no need of it
};

/// What the database was asked and where it said no.
struct DatabaseCounts {
    std::uint64_t queries = 0;         ///< questions and writes, each one round trip
    std::uint64_t rows_touched = 0;    ///< rows that a scan passed or a search found
    std::uint64_t opened = 0;          ///< connections
    std::uint64_t pool_timeouts = 0;   ///< waited too long for a connection: 500
    std::uint64_t query_timeouts = 0;  ///< ran too long: 500
    std::uint64_t lock_timeouts = 0;   ///< waited too long for the write lock: 500
    friend bool operator==(const DatabaseCounts&, const DatabaseCounts&) = default;
};

struct WorkerSample {
    WorkerState state = WorkerState::idle;
    std::uint64_t request = 0;  ///< id of the request in hand, 0 when idle
    double busy = 0;            ///< share of the frame in which it held a request, 0..1
    bool draining = false;      ///< finishes its request, then leaves
    friend bool operator==(const WorkerSample&, const WorkerSample&) = default;
};

/// One worker process, at the end of a frame.
struct ProcessSample {
    enum class State : std::uint8_t { off, booting, up, leaving };
    State state = State::up;
    std::uint32_t connections = 0;  ///< dispatch ahead: that it has accepted
    std::uint32_t queued = 0;       ///< dispatch ahead: requests that wait inside it
    std::uint64_t served = 0;       ///< requests in this life
    Bytes memory{};                 ///< modelled
    friend bool operator==(const ProcessSample&, const ProcessSample&) = default;
};

/// One backend behind the balancer: levels at the end of a frame, counts over it.
struct BackendSample {
    bool up = true;        ///< its process runs
    bool resting = false;  ///< left alone because it failed
    int weight = 1;
    int effective_weight = 1;       ///< after failures; recovers to the weight
    std::uint32_t in_flight = 0;    ///< requests that the balancer has given it
    std::uint32_t fails = 0;        ///< counted against it now
    std::uint64_t requests = 0;     ///< given to it
    std::uint64_t failures = 0;     ///< of these, those that failed: broken off, or too late
    std::uint32_t queue_depth = 0;  ///< in its admission queue
    std::uint32_t threads = 0;      ///< how many of ServerSample::threads are its
    friend bool operator==(const BackendSample&, const BackendSample&) = default;
};

/// What the proxy in front did in a frame.
struct ProxySample {
    std::uint64_t retries = 0;  ///< requests given to the next backend after a failure
    std::uint64_t lost = 0;     ///< answered 502 or 504: no backend answered
    std::uint64_t cache_hits = 0;
    std::uint64_t cache_misses = 0;
    friend bool operator==(const ProxySample&, const ProxySample&) = default;
};

/// The server, seen from inside, at the end of a frame (levels) and over it (times and counts).
struct ServerSample {
    std::uint32_t queue_depth = 0;  ///< in the admission queue
    std::uint32_t queue_capacity = 0;
    std::uint32_t backlog = 0;  ///< connections the kernel holds, not yet accepted
    std::uint32_t connections = 0;
    std::uint32_t in_service = 0;       ///< requests that hold a worker
    std::vector<WorkerSample> threads;  ///< worker 0's threads first; workers x threads of them
    int threads_per_worker = 1;
    std::vector<ProcessSample> workers;
    std::uint64_t worker_kills = 0;     ///< in this frame: no heartbeat, or over the memory limit
    std::uint64_t worker_restarts = 0;  ///< in this frame: graceful ones
    std::uint64_t worker_boots = 0;     ///< in this frame: came up after the start
    Bytes memory{};                     ///< of all workers together, modelled
    std::uint32_t cores = 0;            ///< that the worker threads may use; 0: not told
    Duration busy_time{};               ///< summed over threads, in this frame
    Duration worker_cpu{};              ///< CPU time of the worker threads, in this frame
    Duration process_cpu{};             ///< CPU time of the whole process, in this frame
    std::uint32_t pool_in_use = 0;
    std::uint32_t pool_size = 0;  ///< that are kept, over all workers
    std::uint32_t pool_open = 0;  ///< in use or idle; more than pool_size: some are overflow
    std::uint32_t pool_waiting = 0;
    Duration pool_busy_time{};
    DatabaseCounts database;  ///< in this frame
    std::uint64_t cache_hits = 0;
    std::uint64_t cache_misses = 0;
    std::uint64_t cache_entries = 0;
    std::uint64_t cache_bytes = 0;  ///< of keys and bodies
    std::uint64_t cache_evictions = 0;
    std::uint64_t cache_errors = 0;      ///< of key function or backend, swallowed
    std::uint64_t cache_duplicates = 0;  ///< entries whose making began while another made the same
    std::uint64_t updates = 0;           ///< rows changed in this frame
    std::uint32_t loops = 0;       ///< event loops, or workers of greenlets; 0: workers of threads
    std::uint32_t loop_ready = 0;  ///< requests and branches that could run and wait for a turn
    SparseCounts loop_lag;         ///< from due or ready until it ran, of each turn in this frame
    std::uint32_t tokens = 0;      ///< threads that the workers' bounded pools may have
    std::uint32_t tokens_in_use = 0;
    std::uint32_t tokens_waiting = 0;  ///< waiting for one, unseen by the client
    std::string plan;      ///< EXPLAIN QUERY PLAN of the scenario's first query, or empty
    std::string progress;  ///< "creating index ...", or empty
    /// Behind a balancer, else empty. Levels, times and counts above are then sums over the
    /// backends, but for backlog and connections, which are the proxy's.
    std::vector<BackendSample> backends;
    ProxySample proxy;
    friend bool operator==(const ServerSample&, const ServerSample&) = default;
};

/// One entry of a cache, for a person to look at.
struct CacheContent {
    std::string key;  ///< route, step and what the key rule took of the request
    int worker = -1;  ///< whose cache it is in; -1: the shared one
    Duration age{};
    std::optional<Duration> left;  ///< until it is stale, negative if it is; none: never
    std::uint64_t hits = 0;
    Bytes size{};
    std::uint32_t made_for = 0;  ///< the user whose request made it
    friend bool operator==(const CacheContent&, const CacheContent&) = default;
};

/// What happened to one real request, for the moving dots. Bounded: at high rates only some are
/// told.
struct RequestEvent {
    enum class Kind : std::uint8_t { sent, queued, started, answered, done };
    std::uint64_t request = 0;
    Kind kind = Kind::sent;
    std::uint16_t thread = 0;    ///< started: index into ServerSample::threads
    Ending ending = Ending::ok;  ///< done
    Instant at{};
    friend bool operator==(const RequestEvent&, const RequestEvent&) = default;
};

/// One tenth of a second. Immutable once published. Everything counted here ended (or, for
/// `planned` and `offered`, was due) inside it. Histograms hold the samples DESIGN's measuring
/// rules name: ok and timed out.
struct Frame {
    std::uint64_t number = 0;
    Instant start{};
    Duration length = 100ms;
    Duration since_start{};  ///< of `start`, from the start of the run
    bool warm_up = false;
    bool interrupted = false;            ///< the process was stopped or asleep: not a measurement
    std::uint64_t generation = 0;        ///< of the settings in force at its end
    std::vector<SettingChange> changes;  ///< took effect in this frame: the chart's marker
    Counts counts;
    std::uint32_t in_flight = 0;       ///< begun and not done, at its end, as the client sees it
    std::uint32_t client_backlog = 0;  ///< overdue and not sent, at its end
    SparseCounts latency;              ///< from the intended start
    SparseCounts since_send;
    SparseCounts service;  ///< a worker busy or waiting on this request alone
    SparseCounts slip;
    PartTimes parts{};  ///< sums over `parts_of` answers
    std::uint64_t parts_of = 0;
    Duration breaker_open{};  ///< time in it in which the client's circuit breaker was not closed
    ServerSample server;
    std::vector<RequestEvent> events;  ///< ascending in time
    std::uint64_t events_left_out = 0;
};
using FramePtr = std::shared_ptr<const Frame>;

/// mean, percentiles, max and count of one histogram, in milliseconds; empty where there are no
/// samples.
struct LatencySummary {
    std::optional<double> mean, p50, p90, p95, p99, p999, max;
    std::uint64_t count = 0;
    friend bool operator==(const LatencySummary&, const LatencySummary&) = default;
};
[[nodiscard]] LatencySummary summarise(const Histogram&);
/// The same of one frame, without the 270 kB of a histogram. To join frames, merge them into a
/// Histogram.
[[nodiscard]] LatencySummary summarise(const SparseCounts&);

/// The whole run, after warm-up. Rates count what ended inside the window; counts, histograms and
/// parts follow each request that was due inside the window to its end.
struct RunResult {
    std::string scenario;
    std::string mode = "live";
    std::uint64_t seed = 0;
    Model model;        ///< at the start
    Duration length{};  ///< of the window
    Duration warm_up{};
    Counts counts;
    Counts inside;  ///< what ended inside the window: the base of the rates
    double offered_per_s = 0;
    double throughput_per_s = 0;
    double goodput_per_s = 0;
    double concurrency = 0;  ///< mean number of requests begun and not done: Little's L
    Histogram latency, since_send, service, slip;
    Histogram loop_lag;  ///< no samples where no worker is an event loop
    Histogram unexplained;
    PartTimes parts{};           ///< sums over `parts_of` answers
    std::uint64_t parts_of = 0;  ///< 0 against a server that does not tell
    bool truth_known =
        false;  ///< false against a server that is not ours: wrong_user, stale are null
    double utilisation_workers = 0;
    double utilisation_cpu = 0;  ///< worker threads' CPU time over cores they could use
    double utilisation_pool = 0;
    std::optional<double> utilisation_tokens;  ///< of the event loops' thread pools
    std::optional<double> tokens_waiting;      ///< mean number waiting for a thread of these pools
    double breaker_open = 0;            ///< share of the window in which the breaker was not closed
    std::uint64_t worker_kills = 0;     ///< inside the window
    std::uint64_t worker_restarts = 0;  ///< inside the window, graceful ones
    std::uint64_t worker_boots = 0;     ///< inside the window
    Bytes memory_peak{};                ///< most of any frame, modelled
    std::optional<double> cache_hit_ratio;
    /// Of the cache in the window; entries and bytes at its end. All 0 against a server not ours.
    std::uint64_t cache_misses = 0, cache_evictions = 0, cache_errors = 0, cache_duplicates = 0;
    std::uint64_t cache_entries = 0, cache_bytes = 0;
    DatabaseCounts database;  ///< in the window, by the frames
    Duration worker_cpu{};
    /// Behind a balancer, else empty: each backend over the window.
    struct BackendTotals {
        double requests = 0;  ///< given to it; frames at the window's edges count by share
        double share = 0;     ///< of all that were given to a backend
        double failures = 0;
        double mean_in_flight = 0;
        BackendSample last;  ///< at the end of the run
    };
    std::vector<BackendTotals> backends;
    double upstream_retries = 0;  ///< requests given to the next backend after a failure
    double upstream_lost = 0;     ///< answered 502 or 504: no backend answered
    std::optional<double> proxy_hit_ratio;
    std::vector<std::string>
        plans;  ///< EXPLAIN QUERY PLAN, one a query of the scenario, at the end
    bool generator_limited = false;  ///< the generator, not the server, was the limit
    bool interrupted = false;        ///< stopped, asleep, or a knob moved: not one steady run
    std::vector<std::string>
        remarks;          ///< sentences for a person: why not to trust it, what was unusual
    std::uint64_t trace = 0;  ///< virtual time: a hash of every ending; equal runs have equal ones
    std::string machine;      ///< "2 cores, Linux 6.1, ..."
    std::string version;
};
using RunResultPtr = std::shared_ptr<const RunResult>;

/// The value of a quantity by name or short name, in its unit of the table. Empty where there are
/// no samples. Errors: not_found with "did you mean".
[[nodiscard]] Result<std::optional<double>> quantity(const RunResult&, std::string_view name);

}  // namespace lab
