// SPDX-License-Identifier: GPL-3.0-or-later
// What clients do, in virtual time: shapes, visits, retries, breakers, copies, patience, slow ends.
#include <gtest/gtest.h>

#include <cmath>

#include "support/virtual_run.hpp"

namespace lab {
namespace {

using test::arrive;
using test::arrive_at_once;
using test::bare_model;
using test::expect_ms;
using test::query;
using test::respond;
using test::route;
using test::run_for;
using test::wait;

TEST(VirtualClient, ARejectedRequestIsMadeAgain) {
    Model model = bare_model(route({wait(100ms)}));
    model.system.server.queue = 0;
    arrive_at_once(model, 2);
    EXPECT_EQ(run_for(model, 1s).ended(Ending::rejected), 1u);
    model.load.retry.most = 3;
    model.load.retry.back_off = BackOff::constant;
    model.load.retry.base = 60ms;
    const auto ran = run_for(model, 1s);
    EXPECT_EQ(ran.ended(Ending::ok), 2u);
    EXPECT_EQ(ran.result->counts.retries, 2u);  // at 60 ms it is still busy
    EXPECT_EQ(ran.result->counts.attempts, 4u);
    expect_ms(ran.longest_ms(), 220);
    expect_ms(ran.part_ms(Part::retry), 60);  // 120 and none
}

TEST(VirtualClient, AnAttemptHasATimeLimitOfItsOwn) {
    Model model = bare_model(route({wait(100ms)}));
    model.load.retry.attempt_timeout = 30ms;
    model.load.retry.most = 2;
    model.load.retry.back_off = BackOff::constant;
    model.load.retry.base = 10ms;
    model.system.server.threads = 8;
    arrive_at_once(model, 1);
    const auto ran = run_for(model, 1s);
    EXPECT_EQ(ran.ended(Ending::timed_out), 1u);
    EXPECT_EQ(ran.result->counts.attempts, 3u);
    expect_ms(ran.longest_ms(), 110);
}

TEST(VirtualClient, AUserLeavesWhenHisPatienceEnds) {
    Model model = bare_model(route({wait(100ms)}));
    model.load.patience = Distribution::constant(150ms);
    arrive_at_once(model, 3);
    const auto ran = run_for(model, 1s);
    EXPECT_EQ(ran.ended(Ending::ok), 1u);
    EXPECT_EQ(ran.ended(Ending::timed_out), 2u);
    EXPECT_EQ(ran.result->counts.abandoned, 2u);
    expect_ms(ran.longest_ms(), 150);
}

TEST(VirtualClient, ABreakerHoldsBackWhatWouldFail) {
    Model model = bare_model(route({query(QueryKind::product_by_id)}));
    model.system.costs.query = 50ms;
    model.system.database.query_timeout = 10ms;
    model.load.arrivals = Arrivals::constant;
    model.load.rate = ArrivalRate::per_second(20);
    model.load.breaker.share = 0.5;
    model.load.breaker.calls = 5;
    model.load.breaker.pause = 2s;
    const auto ran = run_for(model, 10s);
    // Five fail, then one in each pause.
    EXPECT_NEAR(static_cast<double>(ran.ended(Ending::http_5xx)), 5 + 4, 1);
    EXPECT_EQ(ran.ended(Ending::not_sent), ran.result->counts.held_back);
    EXPECT_EQ(ran.ended(Ending::not_sent) + ran.ended(Ending::http_5xx),
              ran.result->counts.planned);
    EXPECT_NEAR(ran.result->breaker_open, 0.97, 0.02);
}

TEST(VirtualClient, ASlowRequestIsSentTwiceAndTheFirstAnswerWins) {
    Model model = bare_model(route({wait(Distribution::exponential(50ms))}));
    model.system.server.threads = 64;
    model.load.rate = ArrivalRate::per_second(50);
    model.load.hedge.after = 20ms;
    const auto ran = run_for(model, 100s);
    // Each copy has the same request's draw, so that the first sent always wins: what copies cost
    // is seen, what they gain where the server's luck differs is not.
    const auto& counts = ran.result->counts;
    EXPECT_EQ(counts.of(Ending::ok), counts.planned);
    const double share =
        static_cast<double>(counts.hedges) / static_cast<double>(counts.planned);
    EXPECT_NEAR(share, std::exp(-0.4), 0.03);  // those that take longer than 20 ms
    EXPECT_EQ(counts.attempts, counts.planned + counts.hedges);
}

TEST(VirtualClient, VisitorsComeBackAfterThinking) {
    Model model = bare_model(route({wait(1ms)}));
    model.load.rate = ArrivalRate::per_second(20);
    model.load.session = 4;
    model.load.think = Distribution::constant(100ms);
    const auto ran = run_for(model, 200s);
    EXPECT_NEAR(static_cast<double>(ran.result->counts.planned), 200 * 20 * 4, 600);
    EXPECT_EQ(ran.ended(Ending::ok), ran.result->counts.planned);
}

TEST(VirtualClient, TheRateFollowsItsShape) {
    Model model = bare_model(route({wait(1ms)}));
    model.load.arrivals = Arrivals::constant;
    model.load.rate = ArrivalRate::per_second(10);
    model.load.shape.kind = LoadShape::spike;
    model.load.shape.peak = ArrivalRate::per_second(100);
    model.load.shape.start = 4s;
    model.load.shape.length = 2s;
    const auto ran = run_for(model, 10s);
    const auto planned = [&](std::size_t from, std::size_t to) {
        std::uint64_t sum = 0;
        for (std::size_t i = from; i < to; ++i) sum += ran.frames.at(i)->counts.planned;
        return static_cast<double>(sum);
    };
    EXPECT_NEAR(planned(0, 40), 40, 1);
    EXPECT_NEAR(planned(40, 60), 200, 2);
    EXPECT_NEAR(planned(60, 100), 40, 2);
}

TEST(VirtualClient, TheNetworkDelaysEachWayAndAHandshakeTakesBoth) {
    Model model = bare_model(route({wait(100ms)}));
    model.system.network.delay = 10ms;
    arrive(model, {0ms, 500ms});
    const auto ran = run_for(model, 1s);
    expect_ms(ran.longest_ms(), 140);
    expect_ms(ran.shortest_ms(), 120);  // on the connection that is there
    expect_ms(ran.part_ms(Part::network), 20);
}

TEST(VirtualClient, ASlowReaderTakesItsTime) {
    Model model = bare_model(route({respond(10'000)}));
    model.load.slow.readers = 1;
    model.load.slow.read_rate = Bytes{10'000};
    arrive_at_once(model, 2);
    // 250 bytes of head: 11 spoons of 1,000, one each tenth of a second.
    const auto buffered = run_for(model, 5s);
    expect_ms(buffered.longest_ms(), 1'000);
    expect_ms(buffered.shortest_ms(), 1'000);
    // Where the worker stays until the client's kernel has it all, the next one waits for that.
    model.system.server.release = ReleasePoint::drained;
    EXPECT_GT(run_for(model, 5s).longest_ms(), 1'500);
}

TEST(VirtualClient, ASlowSenderHoldsAWorkerThatWasBoundAtAccept) {
    Model model = bare_model(route({wait(10ms)}));
    model.load.slow.senders = 1;
    model.load.slow.send_rate = Bytes{100};
    arrive_at_once(model, 2);
    const auto whole = run_for(model, 5s);
    expect_ms(whole.longest_ms(), 1'420);  // 15 spoons of 10, then the other's work
    model.system.server.bind = BindPoint::accept;
    model.load.keep_alive = false;
    EXPECT_GT(run_for(model, 5s).longest_ms(), 1'400);
    model.system.server.bind = BindPoint::request;
    model.system.server.head_timeout = 1s;
    EXPECT_EQ(run_for(model, 5s).ended(Ending::http_4xx), 2u);
}

}  // namespace
}  // namespace lab
