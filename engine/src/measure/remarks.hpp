// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "lab/frame.hpp"

namespace lab::measure {

/// What happened beside the measuring.
struct Circumstances {
    bool stopped_early = false;
    Duration longest_gap{};              ///< longest frame that was no tenth of a second, or zero
    std::vector<SettingChange> changes;  ///< settings that moved while it ran
    double generator_share = 0;          ///< of one core, used by the load thread over the window
};

/// Sets generator_limited and interrupted by the rules that Aggregator documents, and says in the
/// remarks, with the figure, what a person has to know before trusting the result. Needs all else
/// filled in.
void judge_run(RunResult& result, const Circumstances& seen);

}  // namespace lab::measure
