// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"
#include "cli/interrupts.hpp"
#include "cli/run_report.hpp"

#include "lab/experiment.hpp"
#include "lab/report.hpp"
#include "lab/text.hpp"

namespace lab::cli {

namespace {

Result<Load> load_from(const LoadArguments& arguments) {
    Load load;
    if (arguments.rate.has_value() == arguments.users.has_value()) {
        return Error{ErrorCode::invalid_input, "load",
                     "say either --rate N (open loop) or --users N (closed loop)"};
    }
    if (arguments.rate) {
        load.model = LoadModel::open;
        load.rate = ArrivalRate::per_second(*arguments.rate);
        if (arguments.arrivals != "constant" && arguments.arrivals != "poisson") {
            return Error{ErrorCode::invalid_input, "--arrivals",
                         "found " + escaped(arguments.arrivals) + ", allowed: constant, poisson"};
        }
        load.arrivals = arguments.arrivals == "poisson" ? Arrivals::poisson : Arrivals::constant;
    } else {
        load.model = LoadModel::closed;
        load.users = *arguments.users;
        load.think = Distribution::constant(arguments.think);
    }
    load.connections = arguments.connections.value_or(arguments.users.value_or(load.connections));
    load.timeout = arguments.timeout;
    load.deadline = arguments.timeout;
    load.keep_alive = !arguments.new_connections;
    return load;
}

}  // namespace

int load_command(Terminal& terminal, const LoadArguments& arguments) {
    auto load = load_from(arguments);
    if (!load) {
        terminal.error(load.error().message());
        return exit_wrong_use;
    }
    LoadOptions options;
    options.url = arguments.url;
    options.load = std::move(*load);
    options.length = arguments.length;
    options.warm_up = arguments.warm_up;
    options.seed = arguments.seed;

    Interrupts interrupts{{}};
    RunReport report{terminal, arguments.json, arguments.csv, arguments.warm_up + arguments.length};
    if (!report.can_be_written()) return exit_failed;
    auto result = run_load(
        options, [&](const FramePtr& frame) { report.on_frame(frame); },
        [&] { return interrupts.signal() != 0; });
    return interrupts.exit_code(report.finish(result));
}

}  // namespace lab::cli
