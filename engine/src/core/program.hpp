// SPDX-License-Identifier: GPL-3.0-or-later
// A request is a program that yields effects. No executor knows what Flask is: it performs effects.
#pragma once

#include "lab/frame.hpp"
#include "lab/model.hpp"
#include "lab/units.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace lab::core {

using RequestId = std::uint64_t;

enum class Op : std::uint8_t {
    acquire,    ///< resource; waits in its queue
    release,    ///< resource
    spend,      ///< CPU time: Effect::cost
    sleep,      ///< wait without computing: Effect::cost
    query,      ///< arg: AskedQuery
    update,     ///< change the row of the request's key
    render,     ///< arg: rows
    fill,       ///< append `arg` bytes to the body
    cache_get,  ///< arg: index into keys; Outcome::hit jumps over the inner steps, and busy leads
                ///< to cache_wait
    cache_put,  ///< arg: index into keys; stores what was made since the matching cache_get
    respond,    ///< Effect::status; done by the front end
    end,
    travel,  ///< round trip to the database, awaited: the query that follows has none of its own
    fork,  ///< arg: index into forks; its branches run at once, each with a cursor of its own, and
           ///< the effect is over when all have ended. See branch() and join()
    join,  ///< the end of a branch
    cache_wait,  ///< arg: index into keys; until whoever makes the entry has done
    cache_drop,  ///< drop what was made from the row of the request's key
    jump,        ///< to Instr::jump; never handed out
    forward,     ///< have a backend answer: Outcome::told, Outcome::status
};

/// loop: a turn on the event loop of the worker, or of the request where the program says so; held
/// while code runs there. token: a thread of the worker's bounded pool; what follows until it is
/// released runs on that thread. write_lock: the database's one; held from the beginning of a write
/// transaction to its end.
enum class ResourceId : std::uint8_t {
    worker,
    interpreter_lock,
    connection,
    loop,
    token,
    write_lock
};

/// 8 bytes.
struct Instr {
    Op op = Op::end;
    std::uint8_t resource = 0;
    std::uint16_t jump = 0;  ///< where a cache hit goes; fork: behind the branches
    std::uint32_t arg = 0;
};
static_assert(sizeof(Instr) == 8);

/// One question to the database: one round trip of those that a query step makes.
struct AskedQuery {
    QueryKind kind = QueryKind::product_by_sku;
    std::uint32_t times = 1;    ///< of the step: repetitions, or products on the page
    std::uint32_t share = 500;  ///< thousandths of the table, of products_under_price
    std::uint32_t trip = 0;     ///< which of the step's round trips, from 0

    /// Fits an instruction: 4 bits, 9, 10, 9.
    [[nodiscard]] std::uint32_t packed() const {
        return static_cast<std::uint32_t>(kind) | times << 4 | share << 13 | trip << 23;
    }
    [[nodiscard]] static AskedQuery unpacked(std::uint32_t arg) {
        return {static_cast<QueryKind>(arg & 0xfU), arg >> 4 & 0x1ffU, arg >> 13 & 0x3ffU,
                arg >> 23};
    }
    friend bool operator==(const AskedQuery&, const AskedQuery&) = default;
};

/// The first of a query step's round trips.
[[nodiscard]] AskedQuery asked_by(const Step& step);
/// Round trips that a query step makes: `times` for a plain question; for a page of products with
/// their reviews 1 + times (one product after another), 2 (in a batch) or 1 (joined).
[[nodiscard]] std::uint32_t round_trips(QueryKind kind, std::uint32_t times);
/// Is each round trip the same question?
[[nodiscard]] bool repeats(QueryKind kind);

/// A duration to be drawn for one step; `ordinal` keys the draw, so that a step added elsewhere
/// moves none.
struct Draw {
    Distribution law;
    std::uint32_t ordinal = 0;
};

/// One gather. A branch's code ends in `join`.
struct Fork {
    struct Branch {
        std::uint16_t begin = 0;
        std::uint16_t letting_go = 0;  ///< as Program::letting_go
    };
    std::vector<Branch> branches;
};

/// One route under one server, compiled. Immutable once made; shared by every request of its
/// generation.
struct Program {
    std::vector<Instr> code;
    std::vector<Draw> draws;
    std::vector<KeyRule> keys;
    std::vector<std::string> key_names;  ///< for each of keys: route and step, "pay.cache"
    std::vector<std::uint16_t> makes;    ///< for each of keys: where a miss goes on
    std::vector<AskedQuery>
        queries;                   ///< in the order of the steps: which data an answer is made from
    std::uint16_t letting_go = 0;  ///< where the end begins, good or bad: let go, answer, end
    std::vector<Fork> forks;
    bool own_loop = false;                ///< branches take turns on a loop of the request's own
    bool inline_answer = false;           ///< never leaves the front end
    Duration stall_every{}, stall_for{};  ///< no handler begins in the last `for` of each `every`
    std::string route;                    ///< id
};

