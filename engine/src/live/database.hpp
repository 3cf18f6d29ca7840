// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "lab/model.hpp"
#include "lab/result.hpp"
#include "live/database_template.hpp"
#include "core/keyspace.hpp"
#include "live/private_folder.hpp"
#include "live/sqlite_handle.hpp"
#include "live/version_table.hpp"

namespace lab::live {

struct ProductRow {
    std::int64_t id = 0;
    std::string name;
    std::int64_t price = 0;  ///< cents
    std::int32_t category = 0;
};

class Database;

/// One connection with its prepared statements.
///
/// Threads: one at a time; whoever holds the lease.
class Connection {
  public:
    /// Errors: no_resources, failed.
    [[nodiscard]] static Result<std::unique_ptr<Connection>> open(
        std::shared_ptr<Database> database);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Reads what `key` means into `rows` (what was there is overwritten). Returns the version of
    /// the data: the row's, or the highest of a category's rows. Errors: interrupted after
    /// Database::cancel(); failed.
    [[nodiscard]] Result<std::uint64_t> read(QueryKind query, std::uint64_t key,
                                             std::vector<ProductRow>& rows);
    /// Changes the price of the key's product in a transaction of its own; waits for SQLite's write
    /// lock as long as it takes. Errors: interrupted, failed.
    [[nodiscard]] Result<void> change(std::uint64_t key);
    /// EXPLAIN QUERY PLAN: "SCAN product", "SEARCH product USING INDEX product_sku (sku=?)".
    [[nodiscard]] Result<std::string> explain(QueryKind query);
    /// Any statement without rows, waiting for the write lock as change() does.
    [[nodiscard]] Result<void> run(const char* sql);

  private:
    Connection(std::shared_ptr<Database> database, SqliteDatabase handle);
    [[nodiscard]] Result<sqlite3_stmt*> statement_for(QueryKind query);
    [[nodiscard]] Result<void> update(std::int64_t product, std::uint64_t version);
    [[nodiscard]] Error reason(std::string_view doing) const;

    std::shared_ptr<Database> database_;  ///< outlives the handle: its flags are asked by callbacks
    SqliteDatabase handle_;
    SqliteStatement reads_[3];
    SqliteStatement update_;
};

/// The served database: this run's own copy of the template, in WAL mode.
///
/// Threads: any for versions(), keys(), cancel(), connect(); set_index() one at a time.
class Database : public std::enable_shared_from_this<Database> {
  public:
    struct Options {
        int products = 200'000;
        bool index = true;
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
    /// Creates or drops both indexes (product_sku, product_category). Readers go on meanwhile,
    /// writers wait.
    [[nodiscard]] Result<void> set_index(bool wanted);
    [[nodiscard]] bool has_index() const { return has_index_.load(); }

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
    std::atomic<bool> cancelled_{false};
};

}  // namespace lab::live
