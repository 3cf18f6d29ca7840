// SPDX-License-Identifier: GPL-3.0-or-later
// [[knob]]: which settings can be moved, and how far.
#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "lab/text.hpp"
#include "model/table.hpp"
#include "scenario/form.hpp"

namespace lab::scenario {
namespace {

constexpr std::size_t most_knobs = 32;

std::string_view group_of(std::string_view path) {
    const auto groups = knob_groups();
    if (path.starts_with("load.")) return groups[0];
    if (path.starts_with("server.")) return groups[1];
    if (path.starts_with("route.")) return groups[2];
    if (path.starts_with("cache.")) return groups[3];
    if (path.starts_with("database.")) return groups[4];
    if (path.starts_with("balancer.") || path.starts_with("backend.")) return groups[6];
    if (path.starts_with("host.") || path.starts_with("costs.")) return groups[7];
    return groups[5];
}

bool is_chosen(ValueKind kind) { return kind == ValueKind::choice || kind == ValueKind::flag; }

class KnobReader {
  public:
    KnobReader(Reading& reading, const Node& node, std::size_t number, const Scenario& scenario)
        : reading_{reading},
          form_{reading, node, fmt::format("knob[{}]", number), knob_keys()},
          model_{scenario.model} {}

    void read(Knob& knob) {
        form_.title("path", knob.path);
        if (!reading_.ok()) return;
        info_ = find_setting(model_.system, knob.path);
        if (!info_) {
            return reading_.fail(form_.place("path"), form_.path("path"),
                                 names::unknown_setting(model_.system, knob.path).detail);
        }
        if (info_->kind == ValueKind::text) {
            return form_.refuse("path", in_quotes(knob.path), "a setting with a range or choices");
        }
        knob.label = info_->label;
        knob.help = info_->meaning;
        knob.flask = info_->flask;
        form_.title("label", knob.label);
        form_.title("help", knob.help);
        form_.title("flask", knob.flask);
        read_group(knob);
        read_key(knob);
        if (is_chosen(info_->kind)) {
            read_values(knob);
        } else {
            read_range(knob);
        }
    }

  private:
    Reading& reading_;
    Form form_;
    const Model& model_;
    const SettingInfo* info_ = nullptr;

    void read_group(Knob& knob) {
        knob.group = group_of(knob.path);
        form_.title("group", knob.group);
        const auto groups = knob_groups();
        if (std::ranges::find(groups, knob.group) == groups.end()) {
            form_.refuse("group", in_quotes(knob.group),
                         fmt::format("{}", fmt::join(groups, ", ")));
        }
    }

    void read_key(Knob& knob) {
        form_.title("key", knob.key);
        if (knob.key.empty()) return;
        char& c = knob.key[0];
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        if (knob.key.size() != 1 || c < 'A' || c > 'Z' || c == 'R') {
            form_.refuse("key", in_quotes(knob.key), "one letter but R, which resets");
        }
    }

    void read_values(Knob& knob) {
        for (const char* key : {"min", "max", "step"}) {
            if (form_.find(key)) {
                return form_.refuse(key, "a range",
                                    fmt::format("values, as {} is chosen", knob.path));
            }
        }
        if (const Node* const list = form_.list("values", 16)) {
            for (const Node& item : list->items) {
                const auto value =
                    setting_from_node(reading_, form_.path("values"), *info_, item, item.place);
                if (value) knob.values.push_back(write_value(*value));
            }
            const std::set<std::string> different(knob.values.begin(), knob.values.end());
            if (different.size() != list->items.size() || different.size() < 2) {
                form_.refuse(
                    "values",
                    fmt::format("{} different of {}", different.size(), list->items.size()),
                    "at least 2, each once");
            }
        } else if (info_->kind == ValueKind::flag) {
            knob.values = {"false", "true"};
        } else {
            knob.values.assign(info_->choices.begin(), info_->choices.end());
        }
        knob.most = static_cast<double>(knob.values.size());
        const std::string now = write_value(get_setting(model_, knob.path).value());
        if (reading_.ok() && std::ranges::find(knob.values, now) == knob.values.end()) {
            form_.refuse("values", fmt::format("no {}, which the scenario starts with", now),
                         "values with it");
        }
    }

