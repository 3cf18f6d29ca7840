// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/task_loop.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "lab/assert.hpp"

namespace lab::live {

namespace {

using core::Fault;
using core::Op;
using core::Outcome;
using core::ResourceId;

Instant now() { return std::chrono::steady_clock::now(); }

core::Ticket ticket_of(const void* task) {
    return static_cast<core::Ticket>(reinterpret_cast<std::uintptr_t>(task));
}

}  // namespace

TaskLoop::Task::Task(TaskLoop& its_loop)
    : loop{its_loop},
      executor{ticket_of(this), its_loop.kernel_, its_loop.inbox_, its_loop.cancelled_} {}

TaskLoop::Task& TaskLoop::new_task(Exchange& exchange, WorkerPtr worker) {
    if (free_.empty()) free_.push_back(&tasks_.emplace_back(*this));
    Task& task = *free_.back();
    free_.pop_back();
    ++out_;
    task.exchange = &exchange;
    task.worker = std::move(worker);
    return task;
}

void TaskLoop::recycle(Task& task) {
    task.executor.end();
    const std::lock_guard hold{mutex_};
    task.exchange = nullptr;
    task.worker.reset();
    task.cursor = nullptr;
    task.made.clear();
    task.parent = nullptr;
    task.branches.clear();
    task.fault = Fault::none;
    task.waits = Waits::nothing;
    task.ended = task.abandoned = task.lets_go = task.elsewhere = task.timed = false;
    ++task.number;
    free_.push_back(&task);
    --out_;
}

void TaskLoop::start(Exchange& exchange, WorkerPtr worker, Instant at) {
    {
        const std::lock_guard hold{mutex_};
        Task& task = new_task(exchange, std::move(worker));
        task.cursor = &exchange.cursor;
        task.effect = exchange.effect;
        task.executor.begin(exchange, task.worker);
        task.waits = Waits::turn;
        ++task.number;
        task.woken_with = Fault::none;
        turns_.add(ticket_of(&task), at);
    }
    inbox_.nudge();
}

void TaskLoop::leave() {
    {
        const std::lock_guard hold{mutex_};
        leaving_ = true;
    }
    inbox_.nudge();
}

void TaskLoop::wake(Task& task, std::uint64_t number, Instant due, Fault fault) {
    {
        const std::lock_guard hold{mutex_};
        if (task.number != number) return;
        ++task.number;
        task.woken_with = fault;
        if (task.timed) turns_.remove(ticket_of(&task));
        task.timed = false;
        turns_.add(ticket_of(&task), due);
    }
    inbox_.nudge();
}

void TaskLoop::wake(Task& task, Fault fault) {
    std::uint64_t number = 0;
    {
        const std::lock_guard hold{mutex_};
        number = task.number;
    }
    wake(task, number, now(), fault);
}

std::uint64_t TaskLoop::await(Task& task, Waits what, Instant due) {
    task.waits = what;
    const std::lock_guard hold{mutex_};
    task.woken_with = Fault::none;
    task.timed = due != Instant::max();
    if (task.timed) turns_.add(ticket_of(&task), due);
    return ++task.number;
}

void TaskLoop::run() {
    for (;;) {
        if (take_turn()) continue;
        {
            const std::lock_guard hold{mutex_};
            if (leaving_ && out_ == 0) return;
        }
        rest();
    }
}

/// One task runs until it waits or ends. False: nothing is due.
bool TaskLoop::take_turn() {
    Task* task = nullptr;
    core::TurnQueue::Turn turn;
    Fault fault = Fault::none;
    {
        const std::lock_guard hold{mutex_};
        const Instant at = now();
        // A run that stops waits for nothing that is yet to come.
        const auto next = turns_.take(ends() ? Instant::max() : at);
        if (!next) return false;
        turn = *next;
        task = reinterpret_cast<Task*>(turn.who);
        fault = std::exchange(task->woken_with, Fault::none);
        ++task->number;
        task->timed = false;
        if (on_end && lags_.size() < most_lags)
            lags_.push_back(std::max(Duration{}, at - turn.due));
        if (std::exchange(resting_, false)) busy_since_ = at;
    }
    resume(*task, std::min(turn.due, now()), fault);
    return true;
}

void TaskLoop::rest() {
    publish(WorkerState::idle, nullptr);
    Instant until = now() + 1h;
    {
        const std::lock_guard hold{mutex_};
        if (!std::exchange(resting_, true)) busy_ += now() - busy_since_;
        if (const auto due = turns_.next_due()) until = std::min(until, *due);
    }
    inbox_.rest_until(until);
}

/// What the task had in hand is over since `due`.
void TaskLoop::resume(Task& task, Instant due, Fault fault) {
    const Waits waited = std::exchange(task.waits, Waits::nothing);
    Outcome outcome{.now = due, .fault = fault};
    if (waited == Waits::connection) {
        const Fault came = task.executor.collect_connection();
        if (outcome.fault == Fault::none) outcome.fault = came;
        if (came == Fault::none && outcome.fault != Fault::none) give_back(task);
    } else if (waited == Waits::branches) {
        outcome.fault = collect_branches(task, task.executor);
    }
    drive(task, outcome);
}

void TaskLoop::drive(Task& task, Outcome outcome) {
    task.executor.move_to(ticket_, inbox_);
    do {
        const bool leaving = task.effect.op == Op::release;
        const bool over = task.abandoned || ends();
        const bool entering =
            task.effect.op == Op::acquire && task.effect.resource == ResourceId::worker;
        if (over && !leaving && !entering && outcome.fault == Fault::none) {
            outcome.fault = Fault::cancelled;
            if (task.effect.op == Op::acquire) give_back(task);
        }
        task.effect = core::next(*task.cursor, outcome);
    } while (step(task, outcome));
}

/// What an acquire has brought that is of no use any more.
void TaskLoop::give_back(Task& task) {
    const ResourceId resource = task.effect.resource;
    const bool held = resource == ResourceId::connection || resource == ResourceId::write_lock ||
                      resource == ResourceId::interpreter_lock;
    if (!held) return;
    static_cast<void>(task.executor.perform({.op = Op::release, .resource = resource}));
}

bool TaskLoop::step(Task& task, Outcome& outcome) {
    switch (task.effect.op) {
        case Op::respond:
        case Op::end:
            end_request(task);
            return false;
        case Op::join:
            end_branch(task);
            return false;
        case Op::fork:
            start_branches(task);
            return false;
        case Op::acquire:
            return acquire(task, outcome);
        case Op::sleep:
        case Op::travel:
            if (sleeps(task)) return false;
            break;
        case Op::cache_wait:
            return wait_for_entry(task, outcome);
        case Op::release:
            if (task.effect.resource == ResourceId::worker) task.lets_go = true;
            break;
        default:
            break;
    }
    perform(task, outcome);
    return true;
}

/// A wait that lets others run: its end is due later.
bool TaskLoop::sleeps(Task& task) {
    Duration time = task.effect.cost;
    if (task.effect.op == Op::travel) {
        const Generation& generation = *task.exchange->generation;
        time =
            from_seconds(to_seconds(generation.system.database.round_trip) * generation.slowdown);
    } else if (task.cursor->holds(ResourceId::loop)) {
        return false;
    }
    static_cast<void>(await(task, Waits::turn, now() + time));
    return true;
}

/// Until whoever makes the entry has done. It has let the loop go meanwhile.
bool TaskLoop::wait_for_entry(Task& task, Outcome& outcome) {
    constexpr Duration for_good = 24h;  // due some time, so that a run that stops finds it
    const std::uint64_t number = await(task, Waits::turn, now() + for_good);
    const bool waits = task.executor.await_entry(
        [this, at = &task, number] { wake(*at, number, now(), Fault::none); });
    if (waits) return false;
    forget_wait(task);
    outcome = {.now = now()};
    return true;
}

/// What it was to await has come at once.
void TaskLoop::forget_wait(Task& task) {
    task.waits = Waits::nothing;
    const std::lock_guard hold{mutex_};
    if (std::exchange(task.timed, false)) turns_.remove(ticket_of(&task));
    ++task.number;
}

bool TaskLoop::acquire(Task& task, Outcome& outcome) {
    switch (task.effect.resource) {
        case ResourceId::loop:  // its turn has come: it runs
            outcome = {.now = now()};
            return true;
        case ResourceId::token:
            static_cast<void>(await(task, Waits::token, Instant::max()));
            task.worker->tokens->enter(task);
            return false;
        case ResourceId::connection: {
            if (!task.worker->connections) break;
            const Duration limit = task.worker->connections->timeout();
            const Instant due = limit > Duration{} ? now() + limit : Instant::max();
            const std::uint64_t number = await(task, Waits::connection, due);
            const auto decided = task.executor.ask_for_connection(
                [this, at = &task, number] { wake(*at, number, now(), Fault::none); });
            if (!decided) return false;
            forget_wait(task);
            outcome = {.now = now(), .fault = *decided};
            return true;
        }
        case ResourceId::worker:
        case ResourceId::interpreter_lock:
        case ResourceId::write_lock:  // SQLite's driver blocks: nobody else runs meanwhile
            break;
    }
    perform(task, outcome);
    return true;
}

/// On the spot. With a turn in hand everybody else waits meanwhile.
void TaskLoop::perform(Task& task, Outcome& outcome) {
    const core::Effect& effect = task.effect;
    const bool of_worker = effect.resource == ResourceId::worker;
    if ((effect.op == Op::acquire || effect.op == Op::release) &&
        (of_worker || effect.resource == ResourceId::loop)) {
        outcome = {.now = now()};
        return;
    }
    WorkerState state = WorkerState::computing;
    if (effect.op == Op::sleep || effect.op == Op::query || effect.op == Op::update) {
        state = WorkerState::blocked;
    } else if (effect.op == Op::acquire) {
        const bool writes = effect.resource == ResourceId::write_lock;
        state = writes ? WorkerState::write_wait : WorkerState::lock_wait;
    } else if (effect.op == Op::render) {
        state = WorkerState::render;
    }
    publish(state, &task);
    outcome = task.executor.perform(effect);
}

/// On a thread of the pool: everything until the token is let go.
void TaskLoop::Task::run_on(core::Ticket thread, Inbox& parker) {
    if (loop.ends()) {
        loop.wake(*this, Fault::cancelled);
        return;
    }
    executor.move_to(thread, parker);
    Outcome outcome{.now = now()};
    for (;;) {
        effect = core::next(*cursor, outcome);
        if (effect.op == Op::release && effect.resource == ResourceId::token) break;
        outcome = executor.perform(effect);
    }
    loop.wake(*this, Fault::none);
}

void TaskLoop::Task::find_no_thread() { loop.wake(*this, Fault::failed); }

void TaskLoop::start_branches(Task& parent) {
    parent.waits = Waits::branches;
    const std::uint32_t count = core::branches(*parent.cursor);
    parent.running = count;
    const Instant at = parent.cursor->since;
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::lock_guard hold{mutex_};
        Task& task = new_task(*parent.exchange, parent.worker);
        task.branch = core::branch(*parent.cursor, i);
        task.cursor = &task.branch;
        task.effect = {};
        task.parent = &parent;
        task.made.made_for = parent.exchange->user;
        task.made.language = parent.exchange->language;
        task.abandoned = parent.abandoned;
        task.executor.begin(*parent.exchange, task.made, task.worker);
        task.waits = Waits::turn;
        task.timed = true;
        ++task.number;
        turns_.add(ticket_of(&task), at);
        parent.branches.push_back(&task);
    }
}

