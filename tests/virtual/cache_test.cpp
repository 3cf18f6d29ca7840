// SPDX-License-Identifier: GPL-3.0-or-later
// The cache under load: who is served whose answer, who makes what at the same time, and what the
// cures cost.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "support/routes.hpp"
#include "support/time.hpp"
#include "support/virtual_bench.hpp"

namespace lab {
namespace {

using test::at;
using test::Done;
using test::VirtualBench;

struct Told {
    std::vector<Done> done;
    core::CacheDesk::Counts counts;
    std::uint64_t trace = 0;
};

Told run(const VirtualBench::Setup& setup, Duration length) {
    VirtualBench bench{setup};
    Told told;
    bench.on_done = [&](const Done& done) { told.done.push_back(done); };
    bench.run_until(at(length));
    bench.finish();
    EXPECT_EQ(bench.in_flight(), 0u);
    told.counts = bench.cache_counts();
    told.trace = bench.trace_hash();
    return told;
}

/// Pages that take 100 ms to make, by workers enough, asked for 50 times a second.
VirtualBench::Setup pages(Stampede stampede = Stampede::none) {
    VirtualBench::Setup setup;
    setup.system.server.workers = 8;
    setup.system.server.threads = 8;
    setup.system.server.queue = 1'000;
    setup.system.cache.mode = CacheMode::shared;
    setup.system.cache.ttl = 1s;
    setup.system.cache.stampede = stampede;
    setup.system.routes = {test::route({test::cached({test::wait(100ms)})})};
    setup.load.rate = ArrivalRate::per_second(50);
    setup.load.keys = 1;
    setup.load.users = 10;
    return setup;
}

std::uint64_t wrong_users(const Told& told) {
    return static_cast<std::uint64_t>(
        std::count_if(told.done.begin(), told.done.end(),
                      [](const Done& d) { return d.made_for != d.planned.user; }));
}

Duration slowest(const Told& told) {
    Duration most{};
    for (const Done& done : told.done) most = std::max(most, done.latency());
    return most;
}

TEST(VirtualCache, AMisKeyServesExactlyThoseWrongWhoAskAfterAnother) {
    VirtualBench::Setup setup = pages();
    setup.system.server.workers = 1;
    setup.system.server.threads = 1;  // one after the other: the order is the trace's
    setup.system.cache.ttl = 0s;
    setup.load.keys = 20;
    setup.load.zipf = 1;
    setup.system.routes[0].steps[0].steps = {test::cpu(1ms)};
    const Told told = run(setup, 60s);
    std::map<std::uint64_t, std::uint32_t> first_user;
    std::uint64_t expected = 0;
    std::vector<core::Planned> trace;
    for (const Done& done : told.done) trace.push_back(done.planned);
    std::sort(trace.begin(), trace.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    for (const core::Planned& planned : trace) {
        const auto made_for = first_user.emplace(planned.key, planned.user).first->second;
        if (made_for != planned.user) ++expected;
    }
    EXPECT_GT(expected, 1'000u);
    EXPECT_EQ(wrong_users(told), expected);

    setup.system.routes[0].steps[0].key.user = true;
    EXPECT_EQ(wrong_users(run(setup, 60s)), 0u);
    setup.system.routes[0].steps[0].key = {.function = KeyFunction::throws};
    const Told throws = run(setup, 60s);
    EXPECT_EQ(wrong_users(throws), 0u);
    EXPECT_EQ(throws.counts.hits, 0u);
    EXPECT_EQ(throws.counts.errors, throws.done.size());
}

TEST(VirtualCache, WithoutACureEveryoneWhoMissesMakesTheEntry) {
    const Told told = run(pages(), 60s);
    // About 50 x 0.1 = 5 come while it is made, some 55 times in a minute.
    EXPECT_GT(told.counts.duplicates, 150u);
    EXPECT_LT(told.counts.duplicates, 450u);
    EXPECT_EQ(told.counts.hits + told.counts.misses, told.done.size());
}

TEST(VirtualCache, ALockLetsOneMakeItAndTheOthersWaitAsCache) {
    const Told told = run(pages(Stampede::lock), 60s);
    EXPECT_EQ(told.counts.duplicates, 0u);
    EXPECT_NEAR(static_cast<double>(told.counts.misses), 60 / 1.1, 3);
    EXPECT_EQ(slowest(told), 100ms);
    Duration waited{};
    for (const Done& done : told.done) waited = std::max(waited, done.part(Part::cache));
    EXPECT_GT(waited, 50ms);
    EXPECT_LE(waited, 100ms);
}

TEST(VirtualCache, AnEarlyEntryIsHardlyEverMissed) {
    VirtualBench::Setup setup = pages(Stampede::early);
    const Told early = run(setup, 60s);
    setup.system.cache.stampede = Stampede::none;
    const Told none = run(setup, 60s);
    EXPECT_LT(early.counts.duplicates * 2, none.counts.duplicates);
    EXPECT_GT(early.counts.misses, 50u) << "it is made again more often, alone";
    setup.system.cache.stampede = Stampede::early;
    setup.system.cache.early_beta = 0;
    EXPECT_EQ(run(setup, 60s).trace, none.trace) << "beta 0 is no cure";
}

TEST(VirtualCache, AStaleEntryIsServedToAllButTheOneWhoMakesTheNew) {
    const Told told = run(pages(Stampede::stale_while_revalidate), 60s);
    const auto slow = std::count_if(told.done.begin(), told.done.end(), [](const Done& done) {
        return done.latency() >= 100ms && done.planned.intended > at(500ms);
    });
    EXPECT_NEAR(static_cast<double>(slow), 60 / 1.1, 5) << "one each time";
    EXPECT_LT(told.counts.duplicates, 15u) << "of the cold start alone";
}

TEST(VirtualCache, TheWayToASharedCacheIsPaidForByEveryRequest) {
    VirtualBench::Setup setup = pages();
    setup.system.cache.hop = Distribution::constant(3ms);
    const Told told = run(setup, 20s);
    for (const Done& done : told.done) {
        const bool made = done.part(Part::io_wait) > 50ms;
        EXPECT_EQ(done.part(Part::io_wait), made ? 106ms : 3ms);
    }
}

TEST(VirtualCache, AFailingServerIsSwallowedAndEveryViewCalled) {
    VirtualBench::Setup setup = pages(Stampede::lock);
    setup.system.cache.failing = true;
    const Told told = run(setup, 20s);
    EXPECT_EQ(told.counts.errors, told.done.size());
    EXPECT_EQ(told.counts.hits, 0u);
    for (const Done& done : told.done) EXPECT_EQ(done.part(Part::io_wait), 100ms);
}

TEST(VirtualCache, JitterSpreadsTheEndsOfWhatWasMadeTogether) {
    const auto worst_moment = [](double jitter) {
        VirtualBench::Setup setup = pages(Stampede::lock);
        setup.system.cache.ttl = 10s;
        setup.system.cache.ttl_jitter = jitter;
        setup.load.keys = 40;
        setup.load.rate = ArrivalRate::per_second(400);
        std::map<std::int64_t, int> makers;  // by tenth of a second, after all have been made once
        for (const Done& done : run(setup, 40s).done) {
            if (done.part(Part::io_wait) == 0ms || done.planned.intended < at(5s)) continue;
            ++makers[done.planned.intended.time_since_epoch() / 100ms];
        }
        int most = 0;
        for (const auto& [moment, count] : makers) most = std::max(most, count);
        return most;
    };
    EXPECT_LT(worst_moment(0.5) * 2, worst_moment(0));
}

TEST(VirtualCache, AWriteDropsWhatWasMadeFromItsRow) {
    VirtualBench::Setup setup = pages();
    setup.system.cache.ttl = 0s;
    setup.system.cache.invalidate_on_write = true;
    setup.system.routes = {test::route({test::cached({test::wait(1ms)})}, "read"),
                           test::route({test::write_row()}, "write")};
    setup.system.server.workers = 1;
    setup.system.server.threads = 1;
    setup.load.keys = 5;
    setup.load.mix = {{"read", 9}, {"write", 1}};
    setup.load.rate = ArrivalRate::per_second(20);
    const Told told = run(setup, 60s);
    std::set<std::uint64_t> held;
    std::uint64_t expected = 0;
    std::vector<core::Planned> trace;
    for (const Done& done : told.done) trace.push_back(done.planned);
    std::sort(trace.begin(), trace.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    for (const core::Planned& planned : trace) {
        if (planned.route == 1) {
            held.erase(planned.key);
        } else if (held.insert(planned.key).second) {
            ++expected;
        }
    }
    EXPECT_EQ(told.counts.misses, expected);
    EXPECT_GT(expected, 50u);
}

TEST(VirtualCache, EveryoneComesToAnEndWhateverIsCancelled) {
    VirtualBench bench{pages(Stampede::lock)};
    std::uint64_t ended = 0;
    bench.on_done = [&](const Done&) { ++ended; };
    for (int i = 1; i <= 40; ++i) {
        bench.run_until(at(i * 130ms));
        bench.cancel_all();
        EXPECT_EQ(bench.in_flight(), 0u);
    }
    bench.finish();
    EXPECT_EQ(ended, bench.planned());
}

}  // namespace
}  // namespace lab
