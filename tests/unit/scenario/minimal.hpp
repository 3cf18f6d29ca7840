// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "lab/scenario.hpp"

namespace lab::test {

/// The least that is a scenario: eight lines, so that what is put behind begins in line 9.
inline const std::string minimal = R"(schema = 1
id = "tiny"
title = "Tiny"

[[route]]
id = "pay"
path = "/pay"
steps = [{ wait = "50ms" }, { cpu = "1ms" }]
)";

inline std::string error_of(const std::string& text) {
    const auto scenario = parse_scenario(text, "t.toml");
    return scenario ? "no error" : scenario.error().message();
}

/// The error of the minimal scenario with something put behind it.
inline std::string error_with(const std::string& more) { return error_of(minimal + more); }

inline std::string replaced(std::string text, const std::string& what, const std::string& with) {
    const auto at = text.find(what);
    return at == std::string::npos ? "not found: " + what : text.replace(at, what.size(), with);
}

}  // namespace lab::test
