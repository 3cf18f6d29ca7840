// SPDX-License-Identifier: GPL-3.0-or-later
// How workers come and go: what core::WorkerLives orders, carried out on requests and connections.
#include <algorithm>
#include <utility>

#include "virtual/server.hpp"

namespace lab::virtual_time {

using core::WorkerLives;

namespace {

ProcessSample::State shown(WorkerLives::State state) {
    switch (state) {
        case WorkerLives::State::off:
            return ProcessSample::State::off;
        case WorkerLives::State::booting:
            return ProcessSample::State::booting;
        case WorkerLives::State::up:
            return ProcessSample::State::up;
        case WorkerLives::State::leaving:
            break;
    }
    return ProcessSample::State::leaving;
}

}  // namespace

void Server::set_lives_alarm() {
    const Instant next = lives_.next_tick().value_or(Instant::max());
    if (on_loops() || next >= lives_alarm_) return;
    lives_alarm_ = next;
    time_.at(next, EventKind::lives, 0);
}

void Server::look_after_workers() {
    lives_alarm_ = Instant::max();
    carry_out(lives_.tick(looks(), time_.now));
    admit_held();
    set_lives_alarm();
}

void Server::carry_out(const std::vector<WorkerLives::Order>& orders) {
    for (const WorkerLives::Order& order : orders) {
        switch (order.what) {
            case WorkerLives::Order::What::kill:
                kill(order.worker);
                break;
            case WorkerLives::Order::What::leave:
                send_away(order.worker);
                break;
            case WorkerLives::Order::What::serve:
                if (changing_) break;  // the new slots are made as the lives stand then
                for (const core::Wake& wake : slots_.serve(order.worker, time_.now)) {
                    grant(static_cast<SessionId>(wake.ticket), wake.slot, true);
                }
                break;
        }
    }
}

/// Those over their memory limit: when nothing of them is in the middle of something.
void Server::kill_doomed() {
    for (const int worker : std::exchange(doomed_, {})) {
        if (worker < lives_.workers() && lives_.state(worker) != WorkerLives::State::booting &&
            lives_.state(worker) != WorkerLives::State::off) {
            kill(worker);
        }
    }
    set_lives_alarm();
}

/// What it has in hand is broken off, what waits inside it and its connections are reset.
void Server::kill(int worker) {
    lives_.killed(worker, time_.now);
    if (static_cast<std::size_t>(worker) >= workers_.size()) return;  // not made yet
    std::vector<SessionId> lost;
    const auto waited = changing_ ? std::vector<core::Ticket>{} : slots_.stop(worker);
    for (const core::Ticket ticket : waited) lost.push_back(static_cast<SessionId>(ticket));
    for (std::size_t slot = 0; slot < seats_.size(); ++slot) {
        const SessionId id = seats_[slot].session;
        if (id == nobody || slots_.worker_of(static_cast<int>(slot)) != worker) continue;
        break_off(id);
        if (at(id).home != worker) lost.push_back(id);
    }
    for (SessionId id = 0; id < sessions_.size(); ++id) {
        const Session& s = at(id);
        const bool waits = std::find(lost.begin(), lost.end(), id) != lost.end();
        if (s.state != State::free && s.home == worker && !waits) lost.push_back(id);
    }
    renew(worker);
    for (const SessionId id : lost) {
        Session& s = at(id);
        std::erase(held_, id);
        std::erase(backlog_, id);
        if (s.state == State::answering) break_off(id);
        s.served_by = -1;
        cut_off(id);
    }
    set_lives_alarm();
}

/// What a request has in hand, and its branches, stand still for ever.
void Server::break_off(SessionId id) {
    Task& t = at(id).task;
    for (const TaskId branch : std::exchange(t.branches, {})) drop_task(branch);
    drop_task(id);
    at(id).served_by = -1;
}

void Server::drop_task(TaskId id) {
    Task& t = task(id);
    for (const TaskId branch : std::exchange(t.branches, {})) drop_task(branch);
    if (t.ended || t.worker == nullptr) {
        ++t.token;
        if ((id & branch_bit) != 0) free_branches_.push_back(id);
        return;
    }
    if (cores_.computes(t.thread) && running_[t.thread] == id) {
        static_cast<void>(cores_.stop(t.thread, time_.now));
        cores_changed();
    }
    stop_waiting(id, t);
    if (t.pool_thread >= 0) {
        free_threads_.push_back(t.thread);
        t.pool_thread = -1;
    }
    t.changed = false;  // rolled back
    if (!t.writes) writers_.withdraw(id);
    release_write_lock(t);
    if (t.lease >= 0) {
        count_pool();
        --pool_in_use_;
        t.lease = -1;
    }
    give_up_entries(t);
    t.cursor.ended = t.ended = true;
    leave_worker(t);
    ++t.token;
    std::erase_if(ready_, [id](const Ready& r) { return r.task == id; });
    if ((id & branch_bit) != 0) free_branches_.push_back(id);
}

void Server::send_away(int worker) {
    if (changing_) return;  // all leave
    slots_.leave(worker);
    for (SessionId id = 0; id < sessions_.size(); ++id) {
        Session& s = at(id);
        if (s.state == State::free) continue;
        const bool bound_here = s.bound && s.slot >= 0 && seat(s.slot).request == 0 &&
                                slots_.worker_of(s.slot) == worker;
        if (s.home == worker || bound_here) end_soon(id);
    }
    look_whether_left(worker);
    set_lives_alarm();
}

/// The connection is closed as soon as no request is under way on it; one that is fresh is served
/// once.
void Server::end_soon(SessionId id) {
    Session& s = at(id);
    if (s.state == State::idle && s.answered_before) {
        cut_off(id);
    } else {
        s.worker_leaves = true;
    }
}

void Server::look_whether_left(int worker) {
    if (worker >= lives_.workers() || changing_) return;
    if (lives_.state(worker) != WorkerLives::State::leaving) return;
    if (slots_.busy_of(worker) > 0 || slots_.depth_of(worker) > 0) return;
    lives_.left(worker, time_.now);
    static_cast<void>(slots_.stop(worker));  // nothing waits inside it
    renew(worker);
    set_lives_alarm();
}

/// A fresh life: a lock, a cache and connections of its own, all new.
void Server::renew(int worker) {
    auto& place = workers_[static_cast<std::size_t>(worker)];
    auto made = make_worker(nullptr);
    retire(std::exchange(place, std::move(made)));
}

void Server::count_end(Session& s) {
    const int worker = std::exchange(s.served_by, -1);
    if (worker < 0 || worker >= lives_.workers()) return;
    if (const auto order = lives_.ended(worker, time_.now); order && !changing_) {
        carry_out({*order});
    }
}

std::vector<WorkerLives::Look> Server::looks() const {
    std::vector<WorkerLives::Look> seen(static_cast<std::size_t>(lives_.workers()));
    if (changing_) return seen;
    const bool beats_between = rules().heartbeat == Heartbeat::request;
    for (std::size_t slot = 0; slot < seats_.size(); ++slot) {
        if (seats_[slot].session == nobody) continue;
        const auto worker = static_cast<std::size_t>(slots_.worker_of(static_cast<int>(slot)));
        if (worker >= seen.size() || !beats_between) continue;
        auto& silent = seen[worker].silent_since;
        const Instant since = seats_[slot].held_since;
        silent = silent ? std::min(*silent, since) : since;
    }
    for (int worker = 0; worker < lives_.workers(); ++worker) {
        seen[static_cast<std::size_t>(worker)].busy =
            slots_.busy_of(worker) >= std::max(1, slots_.slots_of(worker));
    }
    return seen;
}

std::vector<bool> Server::stopped_workers() const {
    const bool shared = rules().dispatch == Dispatch::shared;
    std::vector<bool> stopped;
    for (int worker = 0; worker < lives_.workers(); ++worker) {
        const WorkerLives::State state = lives_.state(worker);
        const bool leaves = shared && state == WorkerLives::State::leaving;
        stopped.push_back(leaves || state == WorkerLives::State::off ||
                          state == WorkerLives::State::booting);
    }
    return stopped;
}

void Server::sample_lives(ServerSample& out) {
    for (int worker = 0; worker < lives_.workers(); ++worker) {
        ProcessSample& sample = out.workers.emplace_back();
        sample.state = shown(lives_.state(worker));
        sample.served = lives_.served(worker);
        sample.memory = lives_.memory(worker);
        out.memory.count += sample.memory.count;
        if (changing_) continue;
        sample.connections = static_cast<std::uint32_t>(slots_.connections_of(worker));
        sample.queued = static_cast<std::uint32_t>(slots_.depth_of(worker));
    }
    const auto& counts = lives_.counts();
    const auto fresh = [](std::uint64_t total, std::uint64_t& sampled) {
        return total - std::exchange(sampled, total);
    };
    out.worker_kills = fresh(counts.kills, sampled_.lives.kills);
    out.worker_restarts = fresh(counts.restarts, sampled_.lives.restarts);
    out.worker_boots = fresh(counts.boots, sampled_.lives.boots);
    out.cores = static_cast<std::uint32_t>(cores_.cores());
}

}  // namespace lab::virtual_time
