// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "lab/frame.hpp"
#include "live/database.hpp"
#include "live/exchange.hpp"
#include "live/response_store.hpp"
#include "live/worker.hpp"

namespace lab::live {

/// What the workers of a pool are made of: how it is made of the settings, carried over when they
/// change, and counted. Threads: under the mutex of the pool that derives from it.
class WorkerParts {
  protected:
    WorkerParts(GenerationPtr generation, std::shared_ptr<Database> database)
        : in_force_{std::move(generation)}, database_{std::move(database)} {}
    ~WorkerParts() = default;

    /// So many workers; what stays the same of one is carried over.
    void rebuild_workers(std::size_t count);
    [[nodiscard]] WorkerPtr make_worker(const Worker* old);
    void cancel_workers();
    void sample_workers(ServerSample& out);
    /// Every cache there is, with its worker's number; -1: the shared one.
    using Stores = std::vector<std::pair<std::shared_ptr<ResponseStore>, int>>;
    [[nodiscard]] Stores stores() const;
    /// The `most` entries with the most hits. Needs no mutex.
    [[nodiscard]] static std::vector<CacheContent> contents_of(const Stores& stores,
                                                               std::size_t most);

    GenerationPtr in_force_;  ///< what the workers were made for
    std::vector<WorkerPtr> workers_;
    std::shared_ptr<ResponseStore> shared_store_;
    std::shared_ptr<Database> database_;
    std::shared_ptr<StoreCounts> store_counts_ = std::make_shared<StoreCounts>();
    Duration retired_pool_time_{};  ///< of pools that are gone
    std::shared_ptr<DatabaseMeters> meters_ = std::make_shared<DatabaseMeters>();

  private:
    Duration sampled_pool_time_{};
    DatabaseCounts sampled_database_;
    std::uint64_t sampled_hits_ = 0, sampled_misses_ = 0, sampled_evictions_ = 0;
    std::uint64_t sampled_errors_ = 0, sampled_duplicates_ = 0;
};

}  // namespace lab::live
