// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

#include "lab/units.hpp"
#include "live/exchange.hpp"

namespace lab::live {

/// Where a worker thread parks: until it is given an exchange, or until a moment of a wait step.
///
/// Threads: any for give, leave and cancel; the worker thread's for the waits.
class Inbox {
  public:
    /// The thread has no exchange and gets this one.
    void give(Exchange& exchange) {
        {
            const std::lock_guard hold{mutex_};
            given_ = &exchange;
        }
        wake_.notify_one();
    }
    /// After what was given before, there will be no more.
    void leave() {
        {
            const std::lock_guard hold{mutex_};
            leaving_ = true;
        }
        wake_.notify_one();
    }
    /// Every sleep ends now, and later ones do not begin.
    void cancel() {
        {
            const std::lock_guard hold{mutex_};
            cancelled_ = true;
        }
        wake_.notify_one();
    }

    /// A sleep looks again whether it goes on.
    void nudge() {
        // With the lock: a sleep that has just looked is waiting by now.
        const std::lock_guard hold{mutex_};
        wake_.notify_one();
    }

    /// The next exchange; nullptr: the thread is to leave.
    [[nodiscard]] Exchange* wait() {
        std::unique_lock hold{mutex_};
        wake_.wait(hold, [this] { return given_ != nullptr || leaving_; });
        return std::exchange(given_, nullptr);
    }
    /// False: cancelled, or told by `ends` (asked at each nudge), before that moment.
    template <class Ends>
    [[nodiscard]] bool sleep_until(Instant when, Ends&& ends) {
        std::unique_lock hold{mutex_};
        return !wake_.wait_until(hold, when, [&] { return cancelled_ || ends(); });
    }

  private:
    std::mutex mutex_;
    std::condition_variable wake_;
    Exchange* given_ = nullptr;
    bool leaving_ = false;
    bool cancelled_ = false;
};

}  // namespace lab::live
