// SPDX-License-Identifier: GPL-3.0-or-later
// What the server of virtual time is made of.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/arrival_schedule.hpp"
#include "core/cache_desk.hpp"
#include "core/interpreter_lock.hpp"
#include "core/program.hpp"
#include "core/queue_pool.hpp"
#include "core/slot_pool.hpp"
#include "core/turn_queue.hpp"
#include "lab/frame.hpp"
#include "lab/model.hpp"
#include "virtual/prices.hpp"

namespace lab::virtual_time {

using SessionId = std::uint32_t;
using ConnectionId = std::uint32_t;
/// Of what runs one program: a request has the number of its session, a branch one of its own.
using TaskId = std::uint32_t;
using LoopId = std::uint32_t;
using ThreadId = std::uint32_t;
inline constexpr std::uint32_t nobody = 0xffff'ffff;

/// A connection as the server knows it; `life` tells it from a later one in the same place.
struct SessionRef {
    SessionId place = nobody;
    std::uint32_t life = 0;
};

/// What the client is told, at the moment at which it sees it. Where the server closes or resets a
/// connection there is an event `cut_off` instead.
class ClientSide {
  public:
    virtual ~ClientSide() = default;
    /// The last byte of the answer is there: Server::reply() says what it is.
    virtual void answered(ConnectionId connection, SessionId session) = 0;
};

/// How slow a connection is at its client's end, in bytes a second; 0: not at all.
struct Pace {
    std::int64_t read_rate = 0;
    std::int64_t send_rate = 0;
};

/// An answer, and what the server tells about the making of it.
struct Reply {
    std::uint16_t status = 200;
    bool closes = false;       ///< the server closes the connection after it
    bool tells_times = false;  ///< `received`, `ready` and the cursor's parts mean something
    std::uint32_t made_for = 0;
    std::uint8_t language = 0;
    Instant received{}, ready{};
};

/// The settings in force for a request from its beginning to its end. Immutable.
struct Generation {
    System system;
    std::vector<core::Program> programs;  ///< one for each route
    Prices prices;
};

/// The database connections of one worker.
struct Connections {
    core::QueuePool pool;
    std::uint32_t number = 0;        ///< among those that there are
    Instant alarm = Instant::max();  ///< when somebody's patience is looked at
};

/// What the threads of one worker share. Settings that change make a new one from the parts that
/// stay; requests in hand keep the one that they began with.
struct Worker {
    std::shared_ptr<core::InterpreterLock> lock;
    std::shared_ptr<Connections> connections;
    std::shared_ptr<core::CacheDesk> cache;  ///< its own, or that of all; null: none
    bool cache_is_shared = false;
    std::shared_ptr<core::SlotPool> tokens;  ///< the threads of its bounded pool
    int users = 0;                           ///< tasks that have it in hand
};

/// What runs one program: a request, or a branch of its gather.
struct Task {
    /// What it waits for while somebody else may run on its loop.
    enum class Waits : std::uint8_t { nothing, turn, connection, token, entry, branches };
    /// Where the inner steps of a cache step began.
    struct Mark {
        std::string key;
        Instant since{};
        std::size_t versions = 0, rows = 0;
        std::uint64_t body = 0;
        bool uncached = false;  ///< the cache was of no use: nothing is stored
    };

    core::Cursor cursor;
    core::Effect effect;  ///< in hand
    const Generation* generation = nullptr;
    Worker* worker = nullptr;
    SessionId session = nobody;
    std::uint32_t token = 0;   ///< an event with another one is out of date
    ThreadId thread = 0;       ///< on which it runs
    LoopId loop = nobody;      ///< whose turns it takes
    Waits waits = Waits::nothing;
    bool broken_off = false;     ///< the lock is let go because another thread asked for it
    bool computes_next = false;  ///< when the wait is over, `then` is computed
    bool hit = false, busy = false;  ///< what the look-up in hand came to
    bool elsewhere = false;          ///< its own steps are not run by the loop of its branches
    bool abandoned = false;          ///< a branch beside it failed
    bool ended = false;
    bool writes = false;   ///< has the database's write lock
    bool changed = false;  ///< its transaction has changed its row
    int lease = -1;        ///< a connection
    int pool_thread = -1;  ///< a token
    Duration then{};

    TaskId parent = nobody;
    std::vector<TaskId> branches;           ///< in hand; those that have ended too
    std::uint32_t running = 0;              ///< of them
    core::Fault fault = core::Fault::none;  ///< the first of them
    core::Fault woken_with = core::Fault::none;

    std::uint64_t body = 0;
    std::uint32_t made_for = 0;
    std::uint8_t language = 0;
    std::vector<std::uint64_t> versions, rows;
    std::vector<Mark> marks;  ///< of the cache steps that are open, the innermost last
    std::string awaited;      ///< key of the entry that somebody else makes, while this waits

    /// For another program. Keeps the room of its vectors.
    void clear() {
        waits = Waits::nothing;
        broken_off = computes_next = hit = busy = elsewhere = abandoned = ended = false;
        writes = changed = false;
        lease = pool_thread = -1;
        loop = parent = nobody;
        branches.clear();
        running = 0;
        fault = woken_with = core::Fault::none;
        body = 0;
        versions.clear();
        rows.clear();
        marks.clear();
        awaited.clear();
    }
};

/// One thread on which tasks take turns: a worker that is an event loop or runs greenlets, or the
/// thread of a worker while the branches of an async view run on it.
struct Loop {
    core::TurnQueue turns;
    ThreadId thread = 0;
    TaskId current = nobody;  ///< has the turn
    bool due = false;         ///< it is about to look for the next
    bool looking = false;     ///< it goes from one turn to the next
    bool resting = true;
    bool of_worker = false;  ///< its lags are told
    Instant wakes = Instant::max();
    std::uint32_t token = 0;  ///< of its wake
    Instant busy_since{};
    Duration busy{}, sampled{};

    // Of a worker's.
    core::SlotPool places{{}};
    std::deque<SessionId> outside;  ///< when_full is wait: first come first served
    bool draining = false;          ///< no new connections; leaves when it has nothing in hand
};

}  // namespace lab::virtual_time
