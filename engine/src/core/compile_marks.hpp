// SPDX-License-Identifier: GPL-3.0-or-later
// What the compiler of routes and the walk of their programs have to agree on.
#pragma once

#include <cstdint>
#include <limits>

namespace lab::core {

/// In Instr::resource of a query.
inline constexpr std::uint8_t travelled = 1;

/// In place of a draw: a sleep until the end of the server's stall.
inline constexpr std::uint32_t stall = std::numeric_limits<std::uint32_t>::max();

}  // namespace lab::core
