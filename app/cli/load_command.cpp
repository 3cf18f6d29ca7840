// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"
#include "cli/interrupts.hpp"
#include "cli/run_report.hpp"

#include "lab/experiment.hpp"
#include "lab/report.hpp"
#include "lab/settings.hpp"
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

/// A bare number as the other flags of `load` take it: requests a second, seconds, bytes.
std::string with_unit(std::string_view path, const std::string& text) {
    if (text.empty() || text.find_first_not_of("0123456789.") != std::string::npos) return text;
    const SettingInfo* const info = find_setting(System{}, path);
    if (info == nullptr) return text;
    switch (info->kind) {
        case ValueKind::rate:
            return text + "/s";
        case ValueKind::duration:
        case ValueKind::distribution:
            return text + "s";
        case ValueKind::bytes:
            return text + "B";
        default:
            return text;
    }
}

/// The flags that are settings, laid over the load; a message names the flag, as it was typed.
Result<void> apply_settings(Model& model, const LoadArguments& arguments) {
    for (const auto& [path, text] : arguments.settings) {
        if (auto set = set_setting_text(model, path, with_unit(path, text)); !set) {
            return Error{set.error().code, load_flag(path), set.error().detail};
        }
    }
    if (auto read = read_recording(model, "."); !read) {
        return Error{read.error().code, load_flag("load.recording"), read.error().detail};
    }
    const Shape& shape = model.load.shape;
    if (shape.kind == LoadShape::recorded && !shape.recording.times) {
        return Error{ErrorCode::invalid_input, load_flag("load.recording"),
                     "found nothing; allowed: a CSV file below this folder, for --shape recorded"};
    }
    return {};
}

}  // namespace

int load_command(Terminal& terminal, const LoadArguments& arguments) {
    auto load = load_from(arguments);
    if (!load) {
        terminal.error(load.error().message());
        return exit_wrong_use;
    }
    Model model;
    model.load = std::move(*load);
    if (auto applied = apply_settings(model, arguments); !applied) {
        terminal.error(applied.error().message());
        return exit_wrong_use;
    }
    LoadOptions options;
    options.url = arguments.url;
    options.load = std::move(model.load);
    options.network = model.system.network;
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
