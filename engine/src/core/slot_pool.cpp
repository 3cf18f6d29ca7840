// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/slot_pool.hpp"

#include <algorithm>
#include <utility>

#include "lab/assert.hpp"

namespace lab::core {

SlotPool::SlotPool(Options options) : options_{options} {
    LAB_ASSERT(options.slots >= 0);
    LAB_ASSERT(options.queue_capacity >= 0);
    LAB_ASSERT(options.patience >= Duration{});
    options_.slots = 0;
    static_cast<void>(resize(options.slots, Instant{}));
}

Grant SlotPool::acquire(Ticket ticket, Instant now) {
    if (!idle_.empty()) {
        return {Admission::granted, take_idle()};
    }
    const auto waiting = queue_.size() - overdue(now);
    if (waiting >= static_cast<std::size_t>(options_.queue_capacity)) {
        return {Admission::refused, -1};
    }
    queue_.push_back({ticket, now});
    return {Admission::queued, -1};
}

std::optional<Wake> SlotPool::release(int slot, Instant now) {
    Slot& let_go = at(slot);
    LAB_ASSERT(let_go.held);
    let_go.held = false;
    --busy_;
    if (let_go.draining) {
        let_go = Slot{};
        return std::nullopt;
    }
    if (let_go.paused) return std::nullopt;
    idle_.push_back(slot);
    return serve(now);
}

bool SlotPool::withdraw(Ticket ticket) {
    const auto found = std::find_if(queue_.begin(), queue_.end(),
                                    [ticket](const Waiting& w) { return w.ticket == ticket; });
    if (found == queue_.end()) return false;
    queue_.erase(found);
    return true;
}

std::vector<Ticket> SlotPool::take_waiting() {
    std::vector<Ticket> taken;
    for (const Waiting& waiting : queue_) taken.push_back(waiting.ticket);
    queue_.clear();
    return taken;
}

void SlotPool::pause(int slot) {
    LAB_ASSERT(slot >= 0);
    if (static_cast<std::size_t>(slot) >= slots_.size()) {
        slots_.resize(static_cast<std::size_t>(slot) + 1);
    }
    at(slot).paused = true;
    std::erase(idle_, slot);
}

std::optional<Wake> SlotPool::resume(int slot, Instant now) {
    LAB_ASSERT(slot >= 0);
    if (static_cast<std::size_t>(slot) >= slots_.size()) return std::nullopt;
    Slot& resumed = at(slot);
    if (!std::exchange(resumed.paused, false)) return std::nullopt;
    if (resumed.exists && !resumed.held) idle_.push_back(slot);
    return serve(now);
}

std::vector<Ticket> SlotPool::expire(Instant now) {
    std::vector<Ticket> expired;
    for (std::size_t left = overdue(now); left > 0; --left) {
        expired.push_back(queue_.front().ticket);
        queue_.pop_front();
    }
    return expired;
}

std::optional<Instant> SlotPool::next_expiry() const {
    if (queue_.empty() || options_.patience == Duration{}) return std::nullopt;
    return queue_.front().since + options_.patience;
}

std::vector<Wake> SlotPool::resize(int slots, Instant now) {
    LAB_ASSERT(slots >= 0);
    options_.slots = slots;
    const auto wanted = static_cast<std::size_t>(slots);
    if (slots_.size() < wanted) slots_.resize(wanted);

    std::erase_if(idle_, [slots](int slot) { return slot >= slots; });
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        Slot& slot = slots_[i];
        if (i >= wanted) {
            slot.draining = slot.held;
            slot.exists = slot.held;
        } else if (slot.exists) {
            slot.draining = false;  // asked for again before it had left
        } else {
            slot.exists = true;
            if (!slot.paused) idle_.push_back(static_cast<int>(i));
        }
    }
    std::vector<Wake> woken;
    while (const auto wake = serve(now)) {
        woken.push_back(*wake);
    }
    return woken;
}

void SlotPool::set_queue_capacity(int capacity) {
    LAB_ASSERT(capacity >= 0);
    options_.queue_capacity = capacity;
}

void SlotPool::set_patience(Duration patience) {
    LAB_ASSERT(patience >= Duration{});
    options_.patience = patience;
}

int SlotPool::slots() const { return options_.slots; }

int SlotPool::busy() const { return busy_; }

int SlotPool::depth() const { return static_cast<int>(queue_.size()); }

bool SlotPool::draining(int slot) const {
    return slot >= 0 && static_cast<std::size_t>(slot) < slots_.size() &&
           slots_[static_cast<std::size_t>(slot)].draining;
}

bool SlotPool::held(int slot) const {
    return slot >= 0 && static_cast<std::size_t>(slot) < slots_.size() &&
           slots_[static_cast<std::size_t>(slot)].held;
}

SlotPool::Slot& SlotPool::at(int slot) {
    LAB_ASSERT(slot >= 0);
    LAB_ASSERT(static_cast<std::size_t>(slot) < slots_.size());
    return slots_[static_cast<std::size_t>(slot)];
}

int SlotPool::take_idle() {
    const int slot = idle_.front();
    idle_.pop_front();
    at(slot).held = true;
    ++busy_;
    return slot;
}

std::optional<Wake> SlotPool::serve(Instant now) {
    const auto first = overdue(now);
    if (idle_.empty() || first == queue_.size()) return std::nullopt;
    const auto chosen = queue_.begin() + static_cast<std::ptrdiff_t>(first);
    const Wake wake{chosen->ticket, take_idle()};
    if (first == 0) {
        queue_.pop_front();
    } else {
        queue_.erase(chosen);
    }
    return wake;
}

std::size_t SlotPool::overdue(Instant now) const {
    if (options_.patience == Duration{}) return 0;
    std::size_t count = 0;
    while (count < queue_.size() && queue_[count].since + options_.patience <= now) {
        ++count;
    }
    return count;
}

}  // namespace lab::core
