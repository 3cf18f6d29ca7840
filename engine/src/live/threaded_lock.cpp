// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/threaded_lock.hpp"

#include <algorithm>
#include <chrono>

namespace lab::live {

namespace {

Instant now() { return std::chrono::steady_clock::now(); }

}  // namespace

ThreadedLock::ThreadedLock(Duration switch_interval) : rules_{switch_interval} {}

bool ThreadedLock::acquire(core::Ticket who) {
    std::unique_lock hold{mutex_};
    if (cancelled_) return false;
    if (rules_.acquire(who, now())) {
        publish();
        return true;
    }
    Waiter self{who, {}, false};
    waiters_.push_back(&self);
    Instant ask_at = now() + rules_.switch_interval();
    bool taken = false;
    while (!taken && !cancelled_) {
        self.called = false;
        const bool woken = self.wake.wait_until(hold, ask_at, [&] { return self.called; });
        if (cancelled_) break;
        taken = rules_.retry(who, now());
        if (!taken) ask_at = woken ? now() + rules_.switch_interval() : rules_.ask(who, now());
        publish();
    }
    std::erase(waiters_, &self);
    if (!taken) rules_.withdraw(who);
    // A call that came together with another reason to leave must not be lost to the others.
    if (!taken && self.called) call_next(who, false);
    return taken;
}

void ThreadedLock::release(core::Ticket who, bool asked) {
    const std::lock_guard hold{mutex_};
    rules_.release(who, now(), asked);
    publish();
    call_next(who, !asked);
}

void ThreadedLock::call_next(core::Ticket but_not, bool any) {
    for (Waiter* waiter : waiters_) {
        if (waiter->called || (!any && waiter->who == but_not)) continue;
        waiter->called = true;
        waiter->wake.notify_one();
        return;
    }
}

void ThreadedLock::cancel() {
    const std::lock_guard hold{mutex_};
    cancelled_ = true;
    for (Waiter* waiter : waiters_) {
        waiter->called = true;
        waiter->wake.notify_one();
    }
}

std::uint64_t ThreadedLock::switches() const {
    const std::lock_guard hold{mutex_};
    return rules_.switches();
}

}  // namespace lab::live
