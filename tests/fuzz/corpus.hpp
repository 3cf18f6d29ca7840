// SPDX-License-Identifier: GPL-3.0-or-later
// What fuzzing begins with: the table of raw requests, answers of every kind, the shipped scenarios.
#pragma once

#include <string>
#include <vector>

namespace lab::fuzz {

[[nodiscard]] std::vector<std::string> request_seeds();
[[nodiscard]] std::vector<std::string> answer_seeds();
[[nodiscard]] std::vector<std::string> scenario_seeds();

}  // namespace lab::fuzz
