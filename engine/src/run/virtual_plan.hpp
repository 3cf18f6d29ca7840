// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/experiment.hpp"
#include "virtual/run.hpp"

namespace lab::run {

/// A plan as virtual time takes it. `watched`: its frames are to tell of single requests.
/// Errors: invalid_input (the model).
[[nodiscard]] Result<virtual_time::Run::Options> virtual_options(const RunPlan& plan, bool watched);

/// Whether a live run can do what the model asks for. Errors: invalid_input; `where` names the
/// setting that only virtual time has.
[[nodiscard]] Result<void> check_live(const Model& model);

}  // namespace lab::run
