// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <vector>

#include "core/slot_pool.hpp"
#include "support/time.hpp"

namespace lab::core {
namespace {

using test::at;

/// Drives a pool with whatever comes and keeps its own books, by tickets alone.
class Auditor {
  public:
    explicit Auditor(SlotPool::Options options)
        : pool_{options}, options_{options}, capacity_{options.queue_capacity} {}

    void step() {
        now_ += Duration{1ms} * *rc::gen::inRange(0, 6);
        switch (*rc::gen::inRange(0, 10)) {
            case 0:
            case 1:
            case 2:
            case 3:
                acquire();
                break;
            case 4:
            case 5:
            case 6:
                release();
                break;
            case 7:
                withdraw();
                break;
            case 8:
                expire();
                break;
            default:
                resize();
                break;
        }
        check();
    }

    /// Lets everybody go; then nobody may be left.
    void finish() {
        while (!holders_.empty() || !waiting_.empty()) {
            if (!holders_.empty()) {
                release();
            } else if (pool_.slots() == 0) {
                take_in(pool_.resize(1, now_));
            } else {  // a slot is idle, so whoever waits has given up
                RC_ASSERT(alive().empty());
                expire();
            }
            check();
        }
        RC_ASSERT(pool_.busy() == 0);
        RC_ASSERT(pool_.depth() == 0);
        RC_ASSERT(granted_ + refused_ + expired_ + withdrawn_ == issued_);
    }

  private:
    struct Waiter {
        Ticket ticket;
        Instant since;
    };

    void acquire() {
        const Ticket ticket = ++issued_;
        const Grant grant = pool_.acquire(ticket, now_);
        switch (grant.admission) {
            case Admission::granted:
                hold(ticket, grant.slot);
                break;
            case Admission::queued:
                waiting_.push_back({ticket, now_});
                RC_ASSERT(static_cast<int>(alive().size()) <= capacity_);
                RC_ASSERT(static_cast<int>(holders_.size()) >= pool_.slots());
                break;
            case Admission::refused:
                ++refused_;
                RC_ASSERT(static_cast<int>(alive().size()) >= capacity_);
                RC_ASSERT(static_cast<int>(holders_.size()) >= pool_.slots());
                break;
        }
    }

    void release() {
        if (holders_.empty()) return;
        auto chosen = holders_.begin();
        std::advance(chosen, *rc::gen::inRange<std::size_t>(0, holders_.size()));
        const int slot = chosen->first;
        const bool draining = pool_.draining(slot);
        holders_.erase(chosen);
        const auto wake = pool_.release(slot, now_);
        if (draining || alive().empty()) {
            RC_ASSERT(!wake);
        } else {
            RC_ASSERT(wake.has_value());
            take_in({*wake});
        }
    }

    void withdraw() {
        if (issued_ == 0) return;
        const Ticket ticket = *rc::gen::inRange<Ticket>(1, issued_ + 2);
        const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                        [ticket](const Waiter& w) { return w.ticket == ticket; });
        RC_ASSERT(pool_.withdraw(ticket) == (found != waiting_.end()));
        if (found == waiting_.end()) return;
        waiting_.erase(found);
        ++withdrawn_;
    }

    void expire() {
        const auto next = pool_.next_expiry();
        const std::vector<Ticket> gone = pool_.expire(now_);
        RC_ASSERT((next && *next <= now_) == !gone.empty());
        for (const Ticket ticket : gone) {
            RC_ASSERT(waiting_.front().ticket == ticket);
            RC_ASSERT(now_ - waiting_.front().since >= options_.patience);
            waiting_.pop_front();
            ++expired_;
        }
        RC_ASSERT(alive().size() == waiting_.size());
    }

    void resize() {
        if (*rc::gen::inRange(0, 3) == 0) {
            capacity_ = *rc::gen::inRange(0, 6);
            pool_.set_queue_capacity(capacity_);
            return;
        }
        const int slots = *rc::gen::inRange(0, 7);
        take_in(pool_.resize(slots, now_));
        RC_ASSERT(pool_.slots() == slots);
    }

    /// First come, first served, and never one whose patience has ended.
    void take_in(const std::vector<Wake>& woken) {
        for (const Wake& wake : woken) {
            const auto queue = alive();
            RC_ASSERT(!queue.empty());
            RC_ASSERT(queue.front() == wake.ticket);
            std::erase_if(waiting_, [&](const Waiter& w) { return w.ticket == wake.ticket; });
            hold(wake.ticket, wake.slot);
        }
    }

    void hold(Ticket ticket, int slot) {
        RC_ASSERT(slot >= 0);
        RC_ASSERT(slot < pool_.slots());
        RC_ASSERT(holders_.emplace(slot, ticket).second);  // no slot to two
        RC_ASSERT(served_.insert(ticket).second);          // no ticket twice
        ++granted_;
    }

    [[nodiscard]] std::vector<Ticket> alive() const {
        std::vector<Ticket> tickets;
        for (const Waiter& waiter : waiting_) {
            const bool ended = options_.patience > 0ms && now_ - waiter.since >= options_.patience;
            if (!ended) tickets.push_back(waiter.ticket);
        }
        return tickets;
    }

    void check() const {
        RC_ASSERT(pool_.busy() == static_cast<int>(holders_.size()));
        RC_ASSERT(pool_.depth() == static_cast<int>(waiting_.size()));
        int draining = 0;
        for (const auto& [slot, ticket] : holders_) {
            draining += pool_.draining(slot) ? 1 : 0;
            RC_ASSERT(pool_.draining(slot) == (slot >= pool_.slots()));
        }
        RC_ASSERT(pool_.busy() - draining <= pool_.slots());
        if (options_.patience == 0ms && !waiting_.empty()) {
            RC_ASSERT(pool_.busy() - draining == pool_.slots());  // none idle while somebody waits
        }
    }

    SlotPool pool_;
    SlotPool::Options options_;
    int capacity_;
    Instant now_ = at(0ms);
    std::map<int, Ticket> holders_;
    std::deque<Waiter> waiting_;
    std::set<Ticket> served_;
    Ticket issued_ = 0;
    Ticket granted_ = 0, refused_ = 0, expired_ = 0, withdrawn_ = 0;
};

RC_GTEST_PROP(SlotPoolProperty, EveryTicketHasExactlyOneFateWhateverHappens, ()) {
    const SlotPool::Options options{.slots = *rc::gen::inRange(0, 5),
                                    .queue_capacity = *rc::gen::inRange(0, 6),
                                    .patience = Duration{1ms} * *rc::gen::element(0, 5, 20)};
    Auditor auditor{options};
    const int steps = *rc::gen::inRange(0, 300);
    for (int i = 0; i < steps; ++i) {
        auditor.step();
    }
    auditor.finish();
}

}  // namespace
}  // namespace lab::core
