// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/virtual_bench.hpp"

#include <algorithm>

#include "core/keyed_random.hpp"
#include "lab/assert.hpp"

namespace lab::test {

using core::Admission;
using core::Effect;
using core::Fault;
using core::Op;
using core::Outcome;
using core::ResourceId;

namespace {

core::SlotPool::Options thread_options(const Server& server) {
    return {.slots = server.workers * server.threads,
            .queue_capacity = server.queue,
            .patience = server.queue_timeout};
}

std::vector<double> weights_of(const System& system, const Load& load) {
    std::vector<double> weights(system.routes.size(), load.mix.empty() ? 1.0 : 0.0);
    for (const RouteShare& share : load.mix) {
        for (std::size_t i = 0; i < weights.size(); ++i) {
            if (system.routes[i].id == share.route) weights[i] = share.weight;
        }
    }
    return weights;
}

std::uint64_t mixed(std::uint64_t hash, std::uint64_t word) {
    return core::keyed_bits(hash, word, 0);
}

}  // namespace

bool operator==(const Done& a, const Done& b) {
    return a.planned.id == b.planned.id && a.planned.intended == b.planned.intended &&
           a.planned.route == b.planned.route && a.planned.key == b.planned.key &&
           a.planned.user == b.planned.user && a.at == b.at && a.status == b.status &&
           a.parts == b.parts;
}

VirtualBench::VirtualBench(Setup setup)
    : setup_{std::move(setup)},
      schedule_{setup_.load.rate, setup_.load.arrivals, setup_.seed, Instant{}},
      mix_{setup_.load, weights_of(setup_.system, setup_.load), setup_.seed},
      threads_{thread_options(setup_.system.server)},
      write_lock_{{.slots = 1,
                   .queue_capacity = 1'000'000,
                   .patience = setup_.system.database.lock_timeout}},
      shared_cache_{core::CacheDesk::options_of(setup_.system.cache)} {
    for (const Route& route : setup_.system.routes) {
        programs_.push_back(core::compile(route, setup_.system.server, setup_.system.cache));
    }
    make_workers();
}

VirtualBench::VirtualBench(Setup setup, std::vector<core::Planned> plan)
    : VirtualBench{std::move(setup)} {
    plan_.emplace(plan.begin(), plan.end());
}

void VirtualBench::run_until(Instant end) {
    for (;;) {
        const Instant arrival = next_arrival();
        const Instant event = events_.empty() ? Instant::max() : events_.top().at;
        if (std::min(arrival, event) > end) break;
        if (arrival <= event) {
            pass_to(arrival);
            arrive();
        } else {
            pass_to(event);
            const Event due = events_.top();
            events_.pop();
            handle(due);
        }
        run_ready();
    }
    pass_to(end);
}

void VirtualBench::finish() {
    arrivals_over_ = true;
    while (!events_.empty()) {
        run_until(events_.top().at);
    }
}

void VirtualBench::set_workers(int workers) {
    setup_.system.server.workers = workers;
    make_workers();
    serve_threads(threads_.resize(workers * setup_.system.server.threads, now_));
    run_ready();
}

void VirtualBench::cancel_all() {
    for (std::uint32_t i = 0; i < requests_.size(); ++i) {
        if (!requests_[i].inside) continue;
        withdraw(i);
        ready(i, fault(Fault::cancelled));
    }
    run_ready();
}

int VirtualBench::connections_in_use() const {
    int sum = 0;
    for (const auto& worker : workers_) sum += worker->connections.in_use();
    return sum;
}

int VirtualBench::connections_open() const {
    int sum = 0;
    for (const auto& worker : workers_) sum += worker->connections.open();
    return sum;
}

int VirtualBench::locks_held() const {
    int sum = 0;
    for (const auto& worker : workers_) sum += worker->lock.holder() ? 1 : 0;
    return sum;
}

Instant VirtualBench::next_arrival() const {
    if (arrivals_over_) return Instant::max();
    if (!plan_) return schedule_.peek();
    return plan_->empty() ? Instant::max() : plan_->front().intended;
}

void VirtualBench::arrive() {
    core::Planned planned;
    if (plan_) {
        planned = plan_->front();
        plan_->pop_front();
    } else {
        planned.intended = schedule_.peek();
        planned.id = schedule_.take();
        mix_.describe(planned);
    }
    if (free_.empty()) {
        free_.push_back(static_cast<std::uint32_t>(requests_.size()));
        requests_.emplace_back();
    }
    const std::uint32_t place = free_.back();
    free_.pop_back();
    Request& request = requests_[place];
    const std::uint32_t token = request.token;
    request = Request{};
    request.token = token;
    request.inside = true;
    request.planned = planned;
    request.made_for = planned.user;
    request.cursor = core::begin(programs_[planned.route], setup_.seed, planned.id, now_, now_);
    ++planned_;
    ++inside_;
    ready(place, {.now = now_});
}

void VirtualBench::handle(const Event& event) {
    if (event.kind == Kind::queue_patience) {
        for (const core::Ticket late : threads_.expire(now_)) {
            ready(static_cast<std::uint32_t>(late), fault(Fault::expired));
        }
        return;
    }
    if (event.kind == Kind::lock_patience) {
        for (const core::Ticket late : write_lock_.expire(now_)) {
            ready(static_cast<std::uint32_t>(late), fault(Fault::lock_timeout));
        }
        return;
    }
    Request& request = requests_[event.request];
    if (event.kind == Kind::pool_patience) {
        if (!request.inside || request.slot < 0) return;
        for (const core::Ticket late : worker_of(request).connections.expire(now_)) {
            ready(static_cast<std::uint32_t>(late), fault(Fault::pool_timeout));
        }
        return;
    }
    if (event.token != request.token) return;
    switch (event.kind) {
        case Kind::resume:
            ready(event.request, {.now = now_});
            return;
        case Kind::too_long:
            ready(event.request, fault(Fault::query_timeout));
            return;
        case Kind::ask:
            ask_for_lock(event.request);
            return;
        case Kind::wake:
            if (worker_of(request).lock.retry(event.request, now_)) {
                ready(event.request, {.now = now_});
            } else {  // woken in vain: a new interval, and the old one's end is out of date
                ++request.token;
                later(now_ + worker_of(request).lock.switch_interval(), Kind::ask, event.request);
            }
            return;
        default:
            return;
    }
}

void VirtualBench::pass_to(Instant moment) {
    LAB_ASSERT(moment >= now_);
    request_seconds_ += static_cast<double>(inside_) * to_seconds(moment - now_);
    now_ = moment;
}

void VirtualBench::later(Instant at, Kind kind, std::uint32_t request) {
    events_.push({at, order_++, kind, request, requests_[request].token});
}

void VirtualBench::ready(std::uint32_t request, Outcome outcome) {
    ++requests_[request].token;  // whatever else was to happen to it is out of date
    ready_.emplace_back(request, outcome);
}

void VirtualBench::run_ready() {
    while (!ready_.empty()) {
        const auto [request, outcome] = ready_.front();
        ready_.pop_front();
        drive(request, outcome);
    }
    if (on_depth && threads_.depth() != last_depth_) {
        last_depth_ = threads_.depth();
        on_depth(now_, last_depth_);
    }
}

void VirtualBench::drive(std::uint32_t place, Outcome outcome) {
    for (;;) {
        Request& request = requests_[place];
        request.effect = core::next(request.cursor, outcome);
        const auto moment = static_cast<std::uint64_t>(now_.time_since_epoch().count());
        trace_ = mixed(trace_ ^ request.planned.id,
                       moment * 16 + static_cast<std::uint64_t>(request.effect.op));
        if (request.effect.op == Op::end) {
            end_of(place);
            return;
        }
        const Answer answer = perform(place, request.effect);
        if (!answer) return;
        outcome = *answer;
    }
}

void VirtualBench::end_of(std::uint32_t place) {
    Request& request = requests_[place];
    request.inside = false;
    --inside_;
    free_.push_back(place);
    if (on_done) {
        on_done(
            {request.planned, now_, request.cursor.status, request.cursor.parts, request.made_for});
    }
}

VirtualBench::Answer VirtualBench::perform(std::uint32_t place, const Effect& effect) {
    Request& request = requests_[place];
    const auto takes = [&](Duration time) -> Answer {
        if (time <= Duration{}) return Outcome{.now = now_};
        request.ends = now_ + time;
        later(request.ends, Kind::resume, place);
        return std::nullopt;
    };
    switch (effect.op) {
        case Op::acquire:
            return acquire(place, effect.resource);
        case Op::release:
            release(place, effect.resource);
            return Outcome{.now = now_};
        case Op::spend:
        case Op::sleep:
            return takes(effect.cost);
        case Op::query:
        case Op::update:
            return run_query(place, effect.op);
        case Op::cache_get:
            return look_up(place, effect);
        case Op::cache_put:
            store(request, effect);
            return Outcome{.now = now_};
        case Op::cache_wait:
            if (!cache_of(request).await(request.awaited, place)) return Outcome{.now = now_};
            return std::nullopt;  // wake_all() goes on with it
        case Op::cache_drop:
            cache_of(request).drop_made_from(request.planned.key);
            return Outcome{.now = now_};
        default:
            return Outcome{.now = now_};
    }
}

VirtualBench::Answer VirtualBench::acquire(std::uint32_t place, ResourceId resource) {
    Request& request = requests_[place];
    if (resource == ResourceId::interpreter_lock) {
        core::InterpreterLock& lock = worker_of(request).lock;
        if (lock.acquire(place, now_)) return Outcome{.now = now_};
        later(now_ + lock.switch_interval(), Kind::ask, place);
        return std::nullopt;
    }
    switch (resource) {
        case ResourceId::connection:
            return acquire_connection(place);
        case ResourceId::write_lock:
            return acquire_slot(place, write_lock_, request.write_lock, Kind::lock_patience);
        default:
            return acquire_slot(place, threads_, request.slot, Kind::queue_patience);
    }
}

VirtualBench::Answer VirtualBench::acquire_slot(std::uint32_t place, core::SlotPool& pool,
                                                int& slot, Kind patience_event) {
    const core::Grant grant = pool.acquire(place, now_);
    switch (grant.admission) {
        case Admission::granted:
            slot = grant.slot;
            return Outcome{.now = now_};
        case Admission::refused:
            return fault(Fault::refused);
        case Admission::queued:
            break;
    }
    const Duration patience = patience_event == Kind::queue_patience
                                  ? setup_.system.server.queue_timeout
                                  : setup_.system.database.lock_timeout;
    if (patience > Duration{}) later(now_ + patience, patience_event, place);
    return std::nullopt;
}

VirtualBench::Answer VirtualBench::acquire_connection(std::uint32_t place) {
    Request& request = requests_[place];
    const auto taken = worker_of(request).connections.acquire(place, now_);
    if (taken.grant.admission == Admission::granted) {
        request.connection = taken.grant.slot;
        return Outcome{.now = now_};
    }
    const Duration patience = setup_.system.database.pool_timeout;
    if (patience > Duration{}) later(now_ + patience, Kind::pool_patience, place);
    return std::nullopt;
}

/// The round trip, and then the running, which ends when it has lasted too long.
VirtualBench::Answer VirtualBench::run_query(std::uint32_t place, Op op) {
    const lab::Database& database = setup_.system.database;
    const Duration limit = database.query_timeout;
    const bool too_long = op == Op::query && limit > Duration{} && setup_.query_time >= limit;
    const Duration time = database.round_trip + (too_long ? limit : setup_.query_time);
    if (time <= Duration{}) return Outcome{.now = now_};
    requests_[place].ends = now_ + time;
    later(now_ + time, too_long ? Kind::too_long : Kind::resume, place);
    return std::nullopt;
}

void VirtualBench::release(std::uint32_t place, ResourceId resource) {
    Request& request = requests_[place];
    switch (resource) {
        case ResourceId::worker: {
            leave_cache(request);
            const auto wake = threads_.release(request.slot, now_);
            request.slot = -1;
            if (wake) serve_threads({*wake});
            return;
        }
        case ResourceId::connection: {
            const auto back = worker_of(request).connections.release(request.connection, now_);
            request.connection = -1;
            if (!back.wake) return;
            const auto next = static_cast<std::uint32_t>(back.wake->ticket);
            requests_[next].connection = back.wake->slot;
            ready(next, {.now = now_});
            return;
        }
        case ResourceId::write_lock: {
            const auto wake = write_lock_.release(request.write_lock, now_);
            request.write_lock = -1;
            if (!wake) return;
            const auto next = static_cast<std::uint32_t>(wake->ticket);
            requests_[next].write_lock = wake->slot;
            ready(next, {.now = now_});
            return;
        }
        case ResourceId::interpreter_lock: {
            core::InterpreterLock& lock = worker_of(request).lock;
            lock.release(place, now_, request.broken_off);
            request.broken_off = false;
            const auto& waiting = lock.waiting();
            if (waiting.empty()) return;
            const auto order = static_cast<std::uint32_t>(core::Purpose::order);
            const auto lot = core::keyed_below(setup_.seed, ++wakes_, order, waiting.size());
            later(now_, Kind::wake, static_cast<std::uint32_t>(waiting[lot]));
            return;
        }
        case ResourceId::loop:
        case ResourceId::token:
            LAB_ASSERT(false);  // VirtualLoops'
    }
}

core::CacheDesk& VirtualBench::cache_of(const Request& request) {
    const CacheMode mode = setup_.system.cache.mode;
    return mode == CacheMode::per_worker ? worker_of(request).cache : shared_cache_;
}

VirtualBench::Answer VirtualBench::look_up(std::uint32_t place, const Effect& effect) {
    using Verdict = core::CacheDesk::Verdict;
    Request& request = requests_[place];
    const KeyRule& rule = request.cursor.program->keys[effect.arg];
    Mark mark{std::to_string(effect.arg) + request.cursor.program->route, now_, false};
    if (rule.path) mark.key += "/" + std::to_string(request.planned.key);
    if (rule.user) mark.key += "@" + std::to_string(request.planned.user);
    Outcome outcome{.now = now_};
    core::CacheDesk& cache = cache_of(request);
    if (rule.function == KeyFunction::throws) {
        cache.key_failed();
        mark.uncached = true;
    } else {
        const auto look = cache.look_up(mark.key, now_, effect.lot);
        outcome.hit = look.verdict == Verdict::hit;
        outcome.busy = look.verdict == Verdict::busy;
        mark.uncached = look.verdict == Verdict::failed;
        if (outcome.hit) request.made_for = look.entry->answer.made_for;
    }
    if (outcome.busy) {
        request.awaited = std::move(mark.key);
    } else if (!outcome.hit) {
        request.marks.push_back(std::move(mark));
    }
    return outcome;
}

void VirtualBench::store(Request& request, const Effect& effect) {
    const Mark mark = std::move(request.marks.back());
    request.marks.pop_back();
    if (mark.uncached) return;
    wake_all(cache_of(request).put(mark.key, {"made", request.made_for, {}, {request.planned.key}},
                                   now_, now_ - mark.since, effect.lot));
}

/// The steps have failed: whoever waits for the entry makes it.
void VirtualBench::leave_cache(Request& request) {
    for (const Mark& mark : request.marks) {
        if (!mark.uncached) wake_all(cache_of(request).give_up(mark.key));
    }
    request.marks.clear();
}

void VirtualBench::wake_all(const std::vector<core::Ticket>& tickets) {
    for (const core::Ticket ticket : tickets) {
        ready(static_cast<std::uint32_t>(ticket), {.now = now_});
    }
}

core::CacheDesk::Counts VirtualBench::cache_counts() const {
    core::CacheDesk::Counts sum = shared_cache_.counts();
    for (const auto& worker : workers_) {
        const core::CacheDesk::Counts own = worker->cache.counts();
        sum.hits += own.hits;
        sum.misses += own.misses;
        sum.errors += own.errors;
        sum.duplicates += own.duplicates;
    }
    return sum;
}

void VirtualBench::ask_for_lock(std::uint32_t place) {
    core::InterpreterLock& lock = worker_of(requests_[place]).lock;
    later(lock.ask(place, now_), Kind::ask, place);
    if (!lock.drop_requested()) return;
    const auto holder = static_cast<std::uint32_t>(*lock.holder());
    Request& computing = requests_[holder];
    // Who holds the lock and is not computing lets it go within no time; who has just done, too.
    if (computing.effect.op != Op::spend || computing.ends <= now_) return;
    computing.broken_off = true;
    ready(holder, {.now = now_, .remaining = computing.ends - now_});
}

void VirtualBench::withdraw(std::uint32_t place) {
    Request& request = requests_[place];
    if (request.effect.op == Op::cache_wait) cache_of(request).withdraw(request.awaited, place);
    if (request.effect.op != Op::acquire) return;
    switch (request.effect.resource) {
        case ResourceId::worker:
            LAB_ASSERT(threads_.withdraw(place));
            return;
        case ResourceId::connection:
            LAB_ASSERT(worker_of(request).connections.withdraw(place));
            return;
        case ResourceId::write_lock:
            LAB_ASSERT(write_lock_.withdraw(place));
            return;
        case ResourceId::interpreter_lock:
            worker_of(request).lock.withdraw(place);
            return;
        case ResourceId::loop:
        case ResourceId::token:
            LAB_ASSERT(false);  // VirtualLoops'
    }
}

void VirtualBench::serve_threads(const std::vector<core::Wake>& woken) {
    for (const core::Wake& wake : woken) {
        const auto next = static_cast<std::uint32_t>(wake.ticket);
        requests_[next].slot = wake.slot;
        ready(next, {.now = now_});
    }
}

void VirtualBench::make_workers() {
    const System& system = setup_.system;
    while (workers_.size() < static_cast<std::size_t>(system.server.workers)) {
        const core::QueuePool::Options connections{.kept = system.database.pool,
                                                   .overflow = system.database.overflow,
                                                   .patience = system.database.pool_timeout};
        workers_.push_back(std::make_unique<Worker>(Worker{
            core::InterpreterLock{system.server.switch_interval}, core::QueuePool{connections},
            core::CacheDesk{core::CacheDesk::options_of(system.cache)}}));
    }
}

VirtualBench::Worker& VirtualBench::worker_of(const Request& request) {
    LAB_ASSERT(request.slot >= 0);
    return *workers_[static_cast<std::size_t>(request.slot / setup_.system.server.threads)];
}

Outcome VirtualBench::fault(Fault what) const {
    Outcome outcome;
    outcome.now = now_;
    outcome.fault = what;
    return outcome;
}

}  // namespace lab::test
