// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
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

    /// For who must not block: as acquire(), but where there is a wait nothing is returned, and
    /// `on_end` is called once, when a connection is there or the pool is cancelled; by any thread,
    /// with the pool locked. The caller then calls collect(), or sooner, when it has waited enough.
    [[nodiscard]] std::optional<core::Fault> acquire_later(core::Ticket who, Lease& lease,
                                                           std::function<void()> on_end);
    /// Ends the wait. Faults: as acquire(); pool_timeout where no connection has come.
    [[nodiscard]] core::Fault collect(core::Ticket who, Lease& lease);
    /// Longest wait; 0 means no limit.
    [[nodiscard]] Duration timeout() const;

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
        int slot = -1;
        std::unique_ptr<Connection> connection;  ///< with the slot, unless one is to be opened
        std::condition_variable wake;
        std::function<void()> on_end;  ///< instead of `wake`, of who does not block
        void tell() {
            if (on_end) on_end();
            wake.notify_one();
        }
    };
    [[nodiscard]] core::Fault open(Lease& lease);
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
    std::vector<std::unique_ptr<Waiter>> later_;  ///< those of waiters_ that do not block
    Duration busy_time_{};
    Instant counted_until_{};
    bool cancelled_ = false;
};

}  // namespace lab::live
