// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/http_text.hpp"

#include <gtest/gtest.h>

namespace lab::live {
namespace {

using Form = Target::Form;

TEST(Host, IsOursByItsThreeNamesWithAnyPort) {
    for (const char* host : {"localhost", "LocalHost:80", "127.0.0.1", "127.0.0.1:65535", "[::1]",
                             "[::1]:8080", "localhost:"}) {
        EXPECT_EQ(check_host(host), HostVerdict::ours) << host;
    }
}

TEST(Host, IsForeignWhenItNamesAnotherMachineOrOnlyLooksLikeOurs) {
    for (const char* host :
         {"example.com", "127.0.0.1.example.com", "localhost.example.com", "127.1", "127.0.0.2",
          "0.0.0.0", "2130706433", "[::]", "[::ffff:127.0.0.1]", "localhost.", "%6cocalhost"}) {
        EXPECT_EQ(check_host(host), HostVerdict::foreign) << host;
    }
}

TEST(Host, IsMalformedWhenTheGrammarDoesNotMakeIt) {
    for (const char* host :
         {"", ":80", "a b", "user@localhost", "localhost:65536", "localhost:8o", "localhost:-1",
          "[::1", "[]", "[::1]x", "a/b", "a%2", "a%zz", "a,b:1:2"}) {
        EXPECT_EQ(check_host(host), HostVerdict::malformed) << host;
    }
}

TEST(RequestTarget, InOriginFormIsPathAndQuery) {
    const auto target = split_target("/a/b?x=1&y=/?", false, false);
    EXPECT_EQ(target.form, Form::origin);
    EXPECT_EQ(target.path, "/a/b");
    EXPECT_EQ(target.query, "x=1&y=/?");
    EXPECT_EQ(target.path_query, "/a/b?x=1&y=/?");
}

TEST(RequestTarget, InAbsoluteFormGivesItsHostAndAPath) {
    const auto target = split_target("HTTP://localhost:80/a?b", false, false);
    EXPECT_EQ(target.form, Form::absolute);
    EXPECT_EQ(target.authority, "localhost:80");
    EXPECT_EQ(target.path, "/a");
    EXPECT_EQ(target.query, "b");
    EXPECT_FALSE(target.secure);
    EXPECT_EQ(split_target("http://localhost", false, false).path_query, "/");
    EXPECT_EQ(split_target("http://localhost?q", false, false).path, "/");
    EXPECT_EQ(split_target("http://localhost?q", false, false).query, "q");
    EXPECT_TRUE(split_target("https://localhost/", false, false).secure);
}

TEST(RequestTarget, HasAuthorityAndAsteriskFormOnlyForTheirMethods) {
    EXPECT_EQ(split_target("localhost:80", true, false).form, Form::authority);
    EXPECT_EQ(split_target("localhost:80", false, false).form, Form::malformed);
    EXPECT_EQ(split_target("/", true, false).form, Form::malformed);
    EXPECT_EQ(split_target("localhost", true, false).form, Form::malformed);
    EXPECT_EQ(split_target("*", false, true).form, Form::asterisk);
    EXPECT_EQ(split_target("*", false, false).form, Form::malformed);
}

TEST(RequestTarget, IsMalformedWithAnOctetThatNoUriHas) {
    for (const char* text :
         {"", "a", "/a#b", "/a b", "/a\"", "/<a>", "/\\", "/^", "/{a}", "/|", "/`", "/%", "/%4",
          "/%4g", "/\x7f", "/\xc3\xa4", "ftp://localhost/", "http//a", "http://localhost/a#b"}) {
        EXPECT_EQ(split_target(text, false, false).form, Form::malformed) << text;
    }
}

TEST(PercentDecode, ReplacesEscapesAndRefusesBrokenOnesAndNul) {
    EXPECT_EQ(percent_decode("a%20b%2Fc%c3%A4"), "a b/c\xc3\xa4");
    EXPECT_EQ(percent_decode("%"), std::nullopt);
    EXPECT_EQ(percent_decode("a%2"), std::nullopt);
    EXPECT_EQ(percent_decode("a%g0"), std::nullopt);
    EXPECT_EQ(percent_decode("a%00"), std::nullopt);
}

TEST(Number, TakesDigitsThatFitAndNothingElse) {
    EXPECT_EQ(read_number("0"), 0u);
    EXPECT_EQ(read_number("0007"), 7u);
    EXPECT_EQ(read_number("18446744073709551615"), UINT64_MAX);
    for (const char* text :
         {"", "18446744073709551616", "-1", "+1", " 1", "1 ", "0x1", "1,1", "1e3"}) {
        EXPECT_EQ(read_number(text), std::nullopt) << text;
    }
}

}  // namespace
}  // namespace lab::live
