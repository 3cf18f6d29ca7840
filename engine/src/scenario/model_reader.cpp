// SPDX-License-Identifier: GPL-3.0-or-later
// [server], [[route]], [cache], [database], [network], [balancer], [backend.N], [host],
// [costs] and [load].
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "lab/presets.hpp"
#include "lab/text.hpp"
#include "model/table.hpp"
#include "scenario/form.hpp"

namespace lab::scenario {
namespace {

constexpr std::size_t most_routes = 32;

const names::Row* row_of(std::string_view path) {
    for (const names::Row& row : names::rows()) {
        if (row.info.path == path) return &row;
    }
    return nullptr;
}

void read_section(Reading& reading, const Node& root, const std::string& section, Model& model) {
    const Member* const member = root.find(section);
    if (!member) return;
    reading.places[section] = member->place;
    const auto keys = section_keys(section);
    const Form form(reading, member->value, section, keys);
    if (!reading.ok()) return;
    for (const Member& field : member->value.members) {
        const std::string path = section + "." + field.key;
        const names::Row* const row = row_of(path);
        if (!row) continue;  // load.mix
        reading.places[path] = field.value.place;
        const auto value =
            setting_from_node(reading, path, row->info, field.value, field.value.place);
        if (!value) continue;
        row->set(row->info, {.model = &model}, *value);
        if (path != "server.preset") model.stated.add(path);
    }
}

void read_mix(Reading& reading, const Node& root, Model& model) {
    const Member* const load = root.find("load");
    const Member* const mix = load ? load->value.find("mix") : nullptr;
    if (!mix) return;
    if (mix->value.kind != Node::Kind::table) {
        return reading.fail(mix->value.place, "load.mix",
                            fmt::format("found {}; allowed: a table of routes and their shares, "
                                        "such as {{ home = 3, pay = 1 }}",
                                        describe(mix->value)));
    }
    const names::Row* const row = row_of("load.mix.*");
    for (const Member& share : mix->value.members) {
        const std::string path = "load.mix." + share.key.substr(0, 60);
        reading.places[path] = share.place;
        const auto value =
            setting_from_node(reading, path, row->info, share.value, share.value.place);
        if (value) model.load.mix.push_back({share.key, std::get<double>(*value)});
    }
}

/// [backend.2] and the like: fields of single backends.
void read_backends(Reading& reading, const Node& root, Model& model) {
    const Member* const member = root.find("backend");
    if (!member) return;
    const std::string allowed =
        fmt::format("tables [backend.1] to [backend.{}]", model.system.balancer.count);
    if (member->value.kind != Node::Kind::table) {
        return reading.fail(member->place, "backend",
                            fmt::format("found {}; allowed: {}", describe(member->value), allowed));
    }
    for (const Member& backend : member->value.members) {
        const std::string path = "backend." + backend.key.substr(0, 60);
        const bool digit = backend.key.size() == 1 && backend.key[0] >= '1';
        if (!digit || backend.key[0] - '0' > model.system.balancer.count) {
            return reading.fail(backend.place, path,
                                fmt::format("found the backend {}; allowed: {}, as "
                                            "balancer.backends says",
                                            in_quotes(backend.key), allowed));
        }
        const auto keys = section_keys("backend.*");
        const Form form(reading, backend.value, path, keys);
        if (!reading.ok()) return;
        for (const Member& field : backend.value.members) {
            const names::Row* const row = row_of("backend.*." + field.key);
            const std::string name = path + "." + field.key;
            reading.places[name] = field.value.place;
            const auto value =
                setting_from_node(reading, name, row->info, field.value, field.value.place);
            const auto index = static_cast<std::size_t>(backend.key[0] - '1');
            if (!value) return;
            row->set(row->info, {.backend = &model.system.balancer.backends[index]}, *value);
        }
    }
}

/// The steps of one route; ids are unique in it, those inside cache steps included.
class StepReader {
  public:
    StepReader(Reading& reading, std::string route) : reading_{reading}, route_{std::move(route)} {}

    void read(const Node& list, const std::string& path, std::vector<Step>& out) {
        for (std::size_t i = 0; i < list.items.size() && reading_.ok(); ++i) {
            Step step;
            read_step(list.items[i], fmt::format("{}[{}]", path, i + 1), step);
            out.push_back(std::move(step));
        }
    }

