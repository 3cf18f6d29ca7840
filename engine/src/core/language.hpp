// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace lab::core {

/// What the user speaks where there are `count` languages: the n-th user the n-th in turn.
[[nodiscard]] constexpr std::uint8_t language_of(std::uint32_t user, int count) {
    return count < 2 ? std::uint8_t{0}
                     : static_cast<std::uint8_t>(user % static_cast<std::uint32_t>(count));
}

}  // namespace lab::core
