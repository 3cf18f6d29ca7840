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

void StepExecutor::begin(Exchange& exchange, Answer& answer, WorkerPtr worker) {
    exchange_ = &exchange;
    answer_ = &answer;
    worker_ = std::move(worker);
    rows_.clear();
    marks_.clear();
    broken_off_ = false;
    state.store(WorkerState::computing, std::memory_order_relaxed);
}

void StepExecutor::end() {
    LAB_ASSERT(lease_.slot < 0);
    for (const Mark& mark : marks_) {  // the steps failed: whoever waits for the entry makes it
        if (!mark.uncached) worker_->cache->give_up(mark.key);
    }
    marks_.clear();
    if (!awaited_.empty()) worker_->cache->withdraw(awaited_, ticket_);
    awaited_.clear();
    exchange_ = nullptr;
    worker_.reset();
}

core::Outcome StepExecutor::perform(const core::Effect& effect) {
    core::Outcome outcome;
    const double slowdown = exchange_ != nullptr ? exchange_->generation->slowdown : 1;
    const Instant begun = slowdown > 1 ? now() : Instant{};
    try {
        outcome = carry_out(effect);
        if (slowdown > 1 && outcome.fault == core::Fault::none) {
            outcome.fault = draw_out(effect, begun);
        }
    } catch (const std::exception&) {  // memory has run out: this answer fails, the server lives
        outcome.fault = core::Fault::failed;
    }
    // A run that stops waits for no step that is yet to come.
    const bool leaving = effect.op == core::Op::release;
    if (!leaving && outcome.fault == core::Fault::none && ends()) {
        outcome.fault = core::Fault::cancelled;
        if (effect.op == core::Op::acquire) static_cast<void>(let_go(effect.resource));
    }
    state.store(WorkerState::computing, std::memory_order_relaxed);
    outcome.now = now();
    return outcome;
}

/// On a backend that is slow, what took its real time takes the rest of `slowdown` times as long.
/// Times that the program draws are longer already.
core::Fault StepExecutor::draw_out(const core::Effect& effect, Instant begun) {
    switch (effect.op) {
        case core::Op::query:
        case core::Op::update:
        case core::Op::render:
        case core::Op::fill: {
            const double more = exchange_->generation->slowdown - 1;
            return sleep(from_seconds(to_seconds(now() - begun) * more));
        }
        default:
            return core::Fault::none;
    }
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
            outcome = query(effect);
            break;
        case core::Op::update:
            outcome.fault = update(effect);
            break;
        case core::Op::render:
            state.store(WorkerState::render, std::memory_order_relaxed);
            if (!page_) page_.emplace();
            page_->render(rows_, effect.arg, answer_->body);
            break;
        case core::Op::fill:
            answer_->body.append(effect.arg, 'x');
            break;
        case core::Op::cache_get:
            outcome = look_up(effect);
            break;
        case core::Op::cache_put:
            store(effect.lot);
            break;
        case core::Op::cache_wait:
            outcome.fault = wait_for_entry();
            break;
        case core::Op::cache_drop:
            drop_entries();
            break;
        case core::Op::travel:
        case core::Op::fork:
        case core::Op::join:  // an event loop's
        case core::Op::jump:
        case core::Op::forward:
        case core::Op::respond:
        case core::Op::end:
            LAB_ASSERT(false);  // the front end's
    }
    return outcome;
}

core::Fault StepExecutor::take(core::ResourceId resource) {
    if (resource == core::ResourceId::interpreter_lock) {
        state.store(WorkerState::lock_wait, std::memory_order_relaxed);
        return worker_->lock->acquire(lock_ticket_) ? core::Fault::none : core::Fault::cancelled;
    }
    return resource == core::ResourceId::write_lock ? begin_write() : take_connection();
}

core::Fault StepExecutor::take_connection() {
    state.store(WorkerState::pool_wait, std::memory_order_relaxed);
    if (!worker_->connections) return core::Fault::failed;
    return counted(worker_->connections->acquire(ticket_, lease_));
}

