// SPDX-License-Identifier: GPL-3.0-or-later
#include "virtual/processors.hpp"

#include <algorithm>
#include <utility>

#include "lab/assert.hpp"

namespace lab::virtual_time {

Processors::Processors(Options options) : options_{options} {
    LAB_ASSERT(options.cores > 0);
    LAB_ASSERT(options.slice > Duration{});
    if (!shares()) cores_.resize(static_cast<std::size_t>(options.cores));
}

void Processors::start(std::uint32_t thread, Duration cost, Account account, Instant now) {
    LAB_ASSERT(cost > Duration{});
    if (thread >= tasks_.size()) tasks_.resize(thread + 1);
    Task& task = tasks_[thread];
    LAB_ASSERT(!task.active);
    if (shares()) advance(now);
    task.active = true;
    task.account = account;
    ++active_;
    ++active_of_[static_cast<std::size_t>(account)];
    if (shares()) {
        rest_ = 0;
        task.ends = work_ + cost.count();
        endings_.push_back({task.ends, order_++, thread, ++task.token});
        std::push_heap(endings_.begin(), endings_.end(), later);
        return;
    }
    task.left = cost;
    waiting_.push_back(thread);
    const auto free =
        std::find_if(cores_.begin(), cores_.end(), [](const Core& c) { return c.thread < 0; });
    if (free != cores_.end()) give_turn(*free, now);
}

Duration Processors::stop(std::uint32_t thread, Instant now) {
    LAB_ASSERT(computes(thread));
    Task& task = tasks_[thread];
    Duration left{};
    if (shares()) {
        advance(now);
        left = Duration{task.ends - work_};
        rest_ = 0;
        ++task.token;
    } else {
        const auto core = std::find_if(cores_.begin(), cores_.end(), [thread](const Core& c) {
            return c.thread == std::int64_t{thread};
        });
        if (core != cores_.end()) {
            end_turn(*core, now);
            give_turn(*core, now);
        } else {
            waiting_.erase(std::find(waiting_.begin(), waiting_.end(), thread));
        }
        left = task.left;
    }
    task.active = false;
    --active_;
    --active_of_[static_cast<std::size_t>(task.account)];
    return std::max(left, Duration{1});
}

Instant Processors::next() {
    if (active_ == 0) return Instant::max();
    if (!shares()) {
        Instant first = Instant::max();
        for (const Core& core : cores_) {
            if (core.thread >= 0) first = std::min(first, core.ends);
        }
        return first;
    }
    drop_stale();
    LAB_ASSERT(!endings_.empty());
    const std::int64_t left = std::max<std::int64_t>(0, endings_.front().ends - work_);
    const std::int64_t cores = options_.cores;
    if (active_ <= cores) return at_ + Duration{left};
    // The first whole nanosecond at which it has that much: none of it is lost to rounding.
    const std::int64_t parts = left * active_ - rest_;
    return at_ + Duration{std::max<std::int64_t>(0, (parts + cores - 1) / cores)};
}

std::optional<std::uint32_t> Processors::finish(Instant now) {
    if (active_ == 0) return std::nullopt;
    const auto done = shares() ? finish_shared(now) : finish_turn(now);
    if (!done) return std::nullopt;
    Task& task = tasks_[*done];
    task.active = false;
    --active_;
    --active_of_[static_cast<std::size_t>(task.account)];
    return done;
}

std::optional<std::uint32_t> Processors::finish_shared(Instant now) {
    advance(now);
    drop_stale();
    if (endings_.empty() || endings_.front().ends > work_) return std::nullopt;
    const std::uint32_t thread = endings_.front().thread;
    std::pop_heap(endings_.begin(), endings_.end(), later);
    endings_.pop_back();
    rest_ = 0;
    return thread;
}

std::optional<std::uint32_t> Processors::finish_turn(Instant now) {
    for (Core& core : cores_) {
        if (core.thread < 0 || core.ends > now) continue;
        const auto thread = static_cast<std::uint32_t>(core.thread);
        end_turn(core, now);
        const bool done = tasks_[thread].left <= Duration{};
        if (!done) waiting_.push_back(thread);
        give_turn(core, now);
        if (done) return thread;
    }
    return std::nullopt;
}

Duration Processors::used(Account account, Instant now) {
    if (shares()) {
        advance(now);
        return spent(account);
    }
    Duration sum = spent(account);
    for (const Core& core : cores_) {
        if (core.thread < 0) continue;
        const Task& task = tasks_[static_cast<std::size_t>(core.thread)];
        if (task.account == account && now > core.began) sum += now - core.began;
    }
    return sum;
}

void Processors::configure(Options options, Instant now) {
    std::vector<std::pair<std::uint32_t, Duration>> in_hand;
    for (std::uint32_t thread = 0; thread < tasks_.size(); ++thread) {
        if (tasks_[thread].active) in_hand.emplace_back(thread, stop(thread, now));
    }
    options_ = options;
    endings_.clear();
    waiting_.clear();
    cores_.assign(shares() ? 0 : static_cast<std::size_t>(options.cores), Core{});
    at_ = now;
    for (const auto& [thread, left] : in_hand) {
        start(thread, left, tasks_[thread].account, now);
    }
}

/// Work time goes on at the rate of one thread.
void Processors::advance(Instant now) {
    const std::int64_t time = (now - at_).count();
    if (time <= 0) return;
    at_ = now;
    if (active_ == 0) return;
    std::int64_t done = time;
    if (active_ > options_.cores) {
        const std::int64_t parts = time * options_.cores + rest_;
        done = parts / active_;
        rest_ = parts % active_;
    }
    work_ += done;
    for (std::size_t i = 0; i < used_.size(); ++i) used_[i] += Duration{done * active_of_[i]};
}

void Processors::drop_stale() {
    while (!endings_.empty()) {
        const Ending& first = endings_.front();
        const Task& task = tasks_[first.thread];
        if (task.active && task.token == first.token) return;
        std::pop_heap(endings_.begin(), endings_.end(), later);
        endings_.pop_back();
    }
}

/// The core goes to whoever has waited longest, if anybody has.
void Processors::give_turn(Core& core, Instant now) {
    core.thread = -1;
    if (waiting_.empty()) return;
    const std::uint32_t thread = waiting_.front();
    waiting_.pop_front();
    core.thread = thread;
    core.began = now;
    if (core.last >= 0 && core.last != core.thread) core.began += options_.switch_cost;
    core.last = core.thread;
    core.ends = core.began + std::min(tasks_[thread].left, options_.slice);
}

void Processors::end_turn(Core& core, Instant now) {
    Task& task = tasks_[static_cast<std::size_t>(core.thread)];
    const Duration ran = std::clamp(now - core.began, Duration{}, task.left);
    task.left -= ran;
    spent(task.account) += ran;
    core.thread = -1;
}

}  // namespace lab::virtual_time
