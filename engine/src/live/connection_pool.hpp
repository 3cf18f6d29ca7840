// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "core/program.hpp"
#include "core/queue_pool.hpp"
#include "lab/model.hpp"
#include "lab/units.hpp"
#include "live/database.hpp"

namespace lab::live {

/// The database connections of one worker, by core::QueuePool: some that stay open, some more when
/// all are in use, and a longest wait. A connection is opened when it is first needed.
///
/// Threads: any.
class ConnectionPool {
  public:
    ConnectionPool(std::shared_ptr<Database> database, const lab::Database& settings);

    /// A connection in the hand of one thread.
    struct Lease {
        int slot = -1;
        std::unique_ptr<Connection> connection;
        bool opened = false;  ///< for this lease
    };
    /// Waits for a connection as long as the time limit allows (0: no limit).
    /// Faults: pool_timeout; failed (it could not be opened); cancelled.
    [[nodiscard]] core::Fault acquire(core::Ticket who, Lease& lease);
    void release(Lease lease);

    /// Fewer connections: those in use are closed when they come back.
    void configure(const lab::Database& settings);
    /// Every wait ends now, and no later one begins.
    void cancel();

    struct Levels {
        std::uint32_t in_use = 0;
        std::uint32_t size = 0;  ///< that are kept
        std::uint32_t open = 0;
        std::uint32_t waiting = 0;
        Duration busy_time{};  ///< since the pool was made, summed over connections
    };
    [[nodiscard]] Levels levels() const;
    [[nodiscard]] const std::shared_ptr<Database>& database() const { return database_; }

  private:
    struct Waiter {
        core::Ticket who;
        Lease* lease = nullptr;
        std::condition_variable wake;
    };
    void hand_over(const core::Wake& wake, std::unique_ptr<Connection> connection);
    [[nodiscard]] core::Fault wait_for_slot(std::unique_lock<std::mutex>& hold, core::Ticket who,
                                            Instant since, Lease& lease);
    [[nodiscard]] std::unique_ptr<Connection> take_idle();
    void give_back(Lease lease, bool broken);
    void count_busy(Instant now);

    std::shared_ptr<Database> database_;
    mutable std::mutex mutex_;
    core::QueuePool slots_;
    Duration timeout_;
    std::deque<std::unique_ptr<Connection>> idle_;  ///< longest idle first, as slots_ counts them
    std::vector<Waiter*> waiters_;
    Duration busy_time_{};
    Instant counted_until_{};
    bool cancelled_ = false;
};

}  // namespace lab::live