  private:
    Reading& reading_;
    std::string route_;
    std::set<std::string> used_;

    void read_step(const Node& node, const std::string& path, Step& step) {
        Form form(reading_, node, path, step_keys());
        const Member* const member = kind_of(form, node);
        if (!member) return;
        step.id = fresh_id(names::step_kind_name(step_kind(member->key)));
        form.id("id", step.id);
        used_.insert(step.id);
        step.kind = step_kind(member->key);
        reading_.places.emplace(fmt::format("route.{}.{}", route_, step.id), node.place);
        read_value(form, *member, path, step);
        if (reading_.ok()) read_flags(node, path, step);
        for (const Member& detail : node.members) {
            if (reading_.ok() && is_detail(detail.key)) read_detail(form, detail, step);
        }
    }

    static bool is_flag(std::string_view key) { return key == "blocking" || key == "offload"; }

    /// `blocking` and `offload`; whether the step can have them is validate()'s.
    void read_flags(const Node& node, const std::string& path, Step& step) {
        for (const Member& member : node.members) {
            if (!is_flag(member.key)) continue;
            const names::Row* const row = row_of("route.*.step." + member.key);
            const auto value = setting_from_node(reading_, path + "." + member.key, row->info,
                                                 member.value, member.value.place);
            if (value) row->set(row->info, {.step = &step}, *value);
        }
    }

    void read_detail(Form& form, const Member& member, Step& step) {
        const auto known = names::step_details(step.kind);
        const auto kind = names::step_kind_name(step.kind);
        if (std::ranges::find(known, member.key) == known.end()) {
            return reading_.fail(
                member.place, form.path(member.key),
                fmt::format("found {0} in a {1} step; allowed: no {0} here", member.key, kind));
        }
        const names::Row* const row = row_of(fmt::format("route.*.{}.{}", kind, member.key));
        const auto value = setting_from_node(reading_, form.path(member.key), row->info,
                                             member.value, member.value.place);
        if (value) row->set(row->info, {.step = &step}, *value);
    }

    static StepKind step_kind(std::string_view name) {
        auto kind = StepKind::cpu;
        while (names::step_kind_name(kind) != name) {
            kind = static_cast<StepKind>(static_cast<int>(kind) + 1);
        }
        return kind;
    }

    /// Says more about a step whose kind another key names.
    static bool is_detail(std::string_view key) {
        return key == "times" || key == "share" || key == "hold";
    }

    /// The one key that says what the step does.
    const Member* kind_of(Form& form, const Node& node) {
        if (!reading_.ok()) return nullptr;
        const Member* kind = nullptr;
        for (const Member& member : node.members) {
            if (member.key == "id" || is_flag(member.key) || is_detail(member.key)) continue;
            if (kind) {
                reading_.fail(member.place, form.path(member.key),
                              fmt::format("found {} and {} in one step; allowed: one of them",
                                          kind->key, member.key));
                return nullptr;
            }
            kind = &member;
        }
        if (!kind) {
            reading_.fail(
                form.place(), form.path(""),
                "found a step that does nothing; allowed: one of cpu, wait, query, cache, "
                "render, respond, write, gather, group");
        }
        return kind;
    }

    std::string fresh_id(std::string_view kind) const {
        std::string id(kind);
        for (int n = 2; used_.contains(id); ++n) id = fmt::format("{}{}", kind, n);
        return id;
    }

    void read_value(Form& form, const Member& member, const std::string& path, Step& step) {
        if (step.kind == StepKind::cache) return read_cache(member, path + ".cache", step);
        if (step.kind == StepKind::gather) return read_gather(member, path + ".gather", step);
        if (step.kind == StepKind::group) {
            if (const Node* const steps = form.list("group", 64)) {
                read(*steps, path + ".group", step.steps);
            }
            return;
        }
        if (step.kind == StepKind::write) {
            if (member.value.kind == Node::Kind::text && member.value.text == "product") return;
            return form.refuse("write", describe(member.value), "\"product\"");
        }
        const names::Row* const row = row_of(names::step_row_path(step.kind));
        const auto value = setting_from_node(reading_, form.path(member.key), row->info,
                                             member.value, member.value.place);
        if (value) row->set(row->info, {.step = &step}, *value);
    }

