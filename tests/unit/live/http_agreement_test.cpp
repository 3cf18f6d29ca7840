// SPDX-License-Identifier: GPL-3.0-or-later
// Our checks and Beast's parser read the same bytes one after the other: on many mutated requests
// they must come to the same end, or there is a request that one of them sees and the other does
// not.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/keyed_random.hpp"
#include "live/chunk_check.hpp"
#include "live/head_check.hpp"
#include "live/http_parser.hpp"

namespace lab::live {
namespace {

constexpr std::uint64_t body_limit = 1'000;
constexpr std::uint64_t seed = 42;
constexpr int mutations = 30'000;

constexpr std::array<std::string_view, 6> requests{
    "GET /a?b=c HTTP/1.1\r\nHost: localhost\r\nCookie: user=7\r\nConnection: keep-alive\r\n\r\n",
    "POST /pay HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
    "POST /pay HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    "5;a=\"b\"\r\nhello\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
    "HEAD http://localhost:80/x HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\nExpect: 100-continue\r\nUpgrade: h2c\r\n\r\n",
    "POST /pay HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nX-Lab-Request: "
    "9\r\n\r\n"
    "0\r\n\r\n",
};
constexpr std::array<std::string_view, 20> spices{
    "\r\n",     "\n",    "\r",       " ",    "\t",
    ":",        ";",     ",",        "0",    "chunked",
    "5",        "\"",    "\\",       "=",    "%41",
    "\r\n\r\n", "close", "HTTP/1.1", "\x80", "Content-Length: 5\r\n"};

/// Draws for one mutated request.
class Dice {
  public:
    explicit Dice(std::uint64_t request) : request_{request} {}
    std::size_t below(std::size_t n) {
        return static_cast<std::size_t>(core::keyed_below(seed, request_, ++step_, n));
    }

  private:
    std::uint64_t request_;
    std::uint32_t step_ = 0;
};

std::string mutated(Dice& dice) {
    std::string text{requests[dice.below(requests.size())]};
    for (auto changes = dice.below(4); changes > 0; --changes) {
        const auto at = dice.below(text.size());
        switch (dice.below(4)) {
            case 0:
                text[at] = static_cast<char>(dice.below(256));
                break;
            case 1:
                text.insert(at, spices[dice.below(spices.size())]);
                break;
            case 2:
                text.erase(at, 1 + dice.below(3));
                break;
            default:
                text.insert(at, text.substr(dice.below(text.size()), dice.below(30)));
                break;
        }
    }
    return text;
}

struct Tally {
    int heads = 0;   ///< complete to our check
    int agreed = 0;  ///< and read alike by Beast
    int bodies = 0;  ///< complete chunked bodies
};

/// Gives a chunked body to both in pieces.
void read_chunks(RequestParser& parser, std::string_view body, Dice& dice, Tally& tally) {
    ChunkCheck check;
    check.restart(body_limit);
    std::string waiting;
    while (!body.empty()) {
        const auto piece = std::min(body.size(), 1 + dice.below(9));
        waiting += body.substr(0, piece);
        body.remove_prefix(piece);
        std::size_t cleared = 0;
        const auto verdict = check.scan(waiting, cleared);
        if (verdict == Scan::refused) return;
        ASSERT_TRUE(parser.read_body(std::string_view{waiting}.substr(0, cleared))) << waiting;
        waiting.erase(0, cleared);
        ASSERT_EQ(parser.done(), verdict == Scan::complete) << waiting;
        if (verdict == Scan::complete) {
            ++tally.bodies;
            return;
        }
    }
}

void read_both(const std::string& text, Dice& dice, Tally& tally) {
    HeadCheck check;
    if (check.scan(text, body_limit) != Scan::complete) return;
    ++tally.heads;
    const auto& facts = check.facts();
    RequestParser parser;
    const auto head = std::string_view{text}.substr(facts.skipped, facts.length - facts.skipped);
    if (!parser.read_head(head, body_limit)) return;  // Beast may be the stricter one: 400
    ++tally.agreed;
    const auto& seen = parser.seen();
    ASSERT_EQ(seen.method, facts.method) << text;
    ASSERT_EQ(seen.http_1_1, facts.http_1_1) << text;
    ASSERT_EQ(seen.chunked, facts.chunked) << text;
    ASSERT_EQ(seen.content_length.has_value(), facts.has_length) << text;
    ASSERT_EQ(seen.content_length.value_or(0), facts.content_length) << text;
    if (facts.chunked)
        read_chunks(parser, std::string_view{text}.substr(facts.length), dice, tally);
}

TEST(CheckAndParser, ComeToTheSameEndOnMutatedRequests) {
    Tally tally;
    for (std::uint64_t i = 0; i < mutations; ++i) {
        Dice dice{i};
        const auto text = mutated(dice);
        ASSERT_NO_FATAL_FAILURE(read_both(text, dice, tally)) << "mutation " << i;
    }
    // The mutations are mild enough for all three ways to be walked often.
    EXPECT_GT(tally.heads, mutations / 4);
    EXPECT_GT(tally.agreed, tally.heads * 9 / 10);
    EXPECT_GT(tally.bodies, mutations / 20);
}

}  // namespace
}  // namespace lab::live
