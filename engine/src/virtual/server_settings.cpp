// SPDX-License-Identifier: GPL-3.0-or-later
// Settings, workers, and what a frame tells of the server.
#include <algorithm>
#include <string_view>
#include <utility>

#include "virtual/server.hpp"

namespace lab::virtual_time {

namespace {

core::QueuePool::Options pool_options(const Database& database) {
    return {database.pool, database.overflow, database.pool_timeout};
}

std::string_view plan_of(QueryKind kind, bool scans) {
    if (scans) return "SCAN product";
    switch (kind) {
        case QueryKind::product_by_sku:
            return "SEARCH product USING INDEX product_sku (sku=?)";
        case QueryKind::products_by_category:
            return "SEARCH product USING INDEX product_category (category=?)";
        case QueryKind::products_under_price:
            return "SEARCH product USING INDEX product_price_1 (price<?)";
        case QueryKind::product_by_id:
            return "SEARCH product USING INTEGER PRIMARY KEY (rowid=?)";
        case QueryKind::reviews_per_product:
        case QueryKind::reviews_in_batch:
        case QueryKind::reviews_joined:
            break;
    }
    return "SEARCH product USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)";
}

/// Cached answers for all workers are in one place, and so is a null cache's nothing.
bool is_shared(const Cache& cache) {
    return cache.mode == CacheMode::shared || cache.mode == CacheMode::null;
}

}  // namespace

WorkerState Server::state_of(const core::Effect& effect) {
    using core::Op;
    using core::ResourceId;
    switch (effect.op) {
        case Op::acquire:
            switch (effect.resource) {
                case ResourceId::interpreter_lock:
                    return WorkerState::lock_wait;
                case ResourceId::connection:
                    return WorkerState::pool_wait;
                case ResourceId::write_lock:
                    return WorkerState::write_wait;
                case ResourceId::worker:
                case ResourceId::loop:
                case ResourceId::token:
                    return WorkerState::computing;
            }
            return WorkerState::computing;
        case Op::sleep:
        case Op::fork:
            return WorkerState::io_wait;
        case Op::query:
        case Op::update:
        case Op::travel:
            return WorkerState::database;
        case Op::render:
            return WorkerState::render;
        case Op::cache_get:
        case Op::cache_put:
        case Op::cache_wait:
        case Op::cache_drop:
            return WorkerState::cache;
        case Op::respond:
            return WorkerState::writing;
        default:
            return WorkerState::computing;
    }
}

/// server.cores is a limit within what the host has.
Processors::Options Server::cores_options(const System& system) const {
    int cores = system.host.cores > 0 ? system.host.cores : options_.cores;
    if (system.server.cores > 0) cores = std::min(cores, system.server.cores);
    return {.cores = cores,
            .scheduling = system.host.scheduling,
            .slice = system.host.slice,
            .switch_cost = system.host.switch_cost};
}

void Server::make_generation(System system) {
    const Costs& costs = system.costs.fixed ? system.costs : options_.costs;
    std::vector<core::Program> programs;
    addresses_.clear();
    for (const Route& route : system.routes) {
        programs.push_back(core::compile(route, system.server, system.cache));
        const auto mark = std::min(route.path.find('?'), route.path.size());
        const std::string path = route.path.substr(0, mark), query = route.path.substr(mark);
        addresses_.push_back({path.find("{key}") != path.npos, query.find("{key}") != query.npos,
                              query.find("{user}") != query.npos});
    }
    const Prices prices{costs, system.database};
    generations_.push_back(
        std::make_unique<Generation>(Generation{std::move(system), std::move(programs), prices}));
}

void Server::apply(System system) {
    const Database before = generation().system.database;
    const bool rests = before.updates.per_second() <= 0;
    make_generation(std::move(system));
    const System& now = generation().system;
    data_.set_lag(now.database.replica_lag);
    if (now.database.products != before.products) data_.replace(now.database.products);
    writers_.set_patience(now.database.lock_timeout);
    set_write_alarm();
    cores_.configure(cores_options(now), time_.now);
    cores_changed();
    lives_.configure(now.server, time_.now);
    if (!on_loops() && (changing_ || !slots_.fits(now.server))) {
        begin_change();
    } else {
        resize();
    }
    if (rests || before.updates != now.database.updates) arm_changes();
    set_queue_alarm();
    set_lives_alarm();
    admit_held();
}

/// Rows change evenly spaced.
void Server::arm_changes() {
    ++changes_token_;
    const ArrivalRate rate = generation().system.database.updates;
    if (rate.per_second() <= 0) return;
    time_.in(rate.mean_gap(), EventKind::row_changes, 0, changes_token_);
}

void Server::resize() {
    if (on_loops()) {
        rebuild_workers();
        resize_loops();
        return;
    }
    const int slots = rules().threads == 0 ? std::max(slots_.slots(), rules().workers)
                                           : rules().workers * rules().threads;
    while (seats_.size() < static_cast<std::size_t>(slots)) {
        seats_.emplace_back();
        seats_.back().thread = take_thread();
    }
    const auto woken = slots_.configure(rules(), slots, stopped_workers(), time_.now);
    rebuild_workers();
    for (const core::Wake& wake : woken) {
        grant(static_cast<SessionId>(wake.ticket), wake.slot, true);
    }
}

/// Work comes to the workers in another way from now on: what is in hand ends first.
void Server::begin_change() {
    changing_ = true;
    const auto waiting = slots_.take_waiting();
    for (auto who = waiting.rbegin(); who != waiting.rend(); ++who) {
        hold(static_cast<SessionId>(*who), true);
    }
    for (SessionId id = 0; id < sessions_.size(); ++id) {
        const State state = at(id).state;
        if (state != State::free && state != State::in_backlog) end_soon(id);
    }
    if (changing_ && slots_.busy() == 0) end_change();
}

void Server::end_change() {
    changing_ = false;
    slots_ = core::WorkerSlots{rules(), options_.seed};
    for (const auto& session : sessions_) session->home = core::WorkerSlots::nowhere;
    resize();
}

/// One entry for each worker that has a slot, draining ones too. What stays the same is carried
/// over.
void Server::rebuild_workers() {
    if (!on_loops()) {
        const auto wanted = static_cast<std::size_t>(std::max(slots_.slots(), 0));
        while (seats_.size() > wanted && seats_.back().session == nobody) {
            free_threads_.push_back(seats_.back().thread);
            seats_.pop_back();
        }
    }
    auto count = static_cast<std::size_t>(rules().workers);
    if (on_loops()) {
        count = std::max(count, loops_.size());
    } else if (!seats_.empty()) {
        const int last = slots_.worker_of(static_cast<int>(seats_.size()) - 1);
        count = std::max(count, static_cast<std::size_t>(last) + 1);
    }
    const Cache& cache = generation().system.cache;
    if (!is_shared(cache)) {
        shared_cache_.reset();
    } else if (!shared_cache_) {
        shared_cache_ = std::make_shared<core::CacheDesk>(core::CacheDesk::options_of(cache));
    } else {
        shared_cache_->configure(core::CacheDesk::options_of(cache));
    }
    std::vector<std::unique_ptr<Worker>> old = std::exchange(workers_, {});
    for (std::size_t i = 0; i < count; ++i) {
        workers_.push_back(make_worker(i < old.size() ? old[i].get() : nullptr));
    }
    for (auto& worker : old) retire(std::move(worker));
}

/// It is there until nobody has it in hand.
void Server::retire(std::unique_ptr<Worker> worker) {
    retired_.push_back(std::move(worker));
    std::erase_if(retired_, [](const auto& one) { return one->users == 0; });
    for (auto& pool : pools_) {
        if (pool && pool.use_count() == 1) pool.reset();
    }
}

std::unique_ptr<Worker> Server::make_worker(const Worker* old) {
    const System& system = generation().system;
    auto made = std::make_unique<Worker>();
    if (old != nullptr) *made = *old;
    made->users = 0;
    if (!made->lock || made->lock->switch_interval() != system.server.switch_interval) {
        made->lock = std::make_shared<core::InterpreterLock>(system.server.switch_interval);
    }
    const auto options = core::CacheDesk::options_of(system.cache);
    if (system.cache.mode == CacheMode::none) {
        made->cache.reset();
    } else if (shared_cache_) {
        made->cache = shared_cache_;
    } else if (!made->cache || made->cache_is_shared) {
        made->cache = std::make_shared<core::CacheDesk>(options);
    } else {
        made->cache->configure(options);
    }
    made->cache_is_shared = shared_cache_ != nullptr;
    if (!made->tokens) {
        made->tokens = std::make_shared<core::SlotPool>(core::SlotPool::Options{
            .slots = system.server.pool_threads, .queue_capacity = 1'000'000});
    }
    for (const core::Wake& wake : made->tokens->resize(system.server.pool_threads, time_.now)) {
        on_pool_thread(static_cast<TaskId>(wake.ticket), wake.slot, true);
    }
    make_connections(*made);
    return made;
}

void Server::make_connections(Worker& made) {
    const Database& database = generation().system.database;
    if (!made.connections) {
        auto place = std::find(pools_.begin(), pools_.end(), nullptr);
        if (place == pools_.end()) place = pools_.insert(place, nullptr);
        *place = std::make_shared<Connections>(
            Connections{core::QueuePool{pool_options(database)},
                        static_cast<std::uint32_t>(place - pools_.begin()), Instant::max()});
        made.connections = *place;
        return;
    }
    const auto changed = made.connections->pool.configure(pool_options(database), time_.now);
    for (const auto& [wake, opens] : changed.woken) pass_connection(wake, opens);
    set_pool_alarm(*made.connections);
}

// ---------------------------------------------------------------- samples

ServerSample Server::sample() {
    ServerSample out;
    out.backlog = static_cast<std::uint32_t>(backlog_.size());
    out.connections = open_;
    if (on_loops()) {
        sample_loops(out);
    } else {
        if (slots_.unbounded() && !changing_) {
            static_cast<void>(slots_.trim(time_.now));
            rebuild_workers();
        }
        out.queue_depth = static_cast<std::uint32_t>(slots_.depth());
        out.queue_capacity = static_cast<std::uint32_t>(rules().queue);
        if (rules().dispatch == Dispatch::ahead) {
            out.queue_capacity =
                static_cast<std::uint32_t>(rules().workers * rules().worker_connections);
        }
        out.in_service = static_cast<std::uint32_t>(slots_.busy());
        const int seats = static_cast<int>(seats_.size());
        out.threads_per_worker =
            slots_.unbounded() ? std::max(1, seats / rules().workers) : rules().threads;
        sample_seats(out);
        sample_lives(out);
    }
    sample_workers(out);
    const auto fresh = [](auto total, auto& sampled) {
        return total - std::exchange(sampled, total);
    };
    out.worker_cpu = fresh(cores_.used(Account::workers, time_.now), sampled_.workers);
    out.process_cpu =
        out.worker_cpu + fresh(cores_.used(Account::front_end, time_.now), sampled_.front_end);
    out.database = std::exchange(database_, {});
    const core::CacheDesk::Counts cache = std::exchange(cache_, {});
    out.cache_hits = cache.hits;
    out.cache_misses = cache.misses;
    out.cache_errors = cache.errors;
    out.cache_duplicates = cache.duplicates;
    out.cache_evictions = std::exchange(evictions_, 0);
    out.updates = fresh(data_.changes(), sampled_.changes);
    sampled_.at = time_.now;
    return out;
}

void Server::sample_seats(ServerSample& out) {
    const double window = to_seconds(std::max(time_.now - sampled_.at, Duration{1}));
    out.threads.reserve(seats_.size());
    for (std::size_t i = 0; i < seats_.size(); ++i) {
        Seat& seat = seats_[i];
        WorkerSample& sample = out.threads.emplace_back();
        Duration held = seat.held_time;
        if (seat.session != nobody) held += time_.now - seat.held_since;
        const Duration fresh = held - std::exchange(seat.sampled, held);
        out.busy_time += fresh;
        sample.busy = std::clamp(to_seconds(fresh) / window, 0.0, 1.0);
        sample.request = seat.request;
        sample.draining = slots_.draining(static_cast<int>(i));
        if (seat.session == nobody) {
            sample.state = state_without_request(slots_.worker_of(static_cast<int>(i)));
            continue;
        }
        const Session& s = at(seat.session);
        sample.state = seat.request == 0 ? WorkerState::io_wait : state_of(s.task.effect);
    }
}

void Server::sample_workers(ServerSample& out) {
    bool uses_pool = false;
    for (const core::Program& program : generation().programs) {
        uses_pool = uses_pool ||
                    std::any_of(program.code.begin(), program.code.end(), [](const core::Instr& i) {
                        return i.op == core::Op::query || i.op == core::Op::update;
                    });
    }
    const auto add_store = [&out](const core::CacheDesk& cache) {
        out.cache_entries += cache.store().size();
        out.cache_bytes += cache.store().bytes();
    };
    if (shared_cache_) add_store(*shared_cache_);
    for (const auto& worker : workers_) {
        if (worker->cache && !worker->cache_is_shared) add_store(*worker->cache);
        if (!uses_pool) continue;
        const core::QueuePool& pool = worker->connections->pool;
        out.pool_in_use += static_cast<std::uint32_t>(pool.in_use());
        out.pool_size += static_cast<std::uint32_t>(pool.kept());
        out.pool_open += static_cast<std::uint32_t>(pool.open());
        out.pool_waiting += static_cast<std::uint32_t>(pool.waiting());
    }
    count_pool();
    out.pool_busy_time = std::exchange(pool_busy_, Duration{});
}

WorkerState Server::state_without_request(int worker) const {
    if (worker >= lives_.workers()) return WorkerState::idle;
    const core::WorkerLives::State state = lives_.state(worker);
    return state == core::WorkerLives::State::booting ? WorkerState::booting
           : state == core::WorkerLives::State::off   ? WorkerState::off
                                                      : WorkerState::idle;
}

/// As SQLite would explain them.
std::vector<std::string> Server::plans() const {
    std::vector<std::string> plans;
    std::vector<QueryKind> seen;
    const Prices& prices = generation().prices;
    for (const core::Program& program : generation().programs) {
        for (const core::AskedQuery& asked : program.queries) {
            if (std::find(seen.begin(), seen.end(), asked.kind) != seen.end()) continue;
            seen.push_back(asked.kind);
            plans.emplace_back(plan_of(asked.kind, prices.scans(asked.kind)));
        }
    }
    return plans;
}

}  // namespace lab::virtual_time
