// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/wire.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "core/program.hpp"

namespace lab::live {
namespace {

measure::ServerTimes some_times() {
    measure::ServerTimes times;
    times.received = Instant{123'456'789'012'345ns};
    times.ready = Instant{123'456'799'012'345ns};
    for (auto part = static_cast<std::size_t>(Part::proxy);
         part <= static_cast<std::size_t>(Part::render); ++part) {
        times.parts[part] = Duration{static_cast<std::int64_t>(part * part * 1'000)};
    }
    times.service = core::service_time(times.parts);
    return times;
}

TEST(Times, ComeBackAsTheyWereWritten) {
    const auto times = some_times();
    std::string text;
    write_times(text, times);
    const auto read = read_times(text);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->received, times.received);
    EXPECT_EQ(read->ready, times.ready);
    EXPECT_EQ(read->parts, times.parts);
    EXPECT_EQ(read->service, times.service);
    EXPECT_GT(read->service, 0ns);
}

TEST(Times, AreAppended) {
    std::string text = "X-Lab-Times: ";
    write_times(text, {});
    EXPECT_EQ(text, "X-Lab-Times: 0.0.0.0.0.0.0.0.0.0.0.0.0.0.0");
}

TEST(Times, AreNotReadFromWhatIsNotWrittenSo) {
    std::string good;
    write_times(good, some_times());
    ASSERT_TRUE(read_times(good));
    for (std::size_t n = 0; n < good.size(); ++n) {
        // Cut anywhere but inside the last number, it is another text.
        if (n <= good.rfind('.') + 1) {
            EXPECT_FALSE(read_times(good.substr(0, n))) << n;
        }
    }
    for (const std::string& bad :
         {good + ".0", good + " ", " " + good, good + "g", "-1" + good,
          std::string{"0.0.0.0.0.0.0.0.0.0.0.0.0.0."}, std::string{"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0"},
          std::string{"0.ffffffffffffffff.0.0.0.0.0.0.0.0.0.0.0.0.0"},
          std::string{"0.1ffffffffffffffff.0.0.0.0.0.0.0.0.0.0.0.0.0"}}) {
        EXPECT_FALSE(read_times(bad)) << bad;
    }
}

TEST(VersionList, ComesBackAsItWasWritten) {
    std::string text;
    write_versions(text, {5, 0, UINT64_MAX});
    EXPECT_EQ(text, "5,0,18446744073709551615");
    std::array<std::uint64_t, 4> read{};
    ASSERT_EQ(read_versions(text, read.data(), read.size()), 3u);
    EXPECT_EQ(read[0], 5u);
    EXPECT_EQ(read[1], 0u);
    EXPECT_EQ(read[2], UINT64_MAX);
}

TEST(VersionList, IsNotReadWhenMalformedOrTooLong) {
    std::array<std::uint64_t, 4> read{};
    for (const char* text : {"", ",", "1,", ",1", "1,,2", "a", "-1", "1;2", " 1", "1 ",
                             "18446744073709551616", "1,2,3,4,5"}) {
        EXPECT_EQ(read_versions(text, read.data(), read.size()), 0u) << text;
    }
    EXPECT_EQ(read_versions("1,2,3,4", read.data(), read.size()), 4u);
}

}  // namespace
}  // namespace lab::live
