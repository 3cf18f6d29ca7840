// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/loop_pool.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "lab/assert.hpp"
#include "lab/histogram.hpp"
#include "live/platform.hpp"
#include "live/turned_away.hpp"

namespace lab::live {

namespace {

Instant now() { return std::chrono::steady_clock::now(); }

core::SlotPool::Options places_of(const Server& server) {
    return {server.worker_connections, server.queue, server.queue_timeout};
}

/// How many durations fall into each bucket of a histogram.
SparseCounts counted(std::vector<Duration> durations) {
    std::sort(durations.begin(), durations.end());
    SparseCounts counts;
    for (const Duration one : durations) {
        const std::uint32_t bucket = Histogram::bucket_of(one);
        if (counts.empty() || counts.back().first != bucket) counts.emplace_back(bucket, 0);
        ++counts.back().second;
    }
    return counts;
}

}  // namespace

LoopPool::Loop::Loop(int its_number, const Server& server, const CpuKernel& kernel,
                     const std::atomic<bool>& cancelled)
    : number{its_number},
      tasks{static_cast<core::Ticket>(its_number), kernel, inbox, cancelled},
      places{places_of(server)} {}

LoopPool::LoopPool(Options options)
    : WorkerParts{options.generation, std::move(options.database)},
      completions_{*options.completions},
      kernel_{CpuKernel::calibrated()},
      newest_{std::move(options.generation)},
      sampled_at_{now()} {}

Result<std::unique_ptr<LoopPool>> LoopPool::start(Options options) {
    std::unique_ptr<LoopPool> pool{new LoopPool{std::move(options)}};
    const std::lock_guard hold{pool->mutex_};
    pool->resize(now());
    if (pool->loops_.empty()) {
        return Error{ErrorCode::no_resources, "server.workers",
                     "not even one event loop could be started"};
    }
    return pool;
}

LoopPool::~LoopPool() { stop(); }

GenerationPtr LoopPool::generation() const {
    const std::lock_guard hold{generation_mutex_};
    return newest_;
}

void LoopPool::set_on_accepting(std::function<void()> on_change) {
    const std::lock_guard hold{mutex_};
    on_accepting_ = std::move(on_change);
}

void LoopPool::apply(GenerationPtr generation) {
    const std::lock_guard hold{mutex_};
    in_force_ = generation;
    resize(now());
    update_accepting();
    set_alarm();
    const std::lock_guard hold_newest{generation_mutex_};
    newest_ = std::move(generation);
}

void LoopPool::set_database(std::shared_ptr<Database> database) {
    const std::lock_guard hold{mutex_};
    database_ = std::move(database);
    rebuild_workers(loops_.size());
}

/// A loop that is taken away keeps its thread until the pool stops, and serves what it has.
void LoopPool::resize(Instant now) {
    const Server& server = in_force_->system.server;
    const auto wanted = static_cast<std::size_t>(server.workers);
    remark_.clear();
    rebuild_workers(std::max(wanted, loops_.size()));
    while (loops_.size() < wanted) {
        auto made =
            std::make_unique<Loop>(static_cast<int>(loops_.size()), server, kernel_, cancelled_);
        Loop* const loop = made.get();
        loop->tasks.on_end = [this, loop](Exchange& exchange, bool lets_go) {
            answered(*loop, exchange, lets_go);
        };
        try {
            loop->thread = std::thread{[this, loop] { run(*loop); }};
        } catch (const std::system_error&) {
            remark_ =
                fmt::format("only {} of {} event loops could be started", loops_.size(), wanted);
            break;
        }
        loops_.push_back(std::move(made));
    }
    for (std::size_t i = 0; i < loops_.size(); ++i) {
        Loop& loop = *loops_[i];
        loop.draining = i >= wanted;
        loop.places.set_queue_capacity(server.queue);
        loop.places.set_patience(server.queue_timeout);
        for (const core::Wake& wake : loop.places.resize(server.worker_connections, now)) {
            grant(loop, exchange_of(wake.ticket), wake.slot, now);
        }
        admit_from_outside(loop, now);
    }
    restrict_threads();
}

void LoopPool::restrict_threads() {
    const auto cores = static_cast<unsigned>(in_force_->system.server.cores);
    for (const auto& loop : loops_) {
        workers_[static_cast<std::size_t>(loop->number)]->tokens->restrict_to(cores);
        if (std::exchange(loop->cores, cores) == cores) continue;
        platform::restrict_thread(loop->thread, cores);
    }
}

/// The loop of its connection; a new one where it has none, or where that is to go.
LoopPool::Loop& LoopPool::loop_of(Exchange& exchange) {
    const auto known = static_cast<std::size_t>(exchange.loop);
    if (exchange.loop >= 0 && known < loops_.size() && !loops_[known]->draining) {
        return *loops_[known];
    }
    std::size_t best = 0;
    int least = std::numeric_limits<int>::max();
    for (std::size_t i = 0; i < loops_.size(); ++i) {
        const std::size_t at = (turn_ + i) % loops_.size();
        const Loop& loop = *loops_[at];
        const int load = loop.places.busy() + loop.places.depth();
        if (loop.draining || load >= least) continue;
        best = at;
        least = load;
    }
    turn_ = best + 1;
    exchange.loop = static_cast<int>(best);
    return *loops_[best];
}

void LoopPool::bind(Exchange& exchange) {
    exchange.effect = {};  // no request yet
    const std::lock_guard hold{mutex_};
    enter(exchange, now());
}

void LoopPool::submit(Exchange& exchange) {
    exchange.answer.clear();
    exchange.answer.made_for = exchange.user;
    exchange.answer.language = exchange.language;
    const Instant begun = now();
    exchange.effect = core::next(exchange.cursor, {.now = begun});
    const std::lock_guard hold{mutex_};
    if (exchange.slot >= 0) {
        put_to_work(*loops_[static_cast<std::size_t>(exchange.loop)], exchange, begun);
    } else {
        enter(exchange, now());
    }
}

void LoopPool::enter(Exchange& exchange, Instant now) {
    if (cancelled_) {
        reset(exchange, completions_);
        return;
    }
    Loop& loop = loop_of(exchange);
    const bool waits_unread = in_force_->system.server.when_full == WhenFull::wait;
    if (waits_unread && !loop.outside.empty()) {
        exchange.place = Exchange::Place::outside;
        loop.outside.push_back(&exchange);
        return;
    }
    const core::Grant granted = loop.places.acquire(ticket_of(exchange), now);
    switch (granted.admission) {
        case core::Admission::granted:
            grant(loop, exchange, granted.slot, now);
            break;
        case core::Admission::queued:
            wait_in_queue(exchange, now);
            break;
        case core::Admission::refused:
            turn_away(loop, exchange, now);
            break;
    }
    update_accepting();
}

void LoopPool::wait_in_queue(Exchange& exchange, Instant now) {
    exchange.place = Exchange::Place::waiting;
    events_.tell({exchange.cursor.id, RequestEvent::Kind::queued, 0, Ending::ok, now});
    set_alarm();
}

void LoopPool::turn_away(Loop& loop, Exchange& exchange, Instant now) {
    switch (in_force_->system.server.when_full) {
        case WhenFull::wait:
            exchange.place = Exchange::Place::outside;
            loop.outside.push_back(&exchange);
            return;
        case WhenFull::reject:
            refuse(exchange, core::Fault::refused, now, completions_);
            return;
        case WhenFull::reset:
            reset(exchange, completions_);
            return;
    }
}

void LoopPool::grant(Loop& loop, Exchange& exchange, int place, Instant now) {
    exchange.slot = place;
    if (acquires_worker(exchange.effect)) {
        put_to_work(loop, exchange, now);
        return;
    }
    exchange.place = Exchange::Place::bound;
    completions_.bound(exchange);
}

void LoopPool::put_to_work(Loop& loop, Exchange& exchange, Instant now) {
    exchange.place = Exchange::Place::in_hand;
    events_.tell({exchange.cursor.id, RequestEvent::Kind::started,
                  static_cast<std::uint16_t>(loop.number), Ending::ok, now});
    loop.tasks.start(exchange, workers_[static_cast<std::size_t>(loop.number)], now);
}

void LoopPool::let_go(Exchange& exchange, Instant now) {
    Loop& loop = *loops_[static_cast<std::size_t>(exchange.loop)];
    const int place = std::exchange(exchange.slot, -1);
    if (const auto wake = loop.places.release(place, now)) {
        grant(loop, exchange_of(wake->ticket), wake->slot, now);
    }
    admit_from_outside(loop, now);
    update_accepting();
}

void LoopPool::admit_from_outside(Loop& loop, Instant now) {
    while (!loop.outside.empty()) {
        Exchange& first = *loop.outside.front();
        const core::Grant granted = loop.places.acquire(ticket_of(first), now);
        if (granted.admission == core::Admission::refused) return;
        loop.outside.pop_front();
        if (granted.admission == core::Admission::granted) {
            grant(loop, first, granted.slot, now);
        } else {
            wait_in_queue(first, now);
        }
    }
}

/// A worker stops accepting when it is full; the server as a whole when all have stopped.
void LoopPool::update_accepting() {
    const Server& server = in_force_->system.server;
    const auto has_room = [&](const auto& loop) {
        return !loop->draining && loop->outside.empty() &&
               (loop->places.depth() < server.queue || loop->places.busy() < loop->places.slots());
    };
    const bool accepts =
        server.when_full != WhenFull::wait || std::any_of(loops_.begin(), loops_.end(), has_room);
    if (accepting_.exchange(accepts) == accepts) return;
    if (accepts && on_accepting_) completions_.post(on_accepting_);
}

void LoopPool::set_alarm() {
    Instant next = Instant::max();
    for (const auto& loop : loops_) {
        next = std::min(next, loop->places.next_expiry().value_or(Instant::max()));
    }
    if (next >= alarm_) return;  // one that rings too early is set anew
    alarm_ = next;
    const auto ring = [this] {
        const std::lock_guard hold{mutex_};
        expire(now());
    };
    completions_.wake_at(next, ring, this);
}

void LoopPool::expire(Instant now) {
    alarm_ = Instant::max();
    for (const auto& loop : loops_) {
        for (const core::Ticket ticket : loop->places.expire(now)) {
            refuse(exchange_of(ticket), core::Fault::expired, now, completions_);
        }
        admit_from_outside(*loop, now);
    }
    update_accepting();
    set_alarm();
}

void LoopPool::finish(Exchange& exchange, bool keep_worker) {
    const Instant at = now();
    if (exchange.cursor.program != nullptr) {
        while (!exchange.cursor.ended) {
            static_cast<void>(core::next(exchange.cursor, {.now = at}));
        }
    }
    const std::lock_guard hold{mutex_};
    exchange.place = Exchange::Place::nowhere;
    if (exchange.slot < 0) return;
    if (keep_worker) {
        exchange.place = Exchange::Place::bound;
    } else {
        let_go(exchange, at);
    }
}

bool LoopPool::withdraw(Exchange& exchange) {
    const std::lock_guard hold{mutex_};
    switch (exchange.place) {
        case Exchange::Place::nowhere:
            return true;
        case Exchange::Place::in_hand:
            return false;
        case Exchange::Place::outside:
            std::erase(loops_[static_cast<std::size_t>(exchange.loop)]->outside, &exchange);
            break;
        case Exchange::Place::waiting: {
            Loop& loop = *loops_[static_cast<std::size_t>(exchange.loop)];
            loop.places.withdraw(ticket_of(exchange));
            admit_from_outside(loop, now());
            break;
        }
        case Exchange::Place::bound:
            completions_.forget(exchange);  // on_bound() may be on its way
            let_go(exchange, now());
            break;
    }
    exchange.place = Exchange::Place::nowhere;
    update_accepting();
    return true;
}

void LoopPool::run(Loop& loop) {
    platform::name_this_thread(fmt::format("loop {}", loop.number).c_str());
    platform::tighten_timer_slack();
    {
        const std::lock_guard hold{mutex_};
        loop.clock = platform::this_thread_clock();
    }
    loop.tasks.run();
    const std::lock_guard hold{mutex_};
    loop.clock = -1;
    departed_cpu_ += platform::thread_cpu_time();
}

void LoopPool::answered(Loop& loop, Exchange& exchange, bool lets_go) {
    events_.tell({exchange.cursor.id, RequestEvent::Kind::answered,
                  static_cast<std::uint16_t>(loop.number), Ending::ok, now()});
    if (lets_go && !keeps_worker(exchange)) {
        const std::lock_guard hold{mutex_};
        let_go(exchange, now());
    }
    completions_.answered(exchange);
}

void LoopPool::cancel() {
    cancelled_ = true;
    const std::lock_guard hold{mutex_};
    for (const auto& loop : loops_) loop->inbox.cancel();
    cancel_workers();
}

void LoopPool::stop() {
    cancel();
    for (const auto& loop : loops_) loop->tasks.leave();
    for (const auto& loop : loops_) {
        if (loop->thread.joinable()) loop->thread.join();
    }
    if (!loops_.empty()) completions_.wake_at(Instant::max(), {}, this);
}

std::vector<CacheContent> LoopPool::cache_contents(std::size_t most) const {
    std::unique_lock hold{mutex_};
    const Stores all = stores();
    hold.unlock();
    return contents_of(all, most);
}

std::string LoopPool::cache_page() const {
    return contents_page(cache_contents(most_contents_shown), *store_counts_);
}

std::string LoopPool::remark() const {
    const std::lock_guard hold{mutex_};
    return remark_;
}

void LoopPool::sample(ServerSample& out) {
    const std::lock_guard hold{mutex_};
    const Instant at = now();
    const Server& server = in_force_->system.server;
    out.threads_per_worker = 1;
    out.loops = static_cast<std::uint32_t>(server.workers);
    out.cores = platform::usable_cores(static_cast<unsigned>(server.cores));
    out.queue_capacity = static_cast<std::uint32_t>(server.queue * server.workers);
    sample_loops(out, at);
    sample_workers(out);
    sampled_at_ = at;
}

void LoopPool::sample_loops(ServerSample& out, Instant now) {
    const double window = to_seconds(std::max(now - sampled_at_, Duration{1}));
    Duration cpu = departed_cpu_;
    std::vector<Duration> lags;
    for (const auto& loop : loops_) {
        const auto number = static_cast<std::size_t>(loop->number);
        const int in_hand = loop->places.busy() + loop->places.depth();
        TaskLoop::Look look = loop->tasks.look();
        cpu += platform::thread_cpu_time_of(loop->clock);
        out.busy_time += look.busy;
        out.queue_depth += static_cast<std::uint32_t>(loop->places.depth());
        out.in_service += static_cast<std::uint32_t>(loop->places.busy());
        out.loop_ready += look.ready;
        lags.insert(lags.end(), look.lags.begin(), look.lags.end());
        const TokenPool::Levels tokens = workers_[number]->tokens->levels();
        cpu += tokens.cpu;
        out.tokens_in_use += tokens.in_use;
        out.tokens_waiting += tokens.waiting;
        if (!loop->draining) out.tokens += tokens.tokens;
        if (loop->draining && in_hand == 0) continue;
        WorkerSample& sample = out.threads.emplace_back();
        sample.state = look.state;
        sample.request = look.request;
        sample.draining = loop->draining;
        sample.busy = std::clamp(to_seconds(look.busy) / window, 0.0, 1.0);
    }
    out.loop_lag = counted(std::move(lags));
    out.worker_cpu = std::max(Duration{}, cpu - std::exchange(sampled_cpu_, cpu));
}

}  // namespace lab::live
