// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include <exception>

int main(int argc, char** argv) {
    lab::cli::make_standard_streams_safe();
    lab::cli::Terminal terminal;
    try {
        return terminal.finish(lab::cli::main_command(terminal, argc, argv));
    } catch (const std::exception& error) {  // out of memory, no threads: say so, no signal
        terminal.error(error.what());
        return lab::cli::exit_failed;
    }
}
