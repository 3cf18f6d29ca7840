// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/keyed_random.hpp"
#include "live/response_reader.hpp"
#include "live/wire.hpp"

namespace lab::live {
namespace {

using State = ResponseReader::State;

/// Feeds pieces of `step` bytes as a connection does: what is not used is offered again with more.
/// Returns what was left over.
std::string feed(ResponseReader& reader, std::string_view bytes, std::size_t step) {
    std::string held;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        held += bytes.substr(at, step);
        held.erase(0, reader.put(held));
    }
    return held;
}

struct Case {
    const char* name;
    std::string bytes;
    bool ends;  ///< the connection is closed behind them
    State state;
    int status = 0;
    bool keep_alive = false;
    std::uint64_t body = 0;
};

std::string with_body(std::size_t size) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
           std::string(size, 'x');
}

std::vector<Case> cases() {
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    return {
        {"length", with_body(10), false, State::complete, 200, true, 10},
        {"no body", "HTTP/1.1 204 No Content\r\n\r\n", false, State::complete, 204, true},
        {"not modified has a length and no body",
         "HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", false, State::complete, 304,
         true},
        {"says close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", false,
         State::complete, 200, false, 2},
        {"old version closes", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false,
         State::complete, 200, false, 2},
        {"old version that keeps alive",
         "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", false,
         State::complete, 200, true, 2},
        {"body until the end", "HTTP/1.1 200 OK\r\n\r\nabc", true, State::complete, 200, false, 3},
        {"empty body until the end", "HTTP/1.1 200 OK\r\n\r\n", true, State::complete, 200, false},
        {"chunks", chunked + "5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n", false, State::complete, 200,
         true, 6},
        {"chunks with a trailer", chunked + "1\r\n!\r\n0\r\nX-Lab-User: 9\r\n\r\n", false,
         State::complete, 200, true, 1},
        {"no chunks", chunked + "0\r\n\r\n", false, State::complete, 200, true, 0},
        {"no chunks and a trailer", chunked + "0\r\nA: b\r\n\r\n", false, State::complete, 200, true},
        {"interim answers first",
         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + with_body(3),
         false, State::complete, 200, true, 3},
        {"error", "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", false, State::complete, 503,
         true},
        {"largest body", with_body(1'000'000), false, State::complete, 200, true, 1'000'000},
        {"too large a body", with_body(1'000'001), false, State::broken},
        {"cut in the head", "HTTP/1.1 200 OK\r\nContent-Le", true, State::broken},
        {"cut in the body", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", true, State::broken},
        {"cut in a chunk", chunked + "5\r\nhel", true, State::broken},
        {"cut after an interim answer", "HTTP/1.1 100 Continue\r\n\r\n", true, State::broken},
        {"nothing", "", true, State::broken},
        {"not HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n", false, State::broken},
        {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
         false, State::broken},
        {"negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", false, State::broken},
        {"status of two digits", "HTTP/1.1 20 OK\r\n\r\n", false, State::broken},
        {"status beyond", "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", false, State::broken},
        {"switching protocols", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", false,
         State::broken},
        {"bad chunk size", chunked + "zz\r\n", false, State::broken},
        {"too long a head", "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n", false,
         State::broken},
        {"unfinished", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", false, State::reading},
    };
}

TEST(ResponseReader, ReadsEveryKindOfAnswerInPiecesOfAnySize) {
    for (const Case& one : cases()) {
        const std::size_t steps[] = {1, 2, 7, 1000, one.bytes.size() + 1};
        for (const std::size_t step : steps) {
            if (one.bytes.size() > 10'000 && step < 1000) continue;
            SCOPED_TRACE(std::string{one.name} + ", in pieces of " + std::to_string(step));
            ResponseReader reader;
            feed(reader, one.bytes, step);
            if (one.ends) reader.put_end();
            ASSERT_EQ(reader.state(), one.state);
            if (one.state != State::complete) continue;
            EXPECT_EQ(reader.answer().status, one.status);
            EXPECT_EQ(reader.answer().keep_alive, one.keep_alive);
            EXPECT_EQ(reader.answer().body_bytes, one.body);
            EXPECT_FALSE(reader.answer().made_for) << "a trailer is no field";
        }
    }
}

TEST(ResponseReader, LeavesWhatFollowsAnAnswerAlone) {
    ResponseReader reader;
    EXPECT_EQ(feed(reader, with_body(3) + "HTTP/1.1 5", 1), "HTTP/1.1 5");
    EXPECT_EQ(reader.state(), State::complete);
}

TEST(ResponseReader, KnowsWhetherAnAnswerHasBegun) {
    ResponseReader reader;
    EXPECT_FALSE(reader.begun());
    reader.put("H");
    EXPECT_TRUE(reader.begun());
    reader.reset();
    EXPECT_FALSE(reader.begun());
}

TEST(ResponseReader, ForgetsOneAnswerBeforeTheNext) {
    ResponseReader reader;
    reader.put(
        "HTTP/1.1 200 OK\r\nX-Lab-User: 7\r\nX-Lab-Version: 5,9\r\nContent-Length: 2\r\n\r\nok");
    ASSERT_EQ(reader.state(), State::complete);
    EXPECT_EQ(reader.answer().made_for, 7u);
    reader.reset();
    reader.put("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    ASSERT_EQ(reader.state(), State::complete);
    EXPECT_FALSE(reader.answer().made_for);
    EXPECT_EQ(reader.answer().version_count, 0u);
    EXPECT_EQ(reader.answer().body_bytes, 0u);
}

TEST(ResponseReader, StaysBrokenUntilItIsReset) {
    ResponseReader reader;
    reader.put("nonsense\r\n\r\n");
    EXPECT_EQ(reader.state(), State::broken);
    EXPECT_EQ(reader.put(with_body(1)), 0u);
    EXPECT_EQ(reader.state(), State::broken);
    reader.reset();
    reader.put(with_body(1));
    EXPECT_EQ(reader.state(), State::complete);
}

TEST(ResponseReader, ReadsWhatOurServerTells) {
    measure::ServerTimes times;
    times.received = Instant{123'456'789ns};
    times.ready = times.received + 5ms;
    times.service = 4ms;
    times.parts[static_cast<std::size_t>(Part::database)] = 3ms;
    std::string text;
    write_times(text, times);
    ResponseReader reader;
    feed(reader,
         "HTTP/1.1 200 OK\r\nx-lab-times: " + text +
             "\r\nX-LAB-USER: 41\r\nX-Lab-Version: 5,9,13\r\nContent-Length: 0\r\n\r\n",
         3);
    ASSERT_EQ(reader.state(), State::complete);
    const auto& answer = reader.answer();
    ASSERT_TRUE(answer.times);
    EXPECT_EQ(answer.times->received, times.received);
    EXPECT_EQ(answer.times->ready, times.ready);
    EXPECT_EQ(answer.times->parts, times.parts);
    EXPECT_EQ(answer.made_for, 41u);
    ASSERT_EQ(answer.version_count, 3u);
    EXPECT_EQ(answer.versions[2], 13u);
}

TEST(ResponseReader, IgnoresFieldsThatSayNothingSensible) {
    ResponseReader reader;
    reader.put(
        "HTTP/1.1 200 OK\r\nX-Lab-Times: soon\r\nX-Lab-User: me\r\nX-Lab-Version: 1,x\r\n"
        "Content-Length: 0\r\n\r\n");
    ASSERT_EQ(reader.state(), State::complete);
    EXPECT_FALSE(reader.answer().times);
    EXPECT_FALSE(reader.answer().made_for);
    EXPECT_EQ(reader.answer().version_count, 0u);
}

/// Answers with bytes changed, taken out and doubled, by a fixed seed.
std::string mutated(std::string bytes, std::uint64_t round) {
    const auto draw = [&](std::uint32_t step, std::uint64_t below) {
        return core::keyed_below(42, round, step, below);
    };
    for (std::uint32_t change = 0; change <= draw(0, 4); ++change) {
        if (bytes.empty()) return bytes;
        const auto at = draw(10 * change + 1, bytes.size());
        const auto length = draw(10 * change + 2, 20);
        switch (draw(10 * change + 3, 4)) {
            case 0:
                bytes[at] = static_cast<char>(draw(10 * change + 4, 256));
                break;
            case 1:
                bytes.erase(at, length);
                break;
            case 2:
                bytes.insert(at, bytes.substr(at, length));
                break;
            default:
                bytes[at] = "\r\n:0;, f"[draw(10 * change + 4, 9)];
                break;
        }
    }
    return bytes;
}

TEST(ResponseReader, EndsWithAnAnswerOrAnErrorWhateverComes) {
    std::vector<std::string> seeds;
    for (const Case& one : cases()) {
        if (one.bytes.size() < 1000) seeds.push_back(one.bytes);
    }
    int complete = 0, broken = 0;
    for (std::uint64_t round = 0; round < 20'000; ++round) {
        const std::string bytes = mutated(seeds[round % seeds.size()], round);
        ResponseReader whole, pieces;
        whole.put(bytes);
        whole.put_end();
        feed(pieces, bytes, 1 + round % 5);
        pieces.put_end();
        ASSERT_NE(whole.state(), State::reading);
        ASSERT_EQ(whole.state(), pieces.state()) << testing::PrintToString(bytes);
        if (whole.state() == State::complete) {
            ++complete;
            ASSERT_EQ(whole.answer().status, pieces.answer().status);
            ASSERT_EQ(whole.answer().body_bytes, pieces.answer().body_bytes);
        } else {
            ++broken;
        }
    }
    EXPECT_GT(complete, 1000);
    EXPECT_GT(broken, 1000);
}

}  // namespace
}  // namespace lab::live
