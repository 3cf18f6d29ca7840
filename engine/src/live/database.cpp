// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/database.hpp"

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace lab::live {

namespace fs = std::filesystem;

Database::Data::Data(const Options& options)
    : keys{options.products},
      versions{std::make_shared<VersionTable>(keys, options.version_base)} {}

std::shared_ptr<Database> Database::for_another_server() const {
    return std::shared_ptr<Database>{new Database{data_}};
}

Result<std::shared_ptr<Database>> Database::open(const Options& options,
                                                 const Preparation& preparation) {
    auto folder = PrivateFolder::create(options.work_folder);
    if (!folder) return folder.error();
    auto data = std::make_shared<Data>(options);
    data->folder = std::move(folder.value());
    data->file = data->folder->path() / "products.sqlite";
    std::shared_ptr<Database> database{new Database{std::move(data)}};
    if (auto made = database->prepare_copy(options, preparation); !made) return made.error();
    if (options.replica_lag > Duration{}) {
        preparation.say("copying the database to its replica");
        if (auto made = database->set_replica(options.replica_lag); !made) return made.error();
    }
    return database;
}

Result<void> Database::prepare_copy(const Options& options, const Preparation& preparation) {
    const fs::path kept = options.data_folder.empty() ? default_data_folder() : options.data_folder;
    auto source = ensure_template(kept, options.products, preparation);
    // A full or read-only cache folder is no reason not to run.
    if (!source && source.error().code != ErrorCode::interrupted) {
        source = ensure_template(data_->folder->path(), options.products, preparation);
    }
    if (!source) return source.error();
    std::error_code error;
    preparation.say("copying the database");
    fs::copy_file(*source, data_->file, error);
    if (error) {
        return Error{ErrorCode::no_resources, data_->file.string(),
                     "cannot copy the database: " + error.message()};
    }
    fs::permissions(data_->file, fs::perms::owner_read | fs::perms::owner_write, error);
    if (preparation.given_up()) {
        return Error{ErrorCode::interrupted, "database", "stopped while it was being copied"};
    }
    auto database = open_sqlite(data_->file, SQLITE_OPEN_READWRITE);
    if (!database) return database.error();
    // The index comes before the log: afterwards every page lies in the file, and readers find it
    // there.
    const Indexes& wanted = options.indexes;
    if (wanted != Indexes{}) {
        const int count = (wanted.look_up ? 2 : 0) + wanted.price;
        preparation.say(count <= 2 ? "creating the index"
                                   : fmt::format("creating {} indexes", count));
        const std::string make =
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "PRAGMA temp_store = MEMORY;" +
            index_statements(wanted);
        if (auto made = execute(database->get(), make.c_str()); !made) return made;
    }
    if (auto set = execute(database->get(), "PRAGMA journal_mode = WAL"); !set) return set;
    data_->has_index.store(wanted.look_up);
    data_->price_indexes.store(wanted.price);
    return {};
}

Result<void> Database::set_indexes(const Indexes& wanted) {
    if (indexes() == wanted) return {};
    auto connection = connect();
    if (!connection) return connection.error();
    // From here on nobody names an index that is to go, and not yet one that is to come.
    data_->has_index.store(data_->has_index && wanted.look_up);
    data_->price_indexes.store(std::min(data_->price_indexes.load(), wanted.price));
    const std::string sql = "BEGIN IMMEDIATE;" + index_statements(wanted) + "COMMIT";
    auto done = (*connection)->run(sql.c_str());
    if (const auto second = replica(); done && second) done = second->run(sql);
    if (!done) return done;  // the connection goes, and its transaction with it
    data_->has_index.store(wanted.look_up);
    data_->price_indexes.store(wanted.price);
    return {};
}

std::shared_ptr<Replica> Database::replica() const {
    if (!data_->has_replica.load(std::memory_order_acquire)) return nullptr;
    const std::lock_guard hold{data_->replica_mutex};
    return data_->replica;
}

Result<void> Database::set_replica(Duration lag) {
    if (const auto second = replica(); second && lag > Duration{}) {
        second->set_lag(lag);
        return {};
    }
    std::shared_ptr<Replica> gone;
    if (lag <= Duration{}) {
        data_->has_replica.store(false);
        const std::lock_guard hold{data_->replica_mutex};
        gone = std::exchange(data_->replica, nullptr);
        return {};
    }
    auto connection = connect();
    if (!connection) return connection.error();
    if (auto begun = (*connection)->begin_write({}); !begun) return begun;
    const std::string name = fmt::format("replica-{}.sqlite", ++data_->replicas_made);
    const auto file = data_->folder->path() / name;
    // A copy cannot be taken through the connection that writes.
    auto reader = connect();
    Result<std::shared_ptr<Replica>> made = reader.has_error() ? reader.error() : Error{};
    if (reader) made = Replica::make((*reader)->handle(), file, data_->versions->committed(), lag);
    if (made) {
        const std::lock_guard hold{data_->replica_mutex};
        data_->replica = std::move(made.value());
        data_->has_replica.store(true, std::memory_order_release);
    }
    auto ended = (*connection)->end_write();
    if (!made) return made.error();
    return ended;
}

}  // namespace lab::live
