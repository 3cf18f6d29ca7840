// SPDX-License-Identifier: GPL-3.0-or-later
// Experiments with a real server and a real load. Only direction and bounds: the machine is shared.
#include <condition_variable>
#include <mutex>
#include <vector>

#include <gtest/gtest.h>

#include "lab/experiment.hpp"
#include "lab/scenario.hpp"

namespace lab {
namespace {

/// Sanitizers make everything slower, the promises are for the program as it ships.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int slowdown = 5;
#else
constexpr int slowdown = 1;
#endif

Scenario shipped(const std::string& id) {
    const std::vector<std::filesystem::path> folders{std::string{LAB_SOURCE_FOLDER} + "/scenarios"};
    auto scenario = open_scenario(id, folders);
    EXPECT_TRUE(scenario) << (scenario ? "" : scenario.error().message());
    return scenario ? std::move(*scenario) : Scenario{};
}

/// An experiment, and everything that it has said.
class Watched {
  public:
    Watched() {
        auto made = Experiment::create({
            [this](RunPhase phase, const std::string&) { note([&] { phases.push_back(phase); }); },
            [this](FramePtr frame) { note([&] { frames.push_back(std::move(frame)); }); },
            [this](Result<RunResultPtr> result) {
                note([&] { results.push_back(std::move(result)); });
            },
        });
        EXPECT_TRUE(made);
        experiment = std::move(*made);
    }

    template <class Condition>
    bool wait(Condition condition, Duration patience = 20s) {
        std::unique_lock lock{mutex};
        return changed.wait_for(lock, patience, condition);
    }
    bool wait_for_results(std::size_t count, Duration patience = 20s) {
        return wait([&] { return results.size() >= count; }, patience);
    }
    bool wait_for_frames(std::size_t count) {
        return wait([&] { return frames.size() >= count; });
    }

    std::vector<RunPhase> phases;
    std::vector<FramePtr> frames;
    std::vector<Result<RunResultPtr>> results;
    std::mutex mutex;
    std::condition_variable changed;
    std::unique_ptr<Experiment> experiment;

