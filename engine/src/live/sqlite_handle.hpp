// SPDX-License-Identifier: GPL-3.0-or-later
// SQLite's C interface with owners and Results; nothing here throws.
#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <string_view>

#include "lab/result.hpp"

namespace lab::live {

struct CloseDatabase {
    void operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }
};
struct FinalizeStatement {
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};
using SqliteDatabase = std::unique_ptr<sqlite3, CloseDatabase>;
using SqliteStatement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

/// `flags`: SQLITE_OPEN_...; each connection is used by one thread at a time (NOMUTEX is added).
[[nodiscard]] Result<SqliteDatabase> open_sqlite(const std::filesystem::path& path, int flags);
/// One or several statements whose rows nobody wants.
[[nodiscard]] Result<void> execute(sqlite3* database, const char* sql);
/// A statement that is kept and used many times; SQLite prepares it anew when the schema has
/// changed.
[[nodiscard]] Result<SqliteStatement> prepare(sqlite3* database, std::string_view sql);
/// The first column of the first row. Errors: failed where there is none.
[[nodiscard]] Result<std::int64_t> read_number(sqlite3* database, std::string_view sql);
/// What the last call said. `doing`: "reading products".
[[nodiscard]] Error sqlite_error(sqlite3* database, std::string_view doing);

}  // namespace lab::live
