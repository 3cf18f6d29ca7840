// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <numeric>

#include "measure/recorder.hpp"
#include "unit/measure/samples.hpp"

namespace lab::measure {
namespace {

using testing::at;
using testing::Numbers;

Duration part(const PartTimes& parts, Part p) { return parts[static_cast<std::size_t>(p)]; }
Duration sum(const PartTimes& parts) {
    return std::accumulate(parts.begin(), parts.end(), Duration{});
}

/// 100 ms: 2 late, 3 waiting for a connection, 5 connecting, 4 on the way, 20 in the queue, 60 of
/// work of which 50 are told, 6 writing.
Sample typical() {
    Sample s;
    s.intended = at(0ms);
    s.released = at(2ms);
    s.assigned = at(5ms);
    s.sent = at(10ms);
    s.done = at(100ms);
    ServerTimes server;
    server.received = at(14ms);
    server.ready = at(94ms);
    server.parts[static_cast<std::size_t>(Part::queue)] = 20ms;
    server.parts[static_cast<std::size_t>(Part::cpu)] = 10ms;
    server.parts[static_cast<std::size_t>(Part::database)] = 40ms;
    server.service = 60ms;
    s.server = server;
    return s;
}

TEST(Decompose, GivesEachMomentToExactlyOnePart) {
    const PartTimes parts = decompose(typical());
    EXPECT_EQ(part(parts, Part::schedule_slip), 2ms);
    EXPECT_EQ(part(parts, Part::client_wait), 3ms);
    EXPECT_EQ(part(parts, Part::connect), 5ms);
    EXPECT_EQ(part(parts, Part::queue), 24ms);
    EXPECT_EQ(part(parts, Part::cpu), 10ms);
    EXPECT_EQ(part(parts, Part::database), 40ms);
    EXPECT_EQ(part(parts, Part::write), 6ms);
    EXPECT_EQ(part(parts, Part::unexplained), 10ms);
    EXPECT_EQ(sum(parts), 100ms);
}

TEST(Decompose, CallsEverythingAfterTheSendingUnexplainedWhereTheServerDoesNotTell) {
    Sample s = typical();
    s.server.reset();
    const PartTimes parts = decompose(s);
    EXPECT_EQ(part(parts, Part::connect), 5ms);
    EXPECT_EQ(part(parts, Part::unexplained), 90ms);
    EXPECT_EQ(sum(parts), 100ms);
}

TEST(Decompose, GivesAWaitThatNeverEndedToWhatWasWaitedFor) {
    Sample s;
    s.intended = at(0ms);
    s.released = at(1ms);
    s.done = at(50ms);
    const PartTimes parts = decompose(s);
    EXPECT_EQ(part(parts, Part::schedule_slip), 1ms);
    EXPECT_EQ(part(parts, Part::client_wait), 49ms);
    EXPECT_EQ(sum(parts), 50ms);
}

TEST(Decompose, EndsTheConnectWhereTheServerAlreadyHadTheRequest) {
    Sample s = typical();
    s.sent = at(60ms);  // the client was descheduled between writing and looking at its clock
    const PartTimes parts = decompose(s);
    EXPECT_EQ(part(parts, Part::connect), 9ms);
    EXPECT_EQ(part(parts, Part::queue), 20ms);
    EXPECT_EQ(part(parts, Part::cpu), 10ms);
    EXPECT_EQ(sum(parts), 100ms);
}

TEST(Decompose, TakesAnExcessOffTheLargestPart) {
    Sample s = typical();
    s.server->parts[static_cast<std::size_t>(Part::database)] = 50ms + 7ns;
    const PartTimes parts = decompose(s);
    EXPECT_EQ(part(parts, Part::database), 50ms);
    EXPECT_EQ(part(parts, Part::cpu), 10ms);
    EXPECT_EQ(part(parts, Part::unexplained), 0ns);
    EXPECT_EQ(sum(parts), 100ms);
}

TEST(Decompose, IsAllZeroForARequestThatEndedWhenItBegan) {
    Sample s = typical();
    s.done = s.intended;
    EXPECT_EQ(decompose(s), PartTimes{});
}

TEST(Decompose, AddsUpAndIsNeverNegativeWhateverTheClocksSay) {
    Numbers n{11};
    for (int i = 0; i < 20'000; ++i) {
        Sample s;
        const auto moment = [&n] { return n.next(8) == 0 ? Instant{} : at(n.up_to(100ms)); };
        s.intended = at(n.up_to(50ms));
        s.released = moment();
        s.assigned = moment();
        s.sent = moment();
        s.done = s.intended + n.up_to(60ms);
        if (n.next(4) != 0) {
            ServerTimes server;
            server.received = moment();
            server.ready = moment();
            for (auto& p : server.parts) p = n.up_to(9ms) - 1ms;
            s.server = server;
        }
        const PartTimes parts = decompose(s);
        ASSERT_EQ(sum(parts), s.done - s.intended) << i;
        for (const Duration p : parts) ASSERT_GE(p, 0ns) << i;
    }
}

}  // namespace
}  // namespace lab::measure
