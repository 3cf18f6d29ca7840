// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>

#include "core/keyspace.hpp"
#include "lab/model.hpp"
#include "lab/result.hpp"
#include "live/connection.hpp"
#include "live/database_template.hpp"
#include "live/private_folder.hpp"
#include "live/query_text.hpp"
#include "live/replica.hpp"
#include "live/version_table.hpp"

namespace lab::live {

/// The served database: this run's own copy of the template, in WAL mode.
///
/// Threads: any for versions(), keys(), cancel(), connect(), replica(); set_indexes() and
/// set_replica() by one.
class Database : public std::enable_shared_from_this<Database> {
  public:
    struct Options {
        int products = 200'000;
        Indexes indexes{true, 0};
        Duration replica_lag{};             ///< 0: no replica
        std::uint64_t version_base = 0;     ///< see VersionTable
        std::filesystem::path data_folder;  ///< of templates; empty: the default
        std::filesystem::path work_folder;  ///< where the private folder is made; empty: temporary
    };
    /// Errors: no_resources, failed, interrupted. Blocks.
    [[nodiscard]] static Result<std::shared_ptr<Database>> open(const Options& options,
                                                                const Preparation& preparation);

    [[nodiscard]] Result<std::unique_ptr<Connection>> connect() {
        return Connection::open(shared_from_this());
    }
    /// Creates and drops indexes, in the replica too. Readers go on meanwhile, writers wait.
    [[nodiscard]] Result<void> set_indexes(const Indexes& wanted);
    [[nodiscard]] Indexes indexes() const { return {has_index_.load(), price_indexes_.load()}; }
    /// Makes a replica, drops it (0), or lets it follow at another distance.
    [[nodiscard]] Result<void> set_replica(Duration lag);
    /// The copy that is read, or nullptr: the first is.
    [[nodiscard]] std::shared_ptr<Replica> replica() const;

    [[nodiscard]] const core::Keyspace& keys() const { return keys_; }
    [[nodiscard]] VersionTable& versions() { return *versions_; }
    [[nodiscard]] std::shared_ptr<const VersionTable> shared_versions() const { return versions_; }
    [[nodiscard]] const std::filesystem::path& file() const { return file_; }

    /// Every statement that runs ends as interrupted within some milliseconds, and so does every
    /// later one.
    void cancel() { cancelled_.store(true); }
    [[nodiscard]] bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

  private:
    explicit Database(const Options& options);
    [[nodiscard]] Result<void> prepare_copy(const Options& options, const Preparation& preparation);

    core::Keyspace keys_;
    std::shared_ptr<VersionTable> versions_;
    std::unique_ptr<PrivateFolder> folder_;
    std::filesystem::path file_;
    std::atomic<bool> has_index_{false};
    std::atomic<int> price_indexes_{0};
    std::atomic<bool> has_replica_{false};
    mutable std::mutex replica_mutex_;
    std::shared_ptr<Replica> replica_;
    int replicas_made_ = 0;
    std::atomic<bool> cancelled_{false};
};

}  // namespace lab::live