    /// min or max, in base units.
    void read_end(std::string_view key, double& out) {
        const Member* const member = form_.find(key);
        if (!member) return;
        const auto value = setting_from_node(reading_, form_.path(key), *info_, member->value,
                                             member->value.place);
        if (value) out = names::base_units(*value);
    }

    void read_range(Knob& knob) {
        if (form_.find("values")) {
            return form_.refuse("values", "values",
                                fmt::format("min, max and step, as {} has a range", knob.path));
        }
        knob.least = info_->least;
        knob.most = info_->most;
        read_end("min", knob.least);
        read_end("max", knob.most);
        if (knob.least >= knob.most) {
            return form_.refuse("max", "a range without extent", "max above min");
        }
        read_notch(knob);
        const double now = names::base_units(get_setting(model_, knob.path).value());
        if (now < knob.least || now > knob.most) {
            const std::string shown = write_value(get_setting(model_, knob.path).value());
            form_.refuse("path",
                         fmt::format("a range without {}, which the scenario starts with", shown),
                         "a range with it");
        }
    }

    void read_notch(Knob& knob) {
        constexpr std::string_view allowed = "\"x2\", or what is added in the unit of the setting";
        const bool plain = info_->kind == ValueKind::count || info_->kind == ValueKind::number;
        knob.multiply = !plain && knob.least > 0;
        knob.step = knob.multiply ? 2 : plain ? 1 : (knob.most - knob.least) / 100;
        const Member* const member = form_.find("step");
        if (!member) return;
        Node notch = member->value;
        if (notch.kind == Node::Kind::text && notch.text.starts_with('x')) {
            const auto factor = parse_number(std::string_view(notch.text).substr(1));
            if (!factor || *factor <= 1 || *factor > 100) {
                return form_.refuse("step", describe(notch), "a factor above 1, such as \"x2\"");
            }
            if (knob.least <= 0) {
                return form_.refuse("step", describe(notch),
                                    "an added step, or min above 0: no factor leads away from 0");
            }
            knob.multiply = true;
            knob.step = *factor;
            return;
        }
        SettingInfo any = *info_;
        any.least = 0;
        if (notch.kind == Node::Kind::text && notch.text.starts_with('+')) {
            notch.text.erase(0, 1);
            if (plain) return read_plain_notch(knob, notch.text);
        }
        const auto value = setting_from_node(reading_, form_.path("step"), any, notch, notch.place);
        if (!value) return;
        knob.multiply = false;
        knob.step = names::base_units(*value);
        if (knob.step <= 0) form_.refuse("step", describe(notch), allowed);
    }

    /// "+1" for a setting that is a number.
    void read_plain_notch(Knob& knob, std::string_view text) {
        const auto value = parse_number(text);
        const bool whole =
            value && (info_->kind != ValueKind::count || *value == std::floor(*value));
        if (!whole || *value <= 0) {
            return form_.refuse("step", in_quotes(text), "a number above 0, such as \"+1\"");
        }
        knob.multiply = false;
        knob.step = *value;
    }
};

}  // namespace

void read_knobs(Reading& reading, const Node& root, Scenario& scenario) {
    const auto tables = tables_of(reading, root, "knob", most_knobs);
    std::set<std::string> paths, keys;
    for (std::size_t i = 0; i < tables.size() && reading.ok(); ++i) {
        Knob knob;
        KnobReader(reading, *tables[i], i + 1, scenario).read(knob);
        const auto refuse = [&](std::string_view key, std::string_view what) {
            reading.fail(tables[i]->place, fmt::format("knob[{}].{}", i + 1, key),
                         fmt::format("another knob has {}; allowed: one that differs", what));
        };
        if (!paths.insert(knob.path).second) refuse("path", knob.path);
        if (!knob.key.empty() && !keys.insert(knob.key).second) refuse("key", knob.key);
        scenario.knobs.push_back(std::move(knob));
    }
}

}  // namespace lab::scenario
