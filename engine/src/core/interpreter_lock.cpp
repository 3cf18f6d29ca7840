// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/interpreter_lock.hpp"

#include <algorithm>

#include "lab/assert.hpp"

namespace lab::core {

InterpreterLock::InterpreterLock(Duration switch_interval) : switch_interval_{switch_interval} {
    LAB_ASSERT(switch_interval > Duration{});
}

bool InterpreterLock::acquire(Ticket who, Instant now) {
    LAB_ASSERT(holder_ != who);
    LAB_ASSERT(place_of(who) == waiting_.size());
    if (may_take(who)) {
        take(who);
        return true;
    }
    waiting_.push_back(who);
    intervals_.push_back({now, switches_});
    return false;
}

Instant InterpreterLock::ask(Ticket who, Instant now) {
    const std::size_t place = place_of(who);
    LAB_ASSERT(place < waiting_.size());
    if (holder_ && intervals_[place].switches == switches_) drop_requested_ = true;
    intervals_[place] = {now, switches_};
    return now + switch_interval_;
}

bool InterpreterLock::retry(Ticket who, Instant now) {
    const std::size_t place = place_of(who);
    LAB_ASSERT(place < waiting_.size());
    if (!may_take(who)) {
        Interval& interval = intervals_[place];
        if (now - interval.began < switch_interval_) interval = {now, switches_};
        return false;
    }
    stop_waiting(place);
    take(who);
    return true;
}

void InterpreterLock::release(Ticket who, Instant, bool asked) {
    LAB_ASSERT(holder_ == who);
    holder_.reset();
    drop_requested_ = false;
    // Without a waiter there is nobody to wait for.
    if (asked && !waiting_.empty()) must_not_take_ = who;
}

void InterpreterLock::withdraw(Ticket who) {
    const std::size_t place = place_of(who);
    if (place == waiting_.size()) return;
    stop_waiting(place);
    const bool others_wait = std::any_of(waiting_.begin(), waiting_.end(),
                                         [this](Ticket t) { return t != must_not_take_; });
    if (!others_wait) {
        must_not_take_.reset();
        drop_requested_ = false;
    }
}

void InterpreterLock::stop_waiting(std::size_t place) {
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(place));
    intervals_.erase(intervals_.begin() + static_cast<std::ptrdiff_t>(place));
}

bool InterpreterLock::may_take(Ticket who) const { return !holder_ && must_not_take_ != who; }

void InterpreterLock::take(Ticket who) {
    holder_ = who;
    must_not_take_.reset();
    drop_requested_ = false;
    if (last_holder_ != who) {
        last_holder_ = who;
        ++switches_;
    }
}

std::size_t InterpreterLock::place_of(Ticket who) const {
    return static_cast<std::size_t>(std::find(waiting_.begin(), waiting_.end(), who) -
                                    waiting_.begin());
}

}  // namespace lab::core
