// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "cli/study_commands.hpp"

namespace CLI {
class App;
}

namespace lab::cli {

/// What the flags of studies are parsed into. The durations stay text: they are read after
/// parsing, so that the message is ours.
struct StudyFlags {
    StudyArguments arguments;
    std::string length, warm_up;
};

/// The subcommands sweep, compare, advise, frontier and check.
void add_studies(CLI::App& app, StudyFlags& flags);

}  // namespace lab::cli
