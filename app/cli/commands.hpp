// SPDX-License-Identifier: GPL-3.0-or-later
// The subcommands of `latency-lab`. Each returns an exit code: 0 fine, 1 the run failed, 2 wrong
// use.
#pragma once

#include "cli/terminal.hpp"

#include "lab/experiment.hpp"
#include "lab/result.hpp"
#include "lab/scenario.hpp"
#include "lab/units.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lab::cli {

struct RunArguments {
    std::string scenario;
    std::vector<std::string> set;  ///< "path=value"
    std::optional<Duration> length, warm_up;
    std::optional<std::uint64_t> seed;
    std::string mode = "live";
    std::optional<std::uint64_t> requests;  ///< virtual time
    std::string json, csv;                  ///< a file, "-" for standard output, or empty
};

struct ServeArguments {
    std::string scenario;
    std::vector<std::string> set;
    std::uint16_t port = 8000;
    std::size_t most_connections = 2'100;
    std::optional<std::uint64_t> seed;
};

struct SqlArguments {
    std::string scenario;
    std::string sql;
    std::string index;  ///< "on", "off", or empty: as the scenario has it
    std::vector<std::string> set;
};

struct LoadArguments {
    std::string url;
    std::optional<double> rate;  ///< open loop, requests a second
    std::optional<int> users;    ///< closed loop
    std::string arrivals = "constant";
    Duration think{};
    Duration length = 10s;
    Duration warm_up{};
    std::optional<int> connections;
    Duration timeout = 10s;
    bool new_connections = false;
    /// Settings of the table of names that have a flag here: path and text, as typed.
    std::vector<std::pair<std::string, std::string>> settings;
    std::string json, csv;
    std::uint64_t seed = 42;
};

struct TheoryArguments {
    std::string scenario;
    std::vector<std::string> set;
    std::string json;
};

int list_command(Terminal& terminal);
int presets_command(Terminal& terminal);
int show_command(Terminal& terminal, const std::string& scenario,
                 const std::vector<std::string>& set);
int validate_command(Terminal& terminal, const std::vector<std::string>& files);
int reference_command(Terminal& terminal);
int doctor_command(Terminal& terminal);
int calibrate_command(Terminal& terminal);
int run_command(Terminal& terminal, const RunArguments& arguments);
int theory_command(Terminal& terminal, const TheoryArguments& arguments);
int play_command(Terminal& terminal, const std::string& scenario);
int serve_command(Terminal& terminal, const ServeArguments& arguments);
int sql_command(Terminal& terminal, const SqlArguments& arguments);
int load_command(Terminal& terminal, const LoadArguments& arguments);
/// Starts latency-lab-window, which stands beside this program; says what to do where it cannot.
int window_command(Terminal& terminal, const std::vector<std::string>& arguments);

/// Reads the command line and does what it says.
int main_command(Terminal& terminal, int argc, const char* const* argv);

/// The flag of `load` for a setting: "load.retry_on" is --retry-on, "network.delay" is
/// --network-delay.
std::string load_flag(std::string_view path);

// What several commands need.

/// The scenario by id or path. Prints the reason where it cannot be opened.
std::optional<Scenario> open_or_explain(Terminal& terminal, const std::string& scenario);
/// The scenario's model with every "path=value" laid over it. Prints the reason where one is wrong.
std::optional<Model> model_with(Terminal& terminal, const Scenario& scenario,
                                const std::vector<std::string>& set);
/// Text of several lines from a file, safe for a terminal: control bytes escaped, line ends kept.
std::string escaped_lines(std::string_view text, std::string_view indent = {});
/// What was measured on this computer, if anything was.
std::optional<MeasuredCosts> stored_costs();
/// 2 for what a person can mend (a file, a flag), else 1.
int exit_code_for(const Error& error);
/// What is wrong with the text of a flag that cannot be negative, or nothing: CLI11 would wrap it
/// round to a huge number.
std::string not_negative(const std::string& text);
/// "12s", "500ms"; a bare number is seconds.
Result<Duration> read_duration(const std::string& text);

}  // namespace lab::cli
