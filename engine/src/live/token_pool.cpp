// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/token_pool.hpp"

#include <chrono>
#include <limits>
#include <system_error>
#include <utility>

#include "live/platform.hpp"

namespace lab::live {

namespace {

Instant now() { return std::chrono::steady_clock::now(); }

core::Ticket ticket_of(TokenPool::Job& job) {
    return static_cast<core::Ticket>(reinterpret_cast<std::uintptr_t>(&job));
}

/// Above those of worker threads and loops.
constexpr core::Ticket first_thread = 1'000'000;

}  // namespace

TokenPool::TokenPool(int tokens) : slots_{{tokens, std::numeric_limits<int>::max(), Duration{}}} {}

TokenPool::~TokenPool() {
    {
        const std::lock_guard hold{mutex_};
        leaving_ = true;
    }
    wake_.notify_all();
    for (const auto& seat : seats_) seat->thread.join();
}

void TokenPool::enter(Job& job) {
    std::unique_lock hold{mutex_};
    const core::Grant grant = slots_.acquire(ticket_of(job), now());
    if (grant.admission != core::Admission::granted) return;
    granted_.push_back({&job, grant.slot});
    if (see_to_a_thread()) {
        hold.unlock();
        wake_.notify_one();
        return;
    }
    granted_.pop_back();
    static_cast<void>(slots_.release(grant.slot, now()));
    hold.unlock();
    job.find_no_thread();
}

bool TokenPool::see_to_a_thread() {
    if (resting_ >= granted_.size()) return true;
    try {
        auto seat = std::make_unique<Seat>();
        if (cancelled_) seat->parker.cancel();
        const core::Ticket ticket = first_thread + seats_.size();
        seat->thread = std::thread{[this, at = seat.get(), ticket] { run(*at, ticket); }};
        if (cores_ != 0) platform::restrict_thread(seat->thread, cores_);
        seats_.push_back(std::move(seat));
    } catch (const std::system_error&) {
        return !seats_.empty();  // one that runs will pick it up
    }
    return true;
}

void TokenPool::run(Seat& seat, core::Ticket ticket) {
    platform::name_this_thread("pool");
    platform::tighten_timer_slack();
    std::unique_lock hold{mutex_};
    seat.clock = platform::this_thread_clock();
    for (;;) {
        ++resting_;
        wake_.wait(hold, [this] { return leaving_ || !granted_.empty(); });
        --resting_;
        if (granted_.empty()) return;
        const Granted next = granted_.front();
        granted_.pop_front();
        hold.unlock();
        next.job->run_on(ticket, seat.parker);
        hold.lock();
        if (const auto wake = slots_.release(next.slot, now())) {
            granted_.push_back({reinterpret_cast<Job*>(wake->ticket), wake->slot});
        }
    }
}

bool TokenPool::withdraw(Job& job) {
    const std::lock_guard hold{mutex_};
    return slots_.withdraw(ticket_of(job));
}

void TokenPool::configure(int tokens) {
    bool some = false;
    {
        const std::lock_guard hold{mutex_};
        for (const core::Wake& wake : slots_.resize(tokens, now())) {
            granted_.push_back({reinterpret_cast<Job*>(wake.ticket), wake.slot});
            static_cast<void>(see_to_a_thread());  // who waits here knows that there is one
            some = true;
        }
    }
    if (some) wake_.notify_all();
}

void TokenPool::restrict_to(unsigned cores) {
    const std::lock_guard hold{mutex_};
    if (std::exchange(cores_, cores) == cores) return;
    for (const auto& seat : seats_) platform::restrict_thread(seat->thread, cores);
}

void TokenPool::cancel() {
    const std::lock_guard hold{mutex_};
    cancelled_ = true;
    for (const auto& seat : seats_) seat->parker.cancel();
}

TokenPool::Levels TokenPool::levels() const {
    const std::lock_guard hold{mutex_};
    Levels levels{static_cast<std::uint32_t>(slots_.slots()),
                  static_cast<std::uint32_t>(slots_.busy()),
                  static_cast<std::uint32_t>(slots_.depth()),
                  {}};
    for (const auto& seat : seats_) levels.cpu += platform::thread_cpu_time_of(seat->clock);
    return levels;
}

}  // namespace lab::live
