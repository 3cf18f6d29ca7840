// SPDX-License-Identifier: GPL-3.0-or-later
#include "theory/workload.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/program.hpp"
#include "theory/hit_ratio.hpp"

namespace lab::theory {
namespace {

/// One way through a handler, with what it asks of the things that are shared.
struct Path {
    double weight = 1;
    std::vector<Distribution> times;
    double computing = 0, connected = 0, writing = 0;  ///< seconds, mean
};

class Reader {
  public:
    Reader(const Model& model, const TheoryOptions& options, double per_second)
        : model_{model}, options_{options}, per_second_{per_second} {}

    Workload read() {
        std::vector<Path> paths;
        double all = 0, working = 0;
        for (const Route& route : model_.system.routes) all += weight_of(route);
        for (const Route& route : model_.system.routes) {
            const double share = all > 0 ? weight_of(route) / all : 0;
            if (share <= 0 || route.inline_answer) continue;
            working += share;
            route_rate_ = per_second_ * share;
            route_ = &route;
            for (Path& path : through(route.steps)) {
                path.weight *= share;
                paths.push_back(std::move(path));
            }
        }
        return finish(std::move(paths), working);
    }

  private:
    const Model& model_;
    const TheoryOptions& options_;
    double per_second_;
    double route_rate_ = 0;
    const Route* route_ = nullptr;
    std::vector<std::string> unstated_;
    double look_ups_ = 0, hits_ = 0;  ///< per second

    [[nodiscard]] double weight_of(const Route& route) const {
        if (model_.load.mix.empty()) return 1;
        const auto share = std::ranges::find(model_.load.mix, route.id, &RouteShare::route);
        return share == model_.load.mix.end() ? 0 : share->weight;
    }

    std::vector<Path> through(const std::vector<Step>& steps) {
        std::vector<Path> paths(1);
        for (const Step& step : steps) {
            const bool cached =
                step.kind == StepKind::cache && model_.system.cache.mode != CacheMode::none;
            if (step.kind != StepKind::cache) {
                for (Path& path : paths) add(step, path);
                continue;
            }
            paths = joined(paths, through(step.steps), step, cached);
        }
        return paths;
    }

    /// What comes after a look-up: the steps that make the entry, or nothing.
    std::vector<Path> joined(const std::vector<Path>& paths, std::vector<Path> misses,
                             const Step& step, bool cached) {
        const double hit = cached ? hits_of(step) : 0;
        Path found;
        if (cached) travel(step, found, misses);
        std::vector<Path> made;
        for (const Path& before : paths) {
            for (const Path& miss : misses) made.push_back(both(before, miss, 1 - hit));
            if (hit > 0) made.push_back(both(before, found, hit));
        }
        return made;
    }

    /// To a shared cache and back: once to look, and once more to store.
    void travel(const Step& step, Path& found, std::vector<Path>& misses) const {
        const Cache& cache = model_.system.cache;
        if (cache.mode != CacheMode::shared || step.key.function == KeyFunction::throws) return;
        if (mean_of(cache.hop) <= 0) return;
        found.times.push_back(cache.hop);
        for (Path& miss : misses) {
            miss.times.insert(miss.times.begin(), cache.hop);
            if (!cache.failing) miss.times.push_back(cache.hop);
        }
    }

    static Path both(Path first, const Path& second, double share) {
        first.weight *= second.weight * share;
        first.times.insert(first.times.end(), second.times.begin(), second.times.end());
        first.computing += second.computing;
        first.connected += second.connected;
        first.writing += second.writing;
        return first;
    }

    void add(const Step& step, Path& path) {
        const Duration round_trip = model_.system.database.round_trip;
        switch (step.kind) {
            case StepKind::cpu:
                path.times.push_back(step.time);
                path.computing += mean_of(step.time);
                return;
            case StepKind::wait:
                path.times.push_back(step.time);
                return;
            case StepKind::query: {
                const auto asked = core::asked_by(step);
                const auto trips = core::round_trips(asked.kind, asked.times);
                ask(cost_of(step), trips * round_trip, path);
                return;
            }
            case StepKind::write: {
                const double before = path.connected;
                ask(cost_of(step), round_trip, path);
                if (step.time != Distribution{}) path.times.push_back(step.time);
                path.connected += mean_of(step.time);
                path.writing += path.connected - before;
                return;
            }
            case StepKind::render: {
                const Duration cost = cost_of(step);
                path.times.push_back(Distribution::constant(cost));
                path.computing += to_seconds(cost);
                return;
            }
            default:  // a body is filled in next to no time
                return;
        }
    }

