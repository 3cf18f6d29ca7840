// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "lab/study.hpp"

namespace lab::study {

/// Does each job once, on `threads` threads, in their order; the first error ends it. Between jobs
/// `stop` is polled and `progress` is told. Errors: that of a job; interrupted.
[[nodiscard]] Result<void> do_all(const std::vector<std::function<Result<void>()>>& jobs,
                                  const StudyOptions& options);

/// The models of points, checked. Errors: invalid_input.
[[nodiscard]] Result<std::vector<Model>> models_of(const Model& base,
                                                   const std::vector<StudyPoint>& points);

/// Why a point could not be run, by its number.
using Refusals = std::map<std::size_t, Error>;

/// Finds each point's warm-up in a run of its own, then makes its replications on the scenario's
/// seed and those after it. A point whose model the runner does not take (invalid_input) ends all;
/// or, where there are `refusals` to note it in, stays without runs. Errors: as do_all, models_of.
[[nodiscard]] Result<void> run_points(const Scenario& scenario, const Model& base,
                                      std::vector<StudyPoint>& points, const StudyOptions& options,
                                      Refusals* refusals = nullptr);

/// Values of a quantity, one a run; empty where a run has no samples. Errors: not_found.
[[nodiscard]] Result<std::vector<double>> values_of(const StudyPoint& point,
                                                    std::string_view quantity);

/// B - A run by run. Empty where either has no samples.
[[nodiscard]] std::optional<Interval> paired(const StudyPoint& a, const StudyPoint& b,
                                             std::string_view quantity);

/// What a condition over one point's figures says. Errors: those of the figures; no_samples.
[[nodiscard]] Result<Condition::Verdict> verdict_of(const Condition& target,
                                                    const StudyPoint& point);

}  // namespace lab::study
