// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/sql_sandbox.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "lab/text.hpp"

namespace lab::live {

namespace {

Instant now() { return std::chrono::steady_clock::now(); }

constexpr int instructions_a_look = 2'000;  ///< between two looks at the clock
constexpr std::size_t most_sql_bytes = 10'000;
constexpr std::string_view allowed =
    "one SELECT over the tables product and review, with SQLite's usual functions";

constexpr std::array<std::string_view, 3> tables{"product", "review", "sqlite_master"};

/// Functions that read what they are given and nothing else, and whose result is no longer than
/// SQLITE_LIMIT_LENGTH. Sorted.
constexpr std::array<std::string_view, 58> functions{
    "abs",       "avg",        "ceil",         "char",       "coalesce",    "count",
    "cume_dist", "date",       "datetime",     "dense_rank", "first_value", "floor",
    "format",    "glob",       "group_concat", "hex",        "ifnull",      "iif",
    "instr",     "julianday",  "lag",          "last_value", "lead",        "length",
    "like",      "ln",         "log",          "lower",      "ltrim",       "max",
    "min",       "mod",        "nth_value",    "ntile",      "nullif",      "percent_rank",
    "pow",       "power",      "printf",       "quote",      "rank",        "replace",
    "round",     "row_number", "rtrim",        "sign",       "sqrt",        "strftime",
    "substr",    "substring",  "sum",          "time",       "total",       "trim",
    "typeof",    "unicode",    "unixepoch",    "upper"};

struct Limit {
    int id;
    int value;
};

/// SQLite takes down what is above its own limits by itself.
constexpr std::array<Limit, 11> limits_of_sqlite{{{SQLITE_LIMIT_LENGTH, 1'000'000},
                                                  {SQLITE_LIMIT_SQL_LENGTH, 20'000},
                                                  {SQLITE_LIMIT_COLUMN, 64},
                                                  {SQLITE_LIMIT_EXPR_DEPTH, 64},
                                                  {SQLITE_LIMIT_COMPOUND_SELECT, 16},
                                                  {SQLITE_LIMIT_VDBE_OP, 25'000},
                                                  {SQLITE_LIMIT_FUNCTION_ARG, 16},
                                                  {SQLITE_LIMIT_ATTACHED, 0},
                                                  {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100},
                                                  {SQLITE_LIMIT_VARIABLE_NUMBER, 0},
                                                  {SQLITE_LIMIT_WORKER_THREADS, 0}}};

/// What a person calls an action of the authorizer.
std::string action_name(int action, std::string_view first) {
    switch (action) {
        case SQLITE_ATTACH:
        case SQLITE_DETACH:
            return "ATTACH";
        case SQLITE_PRAGMA:
            return "PRAGMA";
        case SQLITE_FUNCTION:
            return fmt::format("the function {}", in_quotes(first));
        case SQLITE_READ:
            return fmt::format("the table {}", in_quotes(first));
        case SQLITE_RECURSIVE:
            return "a WITH that refers to itself";
        case SQLITE_TRANSACTION:
        case SQLITE_SAVEPOINT:
            return "a transaction";
        default:
            return "a statement that changes something";
    }
}

std::string_view view(const char* text) { return text == nullptr ? "" : text; }

/// Everything up to here is whole characters of UTF-8.
std::size_t whole_characters(std::string_view text, std::size_t most) {
    std::size_t end = std::min(most, text.size());
    constexpr unsigned char mask = 0xc0, continuation = 0x80;
    while (end > 0 && end < text.size() &&
           (static_cast<unsigned char>(text[end]) & mask) == continuation) {
        --end;
    }
    return end;
}

SqlAnswer::Cell cell(sqlite3_stmt* statement, int column, std::size_t most) {
    if (sqlite3_column_type(statement, column) == SQLITE_NULL) return std::nullopt;
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
    if (sqlite3_column_type(statement, column) == SQLITE_BLOB) {
        return fmt::format("a blob of {} bytes", size);
    }
    const auto* const text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
    const std::string_view whole{text == nullptr ? "" : text, text == nullptr ? 0 : size};
    const std::size_t kept = whole_characters(whole, most);
    return std::string{whole.substr(0, kept)} + (kept < whole.size() ? "..." : "");
}

std::uint64_t count_of(sqlite3_stmt* statement, int what) {
    return static_cast<std::uint64_t>(std::max(0, sqlite3_stmt_status(statement, what, 0)));
}

}  // namespace

SqlSandbox::SqlSandbox(SqliteDatabase handle) : handle_{std::move(handle)} {}

Result<std::unique_ptr<SqlSandbox>> SqlSandbox::open(const std::filesystem::path& file) {
    auto handle = open_sqlite(file, SQLITE_OPEN_READONLY);
    if (!handle) return handle.error();
    std::unique_ptr<SqlSandbox> made{new SqlSandbox{std::move(handle.value())}};
    sqlite3* const database = made->handle_.get();
    // What sorts and joins spill goes to a file beyond these 4 MB, never to memory without bound.
    auto set = execute(database,
                       "PRAGMA query_only = ON; PRAGMA cache_size = -4096;"
                       "PRAGMA temp_store = FILE");
    if (!set) return set.error();
    for (const Limit& limit : limits_of_sqlite) sqlite3_limit(database, limit.id, limit.value);
    for (const auto& [what, value] :
         {std::pair{SQLITE_DBCONFIG_DEFENSIVE, 1}, std::pair{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
          std::pair{SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
          std::pair{SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0}}) {
        sqlite3_db_config(database, what, value, nullptr);
    }
    sqlite3_set_authorizer(database, authorize, made.get());
    sqlite3_progress_handler(database, instructions_a_look, is_over, made.get());
    return made;
}

int SqlSandbox::authorize(void* self, int action, const char* first, const char* second,
                          const char*, const char*) {
    return static_cast<SqlSandbox*>(self)->judge(action, first, second);
}

int SqlSandbox::judge(int action, const char* first, const char* second) {
    switch (action) {
        case SQLITE_SELECT:
            return SQLITE_OK;
        case SQLITE_READ:
            // Without a column only rows are counted; the name may be that of a subquery.
            if (view(second).empty() || std::ranges::find(tables, view(first)) != tables.end()) {
                return SQLITE_OK;
            }
            break;
        case SQLITE_FUNCTION: {
            std::string name{view(second)};
            std::ranges::transform(name, name.begin(), [](char c) {
                return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
            });
            if (std::ranges::binary_search(functions, name)) return SQLITE_OK;
            refused_ = action_name(action, view(second));
            return SQLITE_DENY;
        }
        default:
            break;
    }
    refused_ = action_name(action, view(first));
    return SQLITE_DENY;
}

int SqlSandbox::is_over(void* self) {
    const auto& of = *static_cast<const SqlSandbox*>(self);
    return of.cancelled_.load(std::memory_order_relaxed) || now() >= of.deadline_ ? 1 : 0;
}

Error SqlSandbox::refusal(const SqlLimits& limits) const {
    sqlite3* const database = handle_.get();
    const int code = sqlite3_errcode(database) & 0xff;
    if (cancelled_.load()) return {ErrorCode::interrupted, "SQL", "stopped"};
    if (code == SQLITE_INTERRUPT) {
        return {ErrorCode::timed_out, "SQL",
                fmt::format("found a query that runs longer than {}; allowed: at most that",
                            write_duration(limits.time))};
    }
    if (!refused_.empty()) {
        return {ErrorCode::invalid_input, "SQL",
                fmt::format("found {}; allowed: {}", refused_, allowed)};
    }
    return {ErrorCode::invalid_input, "SQL",
            fmt::format("SQLite says: {}", escaped(sqlite3_errmsg(database)))};
}

/// One SELECT and nothing after it.
Result<SqliteStatement> SqlSandbox::prepare_one(const std::string& sql) {
    const auto not_allowed = [](std::string_view found) {
        return Error{ErrorCode::invalid_input, "SQL",
                     fmt::format("found {}; allowed: {}", found, allowed)};
    };
    if (sql.size() > most_sql_bytes) {
        return not_allowed(
            fmt::format("{} bytes of text", show_count(static_cast<std::int64_t>(sql.size()))));
    }
    if (sql.find('\0') != std::string::npos) return not_allowed("a NUL byte");
    sqlite3_stmt* raw = nullptr;
    const char* rest = nullptr;
    const int code = sqlite3_prepare_v2(handle_.get(), sql.c_str(), -1, &raw, &rest);
    SqliteStatement statement{raw};
    if (code != SQLITE_OK) return refusal({});
    if (!statement) return not_allowed("no statement");
    // Whatever follows must be blanks and comments.
    for (const char* from = rest; *from != '\0';) {
        sqlite3_stmt* second = nullptr;
        const int fine = sqlite3_prepare_v2(handle_.get(), from, -1, &second, &from);
        const SqliteStatement owned{second};
        if (fine != SQLITE_OK || owned) return not_allowed("more than one statement");
    }
    if (sqlite3_stmt_isexplain(statement.get()) != 0) {
        return not_allowed("EXPLAIN (the plan is shown anyway)");
    }
    if (sqlite3_stmt_readonly(statement.get()) == 0 || sqlite3_column_count(statement.get()) == 0) {
        return not_allowed("a statement that reads nothing");
    }
    return statement;
}

Result<void> SqlSandbox::read_plan(const std::string& sql, SqlAnswer& answer) {
    sqlite3_stmt* raw = nullptr;
    const std::string text = "EXPLAIN QUERY PLAN " + sql;
    const int code = sqlite3_prepare_v2(handle_.get(), text.c_str(), -1, &raw, nullptr);
    const SqliteStatement statement{raw};
    if (code != SQLITE_OK || !statement) return refusal({});
    constexpr int id = 0, parent = 1, detail = 3;
    std::vector<std::pair<int, std::size_t>> depths;  // of the lines so far
    constexpr std::size_t most_lines = 200;
    while (answer.plan.size() < most_lines && sqlite3_step(statement.get()) == SQLITE_ROW) {
        const int above = sqlite3_column_int(statement.get(), parent);
        const auto found = std::ranges::find(depths, above, &std::pair<int, std::size_t>::first);
        const std::size_t depth = found == depths.end() ? 0 : found->second + 1;
        depths.emplace_back(sqlite3_column_int(statement.get(), id), depth);
        const auto* const line =
            reinterpret_cast<const char*>(sqlite3_column_text(statement.get(), detail));
        answer.plan.push_back(std::string(depth * 2, ' ') + (line == nullptr ? "" : line));
    }
    return {};
}

Result<void> SqlSandbox::run(sqlite3_stmt* statement, const SqlLimits& limits, SqlAnswer& answer) {
    const int columns = sqlite3_column_count(statement);
    for (int i = 0; i < columns; ++i) {
        answer.columns.emplace_back(view(sqlite3_column_name(statement, i)));
    }
    const Instant begun = now();
    int code = sqlite3_step(statement);
    for (; code == SQLITE_ROW; code = sqlite3_step(statement)) {
        if (answer.row_count++ >= limits.rows) continue;
        auto& row = answer.rows.emplace_back();
        for (int i = 0; i < columns; ++i) row.push_back(cell(statement, i, limits.cell_bytes));
    }
    answer.time = now() - begun;
    if (code != SQLITE_DONE) return refusal(limits);
    answer.rows_scanned = count_of(statement, SQLITE_STMTSTATUS_FULLSCAN_STEP);
    answer.steps = count_of(statement, SQLITE_STMTSTATUS_VM_STEP);
    answer.sorts = count_of(statement, SQLITE_STMTSTATUS_SORT);
    return {};
}

Result<SqlAnswer> SqlSandbox::ask(const std::string& sql, const SqlLimits& limits) {
    if (cancelled_.load()) return Error{ErrorCode::interrupted, "SQL", "stopped"};
    deadline_ = now() + limits.time;
    // What was learnt of the schema may be out of date: an index has come or gone. Reading anything
    // looks; asking for a plan does not.
    static_cast<void>(execute(handle_.get(), "SELECT 1 FROM product LIMIT 1"));
    refused_.clear();
    auto statement = prepare_one(sql);
    if (!statement) return statement.error();
    SqlAnswer answer;
    if (auto read = read_plan(sql, answer); !read) return read.error();
    deadline_ = now() + limits.time;
    if (auto done = run(statement->get(), limits, answer); !done) return done.error();
    return answer;
}

}  // namespace lab::live
