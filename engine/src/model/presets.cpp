// SPDX-License-Identifier: GPL-3.0-or-later
// What presets do to a model. The table is in preset_table.cpp.
#include "lab/presets.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "lab/assert.hpp"
#include "lab/text.hpp"
#include "model/table.hpp"

namespace lab {
namespace {

const names::Row& row_of(std::string_view path) {
    const auto rows = names::rows();
    const auto at = std::ranges::find_if(rows, [&](const auto& r) { return r.info.path == path; });
    LAB_ASSERT(at != rows.end());
    return *at;
}

SettingValue value_of(const names::Row& row, const Model& model) {
    return row.get(row.info, {.model = &model});
}

/// Every setting that some preset states.
const std::set<std::string_view>& all_paths() {
    static const std::set<std::string_view> paths = [] {
        std::set<std::string_view> made;
        for (const Preset& preset : presets_table()) {
            for (const PresetField& field : preset.fields) made.insert(field.path);
        }
        return made;
    }();
    return paths;
}

SettingValue stated_value(const PresetField& field) {
    const names::Row& row = row_of(field.path);
    const auto value = names::from_text(field.path, row.info, field.value);
    LAB_ASSERT(value.has_value());
    return *value;
}

/// A piece of a command: plain text, or what stands between two braces.
struct Piece {
    std::string_view text;
    bool is_setting = false;
};

std::vector<Piece> pieces_of(std::string_view command) {
    std::vector<Piece> pieces;
    while (!command.empty()) {
        const auto open = command.find('{');
        if (open != 0) pieces.push_back({command.substr(0, open), false});
        if (open == std::string_view::npos) break;
        const auto shut = command.find('}', open);
        LAB_ASSERT(shut != std::string_view::npos);
        pieces.push_back({command.substr(open + 1, shut - open - 1), true});
        command.remove_prefix(shut + 1);
    }
    return pieces;
}

std::string_view path_in(std::string_view piece) { return piece.substr(0, piece.find(':')); }

/// "30" for {server.worker_timeout:s}.
std::string written(std::string_view piece, const Model& model) {
    const SettingValue value = value_of(row_of(path_in(piece)), model);
    const auto colon = piece.find(':');
    if (colon == std::string_view::npos) return write_value(value);
    const double unit = piece.substr(colon + 1) == "s" ? 1e9 : 1e6;
    return fmt::format("{:g}", names::base_units(value) / unit);
}

std::string fill_in(std::string_view command, const Model& model) {
    std::string text;
    for (const Piece& piece : pieces_of(command)) {
        text += piece.is_setting ? written(piece.text, model) : std::string(piece.text);
    }
    return text;
}

/// Whether a setting named in this part of a command differs from what the preset states.
bool differs(std::string_view part, const Preset& preset, const Model& model) {
    for (const Piece& piece : pieces_of(part)) {
        if (!piece.is_setting) continue;
        const std::string_view path = path_in(piece.text);
        const auto field = std::ranges::find_if(
            preset.fields, [&](const PresetField& f) { return f.path == path; });
        const SettingValue usual =
            field != preset.fields.end() ? stated_value(*field) : value_of(row_of(path), Model{});
        if (value_of(row_of(path), model) != usual) return true;
    }
    return false;
}

}  // namespace

const Preset* find_preset(std::string_view name) {
    for (const Preset& preset : presets_table()) {
        if (preset.name == name) return &preset;
    }
    return nullptr;
}

void fill_from_preset(Model& model) {
    const Model fresh;
    for (const std::string_view path : all_paths()) {
        if (model.stated.contains(std::string(path))) continue;
        const names::Row& row = row_of(path);
        row.set(row.info, {.model = &model}, value_of(row, fresh));
    }
    const Preset* const preset = find_preset(model.system.server.preset);
    if (preset == nullptr) return;
    for (const PresetField& field : preset->fields) {
        if (model.stated.contains(std::string(field.path))) continue;
        const names::Row& row = row_of(field.path);
        row.set(row.info, {.model = &model}, stated_value(field));
    }
}

std::vector<SettingChange> overridden_settings(const Model& model) {
    std::vector<SettingChange> changes;
    const Preset* const preset = find_preset(model.system.server.preset);
    if (preset == nullptr) return changes;
    for (const PresetField& field : preset->fields) {
        const names::Row& row = row_of(field.path);
        const SettingValue usual = stated_value(field);
        const SettingValue now = value_of(row, model);
        if (now == usual) continue;
        changes.push_back({std::string(field.path), std::string(row.info.label),
                           show_value(row.info, usual), show_value(row.info, now)});
    }
    return changes;
}

std::string preset_command(const Model& model) {
    const Preset* const preset = find_preset(model.system.server.preset);
    if (preset == nullptr) return {};
    std::string text;
    std::string_view rest = preset->command;
    while (!rest.empty()) {
        const auto open = rest.find('[');
        text += fill_in(rest.substr(0, open), model);
        if (open == std::string_view::npos) break;
        const auto shut = rest.find(']', open);
        LAB_ASSERT(shut != std::string_view::npos);
        const std::string_view part = rest.substr(open + 1, shut - open - 1);
        if (differs(part, *preset, model)) text += fill_in(part, model);
        rest.remove_prefix(shut + 1);
    }
    return text;
}

}  // namespace lab
