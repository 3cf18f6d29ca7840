// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

#include "lab/units.hpp"
#include "live/exchange.hpp"

namespace lab::live {

/// Where a worker thread parks: until it is given an exchange, until a moment of a wait step, or
/// until somebody nudges it; and an event loop's, until something is due.
///
/// Threads: any for give, nudge, leave and cancel; the worker thread's for the waits.
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
            nudged_ = true;
        }
        wake_.notify_one();
    }
    /// There is something new for who rests: the rest ends now, or the next one at once. A sleep
    /// looks again whether it goes on.
    void nudge() {
        {
            const std::lock_guard hold{mutex_};
            nudged_ = true;
        }
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
    /// Until then, or until a nudge.
    void rest_until(Instant when) {
        std::unique_lock hold{mutex_};
        wake_.wait_until(hold, when, [this] { return nudged_; });
        nudged_ = false;
    }

    /// Forgets an old nudge; before anybody can know of the new wait.
    void expect_nudge() {
        const std::lock_guard hold{mutex_};
        nudged_ = false;
    }
    /// False: cancelled before it was nudged.
    [[nodiscard]] bool sleep_until_nudged() {
        std::unique_lock hold{mutex_};
        wake_.wait(hold, [this] { return nudged_ || cancelled_; });
        return nudged_ && !cancelled_;
    }

  private:
    std::mutex mutex_;
    std::condition_variable wake_;
    Exchange* given_ = nullptr;
    bool leaving_ = false;
    bool cancelled_ = false;
    bool nudged_ = false;
};

}  // namespace lab::live
