// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/model.hpp"
#include "lab/result.hpp"
#include "lab/settings.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lab {

/// A setting that the scenario offers to be moved, in free play and in Present.
struct Knob {
    std::string path;
    std::string label;  ///< from the table of names unless the file gives one
    std::string group;  ///< "Load", "Server", "Handler", "Cache", "Database", "Network",
                        ///< "Balancer", "Host"
    double least = 0;   ///< base units, as in SettingInfo; for choices the count of
                        ///< values
    double most = 0;
    double step = 1;  ///< added, or multiplied with when `multiply`
    bool multiply = false;
    std::vector<std::string>
        values;         ///< kinds choice and flag: what may be chosen, as written in a
                        ///< file
    std::string help;   ///< one sentence
    std::string flask;  ///< "in Flask you would write", or empty; `{}` stands for the
                        ///< value
    std::string key;    ///< one letter that moves it in Present, or empty
    friend bool operator==(const Knob&, const Knob&) = default;
};

/// Changes laid over the scenario's model: path to value as written in a file.
using Overrides = std::map<std::string, std::string>;

/// One answer that can be predicted: right when the measured value lies in [from, to).
struct PredictOption {
    std::string text;
    double from = 0;  ///< the end of the option before, or minus infinity
    double to = 0;    ///< infinity for the last
    friend bool operator==(const PredictOption&, const PredictOption&) = default;
};

enum class LessonKind : std::uint8_t { say, predict, run, explain, flask, play };

/// One screen of a lesson. Only the fields of its kind have a meaning.
struct LessonStep {
    LessonKind kind = LessonKind::say;
    std::string title;
    std::string text;  ///< Markdown without HTML. explain: may hold the placeholders
                       ///< below
    // predict
    std::string ask;
    std::string measure;  ///< an expression over A and B, see lab/expression.hpp
    std::string unit;     ///< behind the measured value: "times", "ms", "/s"
    std::vector<PredictOption> options;
    // run
    Duration length{};
    Duration warm_up{};
    std::map<std::string, Overrides> variants;  ///< "A", "B"; at least A
    // flask
    std::string code;
    friend bool operator==(const LessonStep&, const LessonStep&) = default;
};

/// What the scenario promises: checked in virtual time on many seeds.
struct Claim {
    std::string that;                           ///< a condition, see lab/condition.hpp
    std::map<std::string, Overrides> variants;  ///< those that it names
    Duration length{};
    Duration warm_up{};
    friend bool operator==(const Claim&, const Claim&) = default;
};

/// What things cost, in any unit of money a unit of time.
struct Prices {
    double worker = 1;  ///< a worker process
    double memory = 0;  ///< a thousand places in a cache
    double cpu = 0;     ///< a processor that is kept busy
    friend bool operator==(const Prices&, const Prices&) = default;
};

/// One scenario file, read and checked.
struct Scenario {
    std::string id;
    std::string title;
    std::string course;   ///< "foundations"
    std::string topic;    ///< a word or two for the card: "workers"
    std::string summary;  ///< two sentences for the first screen
    int minutes = 5;
    int order = 100;  ///< within its course
    std::vector<std::string> covers;
    Duration length = 12s;  ///< of `run` when nothing else is said
    Duration warm_up = 1s;
    std::uint64_t seed = 42;
    Model model;
    std::vector<Knob> knobs;
    std::vector<LessonStep> lesson;
    std::vector<Claim> claims;
    Prices prices;
    std::filesystem::path file;
    friend bool operator==(const Scenario&, const Scenario&) = default;
};

/// Reads and checks one scenario file. Never starts anything.
///
/// Errors: not_found, invalid_input ("file:line:column: key" in `where`; found and allowed in
/// `detail`).
/// Cost:   at most 0.5 s and 100 MB whatever the file holds (SAFETY: files from strangers).
/// Threads: any.
[[nodiscard]] Result<Scenario> load_scenario(const std::filesystem::path& file);

/// The same from memory; `name` stands in for the file in messages. For tests and fuzzing.
[[nodiscard]] Result<Scenario> parse_scenario(std::string_view text, const std::string& name);

/// The model with overrides laid over it, checked. A recording is read from beside `scenario_file`;
/// without one it cannot be changed. Errors: as set_setting_text, read_recording.
[[nodiscard]] Result<Model> with_overrides(const Model&, const Overrides&,
                                           const std::filesystem::path& scenario_file = {});

/// Reads the file that load.recording names, if it has not been read, from the scenario's own
/// folder and no other: a name of letters, digits, '_', '.', '-' and '/', no "..", no link.
///
/// The first column of each line (to the first comma, semicolon or tab) is a time in seconds since
/// the start of the run, not before the one above. Empty lines and those that begin with '#' are
/// passed over, and so is a heading in the first. At most 1 MiB, 200,000 arrivals, 86,400 s.
/// Errors: not_found, not_permitted, invalid_input; `where` is load.recording, and the detail names
/// the line. Threads: any.
[[nodiscard]] Result<void> read_recording(Model&, const std::filesystem::path& folder);

/// A quantity of a run named in an explanation: `{A.throughput}`. The window puts the measured
/// value in its place, once.
struct Placeholder {
    std::size_t at = 0;      ///< of the opening brace, in bytes
    std::size_t length = 0;  ///< to behind the closing brace
    std::string variant;     ///< "A"
    std::string quantity;    ///< by its full name: "throughput_per_s"
    friend bool operator==(const Placeholder&, const Placeholder&) = default;
};
/// Every placeholder of a text, in its order. Errors: invalid_input (a brace that is none).
/// Threads: any.
[[nodiscard]] Result<std::vector<Placeholder>> find_placeholders(std::string_view text);

/// Where shipped scenarios are: LATENCY_LAB_SCENARIOS, beside the program, or as installed.
[[nodiscard]] std::vector<std::filesystem::path> scenario_folders();

/// One line of a gallery. `problem` is set, and the rest may be empty, where the file cannot be
/// used.
struct CatalogueEntry {
    std::filesystem::path file;
    std::optional<Scenario> scenario;
    std::optional<Error> problem;
};
/// Every *.toml below the folders, in course order, then order, then title.
[[nodiscard]] std::vector<CatalogueEntry> list_scenarios(
    std::span<const std::filesystem::path> folders);

/// By id in the folders, or by path where the word holds a '/' or ends in ".toml".
/// Errors: not_found with "did you mean"; as load_scenario.
[[nodiscard]] Result<Scenario> open_scenario(const std::string& id_or_path,
                                             std::span<const std::filesystem::path> folders);

}  // namespace lab
