// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/model.hpp"
#include "lab/units.hpp"

#include <cstdint>

namespace lab::core {

/// The arrival rate as it moves in the course of a run: straight pieces, one after the other. What
/// is random of it (when bursts come) is keyed: the same seed gives the same bursts, whatever their
/// rates.
///
/// Bursts are a Markov-modulated Poisson process of two states; source: Fischer and Meier-Hellstern
/// 1993. The day is an illustration, not a measured site's. Threads: one at a time.
class RateCurve {
  public:
    /// A straight piece over [from, to), in requests per second. `to` is Duration::max() where it
    /// has no end; it is then level.
    struct Piece {
        Duration from{}, to = Duration::max();
        double rate_from = 0, rate_to = 0;
        [[nodiscard]] double rate_at(Duration t) const;
    };

    RateCurve() = default;
    /// `load.rate` and `load.shape`; a recorded shape has no curve and is level.
    RateCurve(const Load& load, std::uint64_t seed);

    /// The piece that holds this time since the shape's beginning. Cheap where times ascend.
    [[nodiscard]] Piece piece_at(Duration t);
    [[nodiscard]] double rate_at(Duration t) { return piece_at(t).rate_at(t); }
    /// How many arrivals are expected in [from, to).
    [[nodiscard]] double expected(Duration from, Duration to);
    /// The time by which, from `from` on, so many arrivals are expected; Duration::max() if never
    /// (or after more than a million pieces).
    ///
    /// This is the inversion of the integrated rate: unit gaps become evenly spaced arrivals,
    /// exponential ones a Poisson process of this rate. Source: Cinlar 1975, chapter 4.7.
    [[nodiscard]] Duration after(Duration from, double arrivals);

  private:
    [[nodiscard]] Piece level(Duration from, Duration to, double rate) const;
    [[nodiscard]] Piece raised(Duration t) const;
    [[nodiscard]] Piece of_day(Duration t) const;
    [[nodiscard]] Piece burst_or_calm(Duration t);

    Shape shape_;
    double rate_ = 0;
    double peak_ = 0;
    std::uint64_t seed_ = 0;
    std::uint64_t turn_ = 0;  ///< bursts: 0, 2, 4 ... are calm
    Duration turn_from_{}, turn_to_{};
};

}  // namespace lab::core
