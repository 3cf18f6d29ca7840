// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/result.hpp"
#include "lab/units.hpp"
#include "live/completion_queue.hpp"
#include "live/exchange.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace lab::live {

/// Listener, sessions and limits: everything between a client's socket and the Dispatcher, on a
/// thread of its own. Listens on 127.0.0.1 only. Inline routes, the page at GET / and refusals are
/// answered here and never reach the Dispatcher.
///
/// What comes back: an exchange whose effect is `respond` is answered with effect.status (200 with
/// answer.body; any other status with a fixed page), then finish() is called. One whose effect is
/// `end` has its connection reset (server.when_full is reset, or the run stops), and finish() is
/// called as well. An exchange that was withdrawn (withdraw returned true) is not finished.
///
/// Order of life: CompletionQueue and Dispatcher first, then the FrontEnd. To stop: close(); then
/// cancel the workers, so that what they have in hand comes back through the queue; then stop().
///
/// Threads: any for every call below; stop() and the destructor block.
class FrontEnd {
  public:
    struct Options {
        std::uint16_t port = 0;                  ///< 0: any free one
        std::uint64_t seed = 42;                 ///< of the draws of requests
        std::string title = {};                  ///< for the page at GET /; text, never markup
        std::size_t most_connections = 2'100;    ///< then no more are accepted until one closes
        GenerationPtr generation = {};           ///< the first settings
        Dispatcher* dispatcher = nullptr;        ///< outlives the front end; called on its thread
        CompletionQueue* completions = nullptr;  ///< outlives the front end
    };
    /// Listens and starts its thread. Errors: port_in_use and no_resources, with the port in words.
    [[nodiscard]] static Result<std::unique_ptr<FrontEnd>> open(Options options);
    virtual ~FrontEnd() = default;  ///< close() and stop()

    [[nodiscard]] virtual std::uint16_t port() const = 0;
    /// New settings, same routes: time limits, body limit, keep-alive, backlog, no_delay, sizes of
    /// inline answers. For each connection from its next request on.
    virtual void apply(GenerationPtr generation) = 0;
    /// Connections that are open.
    [[nodiscard]] virtual std::uint32_t connections() const = 0;
    /// Connections that the kernel has completed and we have not accepted; 0 where it cannot be
    /// known.
    [[nodiscard]] virtual std::uint32_t backlog() const = 0;
    /// No more accepting; every connection is closed, what waits for a worker is withdrawn. Returns
    /// at once.
    virtual void close() = 0;
    /// close(), then waits for the exchanges that workers have in hand and joins the thread.
    virtual void stop() = 0;
};

}  // namespace lab::live
