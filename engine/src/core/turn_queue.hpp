// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/slot_pool.hpp"
#include "lab/units.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace lab::core {

/// Who runs next on an event loop: of all that is due, what was due first; of two due at one
/// moment, what was added first. What is ready is due at once; a timer is due at its moment. There
/// is no priority and nothing is interrupted, as in asyncio and libuv: the lateness of a turn (its
/// lag) is what the turns before it took.
///
/// Pure. Threads: one at a time, the loop's.
class TurnQueue {
  public:
    struct Turn {
        Ticket who = 0;
        Instant due{};
    };

    void add(Ticket who, Instant due);
    /// The next turn, taken out; nothing where none is due yet.
    [[nodiscard]] std::optional<Turn> take(Instant now);
    /// Takes every turn of a ticket out. False if there was none. Cost: linear.
    bool remove(Ticket who);

    [[nodiscard]] std::optional<Instant> next_due() const;
    /// How many are due at `now`. Cost: linear.
    [[nodiscard]] std::size_t ready(Instant now) const;
    [[nodiscard]] bool empty() const { return heap_.empty(); }

  private:
    struct Entry {
        Turn turn;
        std::uint64_t order = 0;
    };
    static bool later(const Entry& a, const Entry& b);

    std::vector<Entry> heap_;  ///< the earliest first
    std::uint64_t added_ = 0;
};

}  // namespace lab::core
