// SPDX-License-Identifier: GPL-3.0-or-later
// The database and the cache in virtual time.
#include <gtest/gtest.h>

#include "support/virtual_run.hpp"

namespace lab {
namespace {

using test::arrive;
using test::arrive_at_once;
using test::bare_model;
using test::cached;
using test::expect_ms;
using test::query;
using test::Ran;
using test::respond;
using test::route;
using test::run_for;
using test::wait;
using test::write_row;

Model eight_threads(Route view) {
    Model model = bare_model(std::move(view));
    model.system.server.threads = 8;
    return model;
}

Ran at_once(Model model, int count) {
    arrive_at_once(model, count);
    return run_for(model, 1s);
}

TEST(VirtualServerData, APoolOpensConnectionsBeyondThoseItKeeps) {
    Model model = eight_threads(route({query(QueryKind::product_by_id)}));
    model.system.database.round_trip = 100ms;
    model.system.database.pool = 1;
    model.system.database.overflow = 1;
    const auto two = at_once(model, 4);
    expect_ms(two.longest_ms(), 200);
    expect_ms(two.part_ms(Part::pool_wait), 50);
    EXPECT_EQ(two.result->database.opened, 2u);
    EXPECT_EQ(two.result->database.queries, 4u);
    const ServerSample& seen = two.frames.at(0)->server;
    EXPECT_EQ(seen.pool_size, 1u);
    EXPECT_EQ(seen.pool_open, 2u);
    EXPECT_EQ(seen.pool_waiting, 2u);
    model.system.database.overflow = 3;
    expect_ms(at_once(model, 4).longest_ms(), 100);
}

TEST(VirtualServerData, ManySmallQuestionsPayARoundTripEach) {
    const auto takes = [](QueryKind kind) {
        Step step = query(kind);
        step.times = 20;
        Model model = bare_model(route({step}));
        model.system.database.round_trip = 10ms;
        return at_once(model, 1);
    };
    const auto each = takes(QueryKind::reviews_per_product);
    expect_ms(each.longest_ms(), 210);
    EXPECT_EQ(each.result->database.queries, 21u);
    expect_ms(takes(QueryKind::reviews_in_batch).longest_ms(), 20);
    expect_ms(takes(QueryKind::reviews_joined).longest_ms(), 10);
    expect_ms(takes(QueryKind::product_by_id).longest_ms(), 200);
}

TEST(VirtualServerData, AScanPassesEveryRow) {
    Model model = bare_model(route({query(QueryKind::product_by_sku)}));
    model.system.costs.query = 1ms;
    model.system.costs.scan_row = 1us;
    model.system.costs.read_row = 1ms;
    model.system.database.products = 50'000;
    const auto searched = at_once(model, 1);
    expect_ms(searched.longest_ms(), 2);
    EXPECT_EQ(searched.result->database.rows_touched, 1u);
    model.system.database.access = Access::scan;
    const auto scanned = at_once(model, 1);
    expect_ms(scanned.longest_ms(), 52);
    EXPECT_EQ(scanned.result->database.rows_touched, 50'000u);
    // A share of the table by an index reads each row of it; a scan passes them all.
    Step half = query(QueryKind::products_under_price);
    half.share = 0.5;
    model.system.routes = {route({half})};
    model.system.costs.read_row = 4us;
    expect_ms(at_once(model, 1).longest_ms(), 51);
    model.system.database.access = Access::planner;
    model.system.database.price_indexes = 1;
    expect_ms(at_once(model, 1).longest_ms(), 101);
}

TEST(VirtualServerData, OneTransactionWritesAtATime) {
    Step hold = write_row();
    hold.time = Distribution::constant(50ms);
    Model model = eight_threads(route({hold}));
    const auto four = at_once(model, 4);
    expect_ms(four.longest_ms(), 200);
    expect_ms(four.part_ms(Part::write_wait), 75);
    EXPECT_EQ(four.ended(Ending::ok), 4u);
    model.system.database.lock_timeout = 70ms;
    const auto impatient = at_once(model, 4);
    EXPECT_EQ(impatient.ended(Ending::ok), 2u);
    EXPECT_EQ(impatient.ended(Ending::http_5xx), 2u);
    EXPECT_EQ(impatient.result->database.lock_timeouts, 2u);
}

TEST(VirtualServerData, AQueryThatRunsTooLongIsBrokenOff) {
    Model model = bare_model(route({query(QueryKind::product_by_id)}));
    model.system.costs.query = 100ms;
    model.system.database.query_timeout = 30ms;
    const auto ran = at_once(model, 2);
    EXPECT_EQ(ran.ended(Ending::http_5xx), 2u);
    EXPECT_EQ(ran.result->database.query_timeouts, 2u);
    expect_ms(to_seconds(ran.result->worker_cpu) * 1e3, 60);
    model.system.database.query_timeout = 200ms;
    EXPECT_EQ(at_once(model, 2).ended(Ending::ok), 2u);
}

TEST(VirtualServerData, AReplicaAnswersWithWhatItHasSeen) {
    Model model = bare_model(route({query(QueryKind::product_by_id), write_row()}));
    model.load.shape.kind = LoadShape::recorded;
    arrive(model, {100ms, 300ms, 2s});
    EXPECT_EQ(run_for(model, 3s).result->counts.stale, 0u);
    model.system.database.replica_lag = 500ms;
    EXPECT_EQ(run_for(model, 3s).result->counts.stale, 1u);
}

TEST(VirtualServerData, OneMakesAnEntryAndTheOthersWait) {
    Model model = eight_threads(route({cached({wait(100ms)})}));
    model.system.cache.mode = CacheMode::shared;
    const auto each = at_once(model, 8);
    EXPECT_EQ(each.result->cache_misses, 8u);
    EXPECT_EQ(each.result->cache_duplicates, 7u);
    model.system.cache.stampede = Stampede::lock;
    const auto one = at_once(model, 8);
    EXPECT_EQ(one.result->cache_misses, 1u);
    EXPECT_EQ(one.result->cache_duplicates, 0u);
    expect_ms(one.longest_ms(), 100);
    expect_ms(one.part_ms(Part::cache), 7 * 100.0 / 8);
    ASSERT_TRUE(one.result->cache_hit_ratio);
    EXPECT_NEAR(*one.result->cache_hit_ratio, 7.0 / 8, 1e-9);
    model.system.server.threads = 1;
    model.system.server.execution = Execution::loop;
    model.system.server.async_views = true;
    const auto on_loop = at_once(model, 8);
    EXPECT_EQ(on_loop.result->cache_misses, 1u);
    expect_ms(on_loop.longest_ms(), 100);
}

TEST(VirtualServerData, AStaleEntryServesWhileOneMakesItAnew) {
    Model model = eight_threads(route({cached({wait(100ms)})}));
    model.system.cache.mode = CacheMode::shared;
    model.system.cache.ttl = 1s;
    arrive(model, {0ms, 1'500ms, 1'510ms, 1'520ms});
    EXPECT_EQ(run_for(model, 3s).result->cache_misses, 4u);
    model.system.cache.stampede = Stampede::stale_while_revalidate;
    const auto ran = run_for(model, 3s);
    EXPECT_EQ(ran.result->cache_misses, 2u);
    expect_ms(ran.mean_ms(), 50);
}

TEST(VirtualServerData, EachWorkerHasItsOwnCacheUnlessItIsShared) {
    Model model = bare_model(route({cached({wait(100ms)})}));
    model.system.server.workers = 2;
    model.system.cache.mode = CacheMode::per_worker;
    arrive(model, {0ms, 500ms, 1s, 1'500ms});
    EXPECT_EQ(run_for(model, 2s).result->cache_misses, 2u);
    model.system.cache.mode = CacheMode::shared;
    model.system.cache.hop = Distribution::constant(5ms);
    const auto shared = run_for(model, 2s);
    EXPECT_EQ(shared.result->cache_misses, 1u);
    expect_ms(shared.longest_ms(), 110);  // there to look, and there to store
    expect_ms(shared.shortest_ms(), 5);
    model.system.cache.failing = true;
    const auto failing = run_for(model, 2s);
    EXPECT_EQ(failing.result->cache_errors, 4u);
    expect_ms(failing.shortest_ms(), 105);
    model.system.cache.mode = CacheMode::null;
    EXPECT_EQ(run_for(model, 2s).result->cache_misses, 4u);
}

TEST(VirtualServerData, AWriteDropsWhatWasMadeFromItsRow) {
    Model model = bare_model(route({cached({query(QueryKind::product_by_id)}), write_row()}));
    model.system.cache.mode = CacheMode::shared;
    arrive(model, {100ms, 200ms, 300ms});
    const auto kept = run_for(model, 1s);
    EXPECT_EQ(kept.result->cache_misses, 1u);
    EXPECT_EQ(kept.result->counts.stale, 2u);
    model.system.cache.invalidate_on_write = true;
    const auto dropped = run_for(model, 1s);
    EXPECT_EQ(dropped.result->cache_misses, 3u);
    EXPECT_EQ(dropped.result->counts.stale, 0u);
}

TEST(VirtualServerData, ACacheIsFullByItsBytesToo) {
    Model model = bare_model(route({cached({respond(1'000)})}));
    model.system.routes[0].path = "/p/{key}";
    model.system.cache.mode = CacheMode::shared;
    model.system.cache.capacity_bytes = Bytes{5'100};
    model.load.keys = 100;
    model.load.rate = ArrivalRate::per_second(200);
    const auto ran = run_for(model, 5s);
    EXPECT_EQ(ran.result->cache_entries, 5u);
    EXPECT_GT(ran.result->cache_evictions, 100u);
    EXPECT_LE(ran.result->cache_bytes, 5'100u);
}

}  // namespace
}  // namespace lab
