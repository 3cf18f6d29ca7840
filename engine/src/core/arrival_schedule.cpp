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

namespace {

Load plain_load(ArrivalRate rate, Arrivals arrivals) {
    Load load;
    load.rate = rate;
    load.arrivals = arrivals;
    return load;
}

}  // namespace

ArrivalSchedule::ArrivalSchedule(ArrivalRate rate, Arrivals arrivals, std::uint64_t seed,
                                 Instant start)
    : ArrivalSchedule{plain_load(rate, arrivals), seed, start, start} {}

ArrivalSchedule::ArrivalSchedule(const Load& load, std::uint64_t seed, Instant start,
                                 Instant origin)
    : rate_{load.rate},
      arrivals_{load.arrivals},
      seed_{seed},
      shape_{load.shape},
      origin_{std::min(start, origin)},
      curve_{load, seed} {
    begin_gap(start);
}

RequestId ArrivalSchedule::take() {
    LAB_ASSERT(due_ != never);
    const RequestId taken = next_++;
    const bool even = shape_.kind == LoadShape::constant && arrivals_ == Arrivals::constant;
    if (even && rate_.per_second() > 0) {
        due_ = anchor_ + gaps(++count_, rate_);
    } else if (shape_.kind == LoadShape::recorded) {
        ++recorded_;
        next_recorded(due_);
    } else {
        begin_gap(due_);
    }
    return taken;
}

void ArrivalSchedule::set_rate(ArrivalRate rate, Arrivals arrivals, Instant now) {
    Load load = plain_load(rate, arrivals);
    load.shape = shape_;
    change(load, now);
}

void ArrivalSchedule::change(const Load& load, Instant now) {
    if (load.rate == rate_ && load.arrivals == arrivals_ && load.shape == shape_) return;
    const bool same_law = load.arrivals == arrivals_;
    const bool same_shape =
        load.shape.kind == shape_.kind && load.shape.recording == shape_.recording;
    const bool level = same_shape && shape_.kind == LoadShape::constant;
    const double old_rate = rate_.per_second();
    // What the old plan still expected before its next arrival.
    const double left = due_ > now && due_ != never && shape_.kind != LoadShape::recorded && !level
                            ? curve_.expected(now - origin_, due_ - origin_)
                            : 0;
    rate_ = load.rate;
    arrivals_ = load.arrivals;
    shape_ = load.shape;
    curve_ = RateCurve{load, seed_};
    if (!same_shape) {
        origin_ = now;
        recorded_ = 0;
    }
    if (due_ <= now) {
        rest_on(due_);
    } else if (level && same_law && old_rate > 0 && rate_.per_second() > 0) {
        const auto rest = static_cast<double>((due_ - now).count());
        rest_on(now +
                Duration{static_cast<std::int64_t>(rest * old_rate / rate_.per_second() + 0.5)});
    } else if (shape_.kind == LoadShape::recorded) {
        next_recorded(now);
    } else if (same_law && left > 0) {
        rest_on(follow(now, left));
    } else {
        begin_gap(now);
    }
}

void ArrivalSchedule::begin_gap(Instant from) {
    if (shape_.kind == LoadShape::recorded) {
        next_recorded(from);
    } else if (shape_.kind != LoadShape::constant) {
        rest_on(follow(from, unit_gap()));
    } else if (rate_.per_second() <= 0) {
        rest_on(never);
    } else if (arrivals_ == Arrivals::constant) {
        rest_on(from + gaps(1, rate_));
    } else {
        rest_on(from + keyed_exponential(rate_.mean_gap(), seed_, next_, key_of(Purpose::arrival)));
    }
}

/// Mean 1: always, or exponential.
double ArrivalSchedule::unit_gap() const {
    if (arrivals_ == Arrivals::constant) return 1;
    return to_seconds(keyed_exponential(1s, seed_, next_, key_of(Purpose::arrival)));
}

Instant ArrivalSchedule::follow(Instant from, double arrivals) {
    const Duration due = curve_.after(from - origin_, arrivals);
    return due == Duration::max() ? never : origin_ + due;
}

void ArrivalSchedule::next_recorded(Instant from) {
    const auto* const times = shape_.recording.times.get();
    while (times != nullptr && recorded_ < times->size() && origin_ + (*times)[recorded_] < from) {
        ++recorded_;
    }
    rest_on(times != nullptr && recorded_ < times->size() ? origin_ + (*times)[recorded_] : never);
}

void ArrivalSchedule::rest_on(Instant due) {
    due_ = due;
    anchor_ = due;
    count_ = 0;
}

}  // namespace lab::core
