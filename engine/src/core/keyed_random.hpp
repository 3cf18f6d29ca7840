// SPDX-License-Identifier: GPL-3.0-or-later
// Randomness keyed by (seed, request, step): no stream, no order of drawing. Two variants see the
// same arrivals and the same work. Own log and exp: the same bytes on every compiler.
#pragma once

#include "lab/model.hpp"
#include "lab/units.hpp"

#include <cstdint>

namespace lab::core {

/// What a draw is for; keeps draws of one request apart. Steps of a route use 1000 + their ordinal;
/// the n-th cache step of a route uses cache_look + n and cache_store + n.
enum class Purpose : std::uint32_t {
    arrival = 1,
    route = 2,
    key = 3,
    user = 4,
    think = 5,
    jitter = 6,
    order = 7,
    update = 8,
    life = 20,      ///< the last request of a worker's life
    accept = 21,    ///< which worker accepts a connection
    balance = 800,  ///< and the 64 after it: one a draw
    phase = 30,
    patience = 31,
    back_off = 32,
    visit = 33,
    cache_look = 200,
    cache_store = 400,
    step = 1000
};

/// 64 well mixed bits. Source: the finaliser of SplitMix64 (Steele, Lea, Flood 2014) over each word
/// in turn.
[[nodiscard]] std::uint64_t keyed_bits(std::uint64_t seed, std::uint64_t request,
                                       std::uint32_t step);
/// In [0, 1), 53 bits.
[[nodiscard]] double keyed_uniform(std::uint64_t seed, std::uint64_t request, std::uint32_t step);
/// In [0, n).
[[nodiscard]] std::uint64_t keyed_below(std::uint64_t seed, std::uint64_t request,
                                        std::uint32_t step, std::uint64_t n);
/// A duration from its law. Never negative.
[[nodiscard]] Duration keyed_duration(const Distribution& law, std::uint64_t seed,
                                      std::uint64_t request, std::uint32_t step);
/// Exponential with this mean.
[[nodiscard]] Duration keyed_exponential(Duration mean, std::uint64_t seed, std::uint64_t request,
                                         std::uint32_t step);

/// Own elementary functions, within 2 ulp of the exact value, the same bits everywhere.
[[nodiscard]] double exact_log(double x);
[[nodiscard]] double exact_exp(double x);

/// Ranks 0..n-1 with probability proportional to 1/(rank+1)^s. s = 0 is uniform.
/// Source: rejection-inversion, Hormann and Derflinger 1996. Threads: any, immutable.
class ZipfSampler {
  public:
    ZipfSampler(std::uint64_t n, double s);
    [[nodiscard]] std::uint64_t draw(std::uint64_t seed, std::uint64_t request,
                                     std::uint32_t step) const;

  private:
    [[nodiscard]] double height(double x) const;
    [[nodiscard]] double area(double x) const;
    [[nodiscard]] double inverse_area(double y) const;

    std::uint64_t n_;
    double s_;
    double h_integral_x1_ = 0;
    double h_integral_n_ = 0;
    double threshold_ = 0;
};

}  // namespace lab::core
