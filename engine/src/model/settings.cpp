// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/settings.hpp"

#include "model/table.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "lab/presets.hpp"
#include "lab/text.hpp"

namespace lab {
namespace names {
namespace {

const Row* find_row(std::string_view path) {
    for (const Row& row : rows()) {
        if (row.info.path == path) return &row;
    }
    return nullptr;
}

/// The step with this id, those inside cache steps included.
template <class Steps>
auto find_step(Steps& steps, std::string_view id) -> decltype(&steps.front()) {
    for (auto& step : steps) {
        if (step.id == id) return &step;
        if (auto* inner = find_step(step.steps, id)) return inner;
    }
    return nullptr;
}

template <class Routes>
auto route_by_id(Routes& routes, std::string_view id) -> decltype(&routes.front()) {
    for (auto& route : routes) {
        if (route.id == id) return &route;
    }
    return nullptr;
}

template <class P>
struct Found {
    const Row* row = nullptr;
    P place;
};

/// Row and place for "route.ROUTE.FIELD", "route.ROUTE.STEP", "route.ROUTE.STEP.key",
/// ".blocking" or ".offload"; no row if none.
template <class P, class S>
Found<P> find_in_routes(S& system, std::string_view rest) {
    Found<P> found;
    const auto dot = rest.find('.');
    if (dot == std::string_view::npos) return found;
    found.place.route = route_by_id(system.routes, rest.substr(0, dot));
    if (!found.place.route) return found;
    std::string_view name = rest.substr(dot + 1);
    for (const std::string_view field :
         {"path", "method", "view", "inline", "personal", "localised", "static", "size"}) {
        if (name == field) {
            found.row = find_row(fmt::format("route.*.{}", field));
            return found;
        }
    }
    for (const std::string_view flag : {"blocking", "offload"}) {
        const auto dot_before = name.rfind('.');
        if (dot_before == name.npos || name.substr(dot_before + 1) != flag) continue;
        found.place.step = find_step(found.place.route->steps, name.substr(0, dot_before));
        if (!found.place.step) return found;
        const StepKind kind = found.place.step->kind;
        if (flag == "blocking" ? may_block(kind) : may_offload(kind)) {
            found.row = find_row(fmt::format("route.*.step.{}", flag));
        }
        return found;
    }
    const auto last = name.find('.');
    const std::string_view detail = last == name.npos ? "" : name.substr(last + 1);
    found.place.step = find_step(found.place.route->steps, name.substr(0, last));
    if (!found.place.step) return found;
    const StepKind kind = found.place.step->kind;
    if (detail.empty() && kind != StepKind::cache) {
        found.row = find_row(step_row_path(kind));
    } else if (std::ranges::find(step_details(kind), detail) != step_details(kind).end()) {
        found.row = find_row(fmt::format("route.*.{}.{}", step_kind_name(kind), detail));
    }
    return found;
}

/// Row and place for "backend.2.weight".
template <class P, class S>
Found<P> find_in_backends(S& system, std::string_view rest) {
    Found<P> found;
    const auto dot = rest.find('.');
    if (dot != 1) return found;  // one digit
    const auto index = static_cast<std::size_t>(rest[0] - '1');
    if (index >= most_backends) return found;
    found.place.backend = &system.balancer.backends[index];
    found.row = find_row(fmt::format("backend.*.{}", rest.substr(2)));
    return found;
}

template <class P, class S>
Found<P> resolve(S& system, std::string_view path) {
    constexpr std::string_view route_prefix = "route.", mix_prefix = "load.mix.",
                               backend_prefix = "backend.";
    if (path.starts_with(backend_prefix)) {
        return find_in_backends<P>(system, path.substr(backend_prefix.size()));
    }
    if (path.starts_with(route_prefix)) {
        return find_in_routes<P>(system, path.substr(route_prefix.size()));
    }
    Found<P> found;
    if (path.starts_with(mix_prefix)) {
        found.place.route = route_by_id(system.routes, path.substr(mix_prefix.size()));
        if (found.place.route) found.row = find_row("load.mix.*");
        return found;
    }
    found.row = find_row(path);
    return found;
}

void add_step_paths(const std::string& prefix, const std::vector<Step>& steps,
                    std::vector<std::string>& paths) {
    for (const Step& step : steps) {
        if (step.kind != StepKind::cache && !step_row_path(step.kind).empty()) {
            paths.push_back(prefix + step.id);
        }
        for (const std::string_view detail : step_details(step.kind)) {
            paths.push_back(fmt::format("{}{}.{}", prefix, step.id, detail));
        }
        if (may_block(step.kind)) paths.push_back(prefix + step.id + ".blocking");
        if (may_offload(step.kind)) paths.push_back(prefix + step.id + ".offload");
        add_step_paths(prefix, step.steps, paths);
    }
}

/// Of those that are used; none without a balancer.
void add_backend_paths(const System& system, std::vector<std::string>& paths) {
    if (system.balancer.rule == BalancerRule::none) return;
    for (int i = 1; i <= system.balancer.count; ++i) {
        for (const char* field : {"weight", "max_conns", "slowdown", "up"}) {
            paths.push_back(fmt::format("backend.{}.{}", i, field));
        }
    }
}

/// "50ms": an end of a range in the way a file has it.
std::string bound_text(ValueKind kind, double n) {
    switch (kind) {
        case ValueKind::duration:
        case ValueKind::distribution: {
            const Duration d{std::llround(n)};
            return d >= 60s ? fmt::format("{}s", std::llround(to_seconds(d))) : write_duration(d);
        }
        case ValueKind::rate:
            return write_rate(ArrivalRate::per_second(n));
        case ValueKind::bytes:
            return write_bytes(Bytes{std::llround(n)});
        case ValueKind::count:
            return show_count(std::llround(n));
        default:
            return write_number(n);
    }
}

}  // namespace

std::vector<std::string> concrete_paths(const System& system) {
    std::vector<std::string> paths;
    bool routes_done = false;
    for (const Row& row : rows()) {
        const std::string_view path = row.info.path;
        if (path == "load.mix.*") {
            for (const Route& route : system.routes) paths.push_back("load.mix." + route.id);
        } else if (path.starts_with("backend.")) {
            if (path == "backend.*.weight") add_backend_paths(system, paths);
        } else if (!path.starts_with("route.")) {
            paths.emplace_back(path);
        } else if (!routes_done) {
            routes_done = true;
            for (const Route& route : system.routes) {
                const std::string prefix = "route." + route.id + ".";
                for (const char* field : {"path", "method", "view", "inline", "personal",
                                          "localised", "static", "size"}) {
                    paths.push_back(prefix + field);
                }
                add_step_paths(prefix, route.steps, paths);
            }
        }
    }
    return paths;
}

std::string allowed_text(const SettingInfo& info) {
    const auto range = [&] {
        return fmt::format("from {} to {}", bound_text(info.kind, info.least),
                           bound_text(info.kind, info.most));
    };
    switch (info.kind) {
        case ValueKind::flag:
            return "true or false";
        case ValueKind::count:
            return "a whole number " + range();
        case ValueKind::number:
            return "a number " + range();
        case ValueKind::duration:
            return fmt::format("a duration with its unit {}, such as \"50ms\"", range());
        case ValueKind::distribution:
            return fmt::format(
                "\"50ms\", \"uniform 10ms 90ms\", \"exponential 50ms\" or \"lognormal 50ms "
                "200ms\", "
                "each time {}",
                range());
        case ValueKind::rate:
            return fmt::format("a rate with its unit {}, such as \"30/s\"", range());
        case ValueKind::bytes:
            return fmt::format("a size with its unit {}, such as \"10kB\"", range());
        case ValueKind::text:
            return fmt::format("a text of at most {} bytes", std::llround(info.most));
        case ValueKind::choice:
            break;
    }
    std::string text;
    for (std::size_t i = 0; i < info.choices.size(); ++i) {
        const bool last = i + 1 == info.choices.size();
        text += i == 0 ? "" : last ? " or " : ", ";
        text += info.choices[i];
    }
    return text;
}

Error not_allowed(std::string_view path, const SettingInfo& info, std::string_view found) {
    std::string detail = fmt::format("found {}; allowed: {}", found, allowed_text(info));
    return {ErrorCode::invalid_input, std::string(path), std::move(detail)};
}

Error unknown_setting(const System& system, std::string_view path) {
    const auto paths = concrete_paths(system);
    const std::vector<std::string_view> known(paths.begin(), paths.end());
    const auto nearest = did_you_mean(path, known);
    std::string detail = fmt::format("there is no setting {}", in_quotes(path));
    if (!nearest.empty()) detail += fmt::format("; did you mean {}?", nearest);
    return {ErrorCode::not_found, escaped(path.substr(0, 100)), std::move(detail)};
}

}  // namespace names

std::span<const SettingInfo> settings_table() {
    static const std::vector<SettingInfo> table = [] {
        std::vector<SettingInfo> infos;
        for (const names::Row& row : names::rows()) infos.push_back(row.info);
        return infos;
    }();
    return table;
}

const SettingInfo* find_setting(const System& system, std::string_view path) {
    const auto found = names::resolve<names::ConstPlace>(system, path);
    return found.row ? &found.row->info : nullptr;
}

Result<SettingValue> get_setting(const Model& model, std::string_view path) {
    auto found = names::resolve<names::ConstPlace>(model.system, path);
    if (!found.row) return names::unknown_setting(model.system, path);
    found.place.model = &model;
    return found.row->get(found.row->info, found.place);
}

Result<void> set_setting(Model& model, std::string_view path, const SettingValue& value) {
    auto found = names::resolve<names::Place>(model.system, path);
    if (!found.row) return names::unknown_setting(model.system, path);
    found.place.model = &model;
    SettingValue given = value;
    const auto* const time = std::get_if<Duration>(&value);
    if (time && found.row->info.kind == ValueKind::distribution) {
        given = with_time(std::get<Distribution>(get_setting(model, path).value()), *time);
    }
    const auto fit = names::checked(path, found.row->info, given);
    if (!fit) return fit.error();
    found.row->set(found.row->info, found.place, *fit);
    if (path == "server.preset") {
        fill_from_preset(model);
    } else {
        model.stated.add(std::string(path));
    }
    return {};
}

Result<void> set_setting_text(Model& model, std::string_view path, std::string_view text) {
    const SettingInfo* const info = find_setting(model.system, path);
    if (!info) return names::unknown_setting(model.system, path);
    const auto value = names::from_text(path, *info, text);
    if (!value) return value.error();
    return set_setting(model, path, *value);
}

namespace {

/// "Waiting", or "Waiting (pay)" where there is more than one route; "Slower by (backend 2)".
std::string change_label(const System& system, const SettingInfo& info, std::string_view path) {
    constexpr std::string_view backend_prefix = "backend.";
    if (path.starts_with(backend_prefix)) {
        return fmt::format("{} (backend {})", info.label, path.substr(backend_prefix.size(), 1));
    }
    for (const std::string_view prefix : {"route.", "load.mix."}) {
        if (!path.starts_with(prefix) || system.routes.size() < 2) continue;
        path.remove_prefix(prefix.size());
        return fmt::format("{} ({})", info.label, path.substr(0, path.find('.')));
    }
    return std::string(info.label);
}

}  // namespace

std::string allowed_values(const SettingInfo& info) { return names::allowed_text(info); }

std::vector<ListedSetting> listed_settings(const Model& model) {
    std::vector<ListedSetting> listed;
    for (const std::string& path : names::concrete_paths(model.system)) {
        const SettingInfo* const info = find_setting(model.system, path);
        listed.push_back({path, change_label(model.system, *info, path), info});
    }
    return listed;
}

std::vector<SettingChange> changed_settings(const Model& from, const Model& to) {
    std::vector<SettingChange> changes;
    for (const std::string& path : names::concrete_paths(from.system)) {
        const auto before = get_setting(from, path);
        const auto after = get_setting(to, path);
        if (!after || *before == *after) continue;
        const SettingInfo* const info = find_setting(from.system, path);
        changes.push_back({path, change_label(from.system, *info, path), show_value(*info, *before),
                           show_value(*info, *after)});
    }
    return changes;
}

}  // namespace lab
