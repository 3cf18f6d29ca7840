// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "lab/doctor.hpp"
#include "lab/presets.hpp"
#include "lab/reference.hpp"
#include "lab/report.hpp"
#include "lab/settings.hpp"
#include "lab/text.hpp"

namespace lab::cli {

int exit_code_for(const Error& error) {
    switch (error.code) {
        case ErrorCode::invalid_input:
        case ErrorCode::not_found:
        case ErrorCode::not_permitted:
            return exit_wrong_use;
        default:
            return exit_failed;
    }
}

std::optional<Scenario> open_or_explain(Terminal& terminal, const std::string& scenario) {
    const auto folders = scenario_folders();
    auto opened = open_scenario(scenario, folders);
    if (opened) return std::move(*opened);
    terminal.error(opened.error().message());
    return std::nullopt;
}

std::optional<Model> model_with(Terminal& terminal, const Scenario& scenario,
                                const std::vector<std::string>& set) {
    Overrides overrides;
    for (const auto& word : set) {
        const auto equals = word.find('=');
        if (equals == std::string::npos || equals == 0) {
            terminal.error("--set: found " + escaped(word) +
                           ", allowed: path=value, as in server.workers=4");
            return std::nullopt;
        }
        overrides[word.substr(0, equals)] = word.substr(equals + 1);
    }
    auto model = with_overrides(scenario.model, overrides, scenario.file);
    if (model) return std::move(*model);
    terminal.error("--set " + model.error().message());
    return std::nullopt;
}

std::string escaped_lines(std::string_view text, std::string_view indent) {
    std::string lines;
    for (std::size_t from = 0; from <= text.size();) {
        const auto end = std::min(text.find('\n', from), text.size());
        if (from > 0) lines += '\n';
        lines.append(indent).append(escaped(text.substr(from, end - from)));
        from = end + 1;
    }
    return lines;
}

int list_command(Terminal& terminal) {
    const auto folders = scenario_folders();
    const auto entries = list_scenarios(folders);
    bool broken = false;
    std::string text;
    for (const auto& entry : entries) {
        if (entry.problem) {
            broken = true;
            terminal.error(entry.problem->message());
            continue;
        }
        const auto& scenario = *entry.scenario;
        text += fmt::format("{:14} {:32} {:>2} min  {}\n", escaped(scenario.id),
                            escaped(scenario.title), scenario.minutes, escaped(scenario.course));
    }
    if (entries.empty()) {
        terminal.error("no scenarios found; LATENCY_LAB_SCENARIOS can name their folder");
        return exit_failed;
    }
    terminal.out(text);
    return broken ? exit_failed : exit_ok;
}

int presets_command(Terminal& terminal) {
    std::string text =
        "Real servers: server.preset = \"NAME\" in a file, --set server.preset=NAME.\n";
    for (const Preset& preset : presets_table()) {
        Model model;
        model.system.server.preset = preset.name;
        fill_from_preset(model);
        text += fmt::format("\n{}: {} ({})\n  {}\n  $ {}\n ", preset.name, preset.title,
                            preset.versions, preset.meaning, preset_command(model));
        std::size_t column = 1;
        for (const PresetField& field : preset.fields) {
            const std::string pair = fmt::format(" {}={}", field.path, field.value);
            if (column + pair.size() > 100) {
                text += "\n ";
                column = 1;
            }
            text += pair;
            column += pair.size();
        }
        text += '\n';
    }
    terminal.out(text);
    return exit_ok;
}

namespace {

/// The preset, the command for it, and where the scenario goes its own way; nginx where it is in
/// front.
std::string preset_text(const Model& model) {
    std::string front = front_configuration(model);
    if (!front.empty()) front = "\nIn front, as nginx:\n" + front;
    const Preset* const preset = find_preset(model.system.server.preset);
    if (preset == nullptr) return front;
    std::string text = fmt::format("\nServer: {} ({})\n  {}\n  $ {}\n", preset->title, preset->name,
                                   preset->meaning, preset_command(model));
    for (const SettingChange& change : overridden_settings(model)) {
        text += fmt::format("  overridden: {:26} {} (the preset states {})\n", change.path,
                            change.to, change.from);
    }
    return text + front;
}

}  // namespace

int show_command(Terminal& terminal, const std::string& name, const std::vector<std::string>& set) {
    const auto scenario = open_or_explain(terminal, name);
    if (!scenario) return exit_wrong_use;
    const auto model = model_with(terminal, *scenario, set);
    if (!model) return exit_wrong_use;
    std::string text = fmt::format("{}  ({})\n{}\n\nruns {:g} s after {:g} s of warm-up, seed {}\n",
                                   escaped(scenario->title), escaped(scenario->id),
                                   escaped_lines(scenario->summary), to_seconds(scenario->length),
                                   to_seconds(scenario->warm_up), scenario->seed);
    text += "\nRoutes\n";
    for (const auto& route : model->system.routes) {
        text += fmt::format("  {:12} {} {}\n", escaped(route.id),
                            route.method == Method::post ? "POST" : "GET", escaped(route.path));
    }
    text += preset_text(*model);
    text += "\nKnobs (--set path=value)\n";
    for (const auto& knob : scenario->knobs) {
        const auto value = get_setting(*model, knob.path);
        const auto* info = find_setting(model->system, knob.path);
        text += fmt::format("  {:26} {:16} {}\n", escaped(knob.path),
                            value ? write_value(*value) : std::string{},
                            info != nullptr ? info->meaning : std::string_view{});
    }
    if (scenario->lesson.empty()) {
        text += "\nNo lesson.\n";
    } else {
        text +=
            fmt::format("\nLesson: {} steps, {} minutes. `latency-lab play {}` plays it here.\n",
                        scenario->lesson.size(), scenario->minutes, escaped(name));
    }
    terminal.out(text);
    return exit_ok;
}

namespace {

/// "1 route", "2 routes".
std::string counted(std::size_t n, std::string_view what) {
    return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

}  // namespace

int validate_command(Terminal& terminal, const std::vector<std::string>& files) {
    int code = exit_ok;
    for (const auto& file : files) {
        const auto scenario = load_scenario(file);
        if (!scenario) {
            terminal.error(scenario.error().message());
            code = exit_wrong_use;
            continue;
        }
        terminal.out(fmt::format("{}: fine ({}, {}, {})\n", escaped(file),
                                 counted(scenario->model.system.routes.size(), "route"),
                                 counted(scenario->knobs.size(), "knob"),
                                 counted(scenario->lesson.size(), "lesson step")));
    }
    return code;
}

int reference_command(Terminal& terminal) {
    terminal.out(scenario_reference_markdown());
    return exit_ok;
}

int doctor_command(Terminal& terminal) {
    const auto report = examine_machine();
    std::string text = fmt::format(
        "latency-lab {}\n"
        "system        {}\n"
        "processor     {}\n"
        "cores         {}\n"
        "timers        wake {:.0f} us late at p50, {:.0f} us at p99\n"
        "clock         {} ns a reading\n"
        "calibration   {:.0f} rounds of the computing kernel a millisecond\n"
        "descriptors   {}\n",
        version(), escaped(report.system), escaped(report.processor), report.cores,
        to_ms(report.timer_late_p50) * 1000, to_ms(report.timer_late_p99) * 1000,
        report.clock_read.count(), report.kernel_rounds_per_ms, report.descriptors);
    for (const auto& remark : report.remarks) text += "note          " + escaped(remark) + "\n";
    const auto entries = list_scenarios(scenario_folders());
    const auto usable = std::count_if(entries.begin(), entries.end(),
                                      [](const auto& entry) { return entry.scenario.has_value(); });
    text += fmt::format("scenarios     {} usable of {}\n", usable, entries.size());
    terminal.out(text);
    return exit_ok;
}

}  // namespace lab::cli
