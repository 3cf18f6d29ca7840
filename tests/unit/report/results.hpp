// SPDX-License-Identifier: GPL-3.0-or-later
// Runs and frames made by hand.
#pragma once

#include "lab/frame.hpp"

namespace lab::testing {

/// A run of our own server in which everything has happened.
inline RunResult eventful_run() {
    RunResult r;
    r.scenario = "workers";
    r.seed = 42;
    r.length = 12s;
    r.warm_up = 1s;
    r.counts.planned = 1440;
    r.counts.of(Ending::ok) = 1400;
    r.counts.of(Ending::timed_out) = 30;
    r.counts.of(Ending::rejected) = 10;
    r.counts.late = 3;
    r.offered_per_s = 120;
    r.throughput_per_s = 116.66666666;
    r.goodput_per_s = 116.41666666;
    r.concurrency = 6.25;
    r.latency.record(52'123'456ns, 1400);
    r.latency.record(10s, 30);
    r.since_send.record(51ms, 1400);
    r.service.record(50ms, 1400);
    r.slip.record(60us, 1440);
    r.parts[static_cast<std::size_t>(Part::queue)] = 1400 * 2ms;
    r.parts[static_cast<std::size_t>(Part::io_wait)] = 1400 * 50ms;
    r.parts_of = 1400;
    r.truth_known = true;
    r.utilisation_workers = 0.98;
    r.utilisation_cpu = 0.1;
    r.utilisation_pool = 0.25;
    r.loop_lag.record(3ms, 700);
    r.utilisation_tokens = 0.5;
    r.tokens_waiting = 1.5;
    r.cache_hit_ratio = 0.75;
    r.inside.of(Ending::ok) = 1400;
    r.database = {4200, 8400, 5, 1, 2, 3};
    r.backends.resize(2);
    r.backends[0].requests = 960;
    r.backends[0].share = 0.75;
    r.backends[1].requests = 320;
    r.backends[1].share = 0.25;
    r.backends[1].last.resting = true;
    r.upstream_retries = 7;
    r.proxy_hit_ratio = 0.5;
    r.plans = {"SEARCH product USING INDEX sku (sku=?)"};
    r.machine = "2 cores, \"Linux\"";
    r.version = "0.1.0";
    return r;
}

/// A frame of our own server, with two threads.
inline Frame eventful_frame() {
    Frame f;
    f.number = 13;
    f.since_start = 1300ms;
    f.generation = 2;
    f.changes = {{"server.workers", "Workers", "1", "2"}};
    f.counts.planned = 12;
    f.counts.of(Ending::ok) = 11;
    f.counts.of(Ending::rejected) = 1;
    f.counts.good = 10;
    f.counts.late = 1;
    f.in_flight = 3;
    Histogram h;
    h.record(52ms, 11);
    f.latency = h.sparse();
    f.parts[static_cast<std::size_t>(Part::io_wait)] = 550ms;
    f.parts_of = 11;
    f.server.threads.resize(2);
    f.server.busy_time = 150ms;
    f.server.queue_depth = 5;
    f.server.in_service = 2;
    f.server.cache_hits = 1;
    f.server.cache_misses = 3;
    f.server.backends.resize(2);
    f.server.backends[0].in_flight = 3;
    f.server.backends[1].up = false;
    f.server.backends[1].failures = 4;
    f.server.proxy.retries = 2;
    return f;
}

}  // namespace lab::testing