void TaskLoop::end_branch(Task& branch) {
    Task& parent = *branch.parent;
    branch.ended = true;
    --parent.running;
    if (branch.cursor->fault != Fault::none && parent.fault == Fault::none) {
        parent.fault = branch.cursor->fault;
        for (Task* other : parent.branches) abandon(*other);
    }
    if (parent.running > 0) return;
    core::join(*parent.cursor, *branch.cursor);
    if (!parent.elsewhere) wake(parent, Fault::none);
}

/// Nobody waits for it any more: what it awaits is cancelled, as asyncio's tasks are; what a thread
/// of the pool has in hand goes on to its end.
void TaskLoop::abandon(Task& task) {
    if (task.ended || task.abandoned) return;
    task.abandoned = true;
    for (Task* branch : task.branches) abandon(*branch);
    if (task.waits == Waits::turn || task.waits == Waits::connection) {
        wake(task, Fault::cancelled);
    } else if (task.waits == Waits::token && task.worker->tokens->withdraw(task)) {
        wake(task, Fault::cancelled);
    }
}

/// What they made, in their order, is added to what `into` made. Returns the first fault.
Fault TaskLoop::collect_branches(Task& parent, StepExecutor& into) {
    for (Task* branch : parent.branches) {
        into.take_in(branch->executor);
        recycle(*branch);
    }
    parent.branches.clear();
    return std::exchange(parent.fault, Fault::none);
}

