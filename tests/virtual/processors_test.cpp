// SPDX-License-Identifier: GPL-3.0-or-later
// Threads that share cores.
#include <gtest/gtest.h>

#include <map>

#include "support/time.hpp"
#include "virtual/processors.hpp"

namespace lab::virtual_time {
namespace {

using test::at;

/// Runs until nobody computes; tells who was done when.
std::map<std::uint32_t, Duration> ends(Processors& cores) {
    std::map<std::uint32_t, Duration> done;
    for (Instant next = cores.next(); next != Instant::max(); next = cores.next()) {
        while (const auto thread = cores.finish(next)) done[*thread] = next - at(0ms);
    }
    return done;
}

TEST(Processors, GiveEachThreadACoreWhileThereAreEnough) {
    Processors cores{{.cores = 2}};
    cores.start(1, 3ms, Account::workers, at(0ms));
    cores.start(2, 5ms, Account::workers, at(0ms));
    const auto done = ends(cores);
    EXPECT_EQ(done.at(1), 3ms);
    EXPECT_EQ(done.at(2), 5ms);
    EXPECT_EQ(cores.used(Account::workers, at(10ms)), 8ms);
}

TEST(Processors, ShareOneCoreEqually) {
    Processors cores{{.cores = 1}};
    cores.start(1, 2ms, Account::workers, at(0ms));
    cores.start(2, 4ms, Account::workers, at(0ms));
    const auto done = ends(cores);
    EXPECT_EQ(done.at(1), 4ms);  // both at half speed
    EXPECT_EQ(done.at(2), 6ms);  // then the second alone
}

TEST(Processors, ShareTwoCoresAmongThree) {
    Processors cores{{.cores = 2}};
    for (std::uint32_t thread = 1; thread <= 3; ++thread) {
        cores.start(thread, 2ms, Account::workers, at(0ms));
    }
    for (const auto& [thread, when] : ends(cores)) EXPECT_EQ(when, 3ms) << thread;
    EXPECT_EQ(cores.used(Account::workers, at(9ms)), 6ms);
}

TEST(Processors, LetAThreadBreakOff) {
    Processors cores{{.cores = 1}};
    cores.start(1, 10ms, Account::workers, at(0ms));
    cores.start(2, 10ms, Account::front_end, at(0ms));
    EXPECT_EQ(cores.stop(1, at(6ms)), 7ms);
    EXPECT_EQ(ends(cores).at(2), 13ms);
}

TEST(Processors, TakeTurnsInSlices) {
    Processors cores{{.cores = 1, .scheduling = Scheduling::slices, .slice = 4ms}};
    cores.start(1, 6ms, Account::workers, at(0ms));
    cores.start(2, 5ms, Account::workers, at(0ms));
    cores.start(3, 1ms, Account::workers, at(0ms));
    const auto done = ends(cores);  // 1: 0-4, 2: 4-8, 3: 8-9, 1: 9-11, 2: 11-12
    EXPECT_EQ(done.at(3), 9ms);
    EXPECT_EQ(done.at(1), 11ms);
    EXPECT_EQ(done.at(2), 12ms);
}

TEST(Processors, PayForEachSwitch) {
    Processors cores{
        {.cores = 1, .scheduling = Scheduling::slices, .slice = 10ms, .switch_cost = 1ms}};
    cores.start(1, 2ms, Account::workers, at(0ms));
    cores.start(2, 2ms, Account::workers, at(0ms));
    const auto done = ends(cores);
    EXPECT_EQ(done.at(1), 2ms);
    EXPECT_EQ(done.at(2), 5ms);
}

TEST(Processors, LoseNothingHoweverTheyAreDisturbed) {
    Processors cores{{.cores = 3}};
    Duration asked{};
    Instant now = at(0ms);
    for (std::uint32_t i = 0; i < 1'000; ++i) {
        const Duration cost{static_cast<std::int64_t>(1 + i * 7919 % 100'000)};
        cores.start(i, cost, Account::workers, now);
        asked += cost;
        now += Duration{static_cast<std::int64_t>(i * 104'729 % 40'000)};
        while (cores.next() <= now) {
            const Instant next = cores.next();
            while (cores.finish(next)) {
            }
        }
    }
    Instant last = now;
    for (Instant next = cores.next(); next != Instant::max(); next = cores.next()) {
        while (cores.finish(next)) last = next;
    }
    const Duration used = cores.used(Account::workers, last);
    EXPECT_NEAR(to_ms(used), to_ms(asked), 0.02);
}

}  // namespace
}  // namespace lab::virtual_time
