// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/slot_pool.hpp"
#include "lab/units.hpp"
#include "live/inbox.hpp"

namespace lab::live {

/// The bounded thread pool beside an event loop: so many tokens, each with a thread for as long as
/// it is held; who finds none waits in order, without limit, and nobody is told. A thread is
/// started when it is first needed. Source: anyio's capacity limiter (40), libuv's pool (4).
///
/// Threads: any.
class TokenPool {
  public:
    /// What is done with a token in hand. Outlives its stay here.
    class Job {
      public:
        virtual ~Job() = default;
        /// On a thread of the pool, which has this ticket for locks and this place to sleep. The
        /// token is let go when it returns.
        virtual void run_on(core::Ticket thread, Inbox& parker) = 0;
        /// Instead, on the caller's thread: the system gives the pool not even one thread.
        virtual void find_no_thread() = 0;
    };
    struct Levels {
        std::uint32_t tokens = 0, in_use = 0, waiting = 0;
        Duration cpu{};  ///< of all threads since the pool was made
    };

    explicit TokenPool(int tokens);
    /// Joins the threads. Nothing may be inside.
    ~TokenPool();
    TokenPool(const TokenPool&) = delete;
    TokenPool& operator=(const TokenPool&) = delete;

    void enter(Job& job);
    /// Takes a job out that waits. False: it runs, or has run.
    [[nodiscard]] bool withdraw(Job& job);
    /// Fewer: those in use are not taken away.
    void configure(int tokens);
    /// Its threads run on so many cores; 0: on all.
    void restrict_to(unsigned cores);
    /// What sleeps on a thread of the pool wakes now, and later sleeps do not begin.
    void cancel();
    [[nodiscard]] Levels levels() const;

  private:
    struct Granted {
        Job* job = nullptr;
        int slot = -1;
    };
    struct Seat {
        Inbox parker;
        std::thread thread;
        int clock = -1;
    };
    void run(Seat& seat, core::Ticket ticket);
    /// With the lock held. False: no thread is there and none can be had.
    [[nodiscard]] bool see_to_a_thread();

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    core::SlotPool slots_;
    std::deque<Granted> granted_;  ///< with a token, waiting for a thread to pick them up
    std::vector<std::unique_ptr<Seat>> seats_;
    std::size_t resting_ = 0;  ///< threads that wait for a job
    unsigned cores_ = 0;
    bool leaving_ = false;
    bool cancelled_ = false;
};

}  // namespace lab::live
