// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/experiment.hpp"

#include <functional>
#include <string>

namespace lab::cli {

struct LiveRunEvents {
    std::function<void(FramePtr)> on_frame;               ///< control thread
    std::function<void(const std::string&)> on_progress;  ///< control thread
    std::function<bool()> stop;                           ///< polled ten times a second
};

/// One run of an Experiment, waited for. Errors: those of Experiment.
Result<RunResultPtr> run_live(RunPlan plan, LiveRunEvents events);

}  // namespace lab::cli
