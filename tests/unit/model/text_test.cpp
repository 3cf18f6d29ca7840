// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/text.hpp"

#include <clocale>

#include <gmock/gmock.h>

#include "model/utf8.hpp"

namespace lab {
namespace {

TEST(Durations, AreReadWithTheirUnit) {
    EXPECT_EQ(*parse_duration("50ms"), 50ms);
    EXPECT_EQ(*parse_duration("1.5s"), 1500ms);
    EXPECT_EQ(*parse_duration("20us"), 20us);
    EXPECT_EQ(*parse_duration("7ns"), 7ns);
    EXPECT_EQ(*parse_duration("3min"), 180s);
    EXPECT_EQ(*parse_duration("0s"), 0s);
    EXPECT_EQ(*parse_duration("50 ms"), 50ms);
    EXPECT_EQ(*parse_duration(".5s"), 500ms);
    EXPECT_EQ(*parse_duration("599.999999999s"), 599'999'999'999ns);
}

TEST(Durations, AreRefusedWhereAnythingIsLeftOver) {
    for (const char* text :
         {"", "50", "ms", "50 m s", "50msx", "-1s", "-0s", "+1s", "1,5s", "1e999s", "inf s", "nans",
          "0x10ms", " 50ms", "50ms ", "1h", "50MS", "1e300min"}) {
        const auto result = parse_duration(text);
        ASSERT_FALSE(result) << text;
        EXPECT_EQ(result.error().code, ErrorCode::invalid_input);
    }
    EXPECT_EQ(
        parse_duration("50").error().detail,
        "found \"50\"; allowed: a duration with its unit (ns, us, ms, s, min), such as \"50ms\" "
        "or \"1.5s\"");
}

TEST(Rates, AreReadPerSecondOrPerMinute) {
    EXPECT_EQ(parse_rate("30/s")->per_second(), 30);
    EXPECT_EQ(parse_rate("600/min")->per_second(), 10);
    EXPECT_EQ(parse_rate("0.5/s")->per_second(), 0.5);
    for (const char* text : {"30", "30s", "30/", "/s", "30/h", "-1/s"}) {
        EXPECT_FALSE(parse_rate(text)) << text;
    }
}

TEST(Sizes, HaveUnitsOfTenAndOfTwo) {
    EXPECT_EQ(parse_bytes("500B")->count, 500);
    EXPECT_EQ(parse_bytes("10kB")->count, 10'000);
    EXPECT_EQ(parse_bytes("1.5MB")->count, 1'500'000);
    EXPECT_EQ(parse_bytes("4KiB")->count, 4'096);
    EXPECT_EQ(parse_bytes("1MiB")->count, 1'048'576);
    for (const char* text : {"10", "10KB", "10kb", "0.5B", "-1kB", "10 k B", "9e10MB"}) {
        EXPECT_FALSE(parse_bytes(text)) << text;
    }
}

TEST(Distributions, AreReadFromWords) {
    EXPECT_EQ(*parse_distribution("50ms"), Distribution::constant(50ms));
    EXPECT_EQ(*parse_distribution("constant 50ms"), Distribution::constant(50ms));
    EXPECT_EQ(*parse_distribution("uniform 10ms  90ms"), Distribution::uniform(10ms, 90ms));
    EXPECT_EQ(*parse_distribution("exponential 50ms"), Distribution::exponential(50ms));
    EXPECT_EQ(*parse_distribution("lognormal 50ms 200ms"), Distribution::lognormal(50ms, 200ms));
    for (const char* text :
         {"", " ", "uniform", "uniform 1ms", "uniform 1ms 2ms 3ms", "exponential", "lognormal 1ms",
          "gamma 1ms", "50ms 60ms", "exponential fast"}) {
        EXPECT_FALSE(parse_distribution(text)) << text;
    }
}

TEST(Numbers, AreReadWholeAndFinite) {
    EXPECT_EQ(*parse_count("42"), 42);
    EXPECT_EQ(*parse_count("-3"), -3);
    EXPECT_EQ(*parse_number("1.5"), 1.5);
    for (const char* text : {"", "4 ", "4.0", "four", "99999999999999999999"}) {
        EXPECT_FALSE(parse_count(text)) << text;
    }
    for (const char* text : {"", "1,5", "inf", "nan", "1e999", "1.5x"}) {
        EXPECT_FALSE(parse_number(text)) << text;
    }
}

TEST(Quantities, AreReadAndWrittenWithAPointInEveryLocale) {
    const std::string before = std::setlocale(LC_ALL, nullptr);
    for (const char* name : {"de_DE.UTF-8", "tr_TR.UTF-8", "ar_EG.UTF-8"}) {
        std::setlocale(LC_ALL, name);  // where the machine has it
        EXPECT_EQ(*parse_duration("1.5s"), 1500ms);
        EXPECT_EQ(write_number(1.5), "1.5");
        EXPECT_EQ(show_rate(ArrivalRate::per_second(1.5)), "1.5/s");
    }
    std::setlocale(LC_ALL, before.c_str());
}

TEST(Quantities, ReadBackAsTheyWereWritten) {
    for (const std::int64_t n :
         {0LL, 1LL, 999LL, 1'000LL, 1'001LL, 20'000LL, 1'234'567LL, 50'000'000LL, 1'234'567'891LL,
          60'000'000'000LL, 599'999'999'999LL}) {
        EXPECT_EQ(*parse_duration(write_duration(Duration{n})), Duration{n});
        EXPECT_EQ(*parse_duration(show_duration(Duration{n})), Duration{n});
        EXPECT_EQ(*parse_bytes(write_bytes(Bytes{n})), Bytes{n}) << write_bytes(Bytes{n});
    }
    for (const double r : {0.0, 0.1, 1.0 / 3, 30.0, 49'999.5}) {
        EXPECT_EQ(parse_rate(write_rate(ArrivalRate::per_second(r)))->per_second(), r);
    }
    for (const Distribution& d :
         {Distribution::constant(50ms), Distribution::uniform(1ms, 2ms),
          Distribution::exponential(3us), Distribution::lognormal(1s, 2s)}) {
        EXPECT_EQ(*parse_distribution(write_distribution(d)), d);
    }
}

TEST(Quantities, AreShownInTheUnitThatFits) {
    EXPECT_EQ(show_duration(50ms), "50 ms");
    EXPECT_EQ(show_duration(1500ms), "1.5 s");
    EXPECT_EQ(show_duration(180s), "3 min");
    EXPECT_EQ(show_duration(90s), "90 s");
    EXPECT_EQ(show_duration(-5ms), "-5 ms");
    EXPECT_EQ(show_bytes(Bytes{10'000}), "10 kB");
    EXPECT_EQ(show_bytes(Bytes{4'096}), "4 KiB");
    EXPECT_EQ(show_bytes(Bytes{1'048'576}), "1 MiB");
    EXPECT_EQ(show_bytes(Bytes{1'000'000}), "1 MB");
    EXPECT_EQ(show_bytes(Bytes{1'234}), "1.234 kB");
    EXPECT_EQ(show_count(0), "0");
    EXPECT_EQ(show_count(999), "999");
    EXPECT_EQ(show_count(1'000), "1,000");
    EXPECT_EQ(show_count(-1'234'567), "-1,234,567");
}

TEST(Escaped, ShowsControlsAndBytesThatAreNoText) {
    EXPECT_EQ(escaped("plain \xc3\xa9"), "plain \xc3\xa9");
    EXPECT_EQ(escaped("\x1b[31m\n\t\x7f"), "\\x1b[31m\\n\\t\\x7f");
    EXPECT_EQ(escaped("\xc2\x85"), "\\u0085");
    EXPECT_EQ(escaped("\xe2\x80\xae"), "\\u202e");
    EXPECT_EQ(escaped("\xff\xc3"), "\\xff\\xc3");
    EXPECT_EQ(escaped(std::string_view("\0", 1)), "\\x00");
}

TEST(InQuotes, CutsALongTextBetweenCharacters) {
    EXPECT_EQ(in_quotes("a\"b"), "\"a\"b\"");
    std::string accents;
    for (int i = 0; i < 61; ++i) accents += "\xc3\xa9";
    EXPECT_EQ(in_quotes(accents), "\"" + accents.substr(2) + "...\"");
    EXPECT_EQ(in_quotes(accents.substr(2)), "\"" + accents.substr(2) + "\"");
}

TEST(Utf8, TakesTheShortestFormOnly) {
    const auto valid = [](std::string_view text) { return utf8::first(text).valid; };
    EXPECT_EQ(utf8::first("\xf0\x9f\x98\x80").code, char32_t{0x1f600});
    EXPECT_EQ(utf8::first("\xed\x9f\xbf").code, char32_t{0xd7ff});
    EXPECT_TRUE(valid("\xf4\x8f\xbf\xbf"));
    for (const char* wrong :
         {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80",
          "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3", "\xe2\x82",
          "\xf0\x9f\x98", "\xc3(", "\xff"}) {
        EXPECT_FALSE(valid(wrong));
        EXPECT_EQ(utf8::first(wrong).length, 1u);
    }
}

}  // namespace
}  // namespace lab
