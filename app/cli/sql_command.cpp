// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "lab/sql.hpp"

namespace lab::cli {

int sql_command(Terminal& terminal, const SqlArguments& arguments) {
    const auto scenario = open_or_explain(terminal, arguments.scenario);
    if (!scenario) return exit_wrong_use;
    auto model = model_with(terminal, *scenario, arguments.set);
    if (!model) return exit_wrong_use;
    if (!arguments.index.empty()) model->system.database.index = arguments.index == "on";
    const auto desk = SqlDesk::open({model->system.database, {}, {}, {}});
    if (!desk) {
        terminal.error(desk.error().message());
        return exit_code_for(desk.error());
    }
    const auto answer = (*desk)->ask(arguments.sql);
    if (!answer) {
        terminal.error(answer.error().message());
        return exit_code_for(answer.error());
    }
    terminal.out(to_text(*answer));
    return exit_ok;
}

}  // namespace lab::cli
