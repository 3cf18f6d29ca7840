// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/completion_queue.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace lab::live {

void CompletionQueue::push(Item item) {
    const std::lock_guard lock{mutex_};
    waiting_.push_back(std::move(item));
    if (wake_pending_ || !wake_) return;
    wake_pending_ = true;
    wake_();
}

void CompletionQueue::bound(Exchange& exchange) { push({&exchange, What::bound, {}}); }

void CompletionQueue::answered(Exchange& exchange) { push({&exchange, What::answered, {}}); }

void CompletionQueue::worker_gone(Exchange& exchange, bool killed) {
    push({&exchange, killed ? What::worker_killed : What::worker_left, {}});
}

void CompletionQueue::post(std::function<void()> work) {
    push({nullptr, What::work, std::move(work)});
}

void CompletionQueue::wake_at(Instant when, std::function<void()> work, const void* whose) {
    // Setting a timer is for the front end's thread alone.
    post([this, when, whose, work = std::move(work)]() mutable {
        std::erase_if(alarms_, [whose](const Alarm& alarm) { return alarm.whose == whose; });
        if (when != Instant::max()) alarms_.push_back({whose, when, std::move(work)});
        if (set_alarm_) set_alarm_(next_alarm());
    });
}

Instant CompletionQueue::next_alarm() const {
    Instant next = Instant::max();
    for (const Alarm& alarm : alarms_) next = std::min(next, alarm.when);
    return next;
}

template <class Drops>
void CompletionQueue::drop(Exchange& exchange, Drops&& drops) {
    const auto drop_from = [&](std::vector<Item>& items) {
        for (auto& item : items) {
            if (item.exchange == &exchange && drops(item.what)) item.exchange = nullptr;
        }
    };
    drop_from(running_);
    const std::lock_guard lock{mutex_};
    drop_from(waiting_);
}

void CompletionQueue::forget(Exchange& exchange) {
    drop(exchange, [](What what) { return what == What::bound || what == What::answered; });
}

void CompletionQueue::forget_gone(Exchange& exchange) {
    drop(exchange,
         [](What what) { return what == What::worker_left || what == What::worker_killed; });
}

void CompletionQueue::attach(std::function<void()> wake, std::function<void(Instant)> set_alarm) {
    const std::lock_guard lock{mutex_};
    wake_ = std::move(wake);
    set_alarm_ = std::move(set_alarm);
    wake_pending_ = !waiting_.empty();
    if (wake_pending_) wake_();
}

void CompletionQueue::detach() {
    const std::lock_guard lock{mutex_};
    wake_ = nullptr;
    set_alarm_ = nullptr;
    wake_pending_ = false;
}

void CompletionQueue::drain(Instant now) {
    {
        const std::lock_guard lock{mutex_};
        wake_pending_ = false;  // before taking what is there, or a wake is lost
        if (running_.empty()) {
            running_.swap(waiting_);
        } else {
            // A callback threw last time: the others of its batch come first.
            std::move(waiting_.begin(), waiting_.end(), std::back_inserter(running_));
            waiting_.clear();
        }
    }
    for (std::size_t i = 0; i < running_.size(); ++i) {
        const auto item = std::exchange(running_[i], {});  // called once, whatever happens
        if (item.exchange == nullptr) {
            if (item.work) item.work();
        } else if (item.what == What::answered) {
            item.exchange->on_answer();
        } else if (item.what == What::bound) {
            item.exchange->on_bound();
        } else {
            item.exchange->on_worker_gone(item.what == What::worker_killed);
        }
    }
    running_.clear();
    std::vector<std::function<void()>> ringing;
    std::erase_if(alarms_, [&](Alarm& alarm) {
        if (alarm.when > now) return false;
        ringing.push_back(std::move(alarm.work));
        return true;
    });
    if (ringing.empty()) return;
    if (set_alarm_ && !alarms_.empty()) set_alarm_(next_alarm());
    for (const auto& work : ringing) work();
}

}  // namespace lab::live
