// SPDX-License-Identifier: GPL-3.0-or-later
#include "run/worker_thread.hpp"

#include "live/platform.hpp"

#include <utility>

namespace lab::run {

WorkerThread::WorkerThread(const char* name) : thread_{[this, name] { work(name); }} {}

WorkerThread::~WorkerThread() { stop(); }

void WorkerThread::post(std::function<void()> task) {
    {
        const std::lock_guard lock{mutex_};
        if (stopping_) return;
        tasks_.push_back(std::move(task));
    }
    wake_.notify_one();
}

void WorkerThread::stop() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void WorkerThread::work(const char* name) {
    live::platform::name_this_thread(name);
    std::unique_lock lock{mutex_};
    for (;;) {
        wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
        if (tasks_.empty()) return;
        auto task = std::move(tasks_.front());
        tasks_.pop_front();
        lock.unlock();
        task();
        task = nullptr;  // what it holds is let go outside the lock
        lock.lock();
    }
}

}  // namespace lab::run
