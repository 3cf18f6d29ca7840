// SPDX-License-Identifier: GPL-3.0-or-later
// The real generator against a server that does what each test says.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "integration/generator_bench.hpp"
#include "support/fake_server.hpp"

namespace lab {
namespace {

using live::Generator;
using test::closed_loop;
using test::FakeServer;
using test::GeneratorRun;
using test::http_answer;
using test::open_loop;
using test::reply_with;
using After = FakeServer::Reply::After;

FakeServer::Script always(std::string answer, Duration wait = {}) {
    return [answer = std::move(answer), wait](const FakeServer::Seen&) {
        return reply_with(answer, wait);
    };
}

FakeServer::Script never() {
    return [](const FakeServer::Seen&) { return FakeServer::Reply{}; };
}

/// Every end of a run keeps this.
void expect_counts_add_up(const measure::WindowTotals& totals) {
    EXPECT_EQ(totals.counts.planned, test::sum_of_endings(totals.counts));
    EXPECT_EQ(totals.latency.count(),
              totals.counts.of(Ending::ok) + totals.counts.of(Ending::timed_out));
}

Duration percentile(const Histogram& histogram, double percent) {
    const auto value = histogram.percentile(percent);
    return value ? *value : Duration{-1};
}

TEST(OpenLoop, SendsThePlanAndTellsEveryRequestsEnd) {
    FakeServer server{always(http_answer(200, "hello"))};
    GeneratorRun run{open_loop(server.port(), 200, 1s)};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    LAB_SKIP_UNLESS_CALM(run);
    EXPECT_EQ(totals->counts.planned, 199u) << "every 5 ms, the last of them at the window's end";
    EXPECT_EQ(totals->counts.of(Ending::ok), 199u);
    EXPECT_EQ(server.seen().size(), 199u);
    EXPECT_EQ(totals->to - totals->from, 1s);
    EXPECT_EQ(totals->slip.count(), 199u);
    EXPECT_EQ(run.times_done(), 1);
    EXPECT_EQ(run.phases(), (std::vector{RunPhase::running, RunPhase::draining}));
}

TEST(OpenLoop, CutsAFrameOnEveryBeatAndLosesNothingBetweenThem) {
    FakeServer server{always(http_answer(200, "hello"), 20ms)};
    auto options = open_loop(server.port(), 100, 1s);
    options.warm_up = 300ms;
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    LAB_SKIP_UNLESS_CALM(run);
    Counts all;
    const auto cuts = run.cuts();
    ASSERT_GE(cuts.size(), 8u);
    EXPECT_EQ(cuts.front().start, run.generator().started());
    for (std::size_t i = 0; i < cuts.size(); ++i) {
        all += cuts[i].counts;
        if (i > 0) {
            EXPECT_EQ(cuts[i].start, cuts[i - 1].end);
        }
    }
    EXPECT_EQ(all.planned, 129u) << "warm-up and window";
    EXPECT_EQ(test::sum_of_endings(all), 129u);
    EXPECT_EQ(totals->counts.planned, 100u) << "the window alone";
    EXPECT_EQ(run.phases(),
              (std::vector{RunPhase::warm_up, RunPhase::running, RunPhase::draining}));
    EXPECT_GT(totals->generator_cpu, 0ns);
}

TEST(OpenLoop, CountsLatencyFromTheIntendedStartThroughAStall) {
    // 1,000/s, answers after 5 ms, nothing at all for 500 ms. Whoever is due x into the stall waits
    // 505 - x: of 3 s, 500 requests spread evenly over 5 .. 505 ms, the others at 5.
    const auto stall = [](Duration now) {
        return now >= 1s && now < 1500ms ? Duration{1500ms} : Duration{};
    };
    FakeServer server{always(http_answer(200, "late"), 5ms), stall};
    auto options = open_loop(server.port(), 1000, 3s);
    options.load.connections = 1024;
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    LAB_SKIP_UNLESS_CALM(run);
    EXPECT_EQ(totals->counts.of(Ending::ok), totals->counts.planned);
    EXPECT_GE(percentile(totals->latency, 50), 5ms);
    EXPECT_LT(percentile(totals->latency, 50), 150ms);
    EXPECT_GE(percentile(totals->latency, 90), 150ms);
    EXPECT_GE(percentile(totals->latency, 99), 440ms);
    EXPECT_LT(percentile(totals->latency, 99), 2s);
    EXPECT_GE(percentile(totals->latency, 100), 480ms);
    EXPECT_GT(server.accepted(), 300)
        << "what was overdue was sent, each on a connection of its own";
}

TEST(OpenLoop, ReusesTheConnectionThatWasIdleLast) {
    FakeServer server{always(http_answer(200, "hello"))};
    GeneratorRun run{open_loop(server.port(), 50, 600ms)};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    LAB_SKIP_UNLESS_CALM(run);
    const auto seen = server.seen();
    EXPECT_EQ(seen.size(), 29u);
    if (percentile(totals->latency, 100) < 15ms) {
        // The first look, whether anybody listens, was a connection too.
        EXPECT_EQ(server.accepted(), 2);
    }
    EXPECT_EQ(std::count_if(seen.begin(), seen.end(), [](const auto& one) { return one.nth == 0; }),
              server.accepted() - 1);
}

TEST(OpenLoop, OpensANewConnectionForEachRequestWhenToldTo) {
    FakeServer server{[](const FakeServer::Seen& seen) {
        auto reply = reply_with(http_answer(200, "x", "Connection: close\r\n"));
        if (seen.field("Connection") == "close") reply.after = After::close;
        return reply;
    }};
    auto options = open_loop(server.port(), 100, 500ms);
    options.load.keep_alive = false;
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    LAB_SKIP_UNLESS_CALM(run);
    EXPECT_EQ(totals->counts.of(Ending::ok), 49u);
    for (const auto& seen : server.seen()) EXPECT_EQ(seen.nth, 0);
    EXPECT_EQ(server.accepted(), 50) << "and one look whether anybody listens";
}

TEST(OpenLoop, ClosesByItselfWhereTheServerForgetsTo) {
    FakeServer server{always(http_answer(200, "x"))};
    auto options = open_loop(server.port(), 100, 300ms);
    options.load.keep_alive = false;
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    LAB_SKIP_UNLESS_CALM(run);
    EXPECT_EQ(totals->counts.of(Ending::ok), 29u);
    for (const auto& seen : server.seen()) EXPECT_EQ(seen.nth, 0);
}

TEST(OpenLoop, GivesUpAtTheTimeOutCountedFromTheIntendedStart) {
    FakeServer server{never()};
    auto options = open_loop(server.port(), 200, 500ms);
    options.load.timeout = 200ms;
    options.load.connections = 1;  // the others wait in the client, and many give up there
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    LAB_SKIP_UNLESS_CALM(run);
    expect_counts_add_up(*totals);
    EXPECT_EQ(totals->counts.planned, 99u);
    EXPECT_EQ(totals->counts.of(Ending::timed_out), 99u);
    EXPECT_GE(percentile(totals->latency, 0.1), 200ms);
    EXPECT_LT(percentile(totals->latency, 100), 201ms);
    EXPECT_LT(server.seen().size(), 90u);
    EXPECT_LT(totals->since_send.count(), 99u) << "what was never sent has no time since it was";
}

TEST(OpenLoop, HoldsWhatIsOverdueInABoundedBacklogAndCountsTheRest) {
    FakeServer server{never()};
    auto options = open_loop(server.port(), 100, 500ms);
    options.load.timeout = 2s;
    options.load.connections = 3;
    options.load.backlog = 10;
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    LAB_SKIP_UNLESS_CALM(run);
    EXPECT_EQ(run.cuts().at(3).client_backlog, 10u);
    expect_counts_add_up(*totals);
    EXPECT_EQ(totals->counts.of(Ending::timed_out), 13u);
    EXPECT_EQ(totals->counts.of(Ending::not_sent), 36u);
}

TEST(OpenLoop, ServesWhatWaitsInTheClientInTheOrderOfThePlan) {
    FakeServer server{always(http_answer(200, "x"), 30ms)};
    auto options = open_loop(server.port(), 100, 300ms);
    options.load.connections = 1;
    options.routes = {test::plain_route("/{key}")};
    options.ask_times = true;
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    LAB_SKIP_UNLESS_CALM(run);
    EXPECT_EQ(totals->counts.of(Ending::ok), 29u);
    const auto seen = server.seen();
    for (std::size_t i = 0; i < seen.size(); ++i) {
        EXPECT_EQ(seen[i].field("X-Lab-Request"), std::to_string(i + 1));
    }
    EXPECT_GE(percentile(totals->latency, 100), 500ms) << "the wait in the client counts";
    EXPECT_LT(percentile(totals->since_send, 50), 200ms);
}

TEST(OpenLoop, FollowsWhatIsInFlightAtTheWindowsEndToItsEnd) {
    FakeServer server{always(http_answer(200, "x"), 400ms)};
    GeneratorRun run{open_loop(server.port(), 100, 300ms)};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    LAB_SKIP_UNLESS_CALM(run);
    expect_counts_add_up(*totals);
    EXPECT_EQ(totals->counts.of(Ending::ok), 29u);
    EXPECT_EQ(totals->inside.of(Ending::ok), 0u);
}

TEST(OpenLoop, WithdrawsWhatIsStillOutWhenTheDrainIsOver) {
    FakeServer server{never()};
    auto options = open_loop(server.port(), 100, 300ms);
    options.drain = 200ms;
    GeneratorRun run{options};
    const auto* totals = run.wait(3s);
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    EXPECT_EQ(totals->counts.planned, 0u);
}

TEST(OpenLoop, IsQuietAtRateZero) {
    FakeServer server{always(http_answer(200, "x"))};
    GeneratorRun run{open_loop(server.port(), 0, 300ms)};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    EXPECT_EQ(totals->counts.planned, 0u);
    EXPECT_TRUE(server.seen().empty());
}

TEST(OpenLoop, MakesNoCatchUpBurstAfterTheProgramWasStopped) {
    FakeServer server{always(http_answer(200, "x"), 30ms)};
    GeneratorRun run{open_loop(server.port(), 200, 2s), [](std::size_t number) {
                         // The load thread stands still, as at SIGSTOP.
                         if (number == 5) std::this_thread::sleep_for(800ms);
                     }};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    EXPECT_LT(totals->counts.planned, 300u) << "400 less those that were due in the silence";
    EXPECT_GT(totals->counts.planned, 50u);
    Duration longest{};
    for (const auto& cut : run.cuts()) {
        const Duration length = cut.end - cut.start;
        const Duration measured = length > 700ms ? length - 700ms : length;
        longest = std::max(longest, length);
        EXPECT_LE(static_cast<double>(cut.counts.planned), 200 * to_seconds(measured) + 30);
    }
    EXPECT_GT(longest, 700ms) << "which marks the frame as interrupted";
    EXPECT_LT(percentile(totals->latency, 100), 800ms) << "the silence is no latency";
}

TEST(ClosedLoop, GivesEachUserAConnectionOfItsOwn) {
    FakeServer server{always(http_answer(200, "x"))};
    auto options = closed_loop(server.port(), 5, 600ms);
    options.load.think = Distribution::constant(30ms);
    options.routes = {test::plain_route("/")};
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    LAB_SKIP_UNLESS_CALM(run);
    expect_counts_add_up(*totals);
    EXPECT_EQ(totals->counts.of(Ending::ok), totals->counts.planned);
    std::map<int, std::set<std::string>> users_of;
    for (const auto& seen : server.seen()) users_of[seen.connection].insert(seen.field("Cookie"));
    EXPECT_EQ(users_of.size(), 5u);
    for (const auto& [connection, users] : users_of) EXPECT_EQ(users.size(), 1u);
    EXPECT_LT(server.seen().size(), 5u * 25u) << "30 ms of thought between answer and request";
}

TEST(ClosedLoop, HasNeverMoreRequestsOutThanUsers) {
    FakeServer server{always(http_answer(200, "x"), 10ms)};
    GeneratorRun run{closed_loop(server.port(), 7, 500ms)};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    LAB_SKIP_UNLESS_CALM(run);
    for (const auto& cut : run.cuts()) EXPECT_LE(cut.in_flight, 7u);
    EXPECT_NEAR(totals->concurrency, 7.0, 0.1);
}

TEST(ClosedLoop, LetsUsersWaitWhereConnectionsAreFewer) {
    FakeServer server{always(http_answer(200, "x"), 20ms)};
    auto options = closed_loop(server.port(), 6, 500ms);
    options.load.connections = 2;
    options.load.backlog = 0;
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    LAB_SKIP_UNLESS_CALM(run);
    expect_counts_add_up(*totals);
    EXPECT_EQ(totals->counts.of(Ending::not_sent), 0u);
    EXPECT_LE(server.accepted(), 3);
    EXPECT_GE(percentile(totals->latency, 50), 40ms) << "three take turns on each";
}

TEST(ClosedLoop, DoesNotSpinAgainstAServerThatResetsEverything) {
    FakeServer server{[](const FakeServer::Seen&) { return FakeServer::Reply{{}, After::reset}; }};
    GeneratorRun run{closed_loop(server.port(), 3, 500ms)};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    EXPECT_EQ(totals->counts.of(Ending::reset), totals->counts.planned);
    EXPECT_GE(totals->counts.planned, 3u);
    EXPECT_LE(totals->counts.planned, 3u * 51u) << "10 ms between two tries of a user";
}

TEST(Generator, SaysThatNobodyListens) {
    GeneratorRun run{open_loop(test::unused_port(), 10, 1s)};
    ASSERT_TRUE(run.error());
    EXPECT_EQ(run.error()->code, ErrorCode::unreachable);
    EXPECT_EQ(run.times_done(), 0);
}

TEST(Generator, RefusesALoadThatMakesNoSense) {
    FakeServer server{never()};
    auto options = open_loop(server.port(), 10, 1s);
    options.load.connections = 0;
    GeneratorRun run{options};
    ASSERT_TRUE(run.error());
    EXPECT_EQ(run.error()->code, ErrorCode::invalid_input);
    EXPECT_EQ(run.error()->where, "load.connections");
}

}  // namespace
}  // namespace lab
