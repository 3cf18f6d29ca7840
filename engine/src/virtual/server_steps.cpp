// SPDX-License-Identifier: GPL-3.0-or-later
// The effects of a program, performed in virtual time. Turns: server_loops.cpp; database and cache:
// server_data.cpp.
#include <algorithm>
#include <utility>

#include "lab/assert.hpp"
#include "virtual/server.hpp"

namespace lab::virtual_time {

using core::Op;
using core::ResourceId;

void Server::drive(TaskId id, core::Outcome outcome) {
    Task& t = task(id);
    for (;;) {
        if (t.abandoned && t.pool_thread < 0) cancel_step(id, t, outcome);
        t.effect = core::next(t.cursor, outcome);
        switch (t.effect.op) {
            case Op::respond:
                leave_turn(id, t);
                return respond(t.session);
            case Op::end:
                LAB_ASSERT(t.cursor.ended);
                leave_turn(id, t);
                finish_task(t, id);
                return cut_off(t.session);  // no answer is given
            case Op::fork:
                return start_branches(id, t);
            case Op::join:
                return end_branch(id);
            default:
                break;
        }
        const Answer answer = perform(id, t);
        if (!answer) return;
        outcome = *answer;
    }
}

Server::Answer Server::perform(TaskId id, Task& t) {
    switch (t.effect.op) {
        case Op::acquire:
            return acquire(id, t);
        case Op::release:
            return release(id, t);
        case Op::spend:
            return spend(id, t);
        case Op::sleep:
            return sleep(id, t, t.effect.cost, Duration{});
        case Op::travel:
            await_turn(id, t, Task::Waits::turn,
                       time_.now + t.generation->system.database.round_trip);
            return std::nullopt;
        case Op::query:
        case Op::update:
            return query(id, t);
        case Op::render:
            return compute(id, t, t.generation->prices.render(t.effect.arg));
        case Op::fill:
            t.body += t.effect.arg;
            return compute(id, t, t.generation->prices.body(t.effect.arg));
        case Op::cache_get:
            return look_up(id, t);
        case Op::cache_put:
            return store(id, t);
        case Op::cache_wait:
            return await_entry(id, t);
        case Op::cache_drop:
            return drop_entries(id, t);
        case Op::fork:
        case Op::join:
        case Op::jump:
        case Op::respond:
        case Op::end:
            break;
    }
    LAB_ASSERT(false);
    return outcome(core::Fault::failed);
}

/// What the effect in hand has brought, at its end.
core::Outcome Server::completed(TaskId, Task& t) {
    core::Outcome made = outcome();
    if (t.effect.op == Op::query || t.effect.op == Op::update) {
        queried(t, made);
    } else if (t.effect.op == Op::cache_get) {
        made.hit = t.hit;
        made.busy = t.busy;
    }
    return made;
}

Server::Answer Server::compute(TaskId id, Task& t, Duration cost) {
    if (cost <= Duration{}) return completed(id, t);
    running_[t.thread] = id;
    cores_.start(t.thread, cost, Account::workers, time_.now);
    cores_changed();
    return std::nullopt;
}

void Server::computed(ThreadId thread) {
    const TaskId id = running_[thread];
    ready(id, completed(id, task(id)));
}

/// Sleeps, then computes. On a loop it lets others run, unless it keeps its turn.
Server::Answer Server::sleep(TaskId id, Task& t, Duration time, Duration then) {
    const bool awaits = t.effect.op == Op::sleep && has_turn(id, t) &&
                        !t.cursor.holds(ResourceId::loop);
    if (awaits) {
        await_turn(id, t, Task::Waits::turn, time_.now + time);
        return std::nullopt;
    }
    if (time <= Duration{}) return compute(id, t, then);
    t.computes_next = true;
    t.then = then;
    time_.in(time + costs().wake, EventKind::resume, id, ++t.token);
    return std::nullopt;
}

void Server::resumed(TaskId id) {
    Task& t = task(id);
    if (!std::exchange(t.computes_next, false)) return ready(id, outcome());
    const bool asks = t.effect.op == Op::query || t.effect.op == Op::update;
    if (const Answer done = asks ? begin_query(id, t) : compute(id, t, t.then)) {
        ready(id, *done);
    }
}

/// A sleeping thread is woken, or the loop of the task.
void Server::wake_later(TaskId id) {
    Task& t = task(id);
    if (t.waits != Task::Waits::nothing) return wake_on_loop(id, t, core::Fault::none);
    const Duration hand_off = costs().hand_off;
    if (hand_off > Duration{}) {
        time_.in(hand_off, EventKind::resume, id, ++t.token);
    } else {
        ready(id, outcome());
    }
}

/// A computation lets the interpreter lock go where another thread asks for it.
Server::Answer Server::spend(TaskId id, Task& t) {
    const Duration cost = t.effect.cost;
    const bool locks = t.generation->system.server.interpreter_lock;
    if (locks && cost > Duration{} && t.worker->lock->drop_requested() &&
        t.cursor.holds(ResourceId::interpreter_lock)) {
        t.broken_off = true;
        core::Outcome made = outcome();
        made.remaining = cost;
        return made;
    }
    return compute(id, t, cost);
}

/// The request, or the branch, is over.
void Server::finish_task(Task& t, TaskId) {
    give_up_entries(t);
    t.ended = true;
    leave_worker(t);
}

// ---------------------------------------------------------------- locks

Server::Answer Server::acquire(TaskId id, Task& t) {
    switch (t.effect.resource) {
        case ResourceId::worker:
        case ResourceId::loop:  // its turn has come: it runs
            return outcome();
        case ResourceId::interpreter_lock: {
            core::InterpreterLock& lock = *t.worker->lock;
            running_[t.thread] = id;
            if (lock.acquire(t.thread, time_.now)) return outcome();
            time_.in(lock.switch_interval(), EventKind::lock_ask, id, ++t.token);
            return std::nullopt;
        }
        case ResourceId::connection:
            return acquire_connection(id, t);
        case ResourceId::token:
            return acquire_token(id, t);
        case ResourceId::write_lock:
            return acquire_write_lock(id, t);
    }
    return outcome();
}

Server::Answer Server::release(TaskId id, Task& t) {
    switch (t.effect.resource) {
        case ResourceId::worker: {
            // A worker that was given a connection stays with it.
            Session& s = at(t.session);
            if (!s.bind_at_accept || rules().bind != BindPoint::accept) {
                s.bound = false;
                if (s.slot >= 0) let_go(t.session);
            }
            break;
        }
        case ResourceId::connection:
            release_connection(t);
            break;
        case ResourceId::interpreter_lock:
            release_lock(t);
            break;
        case ResourceId::write_lock:
            release_write_lock(t);
            break;
        case ResourceId::token:
            leave_pool_thread(id, t);
            return std::nullopt;
        case ResourceId::loop:
            break;
    }
    return outcome();
}

/// Whom the system's scheduler wakes is a lot; whoever comes before that thread runs takes the
/// lock.
void Server::release_lock(Task& t) {
    core::InterpreterLock& lock = *t.worker->lock;
    lock.release(t.thread, time_.now, std::exchange(t.broken_off, false));
    const auto& waiting = lock.waiting();
    if (waiting.empty()) return;
    constexpr auto order = static_cast<std::uint32_t>(core::Purpose::order);
    const auto lot = core::keyed_below(options_.seed, ++lots_, order, waiting.size());
    const TaskId woken = running_[static_cast<ThreadId>(waiting[lot])];
    time_.in(costs().hand_off, EventKind::lock_wake, woken, task(woken).token);
}

void Server::lock_asked(TaskId id) {
    Task& t = task(id);
    core::InterpreterLock& lock = *t.worker->lock;
    time_.at(lock.ask(t.thread, time_.now), EventKind::lock_ask, id, t.token);
    if (!lock.drop_requested()) return;
    const auto thread = static_cast<ThreadId>(*lock.holder());
    const TaskId holder = running_[thread];
    Task& computing = task(holder);
    // Whoever holds the lock and does something else looks at it when that is done.
    if (computing.effect.op != Op::spend || !cores_.computes(thread)) return;
    computing.broken_off = true;
    core::Outcome made = outcome();
    made.remaining = cores_.stop(thread, time_.now);
    cores_changed();
    ready(holder, made);
}

void Server::lock_woken(TaskId id) {
    Task& t = task(id);
    core::InterpreterLock& lock = *t.worker->lock;
    if (lock.retry(t.thread, time_.now)) return ready(id, outcome());
    // Woken in vain: a new interval begins, and the old one's end is out of date.
    time_.in(lock.switch_interval(), EventKind::lock_ask, id, ++t.token);
}

}  // namespace lab::virtual_time
