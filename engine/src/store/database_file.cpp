// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/database_file.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

#include "lab/text.hpp"

namespace lab::store {
namespace {

namespace fs = std::filesystem;

constexpr int busy_timeout_ms = 3000;
constexpr int application_id = 0x4C61744C;  // "LatL"
constexpr int attempts = 60;                // while another program starts on the same file
constexpr int pause_ms = 50;                // between two of them
constexpr auto longest_wait = std::chrono::seconds{3};
constexpr int most_mended = 2;  // in one start
constexpr const char* suffixes[] = {"", "-wal", "-shm", "-journal"};

/// The content of the file cannot be what we wrote.
struct Damaged : std::runtime_error {
    using std::runtime_error::runtime_error;
};
struct Newer : std::runtime_error {
    using std::runtime_error::runtime_error;
};

bool means_damage(const SQLite::Exception& e) {
    return e.getErrorCode() == SQLITE_CORRUPT || e.getErrorCode() == SQLITE_NOTADB;
}

constexpr const char* schema = R"(
CREATE TABLE prediction (
  id INTEGER PRIMARY KEY,
  scenario TEXT NOT NULL,
  step INTEGER NOT NULL,
  option INTEGER NOT NULL,
  text TEXT NOT NULL,
  at_unix_ms INTEGER NOT NULL
);
CREATE INDEX prediction_of_scenario ON prediction (scenario, at_unix_ms);
CREATE TABLE progress (
  scenario TEXT PRIMARY KEY,
  step INTEGER NOT NULL,
  finished INTEGER NOT NULL,
  at_unix_ms INTEGER NOT NULL
) WITHOUT ROWID;
)";

int number(SQLite::Database& db, const char* sql) { return db.execAndGet(sql).getInt(); }

void create_schema(SQLite::Database& db) {
    SQLite::Transaction all(db, SQLite::TransactionBehavior::IMMEDIATE);
    if (number(db, "PRAGMA user_version") == 0) {  // another program may have been first
        db.exec(schema);
        db.exec(fmt::format("PRAGMA user_version = {}", schema_version));
        db.exec(fmt::format("PRAGMA application_id = {}", application_id));
    }
    all.commit();
}

/// Throws Damaged, Newer, or SQLite's own.
///
/// One snapshot: another program may be writing the schema of a new file right now, and half of
/// it looks like damage.
void check_content(SQLite::Database& db) {
    const SQLite::Transaction snapshot(db);
    const int version = number(db, "PRAGMA user_version");
    const int application = number(db, "PRAGMA application_id");
    const int tables = number(db, "SELECT count(*) FROM sqlite_master");
    if (version == 0 && application == 0 && tables == 0) return;  // new
    if (application != application_id || version < 1) throw Damaged("it is not a file of ours");
    if (version > schema_version) throw Newer("it was written by a newer version of this program");
    const std::string found = db.execAndGet("PRAGMA quick_check(1)").getString();
    if (found != "ok") throw Damaged(found);
    try {
        SQLite::Statement(db,
                          "SELECT id, scenario, step, option, text, at_unix_ms FROM prediction");
        SQLite::Statement(db, "SELECT scenario, step, finished, at_unix_ms FROM progress");
    } catch (const SQLite::Exception& e) {
        if (e.getErrorCode() == SQLITE_ERROR) throw Damaged(e.what());
        throw;
    }
}

/// Committed means on disk. A share of another machine gets the old journal, which needs no shared
/// memory.
void set_journal(SQLite::Database& db, const fs::path& folder) {
    if (on_network_share(folder)) {
        db.exec("PRAGMA journal_mode = DELETE");
    } else if (db.execAndGet("PRAGMA journal_mode = WAL").getString() != "wal") {
        db.exec("PRAGMA journal_mode = DELETE");
    }
    db.exec("PRAGMA synchronous = FULL");
}

std::unique_ptr<SQLite::Database> open_writable(const fs::path& file) {
    auto db = std::make_unique<SQLite::Database>(
        file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, busy_timeout_ms);
    check_content(*db);
    set_journal(*db, file.parent_path());
    create_schema(*db);  // also proves that it can be written
    return db;
}

/// A file in a folder that cannot be written is opened as one that nobody changes: SQLite could not
/// make the files beside it that it needs otherwise.
std::unique_ptr<SQLite::Database> open_readable(const fs::path& file) {
    try {
        auto db = std::make_unique<SQLite::Database>(file.string(), SQLite::OPEN_READONLY,
                                                     busy_timeout_ms);
        number(*db, "SELECT count(*) FROM sqlite_master");
        return db;
    } catch (const SQLite::Exception&) {
        std::string uri = "file:";
        for (const char c : file.string()) {
            const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                               (c >= 'A' && c <= 'Z') || c == '/' || c == '-' || c == '_' ||
                               c == '.';
            uri += plain ? std::string(1, c)
                         : fmt::format("%{:02x}",
                                       static_cast<unsigned>(static_cast<unsigned char>(c)));
        }
        auto db = std::make_unique<SQLite::Database>(
            uri + "?immutable=1", SQLite::OPEN_READONLY | SQLite::OPEN_URI, busy_timeout_ms);
        number(*db, "SELECT count(*) FROM sqlite_master");
        return db;
    }
}

Opened in_memory(std::string remark) {
    Opened out;
    out.database = std::make_unique<SQLite::Database>(":memory:",
                                                      SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    create_schema(*out.database);
    out.remark = std::move(remark);
    return out;
}

Opened not_saved(const fs::path& place, const std::string& why) {
    return in_memory(fmt::format("Progress is not saved: {} cannot be used ({}).",
                                 escaped(place.string()), escaped(why)));
}

/// What can be read where nothing can be written.
Opened read_only(const fs::path& file, const std::string& why) {
    try {
        Opened out;
        out.database = open_readable(file);
        out.read_only = true;
        out.why_read_only = why;
        out.file = file;
        out.remark = fmt::format("Progress is shown but not saved: {} ({}).", escaped(why),
                                 escaped(file.string()));
        return out;
    } catch (const std::exception&) {
        return not_saved(file, why);
    }
}

std::string date_and_time() {
    SQLite::Database db(":memory:", SQLite::OPEN_READWRITE);
    return db.execAndGet("SELECT strftime('%Y%m%d-%H%M%S', 'now', 'localtime')").getString();
}

/// Renames the file and what SQLite keeps beside it. Empty where that failed.
fs::path put_aside(const fs::path& file) {
    const std::string when = date_and_time();
    for (int i = 0; i < 100; ++i) {
        const std::string again = i == 0 ? "" : fmt::format("-{}", i);
        const fs::path aside =
            file.parent_path() / fmt::format("progress.damaged-{}{}.db", when, again);
        std::error_code failed;
        if (fs::exists(fs::symlink_status(aside, failed))) continue;
        fs::rename(file, aside, failed);
        if (failed) return {};
        for (const char* suffix : suffixes) {
            std::error_code not_there;
            if (*suffix != '\0')
                fs::rename(file.string() + suffix, aside.string() + suffix, not_there);
        }
        return aside;
    }
    return {};
}

void remove_quietly(const fs::path& file) {
    for (const char* suffix : suffixes) {
        std::error_code ignored;
        fs::remove(file.string() + suffix, ignored);
    }
}

fs::path temporary_beside(const fs::path& file) {
    return file.string() + fmt::format(".{}.part", ::getpid());
}

/// Copies a sound database whole, under a temporary name until it is on disk.
void copy_database(SQLite::Database& from, const fs::path& to) {
    const fs::path temporary = temporary_beside(to);
    remove_quietly(temporary);
    try {
        {
            SQLite::Database copy(temporary.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
            copy.exec("PRAGMA synchronous = FULL");
            {
                SQLite::Backup backup(copy, from);
                backup.executeStep();
            }
            copy.exec("PRAGMA journal_mode = DELETE");  // one file, without a log beside it
        }
        fs::rename(temporary, to);
    } catch (...) {
        remove_quietly(temporary);
        throw;
    }
}

/// A copy for the day on which the file is damaged. Nothing is lost where it cannot be made.
void keep_backup(SQLite::Database& db, const fs::path& folder) {
    try {
        const char* const any =
            "SELECT EXISTS (SELECT 1 FROM prediction) + "
            "EXISTS (SELECT 1 FROM progress)";
        if (number(db, any) > 0) copy_database(db, folder / backup_name);
    } catch (const std::exception&) {
        return;  // no room, or not permitted: the file itself is sound
    }
}

/// Puts the last copy in the place of the damaged file. False where there is no sound copy.
bool restore_backup(const fs::path& file) {
    const fs::path backup = file.parent_path() / backup_name;
    try {
        if (!fs::is_regular_file(backup)) return false;
        SQLite::Database copy(backup.string(), SQLite::OPEN_READONLY);
        check_content(copy);
        copy_database(copy, file);
        return true;
    } catch (const std::exception&) {
        return false;
    }
}

Opened opened_file(const fs::path& file, std::string remark) {
    Opened out;
    out.database = open_writable(file);
    out.file = file;
    out.identity = identity_of(file);
    out.remark = std::move(remark);
    keep_backup(*out.database, file.parent_path());
    return out;
}

/// The damaged file is kept under another name, and the last copy or an empty file takes its place.
/// Empty where it could not be renamed.
std::string mend(const fs::path& file) {
    const fs::path aside = put_aside(file);
    if (aside.empty()) return {};
    const bool restored = restore_backup(file);
    return fmt::format("The saved progress was damaged. It is kept as {}; {}.",
                       escaped(aside.string()),
                       restored ? "the last copy from an earlier start was taken instead"
                                : "progress starts anew");
}

}  // namespace

namespace {

/// Opens the file, mending it where it is damaged. Throws what not_saved() should say.
Opened open_or_mend(const fs::path& file) {
    std::string remark, why = "it is in use";
    int mended = 0;
    const auto give_up = std::chrono::steady_clock::now() + longest_wait;
    for (int i = 0; i < attempts; ++i) {
        const auto before = identity_of(file);
        try {
            return opened_file(file, remark);
        } catch (const Newer& e) {
            return read_only(file, e.what());
        } catch (const Damaged& e) {
            why = e.what();
        } catch (const SQLite::Exception& e) {
            why = e.what();
            // Switching to the write-ahead log does not wait for others: they are done in a moment.
            if (e.getErrorCode() == SQLITE_BUSY) {
                if (std::chrono::steady_clock::now() > give_up) break;
                sqlite3_sleep(pause_ms);
                continue;
            }
            // Full, not permitted, no folder any more: that is no damage, and nothing is renamed.
            if (!means_damage(e)) return read_only(file, e.what());
        }
        if (identity_of(file) != before) continue;  // another program has put a new one there
        if (++mended > most_mended) break;
        remark = mend(file);
        if (remark.empty()) break;
    }
    throw std::runtime_error(why);
}

}  // namespace

Opened open_database(const fs::path& folder) {
    if (folder.empty()) return in_memory("Progress is not saved: HOME is not set.");
    try {
        std::error_code failed, unknown;
        fs::create_directories(folder, failed);
        if (!fs::is_directory(folder, unknown))
            return not_saved(folder, failed ? failed.message() : "it is not a folder");
        const fs::path file = folder / file_name;
        const auto status = fs::status(file, unknown);
        if (fs::exists(status) && !fs::is_regular_file(status))
            return not_saved(file, "it is not a file");
        return open_or_mend(file);
    } catch (const std::exception& e) {
        return not_saved(folder, e.what());
    }
}

}  // namespace lab::store
