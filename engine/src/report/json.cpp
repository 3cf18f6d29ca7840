// SPDX-License-Identifier: GPL-3.0-or-later
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "lab/report.hpp"
#include "lab/settings.hpp"
#include "model/table.hpp"
#include "report/json_object.hpp"
#include "report/numbers.hpp"

namespace lab {
namespace {

using report::add_percentiles;
using report::list_of;
using report::Object;
using report::plain;

std::string summary(const Histogram& histogram) {
    const LatencySummary s = summarise(histogram);
    Object o;
    add_percentiles(o, s);
    o.number("max", s.max);
    o.count("count", s.count);
    return o.on_one_line();
}

std::string counts(const RunResult& r) {
    const Counts& c = r.counts;
    Object o;
    o.count("planned", c.planned);
    o.count("ok", c.of(Ending::ok));
    o.count("timed_out", c.of(Ending::timed_out));
    o.count("rejected", c.of(Ending::rejected));
    o.count("reset", c.of(Ending::reset));
    o.count("not_sent", c.of(Ending::not_sent));
    o.count("http_4xx", c.of(Ending::http_4xx));
    o.count("http_5xx", c.of(Ending::http_5xx));
    if (r.truth_known) {
        o.count("wrong_user", c.wrong_user);
        o.count("stale", c.stale);
    } else {
        o.raw("wrong_user", "null");
        o.raw("stale", "null");
    }
    o.count("late", c.late);
    o.count("abandoned", c.abandoned);
    o.count("held_back", c.held_back);
    o.count("attempts", c.attempts);
    o.count("retries", c.retries);
    o.count("hedges", c.hedges);
    return o.on_one_line();
}

std::string breakdown(const RunResult& r) {
    Object o;
    for (std::size_t i = 0; i < part_count; ++i) {
        const std::string_view key = part_key(static_cast<Part>(i));
        if (r.parts_of == 0)
            o.raw(key, "null");
        else
            o.number(key, to_ms(r.parts[i]) / static_cast<double>(r.parts_of));
    }
    return o.on_one_line();
}

std::string utilisation(const RunResult& r) {
    const auto known = [&r](double share) {
        return r.truth_known ? std::optional{share} : std::nullopt;
    };
    Object o;
    o.number("workers", known(r.utilisation_workers));
    o.number("cpu", known(r.utilisation_cpu));
    o.number("pool", known(r.utilisation_pool));
    o.number("tokens", r.utilisation_tokens);
    return o.on_one_line();
}

std::string workers(const RunResult& r) {
    const auto known = [&r](double n) { return r.truth_known ? std::optional{n} : std::nullopt; };
    Object o;
    o.number("kills", known(static_cast<double>(r.worker_kills)));
    o.number("restarts", known(static_cast<double>(r.worker_restarts)));
    o.number("boots", known(static_cast<double>(r.worker_boots)));
    o.number("memory_mb", known(static_cast<double>(r.memory_peak.count) / 1e6));
    return o.on_one_line();
}

/// The rows of the table of quantities that begin with "database.".
std::string database(const RunResult& r) {
    constexpr std::string_view family = "database.";
    Object o;
    for (const QuantityInfo& row : quantities_table()) {
        if (!row.name.starts_with(family)) continue;
        o.number(row.name.substr(family.size()), *quantity(r, row.name));
    }
    return o.on_one_line();
}

/// Each null without a balancer.
std::string upstream(const RunResult& r) {
    Object o;
    for (const std::string_view key :
         {"retries", "failures", "lost", "largest_share", "smallest_share", "cache_hit_ratio"}) {
        const auto value = quantity(r, fmt::format("upstream.{}", key));
        o.number(key, value ? *value : std::nullopt);
    }
    return o.on_one_line();
}

std::string backends(const RunResult& r) {
    std::string out;
    for (const auto& backend : r.backends) {
        Object o;
        o.number("requests", backend.requests);
        o.number("share", backend.share);
        o.number("failures", backend.failures);
        o.number("mean_in_flight", backend.mean_in_flight);
        o.count("in_flight", backend.last.in_flight);
        o.number("weight", backend.last.weight);
        o.number("effective_weight", backend.last.effective_weight);
        o.count("fails", backend.last.fails);
        o.text("state", !backend.last.up ? "down" : backend.last.resting ? "resting" : "up");
        out += fmt::format("{}\n    {}", out.empty() ? "" : ",", o.on_one_line());
    }
    return out.empty() ? "[]" : "[" + out + "\n  ]";
}

/// What the run can be repeated from. Of a server that is not ours only the load is known.
std::string settings(const Model& model, bool server_is_ours) {
    Object o;
    for (const std::string& path : names::concrete_paths(model.system)) {
        if (!server_is_ours && !path.starts_with("load.")) continue;
        const auto value = get_setting(model, path);
        if (value) o.text(path, write_value(*value));
    }
    return o.on_many_lines("  ");
}

/// A rate over no time is none.
std::optional<double> rate(const RunResult& r, double per_second) {
    return r.length > Duration{} ? std::optional{per_second} : std::nullopt;
}

}  // namespace

std::string to_json(const RunResult& r) {
    Object o;
    o.count("schema", 1);
    o.text("scenario", r.scenario);
    o.text("mode", r.mode);
    o.count("seed", r.seed);
    if (r.trace != 0) o.text("trace", fmt::format("{:016x}", r.trace));
    o.number("duration_s", to_seconds(r.length));
    o.number("offered_per_s", rate(r, r.offered_per_s));
    o.number("throughput_per_s", rate(r, r.throughput_per_s));
    o.number("goodput_per_s", rate(r, r.goodput_per_s));
    o.raw("latency_ms", summary(r.latency));
    o.raw("since_send_ms", summary(r.since_send));
    o.raw("service_ms", summary(r.service));
    o.raw("schedule_slip_ms", summary(r.slip));
    o.raw("counts", counts(r));
    o.raw("breakdown_ms", breakdown(r));
    o.raw("utilisation", utilisation(r));
    o.number("cache_hit_ratio", r.cache_hit_ratio);
    o.text("machine", r.machine);
    o.text("version", r.version);
    // Beyond what every reader may rely on being there first.
    o.number("warm_up_s", to_seconds(r.warm_up));
    o.number("concurrency", rate(r, r.concurrency));
    o.raw("upstream", upstream(r));
    o.raw("backends", backends(r));
    for (const std::string_view name : {"cache_misses", "cache_evictions", "cache_errors",
                                        "cache_duplicates", "cache_entries", "cache_bytes"}) {
        o.number(name, quantity(r, name).value());
    }
    o.raw("unexplained_ms", summary(r.unexplained));
    o.raw("loop_lag_ms", summary(r.loop_lag));
    o.number("tokens_waiting", r.tokens_waiting);
    o.number("breaker_open", rate(r, r.breaker_open));
    o.raw("workers", workers(r));
    o.raw("database", database(r));
    o.flag("generator_limited", r.generator_limited);
    o.flag("interrupted", r.interrupted);
    o.raw("remarks", list_of(r.remarks));
    o.raw("plans", list_of(r.plans));
    o.raw("settings", settings(r.model, r.truth_known));
    return o.on_many_lines("") + "\n";
}

}  // namespace lab
