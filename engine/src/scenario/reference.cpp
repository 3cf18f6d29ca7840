// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/reference.hpp"

#include <array>

#include <fmt/format.h>

#include "lab/presets.hpp"
#include "lab/text.hpp"
#include "model/table.hpp"
#include "scenario/schema.hpp"
#include "scenario/tree.hpp"

namespace lab {
namespace scenario {
namespace {

constexpr std::string_view introduction = R"(# Scenario files

<!-- Made by `latency-lab reference` from the table of names; a test compares. Do not edit. -->

A scenario is one TOML file, `<course>/<name>.toml`: a system, the load on it, the knobs that move
in free play, and a lesson. `latency-lab validate FILE` checks one. Opening a file never starts
anything, and a file can name no host, no other file and no code.

The schema is closed: a key that is not below is an error. Sections may be left out; what is not
given has the value shown as default. The files in the folders beside this one are examples.

## How values are written

| kind | written as |
|---|---|
| whole number, number | `4`, `1.1` |
| flag | `true`, `false` |
| duration | a text with its unit, ns, us, ms, s or min: `"50ms"`, `"1.5s"`, `"3min"` |
| rate | a text with its unit, /s or /min: `"30/s"`, `"600/min"` |
| size | a text with its unit, of ten: `"500B"`, `"10kB"`, `"1MB"`; of two: `"4KiB"`, `"1MiB"` |
| choice | one of the words given, as a text |
| time of a step | a duration, or a law, see below |

Laws: `{ uniform = ["10ms", "90ms"] }` (least, most), `{ exponential = "5ms" }` (mean) and
`{ lognormal = { median = "20ms", p99 = "90ms" } }`.

After `--set`, values stand without quotes, and a law is written `uniform 10ms 90ms`,
`exponential 5ms`, `lognormal 20ms 90ms`:

