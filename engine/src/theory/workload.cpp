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
    double computing = 0, connected = 0, writing = 0, delay = 0;  ///< seconds, mean
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
            const Server& server = model_.system.server;
            for (Path& path : through(route.steps)) {
                if (server.execution != Execution::loop && is_async(route)) {
                    path.times.push_back(Distribution::constant(server.async_cost));
                    path.computing += to_seconds(server.async_cost);
                }
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
    bool writes_in_pool_ = false;

    [[nodiscard]] bool is_async(const Route& route) const {
        return route.view == View::async ||
               (route.view == View::server && model_.system.server.async_views);
    }
    /// Where a view that waits lets others run: everywhere, or nowhere.
    [[nodiscard]] bool yields() const {
        const Server& server = model_.system.server;
        if (server.execution == Execution::greenlets) return true;
        return server.execution == Execution::loop &&
               std::ranges::all_of(model_.system.routes, [&](const Route& route) {
                   return route.inline_answer || weight_of(route) <= 0 || is_async(route);
               });
    }
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
            if (step.kind == StepKind::gather || step.kind == StepKind::group) {
                join(step, paths);
                continue;
            }
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
        wait(cache.hop, true, found);
        for (Path& miss : misses) {
            wait(cache.hop, true, miss);
            if (!cache.failing) wait(cache.hop, true, miss);
        }
    }

    static Path both(Path first, const Path& second, double share) {
        first.weight *= second.weight * share;
        first.times.insert(first.times.end(), second.times.begin(), second.times.end());
        first.computing += second.computing;
        first.connected += second.connected;
        first.writing += second.writing;
        first.delay += second.delay;
        return first;
    }

    /// Branches that run at once last as long as the longest of them; in turn, all together.
    void join(const Step& step, std::vector<Path>& paths) {
        const bool at_once = step.kind == StepKind::gather && (yields() || is_async(*route_));
        std::vector<Step> inner;
        if (!at_once) {
            for (int i = 0; i < step.copies; ++i) {
                inner.insert(inner.end(), step.steps.begin(), step.steps.end());
            }
        } else if (!step.steps.empty()) {
            inner.push_back(*std::ranges::max_element(
                step.steps, {}, [](const Step& branch) { return length_of(branch); }));
        }
        const std::vector<Path> parts = through(inner);
        std::vector<Path> joined;
        for (const Path& before : paths) {
            for (const Path& part : parts) joined.push_back(both(before, part, 1));
        }
        paths = std::move(joined);
    }
    static double length_of(const Step& step) {
        double length = mean_of(step.time);
        for (const Step& inner : step.steps) length += length_of(inner);
        return length;
    }

    /// A wait holds the server, or lets others run.
    void wait(const Distribution& time, bool lets_go, Path& path) const {
        if (yields() && lets_go) {
            path.delay += mean_of(time);
        } else {
            path.times.push_back(time);
        }
    }

    void add(const Step& step, Path& path) {
        const Duration round_trip = model_.system.database.round_trip;
        switch (step.kind) {
            case StepKind::cpu:
                wait(step.time, step.offload, path);
                path.computing += mean_of(step.time);
                return;
            case StepKind::wait:
                wait(step.time, !step.blocking || step.offload, path);
                return;
            case StepKind::query: {
                const auto asked = core::asked_by(step);
                const auto trips = core::round_trips(asked.kind, asked.times);
                ask(step, cost_of(step), trips * round_trip, path);
                return;
            }
            case StepKind::write: {
                const Duration cost = cost_of(step);
                ask(step, cost, round_trip, path);
                // A held transaction keeps the turn as well.
                if (step.time != Distribution{}) wait(step.time, step.offload, path);
                path.connected += mean_of(step.time);
                const Duration locked = awaited(step) ? cost : cost + round_trip;
                path.writing += to_seconds(locked) + mean_of(step.time);
                writes_in_pool_ = writes_in_pool_ || step.offload;
                return;
            }
            case StepKind::render: {
                const Duration cost = cost_of(step);
                wait(Distribution::constant(cost), step.offload, path);
                path.computing += to_seconds(cost);
                return;
            }
            default:  // a body is filled in next to no time
                return;
        }
    }

    /// Whether a loop lets others run while this is on its way to the database.
    [[nodiscard]] bool awaited(const Step& step) const {
        return yields() && !step.blocking && !step.offload;
    }
    /// What SQLite does at the other end keeps the turn, whoever awaits the way there.
    void ask(const Step& step, Duration cost, Duration on_the_way, Path& path) const {
        const bool away = awaited(step);
        if (away) path.delay += to_seconds(on_the_way);
        wait(Distribution::constant(away ? cost : cost + on_the_way), step.offload, path);
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
        // The language is the user's: told apart by both, there are no more entries than users.
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
            work.delay += weight * path.delay;
            ways.push_back({weight, std::move(path.times)});
        }
        work.service = ServiceLaw(std::move(ways));
        if (look_ups_ > 0) work.hit_ratio = hits_ / look_ups_;
        work.unstated = std::move(unstated_);
        if (!work.unstated.empty() && options_.measured) measure(work);
        const Server& server = model_.system.server;
        work.delay += 2 * to_seconds(model_.system.network.delay);
        work.cooperative = yields();
        const int threads = work.cooperative                         ? 1
                            : server.execution == Execution::threads ? server.threads
                                                                     : server.pool_threads;
        work.servers = server.workers * threads;
        if (server.interpreter_lock && threads > 1) {
            work.shared.push_back({"the interpreter lock", work.computing, server.workers});
        }
        const lab::Database& database = model_.system.database;
        const int connections = database.pool + database.overflow;
        if (connected > 0 && (work.cooperative || connections < threads)) {
            work.shared.push_back(
                {"a database connection", connected, connections * server.workers});
        }
        if (writing > 0 && (work.servers > 1 || writes_in_pool_)) {
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
