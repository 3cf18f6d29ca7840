// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/connection.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "live/database.hpp"

namespace lab::live {

namespace {

Instant now() { return std::chrono::steady_clock::now(); }

/// Instructions of SQLite's machine between two looks at the cancellation and the time limit: about
/// half a millisecond.
constexpr int instructions_a_look = 10'000;

// The copy is thrown away after the run: waiting for a disk would be weather, not a lesson. The
// cache is small, as there may be hundreds of connections; the system keeps the file in memory.
constexpr const char* manners =
    "PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -1024";

}  // namespace

/// Asked now and then while a statement runs; not zero breaks it off.
int Connection::is_over(void* watch) {
    const Watch& of = *static_cast<const Watch*>(watch);
    if (of.database->cancelled()) return 1;
    return of.deadline != Instant::max() && now() >= of.deadline ? 1 : 0;
}

/// Asked when another connection holds the write lock; zero gives up.
int Connection::wait_for_writer(void* watch, int tries) {
    if (is_over(watch) != 0) return 0;
    std::this_thread::sleep_for(std::min<Duration>(100us * (tries + 1), 1ms));
    return 1;
}

Connection::Connection(std::shared_ptr<Database> database, SqliteDatabase handle)
    : database_{std::move(database)},
      watch_{database_.get(), Instant::max()},
      primary_{std::move(handle), {}} {
    watch_over(primary_.handle.get());
}

Connection::~Connection() = default;

void Connection::watch_over(sqlite3* handle) {
    sqlite3_progress_handler(handle, instructions_a_look, is_over, &watch_);
    sqlite3_busy_handler(handle, wait_for_writer, &watch_);
}

Result<std::unique_ptr<Connection>> Connection::open(std::shared_ptr<Database> database) {
    auto handle = open_sqlite(database->file(), SQLITE_OPEN_READWRITE);
    if (!handle) return handle.error();
    std::unique_ptr<Connection> made{
        new Connection{std::move(database), std::move(handle.value())}};
    if (auto set = made->run(manners); !set) return set.error();
    return made;
}

Error Connection::reason(sqlite3* handle, std::string_view doing) const {
    Error error = sqlite_error(handle, doing);
    const int code = sqlite3_errcode(handle) & 0xff;
    if (database_->cancelled()) {
        error.code = ErrorCode::interrupted;
    } else if ((code == SQLITE_INTERRUPT || code == SQLITE_BUSY) && now() >= watch_.deadline) {
        error.code = ErrorCode::timed_out;
    }
    return error;
}

void Connection::set_limit(Duration limit) {
    watch_.deadline = limit > Duration{} ? now() + limit : Instant::max();
}

Result<void> Connection::run(const char* sql, Duration longest) {
    set_limit(longest);
    Result<void> result;
    if (sqlite3_exec(primary_.handle.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
        result = reason(primary_.handle.get(), sql);
    }
    set_limit({});
    return result;
}

/// The copy that is read. `floor`: the last change that it surely has.
Result<Connection::Side*> Connection::reading_side(std::uint64_t& floor) {
    auto replica = database_->replica();
    if (replica != replica_) {
        secondary_ = Side{};
        replica_.reset();
        if (replica) {
            auto handle = open_sqlite(replica->file(), SQLITE_OPEN_READWRITE);
            if (!handle) return handle.error();
            watch_over(handle->get());
            if (auto set = execute(handle->get(), manners); !set) return set.error();
            secondary_.handle = std::move(handle.value());
            replica_ = std::move(replica);
        }
    }
    floor = replica_ ? replica_->applied() : database_->versions().committed();
    return replica_ ? &secondary_ : &primary_;
}

Result<sqlite3_stmt*> Connection::statement_for(Side& side, const core::AskedQuery& asked,
                                                Access access) {
    const Indexes has = database_->indexes();
    SqliteStatement& statement = side.statements[statement_id(asked, access, has)];
    if (!statement) {
        auto made = prepare(side.handle.get(), sql_of(asked, access, has));
        if (!made) return reason(side.handle.get(), "preparing a query");
        statement = std::move(made.value());
    }
    return statement.get();
}

Result<ReadResult> Connection::read(const core::AskedQuery& asked, std::uint64_t key,
                                    std::vector<ProductRow>& rows, const ReadOptions& options) {
    std::uint64_t floor = 0;
    const auto side = reading_side(floor);
    if (!side) return side.error();
    const auto found = statement_for(**side, asked, options.access);
    if (!found) return found.error();
    sqlite3_stmt* const statement = *found;
    bind_question(statement, asked, key, database_->keys(), rows);
    set_limit(options.time_limit);
    RowReader reader{asked, rows};
    int code = sqlite3_step(statement);
    for (; code == SQLITE_ROW; code = sqlite3_step(statement)) reader.take(statement);
    constexpr int set_to_zero = 1;
    const int scanned =
        sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_FULLSCAN_STEP, set_to_zero);
    reader.finish(static_cast<std::uint64_t>(std::max(scanned, 0)));
    Result<ReadResult> result = ReadResult{std::max(reader.version(), floor), reader.touched()};
    if (code != SQLITE_DONE) result = reason((*side)->handle.get(), "reading products");
    sqlite3_reset(statement);
    set_limit({});
    // An index that a hint names has been dropped since the statement was prepared.
    if (code == SQLITE_ERROR && options.access == Access::index) {
        ReadOptions plain = options;
        plain.access = Access::planner;
        return read(asked, key, rows, plain);
    }
    return result;
}

Result<void> Connection::empty_log(Duration longest) {
    set_limit(longest);
    const auto busy = read_number(primary_.handle.get(), "PRAGMA wal_checkpoint(TRUNCATE)");
    Result<void> result;
    if (!busy) result = reason(primary_.handle.get(), "emptying the log");
    set_limit({});
    if (busy && *busy != 0) {
        return Error{ErrorCode::timed_out, "database", "a reader keeps the log from being emptied"};
    }
    return result;
}

Result<void> Connection::begin_write(Duration longest_wait) {
    // IMMEDIATE takes the write lock before a number is drawn: numbers and commits have one order.
    auto begun = run("BEGIN IMMEDIATE", longest_wait);
    changed_.clear();
    writing_ = begun.has_value();
    return begun;
}

Result<void> Connection::update(std::uint64_t key, Duration time_limit) {
    const std::int64_t product = database_->keys().product_of(key);
    const std::uint64_t version = database_->versions().take_next();
    if (!update_) {
        auto made =
            prepare(primary_.handle.get(),
                    "UPDATE product SET price = price % 49999 + 1, version = ?2 WHERE id = ?1");
        if (!made) return reason(primary_.handle.get(), "preparing an update");
        update_ = std::move(made.value());
    }
    sqlite3_bind_int64(update_.get(), 1, product);
    sqlite3_bind_int64(update_.get(), 2, static_cast<sqlite3_int64>(version));
    set_limit(time_limit);
    const int code = sqlite3_step(update_.get());
    Result<void> result;
    if (code == SQLITE_DONE) {
        changed_.push_back({product, version});
    } else {
        result = reason(primary_.handle.get(), "changing a product");
    }
    sqlite3_reset(update_.get());
    set_limit({});
    return result;
}

Result<void> Connection::end_write() {
    if (!std::exchange(writing_, false)) return {};
    const bool commits = !changed_.empty();
    auto done = commits ? run("COMMIT") : Result<void>{};
    if (!commits || !done) {
        static_cast<void>(
            sqlite3_exec(primary_.handle.get(), "ROLLBACK", nullptr, nullptr, nullptr));
        changed_.clear();
        return done;
    }
    const auto replica = database_->replica();
    for (const Changed& change : std::exchange(changed_, {})) {
        database_->versions().set(change.product, change.version);
        if (replica) replica->tell(change.product, change.version);
    }
    return {};
}

Result<void> Connection::change(std::uint64_t key) {
    if (auto begun = begin_write({}); !begun) return begun;
    const auto updated = update(key, {});
    const auto ended = end_write();
    return updated ? ended : updated;
}

Result<std::string> Connection::plan_of(const std::string& sql) {
    auto statement = prepare(primary_.handle.get(), "EXPLAIN QUERY PLAN " + sql);
    if (!statement) return reason(primary_.handle.get(), "explaining a query");
    constexpr int detail = 3;
    std::string plan;
    int code = sqlite3_step(statement->get());
    for (; code == SQLITE_ROW; code = sqlite3_step(statement->get())) {
        if (!plan.empty()) plan += "; ";
        plan += reinterpret_cast<const char*>(sqlite3_column_text(statement->get(), detail));
    }
    if (code != SQLITE_DONE) return reason(primary_.handle.get(), "explaining a query");
    return plan;
}

Result<std::string> Connection::explain(const core::AskedQuery& asked, Access access) {
    const Indexes has = database_->indexes();
    core::AskedQuery trip = asked;
    trip.trip = 0;
    auto plan = plan_of(sql_of(trip, access, has));
    const std::uint32_t trips = core::round_trips(asked.kind, asked.times);
    if (!plan || trips == 1) return plan;
    trip.trip = 1;
    const std::string later = sql_of(trip, access, has);
    trip.trip = 0;
    if (later == sql_of(trip, access, has)) return fmt::format("{} x {}", trips, *plan);
    const auto rest = plan_of(later);
    if (!rest) return rest;
    return fmt::format("{}; then {} x {}", *plan, trips - 1, *rest);
}

}  // namespace lab::live
