// SPDX-License-Identifier: GPL-3.0-or-later
// The value of a setting as a file has it: "50ms", 4, true, { exponential = "5ms" }.
#include <fmt/format.h>

#include "lab/text.hpp"
#include "model/table.hpp"
#include "scenario/form.hpp"

namespace lab::scenario {
namespace {

/// { exponential = "5ms" }, { uniform = ["10ms", "90ms"] }, { lognormal = { median = "..", p99 =
/// ".." } } as the text of the same law; nothing where it is none of these.
std::optional<std::string> law_text(const Node& node) {
    if (node.members.size() != 1) return std::nullopt;
    const std::string& law = node.members[0].key;
    const Node& value = node.members[0].value;
    const auto is_text = [](const Node* n) { return n && n->kind == Node::Kind::text; };
    if ((law == "constant" || law == "exponential") && is_text(&value)) {
        return fmt::format("{} {}", law, value.text);
    }
    if (law == "uniform" && value.kind == Node::Kind::list && value.items.size() == 2 &&
        is_text(&value.items[0]) && is_text(&value.items[1])) {
        return fmt::format("uniform {} {}", value.items[0].text, value.items[1].text);
    }
    if (law == "lognormal" && value.kind == Node::Kind::table && value.members.size() == 2) {
        const Member* const median = value.find("median");
        const Member* const p99 = value.find("p99");
        if (median && p99 && is_text(&median->value) && is_text(&p99->value)) {
            return fmt::format("lognormal {} {}", median->value.text, p99->value.text);
        }
    }
    return std::nullopt;
}

constexpr std::string_view laws_allowed =
    R"("50ms", { uniform = ["10ms", "90ms"] }, { exponential = "50ms" } or )"
    R"({ lognormal = { median = "50ms", p99 = "200ms" } })";

Result<SettingValue> convert(std::string_view path, const SettingInfo& info, const Node& node) {
    const bool is_text = node.kind == Node::Kind::text;
    switch (info.kind) {
        case ValueKind::flag:
            if (node.kind == Node::Kind::boolean) return names::in_place(node.boolean);
            break;
        case ValueKind::count:
        case ValueKind::number:
            if (node.kind == Node::Kind::integer) return names::in_place(node.integer);
            if (node.kind == Node::Kind::number) return names::in_place(node.number);
            break;
        case ValueKind::distribution:
            if (is_text) return names::from_text(path, info, node.text);
            if (const auto text = law_text(node)) return names::from_text(path, info, *text);
            return Error{ErrorCode::invalid_input, std::string(path),
                         fmt::format("found {}; allowed: {}", describe(node), laws_allowed)};
        default:
            if (is_text) return names::from_text(path, info, node.text);
            break;
    }
    return names::not_allowed(path, info, describe(node));
}

}  // namespace

std::optional<SettingValue> setting_from_node(Reading& reading, std::string_view path,
                                              const SettingInfo& info, const Node& node,
                                              Place place) {
    auto value = convert(path, info, node);
    if (value) value = names::checked(path, info, *value);
    if (!value) {
        reading.fail(place, path, value.error().detail);
        return std::nullopt;
    }
    return *value;
}

namespace {

void read_into(Reading& reading, const Model& model, const Node& table, const std::string& path,
               const std::string& prefix, Overrides& out) {
    for (const Member& member : table.members) {
        const std::string setting = prefix.empty() ? member.key : prefix + "." + member.key;
        const SettingInfo* const info = find_setting(model.system, setting);
        if (!info && member.value.kind == Node::Kind::table) {
            read_into(reading, model, member.value, path, setting, out);
            continue;
        }
        const std::string key = fmt::format("{}.{}", path, setting.substr(0, 100));
        if (!info) {
            return reading.fail(member.place, key,
                                names::unknown_setting(model.system, setting).detail);
        }
        const auto value = setting_from_node(reading, key, *info, member.value, member.value.place);
        if (!value) return;
        out[setting] = write_value(*value);
    }
}

}  // namespace

Overrides read_overrides(Reading& reading, const Model& model, const Node& table,
                         const std::string& path) {
    Overrides overrides;
    if (table.kind != Node::Kind::table) {
        reading.fail(table.place, path, fmt::format("found {}; allowed: a table", describe(table)));
        return overrides;
    }
    read_into(reading, model, table, path, "", overrides);
    return overrides;
}

}  // namespace lab::scenario
