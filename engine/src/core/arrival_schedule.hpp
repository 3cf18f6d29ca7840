// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/program.hpp"
#include "core/keyed_random.hpp"
#include "lab/model.hpp"
#include "lab/units.hpp"

#include <cstdint>
#include <vector>

namespace lab::core {

/// A request as the plan has it, before anything happens to it.
struct Planned {
    RequestId id = 0;           ///< 1, 2, 3 ... in the order of the plan
    Instant intended{};
    std::uint32_t route = 0;    ///< index into the System's routes
    std::uint64_t key = 0;      ///< in [0, load.keys)
    std::uint32_t user = 0;     ///< in [0, load.users)
};

/// Who asks for what: route, key and user of a request, keyed by its number. Shared by both loop models.
class RequestMix {
  public:
    RequestMix(const Load& load, std::vector<double> route_weights, std::uint64_t seed);
    /// Fills route, key and (open loop) user of `planned.id`.
    void describe(Planned& planned) const;

  private:
    std::vector<double> cumulative_;
    ZipfSampler keys_;
    std::uint64_t users_;
    std::uint64_t seed_;
};

/// Open loop: when each request is due. Arrivals ignore answers. Pure; `now` is never read.
/// Constant: one every 1/rate. Poisson: exponential gaps. A new rate counts from the next arrival on.
class ArrivalSchedule {
  public:
    ArrivalSchedule(ArrivalRate rate, Arrivals arrivals, std::uint64_t seed, Instant start);
    /// When the next request is due; Instant::max() at rate 0.
    [[nodiscard]] Instant peek() const { return due_; }
    /// Moves on; returns the number of the request that was due.
    RequestId take();
    /// Takes effect at `now`: the gap that is running is drawn anew at the new rate.
    void set_rate(ArrivalRate rate, Arrivals arrivals, Instant now);

  private:
    void advance(Instant from);
    ArrivalRate rate_;
    Arrivals arrivals_;
    std::uint64_t seed_;
    RequestId next_ = 1;
    Instant due_{};
};

}  // namespace lab::core
