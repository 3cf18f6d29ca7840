// SPDX-License-Identifier: GPL-3.0-or-later
#include "bridge/frame_ring.hpp"

#include <chrono>
#include <memory>
#include <semaphore>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace lab::app {
namespace {

FrameRing::Item item(std::uint64_t number) {
    auto frame = std::make_shared<Frame>();
    frame->number = number;
    return {1, frame};
}

std::vector<std::uint64_t> drained(FrameRing& ring) {
    std::vector<std::uint64_t> numbers;
    ring.drain([&](FrameRing::Item taken) { numbers.push_back(taken.frame->number); });
    return numbers;
}

TEST(FrameRing, HandsFramesOverInOrder) {
    FrameRing ring(8);
    (void)ring.offer(item(1));
    (void)ring.offer(item(2));
    EXPECT_EQ(drained(ring), (std::vector<std::uint64_t>{1, 2}));
    EXPECT_TRUE(drained(ring).empty());
}

TEST(FrameRing, AsksForOneWakeUntilItIsDrained) {
    FrameRing ring(8);
    EXPECT_TRUE(ring.offer(item(1)));
    EXPECT_FALSE(ring.offer(item(2)));
    (void)drained(ring);
    EXPECT_TRUE(ring.offer(item(3)));
}

TEST(FrameRing, AsksForAWakeAgainForAFrameThatComesWhileItIsDrained) {
    FrameRing ring(8);
    (void)ring.offer(item(1));
    bool asked = false;
    ring.drain([&](FrameRing::Item taken) {
        if (taken.frame->number == 1) asked = ring.offer(item(2));
    });
    EXPECT_TRUE(asked);
}

TEST(FrameRing, DropsAndCountsWhatDoesNotFit) {
    FrameRing ring(4);
    for (std::uint64_t i = 0; i < 10; ++i) (void)ring.offer(item(i));
    const auto kept = drained(ring);
    EXPECT_EQ(kept.size() + ring.dropped(), 10u);
    EXPECT_GE(ring.dropped(), 6u);
    EXPECT_EQ(kept.front(), 0u);
}

TEST(FrameRing, LetsGoOfAFrameOnceItIsTaken) {
    FrameRing ring(4);
    auto frame = std::make_shared<const Frame>();
    (void)ring.offer({1, frame});
    ring.drain([](FrameRing::Item) {});
    EXPECT_EQ(frame.use_count(), 1);
}

TEST(FrameRing, LeavesNothingLyingBetweenTwoThreads) {
    constexpr std::uint64_t offered = 20'000;
    FrameRing ring(32);
    std::counting_semaphore<> wakes{0};
    std::uint64_t taken = 0;
    std::uint64_t last = 0;
    bool ordered = true;
    bool woken = true;
    std::thread consumer([&] {
        // A frame that no wake tells of would leave this waiting.
        while (woken && taken + ring.dropped() < offered) {
            woken = wakes.try_acquire_for(std::chrono::seconds{10});
            taken += ring.drain([&](FrameRing::Item next) {
                ordered = ordered && next.frame->number > last;
                last = next.frame->number;
            });
        }
    });
    for (std::uint64_t i = 1; i <= offered; ++i) {
        if (ring.offer(item(i))) wakes.release();
    }
    consumer.join();
    EXPECT_TRUE(woken);
    EXPECT_TRUE(ordered);
    EXPECT_EQ(taken + ring.dropped(), offered);
}

}  // namespace
}  // namespace lab::app
