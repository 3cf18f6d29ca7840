// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/report.hpp"
#include "report/numbers.hpp"
#include "unit/report/results.hpp"

namespace lab {
namespace {

using testing::eventful_frame;
using testing::eventful_run;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Number, HasNoExponentAndNoUselessZero) {
    EXPECT_EQ(report::plain(0.0), "0");
    EXPECT_EQ(report::plain(-0.0), "0");
    EXPECT_EQ(report::plain(-0.0000001), "0");
    EXPECT_EQ(report::plain(100.0), "100");
    EXPECT_EQ(report::plain(1e15), "1000000000000000");
    EXPECT_EQ(report::plain(0.000001), "0.000001");
    EXPECT_EQ(report::plain(12.5), "12.5");
    EXPECT_EQ(report::plain(std::nullopt, ""), "");
}

TEST(Number, HasThreeDigitsAndAUnitForAPerson) {
    EXPECT_EQ(report::for_person_ms(0.0523), "0.052 ms");
    EXPECT_EQ(report::for_person_ms(5.234), "5.23 ms");
    EXPECT_EQ(report::for_person_ms(52.34), "52.3 ms");
    EXPECT_EQ(report::for_person_ms(523.4), "523 ms");
    EXPECT_EQ(report::for_person_ms(5234.0), "5.23 s");
    EXPECT_EQ(report::for_person_ms(std::nullopt), "-");
    EXPECT_EQ(report::for_person_rate(19.64), "19.6");
    EXPECT_EQ(report::for_person_rate(24'567.8), "24,568");
    EXPECT_EQ(report::for_person_count(999), "999");
    EXPECT_EQ(report::for_person_count(1'000), "1,000");
    EXPECT_EQ(report::for_person_count(1'234'567), "1,234,567");
}

TEST(Page, PutsGoodputFirstAndTellsTheRest) {
    const std::string page = to_text(eventful_run());
    EXPECT_LT(page.find("goodput"), page.find("throughput"));
    for (const char* text : {"workers (live, seed 42)", "12.0 s measured", "116", "1,440 planned",
                             "30 timed out", "10 rejected", "3 late", "workers 98 % busy",
                             "hit ratio 75 %", "SEARCH product", "I/O wait", "at least that"})
        EXPECT_THAT(page, HasSubstr(text));
    EXPECT_THAT(page, Not(HasSubstr("Note")));
}

TEST(Page, SaysWhatIsNotThere) {
    RunResult r;
    r.remarks = {"Stopped before the measuring began."};
    const std::string page = to_text(r);
    EXPECT_THAT(page, HasSubstr("nothing was measured"));
    EXPECT_THAT(page, HasSubstr("nothing was answered"));
    EXPECT_THAT(page, HasSubstr("Note: Stopped"));
    EXPECT_THAT(page, Not(HasSubstr("busy")));
    EXPECT_THAT(page, Not(HasSubstr("0 ms")));
}

TEST(Page, FitsATerminal) {
    RunResult r = eventful_run();
    r.plans.clear();
    const std::string page = to_text(r);
    std::size_t start = 0;
    while (start < page.size()) {
        const std::size_t end = page.find('\n', start);
        EXPECT_LE(end - start, 100U) << page.substr(start, end - start);
        start = end + 1;
    }
}

TEST(Page, LetsNoTextDriveTheTerminal) {
    RunResult r = eventful_run();
    r.scenario = "a\x1b[2Jb";
    r.remarks = {"x\x1b]0;y\x07z"};
    r.machine = "\x9b";
    for (const char c : to_text(r))
        ASSERT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f)) << static_cast<int>(c);
}

TEST(LiveLine, TellsTheFrameWithGoodputFirst) {
    const std::string line = to_live_line(eventful_frame(), 200);
    EXPECT_LT(line.find("good"), line.find("p50"));
    for (const char* text : {"1.4 s", "100/s good of 120/s", "p99 52.0 ms", "queue   5", "busy 2/2",
                             "in flight 3", "errors 1"})
        EXPECT_THAT(line, HasSubstr(text));
}

TEST(LiveLine, FitsWhateverRoomThereIs) {
    Frame f = eventful_frame();
    f.server.progress = "creating index\x1b[31m";
    for (std::size_t columns = 0; columns < 160; ++columns) {
        const std::string line = to_live_line(f, columns);
        ASSERT_LE(line.size(), columns);
        ASSERT_EQ(line.find('\x1b'), std::string::npos);
        ASSERT_EQ(line.find('\n'), std::string::npos);
    }
    EXPECT_THAT(to_live_line(f, 160), HasSubstr("creating index"));
}

TEST(LiveLine, SaysNothingOfAServerThatDoesNotTell) {
    const std::string line = to_live_line(Frame{}, 200);
    EXPECT_THAT(line, Not(HasSubstr("queue")));
    EXPECT_THAT(line, HasSubstr("p50       -"));
}

}  // namespace
}  // namespace lab
