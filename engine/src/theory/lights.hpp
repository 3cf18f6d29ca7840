// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>

#include "lab/theory.hpp"
#include "theory/workload.hpp"

namespace lab::theory {

/// What the light looks at.
struct Evidence {
    const Model& model;
    const Workload& work;
    const RunResult* measured = nullptr;
    std::function<double(double)> tail;  ///< P(latency > seconds), or empty
    bool stable = true;
};

/// The lamps of the prediction's law, in the order of Assumption.
[[nodiscard]] std::vector<Light> lights_of(const Prediction& prediction, const Evidence& evidence);

}  // namespace lab::theory
