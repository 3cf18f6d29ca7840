// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/units.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace lab::core {

using Ticket = std::uint64_t;

enum class Admission : std::uint8_t { granted, queued, refused };

struct Grant {
    Admission admission = Admission::refused;
    int slot = -1;  ///< when granted
};

/// A ticket that has been given a slot.
struct Wake {
    Ticket ticket = 0;
    int slot = -1;
};

/// A bounded number of slots and a bounded queue before them, first come first served. Serves as
/// the admission queue before the workers and as the wait for a database connection.
///
/// Of several idle slots the longest idle is given. Slots are numbered from 0; those that are not
/// draining are always 0 .. slots()-1. A slot taken away while busy drains: it leaves when it is
/// released, or stays if it is asked for again before. A ticket whose patience has ended is never
/// given a slot, and takes no place in the queue from others; it stays until expire() hands it
/// back.
///
/// Pure: no clock, no lock; `now` never goes back. Threads: one at a time, the owner's lock.
class SlotPool {
  public:
    struct Options {
        int slots = 1;
        int queue_capacity = 64;
        Duration patience{};  ///< longest wait in the queue; 0 means no limit
    };
    explicit SlotPool(Options options);

    /// Tickets are unique among those waiting or holding.
    Grant acquire(Ticket ticket, Instant now);
    /// Lets a slot go; says whom to wake with it, if anybody waits and the slot is not draining.
    std::optional<Wake> release(int slot, Instant now);
    /// Takes a waiting ticket out. False if it does not wait.
    bool withdraw(Ticket ticket);
    /// Takes out every ticket whose patience has ended: that has waited for `patience` or longer.
    std::vector<Ticket> expire(Instant now);
    /// When expire() would next find something.
    [[nodiscard]] std::optional<Instant> next_expiry() const;

    /// Takes out everybody who waits, in their order.
    std::vector<Ticket> take_waiting();
    /// A slot that is not given until it is resumed; one that is held stays held. It may be yet to
    /// come.
    void pause(int slot);
    /// It may be given again; says to whom at once.
    std::optional<Wake> resume(int slot, Instant now);

    /// More slots at once serve who waits; fewer: the highest go, idle ones at once, busy ones by
    /// draining.
    std::vector<Wake> resize(int slots, Instant now);
    /// A smaller queue turns nobody away who already waits.
    void set_queue_capacity(int capacity);
    /// Counts from the beginning of each wait, for those who already wait too. After a longer one,
    /// resize() to the same number serves a ticket that it has brought back to life.
    void set_patience(Duration patience);

    [[nodiscard]] int slots() const;  ///< not draining
    [[nodiscard]] int busy() const;   ///< held, draining ones too
    [[nodiscard]] int depth() const;  ///< waiting
    [[nodiscard]] bool draining(int slot) const;
    [[nodiscard]] bool held(int slot) const;
    [[nodiscard]] bool has_idle() const { return !idle_.empty(); }

  private:
    struct Waiting {
        Ticket ticket;
        Instant since;
    };
    struct Slot {
        bool exists = false;
        bool held = false;
        bool draining = false;
        bool paused = false;
    };
    Slot& at(int slot);
    int take_idle();
    std::optional<Wake> serve(Instant now);
    /// How many at the head of the queue have waited too long. They came first, so they are a
    /// prefix.
    [[nodiscard]] std::size_t overdue(Instant now) const;

    Options options_;
    std::vector<Slot> slots_;
    std::deque<int> idle_;       ///< longest idle first
    std::deque<Waiting> queue_;  ///< longest waiting first
    int busy_ = 0;
};

}  // namespace lab::core
