// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/arrival_schedule.hpp"
#include "lab/frame.hpp"
#include "lab/model.hpp"
#include "lab/units.hpp"

#include <cstdint>
#include <optional>

namespace lab::core {

/// Whether an attempt that ended so is one to be made again. An answer (4xx too: it would be the
/// same) and a request that the client itself could not send are not.
[[nodiscard]] bool is_retried(RetryOn on, Ending ending);

/// Whether to ask again, and when. Pure; keyed.
///
/// The budget is a bucket of tokens: each request pays in `budget`, each retry takes 1, at most 10
/// are kept, and it is full at first. However many requests fail, there are at most 10 + budget x
/// requests retries. Sources: gRPC proposal A6 (retry throttling); the Google SRE book, chapter 21;
/// Finagle's RetryBudget. Back-off: Brooker 2015, "Exponential Backoff And Jitter" (full jitter).
/// Threads: one at a time.
class RetryPolicy {
  public:
    static constexpr double most_tokens = 10;

    RetryPolicy(const Retry& retry, std::uint64_t seed) : retry_{retry}, seed_{seed} {}
    void change(const Retry& retry) { retry_ = retry; }

    /// A new request (not an attempt at one) begins.
    void begun();
    /// The request's attempt number `made` (1, 2 ...) ended so. The pause before the next attempt,
    /// for which a token is then taken; nothing where there is to be none.
    [[nodiscard]] std::optional<Duration> next(RequestId id, int made, Ending ending);

  private:
    Retry retry_;
    std::uint64_t seed_;
    double tokens_ = most_tokens;
};

/// When the user or the client gives up: the time limit or the user's patience, whichever is first.
struct GiveUp {
    Instant at{};
    bool leaves = false;  ///< it is the user's patience
};
[[nodiscard]] GiveUp give_up_at(const Load& load, std::uint64_t seed, const Planned& planned);

/// Open loop: the visitor's next request after one that was answered at `done`; its route and key
/// are still to be described. Nothing where the visit is over. Visits are of geometric length with
/// mean `load.session`. Source: Schroeder, Wierman, Harchol-Balter 2006 (the partly-open model).
[[nodiscard]] std::optional<Planned> next_of_visit(const Load& load, std::uint64_t seed,
                                                   const Planned& ended, Instant done);
/// The plan's number of the visit that a request belongs to.
[[nodiscard]] RequestId visit_of(RequestId id);

/// Whether the nth thing (0, 1, 2 ...) belongs to the share: evenly spread, not drawn.
[[nodiscard]] bool in_share(std::uint64_t n, double share);

}  // namespace lab::core
