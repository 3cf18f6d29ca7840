// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/chunk_check.hpp"

#include <gtest/gtest.h>

#include <string>

namespace lab::live {
namespace {

constexpr std::uint64_t body_limit = 1'000;

struct Walk {
    Scan scan = Scan::more;
    std::uint16_t status = 0;
    std::size_t used = 0;
};

/// Gives the body in pieces of `step` octets.
Walk walk(const std::string& body, std::size_t step) {
    ChunkCheck check;
    check.restart(body_limit);
    std::string waiting;
    Walk walk;
    for (std::size_t at = 0; at < body.size() && walk.scan == Scan::more; at += step) {
        waiting += body.substr(at, step);
        std::size_t cleared = 0;
        walk.scan = check.scan(waiting, cleared);
        waiting.erase(0, cleared);
        walk.used += cleared;
    }
    if (walk.scan == Scan::refused) walk.status = check.status();
    return walk;
}

void expect_complete(const std::string& body) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, body.size()}) {
        const auto found = walk(body, step);
        EXPECT_EQ(found.scan, Scan::complete) << body << " by " << step;
        EXPECT_EQ(found.used, body.size()) << body << " by " << step;
    }
}

void expect_refused(const std::string& body, int status = 400) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, body.size()}) {
        const auto found = walk(body, step);
        EXPECT_EQ(found.scan, Scan::refused) << body << " by " << step;
        EXPECT_EQ(found.status, status) << body << " by " << step;
    }
}

TEST(ChunkCheck, WalksToTheEndOfABodyAndNoFurther) {
    expect_complete("0\r\n\r\n");
    expect_complete("5\r\nhello\r\n0\r\n\r\n");
    expect_complete("A\r\n0123456789\r\n0a\r\n0123456789\r\n000\r\n\r\n");
    expect_complete("1\r\n\n\r\n0\r\nX: y\r\nZ:\r\n\r\n");
    ChunkCheck check;
    check.restart(body_limit);
    std::size_t cleared = 0;
    EXPECT_EQ(check.scan("1\r\na\r\n0\r\n\r\nGET /", cleared), Scan::complete);
    EXPECT_EQ(cleared, 11u);
}

TEST(ChunkCheck, ClearsOnlyWholeElementsForTheParser) {
    ChunkCheck check;
    check.restart(body_limit);
    std::size_t cleared = 0;
    EXPECT_EQ(check.scan("5\r", cleared), Scan::more);
    EXPECT_EQ(cleared, 0u);
    EXPECT_EQ(check.scan("5\r\nhe", cleared), Scan::more);
    EXPECT_EQ(cleared, 5u);
    EXPECT_EQ(check.scan("llo\r\n", cleared), Scan::more);
    EXPECT_EQ(cleared, 3u);
    EXPECT_EQ(check.scan("\r\n0\r\nA: b\r\n", cleared), Scan::more);
    EXPECT_EQ(cleared, 0u);
    EXPECT_EQ(check.scan("\r\n0\r\nA: b\r\n\r\n", cleared), Scan::complete);
    EXPECT_EQ(cleared, 13u);
}

TEST(ChunkCheck, AllowsExtensionsAsTheGrammarWritesThem) {
    expect_complete("1;a\r\nx\r\n0\r\n\r\n");
    expect_complete("1;a=b;c=\"d;\\\"e\"\r\nx\r\n0;f\r\n\r\n");
    expect_complete("1 ; a = b\r\nx\r\n0\r\n\r\n");
}

TEST(ChunkCheck, RefusesSizesThatAreNotHexadecimalAndLinesThatAreNotClean) {
    for (const char* body :
         {"\r\n", "x\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", " 1\r\n", "1 \r\n", "1\n", "1\r\nxy\r\n",
          "1\r\nx\n0\r\n\r\n", "10000000000000000\r\n", "1;\r\n", "1;=b\r\n", "1;a=\r\n",
          "1;a=\"b\r\n", "1;a b\r\n", "1,a\r\n", "1;a\x01\r\n"}) {
        expect_refused(body);
    }
}

TEST(ChunkCheck, RefusesABodyLongerThanTheLimitFromItsSize) {
    expect_refused("3e9\r\n", 413);
    expect_refused("1\r\nx\r\n3E8\r\n", 413);
    expect_refused("ffffffffffffffff\r\n", 413);
}

TEST(ChunkCheck, BoundsExtensionsOverTheWholeBody) {
    std::string body;
    for (std::size_t n = 0; n <= chunk_extension_limit; n += 10) body += "1;abcdefghi\r\nx\r\n";
    expect_refused(body);
    expect_refused("1;" + std::string(chunk_extension_limit + 30, 'a'));
}

TEST(ChunkCheck, BoundsTrailersInNumberAndOctets) {
    std::string fields;
    for (int i = 0; i < trailer_field_limit; ++i) fields += "A: b\r\n";
    expect_complete("0\r\n" + fields + "\r\n");
    expect_refused("0\r\n" + fields + "A: b\r\n\r\n", 431);
    expect_refused("0\r\nA: " + std::string(trailer_limit + 10, 'b'), 431);
}

TEST(ChunkCheck, RefusesTrailersThatFrameOrRouteAMessage) {
    for (const char* name : {"Content-Length", "TRANSFER-ENCODING", "host", "Connection"}) {
        expect_refused("0\r\n" + std::string{name} + ": close\r\n\r\n");
    }
}

TEST(ChunkCheck, RefusesTrailersThatAreNoFields) {
    for (const char* body : {"0\r\nA\r\n\r\n", "0\r\n A: b\r\n\r\n", "0\r\nA : b\r\n\r\n",
                             "0\r\nA: b\r\n c\r\n\r\n", "0\r\n: b\r\n\r\n", "0\r\nA: b\n\r\n"}) {
        expect_refused(body);
    }
}

}  // namespace
}  // namespace lab::live
