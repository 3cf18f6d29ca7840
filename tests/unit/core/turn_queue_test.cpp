// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/turn_queue.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

#include "support/time.hpp"

namespace lab::core {
namespace {

using test::at;

TEST(TurnQueue, GivesNoTurnBeforeItIsDue) {
    TurnQueue queue;
    queue.add(1, at(10ms));
    EXPECT_FALSE(queue.take(at(9ms)));
    EXPECT_EQ(queue.next_due(), at(10ms));
    const auto turn = queue.take(at(25ms));
    ASSERT_TRUE(turn);
    EXPECT_EQ(turn->who, 1U);
    EXPECT_EQ(turn->due, at(10ms)) << "its lag is 15 ms";
    EXPECT_FALSE(queue.take(at(1h)));
    EXPECT_FALSE(queue.next_due());
}

TEST(TurnQueue, ServesWhatWasDueFirstAndOfTwoAlikeWhatCameFirst) {
    TurnQueue queue;
    queue.add(1, at(30ms));
    queue.add(2, at(20ms));
    queue.add(3, at(20ms));
    queue.add(4, at(40ms));
    std::vector<Ticket> served;
    while (const auto turn = queue.take(at(30ms))) served.push_back(turn->who);
    EXPECT_EQ(served, (std::vector<Ticket>{2, 3, 1}));
    EXPECT_EQ(queue.ready(at(30ms)), 0U);
    EXPECT_EQ(queue.ready(at(40ms)), 1U);
}

TEST(TurnQueue, ForgetsWhatIsRemoved) {
    TurnQueue queue;
    queue.add(1, at(1ms));
    queue.add(2, at(2ms));
    EXPECT_TRUE(queue.remove(1));
    EXPECT_FALSE(queue.remove(1));
    EXPECT_EQ(queue.take(at(5ms))->who, 2U);
    EXPECT_TRUE(queue.empty());
}

RC_GTEST_PROP(TurnQueue, NeverServesOutOfOrderAndLosesNobody, (const std::vector<int>& delays)) {
    TurnQueue queue;
    for (std::size_t i = 0; i < delays.size(); ++i) {
        queue.add(i, at(Duration{delays[i] & 0xff}));
    }
    std::size_t served = 0;
    TurnQueue::Turn last{0, at(0ms)};
    while (const auto turn = queue.take(at(1ms))) {
        RC_ASSERT(turn->due >= last.due);
        RC_ASSERT(served == 0 || turn->due > last.due || turn->who > last.who);
        last = *turn;
        ++served;
    }
    RC_ASSERT(served == delays.size());
}

}  // namespace
}  // namespace lab::core
