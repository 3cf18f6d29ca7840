// SPDX-License-Identifier: GPL-3.0-or-later
#include "virtual/support.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "lab/settings.hpp"

namespace lab::virtual_time {

namespace {

/// Settings that virtual time knows, whatever their value. What is not named here must stand at the
/// value that means nothing, its default: a setting that is added to the table is refused until
/// it is done here too.
constexpr std::array known{
    "server.workers", "server.threads", "server.queue", "server.when_full", "server.queue_timeout",
    "server.bind", "server.release", "server.interpreter_lock", "server.switch_interval",
    "server.keep_alive", "server.keep_alive_timeout",
    // Time limits of what a client sends slowly, and a limit of its size: the client of virtual
    // time sends a whole request at once, and never too much.
    "server.head_timeout", "server.body_timeout", "server.body_limit", "cache.mode", "cache.ttl",
    "cache.capacity", "database.products", "database.index", "database.pool",
    "database.pool_timeout", "database.round_trip", "database.updates", "network.backlog",
    "host.cores", "host.scheduling", "host.slice", "host.switch_cost", "load.model", "load.rate",
    "load.arrivals", "load.users", "load.think", "load.connections", "load.keep_alive",
    "load.timeout", "load.deadline", "load.backlog", "load.keys", "load.zipf"};

/// Choices that came to a known setting later than its others.
struct Choices {
    std::string_view path;
    std::string_view all;  ///< between blanks
};
constexpr std::array known_choices{
    Choices{"server.when_full", " wait reject reset "},
    Choices{"server.bind", " accept head request "},
    Choices{"server.release", " buffered drained "},
    Choices{"cache.mode", " none per-worker shared "},
    Choices{"load.model", " open closed "},
    Choices{"load.arrivals", " constant poisson "},
};

Error cannot(std::string where, std::string_view what) {
    return {ErrorCode::invalid_input, std::move(where),
            fmt::format("virtual time cannot do {}; allowed: the live engine (--mode live)", what)};
}

Result<void> check_choice(std::string_view path, const SettingValue& value) {
    const auto* const text = std::get_if<std::string>(&value);
    if (text == nullptr) return {};
    for (const Choices& choices : known_choices) {
        if (choices.path != path) continue;
        if (choices.all.find(" " + *text + " ") == std::string_view::npos) {
            return cannot(std::string{path}, "\"" + *text + "\"");
        }
    }
    return {};
}

Result<void> check_steps(const Route& route, const std::vector<Step>& steps) {
    for (const Step& step : steps) {
        switch (step.kind) {
            case StepKind::cpu:
            case StepKind::wait:
            case StepKind::query:
            case StepKind::cache:
            case StepKind::render:
            case StepKind::respond:
            case StepKind::write:
                break;
            default:
                return cannot("route." + route.id + "." + step.id, "this kind of step");
        }
        if (auto fit = check_steps(route, step.steps); !fit) return fit;
    }
    return {};
}

}  // namespace

Result<void> check_supported(const Model& model) {
    const Model plain;
    for (const SettingInfo& info : settings_table()) {
        if (info.path.find('*') != std::string_view::npos) continue;  // of routes and steps
        if (info.path.starts_with("costs.")) continue;
        const auto value = get_setting(model, info.path);
        if (!value) continue;
        const bool is_known = std::find(known.begin(), known.end(), info.path) != known.end();
        if (is_known) {
            if (auto fit = check_choice(info.path, *value); !fit) return fit;
            continue;
        }
        const auto rest = get_setting(plain, info.path);
        if (!rest || *value != *rest) {
            return cannot(std::string{info.path}, show_value(info, *value));
        }
    }
    for (const Route& route : model.system.routes) {
        if (auto fit = check_steps(route, route.steps); !fit) return fit;
    }
    return {};
}

}  // namespace lab::virtual_time
