// SPDX-License-Identifier: GPL-3.0-or-later
// Settings, workers, and what a frame tells of the server.
#include <algorithm>
#include <limits>
#include <utility>

#include "virtual/server.hpp"

namespace lab::virtual_time {

namespace {

core::ResponseCache::Options cache_options(const Cache& cache) {
    return {.ttl = cache.ttl, .capacity = static_cast<std::size_t>(cache.capacity)};
}

/// Only the threads of one worker wait here: the queue needs no bound of its own.
core::SlotPool::Options pool_options(const Database& database) {
    return {.slots = database.pool,
            .queue_capacity = std::numeric_limits<int>::max(),
            .patience = database.pool_timeout};
}

WorkerState state_of(const core::Effect& effect) {
    using core::Op;
    switch (effect.op) {
        case Op::acquire:
            if (effect.resource == core::ResourceId::interpreter_lock)
                return WorkerState::lock_wait;
            if (effect.resource == core::ResourceId::connection) return WorkerState::pool_wait;
            return WorkerState::computing;
        case Op::sleep:
            return WorkerState::io_wait;
        case Op::query:
        case Op::update:
            return WorkerState::database;
        case Op::render:
            return WorkerState::render;
        case Op::cache_get:
        case Op::cache_put:
            return WorkerState::cache;
        case Op::respond:
            return WorkerState::writing;
        default:
            return WorkerState::computing;
    }
}

}  // namespace

Processors::Options Server::cores_options(const Host& host) const {
    return {.cores = host.cores > 0 ? host.cores : options_.cores,
            .scheduling = host.scheduling,
            .slice = host.slice,
            .switch_cost = host.switch_cost};
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
    if (now.database.products != before.products) data_.replace(now.database.products);
    slots_.set_queue_capacity(now.server.queue);
    slots_.set_patience(now.server.queue_timeout);
    cores_.configure(cores_options(now.host), time_.now);
    cores_changed();
    resize();
    if (rests || before.updates != now.database.updates) arm_changes();
    set_queue_alarm();
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
    const int slots = rules().workers * rules().threads;
    if (seats_.size() < static_cast<std::size_t>(slots)) {
        seats_.resize(static_cast<std::size_t>(slots));
    }
    const auto woken = slots_.resize(slots, time_.now);
    rebuild_workers();
    for (const core::Wake& wake : woken) {
        grant(static_cast<SessionId>(wake.ticket), wake.slot, true);
    }
}

/// One entry for each worker that has a slot, draining ones too. What stays the same is carried
/// over.
void Server::rebuild_workers() {
    const auto wanted = static_cast<std::size_t>(rules().workers * rules().threads);
    while (seats_.size() > wanted && seats_.back().session == nobody) seats_.pop_back();
    const Cache& cache = generation().system.cache;
    const auto threads = static_cast<std::size_t>(rules().threads);
    const auto of_seats = (seats_.size() + threads - 1) / threads;
    const auto count = std::max(static_cast<std::size_t>(rules().workers), of_seats);
    if (cache.mode != CacheMode::shared) {
        shared_cache_.reset();
    } else if (!shared_cache_) {
        shared_cache_ = std::make_shared<core::ResponseCache>(cache_options(cache));
    } else {
        shared_cache_->configure(cache_options(cache));
    }
    std::vector<std::unique_ptr<Worker>> old = std::exchange(workers_, {});
    for (std::size_t i = 0; i < count; ++i) {
        workers_.push_back(make_worker(i < old.size() ? old[i].get() : nullptr));
    }
    std::move(old.begin(), old.end(), std::back_inserter(retired_));
}

std::unique_ptr<Worker> Server::make_worker(const Worker* old) {
    const System& system = generation().system;
    auto made = std::make_unique<Worker>();
    if (old != nullptr) *made = *old;
    if (!made->lock || made->lock->switch_interval() != system.server.switch_interval) {
        made->lock = std::make_shared<core::InterpreterLock>(system.server.switch_interval);
    }
    if (system.cache.mode == CacheMode::none) {
        made->cache.reset();
    } else if (system.cache.mode == CacheMode::shared) {
        made->cache = shared_cache_;
    } else if (!made->cache || made->cache_is_shared) {
        made->cache = std::make_shared<core::ResponseCache>(cache_options(system.cache));
    } else {
        made->cache->configure(cache_options(system.cache));
    }
    made->cache_is_shared = system.cache.mode == CacheMode::shared;
    if (!made->connections) {
        made->connections = std::make_shared<Connections>(
            Connections{core::SlotPool{pool_options(system.database)},
                        static_cast<std::uint32_t>(pools_.size()), Instant::max()});
        pools_.push_back(made->connections);
        return made;
    }
    core::SlotPool& slots = made->connections->slots;
    slots.set_patience(system.database.pool_timeout);
    for (const core::Wake& wake : slots.resize(system.database.pool, time_.now)) {
        count_pool();
        ++pool_in_use_;
        at(static_cast<SessionId>(wake.ticket)).lease = wake.slot;
        ready(static_cast<SessionId>(wake.ticket), outcome());
    }
    set_pool_alarm(*made->connections);
    return made;
}

// ---------------------------------------------------------------- samples

ServerSample Server::sample() {
    ServerSample out;
    out.queue_depth = static_cast<std::uint32_t>(slots_.depth());
    out.queue_capacity = static_cast<std::uint32_t>(rules().queue);
    out.backlog = static_cast<std::uint32_t>(backlog_.size());
    out.connections = open_;
    out.in_service = static_cast<std::uint32_t>(slots_.busy());
    out.threads_per_worker = rules().threads;
    sample_seats(out);
    sample_workers(out);
    const auto fresh = [](auto total, auto& sampled) {
        return total - std::exchange(sampled, total);
    };
    out.worker_cpu = fresh(cores_.used(Account::workers, time_.now), sampled_.workers);
    out.process_cpu =
        out.worker_cpu + fresh(cores_.used(Account::front_end, time_.now), sampled_.front_end);
    out.cache_hits = fresh(hits_, sampled_.hits);
    out.cache_misses = fresh(misses_, sampled_.misses);
    out.cache_evictions = fresh(evictions_, sampled_.evictions);
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
        if (seat.session == nobody) continue;
        const Session& s = at(seat.session);
        sample.state = seat.request == 0 ? WorkerState::io_wait : state_of(s.effect);
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
    out.cache_entries = shared_cache_ ? shared_cache_->size() : 0;
    for (const auto& worker : workers_) {
        if (worker->cache && !worker->cache_is_shared) out.cache_entries += worker->cache->size();
        if (!uses_pool) continue;
        const core::SlotPool& slots = worker->connections->slots;
        out.pool_in_use += static_cast<std::uint32_t>(slots.busy());
        out.pool_size += static_cast<std::uint32_t>(slots.slots());
        out.pool_waiting += static_cast<std::uint32_t>(slots.depth());
    }
    count_pool();
    out.pool_busy_time = std::exchange(pool_busy_, Duration{});
}

std::vector<std::string> Server::plans() const {
    std::vector<std::string> plans;
    std::vector<QueryKind> seen;
    const bool index = generation().system.database.index;
    for (const core::Program& program : generation().programs) {
        for (const core::AskedQuery& asked : program.queries) {
            const QueryKind kind = asked.kind;
            if (std::find(seen.begin(), seen.end(), kind) != seen.end()) continue;
            seen.push_back(kind);
            if (kind == QueryKind::product_by_id) {
                plans.emplace_back("SEARCH product USING INTEGER PRIMARY KEY (rowid=?)");
            } else if (!index) {
                plans.emplace_back("SCAN product");
            } else if (kind == QueryKind::product_by_sku) {
                plans.emplace_back("SEARCH product USING INDEX product_sku (sku=?)");
            } else {
                plans.emplace_back("SEARCH product USING INDEX product_category (category=?)");
            }
        }
    }
    return plans;
}

}  // namespace lab::virtual_time
