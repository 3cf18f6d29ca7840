// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/hedge_policy.hpp"

#include <algorithm>
#include <cmath>

namespace lab::core {

namespace {

/// The percentile moves slowly: it is looked up again after so many answers.
constexpr std::size_t measured_every = 20;

}  // namespace

void HedgePolicy::change(const Hedge& hedge) {
    if (hedge == hedge_) return;
    hedge_ = hedge;
    measure();
}

void HedgePolicy::answered(Duration took) {
    if (hedge_.percentile <= 0) return;
    if (recent_.size() < remembered) {
        recent_.push_back(took);
    } else {
        recent_[next_] = took;
        next_ = (next_ + 1) % remembered;
    }
    if (++since_measured_ >= measured_every) measure();
}

std::optional<Duration> HedgePolicy::delay() const {
    if (hedge_.percentile > 0 && percentile_) return percentile_;
    if (hedge_.after > Duration{}) return hedge_.after;
    return std::nullopt;
}

void HedgePolicy::measure() {
    since_measured_ = 0;
    percentile_.reset();
    if (hedge_.percentile <= 0 || recent_.size() < least) return;
    sorted_ = recent_;
    const double rank = std::ceil(hedge_.percentile / 100 * static_cast<double>(sorted_.size()));
    const auto at = std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(rank) - 1, 0,
                                               static_cast<std::ptrdiff_t>(sorted_.size()) - 1);
    std::nth_element(sorted_.begin(), sorted_.begin() + at, sorted_.end());
    percentile_ = sorted_[static_cast<std::size_t>(at)];
}

}  // namespace lab::core
