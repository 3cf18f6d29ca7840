// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/circuit_breaker.hpp"

#include <algorithm>

namespace lab::core {

void CircuitBreaker::change(const Breaker& breaker, Instant now) {
    if (breaker == breaker_) return;
    breaker_ = breaker;
    tallies_ = {};
    if (breaker_.share <= 0 && state_ != State::closed) close(now);
}

CircuitBreaker::State CircuitBreaker::state(Instant now) {
    if (state_ == State::open && now - opened_ >= breaker_.pause) state_ = State::half_open;
    return state_;
}

CircuitBreaker::Permit CircuitBreaker::admit(Instant now) {
    if (breaker_.share <= 0) return {true, false, openings_};
    switch (state(now)) {
        case State::closed:
            return {true, false, openings_};
        case State::open:
            return {};
        case State::half_open:
            break;
    }
    if (trial_out_) return {};
    trial_out_ = true;
    return {true, true, openings_};
}

void CircuitBreaker::ended(const Permit& permit, bool failed, Instant now) {
    if (!permit.granted || breaker_.share <= 0 || permit.opening != openings_) return;
    if (permit.trial) {
        if (!trial_out_) return;
        trial_out_ = false;
        failed ? open(now) : close(now);
        return;
    }
    if (state_ != State::closed) return;
    roll(now);
    Tally& tally = tallies_[static_cast<std::size_t>(tenth_) % tenths];
    ++tally.ended;
    tally.failed += failed ? 1 : 0;
    Tally sum;
    for (const Tally& each : tallies_) {
        sum.ended += each.ended;
        sum.failed += each.failed;
    }
    const double share = static_cast<double>(sum.failed) / static_cast<double>(sum.ended);
    if (failed && sum.ended >= static_cast<std::uint32_t>(std::max(breaker_.calls, 1)) &&
        share >= breaker_.share) {
        open(now);
    }
}

void CircuitBreaker::called_off(const Permit& permit) {
    if (permit.trial && permit.opening == openings_) trial_out_ = false;
}

Duration CircuitBreaker::not_closed(Instant now) const {
    return not_closed_ + (state_ == State::closed ? Duration{} : now - left_closed_);
}

/// Empties the tenths of the window that have passed since the last look.
void CircuitBreaker::roll(Instant now) {
    const Duration tenth = std::max(breaker_.window / static_cast<int>(tenths), Duration{1});
    const std::int64_t current = now.time_since_epoch() / tenth;
    const auto passed = std::min<std::int64_t>(current - tenth_, tenths);
    for (std::int64_t i = 1; i <= passed; ++i) {
        tallies_[static_cast<std::size_t>(tenth_ + i) % tenths] = {};
    }
    if (passed == static_cast<std::int64_t>(tenths)) tallies_ = {};
    tenth_ = current;
}

void CircuitBreaker::open(Instant now) {
    if (state_ == State::closed) left_closed_ = now;
    state_ = State::open;
    opened_ = now;
    ++openings_;
    trial_out_ = false;
}

void CircuitBreaker::close(Instant now) {
    not_closed_ += now - left_closed_;
    state_ = State::closed;
    tallies_ = {};
    trial_out_ = false;
}

}  // namespace lab::core
