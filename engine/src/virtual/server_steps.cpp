// SPDX-License-Identifier: GPL-3.0-or-later
// The effects of a request's program, performed in virtual time.
#include <algorithm>
#include <utility>

#include "lab/assert.hpp"
#include "virtual/server.hpp"

namespace lab::virtual_time {

using core::Op;
using core::ResourceId;

namespace {

std::size_t seat_of(int slot) { return static_cast<std::size_t>(slot); }
std::uint32_t thread_of(int slot) { return static_cast<std::uint32_t>(slot) + 1; }

}  // namespace

// ---------------------------------------------------------------- workers

void Server::grant(SessionId id, int slot, bool thread_sleeps) {
    Session& s = at(id);
    s.slot = slot;
    Seat& seat = seats_[seat_of(slot)];
    seat.session = id;
    seat.held_since = time_.now;
    if (s.state == State::in_hand) {
        put_to_work(id, thread_sleeps);
    } else {
        worker_bound(id);
    }
}

void Server::put_to_work(SessionId id, bool thread_sleeps) {
    Session& s = at(id);
    seats_[seat_of(s.slot)].request = s.planned.id;
    s.worker = workers_[seat_of(s.slot / rules().threads)].get();
    tell(RequestEvent::Kind::started, s);
    const Duration hand_off = costs().hand_off;
    if (thread_sleeps && hand_off > Duration{}) {
        time_.in(hand_off, EventKind::resume, id, ++s.token);
    } else {
        ready(id, outcome());
    }
}

/// The thread takes the next waiting request itself, without being put to sleep and woken.
void Server::let_go(SessionId id) {
    Session& s = at(id);
    const int slot = std::exchange(s.slot, -1);
    Seat& seat = seats_[seat_of(slot)];
    seat.session = nobody;
    seat.request = 0;
    seat.held_time += time_.now - seat.held_since;
    const bool drains = slots_.draining(slot);
    if (const auto wake = slots_.release(slot, time_.now)) {
        grant(static_cast<SessionId>(wake->ticket), wake->slot, false);
    } else if (drains) {
        rebuild_workers();
    }
    if (!held_.empty() || !backlog_.empty()) admit_held();
}

void Server::expire_queue() {
    queue_alarm_ = Instant::max();
    for (const core::Ticket late : slots_.expire(time_.now)) {
        refuse(static_cast<SessionId>(late), core::Fault::expired);
    }
    admit_held();
    set_queue_alarm();
}

void Server::set_queue_alarm() {
    // One that rings too early is set anew: cheaper than moving it with the queue's head.
    const Instant next = slots_.next_expiry().value_or(Instant::max());
    if (next >= queue_alarm_) return;
    queue_alarm_ = next;
    time_.at(next, EventKind::queue_patience, 0);
}

// ---------------------------------------------------------------- the program

void Server::drive(SessionId id, core::Outcome outcome) {
    Session& s = at(id);
    for (;;) {
        s.effect = core::next(s.cursor, outcome);
        if (s.effect.op == Op::respond) return respond(id);
        if (s.effect.op == Op::end) {
            LAB_ASSERT(s.cursor.ended);
            return cut_off(id);  // no answer is given
        }
        const Answer answer = perform(id, s);
        if (!answer) return;
        outcome = *answer;
    }
}

Server::Answer Server::perform(SessionId id, Session& s) {
    switch (s.effect.op) {
        case Op::acquire:
            return acquire(id, s);
        case Op::release:
            release(id, s);
            return outcome();
        case Op::spend:
            return spend(s);
        case Op::sleep:
            return sleep(id, s, s.effect.cost, Duration{});
        case Op::query:
            return sleep(id, s, s.generation->system.database.round_trip,
                         s.generation->prices.query(static_cast<QueryKind>(s.effect.arg)));
        case Op::update:
            return sleep(id, s, s.generation->system.database.round_trip, costs().update);
        case Op::render:
            return compute(s, s.generation->prices.render(s.effect.arg));
        case Op::fill:
            s.body += s.effect.arg;
            return compute(s, s.generation->prices.body(s.effect.arg));
        case Op::cache_get:
            return look_up(s);
        case Op::cache_put:
            return store(s);
        default:
            LAB_ASSERT(false);  // check_supported() lets no other through
            return outcome(core::Fault::failed);
    }
}

/// What the effect in hand has brought, at its end.
core::Outcome Server::completed(Session& s) {
    core::Outcome made = outcome();
    if (s.effect.op == Op::query) {
        const auto kind = static_cast<QueryKind>(s.effect.arg);
        made.rows = s.generation->prices.rows(kind);
        s.versions.push_back(data_.version(kind, s.planned.key));
    } else if (s.effect.op == Op::update) {
        data_.change(s.planned.key);
    } else if (s.effect.op == Op::cache_get) {
        made.hit = s.hit;
    }
    return made;
}

Server::Answer Server::compute(Session& s, Duration cost) {
    if (cost <= Duration{}) return completed(s);
    cores_.start(thread_of(s.slot), cost, Account::workers, time_.now);
    cores_changed();
    return std::nullopt;
}

void Server::computed(SessionId id) { ready(id, completed(at(id))); }

/// Sleeps, then computes.
Server::Answer Server::sleep(SessionId id, Session& s, Duration time, Duration then) {
    if (time <= Duration{}) return compute(s, then);
    s.computes_next = true;
    s.then = then;
    time_.in(time + costs().wake, EventKind::resume, id, ++s.token);
    return std::nullopt;
}

void Server::resumed(SessionId id) {
    Session& s = at(id);
    if (!std::exchange(s.computes_next, false)) return ready(id, outcome());
    if (const Answer done = compute(s, s.then)) ready(id, *done);
}

/// A computation lets the interpreter lock go where another thread asks for it.
Server::Answer Server::spend(Session& s) {
    const Duration cost = s.effect.cost;
    const bool locks = s.generation->system.server.interpreter_lock;
    if (locks && cost > Duration{} && s.worker->lock->drop_requested()) {
        s.broken_off = true;
        core::Outcome made = outcome();
        made.remaining = cost;
        return made;
    }
    return compute(s, cost);
}

// ---------------------------------------------------------------- locks and pools

Server::Answer Server::acquire(SessionId id, Session& s) {
    if (s.effect.resource == ResourceId::interpreter_lock) {
        core::InterpreterLock& lock = *s.worker->lock;
        if (lock.acquire(static_cast<core::Ticket>(s.slot), time_.now)) return outcome();
        time_.in(lock.switch_interval(), EventKind::lock_ask, id, ++s.token);
        return std::nullopt;
    }
    LAB_ASSERT(s.effect.resource == ResourceId::connection);
    Connections& pool = *s.worker->connections;
    const core::Grant granted = pool.slots.acquire(id, time_.now);
    if (granted.admission == core::Admission::granted) {
        count_pool();
        ++pool_in_use_;
        s.lease = granted.slot;
        return outcome();
    }
    ++s.token;
    set_pool_alarm(pool);
    return std::nullopt;
}

void Server::release(SessionId id, Session& s) {
    switch (s.effect.resource) {
        case ResourceId::worker:
            // A worker that was given a connection stays with it.
            if (!s.bind_at_accept || rules().bind != BindPoint::accept) {
                s.bound = false;
                let_go(id);
            }
            return;
        case ResourceId::connection:
            return release_connection(s);
        case ResourceId::interpreter_lock:
            return release_lock(s);
        case ResourceId::loop:
        case ResourceId::token:
        case ResourceId::write_lock:
            return;
    }
}

/// Whom the system's scheduler wakes is a lot; whoever comes before that thread runs takes the
/// lock.
void Server::release_lock(Session& s) {
    core::InterpreterLock& lock = *s.worker->lock;
    lock.release(static_cast<core::Ticket>(s.slot), time_.now, std::exchange(s.broken_off, false));
    const auto& waiting = lock.waiting();
    if (waiting.empty()) return;
    constexpr auto order = static_cast<std::uint32_t>(core::Purpose::order);
    const auto lot = core::keyed_below(options_.seed, ++lots_, order, waiting.size());
    const SessionId woken = seats_[waiting[lot]].session;
    time_.in(costs().hand_off, EventKind::lock_wake, woken, at(woken).token);
}

void Server::lock_asked(SessionId id) {
    Session& s = at(id);
    core::InterpreterLock& lock = *s.worker->lock;
    const auto ticket = static_cast<core::Ticket>(s.slot);
    time_.at(lock.ask(ticket, time_.now), EventKind::lock_ask, id, s.token);
    if (!lock.drop_requested()) return;
    const auto slot = static_cast<int>(*lock.holder());
    const SessionId holder = seats_[seat_of(slot)].session;
    Session& computing = at(holder);
    // Whoever holds the lock and does something else looks at it when that is done.
    if (computing.effect.op != Op::spend || !cores_.computes(thread_of(slot))) return;
    computing.broken_off = true;
    core::Outcome made = outcome();
    made.remaining = cores_.stop(thread_of(slot), time_.now);
    cores_changed();
    ready(holder, made);
}

void Server::lock_woken(SessionId id) {
    Session& s = at(id);
    core::InterpreterLock& lock = *s.worker->lock;
    if (lock.retry(static_cast<core::Ticket>(s.slot), time_.now)) return ready(id, outcome());
    // Woken in vain: a new interval begins, and the old one's end is out of date.
    time_.in(lock.switch_interval(), EventKind::lock_ask, id, ++s.token);
}

void Server::count_pool() {
    pool_busy_ += (time_.now - pool_counted_) * pool_in_use_;
    pool_counted_ = time_.now;
}

void Server::release_connection(Session& s) {
    count_pool();
    --pool_in_use_;
    const auto wake = s.worker->connections->slots.release(std::exchange(s.lease, -1), time_.now);
    if (!wake) return;
    const auto next = static_cast<SessionId>(wake->ticket);
    ++pool_in_use_;
    at(next).lease = wake->slot;
    ready(next, outcome());
}

void Server::set_pool_alarm(Connections& pool) {
    const Instant next = pool.slots.next_expiry().value_or(Instant::max());
    if (next >= pool.alarm) return;
    pool.alarm = next;
    time_.at(next, EventKind::pool_patience, pool.number);
}

void Server::expire_pool(std::uint32_t number) {
    Connections& pool = *pools_[number];
    pool.alarm = Instant::max();
    for (const core::Ticket late : pool.slots.expire(time_.now)) {
        ready(static_cast<SessionId>(late), outcome(core::Fault::pool_timeout));
    }
    set_pool_alarm(pool);
}

// ---------------------------------------------------------------- the cache

/// Differs for two requests exactly where the texts differ that the live engine compares.
void Server::write_key(std::string& key, const Session& s) const {
    const KeyRule& rule = s.cursor.program->keys[s.effect.arg];
    const Address& address = addresses_[s.planned.route];
    key = std::to_string(s.planned.route) + "." + std::to_string(s.effect.arg);
    if (rule.path && address.key_in_path) key += "/" + std::to_string(s.planned.key);
    if (rule.query && address.key_in_query) key += "?" + std::to_string(s.planned.key);
    if (rule.query && address.user_in_query) key += "&" + std::to_string(s.planned.user);
    if (rule.user) key += "@" + std::to_string(s.planned.user);
}

Server::Answer Server::look_up(Session& s) {
    core::ResponseCache* const cache = s.worker->cache.get();
    write_key(key_, s);
    const core::CachedAnswer* const found = cache ? cache->get(key_, time_.now) : nullptr;
    if (found == nullptr) {
        ++misses_;
        s.marks.push_back({key_, s.versions.size()});
    } else {
        ++hits_;
        s.versions.insert(s.versions.end(), found->versions.begin(), found->versions.end());
        if (found->made_for != s.planned.user) s.reply.made_for = found->made_for;
    }
    s.hit = found != nullptr;
    return compute(s, costs().cache);
}

Server::Answer Server::store(Session& s) {
    LAB_ASSERT(!s.marks.empty());
    const Mark mark = std::move(s.marks.back());
    s.marks.pop_back();
    if (core::ResponseCache* const cache = s.worker->cache.get()) {
        const auto first = s.versions.begin() + static_cast<std::ptrdiff_t>(mark.versions);
        const std::uint64_t before = cache->evictions();
        core::CachedAnswer made;
        made.made_for = s.reply.made_for;
        made.versions.assign(first, s.versions.end());
        cache->put(mark.key, std::move(made), time_.now, {}, 0);
        evictions_ += cache->evictions() - before;
    }
    return compute(s, costs().cache);
}

void Server::change_row() {
    data_.change(changed_keys_.draw(options_.seed, ++changed_,
                                    static_cast<std::uint32_t>(core::Purpose::update)));
    data_.count_change();
    const ArrivalRate rate = generation().system.database.updates;
    if (rate.per_second() <= 0) return;
    time_.in(rate.mean_gap(), EventKind::row_changes, 0, changes_token_);
}

}  // namespace lab::virtual_time
