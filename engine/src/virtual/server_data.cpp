// SPDX-License-Identifier: GPL-3.0-or-later
// What a request does with the database and the cache.
#include <algorithm>
#include <utility>

#include "lab/assert.hpp"
#include "virtual/server.hpp"

namespace lab::virtual_time {

using core::Op;

namespace {

/// The first of those who change a row behind the application's back, among the tickets of tasks.
constexpr core::Ticket row_writer = std::uint64_t{1} << 32U;

}  // namespace

// ---------------------------------------------------------------- connections

Server::Answer Server::acquire_connection(TaskId id, Task& t) {
    Connections& own = *t.worker->connections;
    const core::QueuePool::Taken taken = own.pool.acquire(id, time_.now);
    if (taken.grant.admission == core::Admission::granted) {
        connection_granted(id, taken.grant.slot, taken.opens);
        return outcome();
    }
    ++t.token;
    if (has_turn(id, t)) await_turn(id, t, Task::Waits::connection, Instant::max());
    set_pool_alarm(own);
    return std::nullopt;
}

void Server::connection_granted(TaskId id, int slot, bool opens) {
    count_pool();
    ++pool_in_use_;
    if (opens) ++database_.opened;
    task(id).lease = slot;
}

void Server::count_pool() {
    pool_busy_ += (time_.now - pool_counted_) * pool_in_use_;
    pool_counted_ = time_.now;
}

void Server::release_connection(Task& t) {
    if (t.lease < 0) return;
    count_pool();
    --pool_in_use_;
    const auto back = t.worker->connections->pool.release(std::exchange(t.lease, -1), time_.now);
    if (back.wake) pass_connection(*back.wake, back.opens);
}

/// To somebody who waits for it.
void Server::pass_connection(const core::Wake& wake, bool opens) {
    const auto next = static_cast<TaskId>(wake.ticket);
    connection_granted(next, wake.slot, opens);
    Task& t = task(next);
    if (t.waits == Task::Waits::connection) {
        wake_on_loop(next, t, core::Fault::none);
    } else {
        ready(next, outcome());
    }
}

void Server::set_pool_alarm(Connections& own) {
    const Instant next = own.pool.next_expiry().value_or(Instant::max());
    if (next >= own.alarm) return;
    own.alarm = next;
    time_.at(next, EventKind::pool_patience, own.number);
}

void Server::expire_pool(std::uint32_t number) {
    if (number >= pools_.size() || !pools_[number]) return;
    const std::shared_ptr<Connections> own = pools_[number];
    own->alarm = Instant::max();
    for (const core::Ticket late : own->pool.expire(time_.now)) {
        const auto id = static_cast<TaskId>(late);
        ++database_.pool_timeouts;
        if (task(id).waits == Task::Waits::connection) {
            wake_on_loop(id, task(id), core::Fault::pool_timeout);
        } else {
            ready(id, outcome(core::Fault::pool_timeout));
        }
    }
    set_pool_alarm(*own);
}

// ---------------------------------------------------------------- the write lock

/// SQLite's driver blocks: on a loop nobody else runs meanwhile.
Server::Answer Server::acquire_write_lock(TaskId id, Task& t) {
    const core::Grant granted = writers_.acquire(id, time_.now);
    if (granted.admission == core::Admission::granted) {
        t.writes = true;
        return outcome();
    }
    ++t.token;
    set_write_alarm();
    return std::nullopt;
}

/// Commits what was changed.
void Server::release_write_lock(Task& t) {
    if (std::exchange(t.changed, false)) data_.change(at(t.session).planned.key, time_.now);
    if (std::exchange(t.writes, false)) pass_write_lock();
}

void Server::pass_write_lock() {
    for (auto wake = writers_.release(0, time_.now); wake; wake = writers_.release(0, time_.now)) {
        if (wake->ticket < row_writer) {
            const auto next = static_cast<TaskId>(wake->ticket);
            task(next).writes = true;
            wake_later(next);
            return;
        }
        commit_row();
    }
}

void Server::set_write_alarm() {
    const Instant next = writers_.next_expiry().value_or(Instant::max());
    if (next >= write_alarm_) return;
    write_alarm_ = next;
    time_.at(next, EventKind::write_patience, 0);
}

void Server::expire_writers() {
    write_alarm_ = Instant::max();
    for (const core::Ticket late : writers_.expire(time_.now)) {
        if (late >= row_writer) {  // has no limit
            static_cast<void>(writers_.acquire(late, time_.now));
            continue;
        }
        ++database_.lock_timeouts;
        ready(static_cast<TaskId>(late), outcome(core::Fault::lock_timeout));
    }
    set_write_alarm();
}

// ---------------------------------------------------------------- queries

/// To the database, where that has not been awaited already, then computes there.
Server::Answer Server::query(TaskId id, Task& t) {
    const Duration round_trip = t.generation->system.database.round_trip;
    if (t.effect.travelled || round_trip <= Duration{}) return begin_query(id, t);
    return sleep(id, t, round_trip, Duration{});
}

Server::Answer Server::begin_query(TaskId id, Task& t) {
    const Prices& prices = t.generation->prices;
    const Duration cost = t.effect.op == Op::update
                              ? prices.update()
                              : prices.question(core::AskedQuery::unpacked(t.effect.arg)).cpu;
    const Duration limit = t.generation->system.database.query_timeout;
    if (limit > Duration{} && cost > Duration{}) {
        time_.in(limit, EventKind::query_limit, id, ++t.token);
    }
    return compute(id, t, cost);
}

/// It has run for too long.
void Server::query_over(TaskId id) {
    const Task& t = task(id);
    if (!cores_.computes(t.thread) || running_[t.thread] != id) return;
    static_cast<void>(cores_.stop(t.thread, time_.now));
    cores_changed();
    ++database_.queries;
    ++database_.query_timeouts;
    ready(id, outcome(core::Fault::query_timeout));
}

void Server::queried(Task& t, core::Outcome& made) {
    ++database_.queries;
    if (t.effect.op == Op::update) {
        t.changed = true;
        return;
    }
    const core::AskedQuery asked = core::AskedQuery::unpacked(t.effect.arg);
    const Prices::Question question = t.generation->prices.question(asked);
    database_.rows_touched += question.touched;
    made.rows = question.rows;
    // One version a step; of what is asked several times the oldest.
    const std::uint64_t version = data_.seen(time_.now);
    if (asked.trip == 0) {
        t.versions.push_back(version);
        note_rows(t, asked);
    } else if (!t.versions.empty() && core::repeats(asked.kind)) {
        t.versions.back() = std::min(t.versions.back(), version);
    }
}

/// For a write that drops what was made from them.
void Server::note_rows(Task& t, const core::AskedQuery& asked) {
    if (!t.worker->cache || !t.generation->system.cache.invalidate_on_write) return;
    const std::uint64_t key = at(t.session).planned.key;
    switch (asked.kind) {
        case QueryKind::product_by_sku:
        case QueryKind::product_by_id:
        case QueryKind::products_by_category:
            t.rows.push_back(data_.keys().row_of(asked.kind, key));
            return;
        case QueryKind::products_under_price:
            t.rows.push_back(core::Keyspace::whole_table());
            return;
        case QueryKind::reviews_per_product:
        case QueryKind::reviews_in_batch:
        case QueryKind::reviews_joined: {
            const auto first = static_cast<std::uint64_t>(data_.keys().page_of(key, asked.times));
            for (std::uint64_t i = 0; i < asked.times; ++i) t.rows.push_back(first + i);
            return;
        }
    }
}

void Server::change_row() {
    const ArrivalRate rate = generation().system.database.updates;
    if (rate.per_second() > 0) {
        time_.in(rate.mean_gap(), EventKind::row_changes, 0, changes_token_);
    }
    const auto granted = writers_.acquire(row_writer + row_writers_++, time_.now).admission;
    if (granted != core::Admission::granted) return set_write_alarm();
    commit_row();
    pass_write_lock();
}

void Server::commit_row() {
    const std::uint64_t key = changed_keys_.draw(options_.seed, ++changed_,
                                                 static_cast<std::uint32_t>(core::Purpose::update));
    data_.change(key, time_.now);
    data_.count_change();
}

// ---------------------------------------------------------------- the cache

Server::CacheWatch::~CacheWatch() {
    const core::CacheDesk::Counts& now = cache.counts();
    server.cache_.hits += now.hits - before.hits;
    server.cache_.misses += now.misses - before.misses;
    server.cache_.errors += now.errors - before.errors;
    server.cache_.duplicates += now.duplicates - before.duplicates;
    server.evictions_ += cache.evictions() - evictions;
}

/// Differs for two requests exactly where the texts differ that the live engine compares.
void Server::write_key(std::string& key, const Task& t) const {
    const KeyRule& rule = t.cursor.program->keys[t.effect.arg];
    const core::Planned& asked = at(t.session).planned;
    const Address& address = addresses_[asked.route];
    key = std::to_string(asked.route) + "." + std::to_string(t.effect.arg);
    if (rule.function != KeyFunction::parts) return;
    if (rule.path && address.key_in_path) key += "/" + std::to_string(asked.key);
    if (rule.query && address.key_in_query) key += "?" + std::to_string(asked.key);
    if (rule.query && address.user_in_query) key += "&" + std::to_string(asked.user);
    if (rule.user) key += "@" + std::to_string(asked.user);
    if (rule.header) key += "~" + std::to_string(at(t.session).language);
}

Server::Answer Server::look_up(TaskId id, Task& t) {
    using Verdict = core::CacheDesk::Verdict;
    core::CacheDesk* const cache = t.worker->cache.get();
    const KeyRule& rule = t.cursor.program->keys[t.effect.arg];
    t.hit = t.busy = false;
    t.awaited.clear();
    bool uncached = cache == nullptr;
    if (cache != nullptr && rule.function == KeyFunction::throws) {
        const CacheWatch watch{*this, *cache};
        cache->key_failed();
        uncached = true;
    } else if (cache != nullptr) {
        write_key(key_, t);
        const CacheWatch watch{*this, *cache};
        const auto look = cache->look_up(key_, time_.now, t.effect.lot);
        t.hit = look.verdict == Verdict::hit;
        t.busy = look.verdict == Verdict::busy;
        uncached = look.verdict == Verdict::failed;
        if (t.hit) take_in(t, look.entry->answer);
    }
    if (t.busy) {
        t.awaited = key_;
    } else if (!t.hit) {
        t.marks.push_back({key_, time_.now, t.versions.size(), t.rows.size(), t.body, uncached});
    }
    return compute(id, t, costs().cache);
}

void Server::take_in(Task& t, const core::CachedAnswer& found) {
    t.body += found.weight;
    t.versions.insert(t.versions.end(), found.versions.begin(), found.versions.end());
    t.rows.insert(t.rows.end(), found.rows.begin(), found.rows.end());
    if (found.made_for != at(t.session).planned.user) t.made_for = found.made_for;
    if (found.language != at(t.session).language) t.language = found.language;
}

/// Until whoever makes the entry has done.
Server::Answer Server::await_entry(TaskId id, Task& t) {
    if (!t.worker->cache || !t.worker->cache->await(t.awaited, id)) return outcome();
    ++t.token;
    if (has_turn(id, t)) await_turn(id, t, Task::Waits::entry, Instant::max());
    return std::nullopt;
}

void Server::wake_waiting(const std::vector<core::Ticket>& waiting) {
    for (const core::Ticket ticket : waiting) {
        const auto id = static_cast<TaskId>(ticket);
        task(id).awaited.clear();
        wake_later(id);
    }
}

Server::Answer Server::store(TaskId id, Task& t) {
    LAB_ASSERT(!t.marks.empty());
    const Task::Mark mark = std::move(t.marks.back());
    t.marks.pop_back();
    if (!mark.uncached) {
        const auto after = [](const std::vector<std::uint64_t>& all, std::size_t before) {
            return std::vector<std::uint64_t>(all.begin() + static_cast<std::ptrdiff_t>(before),
                                              all.end());
        };
        core::CachedAnswer made;
        made.made_for = t.made_for;
        made.language = t.language;
        made.versions = after(t.versions, mark.versions);
        made.rows = after(t.rows, mark.rows);
        made.weight = t.body - mark.body;
        core::CacheDesk& cache = *t.worker->cache;
        const CacheWatch watch{*this, cache};
        wake_waiting(cache.put(mark.key, std::move(made), time_.now, time_.now - mark.since,
                               t.effect.lot));
    }
    return compute(id, t, costs().cache);
}

/// The steps failed: whoever waits for the entry makes it.
void Server::give_up_entries(Task& t) {
    for (const Task::Mark& mark : t.marks) {
        if (!mark.uncached) wake_waiting(t.worker->cache->give_up(mark.key));
    }
    t.marks.clear();
}

/// A row's own entries, those of its category, and those made from the whole table.
Server::Answer Server::drop_entries(TaskId id, Task& t) {
    if (core::CacheDesk* const cache = t.worker->cache.get()) {
        const std::uint64_t key = at(t.session).planned.key;
        cache->drop_made_from(data_.keys().row_of(QueryKind::product_by_id, key));
        cache->drop_made_from(data_.keys().row_of(QueryKind::products_by_category, key));
        cache->drop_made_from(core::Keyspace::whole_table());
    }
    return compute(id, t, costs().cache);
}

}  // namespace lab::virtual_time
