// SPDX-License-Identifier: GPL-3.0-or-later
// The way back from the workers to the front end's thread. Neither side needs to know the other's
// class.
#pragma once

#include "lab/units.hpp"
#include "live/exchange.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

namespace lab::live {

/// Callbacks for the front end's thread, delivered in batches: however many are posted, one wake is
/// pending. Made before the front end and the workers, outlives both.
///
/// Threads: any for bound, answered, post and wake_at; the front end's alone for forget and drain;
/// attach and detach before it starts and after it has ended.
class CompletionQueue {
  public:
    CompletionQueue() = default;
    CompletionQueue(const CompletionQueue&) = delete;
    CompletionQueue& operator=(const CompletionQueue&) = delete;

    /// `exchange.on_bound()` is called on the front end's thread, after what was posted before.
    void bound(Exchange& exchange);
    /// `exchange.on_answer()` likewise. The caller must not touch the exchange any more.
    void answered(Exchange& exchange);
    /// `exchange.on_worker_gone(killed)` likewise.
    void worker_gone(Exchange& exchange, bool killed);
    /// Any other work, likewise.
    void post(std::function<void()> work);
    /// Calls `work` on the front end's thread at `when` (up to a millisecond late). One alarm for
    /// each `whose`: a new one takes the place of the old; Instant::max() takes it away.
    void wake_at(Instant when, std::function<void()> work, const void* whose = nullptr);

    /// Takes back what was posted for an exchange that was withdrawn meanwhile. Front end's thread.
    void forget(Exchange& exchange);
    /// The same for worker_gone() alone.
    void forget_gone(Exchange& exchange);

    /// What the front end does to be woken, and to set its alarm. What was posted before waits
    /// until now.
    void attach(std::function<void()> wake, std::function<void(Instant)> set_alarm);
    /// Nobody is woken any more. What is still posted is kept; drain() may be called by hand.
    void detach();
    /// Runs what has been posted so far, and the alarm where its time has come.
    void drain(Instant now);

  private:
    enum class What : std::uint8_t { work, bound, answered, worker_left, worker_killed };
    struct Item {
        Exchange* exchange = nullptr;  ///< null: `work` is what to do
        What what = What::work;
        std::function<void()> work;
    };
    void push(Item item);
    template <class Drops>
    void drop(Exchange& exchange, Drops&& drops);

    std::mutex mutex_;
    std::vector<Item> waiting_;
    std::vector<Item> running_;  ///< drain()'s: keeps its memory
    std::function<void()> wake_;
    std::function<void(Instant)> set_alarm_;
    bool wake_pending_ = false;
    struct Alarm {
        const void* whose = nullptr;
        Instant when = Instant::max();
        std::function<void()> work;
    };
    [[nodiscard]] Instant next_alarm() const;
    std::vector<Alarm> alarms_;  ///< the front end's thread alone
};

}  // namespace lab::live
