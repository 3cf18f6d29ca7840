// SPDX-License-Identifier: GPL-3.0-or-later
#include "measure/aggregator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/measure/samples.hpp"

namespace lab::measure {
namespace {

using testing::at;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A run with a warm-up of 1 s and a window of 1 s, cut into tenths.
class AggregatorTest : public ::testing::Test {
  protected:
    static Aggregator::Run plan() {
        Aggregator::Run run;
        run.scenario = "workers";
        run.seed = 7;
        run.start = at(0s);
        run.warm_up = 1s;
        run.truth_known = true;
        run.cores = 2;
        run.machine = "2 cores";
        run.version = "0.1.0";
        return run;
    }
    static IntervalCut cut(Duration start, Duration end) {
        IntervalCut c;
        c.start = at(start);
        c.end = at(end);
        return c;
    }
    static ServerSample server(int threads, Duration busy) {
        ServerSample s;
        s.threads.resize(static_cast<std::size_t>(threads));
        s.busy_time = busy;
        return s;
    }
    FramePtr feed(const IntervalCut& c, ServerSample s = {},
                  std::vector<SettingChange> changes = {}) {
        return aggregator.frame(c, std::move(s), {}, 0, 1, std::move(changes));
    }
    /// Ten equal frames of warm-up and ten of the window.
    void feed_all(const ServerSample& warm, const ServerSample& measured) {
        for (int i = 0; i < 20; ++i)
            feed(cut(i * 100ms, (i + 1) * 100ms), i < 10 ? warm : measured);
    }
    static WindowTotals totals() {
        WindowTotals t;
        t.from = at(1s);
        t.to = at(2s);
        t.counts.planned = t.inside.planned = 100;
        t.counts.of(Ending::ok) = 100;
        t.inside.of(Ending::ok) = 90;
        t.counts.good = 80;
        t.inside.good = 70;
        for (int i = 0; i < 100; ++i) {
            t.latency.record(50ms);
            t.slip.record(20us);
        }
        return t;
    }
    RunResultPtr finish(const WindowTotals& t, bool stopped = false) {
        return aggregator.finish(t, stopped, {}, {});
    }
    Aggregator aggregator{plan()};
};

TEST_F(AggregatorTest, NumbersTheFramesAndPlacesThemInTheRun) {
    const auto first = feed(cut(0ms, 101ms));
    const auto second = feed(cut(101ms, 200ms));
    EXPECT_EQ(first->number, 0U);
    EXPECT_EQ(second->number, 1U);
    EXPECT_EQ(second->since_start, 101ms);
    EXPECT_EQ(second->length, 99ms);
    EXPECT_TRUE(second->warm_up);
    EXPECT_TRUE(feed(cut(950ms, 1050ms))->warm_up);  // reaches into the window, but is not of it
    EXPECT_FALSE(feed(cut(1s, 1100ms))->warm_up);
}

TEST_F(AggregatorTest, StartsAFrameWithoutAStartAtTheRuns) {
    IntervalCut c;
    c.end = at(100ms);
    const auto f = feed(c);
    EXPECT_EQ(f->start, at(0s));
    EXPECT_EQ(f->length, 100ms);
}

TEST_F(AggregatorTest, CarriesOverWhatClientAndServerSay) {
    IntervalCut c = cut(0ms, 100ms);
    c.counts.planned = 3;
    c.in_flight = 2;
    c.client_backlog = 1;
    c.latency = {{5, 1}};
    c.since_send = {{4, 1}};
    c.service = {{3, 1}};
    c.slip = {{2, 1}};
    c.parts[3] = 9ms;
    c.parts_of = 1;
    c.events = {{1, RequestEvent::Kind::sent, 0, Ending::ok, at(10ms)},
                {1, RequestEvent::Kind::done, 0, Ending::ok, at(40ms)}};
    c.events_left_out = 4;
    ServerSample s = server(2, 5ms);
    s.queue_depth = 6;
    const auto f =
        aggregator.frame(c, s, {{1, RequestEvent::Kind::started, 1, Ending::ok, at(20ms)}}, 3, 12,
                         {{"server.workers", "Workers", "1", "4"}});
    EXPECT_EQ(f->counts.planned, 3U);
    EXPECT_EQ(f->in_flight, 2U);
    EXPECT_EQ(f->client_backlog, 1U);
    EXPECT_EQ(f->latency, c.latency);
    EXPECT_EQ(f->since_send, c.since_send);
    EXPECT_EQ(f->service, c.service);
    EXPECT_EQ(f->slip, c.slip);
    EXPECT_EQ(f->parts, c.parts);
    EXPECT_EQ(f->parts_of, 1U);
    EXPECT_EQ(f->server, s);
    EXPECT_EQ(f->generation, 12U);
    EXPECT_EQ(f->changes.size(), 1U);
    EXPECT_EQ(f->events_left_out, 7U);
    ASSERT_EQ(f->events.size(), 3U);
    EXPECT_EQ(f->events[1].kind, RequestEvent::Kind::started);
}

TEST_F(AggregatorTest, RatesAreWhatEndedInsideOverTheLengthOfTheWindow) {
    feed_all({}, {});
    WindowTotals t = totals();
    t.to = at(3s);
    const auto r = finish(t);
    EXPECT_DOUBLE_EQ(r->offered_per_s, 50);
    EXPECT_DOUBLE_EQ(r->throughput_per_s, 45);
    EXPECT_DOUBLE_EQ(r->goodput_per_s, 35);
    EXPECT_EQ(r->length, 2s);
    EXPECT_EQ(r->warm_up, 1s);
    EXPECT_EQ(r->counts, t.counts);
    EXPECT_EQ(r->scenario, "workers");
    EXPECT_EQ(r->seed, 7U);
    EXPECT_EQ(r->latency.count(), 100U);
    EXPECT_TRUE(r->truth_known);
    EXPECT_FALSE(r->generator_limited);
    EXPECT_FALSE(r->interrupted);
    EXPECT_THAT(r->remarks, IsEmpty());
}

TEST_F(AggregatorTest, UtilisationIsOfTheFramesInTheWindowAlone) {
    ServerSample warm = server(4, 400ms);
    ServerSample measured = server(4, 100ms);
    measured.worker_cpu = 50ms;
    measured.pool_size = 10;
    measured.pool_busy_time = 300ms;
    measured.cache_hits = 3;
    measured.cache_misses = 1;
    measured.cache_evictions = 2;
    measured.cache_errors = 4;
    measured.cache_duplicates = 5;
    measured.cache_entries = 6;
    measured.cache_bytes = 700;
    warm.cache_misses = 1000;
    feed_all(warm, measured);
    const auto r = finish(totals());
    EXPECT_NEAR(r->utilisation_workers, 0.25, 1e-9);
    EXPECT_NEAR(r->utilisation_cpu, 0.25,
                1e-9);  // 50 ms of two cores, though there are four threads
    EXPECT_NEAR(r->utilisation_pool, 0.3, 1e-9);
    EXPECT_NEAR(*r->cache_hit_ratio, 0.75, 1e-9);
    EXPECT_EQ(r->cache_misses, 10u);
    EXPECT_EQ(r->cache_evictions, 20u);
    EXPECT_EQ(r->cache_errors, 40u);
    EXPECT_EQ(r->cache_duplicates, 50u);
    EXPECT_EQ(r->cache_entries, 6u);
    EXPECT_EQ(r->cache_bytes, 700u);
    EXPECT_NEAR(to_ms(r->worker_cpu), 500, 1e-6);
}

TEST_F(AggregatorTest, AFrameThatReachesOverTheEdgeCountsByThePartInside) {
    feed(cut(800ms, 1200ms), server(1, 400ms));  // half of it inside, all busy
    feed(cut(1200ms, 1600ms), server(1, 0ms));
    feed(cut(1600ms, 2400ms), server(1, 0ms));
    EXPECT_NEAR(finish(totals())->utilisation_workers, 0.2, 1e-9);
}

TEST_F(AggregatorTest, UtilisationNeverLeavesZeroToOne) {
    feed_all({}, server(1, 101ms));
    EXPECT_EQ(finish(totals())->utilisation_workers, 1.0);
    EXPECT_EQ(finish(totals())->utilisation_pool, 0.0);
}

TEST_F(AggregatorTest, UtilisationWeighsAMovingNumberOfWorkers) {
    for (int i = 10; i < 15; ++i) feed(cut(i * 100ms, (i + 1) * 100ms), server(1, 100ms));
    for (int i = 15; i < 20; ++i) feed(cut(i * 100ms, (i + 1) * 100ms), server(3, 100ms));
    EXPECT_NEAR(finish(totals())->utilisation_workers, 0.5, 1e-9);
}

TEST_F(AggregatorTest, HasNoHitRatioWithoutLookUps) {
    feed_all({}, server(1, 1ms));
    EXPECT_FALSE(finish(totals())->cache_hit_ratio.has_value());
}

TEST_F(AggregatorTest, CallsALongGapAnInterruptionAndNotAMeasurement) {
    EXPECT_FALSE(feed(cut(1000ms, 1399ms))->interrupted);
    EXPECT_TRUE(feed(cut(1399ms, 6399ms))->interrupted);
    EXPECT_TRUE(feed(cut(6400ms, 6800ms))->interrupted);
    const auto r = finish(totals());
    EXPECT_TRUE(r->interrupted);
    EXPECT_THAT(r->remarks, ElementsAre(HasSubstr("did not run for 5.0 s")));
}

TEST_F(AggregatorTest, CallsAMovedKnobNotOneSteadyRun) {
    feed(cut(1000ms, 1100ms), {}, {{"server.workers", "Workers", "1", "4"}});
    const auto r = finish(totals());
    EXPECT_TRUE(r->interrupted);
    EXPECT_THAT(r->remarks, ElementsAre(HasSubstr("Workers from 1 to 4")));
}

TEST_F(AggregatorTest, SaysThatItWasStopped) {
    const auto r = finish(totals(), true);
    EXPECT_TRUE(r->interrupted);
    EXPECT_THAT(r->remarks, ElementsAre(HasSubstr("Stopped after 1.0 s")));
}

TEST_F(AggregatorTest, TellsOfWhatWasStillUnansweredAtTheEnd) {
    WindowTotals t = totals();
    t.inside.planned = 103;
    EXPECT_THAT(finish(t)->remarks,
                ElementsAre(HasSubstr("3 of 103 requests were still unanswered")));
    EXPECT_THAT(finish(t, true)->remarks, ElementsAre(HasSubstr("Stopped")));
}

TEST_F(AggregatorTest, HasNoRatesWhereTheWindowNeverBegan) {
    WindowTotals t;
    t.from = t.to = at(1s);
    const auto r = finish(t, true);
    EXPECT_EQ(r->length, 0s);
    EXPECT_EQ(r->throughput_per_s, 0);
    EXPECT_THAT(r->remarks, ElementsAre(HasSubstr("before the measuring began")));
}

TEST_F(AggregatorTest, KeepsTheRemarksOfOthersFirst) {
    const auto r =
        aggregator.finish(totals(), true, {"SCAN product"}, {"Fewer workers than asked for."});
    EXPECT_THAT(r->remarks, ElementsAre("Fewer workers than asked for.", HasSubstr("Stopped")));
    EXPECT_THAT(r->plans, ElementsAre("SCAN product"));
}

// The generator as the limit
// -----------------------------------------------------------------------

TEST_F(AggregatorTest, BlamesTheGeneratorForALateReleaseThatIsPartOfTheTail) {
    WindowTotals t = totals();
    t.slip.clear();
    t.slip.record(20us, 95);
    t.slip.record(12ms, 5);
    const auto r = finish(t);
    EXPECT_TRUE(r->generator_limited);
    EXPECT_THAT(r->remarks, ElementsAre(HasSubstr("late itself")));
}

TEST_F(AggregatorTest, ForgivesALateReleaseThatDrownsInTheLatency) {
    WindowTotals t = totals();
    t.slip.clear();
    t.slip.record(12ms, 5);
    t.latency.clear();
    t.latency.record(900ms, 100);
    EXPECT_FALSE(finish(t)->generator_limited);
}

TEST_F(AggregatorTest, BlamesTheGeneratorWhereItsMeanLatenessIsATenthOfTheMean) {
    WindowTotals t = totals();
    t.slip.clear();
    t.slip.record(6ms, 100);
    EXPECT_TRUE(finish(t)->generator_limited);
}

TEST_F(AggregatorTest, BlamesTheGeneratorThatUsedItsWholeCore) {
    for (int i = 0; i < 20; ++i) {
        IntervalCut c = cut(i * 100ms, (i + 1) * 100ms);
        c.generator_cpu = i < 10 ? 10ms : 95ms;
        feed(c);
    }
    const auto r = finish(totals());
    EXPECT_TRUE(r->generator_limited);
    EXPECT_THAT(r->remarks, ElementsAre(HasSubstr("95 % of a core")));
}

TEST_F(AggregatorTest, BlamesTheGeneratorForWhatItCouldNotSendToAServerWithRoom) {
    feed_all({}, server(1, 50ms));
    WindowTotals t = totals();
    t.counts.of(Ending::ok) = 90;
    t.counts.of(Ending::not_sent) = 10;
    const auto r = finish(t);
    EXPECT_TRUE(r->generator_limited);
    EXPECT_THAT(r->remarks, ElementsAre(HasSubstr("10 of 100 planned requests (10.0 %)")));
}

TEST_F(AggregatorTest, SumsBackendsOverTheWindow) {
    ServerSample sample = server(2, 50ms);
    sample.backends.resize(2);
    sample.backends[0].requests = 6;
    sample.backends[0].in_flight = 3;
    sample.backends[1].requests = 2;
    sample.backends[1].failures = 1;
    sample.proxy.retries = 1;
    sample.proxy.cache_hits = 3;
    sample.proxy.cache_misses = 1;
    feed_all(server(2, 50ms), sample);
    const auto r = finish(totals());
    ASSERT_EQ(r->backends.size(), 2u);
    EXPECT_DOUBLE_EQ(r->backends[0].requests, 60);
    EXPECT_DOUBLE_EQ(r->backends[0].share, 0.75);
    EXPECT_NEAR(r->backends[0].mean_in_flight, 3, 1e-9);
    EXPECT_DOUBLE_EQ(r->backends[1].failures, 10);
    EXPECT_DOUBLE_EQ(r->upstream_retries, 10);
    ASSERT_TRUE(r->proxy_hit_ratio);
    EXPECT_DOUBLE_EQ(*r->proxy_hit_ratio, 0.75);
}

TEST_F(AggregatorTest, HasNoBackendsWithoutABalancer) {
    feed_all(server(2, 50ms), server(2, 50ms));
    EXPECT_THAT(finish(totals())->backends, IsEmpty());
}

TEST_F(AggregatorTest, BlamesADrownedServerForWhatCouldNotBeSent) {
    feed_all({}, server(1, 100ms));
    WindowTotals t = totals();
    t.counts.of(Ending::not_sent) = 10;
    const auto r = finish(t);
    EXPECT_FALSE(r->generator_limited);
    EXPECT_THAT(r->remarks, ElementsAre(HasSubstr("waited for this server")));
}

TEST_F(AggregatorTest, ToleratesOneInAThousandNotSent) {
    WindowTotals t = totals();
    t.counts.planned = 10'000;
    t.counts.of(Ending::not_sent) = 10;
    EXPECT_FALSE(finish(t)->generator_limited);
}

TEST_F(AggregatorTest, TellsOfWaitingForAConnectionInTheClient) {
    feed_all({}, server(1, 50ms));
    WindowTotals t = totals();
    t.parts_of = 100;
    t.parts[static_cast<std::size_t>(Part::client_wait)] = 2s;
    t.parts[static_cast<std::size_t>(Part::io_wait)] = 3s;
    const auto r = finish(t);
    EXPECT_FALSE(r->generator_limited);
    EXPECT_THAT(r->remarks, ElementsAre(HasSubstr("40 % of the latency")));
}

TEST_F(AggregatorTest, TellsOfTimeThatNobodyExplains) {
    WindowTotals t = totals();
    t.parts_of = 100;
    t.parts[static_cast<std::size_t>(Part::unexplained)] = 500ms;
    t.parts[static_cast<std::size_t>(Part::io_wait)] = 4500ms;
    EXPECT_THAT(finish(t)->remarks, ElementsAre(HasSubstr("10 % of the mean latency (5.00 ms)")));
}

}  // namespace
}  // namespace lab::measure
