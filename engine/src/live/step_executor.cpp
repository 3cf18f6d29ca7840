// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/step_executor.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <iterator>
#include <utility>

#include "lab/assert.hpp"

namespace lab::live {

namespace {

Instant now() { return std::chrono::steady_clock::now(); }

core::Fault fault_of(const Error& error) {
    switch (error.code) {
        case ErrorCode::interrupted:
            return core::Fault::cancelled;
        case ErrorCode::timed_out:
            return core::Fault::query_timeout;
        default:
            return core::Fault::failed;
    }
}

}  // namespace

void StepExecutor::begin(Exchange& exchange, WorkerPtr worker) {
    exchange_ = &exchange;
    worker_ = std::move(worker);
    rows_.clear();
    marks_.clear();
    broken_off_ = false;
    state.store(WorkerState::computing, std::memory_order_relaxed);
}

void StepExecutor::end() {
    LAB_ASSERT(lease_.slot < 0);
    exchange_ = nullptr;
    worker_.reset();
}

core::Outcome StepExecutor::perform(const core::Effect& effect) {
    core::Outcome outcome;
    try {
        outcome = carry_out(effect);
    } catch (const std::exception&) {  // memory has run out: this answer fails, the server lives
        outcome.fault = core::Fault::failed;
    }
    // A run that stops waits for no step that is yet to come.
    const bool leaving = effect.op == core::Op::release;
    if (!leaving && outcome.fault == core::Fault::none && cancelled_.load()) {
        outcome.fault = core::Fault::cancelled;
        if (effect.op == core::Op::acquire) static_cast<void>(let_go(effect.resource));
    }
    state.store(WorkerState::computing, std::memory_order_relaxed);
    outcome.now = now();
    return outcome;
}

core::Outcome StepExecutor::carry_out(const core::Effect& effect) {
    core::Outcome outcome;
    switch (effect.op) {
        case core::Op::acquire:
            outcome.fault = take(effect.resource);
            break;
        case core::Op::release:
            outcome.fault = let_go(effect.resource);
            break;
        case core::Op::spend:
            outcome = spend(effect.cost);
            break;
        case core::Op::sleep:
            state.store(WorkerState::io_wait, std::memory_order_relaxed);
            outcome.fault = sleep(effect.cost);
            break;
        case core::Op::query:
            outcome = query(core::AskedQuery::unpacked(effect.arg));
            break;
        case core::Op::update:
            outcome.fault = update();
            break;
        case core::Op::render:
            state.store(WorkerState::render, std::memory_order_relaxed);
            page_.render(rows_, effect.arg, exchange_->answer.body);
            break;
        case core::Op::fill:
            exchange_->answer.body.append(effect.arg, 'x');
            break;
        case core::Op::cache_get:
            outcome.hit = look_up(effect.arg);
            break;
        case core::Op::cache_put:
            store();
            break;
        case core::Op::respond:
        case core::Op::end:
            LAB_ASSERT(false);  // the front end's
    }
    return outcome;
}

core::Fault StepExecutor::take(core::ResourceId resource) {
    if (resource == core::ResourceId::interpreter_lock) {
        state.store(WorkerState::lock_wait, std::memory_order_relaxed);
        return worker_->lock->acquire(ticket_) ? core::Fault::none : core::Fault::cancelled;
    }
    return resource == core::ResourceId::write_lock ? begin_write() : take_connection();
}

core::Fault StepExecutor::take_connection() {
    state.store(WorkerState::pool_wait, std::memory_order_relaxed);
    if (!worker_->connections) return core::Fault::failed;
    const core::Fault fault = worker_->connections->acquire(ticket_, lease_);
    if (lease_.opened) ++worker_->meters->opened;
    if (fault == core::Fault::pool_timeout) ++worker_->meters->pool_timeouts;
    return fault;
}

core::Fault StepExecutor::begin_write() {
    state.store(WorkerState::write_wait, std::memory_order_relaxed);
    const auto begun = lease_.connection->begin_write(settings().lock_timeout);
    if (begun) return core::Fault::none;
    if (begun.error().code != ErrorCode::timed_out) return fault_of(begun.error());
    ++worker_->meters->lock_timeouts;
    return core::Fault::lock_timeout;
}

core::Fault StepExecutor::let_go(core::ResourceId resource) {
    if (resource == core::ResourceId::interpreter_lock) {
        worker_->lock->release(ticket_, std::exchange(broken_off_, false));
    } else if (resource == core::ResourceId::write_lock) {
        const auto ended = lease_.connection->end_write();
        if (!ended) return fault_of(ended.error());
    } else if (lease_.slot >= 0) {
        worker_->connections->release(std::exchange(lease_, ConnectionPool::Lease{}));
    }
    return core::Fault::none;
}

core::Outcome StepExecutor::spend(Duration cost) {
    core::Outcome outcome;
    const bool locks = exchange_->generation->system.server.interpreter_lock;
    outcome.remaining = kernel_.burn(cost, [&] {
        return cancelled_.load(std::memory_order_relaxed) ||
               (locks && worker_->lock->drop_requested());
    });
    if (cancelled_.load()) outcome.remaining = Duration{};
    broken_off_ = outcome.remaining > Duration{};
    return outcome;
}

core::Fault StepExecutor::sleep(Duration time) {
    const bool slept = parker_.sleep_until(now() + time);
    return slept ? core::Fault::none : core::Fault::cancelled;
}

/// To the database and back.
core::Fault StepExecutor::travel() {
    state.store(WorkerState::database, std::memory_order_relaxed);
    const Duration round_trip = settings().round_trip;
    return round_trip > Duration{} ? sleep(round_trip) : core::Fault::none;
}

core::Outcome StepExecutor::query(const core::AskedQuery& asked) {
    core::Outcome outcome;
    outcome.fault = travel();
    if (outcome.fault != core::Fault::none) return outcome;
    const auto read = lease_.connection->read(asked, exchange_->key, rows_,
                                              {settings().access, settings().query_timeout});
    ++worker_->meters->queries;
    if (!read) {
        outcome.fault = fault_of(read.error());
        if (outcome.fault == core::Fault::query_timeout) ++worker_->meters->query_timeouts;
        return outcome;
    }
    worker_->meters->rows_touched += read->rows_touched;
    outcome.rows = static_cast<std::uint32_t>(rows_.size());
    add_version(asked, read->version);
    return outcome;
}

/// One version a step: of the products, and of what is asked several times the oldest.
void StepExecutor::add_version(const core::AskedQuery& asked, std::uint64_t version) {
    std::vector<std::uint64_t>& versions = exchange_->answer.versions;
    if (asked.trip == 0) {
        versions.push_back(version);
    } else if (!versions.empty() && core::repeats(asked.kind)) {
        versions.back() = std::min(versions.back(), version);
    }
}

core::Fault StepExecutor::update() {
    if (travel() != core::Fault::none) return core::Fault::cancelled;
    const auto changed = lease_.connection->update(exchange_->key, settings().query_timeout);
    ++worker_->meters->queries;
    if (changed) return core::Fault::none;
    const core::Fault fault = fault_of(changed.error());
    if (fault == core::Fault::query_timeout) ++worker_->meters->query_timeouts;
    return fault;
}

bool StepExecutor::look_up(std::uint32_t step) {
    state.store(WorkerState::cache, std::memory_order_relaxed);
    Answer& answer = exchange_->answer;
    Mark mark;
    write_cache_key(mark.key, *exchange_, step);
    if (worker_->cache && worker_->cache->get(mark.key, now(), exchange_->user, answer)) {
        return true;
    }
    mark.body = answer.body.size();
    mark.versions = answer.versions.size();
    marks_.push_back(std::move(mark));
    return false;
}

void StepExecutor::store() {
    state.store(WorkerState::cache, std::memory_order_relaxed);
    LAB_ASSERT(!marks_.empty());
    const Mark mark = std::move(marks_.back());
    marks_.pop_back();
    if (!worker_->cache) return;
    const Answer& answer = exchange_->answer;
    core::CachedAnswer made;
    made.body = answer.body.substr(mark.body);
    made.made_for = answer.made_for;
    made.versions.assign(answer.versions.begin() + static_cast<std::ptrdiff_t>(mark.versions),
                         answer.versions.end());
    worker_->cache->put(mark.key, std::move(made), now());
}

}  // namespace lab::live
