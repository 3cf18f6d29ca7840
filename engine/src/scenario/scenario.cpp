// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/scenario.hpp"

#include <exception>
#include <limits>

#include <fmt/format.h>

#include "lab/text.hpp"
#include "scenario/file.hpp"
#include "scenario/form.hpp"

namespace lab {
namespace scenario {
namespace {

/// Before anything else: a newer file would otherwise be told about its new keys.
void check_schema(Reading& reading, const Node& root) {
    const Member* const schema = root.find("schema");
    if (!schema) return reading.fail(root.place, "schema", "found nothing; allowed: schema = 1");
    if (schema->value.kind == Node::Kind::integer && schema->value.integer == 1) return;
    const bool newer = schema->value.kind == Node::Kind::integer && schema->value.integer > 1;
    reading.fail(schema->value.place, "schema",
                 fmt::format("found {}; allowed: 1{}", describe(schema->value),
                             newer ? " (the file is for a newer Latency Lab)" : ""));
}

void read_head(Reading& reading, const Node& root, Scenario& scenario) {
    Form form(reading, root, "", top_keys());
    form.id("id", scenario.id);
    form.title("title", scenario.title);
    form.id("course", scenario.course);
    form.title("topic", scenario.topic);
    form.text("summary", scenario.summary);
    std::int64_t minutes = scenario.minutes, order = scenario.order;
    form.whole("minutes", 1, 120, minutes);
    form.whole("order", 0, 1'000, order);
    scenario.minutes = static_cast<int>(minutes);
    scenario.order = static_cast<int>(order);
    form.titles("covers", 16, scenario.covers);
    if (const Member* const run = form.find("run")) {
        Form times(reading, run->value, "run", run_keys());
        times.duration("for", 1s, 600s, scenario.length);
        times.duration("warm_up", 0s, 60s, scenario.warm_up);
        std::int64_t seed = static_cast<std::int64_t>(scenario.seed);
        times.whole("seed", 0, std::numeric_limits<std::int64_t>::max(), seed);
        scenario.seed = static_cast<std::uint64_t>(seed);
    }
}

Result<Scenario> read(std::string_view text, const std::string& name,
                      const std::optional<std::filesystem::path>& folder) {
    const auto root = parse_tree(text, name);
    if (!root) return root.error();
    Reading reading{name, folder, {}, {}};
    Scenario scenario;
    check_schema(reading, *root);
    if (reading.ok()) read_head(reading, *root, scenario);
    if (reading.ok()) read_model(reading, *root, scenario.model);
    if (reading.ok()) read_knobs(reading, *root, scenario);
    if (reading.ok()) read_lesson(reading, *root, scenario);
    if (reading.ok()) read_claims(reading, *root, scenario);
    if (reading.ok()) read_prices(reading, *root, scenario);
    if (!reading.ok()) return *reading.error;
    return scenario;
}

}  // namespace
}  // namespace scenario

Result<Scenario> parse_scenario(std::string_view text, const std::string& name) {
    try {
        return scenario::read(text, name, {});
    } catch (const std::exception& problem) {  // the room's edge: memory has run out
        return Error{ErrorCode::no_resources, escaped(name), problem.what()};
    }
}

Result<Scenario> load_scenario(const std::filesystem::path& file) {
    try {
        const auto text = scenario::read_untrusted(file);
        if (!text) return text.error();
        auto read = scenario::read(*text, file.string(), file.parent_path());
        if (read) read->file = file;
        return read;
    } catch (const std::exception& problem) {
        return Error{ErrorCode::no_resources, escaped(file.string()), problem.what()};
    }
}

Result<Model> with_overrides(const Model& model, const Overrides& overrides,
                             const std::filesystem::path& scenario_file) {
    Model changed = model;
    for (const auto& [path, text] : overrides) {
        if (const auto set = set_setting_text(changed, path, text); !set) return set.error();
    }
    if (!scenario_file.empty()) {
        const auto read = read_recording(changed, scenario_file.parent_path());
        if (!read) return read.error();
    }
    if (const auto fit = validate(changed); !fit) return fit.error();
    return changed;
}

}  // namespace lab
