// SPDX-License-Identifier: GPL-3.0-or-later
// Requests made by hand, for the tests of the books.
#pragma once

#include <cstdint>

#include "measure/recorder.hpp"

namespace lab::measure::testing {

/// A moment so and so long after an arbitrary start, as a steady clock would show it.
inline Instant at(Duration since_start) { return Instant{1'000'000s + since_start}; }

/// A request without any loss of time in the client, that ended so at `done`.
inline Sample request(std::uint64_t id, Duration intended, Duration done,
                      Ending ending = Ending::ok) {
    Sample s;
    s.id = id;
    s.intended = s.released = s.assigned = s.sent = at(intended);
    s.done = at(done);
    s.ending = ending;
    return s;
}

/// A sequence that is the same on every machine.
class Numbers {
  public:
    explicit Numbers(std::uint64_t seed) : state_{seed * 2 + 1} {}
    /// 0 .. below-1.
    std::uint64_t next(std::uint64_t below) {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return (state_ >> 11) % below;
    }
    Duration up_to(Duration most) {
        return Duration{static_cast<std::int64_t>(next(static_cast<std::uint64_t>(most.count())))};
    }

  private:
    std::uint64_t state_;
};

}  // namespace lab::measure::testing
