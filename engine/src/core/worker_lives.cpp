// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/worker_lives.hpp"

#include <algorithm>

#include "core/keyed_random.hpp"
#include "lab/assert.hpp"

namespace lab::core {

namespace {

std::uint64_t cycles_of(Duration time) {
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(time / WorkerLives::cycle));
}

}  // namespace

WorkerLives::WorkerLives(const Server& server, std::uint64_t seed, Instant now)
    : server_{server}, seed_{seed}, next_cycle_{now + cycle} {
    const int always = server.cheaper > 0 ? server.cheaper : server.workers;
    lives_.resize(static_cast<std::size_t>(server.workers));
    for (int worker = 0; worker < std::min(always, server.workers); ++worker) begin(life(worker));
}

void WorkerLives::configure(const Server& server, Instant now) {
    server_ = server;
    lives_.resize(static_cast<std::size_t>(server.workers));
    for (Life& each : lives_) {
        if (each.state == State::booting) each.due = std::min(each.due, now + server.boot_time);
        if (each.state != State::off) continue;
        if (server.cheaper > 0 && running() >= server.cheaper) continue;
        if (server.boot_time > Duration{}) {
            boot(each, now);
        } else {
            begin(each);
        }
    }
    if (watches() && next_cycle_ <= now) next_cycle_ = now + cycle;
}

std::optional<WorkerLives::Order> WorkerLives::begun(int worker) {
    Life& each = life(worker);
    ++each.begun;
    if (server_.memory_limit.count == 0 || memory(worker).count <= server_.memory_limit.count) {
        return std::nullopt;
    }
    return Order{worker, Order::What::kill};
}

std::optional<WorkerLives::Order> WorkerLives::ended(int worker, Instant now) {
    Life& each = life(worker);
    ++each.ended;
    if (each.state != State::up || server_.max_requests == 0 || each.ended < last_of(each)) {
        return std::nullopt;
    }
    ++counts_.restarts;
    send_away(each, false, now);
    return Order{worker, Order::What::leave};
}

void WorkerLives::left(int worker, Instant now) {
    Life& each = life(worker);
    if (each.state != State::leaving) return;
    if (each.sent_away) {
        each = Life{};
    } else {
        boot(each, now);
    }
}

std::vector<WorkerLives::Order> WorkerLives::tick(std::span<const Look> looks, Instant now) {
    LAB_ASSERT(looks.size() == lives_.size());
    std::vector<Order> orders;
    for (int worker = 0; worker < workers(); ++worker) {
        Life& each = life(worker);
        if (each.state == State::booting && now >= each.due) {
            begin(each);
            ++counts_.boots;
            orders.push_back({worker, Order::What::serve});
        } else if (each.state == State::leaving && now >= each.due) {
            orders.push_back({worker, Order::What::kill});
        }
    }
    if (watches() && now >= next_cycle_) {
        // One that was missed is not made up for: the master was asleep with everybody.
        while (next_cycle_ <= now) next_cycle_ += cycle;
        look_for_the_dead(looks, now, orders);
        count_spare(looks, now, orders);
    }
    return orders;
}

void WorkerLives::look_for_the_dead(std::span<const Look> looks, Instant now,
                                    std::vector<Order>& orders) {
    if (server_.worker_timeout == Duration{}) return;
    for (int worker = 0; worker < workers(); ++worker) {
        const auto& silent = looks[static_cast<std::size_t>(worker)].silent_since;
        const State state = life(worker).state;
        if (state != State::up && state != State::leaving) continue;
        const Order kill{worker, Order::What::kill};
        if (!silent || now - *silent <= server_.worker_timeout) continue;
        if (std::find(orders.begin(), orders.end(), kill) == orders.end()) orders.push_back(kill);
    }
}

/// uWSGI's spare algorithm, once a cycle.
void WorkerLives::count_spare(std::span<const Look> looks, Instant now,
                              std::vector<Order>& orders) {
    if (server_.cheaper == 0) return;
    int busy = 0;
    for (int worker = 0; worker < workers(); ++worker) {
        if (life(worker).state == State::up && looks[static_cast<std::size_t>(worker)].busy) ++busy;
    }
    if (busy == running()) {
        ++overload_;
        idle_ = 0;
    } else if (overload_ > 0) {
        --overload_;
    }
    const std::uint64_t patience = cycles_of(server_.cheaper_overload);
    if (overload_ > patience) {
        overload_ = 0;
        int more = server_.cheaper_step;
        for (Life& each : lives_) {
            if (more == 0) return;
            if (each.state != State::off) continue;
            boot(each, now);
            --more;
        }
        return;
    }
    // Exactly one to spare is how it should be.
    if (overload_ > 0 || running() - busy == 1) return;
    ++idle_;
    if (running() <= server_.cheaper || idle_ % patience != 0) return;
    int oldest = -1;
    for (int worker = 0; worker < workers(); ++worker) {
        if (life(worker).state != State::up) continue;
        if (oldest < 0 || life(worker).number < life(oldest).number) oldest = worker;
    }
    if (oldest < 0) return;
    send_away(life(oldest), true, now);
    orders.push_back({oldest, Order::What::leave});
}

std::optional<Instant> WorkerLives::next_tick() const {
    std::optional<Instant> next;
    const auto at = [&next](Instant when) { next = next ? std::min(*next, when) : when; };
    for (const Life& each : lives_) {
        if (each.state == State::booting || each.state == State::leaving) at(each.due);
    }
    if (watches()) at(next_cycle_);
    return next;
}

void WorkerLives::killed(int worker, Instant now) {
    Life& each = life(worker);
    ++counts_.kills;
    if (each.sent_away) {
        each = Life{};
    } else {
        boot(each, now);
    }
}

Bytes WorkerLives::memory(int worker) const {
    const Life& each = life(worker);
    if (each.state == State::off) return {};
    return Bytes{server_.memory.count + static_cast<std::int64_t>(each.begun) * server_.leak.count};
}

void WorkerLives::boot(Life& life, Instant now) {
    life = Life{};
    life.state = State::booting;
    life.due = now + server_.boot_time;
}

void WorkerLives::begin(Life& life) {
    life = Life{};
    life.state = State::up;
    life.number = ++life_count_;
}

/// The request after which a life ends. Drawn once: its key is the number of the life.
std::uint64_t WorkerLives::last_of(const Life& life) const {
    const auto jitter = static_cast<std::uint64_t>(server_.max_requests_jitter);
    return static_cast<std::uint64_t>(server_.max_requests) +
           keyed_below(seed_, life.number, static_cast<std::uint32_t>(Purpose::life), jitter + 1);
}

void WorkerLives::send_away(Life& life, bool for_good, Instant now) {
    life.state = State::leaving;
    life.sent_away = for_good;
    life.due = now + server_.graceful_timeout;
}

bool WorkerLives::watches() const {
    return server_.worker_timeout > Duration{} || server_.cheaper > 0;
}

int WorkerLives::running() const {
    return static_cast<int>(std::count_if(lives_.begin(), lives_.end(),
                                          [](const Life& l) { return l.state != State::off; }));
}

const WorkerLives::Life& WorkerLives::life(int worker) const {
    LAB_ASSERT(worker >= 0);
    LAB_ASSERT(worker < workers());
    return lives_[static_cast<std::size_t>(worker)];
}

WorkerLives::Life& WorkerLives::life(int worker) {
    LAB_ASSERT(worker >= 0);
    LAB_ASSERT(worker < workers());
    return lives_[static_cast<std::size_t>(worker)];
}

}  // namespace lab::core
