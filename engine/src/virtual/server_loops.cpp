// SPDX-License-Identifier: GPL-3.0-or-later
// Turns on event loops, the bounded pools of threads beside them, and the branches of a gather.
// The rules are those of the live engine's TaskLoop; the order of turns is core::TurnQueue's.
#include <algorithm>
#include <utility>

#include "lab/assert.hpp"
#include "lab/histogram.hpp"
#include "virtual/server.hpp"

namespace lab::virtual_time {

using core::Fault;
using core::Op;
using core::ResourceId;

std::unique_ptr<Loop> Server::make_loop(bool of_worker) {
    auto made = std::make_unique<Loop>();
    made->of_worker = of_worker;
    return made;
}

ThreadId Server::take_thread() {
    if (free_threads_.empty()) {
        free_threads_.push_back(static_cast<ThreadId>(running_.size()));
        running_.push_back(nobody);
    }
    const ThreadId thread = free_threads_.back();
    free_threads_.pop_back();
    return thread;
}

/// A loop that is taken away serves what it has.
void Server::resize_loops() {
    const auto wanted = static_cast<std::size_t>(rules().workers);
    while (loops_.size() < wanted) {
        loops_.push_back(make_loop(true));
        loops_.back()->thread = take_thread();
    }
    for (LoopId id = 0; id < loops_.size(); ++id) {
        Loop& own = loop(id);
        own.draining = id >= wanted;
        own.places.set_queue_capacity(rules().queue);
        own.places.set_patience(rules().queue_timeout);
        for (const core::Wake& wake : own.places.resize(rules().worker_connections, time_.now)) {
            grant(static_cast<SessionId>(wake.ticket), wake.slot, true);
        }
        admit_from_outside(id);
    }
}

// ---------------------------------------------------------------- turns

/// Others may run.
void Server::leave_turn(TaskId id, Task& t) {
    if (!has_turn(id, t)) return;
    Loop& own = loop(t.loop);
    own.current = nobody;
    if (own.looking || std::exchange(own.due, true)) return;
    loops_due_.push_back(t.loop);
}

/// Its next turn is due at `due`; Instant::max(): when it is woken.
void Server::await_turn(TaskId id, Task& t, Task::Waits what, Instant due) {
    t.waits = what;
    t.woken_with = Fault::none;
    ++t.token;
    if (due != Instant::max()) {
        loop(t.loop).turns.add(id, due);
        nudge(t.loop, due);
    }
    leave_turn(id, t);
}

/// What it awaited has come, or is called off: its turn is due now.
void Server::wake_on_loop(TaskId id, Task& t, Fault fault) {
    if (t.waits == Task::Waits::turn) loop(t.loop).turns.remove(id);
    t.woken_with = fault;
    loop(t.loop).turns.add(id, time_.now);
    nudge(t.loop, time_.now);
}

/// A loop that rests wakes for this turn: a little late, as a sleep ends, or as a thread is woken.
void Server::nudge(LoopId id, Instant due) {
    const Loop& own = loop(id);
    if (!own.resting || own.current != nobody || own.due || own.looking) return;
    wake_loop_at(id, due <= time_.now ? time_.now + costs().hand_off : due + costs().wake);
}

void Server::wake_loop_at(LoopId id, Instant at) {
    Loop& own = loop(id);
    if (at >= own.wakes) return;
    own.wakes = at;
    time_.at(at, EventKind::loop_turn, id, ++own.token);
}

/// One task after another, each until it awaits something.
void Server::run_loop(LoopId id) {
    Loop& own = loop(id);
    own.due = false;
    own.looking = true;
    while (own.current == nobody) {
        const auto turn = own.turns.take(time_.now);
        if (!turn) {
            rest(id);
            break;
        }
        own.wakes = Instant::max();
        ++own.token;
        if (own.of_worker) lags_.push_back(Histogram::bucket_of(time_.now - turn->due));
        if (std::exchange(own.resting, false)) own.busy_since = time_.now;
        const auto next = static_cast<TaskId>(turn->who);
        own.current = next;
        drive(next, take_up(task(next), turn->due));
    }
    own.looking = false;
}

/// What the task had in hand is over since `due`.
core::Outcome Server::take_up(Task& t, Instant due) {
    const Task::Waits waited = std::exchange(t.waits, Task::Waits::nothing);
    ++t.token;
    t.thread = loop(t.loop).thread;
    core::Outcome made = outcome(std::exchange(t.woken_with, Fault::none));
    made.now = due;
    if (waited == Task::Waits::branches) made.fault = collect_branches(t);
    return made;
}

void Server::rest(LoopId id) {
    Loop& own = loop(id);
    if (!std::exchange(own.resting, true)) own.busy += time_.now - own.busy_since;
    if (const auto due = own.turns.next_due()) wake_loop_at(id, *due + costs().wake);
}

void Server::start_on_loop(SessionId id) {
    Task& t = at(id).task;
    t.loop = at(id).loop;
    t.thread = loop(t.loop).thread;
    t.waits = Task::Waits::turn;
    loop(t.loop).turns.add(id, time_.now);
    nudge(t.loop, time_.now);
}

// ---------------------------------------------------------------- pools of threads

Server::Answer Server::acquire_token(TaskId id, Task& t) {
    await_turn(id, t, Task::Waits::token, Instant::max());
    const core::Grant grant = t.worker->tokens->acquire(id, time_.now);
    if (grant.admission == core::Admission::granted) {
        on_pool_thread(id, grant.slot, true);
    }
    return std::nullopt;
}

void Server::on_pool_thread(TaskId id, int slot, bool thread_sleeps) {
    Task& t = task(id);
    t.waits = Task::Waits::nothing;
    t.pool_thread = slot;
    t.thread = take_thread();
    const Duration hand_off = costs().hand_off;
    if (thread_sleeps && hand_off > Duration{}) {
        time_.in(hand_off, EventKind::resume, id, ++t.token);
    } else {
        ready(id, outcome());
    }
}

/// The thread takes the next that waits; the task goes on in its loop's next turn.
void Server::leave_pool_thread(TaskId id, Task& t) {
    free_threads_.push_back(t.thread);
    const int slot = std::exchange(t.pool_thread, -1);
    if (const auto wake = t.worker->tokens->release(slot, time_.now)) {
        on_pool_thread(static_cast<TaskId>(wake->ticket), wake->slot, false);
    }
    t.thread = loop(t.loop).thread;
    await_turn(id, t, Task::Waits::turn, time_.now);
}

// ---------------------------------------------------------------- branches

TaskId Server::make_branch(TaskId parent, std::uint32_t index, LoopId on) {
    if (free_branches_.empty()) {
        free_branches_.push_back(static_cast<TaskId>(branches_.size()) | branch_bit);
        branches_.push_back(std::make_unique<Task>());
    }
    const TaskId id = free_branches_.back();
    free_branches_.pop_back();
    Task& t = task(id);
    const Task& of = task(parent);
    t.clear();
    ++t.token;
    t.cursor = core::branch(of.cursor, index);
    t.effect = {};
    t.generation = of.generation;
    t.session = of.session;
    take_worker(t, of.worker);
    t.parent = parent;
    t.loop = on;
    t.thread = loop(on).thread;
    t.abandoned = of.abandoned;
    t.made_for = at(of.session).planned.user;
    t.language = at(of.session).language;
    t.waits = Task::Waits::turn;
    return id;
}

/// On the loop of the task; on a thread the branches take turns on a loop of its own, for which it
/// waits.
void Server::start_branches(TaskId id, Task& t) {
    LoopId on = t.loop;
    t.elsewhere = on == nobody;
    if (t.elsewhere) {
        Seat& own = seat(at(t.session).slot);
        if (own.branches == nobody) {
            own.branches = static_cast<LoopId>(loops_.size());
            loops_.push_back(make_loop(false));
        }
        on = own.branches;
        Loop& made = loop(on);
        made.thread = own.thread;
        made.resting = true;
    }
    const std::uint32_t count = core::branches(t.cursor);
    t.running = count;
    const Instant begun = t.cursor.since;
    for (std::uint32_t i = 0; i < count; ++i) {
        const TaskId branch = make_branch(id, i, on);
        t.branches.push_back(branch);
        loop(on).turns.add(branch, begun);
    }
    t.waits = Task::Waits::branches;
    t.woken_with = Fault::none;
    ++t.token;
    if (has_turn(id, t)) {
        leave_turn(id, t);
    } else if (!std::exchange(loop(on).due, true)) {
        loops_due_.push_back(on);
    }
}

void Server::end_branch(TaskId id) {
    Task& t = task(id);
    leave_turn(id, t);
    finish_task(t, id);
    Task& parent = task(t.parent);
    --parent.running;
    if (t.cursor.fault != Fault::none && parent.fault == Fault::none) {
        parent.fault = t.cursor.fault;
        for (const TaskId other : parent.branches) abandon(other);
    }
    if (parent.running > 0) return;
    core::join(parent.cursor, t.cursor);
    if (parent.elsewhere) {
        parent.waits = Task::Waits::nothing;
        ready(t.parent, outcome(collect_branches(parent)));
    } else {
        wake_on_loop(t.parent, parent, Fault::none);
    }
}

/// Nobody waits for it any more: what it awaits is cancelled, as asyncio's tasks are; what a thread
/// of the pool has in hand goes on to its end.
void Server::abandon(TaskId id) {
    Task& t = task(id);
    if (t.ended || t.abandoned) return;
    t.abandoned = true;
    for (const TaskId branch : t.branches) abandon(branch);
    switch (t.waits) {
        case Task::Waits::turn:
            wake_on_loop(id, t, Fault::cancelled);
            return;
        case Task::Waits::connection:
        case Task::Waits::token:
        case Task::Waits::entry:
            stop_waiting(id, t);
            t.waits = Task::Waits::connection;  // no turn of it is due
            wake_on_loop(id, t, Fault::cancelled);
            return;
        case Task::Waits::nothing:
        case Task::Waits::branches:
            return;
    }
}

/// Takes it out of whatever it waits in.
void Server::stop_waiting(TaskId id, Task& t) {
    if (t.loop != nobody) {
        loop(t.loop).turns.remove(id);
        if (loop(t.loop).current == id) leave_turn(id, t);
    }
    t.worker->tokens->withdraw(id);
    if (t.worker->connections) t.worker->connections->pool.withdraw(id);
    if (!t.awaited.empty() && t.worker->cache) t.worker->cache->withdraw(t.awaited, id);
    t.awaited.clear();
    t.waits = Task::Waits::nothing;
}

/// Of a branch that was abandoned: whatever it does next fails, but for letting go.
void Server::cancel_step(TaskId, Task& t, core::Outcome& outcome) {
    const Op op = t.effect.op;
    if (op == Op::release || outcome.fault != Fault::none) return;
    outcome.fault = Fault::cancelled;
    if (op != Op::acquire) return;
    switch (t.effect.resource) {
        case ResourceId::connection:
            return release_connection(t);
        case ResourceId::write_lock:
            return release_write_lock(t);
        case ResourceId::interpreter_lock:
            return release_lock(t);
        case ResourceId::worker:
        case ResourceId::loop:
        case ResourceId::token:
            return;
    }
}

/// What they made, in their order, is added to what the parent made. Returns the first fault.
Fault Server::collect_branches(Task& parent) {
    const Session& s = at(parent.session);
    for (const TaskId id : parent.branches) {
        Task& t = task(id);
        parent.body += t.body;
        parent.versions.insert(parent.versions.end(), t.versions.begin(), t.versions.end());
        parent.rows.insert(parent.rows.end(), t.rows.begin(), t.rows.end());
        if (t.made_for != s.planned.user) parent.made_for = t.made_for;
        if (t.language != s.language) parent.language = t.language;
        ++t.token;
        free_branches_.push_back(id);
    }
    parent.branches.clear();
    return std::exchange(parent.fault, Fault::none);
}

// ---------------------------------------------------------------- samples

void Server::sample_loops(ServerSample& out) {
    const double window = to_seconds(std::max(time_.now - sampled_.at, Duration{1}));
    out.loops = static_cast<std::uint32_t>(rules().workers);
    out.threads_per_worker = 1;
    out.queue_capacity = static_cast<std::uint32_t>(rules().queue * rules().workers);
    for (LoopId id = 0; id < loops_.size(); ++id) {
        Loop& own = loop(id);
        const core::SlotPool& tokens = *workers_[id]->tokens;
        out.queue_depth += static_cast<std::uint32_t>(own.places.depth());
        out.in_service += static_cast<std::uint32_t>(own.places.busy());
        out.loop_ready += static_cast<std::uint32_t>(own.turns.ready(time_.now));
        out.tokens_in_use += static_cast<std::uint32_t>(tokens.busy());
        out.tokens_waiting += static_cast<std::uint32_t>(tokens.depth());
        if (!own.draining) out.tokens += static_cast<std::uint32_t>(tokens.slots());
        Duration busy = own.busy;
        if (!own.resting) busy += time_.now - own.busy_since;
        const Duration fresh = busy - std::exchange(own.sampled, busy);
        out.busy_time += fresh;
        if (own.draining && own.places.busy() + own.places.depth() == 0) continue;
        WorkerSample& sample = out.threads.emplace_back();
        sample.busy = std::clamp(to_seconds(fresh) / window, 0.0, 1.0);
        sample.draining = own.draining;
        if (own.current == nobody) continue;
        const Task& t = task(own.current);
        sample.request = t.cursor.id;
        const bool stands = t.effect.op == Op::sleep || t.effect.op == Op::query ||
                            t.effect.op == Op::update;
        sample.state = stands ? WorkerState::blocked : state_of(t.effect);
    }
    std::sort(lags_.begin(), lags_.end());
    for (const std::uint32_t bucket : lags_) {
        if (out.loop_lag.empty() || out.loop_lag.back().first != bucket) {
            out.loop_lag.emplace_back(bucket, 0);
        }
        ++out.loop_lag.back().second;
    }
    lags_.clear();
}

}  // namespace lab::virtual_time