    static void ask(Duration cost, Duration on_the_way, Path& path) {
        path.times.push_back(Distribution::constant(cost + on_the_way));
        path.connected += to_seconds(cost + on_the_way);
        path.computing += to_seconds(cost);
    }

    Duration cost_of(const Step& step) {
        if (options_.step_cost) {
            if (const auto cost = options_.step_cost(model_, step)) return *cost;
        }
        const std::string name = fmt::format("route.{}.{}", route_->id, step.id);
        if (std::ranges::find(unstated_, name) == unstated_.end()) unstated_.push_back(name);
        return {};
    }

    double hits_of(const Step& step) {
        const Load& load = model_.load;
        const Cache& cache = model_.system.cache;
        CacheLoad asked;
        const int caches = cache.mode == CacheMode::per_worker ? model_.system.server.workers : 1;
        asked.rate = route_rate_ / caches;
        asked.zipf = load.zipf;
        constexpr double for_ever = 1e12;  // seconds
        const double mean_life = to_seconds(cache.ttl) * (1 - cache.ttl_jitter / 2);
        asked.ttl = cache.ttl > Duration{} ? mean_life : for_ever;
        asked.capacity = cache.capacity;
        const auto question = route_->path.find('?');
        const auto key = route_->path.find("{key}");
        const bool in_query = question != std::string::npos && key > question;
        const KeyRule& rule = step.key;
        const bool parts = rule.function == KeyFunction::parts;
        const bool told_apart =
            parts && key != std::string::npos && (in_query ? rule.query : rule.path);
        asked.keys = told_apart ? static_cast<std::uint64_t>(load.keys) : 1;
        const bool user_in_query = route_->path.find("{user}") != std::string::npos;
        if (parts && rule.header) asked.others = std::min(load.languages, load.users);
        if (parts && (rule.user || (user_in_query && rule.query))) asked.others = load.users;
        const bool keeps = cache.mode != CacheMode::null && rule.function != KeyFunction::throws &&
                           !(cache.failing && cache.mode == CacheMode::shared);
        const double hit = keeps ? hit_ratio(asked) : 0;
        look_ups_ += route_rate_;
        hits_ += route_rate_ * hit;
        return hit;
    }

    Workload finish(std::vector<Path> paths, double working) {
        Workload work;
        work.share = working;
        if (working <= 0) return work;
        double connected = 0, writing = 0;
        std::vector<ServiceLaw::Way> ways;
        for (Path& path : paths) {
            const double weight = path.weight / working;
            work.computing += weight * path.computing;
            connected += weight * path.connected;
            writing += weight * path.writing;
            ways.push_back({weight, std::move(path.times)});
        }
        work.service = ServiceLaw(std::move(ways));
        if (look_ups_ > 0) work.hit_ratio = hits_ / look_ups_;
        work.unstated = std::move(unstated_);
        if (!work.unstated.empty() && options_.measured) measure(work);
        const Server& server = model_.system.server;
        if (server.interpreter_lock && server.threads > 1) {
            work.shared.push_back({"the interpreter lock", work.computing, server.workers});
        }
        const lab::Database& database = model_.system.database;
        const int connections = database.pool + database.overflow;
        if (connected > 0 && connections < server.threads) {
            work.shared.push_back(
                {"a database connection", connected, connections * server.workers});
        }
        if (writing > 0 && server.workers * server.threads > 1) {
            work.shared.push_back({"the write lock", writing, 1});
        }
        return work;
    }

    /// Mean and scatter of what a run has measured, for steps whose time nobody states.
    void measure(Workload& work) const {
        const Histogram& service = options_.measured->service;
        const auto mean = service.mean();
        if (!mean || *mean <= Duration{}) return;
        const double m = to_seconds(*mean), n = static_cast<double>(service.count());
        double squares = 0;
        for (const auto& [bucket, count] : service.sparse()) {
            const double off = to_seconds(Histogram::upper_edge(bucket)) - m;
            squares += off * off * count;
        }
        work.service = ServiceLaw::of_moments(m, squares / n / (m * m));
        work.hit_ratio = options_.measured->cache_hit_ratio;
        work.measured = true;
    }
};

}  // namespace

Workload workload_of(const Model& model, const TheoryOptions& options, double per_second) {
    return Reader(model, options, per_second).read();
}

}  // namespace lab::theory
