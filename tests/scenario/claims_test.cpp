// SPDX-License-Identifier: GPL-3.0-or-later
// What `latency-lab check` does, for every scenario that we ship: a lesson that is not true cannot
// ship.
#include <algorithm>
#include <set>
#include <thread>

#include <gmock/gmock.h>

#include "lab/scenario.hpp"
#include "lab/study.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

std::vector<Scenario> shipped() {
    std::vector<Scenario> scenarios;
    const std::vector<fs::path> folders{fs::path(LAB_SOURCE_FOLDER) / "scenarios"};
    for (const CatalogueEntry& entry : list_scenarios(folders)) {
        EXPECT_FALSE(entry.problem) << entry.problem->message();
        if (entry.scenario) scenarios.push_back(*entry.scenario);
    }
    return scenarios;
}

/// Virtual time at the built-in costs, on as many threads as there are cores.
StudyOptions in_virtual_time(int seeds) {
    StudyOptions options;
    options.mode = "virtual";
    options.runs = seeds;
    options.threads = std::max(1U, std::thread::hardware_concurrency());
    options.run = [](const RunPlan& asked, const std::function<void(FramePtr)>& on_frame) {
        RunPlan plan = asked;
        plan.mode = RunMode::virtual_time;
        return run_virtual(plan, {}, on_frame);
    };
    return options;
}

TEST(ShippedClaims, HoldOnTwentySeeds) {
    for (const Scenario& scenario : shipped()) {
        SCOPED_TRACE(scenario.id);
        const auto checks = check_claims(scenario, scenario.seed, in_virtual_time(20));
        ASSERT_TRUE(checks) << checks.error().message();
        for (const ClaimCheck& check : *checks) {
            EXPECT_TRUE(check.holds) << check.that << "\nworst margin " << check.worst_margin
                                     << " with seed " << check.worst_seed << " " << check.problem;
        }
    }
}

TEST(ShippedClaims, ComeOutTheSameTwice) {
    for (const Scenario& scenario : shipped()) {
        SCOPED_TRACE(scenario.id);
        StudyOptions alone = in_virtual_time(3);
        alone.threads = 1;
        const auto once = check_claims(scenario, scenario.seed, alone);
        const auto again = check_claims(scenario, scenario.seed, in_virtual_time(3));
        ASSERT_TRUE(once && again);
        for (std::size_t i = 0; i < once->size(); ++i) {
            EXPECT_EQ((*once)[i].worst_margin, (*again)[i].worst_margin) << (*once)[i].that;
            EXPECT_EQ((*once)[i].worst_seed, (*again)[i].worst_seed) << (*once)[i].that;
        }
    }
}

/// But for those of the balancer, which virtual time does not have yet.
TEST(ShippedScenarios, ClaimWhatTheyTeach) {
    const std::set<std::string> not_yet{"three-servers", "dead-server"};
    for (const Scenario& scenario : shipped()) {
        EXPECT_EQ(scenario.claims.empty(), not_yet.contains(scenario.id)) << scenario.id;
    }
}

}  // namespace
}  // namespace lab
