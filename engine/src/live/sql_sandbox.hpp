// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>

#include "lab/result.hpp"
#include "lab/sql.hpp"
#include "live/sqlite_handle.hpp"

namespace lab::live {

/// A read-only connection on which nothing but one SELECT over product and review can run.
///
/// The text comes from a person and may be hostile. What it can do is bounded four times: the file
/// is opened read-only; an authorizer allows reading of known tables and known functions and
/// nothing else; SQLite's limits bound the text, the depth, the machine code and every value; a
/// progress handler ends it after its time.
/// Threads: one at a time; cancel() any.
class SqlSandbox {
  public:
    /// Errors: no_resources, failed.
    [[nodiscard]] static Result<std::unique_ptr<SqlSandbox>> open(
        const std::filesystem::path& file);
    SqlSandbox(const SqlSandbox&) = delete;
    SqlSandbox& operator=(const SqlSandbox&) = delete;

    [[nodiscard]] Result<SqlAnswer> ask(const std::string& sql, const SqlLimits& limits);
    void cancel() { cancelled_.store(true); }

  private:
    explicit SqlSandbox(SqliteDatabase handle);
    [[nodiscard]] static int authorize(void* self, int action, const char* first,
                                       const char* second, const char* database,
                                       const char* trigger);
    [[nodiscard]] static int is_over(void* self);
    [[nodiscard]] int judge(int action, const char* first, const char* second);
    [[nodiscard]] Result<SqliteStatement> prepare_one(const std::string& sql);
    [[nodiscard]] Result<void> read_plan(const std::string& sql, SqlAnswer& answer);
    [[nodiscard]] Result<void> run(sqlite3_stmt* statement, const SqlLimits& limits,
                                   SqlAnswer& answer);
    [[nodiscard]] Error refusal(const SqlLimits& limits) const;

    SqliteDatabase handle_;
    std::atomic<bool> cancelled_{false};
    Instant deadline_ = Instant::max();
    std::string refused_;  ///< what the authorizer said no to last
};

}  // namespace lab::live
