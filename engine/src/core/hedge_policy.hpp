// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/model.hpp"
#include "lab/units.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace lab::core {

/// How long to wait for an answer before a second copy of the request is sent.
///
/// A fixed time, or a percentile of the latest 1,000 answers: then about (100 - percentile) % of
/// the requests are sent twice, whatever the server's speed. Until 20 answers have come, the fixed
/// time holds, or no copy is sent. Source: Dean and Barroso 2013, "The Tail at Scale" (hedged
/// requests). Pure. Threads: one at a time.
class HedgePolicy {
  public:
    static constexpr std::size_t remembered = 1'000, least = 20;

    explicit HedgePolicy(const Hedge& hedge) : hedge_{hedge} {}
    void change(const Hedge& hedge);

    /// An answer took so long from the sending of the first copy.
    void answered(Duration took);
    /// Nothing: no second copy.
    [[nodiscard]] std::optional<Duration> delay() const;

  private:
    void measure();

    Hedge hedge_;
    std::vector<Duration> recent_;
    std::vector<Duration> sorted_;  ///< room to find the percentile in
    std::size_t next_ = 0;
    std::size_t since_measured_ = 0;
    std::optional<Duration> percentile_;
};

}  // namespace lab::core
