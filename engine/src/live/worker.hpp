// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "lab/frame.hpp"
#include "live/connection_pool.hpp"
#include "live/response_store.hpp"
#include "live/threaded_lock.hpp"
#include "live/token_pool.hpp"

namespace lab::live {

/// What the workers asked of the database since the start. See lab::DatabaseCounts.
struct DatabaseMeters {
    std::atomic<std::uint64_t> queries{0}, rows_touched{0}, opened{0};
    std::atomic<std::uint64_t> pool_timeouts{0}, query_timeouts{0}, lock_timeouts{0};

    [[nodiscard]] DatabaseCounts read() const {
        return {queries.load(),       rows_touched.load(),   opened.load(),
                pool_timeouts.load(), query_timeouts.load(), lock_timeouts.load()};
    }
};

/// What the threads of one worker share, as a worker process has it. A change of settings makes a
/// new one from the parts that stay; requests in hand keep the one that they began with.
///
/// Threads: any, immutable (the parts have locks of their own).
struct Worker {
    /// Set when it is killed: all that its threads have in hand is broken off. One a life.
    std::shared_ptr<std::atomic<bool>> killed = std::make_shared<std::atomic<bool>>(false);
    std::shared_ptr<ThreadedLock> lock;
    std::shared_ptr<ResponseStore> cache;  ///< its own, or that of all; null: none
    bool cache_is_shared = false;
    std::shared_ptr<ConnectionPool> connections;  ///< null: no route needs the database
    std::shared_ptr<TokenPool> tokens;            ///< the threads beside an event loop
    std::shared_ptr<DatabaseMeters> meters;       ///< of all workers
};
using WorkerPtr = std::shared_ptr<const Worker>;

}  // namespace lab::live
