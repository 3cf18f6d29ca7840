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

/// The same of a file beneath a folder, by a name of letters, digits, '_', '.', '-' and '/'. No
/// part of the name may begin with a dot or be a link. Errors: also invalid_input for such a name.
[[nodiscard]] Result<std::string> read_beneath(const std::filesystem::path& folder,
                                               const std::string& name);

}  // namespace lab::scenario
