// SPDX-License-Identifier: GPL-3.0-or-later
// What must hold between the fields of a model, beyond the range of each.
#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "lab/settings.hpp"
#include "lab/text.hpp"
#include "model/rules.hpp"
#include "model/table.hpp"

namespace lab {
namespace {

constexpr int most_worker_threads = 1'024;
constexpr int most_connections = 2'000;
constexpr std::size_t most_routes = 32;
constexpr std::size_t most_steps = 64;
constexpr int most_cache_depth = 3;
constexpr int most_pool_threads = 4'096;
constexpr int most_steps_started = 512;

/// Names of a route's own fields in paths ("route.pay.path"): no step may be called so.
constexpr std::array<std::string_view, 12> reserved_step_ids{
    "path",   "method", "view", "inline", "personal", "localised",
    "static", "size",   "id",   "key",    "steps",    "weight"};

Error problem(std::string where, std::string detail) {
    return {ErrorCode::invalid_input, std::move(where), std::move(detail)};
}

std::size_t occurrences(std::string_view text, std::string_view what) {
    std::size_t n = 0;
    for (auto at = text.find(what); at != text.npos; at = text.find(what, at + what.size())) ++n;
    return n;
}

/// Steps of a route, those inside cache steps included.
struct StepCheck {
    std::string route;
    std::set<std::string> ids;
    int started = 0;  ///< steps of one request, each copy of a gather counted

    Result<void> check(const std::vector<Step>& steps, int depth) {
        for (const Step& step : steps) {
            const std::string where = fmt::format("route.{}.{}", route, escaped(step.id));
            if (!is_id(step.id)) return problem("route." + route, bad_id("step", step.id));
            if (std::ranges::find(reserved_step_ids, step.id) != reserved_step_ids.end()) {
                return problem(where,
                               fmt::format("found the step id \"{}\", which names a field of "
                                           "the route; allowed: another word",
                                           step.id));
            }
            if (!ids.insert(step.id).second) {
                return problem(where,
                               "two steps of the route have this id; allowed: ids that differ");
            }
            if (ids.size() > most_steps) {
                return problem("route." + route,
                               fmt::format("found more than {0} steps; allowed: {0}", most_steps));
            }
            if (auto fit = check_kind(step, where, depth); !fit) return fit;
        }
        return {};
    }

    /// What a gather starts at once: each copy of each branch.
    Result<void> check_branches(const Step& step, const std::string& where, int depth) {
        if (step.steps.empty()) {
            return problem(where, "found no inner steps; allowed: steps, at least one");
        }
        if (depth >= most_cache_depth) {
            return problem(where, fmt::format("found steps more than {0} deep; allowed: {0}",
                                              most_cache_depth));
        }
        const int before = started;
        if (auto fit = check(step.steps, depth + 1); !fit) return fit;
        started = before + (started - before) * step.copies;
        if (started <= most_steps_started) return {};
        return problem(where, fmt::format("found {} steps, each copy counted; allowed: at most {}",
                                          show_count(started), most_steps_started));
    }

    Result<void> check_flags(const Step& step, const std::string& where) {
        if (step.blocking && !names::may_block(step.kind)) {
            return problem(where, "found blocking; allowed: for wait, query and write");
        }
        if (step.offload && !names::may_offload(step.kind)) {
            return problem(where, "found offload; allowed: for cpu, wait, query, write and render");
        }
        return {};
    }

