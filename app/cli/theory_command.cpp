// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "lab/report.hpp"
#include "lab/theory.hpp"

namespace lab::cli {

int theory_command(Terminal& terminal, const TheoryArguments& arguments) {
    const auto scenario = open_or_explain(terminal, arguments.scenario);
    if (!scenario) return exit_wrong_use;
    const auto model = model_with(terminal, *scenario, arguments.set);
    if (!model) return exit_wrong_use;
    const auto prediction = predict(*model);
    if (!prediction) {
        terminal.error(prediction.error().message());
        return exit_code_for(prediction.error());
    }
    if (!arguments.json.empty()) {
        const auto written = write_text_file(arguments.json, to_json(*prediction, scenario->id));
        if (!written) {
            terminal.error(written.error().message());
            return exit_failed;
        }
    }
    if (arguments.json != "-") terminal.out(to_text(*prediction));
    return exit_ok;
}

}  // namespace lab::cli
