// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "lab/result.hpp"
#include "lab/units.hpp"
#include "live/sqlite_handle.hpp"

namespace lab::live {

/// A second copy of the served database, for reading, which takes up each change of the first a
/// while after it was committed, in the order of the commits.
///
/// Threads: any; one of its own applies the changes. The destructor joins it.
class Replica {
  public:
    /// Copies what `source` reads. To be called with the write lock held: no change comes between
    /// the copy and the first tell(). `version`: of the last change that the copy has.
    /// Errors: no_resources, failed.
    [[nodiscard]] static Result<std::shared_ptr<Replica>> make(sqlite3* source,
                                                               std::filesystem::path file,
                                                               std::uint64_t version, Duration lag);
    ~Replica();
    Replica(const Replica&) = delete;
    Replica& operator=(const Replica&) = delete;

    /// The change `version` of `product` has been committed in the first copy.
    void tell(std::int64_t product, std::uint64_t version);
    void set_lag(Duration lag);
    /// Statements without rows, such as those that create an index; waits for the write lock.
    [[nodiscard]] Result<void> run(const std::string& sql);

    /// Of the last change that is surely seen by who begins to read now.
    [[nodiscard]] std::uint64_t applied() const { return applied_.load(); }
    [[nodiscard]] const std::filesystem::path& file() const { return file_; }

  private:
    struct Change {
        std::int64_t product = 0;
        std::uint64_t version = 0;
        Instant at{};
    };
    Replica(std::filesystem::path file, std::uint64_t version, Duration lag)
        : file_{std::move(file)}, lag_{lag}, applied_{version} {}
    void follow();
    [[nodiscard]] std::deque<Change> wait_for_due(std::unique_lock<std::mutex>& hold);
    [[nodiscard]] bool apply(const std::deque<Change>& changes);

    const std::filesystem::path file_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Change> changes_;  ///< in the order of their versions
    Duration lag_;
    bool stopping_ = false;
    std::atomic<std::uint64_t> applied_;

    std::mutex handle_mutex_;  ///< the handle is used by the thread and by run()
    SqliteDatabase handle_;
    SqliteStatement update_;
    std::thread thread_;
};

}  // namespace lab::live
