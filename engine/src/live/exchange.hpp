// SPDX-License-Identifier: GPL-3.0-or-later
// The seam between the front end (sockets, HTTP; one thread) and the workers (threads, database,
// cache).
#pragma once

#include "core/program.hpp"
#include "lab/model.hpp"
#include "lab/units.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lab::live {

/// What the handler made.
struct Answer {
    std::string body;
    std::uint32_t made_for = 0;           ///< user
    std::vector<std::uint64_t> versions;  ///< one for each query, in the order of the steps
    std::vector<std::uint64_t> rows;      ///< what it was made from, as Keyspace::row_of has it
    std::uint8_t language = 0;            ///< in which it was made
    void clear() {
        body.clear();
        versions.clear();
        rows.clear();
        made_for = 0;
        language = 0;
    }
    /// What a branch of a gather made for `user`; where that was made for somebody else, all is.
    void append(Answer branch, std::uint32_t user, std::uint8_t spoken) {
        body += branch.body;
        versions.insert(versions.end(), branch.versions.begin(), branch.versions.end());
        rows.insert(rows.end(), branch.rows.begin(), branch.rows.end());
        if (branch.made_for != user) made_for = branch.made_for;
        if (branch.language != spoken) language = branch.language;
    }
};

/// What one generation of settings means to a request: immutable, kept alive by the requests that
/// use it.
struct Generation {
    std::uint64_t number = 0;
    System system;
    std::vector<core::Program> programs;  ///< one for each route
    double slowdown = 1;                  ///< of a backend: real work takes so many times as long
};
using GenerationPtr = std::shared_ptr<const Generation>;

class Dispatcher;

/// One request inside the server. Owned by its session, which outlives the request's stay with the
/// workers; it is in the hands of one thread at a time.
class Exchange {
  public:
    virtual ~Exchange() = default;

    // Set by the front end before submit().
    GenerationPtr generation;
    std::uint32_t route = 0;
    std::uint64_t key = 0;
    std::uint32_t user = 0;
    std::uint8_t language = 0;  ///< asked for
    std::string_view target;    ///< path and query, as sent; valid while the exchange is in
                                ///< hand
    core::Cursor cursor;

    // Set by the workers.
    Answer answer;
    int slot = -1;        ///< the worker thread it holds, -1 for none
    int home = -1;        ///< the worker that accepted its connection (dispatch ahead)
    int served_by = -1;   ///< the worker whose request it counts as, -1 for none
    core::Effect effect;  ///< what the front end has to do next: respond, or end
    /// An answer that comes in pieces (a proxy that does not buffer): the length of its whole body,
    /// of which answer.body is one piece. `more`: another follows, for Dispatcher::more().
    std::optional<std::uint64_t> whole_length;
    bool more = false;

    /// The workers' own: where the exchange is.
    enum class Place : std::uint8_t {
        nowhere,
        waiting,  ///< in the admission queue
        outside,  ///< before the queue, which is full
        bound,    ///< holds a worker, which has nothing to do
        in_hand,  ///< until finish() has been called
    };
    Place place = Place::nowhere;
    int loop = -1;               ///< the event loop that its connection belongs to, -1 for none
    Dispatcher* pool = nullptr;  ///< which of several pools has it

    /// A worker was bound to it (only after Dispatcher::bind). Front end's thread.
    virtual void on_bound() = 0;
    /// The workers are done with it: `effect` is respond, or end after a cancellation. Front end's
    /// thread.
    virtual void on_answer() = 0;
    /// Its worker has gone (`killed`: the connection breaks) or leaves: the connection is closed as
    /// soon as no request is under way on it. Front end's thread, between opened() and closed().
    virtual void on_worker_gone(bool killed) = 0;
};

/// The workers, as the front end sees them. Every call is made on the front end's thread; callbacks
/// come there too, never from inside a call.
class Dispatcher {
  public:
    virtual ~Dispatcher() = default;

    /// The settings for the next request.
    [[nodiscard]] virtual GenerationPtr generation() const = 0;

    /// A connection has been accepted, before anything else is called for it; it has been closed,
    /// after everything but what is in hand.
    virtual void opened(Exchange&) = 0;
    virtual void closed(Exchange&) = 0;

    /// Waits for a worker without running anything: the server binds at accept or at the head.
    /// Then on_bound(), or on_answer() with 503 where the queue was full or patience ended.
    virtual void bind(Exchange&) = 0;
    /// The request is complete: walks its program. Binds a worker first unless one is held. Then
    /// on_answer().
    virtual void submit(Exchange&) = 0;
    /// The client's kernel has the piece of an answer that had `more`: the next one. Then
    /// on_answer(), with the piece, or effect end where it cannot be had.
    virtual void more(Exchange&) {}
    /// The answer of an exchange has been written (or could not be): walks the rest of its program,
    /// which lets the worker go where that comes after the answer. `keep_worker`: the server binds
    /// at accept and the connection goes on. Afterwards the exchange may be used anew or destroyed.
    virtual void finish(Exchange&, bool keep_worker) = 0;
    /// The connection has gone: takes the exchange out of the queue, or lets the worker go that it
    /// holds. False: a worker has it in hand; on_answer() will come, with effect end or respond,
    /// and must be waited for.
    virtual bool withdraw(Exchange&) = 0;
    /// False while the queue is full and when_full is wait: what comes then waits unread, and the
    /// listener stops accepting, so that the kernel's backlog fills. `on_change` is called when it
    /// becomes true again.
    [[nodiscard]] virtual bool accepting() const = 0;
    virtual void set_on_accepting(std::function<void()> on_change) = 0;

    /// What the caches hold, as a page of text for a person. Walks over all entries.
    [[nodiscard]] virtual std::string cache_page() const { return {}; }
};

}  // namespace lab::live
