// SPDX-License-Identifier: GPL-3.0-or-later
// The keys of a scenario file that are no settings. Settings come from the table of names.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "lab/scenario.hpp"

namespace lab::scenario {

struct KeyInfo {
    std::string_view name;
    std::string_view value;  ///< what may be given, for the documentation and for a missing key
    std::string_view meaning;
    bool required = false;
};

/// Threads: any; all of these are immutable.
[[nodiscard]] std::span<const KeyInfo> top_keys();
[[nodiscard]] std::span<const KeyInfo> run_keys();
[[nodiscard]] std::span<const KeyInfo> route_keys();
[[nodiscard]] std::span<const KeyInfo> step_keys();
[[nodiscard]] std::span<const KeyInfo> cache_step_keys();
[[nodiscard]] std::span<const KeyInfo> gather_step_keys();
[[nodiscard]] std::span<const KeyInfo> knob_keys();
[[nodiscard]] std::span<const KeyInfo> lesson_keys(LessonKind);
[[nodiscard]] std::span<const KeyInfo> option_keys();
[[nodiscard]] std::span<const KeyInfo> claim_keys();
[[nodiscard]] std::span<const KeyInfo> price_keys();

/// The keys of [server], [cache], [database], [network], [balancer] or [load]: the rows of the
/// table of names.
[[nodiscard]] std::vector<KeyInfo> section_keys(std::string_view section);

/// "say" and so on, in the order of LessonKind.
[[nodiscard]] std::span<const std::string_view> lesson_kind_names();

/// What knobs are grouped under, in the order of the window.
[[nodiscard]] std::span<const std::string_view> knob_groups();

}  // namespace lab::scenario
