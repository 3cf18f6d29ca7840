// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/units.hpp"

namespace lab::test {

/// A moment that long after the zero of a test's own clock: `at(50ms)`.
[[nodiscard]] constexpr Instant at(Duration since_zero) { return Instant{since_zero}; }

}  // namespace lab::test
