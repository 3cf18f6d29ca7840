// SPDX-License-Identifier: GPL-3.0-or-later
// In which part of a request's time what its program does counts.
#pragma once

#include "core/program.hpp"

namespace lab::core {

/// The part in which the time of an effect counts. Making the body is rendering, whether from a
/// template or as so many bytes. `release` and `end` take no time of their own: the open span goes
/// on.
[[nodiscard]] Part part_of(const Effect& effect, Part open);

/// What a backend told of its time is its own, the rest of the span the proxy's. Never more than
/// the span: clocks may differ by a little.
void attribute(Cursor& cursor, Duration span, const PartTimes& told);

}  // namespace lab::core
