// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string_view>

#include "lab/frame.hpp"

namespace lab::measure {

/// Half the width of an interval (about 95 %) round a measured quantity, in its unit; `value` is
/// what quantity() says of `name`, a name of the table (not the short one).
///
/// A share 2/sqrt(n) of the value, n being the events or samples behind it: what independent events
/// scatter. A mean of samples that scatter more than their mean gets 2 standard errors, a
/// percentile the distance to the samples 2*sqrt(n*p*(1-p)) ranks away (which holds for every
/// distribution), where those are wider. Samples of a queue depend on each other, so this is a
/// lower bound; it is no promise.
[[nodiscard]] double half_width(const RunResult& result, std::string_view name, double value);

}  // namespace lab::measure
