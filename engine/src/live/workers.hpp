// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lab/frame.hpp"
#include "live/completion_queue.hpp"
#include "live/database.hpp"
#include "live/exchange.hpp"

namespace lab::live {

/// What runs requests, as the server sees it: one kind of pool for each kind of worker, see
/// server.execution.
///
/// Order of life: the completion queue outlives this; stop() after the front end has stopped.
/// Threads: the front end's for Dispatcher's calls; any for the others, sample() and take_events()
/// by one.
class Workers : public Dispatcher {
  public:
    struct Options {
        GenerationPtr generation;
        CompletionQueue* completions = nullptr;
        std::shared_ptr<Database> database;  ///< null where no route needs one
        std::uint64_t seed = 42;             ///< of what happens by chance
    };

    /// New settings from the next request on. Workers that are added work at once; those taken away
    /// finish what they have in hand.
    virtual void apply(GenerationPtr generation) = 0;
    /// Another database from the next request on.
    virtual void set_database(std::shared_ptr<Database> database) = 0;

    /// What is in hand comes back through the completion queue, with effect `end`, within
    /// milliseconds; so does everything that is submitted afterwards. What waits in the queue is
    /// left to the front end to withdraw.
    virtual void cancel() = 0;
    /// cancel(), then joins every thread. Whatever is still out has come back through the queue.
    virtual void stop() = 0;

    /// Fills what the workers know: levels now, times and counts since the last call.
    virtual void sample(ServerSample& out) = 0;
    [[nodiscard]] virtual std::vector<RequestEvent> take_events(std::size_t most,
                                                                std::uint64_t& left_out) = 0;
    /// The `most` entries with the most hits of all caches. Walks over all entries: on request.
    [[nodiscard]] virtual std::vector<CacheContent> cache_contents(std::size_t most) const = 0;
    /// "only 37 of 64 worker threads could be started", or empty.
    [[nodiscard]] virtual std::string remark() const = 0;
};

}  // namespace lab::live
