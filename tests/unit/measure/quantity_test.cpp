// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "lab/frame.hpp"

namespace lab {
namespace {

/// A run in which every quantity has a value.
RunResult full_run() {
    RunResult r;
    r.length = 10s;
    r.truth_known = true;
    r.counts.planned = 36;
    for (std::size_t i = 0; i < ending_count; ++i) r.counts.ended[i] = i + 1;
    r.counts.wrong_user = 11;
    r.counts.stale = 12;
    r.counts.late = 13;
    r.offered_per_s = 101;
    r.throughput_per_s = 102;
    r.goodput_per_s = 103;
    r.concurrency = 104;
    r.latency.record(Duration{1000}, 99);
    r.latency.record(Duration{2000}, 1);
    r.since_send.record(Duration{300}, 10);
    r.service.record(Duration{200}, 20);
    r.slip.record(Duration{100}, 30);
    for (std::size_t i = 0; i < part_count; ++i) r.parts[i] = (i + 1) * 10ms;
    r.parts_of = 10;
    r.utilisation_workers = 0.5;
    r.utilisation_cpu = 0.25;
    r.utilisation_pool = 0.125;
    r.loop_lag.record(Duration{400}, 40);
    r.utilisation_tokens = 0.0625;
    r.tokens_waiting = 3;
    r.cache_hit_ratio = 0.75;
    r.worker_kills = 14;
    r.worker_restarts = 15;
    r.worker_boots = 16;
    r.memory_peak = Bytes{80'000'000};
    r.inside.of(Ending::ok) = 4;
    r.database = {20, 60, 5, 6, 7, 8};
    r.backends.resize(2);
    r.backends[0].requests = 30;
    r.backends[0].share = 0.75;
    r.backends[1].requests = 10;
    r.backends[1].share = 0.25;
    r.backends[1].failures = 2;
    r.upstream_retries = 3;
    r.upstream_lost = 1;
    r.proxy_hit_ratio = 0.5;
    return r;
}

double value(const RunResult& r, std::string_view name) {
    const auto q = quantity(r, name);
    EXPECT_TRUE(q) << name;
    EXPECT_TRUE(q && q->has_value()) << name;
    return q && *q ? **q : -1;
}

TEST(Quantity, IsThereForEveryRowOfTheTableByBothNames) {
    const RunResult r = full_run();
    for (const QuantityInfo& row : quantities_table())
        EXPECT_EQ(value(r, row.name), value(r, row.short_name)) << row.name;
}

TEST(Quantity, IsInTheUnitOfItsRow) {
    const RunResult r = full_run();
    EXPECT_EQ(value(r, "offered"), 101);
    EXPECT_EQ(value(r, "throughput"), 102);
    EXPECT_EQ(value(r, "goodput"), 103);
    EXPECT_EQ(value(r, "concurrency"), 104);
    EXPECT_DOUBLE_EQ(value(r, "p99"), 1e-3);
    EXPECT_DOUBLE_EQ(value(r, "latency_ms.max"), 2e-3);
    EXPECT_DOUBLE_EQ(value(r, "latency_ms.count"), 100);
    EXPECT_DOUBLE_EQ(value(r, "since_send_ms.p50"), 3e-4);
    EXPECT_DOUBLE_EQ(value(r, "service_ms.mean"), 2e-4);
    EXPECT_DOUBLE_EQ(value(r, "schedule_slip_ms.p90"), 1e-4);
    EXPECT_DOUBLE_EQ(value(r, "breakdown.queue"), 7);
    EXPECT_DOUBLE_EQ(value(r, "breakdown_ms.database"), 16);
    EXPECT_DOUBLE_EQ(value(r, "breakdown_ms.proxy"), 6);
    EXPECT_EQ(value(r, "database.queries"), 20);
    EXPECT_EQ(value(r, "database.queries_per_answer"), 5);
    EXPECT_EQ(value(r, "database.rows_per_query"), 3);
    EXPECT_EQ(value(r, "database.opened"), 5);
    EXPECT_EQ(value(r, "database.pool_timeouts"), 6);
    EXPECT_EQ(value(r, "database.query_timeouts"), 7);
    EXPECT_EQ(value(r, "database.lock_timeouts"), 8);
    EXPECT_EQ(value(r, "counts.planned"), 36);
    EXPECT_EQ(value(r, "counts.ok"), 1);
    EXPECT_EQ(value(r, "counts.rejected"), 3);
    EXPECT_EQ(value(r, "counts.not_sent"), 5);
    EXPECT_EQ(value(r, "counts.http_5xx"), 7);
    EXPECT_EQ(value(r, "counts.wrong_user"), 11);
    EXPECT_EQ(value(r, "counts.late"), 13);
    EXPECT_EQ(value(r, "errors"), 27);
    EXPECT_EQ(value(r, "utilisation.pool"), 0.125);
    EXPECT_EQ(value(r, "cache_hit_ratio"), 0.75);
    EXPECT_EQ(value(r, "workers.kills"), 14);
    EXPECT_EQ(value(r, "restarts"), 15);
    EXPECT_EQ(value(r, "workers.boots"), 16);
    EXPECT_EQ(value(r, "workers.memory_mb"), 80);
    EXPECT_EQ(value(r, "upstream.retries"), 3);
    EXPECT_EQ(value(r, "upstream.failures"), 2);
    EXPECT_EQ(value(r, "upstream.lost"), 1);
    EXPECT_EQ(value(r, "upstream.largest_share"), 0.75);
    EXPECT_EQ(value(r, "upstream.smallest_share"), 0.25);
    EXPECT_EQ(value(r, "upstream.cache_hit_ratio"), 0.5);
}

TEST(Quantity, IsEmptyWhereThereIsNothingToSay) {
    const RunResult nothing;
    for (const char* name :
         {"p99", "service_ms.mean", "throughput", "goodput", "offered", "concurrency",
          "breakdown.database", "utilisation.workers", "cache_hit_ratio", "counts.wrong_user",
          "counts.stale", "upstream.retries", "upstream.largest_share"}) {
        const auto q = quantity(nothing, name);
        ASSERT_TRUE(q) << name;
        EXPECT_FALSE(q->has_value()) << name;
    }
    EXPECT_EQ(value(nothing, "counts.rejected"), 0);
    EXPECT_EQ(value(nothing, "latency_ms.count"), 0);
}

TEST(Quantity, OfAWrongNameSaysWhichWasMeant) {
    const auto q = quantity(full_run(), "througput");
    ASSERT_FALSE(q);
    EXPECT_EQ(q.error().code, ErrorCode::not_found);
    EXPECT_NE(q.error().detail.find("did you mean \"throughput\""), std::string::npos)
        << q.error().detail;
}

}  // namespace
}  // namespace lab
