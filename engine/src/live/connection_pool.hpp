// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "core/program.hpp"
#include "core/slot_pool.hpp"
#include "lab/units.hpp"
#include "live/database.hpp"

namespace lab::live {

/// The database connections of one worker: a bound on how many there are, first come first served,
/// with a longest wait. A connection is opened when it is first used.
///
/// Threads: any.
class ConnectionPool {
  public:
    ConnectionPool(std::shared_ptr<Database> database, int size, Duration timeout);

    /// A connection in the hand of one thread.
    struct Lease {
        int slot = -1;
        std::unique_ptr<Connection> connection;
    };
    /// Waits for a connection as long as the time limit allows (0: no limit).
    /// Faults: pool_timeout; failed (it could not be opened); cancelled.
    [[nodiscard]] core::Fault acquire(core::Ticket who, Lease& lease);
    void release(Lease lease);

    /// Fewer connections: those in use are closed when they come back.
    void configure(int size, Duration timeout);
    /// Every wait ends now, and no later one begins.
    void cancel();

    struct Levels {
        std::uint32_t in_use = 0;
        std::uint32_t size = 0;
        std::uint32_t waiting = 0;
        Duration busy_time{};  ///< since the pool was made, summed over connections
    };
    [[nodiscard]] Levels levels() const;
    [[nodiscard]] const std::shared_ptr<Database>& database() const { return database_; }

  private:
    struct Waiter {
        core::Ticket who;
        int slot = -1;
        std::condition_variable wake;
    };
    void hand_over(const core::Wake& wake);
    [[nodiscard]] core::Fault wait_for_slot(std::unique_lock<std::mutex>& hold, core::Ticket who,
                                            Instant since, int& slot);
    void count_busy(Instant now);

    std::shared_ptr<Database> database_;
    mutable std::mutex mutex_;
    core::SlotPool slots_;
    Duration timeout_;
    std::vector<std::unique_ptr<Connection>> idle_;  ///< by slot; null: not opened, or leased
    std::vector<Waiter*> waiters_;
    Duration busy_time_{};
    Instant counted_until_{};
    bool cancelled_ = false;
};

}  // namespace lab::live
