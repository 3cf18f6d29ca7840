// SPDX-License-Identifier: GPL-3.0-or-later
// The generator alone, as `latency-lab load` runs it.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "lab/experiment.hpp"
#include "live/wire.hpp"
#include "support/fake_server.hpp"

namespace lab {
namespace {

using test::FakeServer;
using test::http_answer;
using test::reply_with;

FakeServer::Script hello() {
    return [](const FakeServer::Seen&) { return reply_with(http_answer(200, "hello")); };
}

LoadOptions options_for(std::uint16_t port, Duration length) {
    LoadOptions options;
    options.url = "http://127.0.0.1:" + std::to_string(port) + "/hello?x=1";
    options.load.rate = ArrivalRate::per_second(200);
    options.load.arrivals = Arrivals::constant;
    options.load.timeout = 20s;
    options.length = length;
    return options;
}

TEST(LoadRun, MeasuresAServerThatIsNotOurs) {
    FakeServer server{hello()};
    std::vector<FramePtr> frames;
    const auto result = run_load(options_for(server.port(), 1s),
                                 [&](FramePtr frame) { frames.push_back(std::move(frame)); }, {});
    ASSERT_TRUE(result) << result.error().message();
    const RunResult& run = **result;
    EXPECT_EQ(run.counts.planned, run.counts.total_ended());
    EXPECT_EQ(run.counts.of(Ending::ok), run.counts.planned);
    EXPECT_FALSE(run.truth_known);
    EXPECT_EQ(run.parts_of, 0u);
    EXPECT_EQ(run.length, 1s);
    EXPECT_GE(frames.size(), 2u);
    std::uint64_t planned = 0;
    for (const auto& frame : frames) planned += frame->counts.planned;
    if (!run.interrupted) {
        EXPECT_EQ(run.counts.planned, 199u);
        EXPECT_EQ(planned, 199u);
    }
    const auto seen = server.seen();
    ASSERT_GT(seen.size(), 1u);
    EXPECT_EQ(seen[0].field("X-Lab-Request"), "0") << "one look whether it is ours";
    EXPECT_EQ(seen[1].head, "GET /hello?x=1 HTTP/1.1\r\nHost: 127.0.0.1:" +
                                std::to_string(server.port()) + "\r\n")
        << "and not a byte more than others send";
}

TEST(LoadRun, AsksAServerOfOursForItsTimes) {
    FakeServer server{[](const FakeServer::Seen& seen) {
        if (seen.field("X-Lab-Request").empty()) return reply_with(http_answer(200, "plain"));
        measure::ServerTimes times;
        times.received = seen.at;
        times.ready = seen.at + 2ms;
        times.service = 2ms;
        times.parts[static_cast<std::size_t>(Part::cpu)] = 2ms;
        std::string text = std::string{live::times_field} + ": ";
        live::write_times(text, times);
        return reply_with(http_answer(200, "told", text + "\r\n"), 2ms);
    }};
    const auto result = run_load(options_for(server.port(), 500ms), {}, {});
    ASSERT_TRUE(result);
    const RunResult& run = **result;
    EXPECT_GT(run.parts_of, 20u);
    EXPECT_EQ(run.parts_of, run.counts.of(Ending::ok));
    EXPECT_EQ(run.service.count(), run.parts_of);
}

TEST(LoadRun, StopsWithinASecondAndTellsWhatItHas) {
    FakeServer server{hello()};
    std::atomic<int> frames = 0;
    Instant asked{};
    const auto result = run_load(
        options_for(server.port(), 600s), [&](FramePtr) { ++frames; },
        [&] {
            if (frames < 4) return false;
            if (asked == Instant{}) asked = std::chrono::steady_clock::now();
            return true;
        });
    EXPECT_LT(std::chrono::steady_clock::now() - asked, 1s);
    ASSERT_TRUE(result);
    EXPECT_TRUE((*result)->interrupted);
    EXPECT_GT((*result)->counts.planned, 20u);
    EXPECT_LT((*result)->length, 60s);
}

TEST(LoadRun, SaysWhatIsWrongWithTheAddressOrTheServer) {
    auto options = options_for(test::unused_port(), 1s);
    const auto nobody = run_load(options, {}, {});
    ASSERT_FALSE(nobody);
    EXPECT_EQ(nobody.error().code, ErrorCode::unreachable);
    options.url = "http://example.com/";
    const auto elsewhere = run_load(options, {}, {});
    ASSERT_FALSE(elsewhere);
    EXPECT_EQ(elsewhere.error().code, ErrorCode::not_permitted);
    options.url = "127.0.0.1";
    const auto nonsense = run_load(options, {}, {});
    ASSERT_FALSE(nonsense);
    EXPECT_EQ(nonsense.error().code, ErrorCode::invalid_input);
}

}  // namespace
}  // namespace lab
