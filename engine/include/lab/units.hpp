// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace lab {

using namespace std::chrono_literals;

/// Every length of time in the engine.
using Duration = std::chrono::nanoseconds;

/// A moment on the steady clock, or on the clock of virtual time. Never the wall clock.
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;

/// Milliseconds as a number, for charts, JSON and CSV.
[[nodiscard]] constexpr double to_ms(Duration d) { return static_cast<double>(d.count()) / 1e6; }
[[nodiscard]] constexpr double to_seconds(Duration d) {
    return static_cast<double>(d.count()) / 1e9;
}
[[nodiscard]] constexpr Duration from_seconds(double s) {
    return Duration{static_cast<std::int64_t>(s * 1e9)};
}

/// Requests planned per second. A rate is not a double: the unit is in the factory.
class ArrivalRate {
  public:
    constexpr ArrivalRate() = default;
    [[nodiscard]] static constexpr ArrivalRate per_second(double n) { return ArrivalRate{n}; }
    [[nodiscard]] constexpr double per_second() const { return per_second_; }
    /// Mean time between two arrivals; Duration::max() at rate 0.
    [[nodiscard]] constexpr Duration mean_gap() const {
        return per_second_ > 0 ? from_seconds(1.0 / per_second_) : Duration::max();
    }
    friend constexpr auto operator<=>(const ArrivalRate&, const ArrivalRate&) = default;

  private:
    constexpr explicit ArrivalRate(double n) : per_second_{n} {}
    double per_second_ = 0;
};

/// A number of bytes: sizes of bodies, files, buffers.
struct Bytes {
    std::int64_t count = 0;
    friend constexpr auto operator<=>(const Bytes&, const Bytes&) = default;
};

}  // namespace lab
