// SPDX-License-Identifier: GPL-3.0-or-later
// How workers come and go: what core::WorkerLives orders, carried out on threads and connections.
#include <algorithm>
#include <chrono>
#include <utility>

#include "live/platform.hpp"
#include "live/turned_away.hpp"
#include "live/worker_pool.hpp"

namespace lab::live {

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

void WorkerPool::carry_out(const std::vector<WorkerLives::Order>& orders, Instant now) {
    for (const WorkerLives::Order& order : orders) {
        switch (order.what) {
            case WorkerLives::Order::What::kill:
                kill(order.worker, now);
                break;
            case WorkerLives::Order::What::leave:
                send_away(order.worker, now);
                break;
            case WorkerLives::Order::What::serve:
                serve_again(order.worker, now);
                break;
        }
    }
}

/// What it has in hand is broken off on its own threads; what waits inside it and its connections
/// are reset here.
void WorkerPool::kill(int worker, Instant now) {
    lives_.killed(worker, now);
    if (static_cast<std::size_t>(worker) >= workers_.size()) return;  // not made yet
    const WorkerPtr doomed = workers_[static_cast<std::size_t>(worker)];
    doomed->killed->store(true);
    doomed->lock->cancel();
    doomed->tokens->cancel();
    if (doomed->connections) doomed->connections->cancel();
    for (const auto& seat : seats_) {
        if (!seat || slots_->worker_of(seat->slot) != worker) continue;
        Exchange* const holder = seat->holder;
        if (connected_.contains(holder)) completions_.worker_gone(*holder, true);
        seat->inbox.nudge();
    }
    const auto waited = changing_ ? std::vector<core::Ticket>{} : slots_->stop(worker);
    for (const core::Ticket ticket : waited) {
        reset(exchange_of(ticket), completions_);
    }
    for (Exchange* const exchange : connected_) {
        if (exchange->home == worker) completions_.worker_gone(*exchange, true);
    }
    renew(worker);
    set_alarm();
}

void WorkerPool::send_away(int worker, Instant now) {
    if (changing_) return;  // all leave
    slots_->leave(worker);
    for (Exchange* const exchange : connected_) {
        const bool bound_here = exchange->place == Exchange::Place::bound &&
                                slots_->worker_of(exchange->slot) == worker;
        if (exchange->home == worker || bound_here) completions_.worker_gone(*exchange, false);
    }
    look_whether_left(worker, now);
    set_alarm();
}

void WorkerPool::look_whether_left(int worker, Instant now) {
    if (worker >= lives_.workers() || changing_) return;
    if (lives_.state(worker) != WorkerLives::State::leaving) return;
    if (slots_->busy_of(worker) > 0 || slots_->depth_of(worker) > 0) return;
    lives_.left(worker, now);
    static_cast<void>(slots_->stop(worker));  // nothing waits inside it
    renew(worker);
    set_alarm();
}

void WorkerPool::serve_again(int worker, Instant now) {
    if (changing_) return;  // the new slots are made as the lives stand then
    for (const core::Wake& wake : slots_->serve(worker, now)) grant_and_give(wake, now);
}

/// A fresh life: a lock, a cache and connections of its own, all new.
void WorkerPool::renew(int worker) {
    WorkerPtr& place = workers_[static_cast<std::size_t>(worker)];
    if (place->connections) retired_pool_time_ += place->connections->levels().busy_time;
    place = make_worker(nullptr);
}

void WorkerPool::count_end(Exchange& exchange, Instant now) {
    const int worker = std::exchange(exchange.served_by, -1);
    if (worker < 0 || worker >= lives_.workers()) return;
    if (const auto order = lives_.ended(worker, now); order && !changing_) {
        carry_out({*order}, now);
    }
}

std::vector<WorkerLives::Look> WorkerPool::looks() const {
    std::vector<WorkerLives::Look> seen(static_cast<std::size_t>(lives_.workers()));
    if (changing_) return seen;
    const bool beats_between = in_force_->system.server.heartbeat == Heartbeat::request;
    for (const auto& seat : seats_) {
        if (!seat || seat->holder == nullptr) continue;
        const auto worker = static_cast<std::size_t>(slots_->worker_of(seat->slot));
        if (worker >= seen.size() || !beats_between) continue;
        auto& silent = seen[worker].silent_since;
        silent = silent ? std::min(*silent, seat->held_since) : seat->held_since;
    }
    for (int worker = 0; worker < lives_.workers(); ++worker) {
        seen[static_cast<std::size_t>(worker)].busy =
            slots_->busy_of(worker) >= std::max(1, slots_->slots_of(worker));
    }
    return seen;
}

std::vector<bool> WorkerPool::stopped_workers() const {
    const bool shared = in_force_->system.server.dispatch == Dispatch::shared;
    std::vector<bool> stopped;
    for (int worker = 0; worker < lives_.workers(); ++worker) {
        const WorkerLives::State state = lives_.state(worker);
        const bool leaves = shared && state == WorkerLives::State::leaving;
        stopped.push_back(leaves || state == WorkerLives::State::off ||
                          state == WorkerLives::State::booting);
    }
    return stopped;
}

WorkerState WorkerPool::state_without_request(int worker) const {
    if (worker >= lives_.workers()) return WorkerState::idle;
    const WorkerLives::State state = lives_.state(worker);
    return state == WorkerLives::State::booting ? WorkerState::booting
           : state == WorkerLives::State::off   ? WorkerState::off
                                                : WorkerState::idle;
}

void WorkerPool::sample_lives(ServerSample& out) {
    for (int worker = 0; worker < lives_.workers(); ++worker) {
        ProcessSample& sample = out.workers.emplace_back();
        sample.state = shown(lives_.state(worker));
        sample.served = lives_.served(worker);
        sample.memory = lives_.memory(worker);
        out.memory.count += sample.memory.count;
        if (changing_) continue;
        sample.connections = static_cast<std::uint32_t>(slots_->connections_of(worker));
        sample.queued = static_cast<std::uint32_t>(slots_->depth_of(worker));
    }
    const auto& counts = lives_.counts();
    const auto fresh = [](std::uint64_t total, std::uint64_t& sampled) {
        return total - std::exchange(sampled, total);
    };
    out.worker_kills = fresh(counts.kills, sampled_lives_.kills);
    out.worker_restarts = fresh(counts.restarts, sampled_lives_.restarts);
    out.worker_boots = fresh(counts.boots, sampled_lives_.boots);
    out.cores = platform::usable_cores(static_cast<unsigned>(in_force_->system.server.cores));
}

}  // namespace lab::live
