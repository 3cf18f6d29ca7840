// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/database.hpp"

#include <algorithm>
#include <string_view>
#include <system_error>
#include <thread>

namespace lab::live {

namespace fs = std::filesystem;

namespace {

/// Instructions of SQLite's machine between two looks at the cancellation: about half a
/// millisecond.
constexpr int instructions_a_look = 10'000;

/// Asked now and then while a statement runs; not zero breaks it off.
int is_cancelled(void* database) { return static_cast<const Database*>(database)->cancelled(); }

/// Asked when another connection holds the write lock; zero gives up.
int wait_for_writer(void* database, int tries) {
    if (static_cast<const Database*>(database)->cancelled()) return 0;
    std::this_thread::sleep_for(std::min<Duration>(100us * (tries + 1), 1ms));
    return 1;
}

std::string_view sql_of(QueryKind query) {
    // No LIMIT: without the index a look-up reads the whole table, wherever its row lies.
    switch (query) {
        case QueryKind::product_by_sku:
            return "SELECT id, name, price, category, version FROM product WHERE sku = ?1";
        case QueryKind::product_by_id:
            return "SELECT id, name, price, category, version FROM product WHERE id = ?1";
        case QueryKind::products_by_category:
            return "SELECT id, name, price, category, version FROM product WHERE category = ?1";
    }
    return {};
}

void bind_key(sqlite3_stmt* statement, QueryKind query, std::uint64_t key,
              const core::Keyspace& keys) {
    switch (query) {
        case QueryKind::product_by_sku: {
            const std::string sku = sku_of(keys.product_of(key));
            sqlite3_bind_text(statement, 1, sku.data(), static_cast<int>(sku.size()),
                              SQLITE_TRANSIENT);
            return;
        }
        case QueryKind::product_by_id:
            sqlite3_bind_int64(statement, 1, keys.product_of(key));
            return;
        case QueryKind::products_by_category:
            sqlite3_bind_int(statement, 1, keys.category_of(key));
            return;
    }
}

void read_row(sqlite3_stmt* statement, ProductRow& row) {
    row.id = sqlite3_column_int64(statement, 0);
    const auto* const text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 1));
    row.name.assign(text == nullptr ? "" : text);
    row.price = sqlite3_column_int64(statement, 2);
    row.category = sqlite3_column_int(statement, 3);
}

}  // namespace

Connection::Connection(std::shared_ptr<Database> database, SqliteDatabase handle)
    : database_{std::move(database)}, handle_{std::move(handle)} {
    sqlite3_progress_handler(handle_.get(), instructions_a_look, is_cancelled, database_.get());
    sqlite3_busy_handler(handle_.get(), wait_for_writer, database_.get());
}

Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::open(std::shared_ptr<Database> database) {
    auto handle = open_sqlite(database->file(), SQLITE_OPEN_READWRITE);
    if (!handle) return handle.error();
    std::unique_ptr<Connection> made{
        new Connection{std::move(database), std::move(handle.value())}};
    // The copy is thrown away after the run: waiting for a disk would be weather, not a lesson. The
    // cache is small, as there may be hundreds of connections; the system keeps the file in memory.
    auto set = made->run(
        "PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -1024");
    if (!set) return set.error();
    return made;
}

Error Connection::reason(std::string_view doing) const {
    Error error = sqlite_error(handle_.get(), doing);
    if (database_->cancelled()) error.code = ErrorCode::interrupted;
    return error;
}

Result<void> Connection::run(const char* sql) {
    if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
        return reason(sql);
    }
    return {};
}

Result<sqlite3_stmt*> Connection::statement_for(QueryKind query) {
    SqliteStatement& statement = reads_[static_cast<std::size_t>(query)];
    if (!statement) {
        auto made = prepare(handle_.get(), sql_of(query));
        if (!made) return reason("preparing a query");
        statement = std::move(made.value());
    }
    return statement.get();
}

Result<std::uint64_t> Connection::read(QueryKind query, std::uint64_t key,
                                       std::vector<ProductRow>& rows) {
    const auto found = statement_for(query);
    if (!found) return found.error();
    sqlite3_stmt* const statement = *found;
    bind_key(statement, query, key, database_->keys());
    std::size_t count = 0;
    std::uint64_t version = 0;
    int code = sqlite3_step(statement);
    for (; code == SQLITE_ROW; code = sqlite3_step(statement)) {
        if (rows.size() == count) rows.emplace_back();
        read_row(statement, rows[count++]);
        version = std::max(version, static_cast<std::uint64_t>(sqlite3_column_int64(statement, 4)));
    }
    rows.resize(count);
    if (code != SQLITE_DONE) {
        const Error error = reason("reading products");
        sqlite3_reset(statement);
        return error;
    }
    sqlite3_reset(statement);
    return std::max(version, database_->versions().base());
}