    void read_cache(const Member& member, const std::string& path, Step& step) {
        Form form(reading_, member.value, path, cache_step_keys());
        const Member* const named = form.find("key");
        if (named && named->value.kind == Node::Kind::text) {
            read_function(form, named->value, step.key);
        } else if (const Node* const key = form.list("key", 4)) {
            read_key(form, *key, step.key);
        }
        if (const Node* const steps = form.list("steps", 64)) {
            read(*steps, path + ".steps", step.steps);
        }
    }

    void read_gather(const Member& member, const std::string& path, Step& step) {
        Form form(reading_, member.value, path, gather_step_keys());
        if (!reading_.ok()) return;
        if (const Member* const copies = member.value.find("copies")) {
            const names::Row* const row = row_of(names::step_row_path(StepKind::gather));
            const auto value = setting_from_node(reading_, path + ".copies", row->info,
                                                 copies->value, copies->value.place);
            if (value) row->set(row->info, {.step = &step}, *value);
        }
        if (const Node* const steps = form.list("steps", 64)) {
            read(*steps, path + ".steps", step.steps);
        }
    }

    static void read_function(Form& form, const Node& word, KeyRule& rule) {
        if (word.text != "constant" && word.text != "throws") {
            return form.refuse("key", describe(word),
                               R"("constant", "throws", or a list of "path", "query", "user" )"
                               R"(and "header")");
        }
        const bool throws = word.text == "throws";
        rule = {false, false, false, false, throws ? KeyFunction::throws : KeyFunction::constant};
    }

    static void read_key(Form& form, const Node& list, KeyRule& rule) {
        rule = {false, false, false, false};
        for (const Node& item : list.items) {
            bool* const part = item.kind != Node::Kind::text ? nullptr
                               : item.text == "path"         ? &rule.path
                               : item.text == "query"        ? &rule.query
                               : item.text == "user"         ? &rule.user
                               : item.text == "header"       ? &rule.header
                                                             : nullptr;
            if (!part)
                return form.refuse("key", describe(item), R"("path", "query", "user", "header")");
            *part = true;
        }
    }
};

void read_route(Reading& reading, const Node& node, std::size_t number, Model& model) {
    Form form(reading, node, fmt::format("route[{}]", number), route_keys());
    Route route;
    form.id("id", route.id);
    if (!reading.ok()) return;
    const std::string prefix = "route." + route.id;
    reading.places.emplace(prefix, node.place);
    for (const Member& member : node.members) {
        const names::Row* const row = row_of("route.*." + member.key);
        if (!row) continue;  // id, steps
        const std::string path = prefix + "." + member.key;
        reading.places.emplace(path, member.value.place);
        const auto value =
            setting_from_node(reading, path, row->info, member.value, member.value.place);
        if (value) row->set(row->info, {.route = &route}, *value);
    }
    if (const Node* const steps = form.list("steps", 64)) {
        StepReader(reading, route.id).read(*steps, prefix + ".steps", route.steps);
    }
    model.system.routes.push_back(std::move(route));
}

}  // namespace

void read_model(Reading& reading, const Node& root, Model& model) {
    for (const char* section :
         {"server", "cache", "database", "network", "balancer", "host", "costs", "load"}) {
        read_section(reading, root, section, model);
    }
    // What the file gives wins over its preset, wherever the preset stands in it.
    if (reading.ok() && model.system.server.preset != "none") fill_from_preset(model);
    const auto routes = tables_of(reading, root, "route", most_routes);
    if (const Member* const member = root.find("route")) reading.places["route"] = member->place;
    for (std::size_t i = 0; i < routes.size() && reading.ok(); ++i) {
        read_route(reading, *routes[i], i + 1, model);
    }
    if (reading.ok()) read_backends(reading, root, model);
    if (reading.ok()) read_mix(reading, root, model);
    if (!reading.ok()) return;
    if (reading.folder) {
        if (const auto recorded = read_recording(model, *reading.folder); !recorded) {
            return reading.fail(reading.place_of("load.recording"), "load.recording",
                                recorded.error().detail);
        }
    }
    if (const auto fit = validate(model); !fit) {
        reading.fail(reading.place_of(fit.error().where), fit.error().where, fit.error().detail);
    }
}

}  // namespace lab::scenario
