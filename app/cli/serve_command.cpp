// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"
#include "cli/interrupts.hpp"

#include <algorithm>
#include <atomic>
#include <vector>

#include <fmt/format.h>

#include "lab/experiment.hpp"
#include "lab/report.hpp"
#include "lab/text.hpp"

namespace lab::cli {

namespace {

/// An address that can be clicked: the first key and user in place of the placeholders.
std::string example_of(std::string path) {
    for (const std::string_view placeholder : {"{key}", "{user}"}) {
        if (const auto at = path.find(placeholder); at != std::string::npos) {
            path.replace(at, placeholder.size(), "1");
        }
    }
    return path;
}

bool caches(const std::vector<Step>& steps) {
    return std::any_of(steps.begin(), steps.end(), [](const Step& step) {
        return step.kind == StepKind::cache || caches(step.steps);
    });
}

std::string routes_text(const Scenario& scenario, std::uint16_t port) {
    std::string text;
    for (const auto& route : scenario.model.system.routes) {
        text += fmt::format("  {:4} http://127.0.0.1:{}{}\n",
                            route.method == Method::post ? "POST" : "GET", port,
                            escaped(example_of(route.path)));
    }
    const auto& routes = scenario.model.system.routes;
    if (std::any_of(routes.begin(), routes.end(), [](const Route& r) { return caches(r.steps); })) {
        text += fmt::format("  GET  http://127.0.0.1:{}/lab/cache  what the cache holds\n", port);
    }
    return text;
}

}  // namespace

int serve_command(Terminal& terminal, const ServeArguments& arguments) {
    const auto scenario = open_or_explain(terminal, arguments.scenario);
    if (!scenario) return exit_wrong_use;
    auto model = model_with(terminal, *scenario, arguments.set);
    if (!model) return exit_wrong_use;

    std::atomic<bool> asked_to_end{false};
    Interrupts interrupts{[&] {
        asked_to_end = true;
        asked_to_end.notify_all();
    }};
    ServeOptions options;
    options.scenario = scenario->title;
    options.model = std::move(*model);
    options.seed = arguments.seed.value_or(scenario->seed);
    options.port = arguments.port;
    options.most_connections = arguments.most_connections;
    auto served = ServedScenario::open(std::move(options));
    if (!served) {
        terminal.error(served.error().message());
        return exit_code_for(served.error());
    }
    terminal.out(fmt::format("{}: serving on this computer only, Ctrl+C ends it\n{}",
                             escaped(scenario->title), routes_text(*scenario, (*served)->port())));
    asked_to_end.wait(false);
    (*served)->stop();
    return exit_ok;  // ending is how a server is meant to end
}

}  // namespace lab::cli
