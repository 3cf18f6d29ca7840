// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/frame.hpp"
#include "lab/model.hpp"
#include "lab/result.hpp"
#include "live/truth.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lab::live {

class Database;
class Storage;

/// A whole live System: listener, sessions, workers, cache, database; with balancer.rule other than
/// none a proxy in front of several such servers, which share the database. Owns its threads.
///
/// Threads: any for every call below; open() and the destructor block (database, joins).
class Server {
  public:
    struct Options {
        System system;
        Load load;  ///< which keys are asked for: database.updates change those
                    ///< rows
        std::uint64_t seed = 42;
        std::uint16_t port = 0;                ///< 0: any free one. 127.0.0.1 only
        std::size_t most_connections = 2'100;  ///< then no more are accepted until one closes
        std::string title;                     ///< for the page at GET /
        std::string data_folder;  ///< where database templates are kept; empty: the user's cache
                                  ///< folder
        /// What is being done meanwhile: "making 200,000 products". Any thread.
        std::function<void(const std::string&)> on_progress;
        /// Polled while preparing; true gives up with ErrorCode::interrupted.
        std::function<bool()> cancelled;

        /// Set by a balanced server for each of its backends: which it is (from 0), and the
        /// database that they share, which outlives them.
        std::optional<int> backend;
        Storage* shared_storage = nullptr;
    };
    /// Errors: port_in_use, invalid_input, no_resources, interrupted, failed.
    [[nodiscard]] static Result<std::unique_ptr<Server>> open(Options options);
    virtual ~Server() = default;

    [[nodiscard]] virtual std::uint16_t port() const = 0;
    /// New settings, same routes, from the next request on. Returns the generation that they will
    /// carry. Whether there is a balancer does not change. An index is created or dropped on the
    /// storage thread; the sample's `progress` says so meanwhile.
    virtual std::uint64_t apply(System system) = 0;
    /// The newest generation that is wholly in force (workers resized, index there).
    [[nodiscard]] virtual std::uint64_t generation() const = 0;
    /// A backend's: another database from the next request on.
    virtual void set_database(std::shared_ptr<Database> database) = 0;
    /// Levels now, and times and counts since the last call. One caller.
    [[nodiscard]] virtual ServerSample sample() = 0;
    /// Events since the last call (queued, started, answered), at most `most`.
    [[nodiscard]] virtual std::vector<RequestEvent> take_events(std::size_t most,
                                                                std::uint64_t& left_out) = 0;
    [[nodiscard]] virtual const TruthSource& truth() const = 0;
    /// EXPLAIN QUERY PLAN of each kind of query that the routes use.
    [[nodiscard]] virtual std::vector<std::string> plans() const = 0;
    /// The `most` entries of the caches with the most hits. Walks over all entries: on request.
    [[nodiscard]] virtual std::vector<CacheContent> cache_contents(std::size_t most) const = 0;
    /// No more accepting; what is in hand is cancelled; all threads joined within 1 s.
    virtual void stop() = 0;
};

}  // namespace lab::live
