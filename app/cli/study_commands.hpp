// SPDX-License-Identifier: GPL-3.0-or-later
// The subcommands that make many runs: sweep, compare, advise, frontier, check.
#pragma once

#include "cli/terminal.hpp"

#include "lab/units.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lab::cli {

struct StudyArguments {
    std::string scenario;
    std::vector<std::string> set, vary;
    std::string a, b;              ///< compare: path=value,path=value
    std::string target;            ///< advise, frontier: "p99 < 50ms"
    std::string quantity;          ///< advise: what is ranked by; that of the target if not given
    bool apply = false;            ///< advise
    std::string mode = "virtual";  ///< or "live"
    int runs = 0;                  ///< 0: as many as the study asks for
    std::optional<Duration> length, warm_up;
    std::optional<std::uint64_t> requests;  ///< virtual time
    std::optional<std::uint64_t> seed;
    std::string json, csv;
};

int sweep_command(Terminal& terminal, const StudyArguments& arguments);
int compare_command(Terminal& terminal, const StudyArguments& arguments);
int advise_command(Terminal& terminal, const StudyArguments& arguments);
int frontier_command(Terminal& terminal, const StudyArguments& arguments);
/// Exit 1 where a claim does not hold.
int check_command(Terminal& terminal, const StudyArguments& arguments);

}  // namespace lab::cli
