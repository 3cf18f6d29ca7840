// SPDX-License-Identifier: GPL-3.0-or-later
// A spike that ends and a system that stays down, and what brings it back. Source: Bronson,
// Aghayev, Charapko, Zhu 2021, "Metastable Failures in Distributed Systems".
#include <gtest/gtest.h>

#include <functional>

#include "support/time.hpp"
#include "support/virtual_client.hpp"

namespace lab {
namespace {

using test::at;
using test::VirtualClient;

/// Four workers, 50 ms each: 80/s at most. 40 a second come, and 300 for two seconds after ten.
VirtualClient::Setup shop() {
    VirtualClient::Setup setup;
    Load& load = setup.load;
    load.rate = ArrivalRate::per_second(40);
    load.timeout = 10s;
    load.deadline = 1s;
    load.shape.kind = LoadShape::spike;
    load.shape.peak = ArrivalRate::per_second(300);
    load.shape.start = 10s;
    load.shape.length = 2s;
    load.retry.most = 3;
    load.retry.attempt_timeout = 500ms;
    return setup;
}

/// Good answers a second in ten seconds before the spike, and in ten long after it.
struct Health {
    double before = 0, after = 0;
    double amplification = 0;  ///< attempts a request, long after
};

Health health(const VirtualClient::Setup& setup,
              const std::function<void(VirtualClient&)>& cure = {}) {
    VirtualClient client{setup};
    const auto good_until = [&](Instant end) {
        const auto before = client.counts.good;
        client.run_until(end);
        return static_cast<double>(client.counts.good - before);
    };
    Health h;
    h.before = good_until(at(10s)) / 10;
    client.run_until(at(50s));
    if (cure) cure(client);
    client.run_until(at(100s));
    const Counts then = client.counts;
    h.after = good_until(at(110s)) / 10;
    h.amplification = static_cast<double>(client.counts.attempts - then.attempts) /
                      static_cast<double>(client.counts.planned - then.planned);
    return h;
}

TEST(MetastableFailure, OutlivesTheSpikeByNinetySeconds) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        auto setup = shop();
        setup.seed = seed;
        const Health h = health(setup);
        EXPECT_GT(h.before, 35) << "seed " << seed;
        EXPECT_LT(h.after, 6) << "seed " << seed << ": the load is as it was before";
        EXPECT_GT(h.amplification, 3);
    }
}

TEST(MetastableFailure, DoesNotHappenWithoutTheSpikeOrWithoutRetries) {
    auto calm = shop();
    calm.load.shape.kind = LoadShape::constant;
    EXPECT_GT(health(calm).after, 35);
    auto once = shop();
    once.load.retry.most = 0;
    EXPECT_GT(health(once).after, 35) << "it recovers as soon as the queue has drained";
}

TEST(MetastableFailure, IsCuredByARetryBudget) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        auto setup = shop();
        setup.seed = seed;
        setup.load.retry.budget = 0.1;
        const Health h = health(setup);
        EXPECT_GT(h.after, 35) << "seed " << seed;
        EXPECT_LT(h.amplification, 1.15);
    }
}

TEST(MetastableFailure, IsCuredByABudgetWhileItIsDown) {
    auto setup = shop();
    const auto cure = [&](VirtualClient& client) {
        Load load = setup.load;
        load.retry.budget = 0.1;
        client.change(load);
    };
    EXPECT_GT(health(setup, cure).after, 35);
}

TEST(MetastableFailure, IsCuredBySheddingWhatNobodyWaitsFor) {
    auto setup = shop();
    setup.queue_timeout = 300ms;
    EXPECT_GT(health(setup).after, 35) << "what has waited 300 ms is turned away, not served";
    setup.queue_timeout = 0ms;
    setup.queue = 20;
    EXPECT_GT(health(setup).after, 35) << "a short queue does the same";
}

