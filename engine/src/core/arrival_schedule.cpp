// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/arrival_schedule.hpp"

#include <algorithm>

#include "lab/assert.hpp"

namespace lab::core {

namespace {

constexpr std::uint32_t key_of(Purpose purpose) { return static_cast<std::uint32_t>(purpose); }

constexpr Instant never = Instant::max();

/// `count` gaps of 1/rate, to the nearest nanosecond.
Duration gaps(std::int64_t count, ArrivalRate rate) {
    return Duration{
        static_cast<std::int64_t>(static_cast<double>(count) * 1e9 / rate.per_second() + 0.5)};
}

}  // namespace

RequestMix::RequestMix(const Load& load, std::vector<double> route_weights, std::uint64_t seed)
    : cumulative_{std::move(route_weights)},
      keys_{static_cast<std::uint64_t>(std::max(load.keys, 1)), load.zipf},
      keys_count_{static_cast<std::uint64_t>(std::max(load.keys, 1))},
      users_{static_cast<std::uint64_t>(std::max(load.users, 1))},
      seed_{seed},
      draws_user_{load.model == LoadModel::open} {
    double sum = 0;
    for (double& weight : cumulative_) {
        LAB_ASSERT(weight >= 0);
        sum += weight;
        weight = sum;
    }
    LAB_ASSERT(sum > 0);
}

void RequestMix::describe(Planned& planned) const {
    // What can come to one thing only is not drawn: each draw is keyed, so that none moves another.
    planned.key = keys_count_ > 1 ? keys_.draw(seed_, planned.id, key_of(Purpose::key)) : 0;
    if (draws_user_ && users_ > 1) {
        planned.user = static_cast<std::uint32_t>(
            keyed_below(seed_, planned.id, key_of(Purpose::user), users_));
    } else if (draws_user_) {
        planned.user = 0;
    }
    planned.route = 0;
    if (cumulative_.size() == 1) return;
    const double point =
        keyed_uniform(seed_, planned.id, key_of(Purpose::route)) * cumulative_.back();
    // The first whose end lies beyond the point: a route of weight 0 has no width and is never
    // chosen.
    auto chosen = std::upper_bound(cumulative_.begin(), cumulative_.end(), point);
    if (chosen == cumulative_.end()) {  // rounding put the point on the last end
        chosen = std::lower_bound(cumulative_.begin(), cumulative_.end(), cumulative_.back());
    }
    planned.route = static_cast<std::uint32_t>(chosen - cumulative_.begin());
}

std::vector<double> route_weights(const std::vector<Route>& routes, const Load& load) {
    if (routes.empty()) return {1.0};
    std::vector<double> weights(routes.size(), 0.0);
    double sum = 0;
    for (const RouteShare& share : load.mix) {
        for (std::size_t i = 0; i < routes.size(); ++i) {
            if (routes[i].id != share.route || !(share.weight > 0)) continue;
            weights[i] += share.weight;
            sum += share.weight;
        }
    }
    return sum > 0 ? weights : std::vector<double>(routes.size(), 1.0);
}

ArrivalSchedule::ArrivalSchedule(ArrivalRate rate, Arrivals arrivals, std::uint64_t seed,
                                 Instant start)
    : rate_{rate}, arrivals_{arrivals}, seed_{seed} {
    begin_gap(start);
}

RequestId ArrivalSchedule::take() {
    LAB_ASSERT(due_ != never);
    const RequestId taken = next_++;
    if (arrivals_ == Arrivals::constant && rate_.per_second() > 0) {
        due_ = anchor_ + gaps(++count_, rate_);
    } else {
        begin_gap(due_);
    }
    return taken;
}

void ArrivalSchedule::set_rate(ArrivalRate rate, Arrivals arrivals, Instant now) {
    if (rate == rate_ && arrivals == arrivals_) return;
    const bool same_law = arrivals == arrivals_;
    const double old_rate = rate_.per_second();
    rate_ = rate;
    arrivals_ = arrivals;
    if (due_ <= now) {
        rest_on(due_);
    } else if (same_law && old_rate > 0 && rate.per_second() > 0) {
        const auto left = static_cast<double>((due_ - now).count());
        rest_on(now +
                Duration{static_cast<std::int64_t>(left * old_rate / rate.per_second() + 0.5)});
    } else {
        begin_gap(now);
    }
}

void ArrivalSchedule::begin_gap(Instant from) {
    if (rate_.per_second() <= 0) {
        rest_on(never);
    } else if (arrivals_ == Arrivals::constant) {
        rest_on(from + gaps(1, rate_));
    } else {
        rest_on(from + keyed_exponential(rate_.mean_gap(), seed_, next_, key_of(Purpose::arrival)));
    }
}

void ArrivalSchedule::rest_on(Instant due) {
    due_ = due;
    anchor_ = due;
    count_ = 0;
}

}  // namespace lab::core
