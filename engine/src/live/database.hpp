// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <utility>

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

/// The served database: this run's own copy of the template, in WAL mode. Several servers may have
/// views of one.
///
/// Threads: any for versions(), keys(), cancel(), connect(), replica(),
/// for_another_server(); set_indexes() and set_replica() by one, whichever view it has.
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
    /// The same data as another server's process sees it: what it cancels, only it has cancelled.
    [[nodiscard]] std::shared_ptr<Database> for_another_server() const;
    /// Creates and drops indexes, in the replica too. Readers go on meanwhile, writers wait.
    [[nodiscard]] Result<void> set_indexes(const Indexes& wanted);
    [[nodiscard]] Indexes indexes() const {
        return {data_->has_index.load(), data_->price_indexes.load()};
    }
    /// Makes a replica, drops it (0), or lets it follow at another distance.
    [[nodiscard]] Result<void> set_replica(Duration lag);
    /// The copy that is read, or nullptr: the first is.
    [[nodiscard]] std::shared_ptr<Replica> replica() const;

    [[nodiscard]] const core::Keyspace& keys() const { return data_->keys; }
    [[nodiscard]] VersionTable& versions() { return *data_->versions; }
    [[nodiscard]] std::shared_ptr<const VersionTable> shared_versions() const {
        return data_->versions;
    }
    [[nodiscard]] const std::filesystem::path& file() const { return data_->file; }

    /// Every statement that runs ends as interrupted within some milliseconds, and so does every
    /// later one.
    void cancel() { cancelled_.store(true); }
    [[nodiscard]] bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

  private:
    /// What all views of it share; goes with the last of them.
    struct Data {
        explicit Data(const Options& options);
        core::Keyspace keys;
        std::shared_ptr<VersionTable> versions;
        std::unique_ptr<PrivateFolder> folder;
        std::filesystem::path file;
        std::atomic<bool> has_index{false};
        std::atomic<int> price_indexes{0};
        std::atomic<bool> has_replica{false};
        std::mutex replica_mutex;
        std::shared_ptr<Replica> replica;
        int replicas_made = 0;
    };
    explicit Database(std::shared_ptr<Data> data) : data_{std::move(data)} {}
    [[nodiscard]] Result<void> prepare_copy(const Options& options, const Preparation& preparation);

    const std::shared_ptr<Data> data_;
    std::atomic<bool> cancelled_{false};
};

}  // namespace lab::live