TEST(MetastableFailure, IsCuredByACircuitBreaker) {
    auto setup = shop();
    setup.load.breaker = {.share = 0.5, .window = 2s, .calls = 20, .pause = 5s};
    VirtualClient client{setup};
    client.run_until(at(110s));
    EXPECT_GT(client.breaker_open(), 4s);
    EXPECT_GT(client.counts.held_back, 100u);
    EXPECT_GT(health(setup).after, 35);
}

TEST(MetastableFailure, MakesTheShippedScenariosBetWorthMaking) {
    // The scenario `metastable`: 40/s, 250/s for two seconds, thirty seconds measured.
    const auto good = [](double budget) {
        auto setup = shop();
        setup.load.shape.peak = ArrivalRate::per_second(250);
        setup.load.shape.start = 6s;
        setup.load.retry.budget = budget;
        VirtualClient client{setup};
        client.run_until(at(31s));
        return static_cast<double>(client.counts.good);
    };
    EXPECT_GT(good(0.1) / good(0), 2);
    EXPECT_LT(good(0.1) / good(0), 8);
}

TEST(Hedging, CutsTheTailForAFewPercentMoreRequests) {
    // One answer in fifty takes half a second; the others 20 ms.
    VirtualClient::Setup setup;
    setup.workers = 40;
    setup.service = Distribution::lognormal(20ms, 400ms);
    setup.load.rate = ArrivalRate::per_second(200);
    const auto p99 = [](const VirtualClient::Setup& of, Counts& counts) {
        VirtualClient client{of};
        std::vector<double> latencies;
        client.on_end = [&](const VirtualClient::Ended& ended) {
            latencies.push_back(to_ms(ended.at - ended.planned.intended));
        };
        client.run_until(at(120s));
        counts = client.counts;
        std::sort(latencies.begin(), latencies.end());
        return latencies[latencies.size() * 99 / 100];
    };
    Counts plain, hedged;
    const double without = p99(setup, plain);
    setup.load.hedge.percentile = 95;
    const double with = p99(setup, hedged);
    EXPECT_LT(with, without * 0.7);
    const double more = static_cast<double>(hedged.hedges) / static_cast<double>(hedged.planned);
    EXPECT_NEAR(more, 0.05, 0.015);
    EXPECT_EQ(plain.hedges, 0u);
}

TEST(Patience, LosesVisitorsAsTheQueueGrows) {
    VirtualClient::Setup setup;
    setup.load.rate = ArrivalRate::per_second(120);
    setup.load.patience = Distribution::exponential(2s);
    setup.load.timeout = 600s;
    VirtualClient client{setup};
    client.run_until(at(120s));
    // 80 of 120 can be served: the queue grows until a third of the visitors leave, and the server
    // works for those too.
    EXPECT_GT(client.counts.abandoned, client.counts.planned / 3);
    EXPECT_EQ(client.counts.abandoned, client.counts.of(Ending::timed_out));
}

TEST(VirtualClient, EndsEveryRequestOnceWhateverIsSwitchedOn) {
    auto setup = shop();
    setup.load.retry.budget = 0.5;
    setup.load.patience = Distribution::exponential(3s);
    setup.load.breaker = {.share = 0.6, .window = 1s, .calls = 10, .pause = 1s};
    setup.load.hedge.percentile = 90;
    setup.queue = 50;
    VirtualClient client{setup};
    std::map<core::RequestId, int> ends;
    client.on_end = [&](const VirtualClient::Ended& ended) { ++ends[ended.planned.id]; };
    client.run_until(at(60s));
    Load nobody = setup.load;
    nobody.rate = ArrivalRate{};
    nobody.shape.kind = LoadShape::constant;
    client.change(nobody);
    client.run_until(at(100s));
    EXPECT_EQ(ends.size(), client.counts.planned);
    EXPECT_EQ(client.counts.planned, client.counts.total_ended());
    for (const auto& [id, n] : ends) EXPECT_EQ(n, 1) << "request " << id;
    for (const Ending e : {Ending::ok, Ending::timed_out, Ending::not_sent}) {
        EXPECT_GT(client.counts.of(e), 0u) << static_cast<int>(e);
    }
}

}  // namespace
}  // namespace lab
