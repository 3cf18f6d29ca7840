// SPDX-License-Identifier: GPL-3.0-or-later
#include "study/points.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

#include <fmt/format.h>

namespace lab {
namespace study {
namespace {

/// Warm-up found in the run of a point, in whole frames. In flight is what settles last.
Result<Duration> find_warm_up(RunPlan plan, const StudyOptions& options, Duration least) {
    const Duration length = plan.warm_up + plan.length.value_or(12s);
    plan.warm_up = {};
    plan.length = length;
    std::vector<double> series;
    Duration frame_length = 100ms;
    const auto run = options.run(plan, [&](const FramePtr& frame) {
        series.push_back(frame->in_flight);
        frame_length = frame->length;
    });
    if (!run) return run.error();
    const auto cut = static_cast<std::int64_t>(mser5(series));
    return std::max(least, frame_length * cut);
}

}  // namespace

Result<void> do_all(const std::vector<std::function<Result<void>()>>& jobs,
                    const StudyOptions& options) {
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    std::size_t done = 0;
    std::optional<Error> error;
    const auto work = [&] {
        for (std::size_t i = next.fetch_add(1); i < jobs.size(); i = next.fetch_add(1)) {
            const bool stopped = options.stop && options.stop();
            {
                const std::lock_guard lock{mutex};
                if (stopped && !error) error = Error{ErrorCode::interrupted, "", "stopped"};
                if (error) return;
            }
            const auto result = jobs[i]();
            // A run that was stopped on its way is a shorter one: it counts for nothing.
            const bool cut_short = options.stop && options.stop();
            const std::lock_guard lock{mutex};
            if (!result && !error) error = result.error();
            if (cut_short && !error) error = Error{ErrorCode::interrupted, "", "stopped"};
            if (options.progress) options.progress(++done, jobs.size());
        }
    };
    std::vector<std::thread> others;
    for (unsigned i = 1; i < std::min<std::size_t>(options.threads, jobs.size()); ++i) {
        others.emplace_back(work);
    }
    work();
    for (std::thread& thread : others) thread.join();
    if (error) return *error;
    return {};
}

Result<std::vector<Model>> models_of(const Model& base, const std::vector<StudyPoint>& points) {
    std::vector<Model> models;
    for (const StudyPoint& point : points) {
        auto model = with_overrides(base, point.overrides);
        if (!model) return model.error();
        models.push_back(std::move(*model));
    }
    return models;
}

Result<void> run_points(const Scenario& scenario, const Model& base,
                        std::vector<StudyPoint>& points, const StudyOptions& options,
                        Refusals* refusals) {
    auto models = models_of(base, points);
    if (!models) return models.error();
    const auto runs = static_cast<std::size_t>(std::max(1, options.runs));
    const auto plan_of = [&](std::size_t point, std::size_t replication) {
        RunPlan plan;
        plan.scenario = scenario.id;
        plan.model = (*models)[point];
        plan.seed = scenario.seed + replication;
        plan.warm_up = points[point].warm_up;
        plan.length = scenario.length;
        return plan;
    };
    std::mutex refused;
    std::vector<std::function<Result<void>()>> first, then;
    for (std::size_t p = 0; p < points.size(); ++p) {
        points[p].warm_up = scenario.warm_up;
        points[p].runs.assign(runs, nullptr);
        first.emplace_back([&, p]() -> Result<void> {
            // A seed of its own: the replications stay independent of what was found.
            const auto found = find_warm_up(plan_of(p, runs), options, scenario.warm_up);
            if (found) {
                points[p].warm_up = *found;
                return {};
            }
            const Error& error = found.error();
            if (!refusals || error.code != ErrorCode::invalid_input) return error;
            const std::lock_guard lock{refused};
            refusals->emplace(p, error);
            return {};
        });
        for (std::size_t r = 0; r < runs; ++r) {
            then.emplace_back([&, p, r]() -> Result<void> {
                if (refusals && refusals->contains(p)) return {};
                auto run = options.run(plan_of(p, r), {});
                if (!run) return run.error();
                points[p].runs[r] = std::move(*run);
                return {};
            });
        }
    }
    // One count over both halves.
    StudyOptions shared = options;
    const std::size_t all = first.size() + then.size();
    shared.progress = [&](std::size_t done, std::size_t) {
        if (options.progress) options.progress(done, all);
    };
    if (auto fine = do_all(first, shared); !fine) return fine;
    shared.progress = [&](std::size_t done, std::size_t) {
        if (options.progress) options.progress(first.size() + done, all);
    };
    if (auto fine = do_all(then, shared); !fine) return fine;
    if (refusals) {
        for (const auto& [point, error] : *refusals) points[point].runs.clear();
    }
    return {};
}

Result<std::vector<double>> values_of(const StudyPoint& point, std::string_view name) {
    std::vector<double> values;
    for (const RunResultPtr& run : point.runs) {
        const auto value = quantity(*run, name);
        if (!value) return value.error();
        if (!*value) return std::vector<double>{};
        values.push_back(**value);
    }
    return values;
}

std::optional<Interval> paired(const StudyPoint& a, const StudyPoint& b, std::string_view name) {
    const auto left = values_of(a, name), right = values_of(b, name);
    if (!left || !right || left->empty() || left->size() != right->size()) return std::nullopt;
    std::vector<double> differences;
    for (std::size_t i = 0; i < left->size(); ++i) {
        differences.push_back((*right)[i] - (*left)[i]);
    }
    return confidence(differences);
}

Result<Condition::Verdict> verdict_of(const Condition& target, const StudyPoint& point) {
    return target.evaluate([&](const std::string&, const std::string& name) -> Result<double> {
        const auto figure = point.figure(name);
        if (!figure) return figure.error();
        if (!*figure) return Error{ErrorCode::no_samples, name, "there are no samples"};
        return (*figure)->mean;
    });
}

}  // namespace study

Result<std::optional<Interval>> StudyPoint::figure(std::string_view name) const {
    const auto values = study::values_of(*this, name);
    if (!values) return values.error();
    if (values->empty()) return std::optional<Interval>{};
    Interval interval = confidence(*values);
    // A percentile comes from all samples together: percentiles are never averaged.
    const std::string_view full = find_quantity(name)->name;
    const auto dot = full.find("_ms.");
    const bool merged =
        dot != std::string_view::npos && full[dot + 4] == 'p' && !full.starts_with("breakdown");
    if (!merged) return std::optional{interval};
    RunResult all = *runs.front();
    for (std::size_t i = 1; i < runs.size(); ++i) {
        all.latency.merge(runs[i]->latency);
        all.since_send.merge(runs[i]->since_send);
        all.service.merge(runs[i]->service);
        all.slip.merge(runs[i]->slip);
    }
    const auto value = quantity(all, full);
    if (value && *value) interval.mean = **value;
    return std::optional{interval};
}

}  // namespace lab
