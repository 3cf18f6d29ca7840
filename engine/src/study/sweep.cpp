// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include <fmt/format.h>

#include "lab/text.hpp"
#include "model/table.hpp"
#include "study/points.hpp"

namespace lab {
namespace {

constexpr std::size_t most_points = 1'000;
/// By how much throughput lags at saturation.
constexpr double lagging = 0.05;

void name_load_points(Sweep& sweep, const std::vector<Model>& models) {
    const bool rate = sweep.vary.size() == 1 && sweep.vary[0].path == "load.rate";
    const bool users = sweep.vary.size() == 1 && sweep.vary[0].path == "load.users";
    double most_power = 0, before = 0, users_before = 0;
    for (std::size_t i = 0; i < sweep.points.size(); ++i) {
        const auto throughput = sweep.points[i].figure("throughput").value();
        if (!throughput) continue;
        sweep.capacity = std::max(sweep.capacity.value_or(0), throughput->mean);
        if (!rate && !users) continue;
        const Load& load = models[i].load;
        const double at = rate ? load.rate.per_second() : load.users;
        const auto offered = sweep.points[i].figure("offered").value();
        const double hoped = rate               ? offered->mean
                             : users_before > 0 ? before * at / users_before
                                                : throughput->mean;
        if (!sweep.saturation && throughput->mean < (1 - lagging) * hoped) sweep.saturation = at;
        before = throughput->mean;
        users_before = at;
        const auto latency = sweep.points[i].figure("mean").value();
        if (!latency || latency->mean <= 0) continue;
        const double power = throughput->mean / latency->mean;
        if (power <= most_power) continue;
        most_power = power;
        sweep.knee = at;
    }
}

}  // namespace

Result<Sweep> run_sweep(const Scenario& scenario, const Model& base, const std::vector<Vary>& vary,
                        const StudyOptions& options) {
    Sweep sweep;
    sweep.scenario = scenario.id;
    sweep.mode = options.mode;
    sweep.vary = vary;
    sweep.points.emplace_back();
    for (const Vary& each : vary) {
        std::vector<StudyPoint> more;
        if (sweep.points.size() * each.values.size() > most_points) {
            return Error{ErrorCode::invalid_input, "--vary",
                         fmt::format("found more than {0} systems; allowed: at most {0}",
                                     show_count(most_points))};
        }
        for (const StudyPoint& point : sweep.points) {
            for (const std::string& value : each.values) {
                more.push_back(point);
                more.back().overrides[each.path] = value;
            }
        }
        sweep.points = std::move(more);
    }
    const auto models = study::models_of(base, sweep.points);
    if (!models) return models.error();
    if (auto ran = study::run_points(scenario, base, sweep.points, options); !ran) {
        return ran.error();
    }
    for (std::size_t i = 0; i < models->size(); ++i) {
        TheoryOptions known;
        known.measured = sweep.points[i].runs.front().get();
        const auto prediction = predict((*models)[i], known);
        sweep.theory.push_back(prediction ? std::optional{*prediction} : std::nullopt);
    }
    name_load_points(sweep, *models);
    return sweep;
}

}  // namespace lab
