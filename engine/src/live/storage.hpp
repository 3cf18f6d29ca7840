// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/keyed_random.hpp"
#include "lab/model.hpp"
#include "lab/result.hpp"
#include "live/database.hpp"
#include "live/truth.hpp"

namespace lab::live {

/// The served database as it changes during a run: the index that comes and goes, rows that change
/// behind the application's back, another number of products. Does the slow part on a thread of its
/// own, and knows what is true.
///
/// Threads: any; open() and stop() block.
class Storage final : public TruthSource {
  public:
    struct Options {
        lab::Database database;
        std::uint64_t generation = 1;           ///< of these settings
        std::vector<core::AskedQuery> queries;  ///< that routes use, in their order; each once
        std::uint64_t seed = 42;                ///< of the rows that are changed
        int keys = 1'000;                       ///< rows are changed as they are asked for
        double zipf = 0;
        std::filesystem::path data_folder;  ///< of templates; empty: the default
        Preparation preparation;
    };
    /// The database as it is to be at the start. Errors: no_resources, failed, interrupted.
    [[nodiscard]] static Result<std::unique_ptr<Storage>> open(Options options);
    ~Storage() override;
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;

    /// Starts the thread. `on_database` is called on it when another database takes the place of
    /// the first. Errors: no_resources.
    [[nodiscard]] Result<void> start(std::function<void(std::shared_ptr<Database>)> on_database);
    /// New settings. They are in force when settled() has reached `generation`. `queries`: of the
    /// routes now; empty: as before.
    void apply(const lab::Database& wanted, std::uint64_t generation,
               std::vector<core::AskedQuery> queries = {});
    [[nodiscard]] std::uint64_t settled() const { return settled_.load(); }
    /// Breaks off what is being done and joins the thread.
    void stop();

    [[nodiscard]] std::shared_ptr<Database> database() const;
    /// "creating the index", or empty.
    [[nodiscard]] std::string progress() const;
    /// EXPLAIN QUERY PLAN, one for each of Options::queries.
    [[nodiscard]] std::vector<std::string> plans() const;
    /// Rows changed since the start, by this thread and by requests alike.
    [[nodiscard]] std::uint64_t changes() const;

    [[nodiscard]] std::uint64_t committed(const core::AskedQuery& asked,
                                          std::uint64_t key) const override;

  private:
    explicit Storage(Options options);
    void run();
    void settle(const lab::Database& wanted);
    [[nodiscard]] Result<void> replace(const lab::Database& wanted);
    void adopt(std::shared_ptr<Database> database, Access access);
    [[nodiscard]] Result<void> change_indexes(const lab::Database& wanted);
    void read_plans(Access access);
    void say(std::string text);
    [[nodiscard]] Instant next_change(Instant now);
    void change_a_row();
    [[nodiscard]] Connection* own_connection();
    void shorten_log(Instant now);

    Options options_;
    core::ZipfSampler keys_;
    std::function<void(std::shared_ptr<Database>)> on_database_;
    std::atomic<bool> stopping_{false};
    std::atomic<std::uint64_t> settled_{0};
    std::atomic<const VersionTable*> truth_{nullptr};

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    lab::Database wanted_;
    std::vector<core::AskedQuery> queries_;
    std::uint64_t wanted_generation_ = 0;
    std::shared_ptr<Database> database_;
    std::vector<std::shared_ptr<const VersionTable>> tables_;  ///< truth_ may still be read
    std::string progress_;
    std::vector<std::string> plans_;

    // The thread's own.
    ArrivalRate rate_;
    Instant change_due_ = Instant::max();
    std::uint64_t changed_ = 0;
    Instant log_due_{};             ///< when to look at the log's length again
    std::uint64_t log_begins_ = 0;  ///< version at which it was last shortened
    std::unique_ptr<Connection> connection_;
    std::thread thread_;
};

}  // namespace lab::live
