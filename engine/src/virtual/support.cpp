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
    "server.preset", "server.workers", "server.threads", "server.dispatch",
    "server.worker_connections", "server.queue", "server.when_full", "server.queue_timeout",
    "server.bind", "server.release", "server.interpreter_lock", "server.switch_interval",
    "server.keep_alive", "server.keep_alive_timeout", "server.execution", "server.async_views",
    "server.pool_threads", "server.async_cost", "server.stall_every", "server.stall_for",
    "server.worker_timeout", "server.heartbeat", "server.graceful_timeout", "server.boot_time",
    "server.max_requests", "server.max_requests_jitter", "server.memory", "server.leak",
    "server.memory_limit", "server.cheaper", "server.cheaper_step", "server.cheaper_overload",
    "server.cores", "server.head_timeout",
    // A time limit of a body, and a limit of its size: the client of virtual time sends none.
    "server.body_timeout", "server.body_limit",
    "cache.mode", "cache.ttl", "cache.ttl_jitter", "cache.capacity", "cache.capacity_bytes",
    "cache.eviction", "cache.invalidate_on_write", "cache.hop", "cache.failing", "cache.stampede",
    "cache.early_beta", "cache.stale_for", "database.products", "database.index",
    "database.price_indexes", "database.access", "database.pool", "database.overflow",
    "database.pool_timeout", "database.query_timeout", "database.lock_timeout",
    "database.round_trip", "database.replica_lag", "database.updates", "network.backlog",
    "network.delay", "host.cores", "host.scheduling", "host.slice", "host.switch_cost",
    "load.model", "load.rate", "load.arrivals", "load.users", "load.languages", "load.think",
    "load.connections", "load.keep_alive", "load.timeout", "load.deadline", "load.backlog",
    "load.keys", "load.zipf", "load.shape", "load.peak", "load.shape_start", "load.shape_length",
    "load.shape_repeat", "load.steps", "load.calm", "load.burst", "load.day", "load.recording",
    "load.session", "load.patience", "load.attempt_timeout", "load.retries", "load.retry_on",
    "load.backoff", "load.backoff_base", "load.backoff_most", "load.retry_budget", "load.breaker",
    "load.breaker_window", "load.breaker_calls", "load.breaker_pause", "load.hedge",
    "load.hedge_percentile", "load.slow_readers", "load.read_rate", "load.slow_senders",
    "load.send_rate"};

/// Choices that came to a known setting later than its others.
struct Choices {
    std::string_view path;
    std::string_view all;  ///< between blanks
};
constexpr std::array known_choices{
    Choices{"server.when_full", " wait reject reset "},
    Choices{"server.bind", " accept head request "},
    Choices{"server.release", " buffered drained "},
    Choices{"server.execution", " threads greenlets loop "},
    Choices{"server.dispatch", " shared ahead "},
    Choices{"server.heartbeat", " request loop "},
    Choices{"cache.mode", " none per-worker shared null "},
    Choices{"cache.eviction", " lru lfu fifo random soonest-expiry "},
    Choices{"cache.stampede", " none lock early stale-while-revalidate "},
    Choices{"database.access", " planner index scan "},
    Choices{"load.shape", " constant ramp steps spike bursts daily recorded "},
    Choices{"load.retry_on", " all timeouts errors rejected "},
    Choices{"load.backoff", " constant exponential "},
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
            case StepKind::gather:
            case StepKind::group:
                break;
            default:  // one that came later
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

Result<void> check_change(const Model& before, const Model& after) {
    if (before.system.server.execution != after.system.server.execution) {
        return cannot("server.execution", "another kind of worker while it runs");
    }
    return {};
}

}  // namespace lab::virtual_time
