// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/program.hpp"
#include "lab/model.hpp"
#include "lab/result.hpp"
#include "live/query_text.hpp"
#include "live/replica.hpp"
#include "live/sqlite_handle.hpp"

namespace lab::live {

class Database;

/// How a question is to be answered, beyond what it asks.
struct ReadOptions {
    Access access = Access::planner;
    Duration time_limit{};  ///< of running; 0 means none
};

struct ReadResult {
    std::uint64_t version = 0;       ///< of the data: of the last change that it surely shows
    std::uint64_t rows_touched = 0;  ///< that a scan passed, or a search found
};

/// One connection with its prepared statements. Reads from the replica while there is one, which it
/// then has a second handle for.
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

    /// Reads what `key` means into `rows`; see RowReader. A later trip of the same question needs
    /// the rows of the first. Errors: timed_out beyond options.time_limit; interrupted after
    /// Database::cancel(); failed.
    [[nodiscard]] Result<ReadResult> read(const core::AskedQuery& asked, std::uint64_t key,
                                          std::vector<ProductRow>& rows,
                                          const ReadOptions& options = {});

    /// Begins a write transaction: waits for SQLite's write lock, at most so long (0: as long as it
    /// takes). Errors: timed_out, interrupted, failed.
    [[nodiscard]] Result<void> begin_write(Duration longest_wait);
    /// Changes the price of the key's product, in the transaction that is open. Errors: timed_out,
    /// interrupted, failed.
    [[nodiscard]] Result<void> update(std::uint64_t key, Duration time_limit);
    /// Ends the transaction; a change is committed, and told to truth and replica.
    [[nodiscard]] Result<void> end_write();
    /// All three, waiting as long as it takes.
    [[nodiscard]] Result<void> change(std::uint64_t key);

    /// EXPLAIN QUERY PLAN: "SCAN product", "SEARCH product USING INDEX product_sku (sku=?)"; of a
    /// question of several round trips "SEARCH ...; then 20 x SEARCH ...".
    [[nodiscard]] Result<std::string> explain(const core::AskedQuery& asked, Access access);
    /// Any statement without rows, waiting for the write lock, and running, at most so long (0: as
    /// long as it takes). Errors: timed_out, interrupted, failed.
    [[nodiscard]] Result<void> run(const char* sql, Duration longest = {});
    /// Empties the write-ahead log: waits for readers that began before it, and holds writers up
    /// meanwhile. Errors: timed_out, interrupted, failed.
    [[nodiscard]] Result<void> empty_log(Duration longest);
    /// For copies of the whole database.
    [[nodiscard]] sqlite3* handle() const { return primary_.handle.get(); }

  private:
    /// Until when what runs may go on; SQLite's callbacks ask.
    struct Watch {
        const Database* database = nullptr;
        Instant deadline = Instant::max();
    };
    /// One copy of the data, opened.
    struct Side {
        SqliteDatabase handle;
        std::map<std::uint64_t, SqliteStatement> statements;
    };
    struct Changed {
        std::int64_t product = 0;
        std::uint64_t version = 0;
    };

    Connection(std::shared_ptr<Database> database, SqliteDatabase handle);
    [[nodiscard]] static int is_over(void* watch);
    [[nodiscard]] static int wait_for_writer(void* watch, int tries);
    void watch_over(sqlite3* handle);
    [[nodiscard]] Result<Side*> reading_side(std::uint64_t& floor);
    [[nodiscard]] Result<sqlite3_stmt*> statement_for(Side& side, const core::AskedQuery& asked,
                                                      Access access);
    [[nodiscard]] Result<std::string> plan_of(const std::string& sql);
    [[nodiscard]] Error reason(sqlite3* handle, std::string_view doing) const;
    void set_limit(Duration limit);

    std::shared_ptr<Database>
        database_;  ///< outlives the handles: its flags are asked by callbacks
    Watch watch_;
    Side primary_;
    std::shared_ptr<Replica> replica_;  ///< that `secondary_` is open on
    Side secondary_;
    SqliteStatement update_;
    bool writing_ = false;
    std::vector<Changed> changed_;  ///< in the transaction that is open
};

}  // namespace lab::live
