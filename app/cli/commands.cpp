// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include <CLI/CLI.hpp>

#include "lab/doctor.hpp"
#include "lab/settings.hpp"
#include "lab/text.hpp"

namespace lab::cli {

namespace {

/// Text of the flags that are durations; read after parsing so that the message is ours.
struct DurationFlags {
    std::string length, warm_up, timeout, think;
};

struct Arguments {
    RunArguments run;
    ServeArguments serve;
    LoadArguments load;
    TheoryArguments theory;
    SqlArguments sql;
    DurationFlags run_times, load_times;
    std::string scenario;
    std::vector<std::string> files, set;
};

bool read_into(Terminal& terminal, const char* flag, const std::string& text, auto& target) {
    if (text.empty()) return true;
    const auto duration = read_duration(text);
    if (!duration) {
        terminal.error(std::string{flag} + ": " + duration.error().detail);
        return false;
    }
    if (std::string_view{flag} == "--for" && *duration <= Duration{}) {
        terminal.error("--for: found " + text + ", allowed: more than nothing, as in 12s");
        return false;
    }
    target = *duration;
    return true;
}

/// CLI11 would wrap a negative number round to a huge one.
std::string not_negative(const std::string& text) {
    return text.starts_with('-') ? "found " + text + ", allowed: a whole number from 0" : "";
}

void add_run(CLI::App& app, Arguments& arguments) {
    auto* run = app.add_subcommand("run", "Run a scenario and measure it");
    run->add_option("scenario", arguments.run.scenario, "id or file")->required();
    run->add_option("--set", arguments.run.set,
                    "path=value, as in server.workers=4; may be repeated")
        ->allow_extra_args(false);
    run->add_option("--for", arguments.run_times.length, "length after warm-up: 12s, 500ms");
    run->add_option("--warm-up", arguments.run_times.warm_up, "not counted: 1s");
    run->add_option("--seed", arguments.run.seed, "arrivals and work are drawn from it")
        ->check(not_negative);
    run->add_option("--mode", arguments.run.mode,
                    "live: real sockets and threads; virtual: the same model in virtual time")
        ->capture_default_str()
        ->check(CLI::IsMember({"live", "virtual"}));
    run->add_option("--requests", arguments.run.requests,
                    "virtual: measure this many requests, however long they take")
        ->check(CLI::Range(1, 100'000'000));
    run->add_option("--json", arguments.run.json,
                    "write the result to a file, or - for standard output");
    run->add_option("--csv", arguments.run.csv, "write one row a frame to a file, or -");
}

void add_serve(CLI::App& app, Arguments& arguments) {
    auto* serve = app.add_subcommand("serve", "The server alone, for curl, ab, wrk and a browser");
    serve->add_option("scenario", arguments.serve.scenario, "id or file")->required();
    serve->add_option("--port", arguments.serve.port, "0 takes any free one")
        ->capture_default_str()
        ->check(CLI::Range(0, 65535));
    serve->add_option("--connections", arguments.serve.most_connections,
                      "how many may be open at once; the next wait in the kernel")
        ->capture_default_str()
        ->check(CLI::Range(1, 19000));
    serve->add_option("--set", arguments.serve.set, "path=value; may be repeated")
        ->allow_extra_args(false);
    serve->add_option("--seed", arguments.serve.seed, "the work is drawn from it")
        ->check(not_negative);
}

/// Flags of `load` that the table of names describes, by the group they stand in.
struct FlagGroup {
    const char* title;
    std::vector<std::string_view> paths;
};

const std::vector<FlagGroup>& load_flags() {
    static const std::vector<FlagGroup> groups{
        {"Shape (open loop)",
         {"load.shape", "load.peak", "load.shape_start", "load.shape_length", "load.shape_repeat",
          "load.steps", "load.calm", "load.burst", "load.day", "load.recording"}},
        {"Users", {"load.session", "load.patience"}},
        {"Slow clients",
         {"load.slow_readers", "load.read_rate", "load.slow_senders", "load.send_rate",
          "network.delay"}},
        {"Retries",
         {"load.attempt_timeout", "load.retries", "load.retry_on", "load.backoff",
          "load.backoff_base", "load.backoff_most", "load.retry_budget"}},
        {"Circuit breaker and second copies",
         {"load.breaker", "load.breaker_window", "load.breaker_calls", "load.breaker_pause",
          "load.hedge", "load.hedge_percentile"}},
    };
    return groups;
}

void add_load_settings(CLI::App& load, LoadArguments& to) {
    for (const FlagGroup& group : load_flags()) {
        for (const std::string_view path : group.paths) {
            const SettingInfo* const info = find_setting(System{}, path);
            std::string meaning{info->meaning};
            if (path == "load.recording") meaning = "A CSV file below this folder; see --shape.";
            for (const std::string_view choice : info->choices) {
                meaning += choice == info->choices.front() ? " (" : ", ";
                meaning += choice;
            }
            if (!info->choices.empty()) meaning += ")";
            load.add_option_function<std::string>(
                    load_flag(path),
                    [&to, path](const std::string& text) { to.settings.emplace_back(path, text); },
                    meaning)
                ->group(group.title);
        }
    }
}

void add_load(CLI::App& app, Arguments& arguments) {
    auto* load =
        app.add_subcommand("load", "The load generator alone, against any server on this machine");
    auto& to = arguments.load;
    load->add_option("--url", to.url, "http://127.0.0.1:PORT/PATH")->required();
    load->add_option("--rate", to.rate, "open loop: requests a second")
        ->check(CLI::Range(0.01, 1e6));
    load->add_option("--users", to.users, "closed loop: how many ask at once")
        ->check(CLI::Range(1, 20000));
    load->add_option("--arrivals", to.arrivals, "constant or poisson")->capture_default_str();
    load->add_option("--think", arguments.load_times.think,
                     "closed loop: pause before the next request");
    load->add_option("--for", arguments.load_times.length, "length: 10s")->required();
    load->add_option("--warm-up", arguments.load_times.warm_up, "not counted, before it");
    load->add_option("--connections", to.connections, "at most; closed loop has one a user")
        ->check(CLI::Range(1, 20000));
    load->add_option("--timeout", arguments.load_times.timeout, "the client gives up: 10s");
    load->add_flag("--new-connections", to.new_connections, "a new connection for each request");
    load->add_option("--seed", to.seed, "Poisson arrivals are drawn from it")
        ->capture_default_str();
    load->add_option("--json", to.json, "a file, or - for standard output");
    load->add_option("--csv", to.csv, "one row a frame: a file, or -");
    add_load_settings(*load, to);
}

void add_theory(CLI::App& app, Arguments& arguments) {
    auto* theory = app.add_subcommand(
        "theory", "What queueing theory says, and which of its assumptions is broken");
    theory->add_option("scenario", arguments.theory.scenario, "id or file")->required();
    theory->add_option("--set", arguments.theory.set, "path=value; may be repeated")
        ->allow_extra_args(false);
    theory->add_option("--json", arguments.theory.json, "a file, or - for standard output");
}

void add_sql(CLI::App& app, Arguments& arguments) {
    auto* sql = app.add_subcommand(
        "sql", "Put a SELECT of your own to a scenario's database: its rows, plan and cost");
    sql->add_option("scenario", arguments.sql.scenario, "id or file")->required();
    sql->add_option("select", arguments.sql.sql, "one SELECT over the tables product and review")
        ->required();
    sql->add_option("--index", arguments.sql.index, "on or off: the index on code and category")
        ->check(CLI::IsMember({"on", "off"}));
    sql->add_option("--set", arguments.sql.set, "path=value; may be repeated")
        ->allow_extra_args(false);
}

void add_rest(CLI::App& app, Arguments& arguments) {
    app.add_subcommand("list", "Every scenario");
    auto* show = app.add_subcommand("show", "What a scenario holds: routes, knobs, lesson");
    show->add_option("scenario", arguments.scenario, "id or file")->required();
    show->add_option("--set", arguments.set, "path=value; may be repeated")
        ->allow_extra_args(false);
    app.add_subcommand("presets", "The real servers that server.preset can stand for");
    auto* play = app.add_subcommand("play", "A lesson in the terminal: predict, run, see");
    play->add_option("scenario", arguments.scenario, "id or file")->required();
    auto* check = app.add_subcommand("validate",
                                     "Check scenario files: exit 0, or 2 with file, line and key");
    check->add_option("file", arguments.files, "scenario files")->required();
    app.add_subcommand("calibrate",
                       "Measure what things cost on this computer, for runs in virtual time");
    app.add_subcommand("doctor", "What this machine can do, and what is missing");
    app.add_subcommand("reference", "The scenario format, field by field, as Markdown");
    auto* window = app.add_subcommand("window", "Start the window, on a scenario if one is named");
    window->add_option("scenario", arguments.files, "id or file");
}

int dispatch(Terminal& terminal, const CLI::App& app, Arguments& arguments) {
    auto& run = arguments.run;
    auto& load = arguments.load;
    const auto& run_times = arguments.run_times;
    const auto& load_times = arguments.load_times;
    if (!read_into(terminal, "--for", run_times.length, run.length) ||
        !read_into(terminal, "--warm-up", run_times.warm_up, run.warm_up) ||
        !read_into(terminal, "--for", load_times.length, load.length) ||
        !read_into(terminal, "--warm-up", load_times.warm_up, load.warm_up) ||
        !read_into(terminal, "--timeout", load_times.timeout, load.timeout) ||
        !read_into(terminal, "--think", load_times.think, load.think)) {
        return exit_wrong_use;
    }
    const auto chosen = app.get_subcommands();
    if (chosen.empty()) return window_command(terminal, {});
    const auto& name = chosen.front()->get_name();
    if (name == "list") return list_command(terminal);
    if (name == "show") {
        return show_command(terminal, arguments.scenario, arguments.set);
    }
    if (name == "presets") return presets_command(terminal);
    if (name == "play") return play_command(terminal, arguments.scenario);
    if (name == "validate") return validate_command(terminal, arguments.files);
    if (name == "doctor") return doctor_command(terminal);
    if (name == "calibrate") return calibrate_command(terminal);
    if (name == "reference") return reference_command(terminal);
    if (name == "window") return window_command(terminal, arguments.files);
    if (name == "theory") return theory_command(terminal, arguments.theory);
    if (name == "run") return run_command(terminal, run);
    if (name == "sql") return sql_command(terminal, arguments.sql);
    if (name == "serve") return serve_command(terminal, arguments.serve);
    return load_command(terminal, load);
}

}  // namespace

std::string load_flag(std::string_view path) {
    constexpr std::string_view load = "load.";
    if (path.starts_with(load)) path.remove_prefix(load.size());
    std::string flag = "--" + std::string{path};
    for (char& c : flag) {
        if (c == '_' || c == '.') c = '-';
    }
    return flag;
}

Result<Duration> read_duration(const std::string& text) {
    if (!text.empty() && text.find_first_not_of("0123456789.") == std::string::npos) {
        return parse_duration(text + "s");
    }
    return parse_duration(text);
}

int main_command(Terminal& terminal, int argc, const char* const* argv) {
    CLI::App app{
        "Latency Lab: why web applications are slow, and what makes them fast.\n"
        "Without a subcommand it starts the window.",
        "latency-lab"};
    app.set_version_flag("--version", "latency-lab " + version());
    app.require_subcommand(0, 1);
    Arguments arguments;
    add_run(app, arguments);
    add_serve(app, arguments);
    add_load(app, arguments);
    add_theory(app, arguments);
    add_sql(app, arguments);
    add_rest(app, arguments);
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        terminal.out(app.help());
        return exit_ok;
    } catch (const CLI::CallForVersion&) {
        terminal.out(app.version() + "\n");
        return exit_ok;
    } catch (const CLI::ParseError& error) {
        terminal.error(std::string{error.what()} + "\nlatency-lab --help shows what is allowed");
        return exit_wrong_use;
    }
    return dispatch(terminal, app, arguments);
}

}  // namespace lab::cli
