// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/turn_queue.hpp"

#include <algorithm>

namespace lab::core {

bool TurnQueue::later(const Entry& a, const Entry& b) {
    return a.turn.due != b.turn.due ? a.turn.due > b.turn.due : a.order > b.order;
}

void TurnQueue::add(Ticket who, Instant due) {
    heap_.push_back({{who, due}, added_++});
    std::push_heap(heap_.begin(), heap_.end(), later);
}

std::optional<TurnQueue::Turn> TurnQueue::take(Instant now) {
    if (heap_.empty() || heap_.front().turn.due > now) return std::nullopt;
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Turn turn = heap_.back().turn;
    heap_.pop_back();
    return turn;
}

bool TurnQueue::remove(Ticket who) {
    const auto removed = std::erase_if(heap_, [who](const Entry& e) { return e.turn.who == who; });
    if (removed > 0) std::make_heap(heap_.begin(), heap_.end(), later);
    return removed > 0;
}

std::optional<Instant> TurnQueue::next_due() const {
    if (heap_.empty()) return std::nullopt;
    return heap_.front().turn.due;
}

std::size_t TurnQueue::ready(Instant now) const {
    return static_cast<std::size_t>(std::count_if(
        heap_.begin(), heap_.end(), [now](const Entry& e) { return e.turn.due <= now; }));
}

}  // namespace lab::core
