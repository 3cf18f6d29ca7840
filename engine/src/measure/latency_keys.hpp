// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string_view>

#include "lab/frame.hpp"

namespace lab::measure {

/// What a key of the table of names ("mean", "p50" ... "p999", "max") says of a summary, in
/// milliseconds. Empty where there are no samples, and for any other key. Threads: any.
[[nodiscard]] std::optional<double> latency_value(const LatencySummary& summary,
                                                  std::string_view key);

}  // namespace lab::measure
