// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenario/schema.hpp"

#include <array>

namespace lab::scenario {
namespace {

constexpr std::string_view id_value = "a small letter, then small letters, digits, `_`, `-`";
constexpr std::string_view title_value = "one line of at most 200 characters";
constexpr std::string_view text_value = "text; Markdown without HTML";

constexpr std::array top{
    KeyInfo{"schema", "1", "The version of this format.", true},
    KeyInfo{"id", id_value, "What the scenario is called on the command line.", true},
    KeyInfo{"title", title_value, "Its name on the screen.", true},
    KeyInfo{"course", id_value, "The course it belongs to, such as \"foundations\".", false},
    KeyInfo{"topic", title_value, "A word or two for its card.", false},
    KeyInfo{"summary", text_value, "Two sentences for the first screen.", false},
    KeyInfo{"minutes", "1 to 120", "How long it takes; 5 if not given.", false},
    KeyInfo{"order", "0 to 1000", "Its place in the course; 100 if not given.", false},
    KeyInfo{"covers", "a list of at most 16 short texts", "Which rows of the curriculum it covers.",
            false},
    KeyInfo{"run", "a table `[run]`", "How long a run lasts.", false},
    KeyInfo{"server", "a table `[server]`", "The server.", false},
    KeyInfo{"route", "one table `[[route]]` or more", "The addresses and what is done for each.",
            true},
    KeyInfo{"cache", "a table `[cache]`", "The cache.", false},
    KeyInfo{"database", "a table `[database]`", "The database.", false},
    KeyInfo{"network", "a table `[network]`", "The network.", false},
    KeyInfo{"balancer", "a table `[balancer]`", "The proxy in front, and how it chooses.", false},
    KeyInfo{"backend", "tables `[backend.1]` to `[backend.8]`",
            "How single backends differ: `[backend.2]` with `slowdown = 5`.", false},
    KeyInfo{"host", "a table `[host]`", "The computer, in virtual time.", false},
    KeyInfo{"costs", "a table `[costs]`", "What things cost in virtual time.", false},
    KeyInfo{"load", "a table `[load]`", "What is asked of the server.", false},
    KeyInfo{"knob", "one table `[[knob]]` or more", "The settings that can be moved in free play.",
            false},
    KeyInfo{"lesson", "one table `[[lesson]]` or more", "The screens of the lesson, in order.",
            false},
    KeyInfo{"claim", "one table `[[claim]]` or more", "What the scenario promises.", false},
    KeyInfo{"prices", "a table `[prices]`", "What workers, memory and processors cost.", false},
};

constexpr std::array run{
    KeyInfo{"for", "a duration from 1s to 600s",
            "Length of a run after the warm-up; 12s if not given.", false},
    KeyInfo{"warm_up", "a duration from 0s to 60s", "Left out of the results; 1s if not given.",
            false},
    KeyInfo{"seed", "a whole number from 0",
            "Arrivals, keys and work follow from it; 42 if not given.", false},
};

constexpr std::array route{
    KeyInfo{"id", id_value, "Names the route in paths: `route.pay.path`.", true},
    KeyInfo{"path", "text", "See the table of settings.", true},
    KeyInfo{"method", "text", "See the table of settings.", false},
    KeyInfo{"view", "text", "See the table of settings.", false},
    KeyInfo{"inline", "true or false", "See the table of settings.", false},
    KeyInfo{"personal", "true or false", "See the table of settings.", false},
    KeyInfo{"localised", "true or false", "See the table of settings.", false},
    KeyInfo{"static", "true or false", "See the table of settings.", false},
    KeyInfo{"size", "a size", "See the table of settings.", false},
    KeyInfo{"steps", "a list of steps, see below", "What is done, in order; `[]` for nothing.",
            true},
};

constexpr std::array step{
    KeyInfo{"cpu", "a time", "Burns CPU time: `{ cpu = \"5ms\" }`.", false},
    KeyInfo{"wait", "a time", "Waits for something else: `{ wait = \"50ms\" }`.", false},
    KeyInfo{"query", "what is asked: see the settings of a route",
            "Asks the database: `{ query = \"product_by_sku\" }`.", false},
    KeyInfo{"times", "a whole number, beside `query`",
            "Asks so often: `{ query = \"reviews_per_product\", times = 20 }`; 1 if not given.",
            false},
    KeyInfo{"share", "a number from 0 to 1, beside `query`",
            "Of the table: `{ query = \"products_under_price\", share = 0.5 }`, which is also what "
            "it is if not given.",
            false},
    KeyInfo{"cache", "a table with `key` and `steps`",
            "Answers from the cache, or does its steps and stores what they made.", false},
    KeyInfo{"render", "rows, from 1 to 2,000", "Renders a template: `{ render = 20 }`.", false},
    KeyInfo{"respond", "a size up to 1MB", "Adds to the body: `{ respond = \"10kB\" }`.", false},
    KeyInfo{"write", "product", "Changes the row of the request's key: `{ write = \"product\" }`.",
            false},
    KeyInfo{"gather", "a table with `steps` and `copies`",
            "Does its steps at once, each a branch: `{ gather = { copies = 3, steps = [ { wait = "
            "\"200ms\" } ] } }`.",
            false},
    KeyInfo{"group", "a list of steps",
            "Does them one after the other: a branch of more than one step.", false},
    KeyInfo{"blocking", "true or false", "See the table of settings.", false},
    KeyInfo{"offload", "true or false", "See the table of settings.", false},
    KeyInfo{"hold", "a time, beside `write`",
            "Holds the transaction open: `{ write = \"product\", hold = \"20ms\" }`.", false},
    KeyInfo{"id", id_value,
            "Names the step in paths; the kind if not given, \"wait2\" for the second wait.",
            false},
};

constexpr std::array cache_step{
    KeyInfo{"key",
            "a list of \"path\", \"query\", \"user\", \"header\"; or \"constant\" or "
            "\"throws\"",
            "What makes two requests the same; [\"path\"] if not given.", false},
    KeyInfo{"steps", "a list of steps", "What is done on a miss.", true},
};

constexpr std::array gather_step{
    KeyInfo{"copies", "a whole number from 1 to 64",
            "How many times each branch is started; 1 if not given.", false},
    KeyInfo{"steps", "a list of steps", "The branches.", true},
};

constexpr std::array knob{
    KeyInfo{"path", "the path of a setting", "What it moves: `server.workers`, `route.pay.wait`.",
            true},
    KeyInfo{"label", title_value, "Its name; from the table of settings if not given.", false},
    KeyInfo{"group", "Load, Server, Handler, Cache, Database, Network, Balancer or Host",
            "Where it stands; from the path if not given.", false},
    KeyInfo{"min", "as the setting is written", "Least value; the setting's if not given.", false},
    KeyInfo{"max", "as the setting is written", "Most; the setting's if not given.", false},
    KeyInfo{"step", "\"x2\", or what is added: 1, \"10ms\"",
            "One notch; 1 for numbers, else \"x2\".", false},
    KeyInfo{"values", "a list of texts, or of true and false",
            "For choices: those offered; all if not given.", false},
    KeyInfo{"help", title_value, "One sentence; from the table of settings if not given.", false},
    KeyInfo{"flask", title_value,
            "What one would write in Flask; from the table of settings if not given.", false},
    KeyInfo{"key", "one letter but R", "Moves it while presenting.", false},
};

constexpr KeyInfo kind_key{"kind", "say, predict, run, explain, flask or play",
                           "What the screen is.", true};
constexpr KeyInfo lesson_title{"title", title_value, "Its heading.", false};

constexpr std::array say{kind_key, lesson_title,
                         KeyInfo{"text", text_value, "What it says.", true}};
constexpr std::array predict{
    kind_key,
    lesson_title,
    KeyInfo{"text", text_value, "What stands above the question.", false},
    KeyInfo{"ask", title_value, "The question.", true},
    KeyInfo{"measure", "an expression over runs: `B.throughput / A.throughput`",
            "What decides which option is right.", true},
    KeyInfo{"unit", title_value, "What stands behind the measured value: \"times\".", false},
    KeyInfo{"options", "2 to 6 tables, see below", "The answers, in ascending order.", true},
};
constexpr std::array lesson_run{
    kind_key,
    lesson_title,
    KeyInfo{"text", text_value, "What it says.", false},
    KeyInfo{"for", "a duration from 1s to 600s", "Length of each run; from [run] if not given.",
            false},
    KeyInfo{"warm_up", "a duration from 0s to 60s", "From [run] if not given.", false},
    KeyInfo{"variants", "tables A and B of settings",
            "What differs from the scenario: `{ A = {}, B = { \"server.workers\" = 4 } }`.", true},
};
constexpr std::array explain{
    kind_key, lesson_title,
    KeyInfo{"text", text_value,
            "Why. `{A.throughput}`, `{B.p99}`: a quantity of the run before, put in once.", true}};
constexpr std::array flask{kind_key, lesson_title,
                           KeyInfo{"text", text_value, "What it says.", false},
                           KeyInfo{"code", "text", "What one would write in Flask.", true}};
constexpr std::array play{kind_key, lesson_title,
                          KeyInfo{"text", text_value, "What to try.", true}};

constexpr std::array option{
    KeyInfo{"text", title_value, "The answer.", true},
    KeyInfo{
        "to", "a number",
        "Right where the measure is below this and not below the option before; not in the last "
        "option, which has no end.",
        false},
};

constexpr std::array claim{
    KeyInfo{"that", "a condition: `B.throughput / A.throughput in 3.9 .. 4.1`",
            "What must hold on every seed.", true},
    KeyInfo{"variants", "tables A, B ... of settings",
            "What differs from the scenario; those of the lesson's first run if not given.", false},
    KeyInfo{"for", "a duration from 1s to 600s", "Length of each run; from [run] if not given.",
            false},
    KeyInfo{"warm_up", "a duration from 0s to 60s", "From [run] if not given.", false},
};
constexpr std::array prices{
    KeyInfo{"worker", "a number from 0", "A worker process; 1 if not given.", false},
    KeyInfo{"memory", "a number from 0", "A thousand places in a cache; 0 if not given.", false},
    KeyInfo{"cpu", "a number from 0", "A processor that is kept busy; 0 if not given.", false},
};

}  // namespace

std::span<const KeyInfo> top_keys() { return top; }
std::span<const KeyInfo> run_keys() { return run; }
std::span<const KeyInfo> route_keys() { return route; }
std::span<const KeyInfo> step_keys() { return step; }
std::span<const KeyInfo> cache_step_keys() { return cache_step; }
std::span<const KeyInfo> gather_step_keys() { return gather_step; }
std::span<const KeyInfo> knob_keys() { return knob; }
std::span<const KeyInfo> option_keys() { return option; }
std::span<const KeyInfo> claim_keys() { return claim; }
std::span<const KeyInfo> price_keys() { return prices; }

std::span<const KeyInfo> lesson_keys(LessonKind kind) {
    switch (kind) {
        case LessonKind::say:
            return say;
        case LessonKind::predict:
            return predict;
        case LessonKind::run:
            return lesson_run;
        case LessonKind::explain:
            return explain;
        case LessonKind::flask:
            return flask;
        case LessonKind::play:
            break;
    }
    return play;
}

std::vector<KeyInfo> section_keys(std::string_view section) {
    std::vector<KeyInfo> keys;
    for (const SettingInfo& info : settings_table()) {
        std::string_view rest = info.path;
        if (!rest.starts_with(section)) continue;
        rest.remove_prefix(section.size());
        if (!rest.starts_with('.')) continue;
        rest.remove_prefix(1);
        keys.push_back({rest.substr(0, rest.find('.')), "", info.meaning, false});
    }
    return keys;
}

std::span<const std::string_view> lesson_kind_names() {
    static constexpr std::array<std::string_view, 6> names{"say",     "predict", "run",
                                                           "explain", "flask",   "play"};
    return names;
}

std::span<const std::string_view> knob_groups() {
    static constexpr std::array<std::string_view, 8> groups{
        "Load", "Server", "Handler", "Cache", "Database", "Network", "Balancer", "Host"};
    return groups;
}

}  // namespace lab::scenario