    latency-lab run workers --set server.workers=4 --set "route.pay.wait=exponential 50ms"
)";

/// `|` would end the cell.
std::string cell(std::string_view text) {
    std::string safe;
    for (const char c : text) safe += c == '|' ? std::string("\\|") : std::string(1, c);
    return safe;
}

std::string keys_table(std::span<const KeyInfo> keys) {
    std::string text = "| key | value | meaning |\n|---|---|---|\n";
    for (const KeyInfo& key : keys) {
        text += fmt::format("| `{}`{} | {} | {} |\n", key.name, key.required ? " (needed)" : "",
                            cell(key.value), cell(key.meaning));
    }
    return text;
}

/// One system with a step of every kind, so that every row has a field to read its default from.
Model specimen() {
    Route route;
    route.id = "r";
    for (int i = 0; i <= static_cast<int>(StepKind::group); ++i) {
        Step step;
        step.kind = static_cast<StepKind>(i);
        step.id = std::string(names::step_kind_name(step.kind));
        route.steps.push_back(step);
    }
    Model model;
    model.system.routes.push_back(route);
    return model;
}

std::string default_of(const Model& model, const SettingInfo& info) {
    constexpr std::array without{"route.*.path",  "route.*.cpu",    "route.*.wait",
                                 "route.*.query", "route.*.render", "route.*.respond"};
    for (const std::string_view path : without) {
        if (info.path == path) return "";
    }
    std::string path(info.path);
    if (const auto star = path.find('*'); star != path.npos) path.replace(star, 1, "r");
    const auto value = get_setting(model, path);
    if (!value) return "";
    const bool bare = info.kind == ValueKind::flag || info.kind == ValueKind::count ||
                      info.kind == ValueKind::number;
    const std::string text = write_value(*value);
    return bare ? fmt::format("`{}`", text) : fmt::format("`\"{}\"`", text);
}

std::string settings_rows(const Model& model, std::string_view section) {
    std::string text =
        "| setting | on the screen | allowed | default | meaning | in Flask |\n"
        "|---|---|---|---|---|---|\n";
    for (const SettingInfo& info : settings_table()) {
        if (!info.path.starts_with(section)) continue;
        const std::string flask = info.flask.empty() ? "" : fmt::format("`{}`", info.flask);
        text += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", info.path, info.label,
                            cell(names::allowed_text(info)), default_of(model, info),
                            cell(info.meaning), cell(flask));
    }
    return text;
}

std::string system_part() {
    const Model model = specimen();
    std::string text;
    for (const std::string_view section : {"server", "cache", "database", "network", "load"}) {
        text += fmt::format("\n## [{}]\n\n{}", section,
                            settings_rows(model, std::string(section) + "."));
    }
    text +=
        "\n`load.mix` is a table of route ids and their shares: `mix = { home = 3, pay = 1 }`. In "
        "closed "
        "loop there are at most 2,000 users; workers x threads are at most 1,024.\n";
    text += "\n## [[route]]\n\n" + keys_table(route_keys());
    text +=
        "\n### Steps\n\nA step is a table with one of these and, if wanted, an `id`. In the "
        "settings, "
        "`route.pay.wait` is the main value of the step `wait` of the route `pay`.\n\n";
    text += keys_table(step_keys());
    text += "\nThe value of `cache`:\n\n" + keys_table(cache_step_keys());
    text += "\nThe value of `gather`:\n\n" + keys_table(gather_step_keys());
    text +=
        "\n### Settings of a route and its steps\n\nThe `*` stands for the route's id; the last "
        "part "
        "for the id of a step of that kind, and `step` for the id of any.\n\n";
    return text + settings_rows(model, "route.");
}

std::string presets_part() {
    std::string text =
        "\n## Presets\n\n`server.preset` names a real server and fills what the preset states: its "
        "defaults. A setting that the file, `--set` or a knob gives wins, whatever the order. "
        "`latency-lab presets` lists them with the command for each, `latency-lab show` tells what "
        "a scenario overrides.\n\n| preset | server | what is peculiar | states | checked |\n"
        "|---|---|---|---|---|\n";
    for (const Preset& preset : presets_table()) {
        std::string fields;
        for (const PresetField& field : preset.fields) {
            fields += fmt::format("{}`{}={}`", fields.empty() ? "" : " ", field.path, field.value);
        }
        text += fmt::format("| `{}` | {} | {} | {} | {} |\n", preset.name, cell(preset.title),
                            cell(preset.meaning), cell(fields), cell(preset.versions));
    }
    return text;
}

std::string lesson_part() {
    std::string text =
        "\n## [[lesson]]\n\nOne table a screen, in order. A prediction needs a run behind "
        "it that runs what it measures.\n";
    for (std::size_t i = 0; i < lesson_kind_names().size(); ++i) {
        text += fmt::format("\n### kind = \"{}\"\n\n{}", lesson_kind_names()[i],
                            keys_table(lesson_keys(static_cast<LessonKind>(i))));
    }
    return text + "\nAn option of a prediction:\n\n" + keys_table(option_keys());
}

std::string claim_part() {
    return "\n## [[claim]]\n\nWhat the scenario promises; `latency-lab check` holds it against "
           "runs on many seeds in virtual time, at the built-in costs and on two cores where "
           "[costs] and [host] say nothing else. A condition compares two expressions with `<`, "
           "`<=`, `>`, `>=`, or says `in a .. b`; `and` binds closer than `or`. Names are those of "
           "the quantities below, behind a variant's letter; numbers may have a unit: "
           "`A.p99 < 50ms`.\n\n" +
           keys_table(claim_keys()) +
           "\n## [prices]\n\nFor `latency-lab frontier`, in any unit of money a unit of "
           "time.\n\n" +
           keys_table(price_keys());
}

std::string quantities_part() {
    std::string text =
        "\n## Quantities\n\nWhat a run measures: keys of the JSON result, and names in `measure` "
        "and in "
        "`{A.throughput}`. Either name may be used.\n\n| name | short name | unit | meaning |\n"
        "|---|---|---|---|\n";
    for (const QuantityInfo& row : quantities_table()) {
        const std::string shorter =
            row.short_name == row.name ? "" : fmt::format("`{}`", row.short_name);
        text += fmt::format("| `{}` | {} | {} | {} |\n", row.name, shorter, row.unit, row.meaning);
    }
    return text;
}

std::string limits_part() {
    return fmt::format(
        "\n## Limits\n\nA file has at most {} bytes, in UTF-8; a line {} bytes, a text {} bytes, a "
        "key {} "
        "dots, a list {} items, values {} levels and {} in all; {} routes, 64 steps each, 32 "
        "knobs, 64 "
        "screens. A title has at most 200 characters.\n",
        show_count(most_file_bytes), show_count(most_line_bytes), show_count(most_text_bytes),
        most_key_dots, show_count(most_list_items), most_depth, show_count(most_nodes), 32);
}

}  // namespace
}  // namespace scenario

std::string scenario_reference_markdown() {
    using namespace scenario;
    std::string text(introduction);
    text += "\n## Top level\n\n" + keys_table(top_keys());
    text += "\n## [run]\n\n" + keys_table(run_keys());
    text += system_part();
    text += presets_part();
    text += "\n## [[knob]]\n\n" + keys_table(knob_keys());
    text += lesson_part();
    text += claim_part();
    text += quantities_part();
    return text + limits_part();
}

}  // namespace lab
