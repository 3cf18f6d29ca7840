// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>

#include "lab/result.hpp"

namespace lab::scenario {

/// The bytes of a regular file of at most 1 MiB that a stranger may have made. Never waits: a FIFO,
/// device or folder is refused. Errors: not_found, not_permitted, invalid_input, failed. Threads:
/// any.
[[nodiscard]] Result<std::string> read_untrusted(const std::filesystem::path& file);

}  // namespace lab::scenario
