// SPDX-License-Identifier: GPL-3.0-or-later
// The way of an exchange: into the queue, to a slot, through its program, and back. What changes
// and counts slots and workers is in worker_pool_settings.cpp; how workers come and go in
// worker_pool_lives.cpp.
#include "live/worker_pool.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "lab/assert.hpp"
#include "live/platform.hpp"
#include "live/turned_away.hpp"

namespace lab::live {

namespace {

Instant now() { return std::chrono::steady_clock::now(); }

bool releases_worker(const core::Effect& effect) {
    return effect.op == core::Op::release && effect.resource == core::ResourceId::worker;
}

/// bind() leaves this in an exchange that waits without a request.
constexpr core::Effect no_request{};

}  // namespace

GenerationPtr WorkerPool::generation() const {
    const std::lock_guard hold{generation_mutex_};
    return newest_;
}

void WorkerPool::set_on_accepting(std::function<void()> on_change) {
    const std::lock_guard hold{mutex_};
    on_accepting_ = std::move(on_change);
}

void WorkerPool::opened(Exchange& exchange) {
    const std::lock_guard hold{mutex_};
    connected_.insert(&exchange);
    exchange.home = slots_->open();
    update_accepting();
}

void WorkerPool::closed(Exchange& exchange) {
    const std::lock_guard hold{mutex_};
    connected_.erase(&exchange);
    completions_.forget_gone(exchange);
    slots_->close(std::exchange(exchange.home, core::WorkerSlots::nowhere));
    admit_from_outside(now());
    update_accepting();
}

void WorkerPool::bind(Exchange& exchange) {
    exchange.effect = no_request;
    const std::lock_guard hold{mutex_};
    static_cast<void>(enter(exchange, now()));
}

void WorkerPool::submit(Exchange& exchange) {
    exchange.answer.clear();
    exchange.answer.made_for = exchange.user;
    exchange.answer.language = exchange.language;
    const Instant begun = now();
    exchange.effect = core::next(exchange.cursor, {.now = begun});
    Seat* seat = nullptr;
    {
        const std::lock_guard hold{mutex_};
        if (exchange.slot >= 0) {
            seat = &this->seat(exchange.slot);
            put_to_work(*seat, exchange, begun);
        } else {
            seat = enter(exchange, now());
        }
    }
    if (seat != nullptr) seat->inbox.give(exchange);
}

/// Returns the seat whose thread is to be given the exchange, or nullptr.
WorkerPool::Seat* WorkerPool::enter(Exchange& exchange, Instant now) {
    if (cancelled_) {
        reset(exchange, completions_);
        return nullptr;
    }
    const bool waits_unread = in_force_->system.server.when_full == WhenFull::wait;
    const bool after_others = waits_unread && exchange.home < 0 && !outside_.empty();
    if (changing_ || after_others || !find_home(exchange)) {
        exchange.place = Exchange::Place::outside;
        outside_.push_back(&exchange);
        update_accepting();
        return nullptr;
    }
    const core::Grant granted = slots_->acquire(ticket_of(exchange), exchange.home, now);
    Seat* seat = nullptr;
    switch (granted.admission) {
        case core::Admission::granted:
            seat = grant(exchange, granted.slot, now);
            break;
        case core::Admission::queued:
            exchange.place = Exchange::Place::waiting;
            events_.tell({exchange.cursor.id, RequestEvent::Kind::queued, 0, Ending::ok, now});
            set_alarm();
            break;
        case core::Admission::refused:
            turn_away(exchange, now);
            break;
    }
    update_accepting();
    return seat;
}

/// False: it belongs to a worker, and none has room for it.
bool WorkerPool::find_home(Exchange& exchange) {
    if (in_force_->system.server.dispatch == Dispatch::shared || exchange.home >= 0) return true;
    exchange.home = slots_->open();
    return exchange.home >= 0;
}

void WorkerPool::turn_away(Exchange& exchange, Instant now) {
    switch (in_force_->system.server.when_full) {
        case WhenFull::wait:
            exchange.place = Exchange::Place::outside;
            outside_.push_back(&exchange);
            return;
        case WhenFull::reject:
            refuse(exchange, core::Fault::refused, now, completions_);
            return;
        case WhenFull::reset:
            reset(exchange, completions_);
            return;
    }
}

/// nullptr where the exchange is not to be given to a thread: nothing to run, or no thread.
WorkerPool::Seat* WorkerPool::grant(Exchange& exchange, int slot, Instant now) {
    if (!start_thread(slot)) {
        refuse(exchange, core::Fault::refused, now, completions_);
        if (const auto wake = slots_->release(slot, now)) grant_and_give(*wake, now);
        return nullptr;
    }
    Seat& granted = seat(slot);
    exchange.slot = slot;
    granted.holder = &exchange;
    granted.held_since = now;
    if (acquires_worker(exchange.effect)) {
        put_to_work(granted, exchange, now);
        return &granted;
    }
    granted.executor.state.store(WorkerState::io_wait, std::memory_order_relaxed);
    exchange.place = Exchange::Place::bound;
    completions_.bound(exchange);
    return nullptr;
}

void WorkerPool::put_to_work(Seat& seat, Exchange& exchange, Instant now) {
    exchange.place = Exchange::Place::in_hand;
    seat.request = exchange.cursor.id;
    const int worker = slots_->worker_of(seat.slot);
    seat.worker = workers_[static_cast<std::size_t>(worker)];
    exchange.served_by = worker;
    if (worker < lives_.workers() && lives_.begun(worker)) {
        // This request finds no memory any more; the rest not from here, as what the worker has may
        // be in the hands of the caller.
        seat.worker->killed->store(true);
        completions_.post([this, worker, doomed = seat.worker] {
            const std::lock_guard hold{mutex_};
            const auto place = static_cast<std::size_t>(worker);
            const bool lives = place < workers_.size() && workers_[place] == doomed;
            if (lives && worker < lives_.workers()) kill(worker, std::chrono::steady_clock::now());
        });
    }
    events_.tell({exchange.cursor.id, RequestEvent::Kind::started,
                  static_cast<std::uint16_t>(seat.slot), Ending::ok, now});
}

void WorkerPool::grant_and_give(const core::Wake& wake, Instant now) {
    Exchange& exchange = exchange_of(wake.ticket);
    if (Seat* const seat = grant(exchange, wake.slot, now)) seat->inbox.give(exchange);
}

/// Lets the slot of an exchange go. Returns the seat if its thread has another exchange to run at
/// once; that is its holder.
WorkerPool::Seat* WorkerPool::let_go(Exchange& exchange, Instant now) {
    const int slot = std::exchange(exchange.slot, -1);
    Seat& free = seat(slot);
    free.holder = nullptr;
    free.request = 0;
    free.held_time += now - free.held_since;
    free.executor.state.store(WorkerState::idle, std::memory_order_relaxed);
    const int worker = slots_->worker_of(slot);
    const bool drains = slots_->draining(slot);
    Seat* next = nullptr;
    if (const auto wake = slots_->release(slot, now)) {
        next = grant(exchange_of(wake->ticket), wake->slot, now);
    } else if (drains) {
        leave(slot);
        rebuild_workers();
    } else {
        look_whether_left(worker, now);
    }
    if (changing_ && slots_->busy() == 0) end_change(now);
    admit_from_outside(now);
    update_accepting();
    return next;
}

void WorkerPool::admit_from_outside(Instant now) {
    while (!outside_.empty() && !changing_) {
        Exchange& first = *outside_.front();
        if (!find_home(first)) return;
        const core::Grant granted = slots_->acquire(ticket_of(first), first.home, now);
        if (granted.admission == core::Admission::refused) return;
        outside_.pop_front();
        if (granted.admission == core::Admission::granted) {
            grant_and_give({ticket_of(first), granted.slot}, now);
        } else {
            first.place = Exchange::Place::waiting;
            events_.tell({first.cursor.id, RequestEvent::Kind::queued, 0, Ending::ok, now});
            set_alarm();
        }
    }
}

void WorkerPool::update_accepting() {
    const Server& server = in_force_->system.server;
    // A worker that accepts ahead and has no room leaves the rest to the kernel, whatever is set.
    const bool waits = server.when_full == WhenFull::wait || server.dispatch == Dispatch::ahead;
    const bool accepts = outside_.empty() && !changing_ && !(waits && slots_->full());
    if (accepting_.exchange(accepts) == accepts) return;
    if (accepts && on_accepting_) completions_.post(on_accepting_);
}

void WorkerPool::set_alarm() {
    // An alarm that rings too early is set anew: cheaper than moving it whenever the queue's head
    // changes.
    const Instant next = std::min(slots_->next_expiry().value_or(Instant::max()),
                                  lives_.next_tick().value_or(Instant::max()));
    if (next >= alarm_) return;
    alarm_ = next;
    completions_.wake_at(
        next,
        [this] {
            const std::lock_guard hold{mutex_};
            on_alarm(now());
        },
        this);
}

void WorkerPool::on_alarm(Instant now) {
    alarm_ = Instant::max();  // it has rung
    if (cancelled_) return;
    expire(now);
    carry_out(lives_.tick(looks(), now), now);
    admit_from_outside(now);
    update_accepting();
    set_alarm();
}

void WorkerPool::expire(Instant now) {
    for (const core::Ticket ticket : slots_->expire(now)) {
        refuse(exchange_of(ticket), core::Fault::expired, now, completions_);
    }
}

void WorkerPool::finish(Exchange& exchange, bool keep_worker) {
    const Instant at = now();
    if (exchange.cursor.program != nullptr) {
        while (!exchange.cursor.ended) {
            static_cast<void>(core::next(exchange.cursor, {.now = at}));
        }
    }
    Seat* next = nullptr;
    {
        const std::lock_guard hold{mutex_};
        exchange.place = Exchange::Place::nowhere;
        count_end(exchange, at);
        if (exchange.slot < 0) return;
        if (keep_worker) {
            exchange.place = Exchange::Place::bound;
            Seat& kept = seat(exchange.slot);
            kept.request = 0;
            kept.executor.state.store(WorkerState::io_wait, std::memory_order_relaxed);
            return;
        }
        next = let_go(exchange, now());
    }
    if (next != nullptr) next->inbox.give(*next->holder);
}

bool WorkerPool::withdraw(Exchange& exchange) {
    Seat* next = nullptr;
    {
        const std::lock_guard hold{mutex_};
        switch (exchange.place) {
            case Exchange::Place::nowhere:
                return true;
            case Exchange::Place::waiting:
                slots_->withdraw(ticket_of(exchange));
                admit_from_outside(now());
                update_accepting();
                break;
            case Exchange::Place::outside:
                std::erase(outside_, &exchange);
                update_accepting();
                break;
            case Exchange::Place::bound:
                completions_.forget(exchange);  // on_bound() may be on its way
                next = let_go(exchange, now());
                break;
            case Exchange::Place::in_hand:
                return false;
        }
        exchange.place = Exchange::Place::nowhere;
    }
    if (next != nullptr) next->inbox.give(*next->holder);
    return true;
}

/// Walks the program of an exchange as far as the workers go, hands it to the front end, and
/// returns the next one for this slot, or nullptr. On the slot's thread.
Exchange* WorkerPool::serve(Seat& seat, Exchange& exchange) {
    const int cores = exchange.generation->system.server.cores;
    if (std::exchange(seat.cores, cores) != cores) {
        static_cast<void>(platform::restrict_this_thread(static_cast<unsigned>(cores)));
    }
    const WorkerPtr worker = std::move(seat.worker);
    seat.executor.begin(exchange, worker);
    core::Effect effect = exchange.effect;
    core::Outcome outcome;
    bool lets_go = false;
    while (effect.op != core::Op::respond && effect.op != core::Op::end) {
        if (acquires_worker(effect)) {
            outcome = {.now = now()};
        } else if (releases_worker(effect)) {
            lets_go = !keeps_worker(exchange);
            outcome = {.now = now()};
        } else if (effect.op == core::Op::fork) {
            seat.executor.state.store(WorkerState::io_wait, std::memory_order_relaxed);
            outcome = seat.branches.run_branches(exchange, worker, seat.executor);
        } else {
            outcome = seat.executor.perform(effect);
        }
        effect = core::next(exchange.cursor, outcome);
    }
    seat.executor.end();
    if (effect.op == core::Op::end) effect.status = 0;
    exchange.effect = effect;
    events_.tell({exchange.cursor.id, RequestEvent::Kind::answered,
                  static_cast<std::uint16_t>(seat.slot), Ending::ok, outcome.now});
    Exchange* next = nullptr;
    if (lets_go) {
        // Before the answer is handed over: who asks again upon it finds the slot free.
        const std::lock_guard hold{mutex_};
        if (let_go(exchange, now()) != nullptr) next = seat.holder;
    } else {
        seat.executor.state.store(WorkerState::writing, std::memory_order_relaxed);
    }
    completions_.answered(exchange);
    return next;
}

}  // namespace lab::live
