// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace lab {

/// Whether a text can be the id of a scenario, route or step: a small letter, then at most 31 small
/// letters, digits, '_' and '-'. Threads: any.
[[nodiscard]] bool is_id(std::string_view text);

/// "found the route id ...; allowed: ...".
[[nodiscard]] std::string bad_id(std::string_view what, std::string_view found);

}  // namespace lab