  private:
    template <class Change>
    void note(Change change) {
        const std::lock_guard lock{mutex};
        change();
        changed.notify_all();
    }
};

RunPlan plan_of(const Scenario& scenario, Duration length) {
    RunPlan plan;
    plan.scenario = scenario.id;
    plan.model = scenario.model;
    plan.seed = scenario.seed;
    plan.warm_up = 300ms;
    plan.length = length;
    return plan;
}

TEST(Experiment, GivesFramesThenAResultWhoseCountsAddUp) {
    Watched watched;
    auto plan = plan_of(shipped("workers"), 2s);
    plan.model.system.server.workers = 4;
    ASSERT_TRUE(watched.experiment->start(plan));
    ASSERT_TRUE(watched.wait_for_results(1));
    ASSERT_TRUE(watched.results[0]) << watched.results[0].error().message();
    const auto& result = **watched.results[0];
    EXPECT_EQ(result.counts.planned, result.counts.total_ended());
    EXPECT_GT(result.counts.of(Ending::ok), 20u);
    EXPECT_GE(watched.frames.size(), 20u);
    EXPECT_EQ(watched.frames.back()->server.threads.size(), 4u);
    ASSERT_TRUE(result.service.percentile(50));
    EXPECT_GE(*result.service.percentile(50), 50ms);
}

TEST(Experiment, DrainsAFullQueueWithinTwoSecondsOfTheKnob) {
    Watched watched;
    auto plan = plan_of(shipped("workers"), 30s);
    plan.model.load.rate = ArrivalRate::per_second(120);
    ASSERT_TRUE(watched.experiment->start(plan));
    ASSERT_TRUE(watched.wait([&] {
        return !watched.frames.empty() && watched.frames.back()->server.queue_depth >= 60;
    }));
    auto model = plan.model;
    model.load.rate = ArrivalRate::per_second(30);
    model.system.server.workers = 4;
    const auto generation = watched.experiment->apply(model);
    ASSERT_TRUE(generation);
    FramePtr marked;
    ASSERT_TRUE(watched.wait([&] {
        for (const auto& frame : watched.frames) {
            if (frame->generation == *generation && !marked) marked = frame;
        }
        return marked != nullptr;
    }));
    EXPECT_EQ(marked->changes.size(), 2u);
    ASSERT_TRUE(watched.wait([&] { return watched.frames.back()->server.queue_depth <= 2; }));
    const auto drained = watched.frames.back()->since_start - marked->since_start;
    EXPECT_LT(drained, 2s);
    watched.experiment->stop();
    ASSERT_TRUE(watched.wait_for_results(1, slowdown * 3s));
    EXPECT_TRUE((*watched.results[0])->interrupted);
}

TEST(Experiment, StopsWithinASecondWhileItRuns) {
    Watched watched;
    ASSERT_TRUE(watched.experiment->start(plan_of(shipped("workers"), 60s)));
    ASSERT_TRUE(watched.wait_for_frames(5));
    const auto asked = std::chrono::steady_clock::now();
    watched.experiment->stop();
    ASSERT_TRUE(watched.wait_for_results(1, slowdown * 3s));
    EXPECT_LT(std::chrono::steady_clock::now() - asked, slowdown * 1s);
    const auto& counts = (*watched.results[0])->counts;
    EXPECT_EQ(counts.planned, counts.total_ended());
}

TEST(Experiment, StopsWhileItPrepares) {
    Watched watched;
    ASSERT_TRUE(watched.experiment->start(plan_of(shipped("slow-query"), 60s)));
    watched.experiment->stop();
    ASSERT_TRUE(watched.wait_for_results(1, slowdown * 3s));
}

TEST(Experiment, EndsCleanlyWhenItIsDestroyedInAnyState) {
    for (const auto after : {0ms, 30ms, 400ms, 900ms}) {
        Watched watched;
        ASSERT_TRUE(watched.experiment->start(plan_of(shipped("cache"), 60s)));
        watched.wait([] { return false; }, after);
        const auto asked = std::chrono::steady_clock::now();
        watched.experiment.reset();
        EXPECT_LT(std::chrono::steady_clock::now() - asked, slowdown * 3s);
    }
}

TEST(Experiment, ASecondStartEndsTheFirst) {
    Watched watched;
    ASSERT_TRUE(watched.experiment->start(plan_of(shipped("workers"), 60s)));
    ASSERT_TRUE(watched.wait_for_frames(3));
    ASSERT_TRUE(watched.experiment->start(plan_of(shipped("workers"), 1s)));
    ASSERT_TRUE(watched.wait_for_results(2));
    EXPECT_TRUE((*watched.results[0])->interrupted);
    EXPECT_FALSE((*watched.results[1])->interrupted);
}

TEST(Experiment, RefusesAModelThatCannotBe) {
    Watched watched;
    auto plan = plan_of(shipped("workers"), 1s);
    plan.model.system.server.workers = 0;
    const auto started = watched.experiment->start(plan);
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, ErrorCode::invalid_input);
}

TEST(Experiment, ChangesThePlanWhenTheIndexComesWhileItRuns) {
    Watched watched;
    auto plan = plan_of(shipped("slow-query"), 60s);
    plan.model.system.database.index = false;
    ASSERT_TRUE(watched.experiment->start(plan));
    ASSERT_TRUE(watched.wait([&] {
        return !watched.frames.empty() &&
               watched.frames.back()->server.plan.find("SCAN") != std::string::npos;
    }));
    auto model = plan.model;
    model.system.database.index = true;
    ASSERT_TRUE(watched.experiment->apply(model));
    EXPECT_TRUE(watched.wait(
        [&] { return watched.frames.back()->server.plan.find("SEARCH") != std::string::npos; }));
    std::uint64_t failed = 0;
    for (const auto& frame : watched.frames) failed += frame->counts.of(Ending::http_5xx);
    EXPECT_EQ(failed, 0u);
}

TEST(Experiment, CountsStaleAnswersOnlyWhenACachedRowHasChanged) {
    for (const bool updates : {false, true}) {
        Watched watched;
        auto plan = plan_of(shipped("cache"), 3s);
        plan.model.system.cache.mode = CacheMode::shared;
        plan.model.system.database.updates = ArrivalRate::per_second(updates ? 200 : 0);
        plan.model.load.keys = 20;
        ASSERT_TRUE(watched.experiment->start(plan));
        ASSERT_TRUE(watched.wait_for_results(1));
        ASSERT_TRUE(watched.results[0]);
        const auto& result = **watched.results[0];
        ASSERT_TRUE(result.cache_hit_ratio.has_value());
        EXPECT_GT(*result.cache_hit_ratio, 0.3);
        EXPECT_EQ(result.counts.stale > 0, updates);
        EXPECT_EQ(result.counts.wrong_user, 0u);
    }
}

TEST(Experiment, CountsAnswersMadeForSomebodyElse) {
    for (const bool key_has_user : {false, true}) {
        Watched watched;
        auto plan = plan_of(shipped("cache"), 2s);
        plan.model.system.cache.mode = CacheMode::shared;
        plan.model.load.keys = 5;
        for (auto& route : plan.model.system.routes) {
            route.personal = true;
            for (auto& step : route.steps) step.key.user = key_has_user;
        }
        ASSERT_TRUE(watched.experiment->start(plan));
        ASSERT_TRUE(watched.wait_for_results(1));
        ASSERT_TRUE(watched.results[0]);
        EXPECT_EQ((*watched.results[0])->counts.wrong_user > 0, !key_has_user);
    }
}

}  // namespace
}  // namespace lab
