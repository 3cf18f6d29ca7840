// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/worker_slots.hpp"

#include <algorithm>

#include "core/keyed_random.hpp"
#include "lab/assert.hpp"

namespace lab::core {

/// `act(part, number of the slot in it)` for every slot of a worker that there is.
template <class Self, class Act>
void WorkerSlots::each_slot(Self& self, int worker, Act&& act) {
    if (self.ahead()) {
        auto& part = self.parts_[static_cast<std::size_t>(worker)];
        for (int slot = 0; slot < part.pool.slots(); ++slot) act(part, slot);
        return;
    }
    auto& part = self.parts_.front();
    for (int slot = 0; slot < part.pool.slots(); ++slot) {
        if (self.worker_of(slot) == worker) act(part, slot);
    }
}

WorkerSlots::WorkerSlots(const Server& server, std::uint64_t seed) : server_{server}, seed_{seed} {
    stopped_.resize(static_cast<std::size_t>(server.workers));
    if (!ahead()) {
        const SlotPool::Options options{0, server.queue, server.queue_timeout};
        parts_.push_back({SlotPool{options}, 0, 0, true});
        return;
    }
    const SlotPool::Options options{0, server.worker_connections, server.queue_timeout};
    for (int worker = 0; worker < server.workers; ++worker) {
        parts_.push_back({SlotPool{options}, worker * server.threads, 0, true});
    }
}

bool WorkerSlots::fits(const Server& server) const {
    if (server.dispatch != server_.dispatch) return false;
    if ((server.threads == 0) != (server_.threads == 0)) return false;
    if (unbounded()) return server.workers == server_.workers;
    return !ahead() || (server.workers == server_.workers && server.threads == server_.threads);
}

std::vector<Wake> WorkerSlots::configure(const Server& server, int slots,
                                         const std::vector<bool>& stopped, Instant now) {
    LAB_ASSERT(fits(server));
    LAB_ASSERT(stopped.size() == static_cast<std::size_t>(server.workers));
    server_ = server;
    stopped_ = stopped;
    std::vector<Wake> woken;
    for (int slot = 0; slot < slots; ++slot) {
        // A slot may be another worker's now; one that is yet to come waits for its worker too.
        Part& part = part_of_slot(slot);
        const int own = slot - part.first;
        if (stopped_[static_cast<std::size_t>(worker_of(slot))]) {
            part.pool.pause(own);
        } else if (auto wake = part.pool.resume(own, now)) {
            woken.push_back({wake->ticket, slot});
        }
    }
    for (std::size_t worker = 0; ahead() && worker < parts_.size(); ++worker) {
        if (stopped_[worker]) parts_[worker].door_open = false;
    }
    for (Part& part : parts_) {
        part.pool.set_patience(server.queue_timeout);
        part.pool.set_queue_capacity(ahead() ? server.worker_connections : server.queue);
        const int own = ahead() ? std::clamp(slots - part.first, 0, server.threads) : slots;
        for (const Wake& wake : part.pool.resize(own, now)) {
            woken.push_back({wake.ticket, wake.slot + part.first});
        }
    }
    return woken;
}

/// By chance and not by who is free: all of them wake, and the one that the system runs first
/// accepts.
int WorkerSlots::open() {
    if (!ahead()) return nowhere;
    std::vector<int> with_room;
    for (int worker = 0; worker < server_.workers; ++worker) {
        const Part& part = parts_[static_cast<std::size_t>(worker)];
        if (part.door_open && part.connections < server_.worker_connections) {
            with_room.push_back(worker);
        }
    }
    if (with_room.empty()) return nowhere;
    const auto which = keyed_below(seed_, opened_++, static_cast<std::uint32_t>(Purpose::accept),
                                   with_room.size());
    const int worker = with_room[static_cast<std::size_t>(which)];
    ++parts_[static_cast<std::size_t>(worker)].connections;
    return worker;
}

void WorkerSlots::close(int home) {
    if (home == nowhere || !ahead()) return;
    Part& part = part_of_worker(home);
    LAB_ASSERT(part.connections > 0);
    --part.connections;
}

bool WorkerSlots::has_room() const {
    if (!ahead()) return true;
    return std::any_of(parts_.begin(), parts_.end(), [this](const Part& part) {
        return part.door_open && part.connections < server_.worker_connections;
    });
}

Grant WorkerSlots::acquire(Ticket ticket, int home, Instant now) {
    Part& part = ahead() ? part_of_worker(home) : parts_.front();
    if (unbounded()) grow(now);
    Grant grant = part.pool.acquire(ticket, now);
    if (grant.admission == Admission::granted) grant.slot += part.first;
    return grant;
}

std::optional<Wake> WorkerSlots::release(int slot, Instant now) {
    Part& part = part_of_slot(slot);
    auto wake = part.pool.release(slot - part.first, now);
    if (wake) wake->slot += part.first;
    return wake;
}

bool WorkerSlots::withdraw(Ticket ticket) {
    return std::any_of(parts_.begin(), parts_.end(),
                       [ticket](Part& part) { return part.pool.withdraw(ticket); });
}

std::vector<Ticket> WorkerSlots::expire(Instant now) {
    std::vector<Ticket> expired;
    for (Part& part : parts_) {
        const auto those = part.pool.expire(now);
        expired.insert(expired.end(), those.begin(), those.end());
    }
    return expired;
}

std::optional<Instant> WorkerSlots::next_expiry() const {
    std::optional<Instant> next;
    for (const Part& part : parts_) {
        const auto at = part.pool.next_expiry();
        if (at && (!next || *at < *next)) next = at;
    }
    return next;
}

std::vector<Ticket> WorkerSlots::take_waiting() {
    std::vector<Ticket> taken;
    for (Part& part : parts_) {
        const auto those = part.pool.take_waiting();
        taken.insert(taken.end(), those.begin(), those.end());
    }
    return taken;
}

void WorkerSlots::leave(int worker) {
    if (ahead()) {
        part_of_worker(worker).door_open = false;
        return;
    }
    stopped_[static_cast<std::size_t>(worker)] = true;
    each_slot(*this, worker, [this](Part& part, int slot) { part.pool.pause(slot); });
}

std::vector<Ticket> WorkerSlots::stop(int worker) {
    stopped_[static_cast<std::size_t>(worker)] = true;
    each_slot(*this, worker, [](Part& part, int slot) { part.pool.pause(slot); });
    if (!ahead()) return {};
    Part& part = part_of_worker(worker);
    part.door_open = false;
    return part.pool.take_waiting();
}

std::vector<Wake> WorkerSlots::serve(int worker, Instant now) {
    stopped_[static_cast<std::size_t>(worker)] = false;
    std::vector<Wake> woken;
    if (ahead()) part_of_worker(worker).door_open = true;
    each_slot(*this, worker, [&](Part& part, int slot) {
        if (auto wake = part.pool.resume(slot, now)) {
            wake->slot += part.first;
            woken.push_back(*wake);
        }
    });
    // Without bound nobody waits for long: who has come meanwhile gets a thread of its own.
    SlotPool& pool = parts_.front().pool;
    while (unbounded() && pool.depth() > 0 && pool.slots() < most_slots) {
        const auto more = pool.resize(pool.slots() + 1, now);
        if (more.empty()) break;
        woken.insert(woken.end(), more.begin(), more.end());
    }
    return woken;
}

/// Sees to it that a thread is idle, as long as there may be more of them.
void WorkerSlots::grow(Instant now) {
    SlotPool& pool = parts_.front().pool;
    const bool some_serve = std::find(stopped_.begin(), stopped_.end(), false) != stopped_.end();
    while (some_serve && !pool.has_idle() && pool.slots() < most_slots) {
        const int slot = pool.slots();
        if (stopped_[static_cast<std::size_t>(worker_of(slot))]) pool.pause(slot);
        static_cast<void>(pool.resize(slot + 1, now));  // nobody waits: see serve()
    }
}

int WorkerSlots::trim(Instant now) {
    SlotPool& pool = parts_.front().pool;
    if (!unbounded()) return slots();
    int last = pool.slots();
    while (last > server_.workers && !pool.held(last - 1)) --last;
    static_cast<void>(pool.resize(last, now));
    return last;
}

int WorkerSlots::worker_of(int slot) const {
    return unbounded() ? slot % server_.workers : slot / server_.threads;
}

int WorkerSlots::slots() const {
    int sum = 0;
    for (const Part& part : parts_) sum += part.pool.slots();
    return sum;
}

int WorkerSlots::busy() const {
    int sum = 0;
    for (const Part& part : parts_) sum += part.pool.busy();
    return sum;
}

int WorkerSlots::depth() const {
    int sum = 0;
    for (const Part& part : parts_) sum += part.pool.depth();
    return sum;
}

bool WorkerSlots::full() const {
    if (ahead()) return !has_room();
    const SlotPool& pool = parts_.front().pool;
    const bool may_grow = unbounded() && pool.slots() < most_slots &&
                          std::find(stopped_.begin(), stopped_.end(), false) != stopped_.end();
    return pool.depth() >= server_.queue && !pool.has_idle() && !may_grow;
}

int WorkerSlots::busy_of(int worker) const {
    int sum = 0;
    each_slot(*this, worker, [&sum](const Part& part, int slot) { sum += part.pool.held(slot); });
    return sum;
}

int WorkerSlots::slots_of(int worker) const {
    int sum = 0;
    each_slot(*this, worker, [&sum](const Part&, int) { ++sum; });
    return sum;
}

int WorkerSlots::depth_of(int worker) const {
    return ahead() ? parts_[static_cast<std::size_t>(worker)].pool.depth() : 0;
}

int WorkerSlots::connections_of(int worker) const {
    return ahead() ? parts_[static_cast<std::size_t>(worker)].connections : 0;
}

bool WorkerSlots::draining(int slot) const {
    const Part& part = part_of_slot(slot);
    return part.pool.draining(slot - part.first);
}

WorkerSlots::Part& WorkerSlots::part_of_slot(int slot) {
    return parts_[ahead() ? static_cast<std::size_t>(slot / server_.threads) : 0];
}

const WorkerSlots::Part& WorkerSlots::part_of_slot(int slot) const {
    return parts_[ahead() ? static_cast<std::size_t>(slot / server_.threads) : 0];
}

WorkerSlots::Part& WorkerSlots::part_of_worker(int worker) {
    LAB_ASSERT(worker >= 0);
    LAB_ASSERT(static_cast<std::size_t>(worker) < parts_.size());
    return parts_[static_cast<std::size_t>(worker)];
}

}  // namespace lab::core
