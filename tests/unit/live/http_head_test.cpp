// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/head_check.hpp"

#include <gtest/gtest.h>

#include <string>

namespace lab::live {
namespace {

constexpr std::uint64_t body_limit = 1'000;
const std::string host = "Host: localhost\r\n";

struct Verdict {
    Scan scan;
    std::uint16_t status;
};

Verdict verdict(const std::string& bytes) {
    HeadCheck check;
    const auto scan = check.scan(bytes, body_limit);
    return {scan, scan == Scan::refused ? check.status() : std::uint16_t{0}};
}

std::uint16_t refusal(const std::string& bytes) {
    const auto found = verdict(bytes);
    EXPECT_EQ(found.scan, Scan::refused) << bytes;
    return found.status;
}

HeadFacts accepted(const std::string& bytes) {
    static std::string kept;  // facts point into it
    kept = bytes;
    HeadCheck check;
    EXPECT_EQ(check.scan(kept, body_limit), Scan::complete) << bytes;
    return check.facts();
}

std::string request(const std::string& fields) {
    return "GET / HTTP/1.1\r\n" + host + fields + "\r\n";
}

TEST(HeadCheck, TakesAPlainRequestApart) {
    const auto facts =
        accepted("\r\nPOST /a?b HTTP/1.1\r\n" + host + "Content-Length: 12\r\n\r\nbody");
    EXPECT_EQ(facts.skipped, 2u);
    EXPECT_EQ(facts.length, 2u + 20 + host.size() + 20 + 2);
    EXPECT_EQ(facts.method, "POST");
    EXPECT_EQ(facts.target.path, "/a");
    EXPECT_EQ(facts.target.query, "b");
    EXPECT_TRUE(facts.http_1_1);
    EXPECT_TRUE(facts.has_length);
    EXPECT_EQ(facts.content_length, 12u);
    EXPECT_FALSE(facts.chunked);
}

TEST(HeadCheck, SaysTheSameHoweverTheBytesAreCutUp) {
    const std::string bytes = "\r\nGET /x HTTP/1.1\r\n" + host + "A: b\r\n\r\n";
    HeadCheck check;
    for (std::size_t n = 0; n < bytes.size(); ++n) {
        ASSERT_EQ(check.scan(bytes.substr(0, n), body_limit), Scan::more) << n;
    }
    ASSERT_EQ(check.scan(bytes, body_limit), Scan::complete);
    EXPECT_EQ(check.facts().length, bytes.size());
    EXPECT_EQ(check.facts().target.path, "/x");
}

TEST(HeadCheck, KnowsWhetherMoreThanBlankLinesHasCome) {
    HeadCheck check;
    EXPECT_EQ(check.scan("\r\n\r\n", body_limit), Scan::more);
    EXPECT_FALSE(check.begun("\r\n\r\n"));
    EXPECT_EQ(check.scan("\r\n\r\nG", body_limit), Scan::more);
    EXPECT_TRUE(check.begun("\r\n\r\nG"));
}

TEST(HeadCheck, PassesRequestLinesOf8000OctetsAndCallsLongerOnes414) {
    const std::string frame = "GET / HTTP/1.1";
    const auto line = [&](std::size_t octets) {
        return "GET /" + std::string(octets - frame.size(), 'a') + " HTTP/1.1\r\n" + host + "\r\n";
    };
    EXPECT_EQ(verdict(line(request_line_limit)).scan, Scan::complete);
    EXPECT_EQ(refusal(line(request_line_limit + 1)), 414);
    EXPECT_EQ(refusal(std::string(request_line_limit + 2, 'a')), 414);
}

TEST(HeadCheck, PassesHeadsOf16000OctetsAndCallsLongerOnes431) {
    const auto head = [&](std::size_t octets) {
        const auto rest = octets - request("A: \r\n").size();
        return request("A: " + std::string(rest, 'b') + "\r\n");
    };
    EXPECT_EQ(verdict(head(head_limit)).scan, Scan::complete);
    EXPECT_EQ(refusal(head(head_limit + 1)), 431);
    EXPECT_EQ(refusal(head(head_limit + 100).substr(0, head_limit)), 431);
}

TEST(HeadCheck, PassesAHundredFieldsAndCallsMore431) {
    std::string fields;
    for (int i = 0; i < field_limit - 1; ++i) fields += "A: b\r\n";
    EXPECT_EQ(verdict(request(fields)).scan, Scan::complete);
    EXPECT_EQ(refusal(request(fields + "A: b\r\n")), 431);
}

TEST(HeadCheck, PassesEightBlankLinesAndRefusesNine) {
    std::string blanks;
    for (int i = 0; i < blank_line_limit; ++i) blanks += "\r\n";
    EXPECT_EQ(verdict(blanks + request("")).scan, Scan::complete);
    EXPECT_EQ(refusal(blanks + "\r\n" + request("")), 400);
}

TEST(HeadCheck, RefusesWhatIsNoHttpAtItsFirstOctet) {
    EXPECT_EQ(refusal("\x16\x03\x01"), 400);
    EXPECT_EQ(refusal(" GET"), 400);
}

TEST(HeadCheck, TellsAnUnknownCodingFromATrick) {
    const auto te = [](const std::string& value) {
        return refusal(request("Transfer-Encoding: " + value + "\r\n"));
    };
    for (const char* value :
         {"gzip", "gzip, chunked", "identity", "xchunked", "deflate , chunked"}) {
        EXPECT_EQ(te(value), 501) << value;
    }
    for (const char* value : {"", "chunked, chunked", "chunked, gzip", "chunked;q=1", ",chunked",
                              "chunked,", "\"chunked\"", "gzip,,chunked", "chun ked"}) {
        EXPECT_EQ(te(value), 400) << value;
    }
    EXPECT_TRUE(accepted(request("Transfer-Encoding:\tCHUNKED \r\n")).chunked);
}

TEST(HeadCheck, TakesOneLengthOfDigitsAndNoOther) {
    for (const char* value :
         {"", "+1", "-1", "1, 1", "1 1", "0x1", "1.0", "18446744073709551616"}) {
        EXPECT_EQ(refusal(request("Content-Length: " + std::string{value} + "\r\n")), 400) << value;
    }
    EXPECT_EQ(accepted(request("Content-Length: 0005\r\n")).content_length, 5u);
    EXPECT_EQ(accepted(request("Content-Length: 1000\r\n")).content_length, 1'000u);
    EXPECT_EQ(refusal(request("Content-Length: 1001\r\n")), 413);
}

TEST(HeadCheck, LetsTheAbsoluteFormsHostWin) {
    EXPECT_EQ(verdict("GET http://localhost/ HTTP/1.1\r\nHost: other.org\r\n\r\n").scan,
              Scan::complete);
    EXPECT_EQ(refusal("GET http://other.org/ HTTP/1.1\r\n" + host + "\r\n"), 421);
    EXPECT_EQ(refusal("GET https://localhost/ HTTP/1.1\r\n" + host + "\r\n"), 421);
    EXPECT_EQ(refusal("GET http://a@localhost/ HTTP/1.1\r\n" + host + "\r\n"), 400);
}

TEST(HeadCheck, HeedsExpectationsOnlyFromHttp11) {
    EXPECT_TRUE(accepted(request("Expect: 100-Continue\r\n")).expects_continue);
    EXPECT_EQ(refusal(request("Expect: a-miracle\r\n")), 417);
    EXPECT_FALSE(accepted("GET / HTTP/1.0\r\nExpect: a-miracle\r\n\r\n").expects_continue);
}

}  // namespace
}  // namespace lab::live