Outcome TaskLoop::run_branches(Exchange& exchange, const WorkerPtr& worker, StepExecutor& root) {
    Task* parent = nullptr;
    {
        const std::lock_guard hold{mutex_};
        parent = &new_task(exchange, worker);
    }
    parent->cursor = &exchange.cursor;
    parent->elsewhere = true;
    killed_ = worker->killed;
    start_branches(*parent);
    while (parent->running > 0) {
        if (!take_turn()) rest();
    }
    const Fault fault = collect_branches(*parent, root);
    recycle(*parent);
    return {.now = now(), .fault = fault};
}

void TaskLoop::end_request(Task& task) {
    Exchange& exchange = *task.exchange;
    exchange.effect = task.effect;
    if (exchange.effect.op == Op::end) exchange.effect.status = 0;
    const bool lets_go = task.lets_go;
    recycle(task);
    on_end(exchange, lets_go);
}

void TaskLoop::publish(WorkerState state, const Task* task) {
    state_.store(state, std::memory_order_relaxed);
    request_.store(task == nullptr ? 0 : task->cursor->id, std::memory_order_relaxed);
}

TaskLoop::Look TaskLoop::look() {
    Look made;
    made.state = state_.load(std::memory_order_relaxed);
    made.request = request_.load(std::memory_order_relaxed);
    const std::lock_guard hold{mutex_};
    const Instant at = now();
    if (!resting_) {
        busy_ += at - busy_since_;
        busy_since_ = at;
    }
    made.busy = std::exchange(busy_, Duration{});
    made.ready = static_cast<std::uint32_t>(turns_.ready(at));
    made.lags = std::exchange(lags_, {});
    return made;
}

}  // namespace lab::live
