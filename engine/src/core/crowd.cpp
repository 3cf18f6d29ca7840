// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/crowd.hpp"

#include <algorithm>

#include "core/keyed_random.hpp"
#include "lab/assert.hpp"

namespace lab::core {

namespace {

/// For a heap with the earliest on top; equal instants in the order of the users.
constexpr auto later = [](const auto& a, const auto& b) {
    return a.at != b.at ? a.at > b.at : a.user > b.user;
};

std::uint32_t step_of(Purpose purpose) { return static_cast<std::uint32_t>(purpose); }

}  // namespace

RequestId Crowd::next_id(std::uint32_t user) const {
    return std::max(users_[user].turn, first_turn_) * most_users + user + 1;
}

void Crowd::push(Due due) {
    heap_.push_back(due);
    std::push_heap(heap_.begin(), heap_.end(), later);
}

void Crowd::resize(std::size_t users, const Distribution& think, Instant now) {
    LAB_ASSERT(users < most_users);
    size_ = users;
    if (users_.size() < users) users_.resize(users);
    for (std::uint32_t user = 0; user < users; ++user) {
        if (users_[user].present) continue;
        users_[user].present = true;
        const auto id = next_id(user);
        const auto pause = keyed_duration(think, seed_, id, step_of(Purpose::think));
        const double rest = keyed_uniform(seed_, id, step_of(Purpose::jitter));
        push({now + from_seconds(to_seconds(pause) * rest), user});
    }
}

void Crowd::dismiss(RequestId last) {
    size_ = 0;
    first_turn_ = last / most_users + 1;
    drop_leavers();
}

void Crowd::finished(std::uint32_t user, const Distribution& think, Duration pause, Instant now) {
    if (user >= size_) {
        users_[user].present = false;
        return;
    }
    const auto thought =
        keyed_duration(think, seed_, next_id(user), step_of(Purpose::think));
    push({now + std::max(thought, pause), user});
}

/// Those beyond the size leave when their turn would come; until then they may be called back.
void Crowd::drop_leavers() {
    while (!heap_.empty() && heap_.front().user >= size_) {
        users_[heap_.front().user].present = false;
        std::pop_heap(heap_.begin(), heap_.end(), later);
        heap_.pop_back();
    }
}

Instant Crowd::next_due() {
    drop_leavers();
    return heap_.empty() ? Instant::max() : heap_.front().at;
}

std::optional<Crowd::Turn> Crowd::take(Instant now) {
    if (next_due() > now) return {};
    const Due due = heap_.front();
    std::pop_heap(heap_.begin(), heap_.end(), later);
    heap_.pop_back();
    const Turn turn{due.user, next_id(due.user), due.at};
    users_[due.user].turn = turn.id / most_users + 1;
    return turn;
}

void Crowd::postpone(Instant now) {
    for (Due& due : heap_) due.at = std::max(due.at, now);
    std::make_heap(heap_.begin(), heap_.end(), later);
}

}  // namespace lab::core