std::optional<core::Fault> StepExecutor::ask_for_connection(std::function<void()> on_end) {
    state.store(WorkerState::pool_wait, std::memory_order_relaxed);
    if (!worker_->connections) return core::Fault::failed;
    const auto decided = worker_->connections->acquire_later(ticket_, lease_, std::move(on_end));
    return decided ? std::optional{counted(*decided)} : std::nullopt;
}

core::Fault StepExecutor::collect_connection() {
    return counted(worker_->connections->collect(ticket_, lease_));
}

/// What came of asking for a connection, in the books.
core::Fault StepExecutor::counted(core::Fault fault) {
    if (std::exchange(lease_.opened, false)) ++worker_->meters->opened;
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

void StepExecutor::take_in(StepExecutor& branch) {
    answer_->append(std::move(*branch.answer_), exchange_->user, exchange_->language);
    rows_.insert(rows_.end(), branch.rows_.begin(), branch.rows_.end());
}

core::Fault StepExecutor::let_go(core::ResourceId resource) {
    if (resource == core::ResourceId::interpreter_lock) {
        worker_->lock->release(lock_ticket_, std::exchange(broken_off_, false));
    } else if (resource == core::ResourceId::write_lock) {
        const auto ended = lease_.connection->end_write();
        if (!ended) return fault_of(ended.error());
    } else if (resource == core::ResourceId::connection && lease_.slot >= 0) {
        worker_->connections->release(std::exchange(lease_, ConnectionPool::Lease{}));
    }
    return core::Fault::none;
}

core::Outcome StepExecutor::spend(Duration cost) {
    core::Outcome outcome;
    const bool locks = exchange_->generation->system.server.interpreter_lock;
    outcome.remaining =
        kernel_.burn(cost, [&] { return ends() || (locks && worker_->lock->drop_requested()); });
    if (ends()) outcome.remaining = Duration{};
    broken_off_ = outcome.remaining > Duration{};
    return outcome;
}

core::Fault StepExecutor::sleep(Duration time) {
    const bool slept = parker_->sleep_until(now() + time, [this] { return ends(); });
    return slept ? core::Fault::none : core::Fault::cancelled;
}

/// To the database and back, where that has not been awaited already.
core::Fault StepExecutor::travel(const core::Effect& effect) {
    state.store(WorkerState::database, std::memory_order_relaxed);
    const Duration round_trip = settings().round_trip;
    if (effect.travelled || round_trip <= Duration{}) return core::Fault::none;
    return sleep(round_trip);
}

core::Outcome StepExecutor::query(const core::Effect& effect) {
    core::Outcome outcome;
    outcome.fault = travel(effect);
    if (outcome.fault != core::Fault::none) return outcome;
    const core::AskedQuery asked = core::AskedQuery::unpacked(effect.arg);
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
    if (asked.trip == 0) note_rows(asked);
    return outcome;
}

/// One version a step: of the products, and of what is asked several times the oldest.
void StepExecutor::add_version(const core::AskedQuery& asked, std::uint64_t version) {
    std::vector<std::uint64_t>& versions = answer_->versions;
    if (asked.trip == 0) {
        versions.push_back(version);
    } else if (!versions.empty() && core::repeats(asked.kind)) {
        versions.back() = std::min(versions.back(), version);
    }
}

core::Fault StepExecutor::update(const core::Effect& effect) {
    if (travel(effect) != core::Fault::none) return core::Fault::cancelled;
    const auto changed = lease_.connection->update(exchange_->key, settings().query_timeout);
    ++worker_->meters->queries;
    if (changed) return core::Fault::none;
    const core::Fault fault = fault_of(changed.error());
    if (fault == core::Fault::query_timeout) ++worker_->meters->query_timeouts;
    return fault;
}

/// For a write that drops what was made from them.
void StepExecutor::note_rows(const core::AskedQuery& asked) {
    if (!worker_->cache) return;
    const core::Keyspace& keys = worker_->connections->database()->keys();
    std::vector<std::uint64_t>& rows = answer_->rows;
    switch (asked.kind) {
        case QueryKind::product_by_sku:
        case QueryKind::product_by_id:
        case QueryKind::products_by_category:
            rows.push_back(keys.row_of(asked.kind, exchange_->key));
            return;
        case QueryKind::products_under_price:
            rows.push_back(core::Keyspace::whole_table());
            return;
        case QueryKind::reviews_per_product:
        case QueryKind::reviews_in_batch:
        case QueryKind::reviews_joined:
            for (const ProductRow& row : rows_) rows.push_back(static_cast<std::uint64_t>(row.id));
            return;
    }
}

core::Outcome StepExecutor::look_up(const core::Effect& effect) {
    using Verdict = core::CacheDesk::Verdict;
    state.store(WorkerState::cache, std::memory_order_relaxed);
    core::Outcome outcome;
    Answer& answer = *answer_;
    awaited_.clear();
    Mark mark;
    mark.since = now();
    ResponseStore* const cache = worker_->cache.get();
    const KeyRule& rule = exchange_->cursor.program->keys[effect.arg];
    if (cache == nullptr || rule.function == KeyFunction::throws) {
        if (cache != nullptr) cache->key_failed();
        mark.uncached = true;
    } else {
        write_cache_key(mark.key, *exchange_, effect.arg);
        const auto verdict = cache->look_up(
            {mark.key, exchange_->user, exchange_->language, effect.lot}, mark.since, answer);
        outcome.hit = verdict == Verdict::hit;
        outcome.busy = verdict == Verdict::busy;
        mark.uncached = verdict == Verdict::failed;
    }
    if (outcome.busy) awaited_ = std::move(mark.key);
    if (outcome.busy || outcome.hit) return outcome;
    mark.body = answer.body.size();
    mark.versions = answer.versions.size();
    mark.rows = answer.rows.size();
    marks_.push_back(std::move(mark));
    return outcome;
}

bool StepExecutor::await_entry(std::function<void()> wake) {
    return worker_->cache->await(awaited_, ticket_, std::move(wake));
}

/// Without the interpreter lock, which whoever makes the entry may need.
core::Fault StepExecutor::wait_for_entry() {
    state.store(WorkerState::cache, std::memory_order_relaxed);
    parker_->expect_nudge();
    const bool waits = await_entry([parker = parker_] { parker->nudge(); });
    return !waits || parker_->sleep_until_nudged() ? core::Fault::none : core::Fault::cancelled;
}

void StepExecutor::store(std::uint64_t lot) {
    state.store(WorkerState::cache, std::memory_order_relaxed);
    LAB_ASSERT(!marks_.empty());
    const Mark mark = std::move(marks_.back());
    marks_.pop_back();
    if (mark.uncached) return;
    const auto after = [](const std::vector<std::uint64_t>& all, std::size_t before) {
        return std::vector<std::uint64_t>(all.begin() + static_cast<std::ptrdiff_t>(before),
                                          all.end());
    };
    const Answer& answer = *answer_;
    core::CachedAnswer made;
    made.body = answer.body.substr(mark.body);
    made.made_for = answer.made_for;
    made.language = answer.language;
    made.versions = after(answer.versions, mark.versions);
    made.rows = after(answer.rows, mark.rows);
    const Instant at = now();
    worker_->cache->put(mark.key, std::move(made), at, at - mark.since, lot);
}

/// A row's own entries, those of its category, and those made from the whole table.
void StepExecutor::drop_entries() {
    state.store(WorkerState::cache, std::memory_order_relaxed);
    if (!worker_->cache || !worker_->connections) return;
    const core::Keyspace& keys = worker_->connections->database()->keys();
    worker_->cache->drop_made_from({keys.row_of(QueryKind::product_by_id, exchange_->key),
                                    keys.row_of(QueryKind::products_by_category, exchange_->key),
                                    core::Keyspace::whole_table()});
}

}  // namespace lab::live
