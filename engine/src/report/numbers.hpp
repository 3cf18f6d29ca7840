// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lab/units.hpp"

namespace lab::report {

/// At most six decimals, none that is zero at the end, a point in every locale, never an exponent:
/// for a file. A number of milliseconds is then exact to the nanosecond. "null" for what is not
/// finite.
[[nodiscard]] std::string plain(double value);
/// The same, or `none`.
[[nodiscard]] std::string plain(const std::optional<double>& value, std::string_view none);

/// For a person, three digits that matter and a unit: "0.052 ms", "52.1 ms", "1.23 s"; "-" for
/// none.
[[nodiscard]] std::string for_person_ms(const std::optional<double>& ms);
/// "0.8", "19.6", "1,234".
[[nodiscard]] std::string for_person_rate(double per_second);
/// "1,234,567".
[[nodiscard]] std::string for_person_count(std::uint64_t n);
/// "98 %".
[[nodiscard]] std::string for_person_share(double share);

}  // namespace lab::report
