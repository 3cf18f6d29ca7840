// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/queue_pool.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace lab::core {

namespace {

/// Only the threads of one worker wait here: the queue needs no bound of its own.
SlotPool::Options slot_options(const QueuePool::Options& options) {
    return {options.kept + options.overflow, std::numeric_limits<int>::max(), options.patience};
}

}  // namespace

QueuePool::QueuePool(Options options) : slots_{slot_options(options)}, kept_{options.kept} {}

QueuePool::Taken QueuePool::acquire(Ticket ticket, Instant now) {
    Taken taken{slots_.acquire(ticket, now), false};
    if (taken.grant.admission != Admission::granted) return taken;
    taken.opens = idle_ == 0;
    if (!taken.opens) --idle_;
    return taken;
}

QueuePool::Returned QueuePool::release(int slot, Instant now, bool broken) {
    Returned returned;
    const bool unwanted = slots_.draining(slot);
    returned.wake = slots_.release(slot, now);
    if (returned.wake) {
        returned.opens = broken;
    } else if (!broken) {
        returned.closes = unwanted || idle_ >= kept_;
        if (!returned.closes) ++idle_;
    }
    return returned;
}

QueuePool::Changed QueuePool::configure(Options options, Instant now) {
    kept_ = options.kept;
    Changed changed;
    changed.closes = std::max(0, idle_ - kept_);
    idle_ -= changed.closes;
    slots_.set_patience(options.patience);
    for (const Wake& wake : slots_.resize(options.kept + options.overflow, now)) {
        changed.woken.push_back({wake, idle_ == 0});
        if (idle_ > 0) --idle_;
    }
    return changed;
}

}  // namespace lab::core