/// Turns a route into instructions. Binding and letting go of a worker follow server.bind and
/// .release; the interpreter lock is let go round every wait and query; cache steps vanish where
/// the mode is none. The way to a shared cache (cache.hop) is a wait before each look-up, store and
/// drop.
///
/// On an event loop (and among greenlets) a step that waits lets the turn go and takes another
/// afterwards; one that is `blocking` keeps it, and so does a query but for its round trip, for
/// SQLite is a library and runs on the calling thread. A sync view on an event loop, and an
/// `offload` step, run on a thread of the pool. A gather forks where its branches can take turns:
/// on a loop, among greenlets, or in an async view on a thread, which has its own loop; elsewhere
/// its branches follow one another. Source: SERVERS.md sections 2, 4, 5 and 6.
[[nodiscard]] Program compile(const Route& route, const Server& server, const Cache& cache);

/// The program of a proxy, for any route: forward, respond.
[[nodiscard]] Program compile_proxy(const Route& route);

enum class Fault : std::uint8_t {
    none,
    refused,        ///< the queue was full: 503
    expired,        ///< waited too long in the queue: 503
    pool_timeout,   ///< waited too long for a connection: 500
    lock_timeout,   ///< waited too long for the database's write lock: 500
    query_timeout,  ///< a query ran too long: 500
    failed,         ///< the database or template said no: 500
    cancelled,      ///< the run stops, or the client has gone: no answer
};

/// What the executor tells about the effect it has just performed.
struct Outcome {
    Instant now{};
    bool hit = false;        ///< cache_get
    bool busy = false;       ///< cache_get: somebody else is making the entry
    std::uint32_t rows = 0;  ///< query
    Duration remaining{};    ///< spend: not yet burnt, because the interpreter lock was asked for
    std::uint16_t status = 200;  ///< forward: of the answer
    /// forward: what the backend says of its part of the time; taken out of the proxy's span.
    const PartTimes* told = nullptr;
    Fault fault = Fault::none;
};

struct Effect {
    Op op = Op::end;
    ResourceId resource = ResourceId::worker;
    std::uint32_t arg = 0;
    bool travelled = false;      ///< query, update: the round trip is behind it
    Duration cost{};             ///< spend, sleep: drawn from (seed, request, step)
    std::uint64_t lot = 0;       ///< cache_get, cache_put: random bits, likewise
    std::uint16_t status = 200;  ///< respond
};

/// Where one request stands. A copyable value: rewind is a copy.
struct Cursor {
    const Program* program = nullptr;
    std::uint64_t seed = 0;
    RequestId id = 0;
    std::uint16_t pc = 0;
    std::uint16_t letting_go = 0;  ///< where a fault goes
    std::uint8_t held = 0;         ///< bit per ResourceId
    std::uint16_t status = 200;    ///< of the answer; 0: none is given
    bool ended = false;
    Op in_hand = Op::end;                      ///< what the executor is doing; end: nothing yet
    ResourceId resource = ResourceId::worker;  ///< ... with
    Part part = Part::queue;                   ///< the span that is open
    Instant since{};                           ///< when it opened
    Duration owed{};                           ///< rest of a spend that was broken off
    PartTimes parts{};                         ///< closed spans
    Fault fault = Fault::none;                 ///< the first that was met

    [[nodiscard]] bool holds(ResourceId what) const {
        return (held & (1U << static_cast<unsigned>(what))) != 0;
    }
};

/// A cursor at the start of its program. `received`: first byte of the request read; `parsed`: all
/// of it understood. The time between counts as parse.
[[nodiscard]] Cursor begin(const Program& program, std::uint64_t seed, RequestId id,
                           Instant received, Instant parsed);

/// Closes the span of the effect just performed, opens the next, and says what to do. The first
/// call takes an Outcome with only `now`. After a fault it lets go of what is held, answers, and
/// ends. A release and the end take no time of their own: the span of the effect before goes on.
/// Filling the body counts as render. A `now` that lies before the last one counts as no time.
/// The one place where a span closes and the next opens. Threads: one at a time for each cursor.
[[nodiscard]] Effect next(Cursor& cursor, const Outcome& outcome);

/// How many branches the fork has that the cursor has in hand.
[[nodiscard]] std::uint32_t branches(const Cursor& parent);
/// A cursor at the start of one of them, from the moment of the fork.
[[nodiscard]] Cursor branch(const Cursor& parent, std::uint32_t index);
/// Takes in the branch on which the parent waited longest, the one that ended last: its parts are
/// the critical path, so that the parent's still add up. Then next(parent), with the fault of the
/// first branch that met one, goes on behind the fork.
void join(Cursor& parent, const Cursor& branch);

/// Time that a worker was busy or waiting on this request alone: the parts from lock wait to
/// render.
[[nodiscard]] Duration service_time(const PartTimes& parts);

}  // namespace lab::core