    Result<void> check_kind(const Step& step, const std::string& where, int depth) {
        ++started;
        if (auto fit = check_flags(step, where); !fit) return fit;
        if (step.kind == StepKind::gather || step.kind == StepKind::group) {
            return check_branches(step, where, depth);
        }
        if (step.kind != StepKind::cache) {
            if (step.steps.empty()) return {};
            return problem(where,
                           "found inner steps; allowed: only cache, gather and group have them");
        }
        if (step.steps.empty()) {
            return problem(where,
                           "found no inner steps; allowed: steps that make the answer on a miss");
        }
        const KeyRule& key = step.key;
        if (key.function == KeyFunction::parts && !key.path && !key.query && !key.user &&
            !key.header) {
            return problem(where + ".key",
                           R"(found nothing; allowed: some of "path", "query", "user", "header")");
        }
        if (depth >= most_cache_depth) {
            return problem(where, fmt::format("found cache steps more than {0} deep; allowed: {0}",
                                              most_cache_depth));
        }
        return check(step.steps, depth + 1);
    }
};

Result<void> check_path(const Route& route) {
    const std::string where = fmt::format("route.{}.path", route.id);
    const std::string_view path = route.path;
    const auto refuse = [&](std::string_view allowed) {
        return problem(where, fmt::format("found {}; allowed: {}", in_quotes(path), allowed));
    };
    if (path.empty() || path[0] != '/') return refuse("a path that begins with '/'");
    if (path.starts_with("//")) return refuse("a path without a host");
    for (const char c : path) {
        if (c <= ' ' || c > '~' || c == '#' || c == '\\' || c == '"' || c == '<' || c == '>') {
            return refuse("printable ASCII without blanks, quotes, '#', '<', '>' and '\\'");
        }
    }
    const std::size_t keys = occurrences(path, "{key}"), users = occurrences(path, "{user}");
    const auto braces = std::ranges::count(path, '{') + std::ranges::count(path, '}');
    if (static_cast<std::size_t>(braces) != 2 * (keys + users)) {
        return refuse("no braces but {key} and {user}");
    }
    if (keys > 1 || users > 1) return refuse("{key} once and {user} once");
    if (users == 1 && path.find('?') > path.find("{user}")) {
        return refuse("{user} in the query string only");
    }
    return {};
}

/// What an arriving request is matched by: the path without its query string.
std::string address(const Route& route) {
    return fmt::format("{} {}", static_cast<int>(route.method),
                       route.path.substr(0, route.path.find('?')));
}

Result<void> check_routes(const System& system) {
    if (system.routes.empty()) return problem("route", "found no route; allowed: at least one");
    if (system.routes.size() > most_routes) {
        return problem("route", fmt::format("found {} routes; allowed: at most {}",
                                            system.routes.size(), most_routes));
    }
    std::set<std::string> ids, addresses;
    for (const Route& route : system.routes) {
        if (!is_id(route.id)) return problem("route", bad_id("route", route.id));
        const std::string where = "route." + route.id;
        if (!ids.insert(route.id).second) {
            return problem(where, "two routes have this id; allowed: ids that differ");
        }
        if (auto fit = check_path(route); !fit) return fit;
        if (!addresses.insert(address(route)).second) {
            return problem(where + ".path",
                           "another route has this method and path; allowed: one that differs");
        }
        if (route.inline_answer && !route.steps.empty()) {
            return problem(where + ".inline",
                           "found true with steps; allowed: steps = [] for an inline answer");
        }
        StepCheck steps{route.id, {}, 0};
        if (auto fit = steps.check(route.steps, 0); !fit) return fit;
    }
    return {};
}

Result<void> check_ranges(const Model& model) {
    for (const std::string& path : names::concrete_paths(model.system)) {
        const SettingInfo* const info = find_setting(model.system, path);
        const auto value = get_setting(model, path);
        if (!info || !value) return problem(path, "this name stands for two things; allowed: one");
        if (auto fit = names::checked(path, *info, *value); !fit) return fit.error();
    }
    return {};
}

Result<void> check_mix(const Model& model) {
    std::set<std::string> named;
    double sum = 0;
    for (const RouteShare& share : model.load.mix) {
        const std::string where = "load.mix." + escaped(share.route);
        if (!find_route(model.system, share.route)) {
            std::vector<std::string_view> known;
            for (const Route& route : model.system.routes) known.push_back(route.id);
            std::string detail = fmt::format("there is no route {}", in_quotes(share.route));
            const auto nearest = did_you_mean(share.route, known);
            if (!nearest.empty()) detail += fmt::format("; did you mean {}?", nearest);
            return problem(where, std::move(detail));
        }
        if (!named.insert(share.route).second) {
            return problem(where, "the route is named twice; allowed: once");
        }
        sum += share.weight;
    }
    if (!model.load.mix.empty() && sum <= 0) {
        return problem("load.mix", "found only shares of 0; allowed: at least one above 0");
    }
    return {};
}

/// Only workers of threads come and go, and accept ahead of what they serve.
Result<void> check_lives(const Server& server, std::string_view kind) {
    const std::pair<const char*, bool> stated[] = {
        {"server.dispatch", server.dispatch != Dispatch::shared},
        {"server.worker_timeout", server.worker_timeout > Duration{}},
        {"server.boot_time", server.boot_time > Duration{}},
        {"server.max_requests", server.max_requests > 0},
        {"server.leak", server.leak.count > 0},
        {"server.memory_limit", server.memory_limit.count > 0},
        {"server.cheaper", server.cheaper > 0},
    };
    for (const auto& [path, has] : stated) {
        if (!has) continue;
        return problem(path, fmt::format("this is for workers of threads so far; allowed with "
                                         "server.execution = {}: its default",
                                         kind));
    }
    return {};
}

/// What an event loop and a worker of greenlets cannot have.
Result<void> check_execution(const Server& server) {
    if (server.execution == Execution::threads) return {};
    const std::string_view kind = server.execution == Execution::loop ? "loop" : "greenlets";
    if (server.threads != 1) {
        return problem("server.threads",
                       fmt::format("found {} with server.execution = {}; allowed: 1, for such a "
                                   "worker is one thread (its pool: server.pool_threads)",
                                   server.threads, kind));
    }
    if (server.workers * server.pool_threads > most_pool_threads) {
        return problem(
            "server.pool_threads",
            fmt::format("found {} workers with {} threads each; allowed: at most {} "
                        "threads in all",
                        server.workers, server.pool_threads, show_count(most_pool_threads)));
    }
    return check_lives(server, kind);
}

Result<void> check_shape(const Shape& shape) {
    const bool rises = shape.kind == LoadShape::ramp || shape.kind == LoadShape::steps ||
                       shape.kind == LoadShape::spike;
    if (rises && shape.repeat > Duration{} && shape.repeat < shape.length) {
        return problem("load.shape_repeat",
                       fmt::format("found {}, less than load.shape_length; allowed: 0s, or at "
                                   "least {}",
                                   write_value(shape.repeat), write_value(shape.length)));
    }
    if (shape.kind != LoadShape::recorded) return {};
    if (shape.recording.file.empty()) {
        return problem("load.recording",
                       "found nothing; allowed: a CSV file in the scenario's folder, for "
                       "load.shape = \"recorded\"");
    }
    if (!shape.recording.times) {
        return problem("load.recording",
                       fmt::format("{} has not been read; allowed: a CSV file that stands beside "
                                   "the scenario file",
                                   in_quotes(shape.recording.file)));
    }
    return {};
}

Result<void> check_together(const Model& model) {
    const Server& server = model.system.server;
    if (server.workers * server.threads > most_worker_threads) {
        return problem(
            "server.threads",
            fmt::format("found {} workers with {} threads each; allowed: at most {} "
                        "threads in all",
                        server.workers, server.threads, show_count(most_worker_threads)));
    }
    if (auto fit = check_execution(server); !fit) return fit;
    if (server.cheaper > server.workers) {
        return problem("server.cheaper",
                       fmt::format("found {} workers that always run, of {}; allowed: at most "
                                   "server.workers",
                                   server.cheaper, server.workers));
    }
    if (server.threads == 0 && server.dispatch == Dispatch::ahead) {
        return problem("server.threads",
                       "found 0, a thread for each connection, with dispatch = \"ahead\"; "
                       "allowed: a number of threads, or dispatch = \"shared\"");
    }
    const Costs& costs = model.system.costs;
    if (!costs.fixed && costs != Costs{}) {
        return problem("costs.fixed",
                       "found false with costs of one's own; allowed: true, so that they count");
    }
    if (model.load.model == LoadModel::closed && model.load.users > most_connections) {
        return problem("load.users",
                       fmt::format("found {}; allowed: at most {} in closed loop, where each user "
                                   "has a connection",
                                   show_count(model.load.users), show_count(most_connections)));
    }
    return {};
}

}  // namespace

bool is_id(std::string_view text) {
    const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
    if (text.empty() || text.size() > 32 || !is_lower(text[0])) return false;
    return std::ranges::all_of(text, [&](char c) {
        return is_lower(c) || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

std::string bad_id(std::string_view what, std::string_view found) {
    return fmt::format(
        "found the {} id {}; allowed: a small letter, then at most 31 small letters, "
        "digits, '_' and '-'",
        what, in_quotes(found));
}

Result<void> validate(const Model& model) {
    if (auto fit = check_routes(model.system); !fit) return fit;
    if (auto fit = check_ranges(model); !fit) return fit;
    if (auto fit = check_mix(model); !fit) return fit;
    if (auto fit = check_shape(model.load.shape); !fit) return fit;
    return check_together(model);
}

}  // namespace lab
