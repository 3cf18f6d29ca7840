// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/model.hpp"
#include "lab/units.hpp"

#include <array>
#include <cstdint>

namespace lab::core {

/// A circuit breaker: closed (everything may be sent), open (nothing), half open (one tries).
///
/// It opens when, over the window, at least `calls` attempts have ended and the share of failures
/// is at least `share`. After `pause` one attempt is admitted: if it is answered, the breaker
/// closes with a clean slate; if it fails, it is open for another pause. What was sent before it
/// opened and ends later counts for nothing. The window moves on in tenths.
/// Sources: Nygard, "Release It!" (2007), chapter 5; Fowler, "CircuitBreaker" (2014).
/// Pure: time is passed in and never runs backwards. Threads: one at a time.
class CircuitBreaker {
  public:
    enum class State : std::uint8_t { closed, open, half_open };
    /// What an attempt was admitted as.
    struct Permit {
        bool granted = false;
        bool trial = false;         ///< the one that tries while it is half open
        std::uint64_t opening = 0;  ///< how often it had opened by then
    };

    explicit CircuitBreaker(const Breaker& breaker) : breaker_{breaker} {}
    /// A share of 0 takes it away: it closes.
    void change(const Breaker& breaker, Instant now);

    /// Before each attempt.
    [[nodiscard]] Permit admit(Instant now);
    /// An admitted attempt has ended, answered or not.
    void ended(const Permit& permit, bool failed, Instant now);
    /// An admitted attempt was called off and says nothing about the server.
    void called_off(const Permit& permit);

    [[nodiscard]] State state(Instant now);
    /// How long it has not been closed, all in all.
    [[nodiscard]] Duration not_closed(Instant now) const;

  private:
    static constexpr std::size_t tenths = 10;
    struct Tally {
        std::uint32_t ended = 0, failed = 0;
    };
    void roll(Instant now);
    void open(Instant now);
    void close(Instant now);

    Breaker breaker_;
    State state_ = State::closed;
    bool trial_out_ = false;
    std::uint64_t openings_ = 0;
    Instant opened_{};       ///< the latest time that it opened
    Instant left_closed_{};  ///< when it was last closed
    Duration not_closed_{};
    std::array<Tally, tenths> tallies_{};
    std::int64_t tenth_ = 0;  ///< number of the tenth in hand
};

}  // namespace lab::core
