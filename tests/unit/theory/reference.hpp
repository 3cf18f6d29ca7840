// SPDX-License-Identifier: GPL-3.0-or-later
// Queues played through customer by customer: what the closed forms are held against.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "core/keyed_random.hpp"

namespace lab::theory::test {

struct Played {
    std::vector<double> sojourns;  ///< ascending
    double wait = 0;

    [[nodiscard]] double percentile(double share) const {
        const auto at = static_cast<std::size_t>(share * static_cast<double>(sojourns.size()));
        return sojourns[std::min(at, sojourns.size() - 1)];
    }
};

inline double exponential(double mean, std::uint64_t customer, std::uint32_t purpose) {
    return -mean * std::log1p(-core::keyed_uniform(7, customer, purpose));
}

/// First come first served on `servers` alike: each takes the server that is free first.
inline Played play(double rate, int servers, std::uint64_t customers,
                   const std::function<double(std::uint64_t)>& service) {
    std::vector<double> free(static_cast<std::size_t>(servers), 0.0);
    Played played;
    double now = 0;
    for (std::uint64_t i = 0; i < customers; ++i) {
        now += exponential(1 / rate, i, 1);
        const auto next = std::ranges::min_element(free);
        const double start = std::max(now, *next), time = service(i);
        *next = start + time;
        if (i < customers / 20) continue;  // warm-up
        played.wait += start - now;
        played.sojourns.push_back(start + time - now);
    }
    played.wait /= static_cast<double>(played.sojourns.size());
    std::ranges::sort(played.sojourns);
    return played;
}

/// The mean of what lies above a tail, by the trapezium rule.
inline double mean_of_tail(const std::function<double(double)>& tail, double most, int points) {
    const double step = most / points;
    double sum = (tail(0) + tail(most)) / 2;
    for (int i = 1; i < points; ++i) sum += tail(i * step);
    return sum * step;
}

}  // namespace lab::theory::test
