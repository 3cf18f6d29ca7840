// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <functional>
#include <thread>

namespace lab::cli {

/// SIGINT, SIGTERM and SIGHUP as a call on a thread of its own. Make it before any other thread:
/// they inherit the blocked signals. A second signal ends the program at once (exit 128 + N).
class Interrupts {
  public:
    explicit Interrupts(std::function<void()> on_interrupt);
    ~Interrupts();
    Interrupts(const Interrupts&) = delete;
    Interrupts& operator=(const Interrupts&) = delete;

    /// The signal that came, or 0. Threads: any.
    [[nodiscard]] int signal() const { return signal_.load(); }
    /// `code`, or 128 + N where a signal came.
    [[nodiscard]] int exit_code(int code) const { return signal() == 0 ? code : 128 + signal(); }

  private:
    void wait_for_signals();
    std::function<void()> on_interrupt_;
    std::atomic<int> signal_{0};
    std::atomic<bool> ending_{false};
    std::thread thread_;
};

}  // namespace lab::cli
