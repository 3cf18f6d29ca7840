// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace lab::run {

/// A thread that does what is posted, in order. Threads: post() from any; stop() from the owner.
class WorkerThread {
  public:
    /// Throws std::system_error where the system gives no thread.
    explicit WorkerThread(const char* name);
    /// As stop().
    ~WorkerThread();
    WorkerThread(const WorkerThread&) = delete;
    WorkerThread& operator=(const WorkerThread&) = delete;

    void post(std::function<void()> task);
    /// Does what is already posted, then ends. What is posted later is dropped.
    void stop();

  private:
    void work(const char* name);

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> tasks_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace lab::run
