// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/replica.hpp"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "live/platform.hpp"

namespace lab::live {

namespace {

Instant now() { return std::chrono::steady_clock::now(); }

/// Only run() and the following thread write here, one after the other; readers hold nobody up.
constexpr int busy_ms = 5'000;

Result<void> copy(sqlite3* source, sqlite3* target) {
    sqlite3_backup* const backup = sqlite3_backup_init(target, "main", source, "main");
    if (backup == nullptr) return sqlite_error(target, "making a replica");
    sqlite3_backup_step(backup, -1);
    if (sqlite3_backup_finish(backup) != SQLITE_OK) {
        return sqlite_error(target, "copying to the replica");
    }
    return {};
}

}  // namespace

Result<std::shared_ptr<Replica>> Replica::make(sqlite3* source, std::filesystem::path file,
                                               std::uint64_t version, Duration lag) {
    auto handle = open_sqlite(file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (!handle) return handle.error();
    sqlite3* const target = handle->get();
    sqlite3_busy_timeout(target, busy_ms);
    auto made = execute(target, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF");
    if (made) made = copy(source, target);
    if (made) made = execute(target, "PRAGMA journal_mode = WAL; PRAGMA temp_store = MEMORY");
    if (!made) return made.error();
    std::shared_ptr<Replica> replica{new Replica{std::move(file), version, lag}};
    replica->handle_ = std::move(handle.value());
    auto update =
        prepare(target, "UPDATE product SET price = price % 49999 + 1, version = ?2 WHERE id = ?1");
    if (!update) return update.error();
    replica->update_ = std::move(update.value());
    try {
        replica->thread_ = std::thread{[self = replica.get()] { self->follow(); }};
    } catch (const std::system_error&) {
        return Error{ErrorCode::no_resources, "database.replica_lag",
                     "no thread can be started for the replica"};
    }
    return replica;
}

Replica::~Replica() {
    {
        const std::lock_guard hold{mutex_};
        stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
    update_.reset();
    handle_.reset();
    for (const char* const ending : {"", "-wal", "-shm"}) {
        std::error_code ignored;
        std::filesystem::remove(file_.string() + ending, ignored);
    }
}

void Replica::tell(std::int64_t product, std::uint64_t version) {
    {
        const std::lock_guard hold{mutex_};
        // Two writers may arrive here in the other order than that in which they committed.
        auto place = changes_.end();
        while (place != changes_.begin() && std::prev(place)->version > version) --place;
        changes_.insert(place, {product, version, now()});
    }
    wake_.notify_one();
}

void Replica::set_lag(Duration lag) {
    {
        const std::lock_guard hold{mutex_};
        lag_ = lag;
    }
    wake_.notify_one();
}

Result<void> Replica::run(const std::string& sql) {
    const std::lock_guard hold{handle_mutex_};
    auto done = execute(handle_.get(), sql.c_str());
    if (!done) static_cast<void>(execute(handle_.get(), "ROLLBACK"));
    return done;
}

void Replica::follow() {
    platform::name_this_thread("replica");
    platform::tighten_timer_slack();
    std::unique_lock hold{mutex_};
    while (!stopping_) {
        const std::deque<Change> due = wait_for_due(hold);
        if (due.empty()) continue;
        hold.unlock();
        const bool applied = apply(due);
        if (applied) applied_.store(due.back().version);
        hold.lock();
        if (applied) continue;
        // No room on the disk, perhaps: once more, but not at once.
        changes_.insert(changes_.begin(), due.begin(), due.end());
        wake_.wait_for(hold, 10ms, [this] { return stopping_; });
    }
}

/// Takes out what is to be applied now; waits where nothing is yet.
std::deque<Replica::Change> Replica::wait_for_due(std::unique_lock<std::mutex>& hold) {
    std::deque<Change> due;
    if (changes_.empty()) {
        wake_.wait(hold, [this] { return stopping_ || !changes_.empty(); });
        return due;
    }
    const Instant next = changes_.front().at + lag_;
    if (next > now()) {
        wake_.wait_until(hold, next);
        return due;
    }
    constexpr std::size_t most_at_once = 1'000;
    const Instant latest = now() - lag_;
    while (!changes_.empty() && changes_.front().at <= latest && due.size() < most_at_once) {
        due.push_back(changes_.front());
        changes_.pop_front();
    }
    return due;
}

bool Replica::apply(const std::deque<Change>& changes) {
    const std::lock_guard hold{handle_mutex_};
    bool fine = execute(handle_.get(), "BEGIN IMMEDIATE").has_value();
    for (const Change& change : changes) {
        if (!fine) break;
        sqlite3_bind_int64(update_.get(), 1, change.product);
        sqlite3_bind_int64(update_.get(), 2, static_cast<sqlite3_int64>(change.version));
        fine = sqlite3_step(update_.get()) == SQLITE_DONE;
        sqlite3_reset(update_.get());
    }
    fine = fine && execute(handle_.get(), "COMMIT").has_value();
    if (!fine) static_cast<void>(execute(handle_.get(), "ROLLBACK"));
    return fine;
}

}  // namespace lab::live
