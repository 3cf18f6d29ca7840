// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "core/interpreter_lock.hpp"
#include "lab/units.hpp"

namespace lab::live {

/// The interpreter lock of one worker, for real threads: core's rules under a mutex, one condition
/// variable for each thread that waits.
///
/// Threads: any. A ticket stands for one thread and is used by one at a time.
class ThreadedLock {
  public:
    explicit ThreadedLock(Duration switch_interval);

    /// Waits until the lock is taken, asking its holder to let go each switch interval.
    /// False: cancel() was called; the lock is not held.
    [[nodiscard]] bool acquire(core::Ticket who);
    /// `asked`: let go because drop_requested() said so; another thread has to have had it before
    /// this one can take it again.
    void release(core::Ticket who, bool asked);
    /// The holder should let go at its next safe point. One relaxed load.
    [[nodiscard]] bool drop_requested() const { return drop_.load(std::memory_order_relaxed); }
    /// Every wait ends now, and every later acquire() fails.
    void cancel();
    [[nodiscard]] std::uint64_t switches() const;
    [[nodiscard]] Duration switch_interval() const { return rules_.switch_interval(); }

  private:
    struct Waiter {
        core::Ticket who;
        std::condition_variable wake;
        bool called = false;
    };
    void call_next(core::Ticket but_not, bool any);
    void publish() { drop_.store(rules_.drop_requested(), std::memory_order_relaxed); }

    mutable std::mutex mutex_;
    core::InterpreterLock rules_;
    std::vector<Waiter*> waiters_;
    std::atomic<bool> drop_{false};
    bool cancelled_ = false;
};

}  // namespace lab::live