Result<void> Connection::update(std::int64_t product, std::uint64_t version) {
    if (!update_) {
        auto made =
            prepare(handle_.get(),
                    "UPDATE product SET price = price % 49999 + 1, version = ?2 WHERE id = ?1");
        if (!made) return reason("preparing an update");
        update_ = std::move(made.value());
    }
    sqlite3_bind_int64(update_.get(), 1, product);
    sqlite3_bind_int64(update_.get(), 2, static_cast<sqlite3_int64>(version));
    const int code = sqlite3_step(update_.get());
    Result<void> result;
    if (code != SQLITE_DONE) result = reason("changing a product");
    sqlite3_reset(update_.get());
    return result;
}

Result<void> Connection::change(std::uint64_t key) {
    const std::int64_t product = database_->keys().product_of(key);
    // IMMEDIATE takes the write lock before the number is drawn: numbers and commits have one
    // order.
    if (auto begun = run("BEGIN IMMEDIATE"); !begun) return begun;
    const std::uint64_t version = database_->versions().take_next();
    auto done = update(product, version);
    if (done) done = run("COMMIT");
    if (!done) {
        static_cast<void>(sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr));
        return done;
    }
    database_->versions().set(product, version);
    return {};
}

Result<std::string> Connection::explain(QueryKind query) {
    const std::string sql = "EXPLAIN QUERY PLAN " + std::string{sql_of(query)};
    auto statement = prepare(handle_.get(), sql);
    if (!statement) return reason("explaining a query");
    constexpr int detail = 3;
    std::string plan;
    int code = sqlite3_step(statement->get());
    for (; code == SQLITE_ROW; code = sqlite3_step(statement->get())) {
        if (!plan.empty()) plan += "; ";
        plan += reinterpret_cast<const char*>(sqlite3_column_text(statement->get(), detail));
    }
    if (code != SQLITE_DONE) return reason("explaining a query");
    return plan;
}

Database::Database(const Options& options)
    : keys_{options.products},
      versions_{std::make_shared<VersionTable>(keys_, options.version_base)} {}

Result<std::shared_ptr<Database>> Database::open(const Options& options,
                                                 const Preparation& preparation) {
    auto folder = PrivateFolder::create(options.work_folder);
    if (!folder) return folder.error();
    std::shared_ptr<Database> database{new Database{options}};
    database->folder_ = std::move(folder.value());
    database->file_ = database->folder_->path() / "products.sqlite";
    if (auto made = database->prepare_copy(options, preparation); !made) return made.error();
    return database;
}

Result<void> Database::prepare_copy(const Options& options, const Preparation& preparation) {
    const fs::path kept = options.data_folder.empty() ? default_data_folder() : options.data_folder;
    auto source = ensure_template(kept, options.products, preparation);
    // A full or read-only cache folder is no reason not to run.
    if (!source && source.error().code != ErrorCode::interrupted) {
        source = ensure_template(folder_->path(), options.products, preparation);
    }
    if (!source) return source.error();
    std::error_code error;
    preparation.say("copying the database");
    fs::copy_file(*source, file_, error);
    if (error) {
        return Error{ErrorCode::no_resources, file_.string(),
                     "cannot copy the database: " + error.message()};
    }
    fs::permissions(file_, fs::perms::owner_read | fs::perms::owner_write, error);
    if (preparation.given_up()) {
        return Error{ErrorCode::interrupted, "database", "stopped while it was being copied"};
    }
    auto database = open_sqlite(file_, SQLITE_OPEN_READWRITE);
    if (!database) return database.error();
    // The index comes before the log: afterwards every page lies in the file, and readers find it
    // there.
    if (options.index) {
        preparation.say("creating the index");
        auto made = execute(database->get(),
                            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                            "PRAGMA temp_store = MEMORY;"
                            "CREATE INDEX product_sku ON product(sku);"
                            "CREATE INDEX product_category ON product(category)");
        if (!made) return made;
    }
    if (auto set = execute(database->get(), "PRAGMA journal_mode = WAL"); !set) return set;
    has_index_.store(options.index);
    return {};
}

Result<void> Database::set_index(bool wanted) {
    if (has_index() == wanted) return {};
    auto connection = connect();
    if (!connection) return connection.error();
    auto done = (*connection)
                    ->run(wanted ? "BEGIN IMMEDIATE;"
                                   "CREATE INDEX IF NOT EXISTS product_sku ON product(sku);"
                                   "CREATE INDEX IF NOT EXISTS product_category "
                                   "ON product(category); COMMIT"
                                 : "BEGIN IMMEDIATE;"
                                   "DROP INDEX IF EXISTS product_sku;"
                                   "DROP INDEX IF EXISTS product_category; COMMIT");
    if (!done) return done;  // the connection goes, and its transaction with it
    has_index_.store(wanted);
    return {};
}

}  // namespace lab::live
