// SPDX-License-Identifier: GPL-3.0-or-later
// The one table of names: settings (what a file, a knob or --set may change) and quantities (what a
// run measures). Configuration keys, JSON and CSV keys, knob labels, `--set` paths, lesson
// expressions and scenarios/README.md all come from here.
#pragma once

#include "lab/model.hpp"
#include "lab/result.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lab {

/// How a value is written. A quantity with a unit is a string in a scenario file: "50ms", "30/s",
/// "10kB".
enum class ValueKind : std::uint8_t {
    flag,
    count,
    number,
    duration,
    rate,
    bytes,
    choice,
    distribution,
    text
};

/// Any value of a setting.
using SettingValue = std::variant<bool, std::int64_t, double, Duration, ArrivalRate, Bytes,
                                  Distribution, std::string>;

/// One setting. `least` and `most` are in base units: nanoseconds, per second, bytes, or plain.
struct SettingInfo {
    std::string_view path;   ///< "server.workers"; steps: "route.*.wait" and the like
    std::string_view label;  ///< "Workers", as a knob is labelled
    ValueKind kind = ValueKind::count;
    double least = 0;
    double most = 0;
    std::vector<std::string_view> choices;        ///< kind choice: as written in a file
    std::vector<std::string_view> choice_labels;  ///< kind choice: as shown
    std::string_view meaning;                     ///< one sentence
    std::string_view flask;  ///< "in Flask you would write ...", or empty; `{}` stands for
                             ///< the value
};

/// Every setting that a scenario file may hold, in the order of the documentation. Threads: any,
/// immutable.
[[nodiscard]] std::span<const SettingInfo> settings_table();

/// The row for a concrete path ("route.pay.wait" finds the row for a wait step), or nullptr.
[[nodiscard]] const SettingInfo* find_setting(const System&, std::string_view path);

/// Reads a setting. Errors: not_found with "did you mean".
[[nodiscard]] Result<SettingValue> get_setting(const Model&, std::string_view path);

/// A setting of a model under its concrete path ("route.pay.wait"), labelled apart from its like in
/// other routes; `info` is its row of the table.
struct ListedSetting {
    std::string path;
    std::string label;
    const SettingInfo* info = nullptr;
};
/// Everything that can be set in this model, in the order of the documentation.
[[nodiscard]] std::vector<ListedSetting> listed_settings(const Model&);

/// Changes a setting, with range check. Errors: not_found with "did you mean"; invalid_input naming
/// what was found and what is allowed. The model is unchanged on error. The setting counts as
/// given from then on (Model::stated); "server.preset" fills those that were not.
[[nodiscard]] Result<void> set_setting(Model&, std::string_view path, const SettingValue&);

/// The same from text as a person types it after `--set`: "4", "50ms", "120/s", "shared", "true".
/// Distributions: "50ms", "uniform 10ms 90ms", "exponential 50ms", "lognormal 50ms 200ms".
[[nodiscard]] Result<void> set_setting_text(Model&, std::string_view path, std::string_view text);

/// As a person would write it: "50 ms", "120/s", "10 kB", "on", "per worker". For knobs and
/// markers.
[[nodiscard]] std::string show_value(const SettingInfo&, const SettingValue&);
/// As a file or `--set` takes it: "50ms", "120/s", "10kB", "true", "per-worker".
[[nodiscard]] std::string write_value(const SettingValue&);

/// What may be given, in words: "a whole number from 1 to 256", "wait, reject or reset".
[[nodiscard]] std::string allowed_values(const SettingInfo&);

/// Every setting in which two models with the same routes differ, as (path, from, to).
struct SettingChange {
    std::string path;
    std::string label;
    std::string from;  ///< as shown
    std::string to;    ///< as shown
    friend bool operator==(const SettingChange&, const SettingChange&) = default;
};
[[nodiscard]] std::vector<SettingChange> changed_settings(const Model& from, const Model& to);

/// Checks the whole model: ranges, unique ids, routes that the mix names, steps that fit their
/// route.
/// Errors: invalid_input; `where` is the setting's path.
[[nodiscard]] Result<void> validate(const Model&);

/// One measured quantity: a path into a RunSummary ("latency_ms.p99", "throughput_per_s").
struct QuantityInfo {
    std::string_view name;        ///< JSON key, dotted: "latency_ms.p99"
    std::string_view short_name;  ///< in lessons and claims: "p99", "throughput",
                                  ///< "counts.rejected"
    std::string_view label;       ///< "Latency p99"
    std::string_view unit;        ///< "ms", "/s", "share" (0 to 1), "" for a count
    std::string_view meaning;     ///< one sentence
};
[[nodiscard]] std::span<const QuantityInfo> quantities_table();
/// By name or short name, or nullptr.
[[nodiscard]] const QuantityInfo* find_quantity(std::string_view name);

/// The nearest of `known` to a misspelt word, or empty where nothing is near.
[[nodiscard]] std::string_view did_you_mean(std::string_view word,
                                            std::span<const std::string_view> known);

}  // namespace lab
