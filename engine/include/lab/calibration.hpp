// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/experiment.hpp"
#include "lab/model.hpp"
#include "lab/result.hpp"
#include "lab/store.hpp"

#include <functional>
#include <string>

namespace lab {

/// Measures what things cost on this computer: a dozen short runs of the live engine, about ten
/// seconds in all. Each cost is what the runs come to at the median, on an idle computer; a busy
/// one shows dearer ones.
///
/// `progress` says what is being measured; `stop` is polled. `fixed` of the result is false.
/// Errors: interrupted, no_resources, failed. Blocks. Threads: any, one at a time.
[[nodiscard]] Result<Costs> calibrate(const std::function<void(const std::string&)>& progress,
                                      const std::function<bool()>& stop);

/// "network=12us connect=60us ...": every cost by its name, as the store keeps it; and back. What
/// is not named stays as it is built in. Errors: invalid_input.
[[nodiscard]] std::string write_costs(const Costs& costs);
[[nodiscard]] Result<Costs> read_costs(const std::string& text);

/// What the store keeps, as a run takes it: "measured on 2026-05-01 on 2 cores, ...". Errors:
/// invalid_input (the costs were written by another version).
[[nodiscard]] Result<MeasuredCosts> measured_costs(const StoredCalibration& stored);

}  // namespace lab
