// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/sqlite_handle.hpp"

#include <fmt/format.h>

namespace lab::live {

Error sqlite_error(sqlite3* database, std::string_view doing) {
    const int code = database == nullptr ? SQLITE_NOMEM : sqlite3_errcode(database);
    const char* said =
        database == nullptr ? sqlite3_errstr(SQLITE_NOMEM) : sqlite3_errmsg(database);
    ErrorCode kind = ErrorCode::failed;
    switch (code & 0xff) {
        case SQLITE_INTERRUPT:
            kind = ErrorCode::interrupted;
            break;
        case SQLITE_FULL:
        case SQLITE_NOMEM:
        case SQLITE_CANTOPEN:
            kind = ErrorCode::no_resources;
            break;
        default:
            break;
    }
    return {kind, "database", fmt::format("{}: {}", doing, said)};
}

Result<SqliteDatabase> open_sqlite(const std::filesystem::path& path, int flags) {
    sqlite3* raw = nullptr;
    const int code =
        sqlite3_open_v2(path.string().c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    SqliteDatabase database{raw};  // SQLite gives a handle on failure too
    if (code != SQLITE_OK) {
        return sqlite_error(raw, fmt::format("opening {}", path.filename().string()));
    }
    sqlite3_extended_result_codes(raw, 1);
    return database;
}

Result<void> execute(sqlite3* database, const char* sql) {
    if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
        return sqlite_error(database, sql);
    }
    return {};
}

Result<SqliteStatement> prepare(sqlite3* database, std::string_view sql) {
    sqlite3_stmt* raw = nullptr;
    const int code = sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
    SqliteStatement statement{raw};
    if (code != SQLITE_OK) return sqlite_error(database, "preparing a statement");
    return statement;
}

Result<std::int64_t> read_number(sqlite3* database, std::string_view sql) {
    auto statement = prepare(database, sql);
    if (!statement) return statement.error();
    if (sqlite3_step(statement->get()) != SQLITE_ROW) return sqlite_error(database, sql);
    return sqlite3_column_int64(statement->get(), 0);
}

}  // namespace lab::live
