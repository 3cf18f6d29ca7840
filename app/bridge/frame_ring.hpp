// SPDX-License-Identifier: GPL-3.0-or-later
// No Qt here: the thread sanitizer runs this file's test without it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <boost/lockfree/spsc_queue.hpp>

#include "lab/frame.hpp"

namespace lab::app {

/// Carries frames from the control thread to the GUI thread: bounded, lock-free, one pending wake.
///
/// A frame that finds the ring full is dropped and counted; the producer never waits. `offer` says
/// whether the consumer has to be woken; the consumer clears that mark *before* it drains, so that
/// a frame offered meanwhile wakes it again and none is left lying. Threads: `offer` from one
/// thread, `drain` from one other; `dropped` from any.
class FrameRing {
  public:
    /// `run` is the number of the start() the frame belongs to: late frames of an older run are
    /// told apart.
    struct Item {
        std::uint64_t run = 0;
        FramePtr frame;
    };

    explicit FrameRing(std::size_t capacity) : ring_{capacity} {}

    /// True where the consumer must be woken: no wake is on its way yet.
    [[nodiscard]] bool offer(Item item) {
        if (!ring_.push(std::move(item))) dropped_.fetch_add(1, std::memory_order_relaxed);
        return !wake_pending_.exchange(true, std::memory_order_acq_rel);
    }

    /// Hands every waiting frame to `take`, oldest first. Returns how many.
    template <class Take>
    std::size_t drain(Take&& take) {
        wake_pending_.exchange(false, std::memory_order_acq_rel);
        std::size_t taken = 0;
        Item item;
        while (ring_.pop(item)) {
            take(std::move(item));
            item = Item{};
            ++taken;
        }
        return taken;
    }

    [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

  private:
    boost::lockfree::spsc_queue<Item> ring_;
    std::atomic<bool> wake_pending_{false};
    std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace lab::app
