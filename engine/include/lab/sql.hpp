// SPDX-License-Identifier: GPL-3.0-or-later
// A learner's own SELECT over a scenario's database, in a sandbox.
#pragma once

#include "lab/model.hpp"
#include "lab/result.hpp"
#include "lab/units.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lab {

struct SqlLimits {
    std::size_t rows = 200;        ///< that are kept; the rest is counted
    std::size_t cell_bytes = 200;  ///< of a value that are kept
    Duration time = 2s;            ///< of running
};

/// What one SELECT came to.
struct SqlAnswer {
    /// A value as text, or nothing for NULL. Cut values end in "...".
    using Cell = std::optional<std::string>;
    std::vector<std::string> columns;
    std::vector<std::vector<Cell>> rows;  ///< the first SqlLimits::rows of them
    std::uint64_t row_count = 0;          ///< of all
    std::vector<std::string> plan;        ///< EXPLAIN QUERY PLAN, indented by two blanks a level
    std::uint64_t rows_scanned = 0;       ///< that scans of whole tables or indexes passed
    std::uint64_t steps = 0;              ///< instructions of SQLite's machine
    std::uint64_t sorts = 0;              ///< sorting that no index made needless
    Duration time{};                      ///< of running, without preparing it
};

/// A private copy of a scenario's database to which one may put questions: one SELECT at a time
/// over the tables product and review, read only, with bounds on time, memory and what is kept.
///
/// Refused by SQLite's authorizer: everything but reading those tables and calling well-known
/// functions; so ATTACH, PRAGMA, load_extension, writing, recursive WITH and virtual tables.
/// Threads: one at a time, and each call blocks; cancel() from any.
class SqlDesk {
  public:
    struct Options {
        Database database;        ///< products and indexes as a run begins with them
        std::string data_folder;  ///< of templates; empty: the user's cache folder
        std::function<void(const std::string&)> on_progress;  ///< "making 200,000 products"
        std::function<bool()> cancelled;                      ///< true gives up with interrupted
    };
    /// Errors: no_resources, failed, interrupted.
    [[nodiscard]] static Result<std::unique_ptr<SqlDesk>> open(const Options& options);
    ~SqlDesk();
    SqlDesk(const SqlDesk&) = delete;
    SqlDesk& operator=(const SqlDesk&) = delete;

    /// Errors: invalid_input (SQLite's own words, with what is allowed here), timed_out,
    /// interrupted.
    [[nodiscard]] Result<SqlAnswer> ask(const std::string& sql, const SqlLimits& limits = {});
    /// With the indexes on code and category, or without; the others stay. Errors: failed.
    [[nodiscard]] Result<void> set_index(bool wanted);
    [[nodiscard]] bool has_index() const;
    /// What runs ends as interrupted within some milliseconds, and so does what is asked later.
    void cancel();

  private:
    class Impl;
    explicit SqlDesk(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// The answer as a table of text with the plan and the figures, for a terminal and for copying.
[[nodiscard]] std::string to_text(const SqlAnswer& answer);

}  // namespace lab
