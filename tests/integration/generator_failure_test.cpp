// SPDX-License-Identifier: GPL-3.0-or-later
// What the generator makes of servers that misbehave, of stops in the middle, of changed settings.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <set>

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
using After = FakeServer::Reply::After;
using Seen = FakeServer::Seen;
using Reply = FakeServer::Reply;

void expect_counts_add_up(const measure::WindowTotals& totals) {
    EXPECT_EQ(totals.counts.planned, test::sum_of_endings(totals.counts));
    EXPECT_EQ(totals.latency.count(),
              totals.counts.of(Ending::ok) + totals.counts.of(Ending::timed_out));
}

/// Counts after half a second at 200/s against this script; time-outs do not come into it.
Counts counts_against(FakeServer::Script script) {
    FakeServer server{std::move(script)};
    auto options = open_loop(server.port(), 200, 500ms);
    options.load.timeout = options.drain = 40s;
    GeneratorRun run{options};
    const auto* totals = run.wait(50s);
    if (totals == nullptr) return {};
    expect_counts_add_up(*totals);
    return totals->counts;
}

TEST(GeneratorAnswers, AreCountedByTheirKind) {
    const int statuses[] = {200, 204, 302, 304, 400, 404, 500, 502, 503};
    const auto counts = counts_against(
        [&](const Seen& seen) { return reply_with(http_answer(statuses[seen.number % 9], "")); });
    if (counts.planned != 99) GTEST_SKIP() << "the machine is too busy to judge";
    EXPECT_EQ(counts.of(Ending::ok), 44u);
    EXPECT_EQ(counts.of(Ending::http_4xx), 22u);
    EXPECT_EQ(counts.of(Ending::http_5xx), 22u);
    EXPECT_EQ(counts.of(Ending::rejected), 11u);
    EXPECT_EQ(counts.good + counts.late, 44u);
}

