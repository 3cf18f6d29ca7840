// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "lab/model.hpp"
#include "theory/fourier.hpp"

namespace lab::theory {

/// Seconds. Of one law as the scenario writes it.
[[nodiscard]] double mean_of(const Distribution& law);
[[nodiscard]] double variance_of(const Distribution& law);
/// P(X <= seconds).
[[nodiscard]] double share_at_or_below(const Distribution& law, double seconds);
/// What 1 - 1e-6 of the draws stay below.
[[nodiscard]] double nearly_most(const Distribution& law);

/// How long a request keeps a worker thread: one of several ways through a handler, each a sum of
/// independent times. Threads: any, a value.
class ServiceLaw {
  public:
    struct Way {
        double weight = 1;  ///< all weights add up to 1
        std::vector<Distribution> times;
    };
    ServiceLaw() = default;
    explicit ServiceLaw(std::vector<Way> ways) : ways_{std::move(ways)} {}
    /// A law known only by its first two moments: constant, exponential, or a gamma law.
    [[nodiscard]] static ServiceLaw of_moments(double mean_s, double scv);

    [[nodiscard]] double mean() const;  ///< seconds
    [[nodiscard]] double scv() const;   ///< squared coefficient of variation
    [[nodiscard]] bool is_constant() const;
    /// One exponential time and nothing else.
    [[nodiscard]] bool is_exponential() const;
    [[nodiscard]] double nearly_most() const;  ///< seconds

    /// The law on a grid of `points` steps of `step` seconds, transformed. The mean is kept.
    [[nodiscard]] Spectrum spectrum(double step, std::size_t points) const;
    [[nodiscard]] const std::vector<Way>& ways() const { return ways_; }

  private:
    std::vector<Way> ways_;
    double moment_mean_ = 0, moment_scv_ = 0;  ///< of_moments
    bool by_moments_ = false;
};

}  // namespace lab::theory
