// SPDX-License-Identifier: GPL-3.0-or-later
// Slots, threads and workers: how they come, change, are counted, and go.
#include <algorithm>
#include <chrono>
#include <iterator>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "live/platform.hpp"
#include "live/worker_pool.hpp"

namespace lab::live {

namespace {

Instant now() { return std::chrono::steady_clock::now(); }

DatabaseCounts since(const DatabaseCounts& now, const DatabaseCounts& then) {
    return {now.queries - then.queries,
            now.rows_touched - then.rows_touched,
            now.opened - then.opened,
            now.pool_timeouts - then.pool_timeouts,
            now.query_timeouts - then.query_timeouts,
            now.lock_timeouts - then.lock_timeouts};
}

}  // namespace

WorkerPool::WorkerPool(Options options)
    : WorkerParts{options.generation, std::move(options.database)},
      completions_{*options.completions},
      kernel_{CpuKernel::calibrated()},
      newest_{std::move(options.generation)},
      seed_{options.seed},
      slots_{std::make_unique<core::WorkerSlots>(in_force_->system.server, seed_)},
      lives_{in_force_->system.server, seed_, now()},
      sampled_at_{now()} {}

Result<std::unique_ptr<WorkerPool>> WorkerPool::start(Options options) {
    std::unique_ptr<WorkerPool> pool{new WorkerPool{std::move(options)}};
    const std::lock_guard hold{pool->mutex_};
    pool->resize(now());
    pool->set_alarm();
    if (pool->slots_->slots() == 0) {
        return Error{ErrorCode::no_resources, "server.workers",
                     "not even one worker thread could be started"};
    }
    return pool;
}

WorkerPool::~WorkerPool() { stop(); }

void WorkerPool::apply(GenerationPtr generation) {
    {
        const std::lock_guard hold{mutex_};
        const Instant at = now();
        in_force_ = generation;
        lives_.configure(in_force_->system.server, at);
        if (changing_ || !slots_->fits(in_force_->system.server)) {
            begin_change(at);
        } else {
            resize(at);
        }
        admit_from_outside(at);
        update_accepting();
        set_alarm();
        const std::lock_guard hold_newest{generation_mutex_};
        newest_ = std::move(generation);
    }
    join_those_that_left();
}

void WorkerPool::set_database(std::shared_ptr<Database> database) {
    const std::lock_guard hold{mutex_};
    database_ = std::move(database);
    rebuild_workers();
}

void WorkerPool::resize(Instant now) {
    const Server& server = in_force_->system.server;
    const int slots = start_threads(server.threads == 0 ? std::max(slots_->slots(), server.workers)
                                                        : server.workers * server.threads);
    const auto woken = slots_->configure(server, slots, stopped_workers(), now);
    for (std::size_t i = static_cast<std::size_t>(slots); i < seats_.size(); ++i) {
        if (seats_[i] && seats_[i]->holder == nullptr) leave(static_cast<int>(i));
    }
    rebuild_workers();
    for (const core::Wake& wake : woken) grant_and_give(wake, now);
}

/// Work comes to the workers in another way from now on: what is in hand ends first.
void WorkerPool::begin_change(Instant now) {
    changing_ = true;
    std::vector<Exchange*> waiting;
    for (const core::Ticket ticket : slots_->take_waiting()) {
        auto* const exchange = reinterpret_cast<Exchange*>(static_cast<std::uintptr_t>(ticket));
        exchange->place = Exchange::Place::outside;
        waiting.push_back(exchange);
    }
    outside_.insert(outside_.begin(), waiting.begin(), waiting.end());
    for (Exchange* const exchange : connected_) completions_.worker_gone(*exchange, false);
    if (slots_->busy() == 0) end_change(now);
}

void WorkerPool::end_change(Instant now) {
    changing_ = false;
    slots_ = std::make_unique<core::WorkerSlots>(in_force_->system.server, seed_);
    for (Exchange* const exchange : connected_) exchange->home = core::WorkerSlots::nowhere;
    resize(now);
    set_alarm();
}

/// Sees to it that slots 0 .. wanted-1 have a thread. Returns how many do.
int WorkerPool::start_threads(int wanted) {
    remark_.clear();
    for (int slot = 0; slot < wanted; ++slot) {
        if (start_thread(slot)) continue;
        remark_ = fmt::format("only {} of {} worker threads could be started", slot, wanted);
        return slot;
    }
    return wanted;
}

/// Sees to it that a slot has a thread.
bool WorkerPool::start_thread(int slot) {
    const auto at = static_cast<std::size_t>(slot);
    if (seats_.size() <= at) seats_.resize(at + 1);
    if (seats_[at]) return true;
    try {
        auto made = std::make_unique<Seat>(slot, kernel_, cancelled_);
        made->thread = std::thread{[this, seat = made.get()] { run(*seat); }};
        seats_[at] = std::move(made);
        return true;
    } catch (const std::system_error&) {
        while (!seats_.empty() && !seats_.back()) seats_.pop_back();
        remark_ = fmt::format("no more than {} worker threads could be started", slot);
        return false;
    }
}

/// A thread a connection: those at the end that have none go.
void WorkerPool::trim(Instant now) {
    if (!slots_->unbounded() || changing_) return;
    const auto left = static_cast<std::size_t>(slots_->trim(now));
    for (std::size_t slot = seats_.size(); slot-- > left;) {
        if (seats_[slot] && seats_[slot]->holder == nullptr) leave(static_cast<int>(slot));
    }
    remark_.clear();
    if (slots_->slots() < core::WorkerSlots::most_slots) return;
    remark_ = fmt::format(
        "{} threads, one a connection, is all that there are here: the real "
        "server goes on until memory ends",
        core::WorkerSlots::most_slots);
}

void WorkerPool::leave(int slot) {
    auto& place = seats_[static_cast<std::size_t>(slot)];
    place->inbox.leave();
    leaving_.push_back(std::move(place));
    while (!seats_.empty() && !seats_.back()) seats_.pop_back();
}

void WorkerPool::run(Seat& seat) {
    platform::name_this_thread(fmt::format("worker {}", seat.slot).c_str());
    platform::tighten_timer_slack();
    {
        const std::lock_guard hold{mutex_};
        seat.clock = platform::this_thread_clock();
    }
    while (Exchange* exchange = seat.inbox.wait()) {
        while (exchange != nullptr) exchange = serve(seat, *exchange);
    }
    const std::lock_guard hold{mutex_};
    seat.clock = -1;
    departed_cpu_ += platform::thread_cpu_time();
    seat.left = true;
}

/// One entry for each worker that has a slot, draining ones too. What stays the same is carried
/// over.
void WorkerPool::rebuild_workers() {
    const Server& server = in_force_->system.server;
    const int last = static_cast<int>(seats_.size()) - 1;
    const int of_seats = last < 0 ? 0 : slots_->worker_of(last) + 1;
    WorkerParts::rebuild_workers(static_cast<std::size_t>(std::max(server.workers, of_seats)));
}

void WorkerParts::rebuild_workers(std::size_t count) {
    const Cache& cache = in_force_->system.cache;
    const auto options = core::CacheDesk::options_of(cache);
    if (cache.mode == CacheMode::none || cache.mode == CacheMode::per_worker) {
        shared_store_.reset();
    } else if (!shared_store_) {
        shared_store_ = std::make_shared<ResponseStore>(options, store_counts_);
    } else {
        shared_store_->configure(options);
    }
    std::vector<WorkerPtr> old = std::exchange(workers_, {});
    for (std::size_t i = 0; i < count; ++i) {
        workers_.push_back(make_worker(i < old.size() ? old[i].get() : nullptr));
    }
    for (std::size_t i = 0; i < old.size(); ++i) {
        const auto& pool = old[i]->connections;
        const bool kept = i < workers_.size() && workers_[i]->connections == pool;
        if (pool && !kept) retired_pool_time_ += pool->levels().busy_time;
    }
}

WorkerPtr WorkerParts::make_worker(const Worker* old) {
    const System& system = in_force_->system;
    auto made = std::make_shared<Worker>();
    if (old != nullptr) *made = *old;
    made->meters = meters_;
    if (!made->lock || made->lock->switch_interval() != system.server.switch_interval) {
        made->lock = std::make_shared<ThreadedLock>(system.server.switch_interval);
    }
    if (!made->tokens) {
        made->tokens = std::make_shared<TokenPool>(system.server.pool_threads);
    } else {
        made->tokens->configure(system.server.pool_threads);
    }
    const auto options = core::CacheDesk::options_of(system.cache);
    if (system.cache.mode == CacheMode::none) {
        made->cache.reset();
    } else if (shared_store_) {
        made->cache = shared_store_;
    } else if (!made->cache || made->cache_is_shared) {
        made->cache = std::make_shared<ResponseStore>(options, store_counts_);
    } else {
        made->cache->configure(options);
    }
    made->cache_is_shared = shared_store_ != nullptr;
    const Database* const had = made->connections ? made->connections->database().get() : nullptr;
    if (had != nullptr && had == database_.get()) {
        made->connections->configure(system.database);
    } else if (database_) {
        made->connections = std::make_shared<ConnectionPool>(database_, system.database);
    } else {
        made->connections.reset();
    }
    return made;
}

void WorkerPool::join_those_that_left() {
    std::vector<std::unique_ptr<Seat>> gone;
    {
        const std::lock_guard hold{mutex_};
        const auto first_gone = std::stable_partition(
            leaving_.begin(), leaving_.end(), [](const auto& seat) { return !seat->left.load(); });
        std::move(first_gone, leaving_.end(), std::back_inserter(gone));
        leaving_.erase(first_gone, leaving_.end());
    }
    for (const auto& seat : gone) seat->thread.join();
}

void WorkerPool::cancel() {
    cancelled_ = true;
    const std::lock_guard hold{mutex_};
    for (const auto* seats : {&seats_, &leaving_}) {
        for (const auto& seat : *seats) {
            if (seat) seat->inbox.cancel();
        }
    }
    cancel_workers();
}

void WorkerParts::cancel_workers() {
    for (const WorkerPtr& worker : workers_) {
        worker->lock->cancel();
        worker->tokens->cancel();
        if (worker->connections) worker->connections->cancel();
    }
    if (database_) database_->cancel();
}

void WorkerPool::stop() {
    cancel();
    std::vector<Seat*> all;
    {
        const std::lock_guard hold{mutex_};
        for (const auto* seats : {&seats_, &leaving_}) {
            for (const auto& seat : *seats) {
                if (!seat) continue;
                seat->inbox.leave();
                all.push_back(seat.get());
            }
        }
    }
    // A thread that has an exchange in hand, and others after it in the queue, ends those first.
    for (Seat* seat : all) {
        if (seat->thread.joinable()) seat->thread.join();
    }
    if (!all.empty()) completions_.wake_at(Instant::max(), {}, this);
}

std::string WorkerPool::remark() const {
    const std::lock_guard hold{mutex_};
    return remark_;
}

void WorkerPool::sample(ServerSample& out) {
    {
        const std::lock_guard hold{mutex_};
        const Instant at = now();
        trim(at);
        const Server& server = in_force_->system.server;
        const auto all = static_cast<int>(seats_.size());
        out.queue_depth = static_cast<std::uint32_t>(slots_->depth());
        out.queue_capacity = static_cast<std::uint32_t>(server.queue);
        if (server.dispatch == Dispatch::ahead) {
            out.queue_capacity =
                static_cast<std::uint32_t>(server.workers * server.worker_connections);
        }
        out.in_service = static_cast<std::uint32_t>(slots_->busy());
        out.threads_per_worker =
            slots_->unbounded() ? std::max(1, all / server.workers) : server.threads;
        sample_seats(out, at);
        sample_workers(out);
        sample_lives(out);
        sampled_at_ = at;
    }
    join_those_that_left();
}

void WorkerPool::sample_seats(ServerSample& out, Instant now) {
    const double window = to_seconds(std::max(now - sampled_at_, Duration{1}));
    Duration cpu = departed_cpu_;
    for (const auto& seat : seats_) {
        WorkerSample& sample = out.threads.emplace_back();
        sample.draining = !seat;  // gone, while one above it still drains
        if (!seat) continue;
        Duration held = seat->held_time;
        if (seat->holder != nullptr) held += now - seat->held_since;
        const Duration fresh = held - std::exchange(seat->sampled_held_time, held);
        out.busy_time += fresh;
        sample.busy = std::clamp(to_seconds(fresh) / window, 0.0, 1.0);
        sample.request = seat->request;
        sample.draining = slots_->draining(seat->slot);
        if (seat->holder != nullptr) {
            sample.state = seat->executor.state.load(std::memory_order_relaxed);
        } else {
            sample.state = state_without_request(slots_->worker_of(seat->slot));
        }
        cpu += platform::thread_cpu_time_of(seat->clock);
    }
    for (const auto& seat : leaving_) {
        out.busy_time += seat->held_time - std::exchange(seat->sampled_held_time, seat->held_time);
        cpu += platform::thread_cpu_time_of(seat->clock);
    }
    out.worker_cpu = std::max(Duration{}, cpu - std::exchange(sampled_cpu_, cpu));
}

void WorkerParts::sample_workers(ServerSample& out) {
    Duration pool_time = retired_pool_time_;
    const auto add_store = [&out](const ResponseStore& store) {
        const ResponseStore::Levels levels = store.levels();
        out.cache_entries += levels.entries;
        out.cache_bytes += levels.bytes;
    };
    if (shared_store_) add_store(*shared_store_);
    for (const WorkerPtr& worker : workers_) {
        if (worker->cache && !worker->cache_is_shared) add_store(*worker->cache);
        if (!worker->connections) continue;
        const auto levels = worker->connections->levels();
        out.pool_in_use += levels.in_use;
        out.pool_size += levels.size;
        out.pool_open += levels.open;
        out.pool_waiting += levels.waiting;
        pool_time += levels.busy_time;
    }
    const auto fresh = [](const std::atomic<std::uint64_t>& count, std::uint64_t& sampled) {
        const std::uint64_t total = count.load();
        return total - std::exchange(sampled, total);
    };
    out.pool_busy_time =
        std::max(Duration{}, pool_time - std::exchange(sampled_pool_time_, pool_time));
    const DatabaseCounts total = meters_->read();
    out.database = since(total, std::exchange(sampled_database_, total));
    out.cache_hits = fresh(store_counts_->hits, sampled_hits_);
    out.cache_misses = fresh(store_counts_->misses, sampled_misses_);
    out.cache_evictions = fresh(store_counts_->evictions, sampled_evictions_);
    out.cache_errors = fresh(store_counts_->errors, sampled_errors_);
    out.cache_duplicates = fresh(store_counts_->duplicates, sampled_duplicates_);
}

WorkerParts::Stores WorkerParts::stores() const {
    if (shared_store_) return {{shared_store_, -1}};
    Stores all;
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        if (workers_[i]->cache) all.emplace_back(workers_[i]->cache, static_cast<int>(i));
    }
    return all;
}

std::vector<CacheContent> WorkerParts::contents_of(const Stores& stores, std::size_t most) {
    std::vector<CacheContent> contents;
    for (const auto& [store, worker] : stores) {
        auto more = store->contents(now(), most, worker);
        std::move(more.begin(), more.end(), std::back_inserter(contents));
    }
    keep_most_hit(contents, most);
    return contents;
}

std::vector<CacheContent> WorkerPool::cache_contents(std::size_t most) const {
    std::unique_lock hold{mutex_};
    const Stores all = stores();
    hold.unlock();
    return contents_of(all, most);
}

std::string WorkerPool::cache_page() const {
    return contents_page(cache_contents(most_contents_shown), *store_counts_);
}

}  // namespace lab::live
