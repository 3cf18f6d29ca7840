// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "lab/frame.hpp"

namespace lab::live {

/// What happened to requests since the last look, for the moving dots. Bounded: so many a look, the
/// rest are only counted, which costs one atomic addition.
///
/// Threads: any for tell; one for take.
class EventRing {
  public:
    /// As many as take() is usually asked for.
    static constexpr std::size_t usual_room = 400;

    EventRing() { events_.reserve(usual_room); }

    void tell(const RequestEvent& event) {
        if (full_.load(std::memory_order_relaxed)) {
            left_out_.fetch_add(1, std::memory_order_relaxed);
            return;
        }
        const std::lock_guard hold{mutex_};
        events_.push_back(event);
        if (events_.size() >= room_) full_.store(true, std::memory_order_relaxed);
    }

    /// Those told since the last call, oldest first, at most `most`; `left_out`: how many more
    /// there were.
    [[nodiscard]] std::vector<RequestEvent> take(std::size_t most, std::uint64_t& left_out) {
        std::vector<RequestEvent> taken;
        {
            const std::lock_guard hold{mutex_};
            taken = std::exchange(events_, {});
            events_.reserve(most);
            room_ = most;
            full_.store(most == 0, std::memory_order_relaxed);
        }
        left_out = left_out_.exchange(0, std::memory_order_relaxed);
        if (taken.size() > most) {
            left_out += taken.size() - most;
            taken.resize(most);
        }
        return taken;
    }

  private:
    std::mutex mutex_;
    std::vector<RequestEvent> events_;
    std::size_t room_ = usual_room;
    std::atomic<bool> full_{false};
    std::atomic<std::uint64_t> left_out_{0};
};

}  // namespace lab::live
