// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/model.hpp"
#include "lab/result.hpp"

namespace lab::virtual_time {

/// Whether virtual time can do everything that a model asks for. Errors: invalid_input; `where` is
/// the path of the first setting that it cannot. Threads: any.
[[nodiscard]] Result<void> check_supported(const Model& model);

/// Whether a run that goes on can take up other settings. Errors: as check_supported().
[[nodiscard]] Result<void> check_change(const Model& before, const Model& after);

}  // namespace lab::virtual_time
