// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/virtual_loops.hpp"

#include <algorithm>
#include <utility>

#include "lab/assert.hpp"

namespace lab::test {

using core::Admission;
using core::Op;
using core::Outcome;
using core::ResourceId;

namespace {

constexpr int endless = 1'000'000;

core::Ticket ticket_of(const void* task) { return reinterpret_cast<core::Ticket>(task); }

}  // namespace

VirtualLoops::VirtualLoops(System system, std::vector<Asked> asked, Duration query_time)
    : system_{std::move(system)},
      asked_{std::move(asked)},
      query_time_{query_time},
      threads_{{.slots = system_.server.workers * system_.server.threads,
                .queue_capacity = endless,
                .patience = {}}},
      served_(asked_.size()) {
    LAB_ASSERT(!system_.server.interpreter_lock);
    for (const Route& route : system_.routes) {
        programs_.push_back(core::compile(route, system_.server, {}));
    }
    for (int i = 0; i < system_.server.workers; ++i) {
        workers_.push_back(std::make_unique<Worker>(Worker{
            {},
            core::SlotPool{{system_.server.pool_threads, endless, {}}},
            core::SlotPool{{system_.database.pool + system_.database.overflow, endless, {}}}}));
    }
}

std::vector<Served> VirtualLoops::run() {
    for (const Asked& one : asked_) later(one.at, nullptr);
    while (!events_.empty()) {
        const Event event = events_.top();
        events_.pop();
        now_ = event.at;
        if (event.task == nullptr) {
            arrive();
        } else {
            drive(*event.task, {.now = now_});
        }
    }
    return served_;
}

void VirtualLoops::arrive() {
    Task& task = tasks_.emplace_back();
    task.request = next_++;
    const core::Program& program = programs_[asked_[task.request].route];
    task.cursor = core::begin(program, 42, task.request, now_, now_);
    if (program.own_loop) task.own_loop = std::make_unique<Loop>();
    task.loop = program.own_loop ? task.own_loop.get() : &worker_of(task).loop;
    drive(task, {.now = now_});
}

VirtualLoops::Worker& VirtualLoops::worker_of(const Task& task) {
    return *workers_[task.request % workers_.size()];
}

void VirtualLoops::drive(Task& task, Outcome outcome) {
    for (;;) {
        task.effect = core::next(task.cursor, outcome);
        if (task.effect.op == Op::join) {
            join(task);
            return;
        }
        if (task.effect.op == Op::respond) {
            Served& served = served_[task.request];
            served.status = task.effect.status;
            served.latency = now_ - asked_[task.request].at;
            served.parts = task.cursor.parts;
        }
        if (task.effect.op == Op::end) return;
        const auto done = perform(task);
        if (!done) return;
        outcome = *done;
    }
}

std::optional<Outcome> VirtualLoops::perform(Task& task) {
    const core::Effect& effect = task.effect;
    const Duration trip = system_.database.round_trip;
    Duration time{};
    switch (effect.op) {
        case Op::acquire:
            if (acquire(task)) return Outcome{.now = now_};
            return std::nullopt;
        case Op::release:
            release(task);
            return Outcome{.now = now_};
        case Op::fork:
            fork(task);
            return std::nullopt;
        case Op::spend:
        case Op::sleep:
            time = effect.cost;
            break;
        case Op::travel:
            time = trip;
            break;
        case Op::query:
        case Op::update:
            time = query_time_ + (effect.travelled ? Duration{} : trip);
            break;
        default:
            return Outcome{.now = now_};
    }
    later(now_ + time, &task);
    return std::nullopt;
}

bool VirtualLoops::acquire(Task& task) {
    const auto from = [&](core::SlotPool& pool, int& slot) {
        const core::Grant grant = pool.acquire(ticket_of(&task), now_);
        slot = grant.slot;
        return grant.admission == Admission::granted;
    };
    switch (task.effect.resource) {
        case ResourceId::worker:
            return system_.server.execution != Execution::threads || from(threads_, task.slot);
        case ResourceId::connection:
            return from(worker_of(task).connections, task.connection);
        case ResourceId::token: {
            core::SlotPool& tokens = worker_of(task).tokens;
            const bool granted = from(tokens, task.token);
            most_waiting_ = std::max(most_waiting_, tokens.depth());
            return granted;
        }
        case ResourceId::loop:
            task.loop->turns.add(ticket_of(&task), now_);
            if (!task.loop->taken) let_next_run(*task.loop);
            return false;
        case ResourceId::write_lock:
            return from(write_lock_, task.write_lock);
        case ResourceId::interpreter_lock:
            break;
    }
    LAB_ASSERT(false);
    return false;
}

void VirtualLoops::release(Task& task) {
    const auto to = [&](core::SlotPool& pool, int& slot, int Task::*given) {
        if (const auto wake = pool.release(std::exchange(slot, -1), now_)) {
            auto& next = *reinterpret_cast<Task*>(wake->ticket);
            next.*given = wake->slot;
            later(now_, &next);
        }
    };
    switch (task.effect.resource) {
        case ResourceId::worker:
            if (task.slot >= 0) to(threads_, task.slot, &Task::slot);
            return;
        case ResourceId::connection:
            return to(worker_of(task).connections, task.connection, &Task::connection);
        case ResourceId::token:
            return to(worker_of(task).tokens, task.token, &Task::token);
        case ResourceId::loop:
            task.loop->taken = false;
            return let_next_run(*task.loop);
        case ResourceId::write_lock:
            return to(write_lock_, task.write_lock, &Task::write_lock);
        case ResourceId::interpreter_lock:
            LAB_ASSERT(false);
    }
}

void VirtualLoops::let_next_run(Loop& loop) {
    const auto turn = loop.turns.take(now_);
    if (!turn) return;
    loop.taken = true;
    longest_lag_ = std::max(longest_lag_, now_ - turn->due);
    later(now_, reinterpret_cast<Task*>(turn->who));
}

void VirtualLoops::fork(Task& parent) {
    parent.running = core::branches(parent.cursor);
    for (std::uint32_t i = 0; i < core::branches(parent.cursor); ++i) {
        Task& task = tasks_.emplace_back();
        task.request = parent.request;
        task.parent = &parent;
        task.loop = parent.loop;
        task.cursor = core::branch(parent.cursor, i);
        later(now_, &task);
    }
}

void VirtualLoops::join(Task& branch) {
    Task& parent = *branch.parent;
    if (parent.fault == core::Fault::none) parent.fault = branch.cursor.fault;
    if (--parent.running > 0) return;
    core::join(parent.cursor, branch.cursor);
    drive(parent, {.now = now_, .fault = parent.fault});
}

}  // namespace lab::test
