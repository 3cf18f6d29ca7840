// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/slot_pool.hpp"
#include "lab/units.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace lab::core {

/// The rules of CPython's global interpreter lock, without a thread: who holds it, who waits, when
/// the holder is asked to let go. One thread computes at a time; a waiter asks after the switch
/// interval; a thread that was asked lets go at its next safe point and may not take the lock back
/// before another had it; whoever arrives and finds it free takes it, waiter or not: the hand-over
/// is not first come, first served. Source: CPython 3.2+ Python/ceval_gil (new GIL, A. Pitrou
/// 2009), see SERVERS.md section 7.
///
/// Pure. Threads: one at a time, the owner's mutex.
class InterpreterLock {
  public:
    explicit InterpreterLock(Duration switch_interval);

    /// True: taken. False: waits; call ask() each time a switch interval has passed without a take.
    bool acquire(Ticket who, Instant now);
    /// A waiter's interval has passed: sets drop_requested() when the lock went to no other thread
    /// in it. Returns when it should ask again.
    Instant ask(Ticket who, Instant now);
    /// A waiter that has been woken tries again. True: taken. False: it woke in vain, and a new
    /// interval begins for it; unless its interval is over, for then it is to ask() as well.
    bool retry(Ticket who, Instant now);
    /// Lets go. `asked`: because drop was requested; the same thread then waits until another took
    /// it. The owner then wakes one of waiting(), which must retry(): any, as the system's
    /// scheduler would.
    void release(Ticket who, Instant now, bool asked);
    /// A waiter gives up (the run stops). Where the lock is free the owner wakes another of
    /// waiting().
    void withdraw(Ticket who);

    [[nodiscard]] bool drop_requested() const { return drop_requested_; }
    [[nodiscard]] std::optional<Ticket> holder() const { return holder_; }
    /// In the order in which they came, which is not the order in which they are served.
    [[nodiscard]] const std::vector<Ticket>& waiting() const { return waiting_; }
    /// How often the lock went to another thread than the one that had it last.
    [[nodiscard]] std::uint64_t switches() const { return switches_; }
    [[nodiscard]] Duration switch_interval() const { return switch_interval_; }

  private:
    struct Interval {
        Instant began{};
        std::uint64_t switches = 0;  ///< switches() then
    };
    [[nodiscard]] bool may_take(Ticket who) const;
    void stop_waiting(std::size_t place);
    void take(Ticket who);
    [[nodiscard]] std::size_t place_of(Ticket who) const;

    Duration switch_interval_;
    std::optional<Ticket> holder_;
    std::optional<Ticket> last_holder_;
    std::optional<Ticket> must_not_take_;  ///< let go on request; waits for another to have had it
    std::vector<Ticket> waiting_;
    std::vector<Interval> intervals_;  ///< that of each waiter
    bool drop_requested_ = false;
    std::uint64_t switches_ = 0;
};

}  // namespace lab::core
