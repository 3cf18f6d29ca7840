// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/connection_pool.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace lab::live {

namespace {

Instant now() { return std::chrono::steady_clock::now(); }

core::QueuePool::Options pool_options(const lab::Database& settings) {
    return {settings.pool, settings.overflow, settings.pool_timeout};
}

}  // namespace

ConnectionPool::ConnectionPool(std::shared_ptr<Database> database, const lab::Database& settings)
    : database_{std::move(database)},
      slots_{pool_options(settings)},
      timeout_{settings.pool_timeout},
      counted_until_{now()} {}

core::Fault ConnectionPool::acquire(core::Ticket who, Lease& lease) {
    std::unique_lock hold{mutex_};
    if (cancelled_) return core::Fault::cancelled;
    const Instant since = now();
    count_busy(since);
    const core::QueuePool::Taken taken = slots_.acquire(who, since);
    if (taken.grant.admission == core::Admission::granted) {
        lease.slot = taken.grant.slot;
        if (!taken.opens) lease.connection = take_idle();
    } else {
        const core::Fault fault = wait_for_slot(hold, who, since, lease);
        if (fault != core::Fault::none) return fault;
    }
    hold.unlock();
    return open(lease);
}

/// A connection for the slot that the lease has, where it was never opened.
core::Fault ConnectionPool::open(Lease& lease) {
    if (lease.connection) return core::Fault::none;
    auto opened = database_->connect();
    if (opened) {
        lease.connection = std::move(opened.value());
        lease.opened = true;
        return core::Fault::none;
    }
    give_back(std::exchange(lease, Lease{}), true);
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
        const core::QueuePool::Taken taken = slots_.acquire(who, since);
        if (taken.grant.admission != core::Admission::granted) {
            later_.push_back(std::make_unique<Waiter>());
            later_.back()->who = who;
            later_.back()->on_end = std::move(on_end);
            waiters_.push_back(later_.back().get());
            return std::nullopt;
        }
        lease.slot = taken.grant.slot;
        if (!taken.opens) lease.connection = take_idle();
    }
    return open(lease);
}

core::Fault ConnectionPool::collect(core::Ticket who, Lease& lease) {
    {
        const std::lock_guard hold{mutex_};
        const auto waiter = std::find_if(later_.begin(), later_.end(),
                                         [who](const auto& w) { return w->who == who; });
        lease.slot = (*waiter)->slot;
        lease.connection = std::move((*waiter)->connection);
        std::erase(waiters_, waiter->get());
        later_.erase(waiter);
        if (lease.slot < 0) {
            slots_.withdraw(who);
            return cancelled_ ? core::Fault::cancelled : core::Fault::pool_timeout;
        }
    }
    return open(lease);
}

Duration ConnectionPool::timeout() const {
    const std::lock_guard hold{mutex_};
    return timeout_;
}

core::Fault ConnectionPool::wait_for_slot(std::unique_lock<std::mutex>& hold, core::Ticket who,
                                          Instant since, Lease& lease) {
    Waiter self{};
    self.who = who;
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
    lease.slot = self.slot;
    lease.connection = std::move(self.connection);
    return fault;
}

void ConnectionPool::hand_over(const core::Wake& wake, std::unique_ptr<Connection> connection) {
    const auto waiter = std::find_if(waiters_.begin(), waiters_.end(),
                                     [&](const Waiter* w) { return w->who == wake.ticket; });
    (*waiter)->slot = wake.slot;
    (*waiter)->connection = std::move(connection);
    (*waiter)->tell();
}

std::unique_ptr<Connection> ConnectionPool::take_idle() {
    auto connection = std::move(idle_.front());
    idle_.pop_front();
    return connection;
}

void ConnectionPool::release(Lease lease) { give_back(std::move(lease), false); }

void ConnectionPool::give_back(Lease lease, bool broken) {
    std::unique_ptr<Connection> unwanted;  // closed after the lock is let go
    const std::lock_guard hold{mutex_};
    const Instant at = now();
    count_busy(at);
    const core::QueuePool::Returned returned = slots_.release(lease.slot, at, broken);
    if (returned.wake) {
        hand_over(*returned.wake, std::move(lease.connection));
    } else if (returned.closes) {
        unwanted = std::move(lease.connection);
    } else if (!broken) {
        idle_.push_back(std::move(lease.connection));
    }
}

void ConnectionPool::configure(const lab::Database& settings) {
    std::vector<std::unique_ptr<Connection>> unwanted;
    const std::lock_guard hold{mutex_};
    const Instant at = now();
    count_busy(at);
    timeout_ = settings.pool_timeout;
    core::QueuePool::Changed changed = slots_.configure(pool_options(settings), at);
    for (; changed.closes > 0; --changed.closes) unwanted.push_back(take_idle());
    for (const auto& [wake, opens] : changed.woken) {
        hand_over(wake, opens ? nullptr : take_idle());
    }
    for (Waiter* waiter : waiters_) waiter->wake.notify_one();  // the time limit may have changed
}

void ConnectionPool::cancel() {
    const std::lock_guard hold{mutex_};
    cancelled_ = true;
    for (Waiter* waiter : waiters_) waiter->tell();
}

void ConnectionPool::count_busy(Instant at) {
    busy_time_ += (at - counted_until_) * slots_.in_use();
    counted_until_ = std::max(counted_until_, at);
}

ConnectionPool::Levels ConnectionPool::levels() const {
    const std::lock_guard hold{mutex_};
    const Duration since_counted = now() - counted_until_;
    return {static_cast<std::uint32_t>(slots_.in_use()), static_cast<std::uint32_t>(slots_.kept()),
            static_cast<std::uint32_t>(slots_.open()), static_cast<std::uint32_t>(slots_.waiting()),
            busy_time_ + since_counted * slots_.in_use()};
}

}  // namespace lab::live
