// SPDX-License-Identifier: GPL-3.0-or-later
// Slots, threads and workers: how they come, change, are counted, and go.
#include <algorithm>
#include <chrono>
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
    : completions_{*options.completions},
      kernel_{CpuKernel::calibrated()},
      newest_{options.generation},
      in_force_{std::move(options.generation)},
      slots_{{.slots = 0,
              .queue_capacity = in_force_->system.server.queue,
              .patience = in_force_->system.server.queue_timeout}},
      database_{std::move(options.database)},
      sampled_at_{now()} {}

Result<std::unique_ptr<WorkerPool>> WorkerPool::start(Options options) {
    std::unique_ptr<WorkerPool> pool{new WorkerPool{std::move(options)}};
    const std::lock_guard hold{pool->mutex_};
    pool->resize(now());
    if (pool->slots_.slots() == 0) {
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
        const Server& server = in_force_->system.server;
        slots_.set_queue_capacity(server.queue);
        slots_.set_patience(server.queue_timeout);
        resize(at);
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
    const int slots = start_threads(server.workers * server.threads);
    const auto woken = slots_.resize(slots, now);
    for (std::size_t i = static_cast<std::size_t>(slots); i < seats_.size(); ++i) {
        if (seats_[i] && seats_[i]->holder == nullptr) leave(static_cast<int>(i));
    }
    rebuild_workers();
    for (const core::Wake& wake : woken) grant_and_give(wake, now);
}

/// Sees to it that slots 0 .. wanted-1 have a thread. Returns how many do.
int WorkerPool::start_threads(int wanted) {
    const auto places = static_cast<std::size_t>(wanted);
    if (seats_.size() < places) seats_.resize(places);
    remark_.clear();
    for (int slot = 0; slot < wanted; ++slot) {
        auto& place = seats_[static_cast<std::size_t>(slot)];
        if (place) continue;
        try {
            auto made = std::make_unique<Seat>(slot, kernel_, cancelled_);
            made->thread = std::thread{[this, seat = made.get()] { run(*seat); }};
            place = std::move(made);
        } catch (const std::system_error&) {
            remark_ = fmt::format("only {} of {} worker threads could be started", slot, wanted);
            return slot;
        }
    }
    return wanted;
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
    const Cache& cache = in_force_->system.cache;
    const auto threads = static_cast<std::size_t>(server.threads);
    const auto of_seats = (seats_.size() + threads - 1) / threads;
    const auto count = std::max(static_cast<std::size_t>(server.workers), of_seats);
    if (cache.mode != CacheMode::shared) {
        shared_store_.reset();
    } else if (!shared_store_) {
        shared_store_ = std::make_shared<ResponseStore>(store_options(cache), store_counts_);
    } else {
        shared_store_->configure(store_options(cache));
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

WorkerPtr WorkerPool::make_worker(const Worker* old) {
    const System& system = in_force_->system;
    auto made = std::make_shared<Worker>();
    if (old != nullptr) *made = *old;
    made->meters = meters_;
    if (!made->lock || made->lock->switch_interval() != system.server.switch_interval) {
        made->lock = std::make_shared<ThreadedLock>(system.server.switch_interval);
    }
    if (system.cache.mode == CacheMode::none) {
        made->cache.reset();
    } else if (system.cache.mode == CacheMode::shared) {
        made->cache = shared_store_;
    } else if (!made->cache || made->cache_is_shared) {
        made->cache = std::make_shared<ResponseStore>(store_options(system.cache), store_counts_);
    } else {
        made->cache->configure(store_options(system.cache));
    }
    made->cache_is_shared = system.cache.mode == CacheMode::shared;
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
    for (const WorkerPtr& worker : workers_) {
        worker->lock->cancel();
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
    if (!all.empty()) completions_.wake_at(Instant::max(), {});
}

std::string WorkerPool::remark() const {
    const std::lock_guard hold{mutex_};
    return remark_;
}

void WorkerPool::sample(ServerSample& out) {
    const std::lock_guard hold{mutex_};
    const Instant at = now();
    const Server& server = in_force_->system.server;
    out.queue_depth = static_cast<std::uint32_t>(slots_.depth());
    out.queue_capacity = static_cast<std::uint32_t>(server.queue);
    out.in_service = static_cast<std::uint32_t>(slots_.busy());
    out.threads_per_worker = server.threads;
    sample_seats(out, at);
    sample_workers(out);
    sampled_at_ = at;
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
        sample.draining = slots_.draining(seat->slot);
        if (seat->holder != nullptr) {
            sample.state = seat->executor.state.load(std::memory_order_relaxed);
        }
        cpu += platform::thread_cpu_time_of(seat->clock);
    }
    for (const auto& seat : leaving_) {
        out.busy_time += seat->held_time - std::exchange(seat->sampled_held_time, seat->held_time);
        cpu += platform::thread_cpu_time_of(seat->clock);
    }
    out.worker_cpu = std::max(Duration{}, cpu - std::exchange(sampled_cpu_, cpu));
}

void WorkerPool::sample_workers(ServerSample& out) {
    Duration pool_time = retired_pool_time_;
    out.cache_entries = shared_store_ ? shared_store_->size() : 0;
    for (const WorkerPtr& worker : workers_) {
        if (worker->cache && !worker->cache_is_shared) out.cache_entries += worker->cache->size();
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
}

}  // namespace lab::live