TEST(GeneratorAnswers, MayComeInPiecesChunksAndWithoutALength) {
    const auto counts = counts_against([](const Seen& seen) {
        Reply reply;
        if (seen.number % 3 == 0) {
            reply.pieces = {{0ms, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 20"},
                            {1ms, "0 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r"},
                            {1ms, "\nabc\r\n0\r\n"},
                            {1ms, "\r\n"}};
        } else if (seen.number % 3 == 1) {
            reply.pieces = {{0ms, "HTTP/1.0 200 OK\r\n\r\n"}, {2ms, std::string(30'000, 'x')}};
            reply.after = After::close;
        } else {
            reply.pieces = {{0ms, http_answer(200, std::string(300'000, 'y'))}};
        }
        return reply;
    });
    EXPECT_GT(counts.planned, 20u);
    EXPECT_EQ(counts.of(Ending::ok), counts.planned);
}

TEST(GeneratorAnswers, ThatBreakOffOrAreNoHttpAreResets) {
    const auto counts = counts_against([](const Seen& seen) {
        switch (seen.number % 6) {
            case 0:
                return Reply{{}, After::reset};
            case 1:
                return reply_with("220 smtp.example.org ESMTP\r\n\r\n");
            case 2:
                return Reply{{{0ms, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"}},
                             After::close};
            case 3:
                return Reply{{{0ms, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"}},
                             After::reset};
            case 4:
                return reply_with("HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n");
            default:
                return reply_with(http_answer(200, std::string(1'000'001, 'x')));
        }
    });
    EXPECT_GT(counts.planned, 20u);
    EXPECT_EQ(counts.of(Ending::reset), counts.planned);
}

TEST(GeneratorAnswers, ThatNobodyAskedForEndTheConnectionOnly) {
    const auto counts = counts_against(
        [](const Seen&) { return reply_with(http_answer(200, "x") + http_answer(200, "again")); });
    EXPECT_GT(counts.planned, 20u);
    EXPECT_EQ(counts.of(Ending::ok), counts.planned);
}

TEST(GeneratorAnswers, AfterTheDeadlineAreLateAndNoGoodput) {
    FakeServer server{[](const Seen& seen) {
        return reply_with(http_answer(200, "x"), seen.number % 2 == 0 ? 150ms : 0ms);
    }};
    auto options = open_loop(server.port(), 20, 500ms);
    options.load.deadline = 140ms;
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    LAB_SKIP_UNLESS_CALM(run);
    EXPECT_EQ(totals->counts.of(Ending::ok), 9u);
    EXPECT_GE(totals->counts.late, 5u);
    EXPECT_EQ(totals->counts.good, 9u - totals->counts.late);
}

TEST(ClosingRace, IsPlayedOnceMoreOnANewConnection) {
    // The server takes a second request on a connection and closes it without a word.
    FakeServer server{[](const Seen& seen) {
        return seen.nth == 0 ? reply_with(http_answer(200, "x")) : Reply{{}, After::close};
    }};
    auto options = closed_loop(server.port(), 1, 500ms);
    options.load.think = Distribution::constant(5ms);
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    EXPECT_GT(totals->counts.planned, 5u);
    EXPECT_EQ(totals->counts.of(Ending::ok), totals->counts.planned);
    EXPECT_GE(server.seen().size(), 2 * totals->counts.planned - 3) << "each but the first twice";
}

TEST(ClosingRace, IsNoExcuseOnANewConnectionNorForAPost) {
    FakeServer server{[](const Seen& seen) {
        return seen.nth == 0 ? reply_with(http_answer(200, "x")) : Reply{{}, After::close};
    }};
    auto options = closed_loop(server.port(), 1, 300ms);
    options.routes = {test::plain_route("/buy", Method::post)};
    GeneratorRun run{options};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    LAB_SKIP_UNLESS_CALM(run);
    EXPECT_EQ(totals->counts.planned, server.seen().size()) << "none was sent twice";
    EXPECT_NEAR(static_cast<double>(totals->counts.of(Ending::reset)),
                static_cast<double>(totals->counts.of(Ending::ok)), 1.0);

    FakeServer mute{[](const Seen&) { return Reply{{}, After::close}; }};
    GeneratorRun other{open_loop(mute.port(), 50, 300ms)};
    totals = other.wait();
    ASSERT_TRUE(totals);
    EXPECT_EQ(totals->counts.of(Ending::reset), totals->counts.planned);
    EXPECT_EQ(mute.seen().size(), totals->counts.planned);
}

TEST(ClosingRace, DoesNotHappenWhereAnIdleConnectionIsClosedInGoodTime) {
    FakeServer server{[](const Seen&) {
        return Reply{{{0ms, http_answer(200, "x")}, {10ms, ""}}, After::close};
    }};
    GeneratorRun run{open_loop(server.port(), 10, 600ms)};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    LAB_SKIP_UNLESS_CALM(run);
    EXPECT_EQ(totals->counts.of(Ending::ok), 5u);
    for (const auto& seen : server.seen()) EXPECT_EQ(seen.nth, 0);
}

TEST(GeneratorStop, EndsWithinASecondWhateverIsGoingOn) {
    const auto stall = [](Duration now) { return now > 100ms ? Duration{20s} : Duration{}; };
    FakeServer stalled{[](const Seen&) { return reply_with(http_answer(200, "x")); }, stall};
    FakeServer busy{[](const Seen&) { return reply_with(http_answer(200, "x"), 3ms); }};
    FakeServer mute{[](const Seen&) { return Reply{}; }};
    const auto ends_in_time = [](GeneratorRun::Options options, std::size_t cuts) {
        options.length.reset();
        GeneratorRun run{options};
        run.wait_for_cuts(cuts);
        const auto before = std::chrono::steady_clock::now();
        run.generator().stop();
        run.generator().stop();
        const auto* totals = run.wait(2s);
        EXPECT_LT(std::chrono::steady_clock::now() - before, 1s);
        ASSERT_TRUE(totals);
        expect_counts_add_up(*totals);
        EXPECT_LE(totals->from, totals->to);
        run.destroy();
        EXPECT_EQ(run.times_done(), 1);
    };
    for (const auto port : {stalled.port(), busy.port(), mute.port()}) {
        SCOPED_TRACE(port);
        ends_in_time(open_loop(port, 500, 1s), 3);
        ends_in_time(closed_loop(port, 20, 1s), 3);
        auto warming = open_loop(port, 500, 1s);
        warming.warm_up = 60s;
        ends_in_time(warming, 2);
        auto cramped = open_loop(port, 500, 1s);
        cramped.load.connections = 2;
        ends_in_time(cramped, 3);
    }
}

TEST(GeneratorStop, CountsTheWindowUpToThere) {
    FakeServer server{[](const Seen&) { return reply_with(http_answer(200, "x")); }};
    auto options = open_loop(server.port(), 100, 60s);
    GeneratorRun run{options};
    run.wait_for_cuts(5);
    run.generator().stop();
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    LAB_SKIP_UNLESS_CALM(run);
    const Duration length = totals->to - totals->from;
    EXPECT_GE(length, 500ms);
    EXPECT_NEAR(static_cast<double>(totals->counts.planned), 100 * to_seconds(length), 2.0);
    EXPECT_GT(totals->counts.of(Ending::ok), 40u);
}

TEST(GeneratorStop, IsDoneByTheDestructorToo) {
    FakeServer server{[](const Seen&) { return Reply{}; }};
    GeneratorRun run{open_loop(server.port(), 100, 60s)};
    run.wait_for_cuts(1);
    const auto before = std::chrono::steady_clock::now();
    run.destroy();
    EXPECT_LT(std::chrono::steady_clock::now() - before, 1s);
    EXPECT_EQ(run.times_done(), 1);
}

TEST(GeneratorStop, LeavesNoConnectionOpen) {
    FakeServer server{[](const Seen&) { return reply_with(http_answer(200, "x"), 1ms); }};
    GeneratorRun run{closed_loop(server.port(), 10, 300ms)};
    ASSERT_TRUE(run.wait());
    for (int i = 0; i < 200 && server.open() > 0; ++i) std::this_thread::sleep_for(5ms);
    EXPECT_EQ(server.open(), 0);
}

TEST(GeneratorSettings, ChangeWhileItRuns) {
    FakeServer server{[](const Seen&) { return reply_with(http_answer(200, "x"), 2ms); }};
    auto options = open_loop(server.port(), 100, 2s);
    GeneratorRun run{options};
    run.wait_for_cuts(4);
    auto load = options.load;
    load.rate = ArrivalRate::per_second(1000);
    load.arrivals = Arrivals::poisson;
    run.generator().apply(load, {});
    run.wait_for_cuts(9);
    load.model = LoadModel::closed;
    load.users = 3;
    load.connections = 3;
    run.generator().apply(load, {});
    run.wait_for_cuts(12);
    load.users = 1;
    load.keep_alive = false;
    run.generator().apply(load, {});
    run.wait_for_cuts(15);
    load.model = LoadModel::open;
    load.rate = ArrivalRate::per_second(20);
    load.keep_alive = true;
    run.generator().apply(load, {});
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    EXPECT_EQ(totals->counts.of(Ending::ok), totals->counts.planned);
    LAB_SKIP_UNLESS_CALM(run);
    const auto cuts = run.cuts();
    ASSERT_GE(cuts.size(), 19u);
    EXPECT_LE(cuts[2].counts.planned, 15u);
    EXPECT_GE(cuts[6].counts.planned, 50u);
    EXPECT_LE(cuts[10].in_flight, 3u);
    EXPECT_LE(cuts[13].in_flight, 1u);
    EXPECT_LE(cuts[18].counts.planned, 6u);
}

TEST(GeneratorSettings, NewConnectionsServeWhoIsWaitingAtOnce) {
    FakeServer server{[](const Seen&) { return reply_with(http_answer(200, "x"), 50ms); }};
    auto options = open_loop(server.port(), 200, 1s);
    options.load.connections = 1;
    GeneratorRun run{options};
    run.wait_for_cuts(4);
    auto load = options.load;
    load.connections = 200;
    run.generator().apply(load, {});
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    expect_counts_add_up(*totals);
    LAB_SKIP_UNLESS_CALM(run);
    EXPECT_GT(run.cuts().at(3).client_backlog, 20u);
    EXPECT_EQ(run.cuts().at(7).client_backlog, 0u);
}

/// Says that every key stands at version 10.
class TenthVersion final : public live::TruthSource {
  public:
    [[nodiscard]] std::uint64_t committed(const core::AskedQuery&, std::uint64_t) const override {
        return 10;
    }
};

GeneratorRun::Options personal_route(std::uint16_t port, const live::TruthSource* truth) {
    auto options = open_loop(port, 100, 400ms);
    Step query;
    query.kind = StepKind::query;
    Route route = test::plain_route("/mine/{key}");
    route.personal = true;
    route.steps = {query, query};
    options.routes = {route};
    options.truth = truth;
    options.load.users = 50;
    return options;
}

FakeServer::Script answers_by_turns() {
    return [](const Seen& seen) {
        const std::string asker = seen.field("Cookie").substr(5);
        const std::string other = asker == "1" ? "2" : "1";
        const bool wrong = seen.number % 3 == 1;
        const bool old = seen.number % 3 == 2;
        return reply_with(http_answer(200, "x",
                                      "X-Lab-User: " + (wrong ? other : asker) +
                                          "\r\nX-Lab-Version: 10," + (old ? "9" : "11") + "\r\n"));
    };
}

TEST(GeneratorTruth, MarksAnswersMadeForSomebodyElseOrFromOldData) {
    const TenthVersion truth;
    FakeServer server{answers_by_turns()};
    GeneratorRun run{personal_route(server.port(), &truth)};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    LAB_SKIP_UNLESS_CALM(run);
    EXPECT_EQ(totals->counts.of(Ending::ok), 39u);
    EXPECT_EQ(totals->counts.wrong_user, 13u);
    EXPECT_EQ(totals->counts.stale, 13u);
    EXPECT_LE(totals->counts.good, 13u);
    EXPECT_GE(totals->counts.good + totals->counts.late, 13u);
}

TEST(GeneratorTruth, IsNotJudgedWhereItIsNotKnown) {
    FakeServer server{answers_by_turns()};
    GeneratorRun run{personal_route(server.port(), nullptr)};
    const auto* totals = run.wait();
    ASSERT_TRUE(totals);
    LAB_SKIP_UNLESS_CALM(run);
    EXPECT_EQ(totals->counts.wrong_user + totals->counts.stale, 0u);
    EXPECT_EQ(totals->counts.good + totals->counts.late, 39u);
}

/// Runs where only a few descriptors are left; true if all is as it should be.
bool runs_with_few_descriptors() {
    FakeServer server{[](const Seen&) { return Reply{}; }};
    const rlimit few{40, 40};
    if (::setrlimit(RLIMIT_NOFILE, &few) != 0) return false;
    auto options = open_loop(server.port(), 200, 500ms);
    options.load.timeout = 1s;
    GeneratorRun run{options};
    if (run.error()) return run.error()->code == ErrorCode::no_resources;
    const auto* totals = run.wait();
    return totals != nullptr && totals->counts.of(Ending::not_sent) > 50 &&
           totals->counts.of(Ending::timed_out) > 0 &&
           totals->counts.planned == test::sum_of_endings(totals->counts);
}

TEST(GeneratorShortage, OfDescriptorsIsCountedAsNotSent) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(std::_Exit(runs_with_few_descriptors() ? 0 : 1), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace lab
