// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>

#include "lab/result.hpp"

namespace lab::scenario {

/// Runs `task`, which must not throw, on a thread with a stack of 8 MB and waits for it: what a
/// parser of foreign input needs of stack then does not depend on the caller's. Errors:
/// no_resources.
[[nodiscard]] Result<void> on_big_stack(const std::function<void()>& task);

}  // namespace lab::scenario
