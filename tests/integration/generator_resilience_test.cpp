// SPDX-License-Identifier: GPL-3.0-or-later
// What the client does besides asking once: patience, retries, a breaker, second copies, slowness,
// visits. Real sockets, so only directions and bounds; the policies have tests of their own.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "integration/generator_bench.hpp"
#include "support/fake_server.hpp"

namespace lab {
namespace {

using test::closed_loop;
using test::FakeServer;
using test::GeneratorRun;
using test::http_answer;
using test::open_loop;
using test::reply_with;
using Seen = FakeServer::Seen;

void expect_counts_add_up(const measure::WindowTotals& totals) {
    const Counts& c = totals.counts;
    EXPECT_EQ(c.planned, test::sum_of_endings(c));
    EXPECT_EQ(totals.latency.count(), c.of(Ending::ok) + c.of(Ending::timed_out));
    EXPECT_LE(c.abandoned, c.of(Ending::timed_out));
    EXPECT_LE(c.held_back, c.of(Ending::not_sent));
    EXPECT_LE(c.retries + c.hedges, c.attempts);
}

FakeServer::Script always(int status, Duration wait = 1ms) {
    return [=](const Seen&) { return reply_with(http_answer(status, "x"), wait); };
}

/// Every second request that reaches the server does one thing, the others another.
FakeServer::Script by_turns(FakeServer::Reply even, FakeServer::Reply odd) {
    return [=](const Seen& seen) { return seen.number % 2 == 0 ? even : odd; };
}

Duration percentile(const Histogram& histogram, double percent) {
    const auto value = histogram.percentile(percent);
    return value ? *value : Duration{};
}

GeneratorRun::Options one_user(std::uint16_t port, Duration length) {
    auto options = closed_loop(port, 1, length);
    options.load.retry.base = 1ms;
    options.load.retry.back_off = BackOff::constant;
    return options;
}

TEST(Retries, TurnAFailureIntoAnAnswerAndAreCountedApart) {
    FakeServer server{
        by_turns(reply_with(http_answer(503, "no")), reply_with(http_answer(200, "yes")))};
    auto options = one_user(server.port(), 500ms);
    options.load.retry.most = 1;
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    LAB_SKIP_UNLESS_CALM(run);
    const Counts& c = totals->counts;
    EXPECT_GT(c.planned, 20u);
    EXPECT_EQ(c.of(Ending::ok), c.planned);
    EXPECT_EQ(c.retries, c.planned);
    EXPECT_EQ(c.attempts, 2 * c.planned);
}

TEST(Retries, EndAsTheLastAttemptDid) {
    FakeServer server{always(500)};
    auto options = one_user(server.port(), 300ms);
    options.load.retry.most = 2;
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    LAB_SKIP_UNLESS_CALM(run);
    EXPECT_EQ(totals->counts.of(Ending::http_5xx), totals->counts.planned);
    EXPECT_EQ(totals->counts.retries, 2 * totals->counts.planned);
}

TEST(Retries, BreakOffAnAttemptThatTakesTooLong) {
    FakeServer server{
        by_turns(reply_with(http_answer(200, "late"), 5s), reply_with(http_answer(200, "soon")))};
    auto options = one_user(server.port(), 600ms);
    options.load.retry.most = 1;
    options.load.retry.attempt_timeout = 50ms;
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    LAB_SKIP_UNLESS_CALM(run);
    EXPECT_EQ(totals->counts.of(Ending::ok), totals->counts.planned);
    EXPECT_EQ(totals->counts.retries, totals->counts.planned);
    EXPECT_GE(percentile(totals->latency, 1), 50ms) << "the clock runs from the intended start";
    EXPECT_LT(percentile(totals->latency, 50), 400ms);
    EXPECT_LT(percentile(totals->since_send, 50), percentile(totals->latency, 50) - 40ms);
}

TEST(Retries, WithoutAnAnswerEndAsTimedOutThoughThereIsTime) {
    FakeServer server{always(200, 5s)};
    auto options = one_user(server.port(), 400ms);
    options.load.retry.most = 1;
    options.load.retry.attempt_timeout = 30ms;
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    LAB_SKIP_UNLESS_CALM(run);
    EXPECT_EQ(totals->counts.of(Ending::timed_out), totals->counts.planned);
    EXPECT_EQ(totals->counts.abandoned, 0u);
    EXPECT_GE(percentile(totals->latency, 1), 60ms);
    EXPECT_LT(percentile(totals->latency, 50), 500ms);
}

TEST(Retries, KeepToTheirBudget) {
    FakeServer server{always(503)};
    auto options = open_loop(server.port(), 200, 1s);
    options.load.retry.most = 5;
    options.load.retry.base = 1ms;
    options.load.retry.budget = 0.1;
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    const Counts& c = totals->counts;
    EXPECT_EQ(c.of(Ending::rejected), c.planned);
    EXPECT_LE(c.retries, 10 + c.planned / 10 + 1);
    EXPECT_GE(c.retries, c.planned / 10);
}

TEST(Breaker, HoldsBackWhatWouldFailAndSaysHowLong) {
    FakeServer server{always(500)};
    auto options = open_loop(server.port(), 200, 1s);
    options.load.breaker = {.share = 0.5, .window = 1s, .calls = 10, .pause = 300ms};
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    LAB_SKIP_UNLESS_CALM(run);
    const Counts& c = totals->counts;
    EXPECT_GT(c.held_back, c.planned / 2);
    EXPECT_EQ(c.held_back, c.of(Ending::not_sent));
    EXPECT_LT(server.seen().size(), c.planned / 3);
    EXPECT_GE(server.seen().size(), 12u) << "it tries again now and then";
    Duration open{};
    for (const auto& cut : run.cuts()) open += cut.breaker_open;
    EXPECT_GT(open, 500ms);
    EXPECT_LT(open, 1500ms);
}

TEST(Hedge, TakesTheFirstAnswerAndCancelsTheOther) {
    FakeServer server{
        by_turns(reply_with(http_answer(200, "slow"), 2s), reply_with(http_answer(200, "quick")))};
    auto options = one_user(server.port(), 800ms);
    options.load.connections = 10;
    options.load.hedge.after = 40ms;
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    LAB_SKIP_UNLESS_CALM(run);
    const Counts& c = totals->counts;
    EXPECT_EQ(c.of(Ending::ok), c.planned);
    EXPECT_EQ(c.hedges, c.planned);
    EXPECT_EQ(c.attempts, 2 * c.planned);
    EXPECT_GE(percentile(totals->latency, 1), 40ms);
    EXPECT_LT(percentile(totals->latency, 99), 1s);
}

TEST(Hedge, LivesOnTheCopyWhereTheFirstBreaks) {
    FakeServer::Reply broken;
    broken.pieces = {{80ms, "HTTP/1.1 nonsense"}};
    broken.after = FakeServer::Reply::After::reset;
    FakeServer server{by_turns(broken, reply_with(http_answer(200, "yes"), 150ms))};
    auto options = one_user(server.port(), 600ms);
    options.load.connections = 10;
    options.load.hedge.after = 20ms;
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    LAB_SKIP_UNLESS_CALM(run);
    EXPECT_EQ(totals->counts.of(Ending::ok), totals->counts.planned);
}

TEST(PatienceOfUsers, EndsBeforeTheTimeLimitAndClosesTheConnection) {
    FakeServer server{always(200, 10s)};
    auto options = open_loop(server.port(), 100, 500ms);
    options.load.patience = Distribution::constant(100ms);
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    LAB_SKIP_UNLESS_CALM(run);
    EXPECT_EQ(totals->counts.abandoned, totals->counts.planned);
    EXPECT_GE(percentile(totals->latency, 1), 100ms);
    EXPECT_LT(percentile(totals->latency, 100), 101ms) << "given up at the moment planned";
    for (int i = 0; i < 200 && server.open() > 0; ++i) std::this_thread::sleep_for(5ms);
    EXPECT_EQ(server.open(), 0);
}

TEST(SlowClients, SendTheirRequestAsSlowlyAsTold) {
    FakeServer server{always(200)};
    auto options = one_user(server.port(), 800ms);
    options.load.slow.senders = 1;
    options.load.slow.send_rate = Bytes{300};  // 30 bytes, then a tenth of a second
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    ASSERT_GT(totals->counts.of(Ending::ok), 0u);
    EXPECT_GE(percentile(totals->latency, 1), 90ms);
}

TEST(SlowClients, ReadTheirAnswerAsSlowlyAsTold) {
    const std::string body(30'000, 'x');
    FakeServer server{[&](const Seen&) { return reply_with(http_answer(200, body)); }};
    auto options = one_user(server.port(), 800ms);
    options.load.slow.readers = 1;
    options.load.slow.read_rate = Bytes{100'000};  // 10 kB, then a tenth of a second
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    ASSERT_GT(totals->counts.of(Ending::ok), 0u);
    EXPECT_GE(percentile(totals->latency, 1), 200ms);
}

TEST(SlowClients, AreNoMoreThanTheirShare) {
    const std::string body(30'000, 'x');
    FakeServer server{[&](const Seen&) { return reply_with(http_answer(200, body)); }};
    auto options = open_loop(server.port(), 50, 1s);
    options.load.keep_alive = false;
    options.load.slow.readers = 0.2;
    options.load.slow.read_rate = Bytes{100'000};
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    LAB_SKIP_UNLESS_CALM(run);
    EXPECT_LT(percentile(totals->latency, 70), 150ms);
    EXPECT_GE(percentile(totals->latency, 90), 200ms);
}

TEST(NetworkDelay, IsPaidEachWayAndOnceMoreForANewConnection) {
    FakeServer server{always(200)};
    auto options = open_loop(server.port(), 20, 600ms);
    options.network.delay = 20ms;
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    EXPECT_EQ(totals->counts.of(Ending::ok), totals->counts.planned);
    EXPECT_GE(percentile(totals->since_send, 1), 40ms);
    EXPECT_GE(percentile(totals->latency, 100), 80ms) << "the first had to connect";
    LAB_SKIP_UNLESS_CALM(run);
    EXPECT_LT(percentile(totals->latency, 50), 80ms);
}

TEST(Visits, AskAgainWhileTheyAreAnswered) {
    FakeServer server{always(200)};
    auto options = open_loop(server.port(), 50, 1s);
    options.load.session = 4;
    options.load.think = Distribution::constant(20ms);
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    LAB_SKIP_UNLESS_CALM(run);
    EXPECT_GT(totals->counts.planned, 130u) << "49 visitors, four requests each on average";
    EXPECT_LT(totals->counts.planned, 270u);
}

TEST(Visits, EndWhereAnAnswerFails) {
    FakeServer server{always(500)};
    auto options = open_loop(server.port(), 100, 500ms);
    options.load.session = 10;
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    EXPECT_EQ(totals->counts.planned, totals->counts.of(Ending::http_5xx));
    LAB_SKIP_UNLESS_CALM(run);
    EXPECT_EQ(totals->counts.planned, 49u);
}

TEST(Shapes, MoveTheRateOfARealRun) {
    FakeServer server{always(200)};
    auto options = open_loop(server.port(), 50, 1500ms);
    options.load.shape.kind = LoadShape::spike;
    options.load.shape.peak = ArrivalRate::per_second(600);
    options.load.shape.start = 500ms;
    options.load.shape.length = 500ms;
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    LAB_SKIP_UNLESS_CALM(run);
    EXPECT_NEAR(static_cast<double>(totals->counts.planned), 350, 2);
    double calm = 0, spike = 0;
    for (const auto& cut : run.cuts()) {
        const Duration since = cut.start - run.generator().started();
        (since >= 500ms && since < 1s ? spike : calm) += static_cast<double>(cut.counts.planned);
    }
    EXPECT_NEAR(spike, 300, 5);
    EXPECT_NEAR(calm, 50, 5);
}

TEST(Everything, EndsEachRequestOnceWhateverTheServerDoes) {
    FakeServer server{[](const Seen& seen) {
        FakeServer::Reply reply =
            reply_with(http_answer(seen.number % 3 == 0 ? 503 : 200, "x"),
                       Duration{1ms} * static_cast<int>(seen.number % 7 * 20));
        if (seen.number % 11 == 0) reply.after = FakeServer::Reply::After::reset;
        if (seen.number % 13 == 0) reply.pieces = {{5ms, "what?"}};
        return reply;
    }};
    auto options = open_loop(server.port(), 300, 1500ms);
    Load& load = options.load;
    load.arrivals = Arrivals::poisson;
    load.connections = 40;
    load.timeout = 1s;
    load.patience = Distribution::exponential(400ms);
    load.session = 2;
    load.think = Distribution::exponential(50ms);
    load.retry = {.most = 3, .attempt_timeout = 70ms, .base = 5ms};
    load.hedge.percentile = 80;
    load.breaker = {.share = 0.7, .window = 500ms, .calls = 20, .pause = 100ms};
    load.slow = {
        .readers = 0.1, .read_rate = Bytes{2'000}, .senders = 0.1, .send_rate = Bytes{1'000}};
    options.network.delay = 2ms;
    GeneratorRun run{options};
    run.wait_for_cuts(6);
    load.model = LoadModel::closed;
    load.users = 20;
    run.generator().apply(load, options.network);
    run.wait_for_cuts(9);
    load.model = LoadModel::open;
    load.shape.kind = LoadShape::bursts;
    load.shape.calm = load.shape.burst = 100ms;
    run.generator().apply(load, {});
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    Counts all;
    for (const auto& cut : run.cuts()) all += cut.counts;
    EXPECT_EQ(all.planned, test::sum_of_endings(all)) << "warm-up and window, nothing lost";
    EXPECT_GT(all.retries, 0u);
    EXPECT_GT(all.hedges, 0u);
    EXPECT_GT(all.abandoned, 0u);
}

TEST(Everything, StopsAtOnceInTheMiddleOfPausesAndCopies) {
    FakeServer server{always(503, 30ms)};
    auto options = open_loop(server.port(), 200, 20s);
    options.load.retry = {.most = 20, .base = 10s, .cap = 600s};
    options.load.hedge.after = 10ms;
    options.load.timeout = 600s;
    options.network.delay = 500ms;
    GeneratorRun run{options};
    run.wait_for_cuts(12);
    const auto before = std::chrono::steady_clock::now();
    run.generator().stop();
    ASSERT_TRUE(run.wait());
    run.destroy();
    EXPECT_LT(std::chrono::steady_clock::now() - before, 1s);
}

}  // namespace
}  // namespace lab
