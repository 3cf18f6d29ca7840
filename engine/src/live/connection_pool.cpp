// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/connection_pool.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

namespace lab::live {

namespace {

Instant now() { return std::chrono::steady_clock::now(); }

/// Only the threads of one worker wait here: the queue needs no bound of its own.
core::SlotPool::Options pool_options(int size, Duration timeout) {
    return {size, std::numeric_limits<int>::max(), timeout};
}

}  // namespace

ConnectionPool::ConnectionPool(std::shared_ptr<Database> database, int size, Duration timeout)
    : database_{std::move(database)},
      slots_{pool_options(size, timeout)},
      timeout_{timeout},
      idle_(static_cast<std::size_t>(size)),
      counted_until_{now()} {}

core::Fault ConnectionPool::acquire(core::Ticket who, Lease& lease) {
    std::unique_lock hold{mutex_};
    if (cancelled_) return core::Fault::cancelled;
    const Instant since = now();
    count_busy(since);
    const core::Grant grant = slots_.acquire(who, since);
    int slot = grant.slot;
    if (grant.admission != core::Admission::granted) {
        const core::Fault fault = wait_for_slot(hold, who, since, slot);
        if (fault != core::Fault::none) return fault;
    }
    lease.slot = slot;
    lease.connection = std::move(idle_[static_cast<std::size_t>(slot)]);
    hold.unlock();
    return open(lease);
}

/// A connection for the slot that the lease has, where it was never opened.
core::Fault ConnectionPool::open(Lease& lease) {
    if (lease.connection) return core::Fault::none;
    auto opened = database_->connect();
    if (opened) {
        lease.connection = std::move(opened.value());
        return core::Fault::none;
    }
    release(std::exchange(lease, Lease{}));
    return opened.error().code == ErrorCode::interrupted ? core::Fault::cancelled
                                                         : core::Fault::failed;
}

std::optional<core::Fault> ConnectionPool::acquire_later(core::Ticket who, Lease& lease,
                                                         std::function<void()> on_end) {
    {
        const std::lock_guard hold{mutex_};
        if (cancelled_) return core::Fault::cancelled;
        const Instant since = now();
        count_busy(since);
        const core::Grant grant = slots_.acquire(who, since);
        if (grant.admission != core::Admission::granted) {
            later_.push_back(std::make_unique<Waiter>());
            later_.back()->who = who;
            later_.back()->on_end = std::move(on_end);
            waiters_.push_back(later_.back().get());
            return std::nullopt;
        }
        lease.slot = grant.slot;
        lease.connection = std::move(idle_[static_cast<std::size_t>(grant.slot)]);
    }
    return open(lease);
}

core::Fault ConnectionPool::collect(core::Ticket who, Lease& lease) {
    {
        const std::lock_guard hold{mutex_};
        const auto waiter = std::find_if(later_.begin(), later_.end(),
                                         [who](const auto& w) { return w->who == who; });
        const int slot = (*waiter)->slot;
        std::erase(waiters_, waiter->get());
        later_.erase(waiter);
        if (slot < 0) {
            slots_.withdraw(who);
            return cancelled_ ? core::Fault::cancelled : core::Fault::pool_timeout;
        }
        lease.slot = slot;
        lease.connection = std::move(idle_[static_cast<std::size_t>(slot)]);
    }
    return open(lease);
}

Duration ConnectionPool::timeout() const {
    const std::lock_guard hold{mutex_};
    return timeout_;
}

core::Fault ConnectionPool::wait_for_slot(std::unique_lock<std::mutex>& hold, core::Ticket who,
                                          Instant since, int& slot) {
    Waiter self{who, -1, {}, {}};
    waiters_.push_back(&self);
    core::Fault fault = core::Fault::none;
    while (self.slot < 0 && fault == core::Fault::none) {
        if (cancelled_) {
            fault = core::Fault::cancelled;
        } else if (timeout_ == Duration{}) {
            self.wake.wait(hold);
        } else if (now() >= since + timeout_) {
            fault = core::Fault::pool_timeout;
        } else {
            self.wake.wait_until(hold, since + timeout_);
        }
    }
    std::erase(waiters_, &self);
    if (fault != core::Fault::none) slots_.withdraw(who);
    slot = self.slot;
    return fault;
}

void ConnectionPool::hand_over(const core::Wake& wake) {
    const auto waiter = std::find_if(waiters_.begin(), waiters_.end(),
                                     [&](const Waiter* w) { return w->who == wake.ticket; });
    (*waiter)->slot = wake.slot;
    (*waiter)->tell();
}

void ConnectionPool::release(Lease lease) {
    std::unique_ptr<Connection> unwanted;  // closed after the lock is let go
    {
        const std::lock_guard hold{mutex_};
        const Instant at = now();
        count_busy(at);
        if (slots_.draining(lease.slot)) {
            unwanted = std::move(lease.connection);
        } else {
            idle_[static_cast<std::size_t>(lease.slot)] = std::move(lease.connection);
        }
        if (const auto wake = slots_.release(lease.slot, at)) hand_over(*wake);
    }
}

void ConnectionPool::configure(int size, Duration timeout) {
    std::vector<std::unique_ptr<Connection>> unwanted;
    {
        const std::lock_guard hold{mutex_};
        const Instant at = now();
        count_busy(at);
        timeout_ = timeout;
        slots_.set_patience(timeout);
        const auto places = static_cast<std::size_t>(size);
        for (std::size_t slot = places; slot < idle_.size(); ++slot) {
            unwanted.push_back(std::move(idle_[slot]));
        }
        idle_.resize(std::max(idle_.size(), places));  // a draining slot keeps its place
        for (const core::Wake& wake : slots_.resize(size, at)) hand_over(wake);
        for (Waiter* waiter : waiters_)
            waiter->wake.notify_one();  // the time limit may have changed
    }
}

void ConnectionPool::cancel() {
    const std::lock_guard hold{mutex_};
    cancelled_ = true;
    for (Waiter* waiter : waiters_) waiter->tell();
}

void ConnectionPool::count_busy(Instant at) {
    busy_time_ += (at - counted_until_) * slots_.busy();
    counted_until_ = std::max(counted_until_, at);
}

ConnectionPool::Levels ConnectionPool::levels() const {
    const std::lock_guard hold{mutex_};
    const Duration since_counted = now() - counted_until_;
    return {static_cast<std::uint32_t>(slots_.busy()), static_cast<std::uint32_t>(slots_.slots()),
            static_cast<std::uint32_t>(slots_.depth()), busy_time_ + since_counted * slots_.busy()};
}

}  // namespace lab::live
