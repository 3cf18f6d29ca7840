// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/rate_curve.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/keyed_random.hpp"

namespace lab::core {

namespace {

constexpr Duration never = Duration::max();
constexpr int most_pieces = 1'000'000;

/// Of the way from the night's rate to the evening's peak, at each full hour from midnight on.
constexpr std::array<double, 24> hours{0.30, 0.18, 0.10, 0.05, 0.02, 0.00, 0.05, 0.20,
                                       0.42, 0.60, 0.70, 0.76, 0.80, 0.78, 0.75, 0.74,
                                       0.76, 0.80, 0.88, 0.96, 1.00, 0.92, 0.72, 0.48};

/// `n` of `of` equal parts of a length.
Duration part(Duration length, std::int64_t n, std::int64_t of) { return length * n / of; }

}  // namespace

double RateCurve::Piece::rate_at(Duration t) const {
    if (to == never || rate_from == rate_to) return rate_from;
    return rate_from + (rate_to - rate_from) * (to_seconds(t - from) / to_seconds(to - from));
}

RateCurve::RateCurve(const Load& load, std::uint64_t seed)
    : shape_{load.shape},
      rate_{std::max(0.0, load.rate.per_second())},
      peak_{std::max(0.0, load.shape.peak.per_second())},
      seed_{seed} {
    shape_.recording = {};
    shape_.length = std::max(shape_.length, Duration{1});
    shape_.calm = std::max(shape_.calm, Duration{1});
    shape_.burst = std::max(shape_.burst, Duration{1});
    shape_.day = std::max(shape_.day, Duration{24});
    shape_.steps = std::max(shape_.steps, 1);
    if (shape_.repeat > Duration{}) shape_.repeat = std::max(shape_.repeat, shape_.length);
}

RateCurve::Piece RateCurve::level(Duration from, Duration to, double rate) const {
    return {from, to, rate, rate};
}

RateCurve::Piece RateCurve::piece_at(Duration t) {
    switch (shape_.kind) {
        case LoadShape::constant:
        case LoadShape::recorded:
            break;
        case LoadShape::ramp:
        case LoadShape::steps:
        case LoadShape::spike:
            return raised(t);
        case LoadShape::bursts:
            return burst_or_calm(t);
        case LoadShape::daily:
            return of_day(t);
    }
    return level(Duration{}, never, rate_);
}

/// Ramp, steps and spike: level until they begin, and then perhaps again and again.
RateCurve::Piece RateCurve::raised(Duration t) const {
    if (t < shape_.start) return level(Duration{}, shape_.start, rate_);
    Duration begin = shape_.start, end = never;
    if (shape_.repeat > Duration{}) {
        begin += (t - begin) / shape_.repeat * shape_.repeat;
        end = begin + shape_.repeat;
    }
    const Duration top = begin + shape_.length;
    const double after = shape_.kind == LoadShape::spike ? rate_ : peak_;
    if (t >= top) return level(top, end, after);
    if (shape_.kind == LoadShape::spike) return level(begin, top, peak_);
    if (shape_.kind == LoadShape::ramp) return {begin, top, rate_, peak_};
    const std::int64_t n = shape_.steps;
    const std::int64_t step = (t - begin) * n / shape_.length;
    const double height =
        rate_ + (peak_ - rate_) * static_cast<double>(step + 1) / static_cast<double>(n);
    return level(begin + part(shape_.length, step, n),
                 std::max(begin + part(shape_.length, step + 1, n), t + Duration{1}), height);
}

RateCurve::Piece RateCurve::of_day(Duration t) const {
    const Duration midnight = t / shape_.day * shape_.day;
    const std::int64_t hour = std::min<std::int64_t>(23, (t - midnight) * 24 / shape_.day);
    const auto rate = [this](std::int64_t h) {
        return rate_ + (peak_ - rate_) * hours[static_cast<std::size_t>(h % 24)];
    };
    return {midnight + part(shape_.day, hour, 24),
            std::max(midnight + part(shape_.day, hour + 1, 24), t + Duration{1}), rate(hour),
            rate(hour + 1)};
}

RateCurve::Piece RateCurve::burst_or_calm(Duration t) {
    const auto hold = [this] {
        const Duration mean = turn_ % 2 == 0 ? shape_.calm : shape_.burst;
        const auto phase = static_cast<std::uint32_t>(Purpose::phase);
        turn_to_ = turn_from_ + std::max(keyed_exponential(mean, seed_, turn_, phase), Duration{1});
    };
    if (t < turn_from_ || turn_to_ == Duration{}) {  // from the beginning
        turn_ = 0;
        turn_from_ = Duration{};
        hold();
    }
    while (t >= turn_to_) {
        ++turn_;
        turn_from_ = turn_to_;
        hold();
    }
    return level(turn_from_, turn_to_, turn_ % 2 == 0 ? rate_ : peak_);
}

double RateCurve::expected(Duration from, Duration to) {
    double sum = 0;
    while (from < to) {
        const Piece piece = piece_at(from);
        const Duration end = std::min(piece.to, to);
        sum += (piece.rate_at(from) + piece.rate_at(end)) / 2 * to_seconds(end - from);
        from = end;
    }
    return sum;
}

Duration RateCurve::after(Duration from, double arrivals) {
    if (rate_ <= 0 && (peak_ <= 0 || shape_.kind == LoadShape::constant)) return never;
    for (int n = 0; n < most_pieces; ++n) {
        const Piece piece = piece_at(from);
        const double begin = piece.rate_at(from);
        if (piece.to == never) {
            return begin > 0 ? from + from_seconds(arrivals / begin) : never;
        }
        const double length = to_seconds(piece.to - from);
        const double inside = (begin + piece.rate_to) / 2 * length;
        if (inside > arrivals) {
            // The root of begin x + slope x^2 / 2 = arrivals, in the form that never cancels.
            const double slope = (piece.rate_to - begin) / length;
            const double root = std::sqrt(std::max(0.0, begin * begin + 2 * slope * arrivals));
            return std::min(from + from_seconds(2 * arrivals / (begin + root)), piece.to);
        }
        arrivals -= inside;
        from = piece.to;
    }
    return never;
}

}  // namespace lab::core
