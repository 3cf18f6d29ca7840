// SPDX-License-Identifier: GPL-3.0-or-later
// Real servers as settings: what each of them does, and the command a person would type for it.
#pragma once

#include "lab/settings.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lab {

/// One setting that a preset states, as a file has it: {"server.workers", "1"}.
struct PresetField {
    std::string_view path;
    std::string_view value;
};

/// A real server. `server.preset = "gunicorn-sync"` fills every field below that nobody gave: a
/// setting given in the file, by --set or by a knob wins, whatever the order.
struct Preset {
    std::string_view name;            ///< "gunicorn-sync"
    std::string_view title;           ///< "gunicorn, sync worker"
    std::string_view meaning;         ///< one sentence: what is peculiar to it
    std::vector<PresetField> fields;  ///< that program's defaults
    /// What a person types. `{server.workers}` stands for the value in force, `{...:s}` for its
    /// seconds, `{...:MB}` for its megabytes; text in square brackets is there only where one of
    /// the settings in it differs from what the preset states.
    std::string_view command;
    std::string_view versions;  ///< whose behaviour was checked
};

/// Every preset, in the order in which they are shown. Threads: any, immutable.
[[nodiscard]] std::span<const Preset> presets_table();
/// By name, or nullptr; "none" is no preset.
[[nodiscard]] const Preset* find_preset(std::string_view name);

/// Lays the preset that the model names over it: each setting that any preset states goes back to
/// its default, then takes what this preset states; what was given (Model::stated) stays.
/// set_setting() on "server.preset" does this by itself.
void fill_from_preset(Model& model);

/// The fields of the model's preset whose value is another now: `from` is what the preset states,
/// `to` what is in force, both as shown. Empty without a preset.
[[nodiscard]] std::vector<SettingChange> overridden_settings(const Model& model);

/// The command of the model's preset with the values in force, or empty.
[[nodiscard]] std::string preset_command(const Model& model);

/// The balancer in force as nginx's configuration, with what differs from nginx's defaults; empty
/// where the server is asked itself. Peak EWMA, which nginx lacks, stands as a comment.
[[nodiscard]] std::string front_configuration(const Model& model);

}  // namespace lab
