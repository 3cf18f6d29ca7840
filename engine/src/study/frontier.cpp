// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <limits>

#include "study/points.hpp"

namespace lab {

double cost_of(const Model& model, const Prices& prices, const StudyPoint& point) {
    const System& system = model.system;
    const int caches = system.cache.mode == CacheMode::none     ? 0
                       : system.cache.mode == CacheMode::shared ? 1
                                                                : system.server.workers;
    double processors = 0;
    for (const RunResultPtr& run : point.runs) {
        if (run->length <= Duration{}) continue;
        processors += to_seconds(run->worker_cpu) / to_seconds(run->length) /
                      static_cast<double>(point.runs.size());
    }
    return prices.worker * system.server.workers +
           prices.memory * caches * system.cache.capacity / 1'000.0 + prices.cpu * processors;
}

Result<Frontier> run_frontier(const Scenario& scenario, const Model& base, const Condition& target,
                              const std::vector<Vary>& vary, const StudyOptions& options) {
    auto sweep = run_sweep(scenario, base, vary, options);
    if (!sweep) return sweep.error();
    Frontier frontier;
    frontier.scenario = scenario.id;
    frontier.mode = options.mode;
    frontier.target = target.text();
    const auto models = study::models_of(base, sweep->points);
    if (!models) return models.error();
    double cheapest = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < models->size(); ++i) {
        FrontierPoint each;
        each.point = std::move(sweep->points[i]);
        each.cost = cost_of((*models)[i], scenario.prices, each.point);
        // Without a sample of what the target asks for it is missed by as much as can be.
        const auto verdict = study::verdict_of(target, each.point);
        each.meets = verdict && verdict->holds;
        each.margin = verdict ? verdict->margin : -1;
        if (each.meets) cheapest = std::min(cheapest, each.cost);
        frontier.points.push_back(std::move(each));
    }
    for (FrontierPoint& each : frontier.points) {
        each.cheapest = each.meets && each.cost <= cheapest;
        each.on_front = std::ranges::none_of(frontier.points, [&](const FrontierPoint& other) {
            return other.cost <= each.cost && other.margin >= each.margin &&
                   (other.cost < each.cost || other.margin > each.margin);
        });
    }
    std::ranges::stable_sort(frontier.points, {}, &FrontierPoint::cost);
    return frontier;
}

}  // namespace lab
