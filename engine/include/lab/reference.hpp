// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace lab {

/// The format of a scenario file, key by key, as Markdown: what scenarios/README.md holds. Made
/// from the table of names and from the keys that the reader itself uses. Threads: any.
[[nodiscard]] std::string scenario_reference_markdown();

}  // namespace lab
