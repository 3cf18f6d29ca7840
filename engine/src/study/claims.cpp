// SPDX-License-Identifier: GPL-3.0-or-later
#include <map>

#include <fmt/format.h>

#include "study/points.hpp"

namespace lab {
namespace {

/// On how many cores a claim is checked where its scenario names no number: what it says is then
/// the same on every computer.
constexpr int cores_of_claims = 2;

using Results = std::map<std::string, RunResultPtr>;

Result<Condition::Verdict> verdict(const Condition& condition, const Results& results) {
    return condition.evaluate(
        [&](const std::string& variant, const std::string& name) -> Result<double> {
            const auto value = quantity(*results.at(variant), name);
            if (!value) return value.error();
            if (!*value) {
                return Error{ErrorCode::no_samples, variant + "." + name, "there are no samples"};
            }
            return **value;
        });
}

ClaimCheck judged(const Claim& claim, const Condition& condition, std::uint64_t seed,
                  const std::vector<Results>& runs) {
    ClaimCheck check;
    check.that = claim.that;
    check.holds = true;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const auto found = verdict(condition, runs[i]);
        if (!found) {
            check.holds = false;
            check.problem = found.error().message();
            check.worst_seed = seed + i;
            return check;
        }
        check.holds = check.holds && found->holds;
        if (i > 0 && found->margin >= check.worst_margin) continue;
        check.worst_margin = found->margin;
        check.worst_seed = seed + i;
    }
    return check;
}

}  // namespace

Result<std::vector<ClaimCheck>> check_claims(const Scenario& scenario, std::uint64_t seed,
                                             const StudyOptions& options) {
    std::vector<std::vector<Results>> results(scenario.claims.size());
    std::vector<std::function<Result<void>()>> jobs;
    std::vector<Condition> conditions;
    const auto runs = static_cast<std::size_t>(std::max(1, options.runs));
    for (std::size_t c = 0; c < scenario.claims.size(); ++c) {
        const Claim& claim = scenario.claims[c];
        const auto condition = Condition::parse(claim.that);
        if (!condition) return condition.error();
        conditions.push_back(*condition);
        results[c].resize(runs);
        for (std::size_t r = 0; r < runs; ++r) {
            for (const std::string& name : condition->variants()) {
                const auto variant = claim.variants.find(name);
                const auto model =
                    with_overrides(scenario.model,
                                   variant == claim.variants.end() ? Overrides{} : variant->second);
                if (!model) return model.error();
                RunPlan plan;
                plan.scenario = scenario.id;
                plan.model = *model;
                plan.seed = seed + r;
                plan.warm_up = claim.warm_up;
                plan.length = claim.length;
                // The live engine has the cores that there are.
                Host& host = plan.model.system.host;
                if (options.mode == "virtual" && host.cores == 0) host.cores = cores_of_claims;
                RunResultPtr& place = results[c][r][name];  // made here: the map is then only read
                jobs.emplace_back([&options, &place, plan]() -> Result<void> {
                    auto run = options.run(plan, {});
                    if (!run) return run.error();
                    place = std::move(*run);
                    return {};
                });
            }
        }
    }
    if (auto ran = study::do_all(jobs, options); !ran) return ran.error();
    std::vector<ClaimCheck> checks;
    for (std::size_t c = 0; c < scenario.claims.size(); ++c) {
        checks.push_back(judged(scenario.claims[c], conditions[c], seed, results[c]));
    }
    return checks;
}

}  // namespace lab
