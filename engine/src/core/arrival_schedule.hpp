// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/keyed_random.hpp"
#include "core/program.hpp"
#include "core/rate_curve.hpp"
#include "lab/model.hpp"
#include "lab/units.hpp"

#include <cstdint>
#include <vector>

namespace lab::core {

/// A request as the plan has it, before anything happens to it.
struct Planned {
    RequestId id = 0;  ///< 1, 2, 3 ... in the order of the plan
    Instant intended{};
    std::uint32_t route = 0;  ///< index into the System's routes
    std::uint64_t key = 0;    ///< in [0, load.keys)
    std::uint32_t user = 0;   ///< in [0, load.users)
};

/// Who asks for what: route, key and user of a request, keyed by its number. Shared by both loop
/// models. Key 0 is the one asked for most where keys are not all alike. Threads: any, immutable.
class RequestMix {
  public:
    /// `route_weights`: one for each route of the System, none negative, not all zero.
    RequestMix(const Load& load, std::vector<double> route_weights, std::uint64_t seed);
    /// Fills route, key and (open loop) user of `planned.id`. In closed loop the user is left as it
    /// is: there it is the asking user's own number.
    void describe(Planned& planned) const;

  private:
    std::vector<double> cumulative_;
    ZipfSampler keys_;
    std::uint64_t keys_count_;
    std::uint64_t users_;
    std::uint64_t seed_;
    bool draws_user_;
};

/// How often each route is asked for: the load's mix, or all alike where it names none with a share
/// above 0; one weight where there is no route.
[[nodiscard]] std::vector<double> route_weights(const std::vector<Route>& routes,
                                                const Load& load);

/// Open loop: when each request is due. Arrivals ignore answers. Pure; `now` is never read.
/// Constant: one every 1/rate. Poisson: exponential gaps. A gap stands before the first arrival
/// too. Where the rate has a shape (core/rate_curve.hpp) both follow its integral; recorded
/// arrivals come as they were. Threads: one at a time.
class ArrivalSchedule {
  public:
    ArrivalSchedule(ArrivalRate rate, Arrivals arrivals, std::uint64_t seed, Instant start);
    /// `start`: arrivals come after this. `origin`: the beginning of the load's shape.
    ArrivalSchedule(const Load& load, std::uint64_t seed, Instant start, Instant origin);
    ArrivalSchedule(const Load& load, std::uint64_t seed, Instant start)
        : ArrivalSchedule{load, seed, start, start} {}
    /// When the next request is due; Instant::max() at rate 0, and after the last recorded one.
    [[nodiscard]] Instant peek() const { return due_; }
    /// Moves on; returns the number of the request that was due.
    RequestId take();
    /// Takes effect at `now`: what is left of the running gap is stretched or shortened to the new
    /// rate. Poisson gaps have no memory, so that this is a fresh draw; and a rate that is being
    /// dragged about puts no arrival off for ever. After rate 0, and for another law, a new gap
    /// begins at `now`. An arrival that is overdue already stays due.
    void set_rate(ArrivalRate rate, Arrivals arrivals, Instant now);
    /// The same for a load with its shape. Another kind of shape, or another recording, begins at
    /// `now`; one that only changes its figures goes on from where it stands.
    void change(const Load& load, Instant now);
    /// When the shape began.
    [[nodiscard]] Instant origin() const { return origin_; }

  private:
    void begin_gap(Instant from);
    void rest_on(Instant due);
    void next_recorded(Instant from);
    [[nodiscard]] double unit_gap() const;
    [[nodiscard]] Instant follow(Instant from, double arrivals);

    ArrivalRate rate_;
    Arrivals arrivals_;
    std::uint64_t seed_;
    Shape shape_;
    Instant origin_{};
    RateCurve curve_;
    std::size_t recorded_ = 0;  ///< how many of the recording have been planned or passed
    RequestId next_ = 1;
    Instant due_{};
    Instant anchor_{};  ///< constant: where counting began ...
    std::int64_t count_ =
        0;  ///< ... and how many gaps ago: 1/rate is no whole number of nanoseconds
};

}  // namespace lab::core
