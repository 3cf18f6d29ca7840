// SPDX-License-Identifier: GPL-3.0-or-later
// A real load on a balanced system. Only direction and bounds: the machine is shared.
#include <condition_variable>
#include <mutex>
#include <vector>

#include <gtest/gtest.h>

#include "lab/experiment.hpp"
#include "support/routes.hpp"

namespace lab {
namespace {

RunPlan plan_of(BalancerRule rule, double per_second, Duration length) {
    RunPlan plan;
    plan.scenario = "balanced";
    plan.model.system.routes = {test::route({test::wait(10ms)})};
    plan.model.system.server.workers = 4;
    plan.model.system.server.queue = 1'000;
    plan.model.system.balancer.rule = rule;
    plan.model.system.balancer.count = 3;
    plan.model.system.balancer.fail_timeout = 500ms;
    plan.model.load.rate = ArrivalRate::per_second(per_second);
    plan.warm_up = 300ms;
    plan.length = length;
    return plan;
}

/// One experiment, and what it has said.
struct Watched {
    Watched() {
        auto made = Experiment::create({
            {},
            [this](FramePtr frame) { note([&] { frames.push_back(std::move(frame)); }); },
            [this](Result<RunResultPtr> result) {
                note([&] { results.push_back(std::move(result)); });
            },
        });
        EXPECT_TRUE(made);
        experiment = std::move(*made);
    }
    template <class Change>
    void note(Change change) {
        const std::lock_guard lock{mutex};
        change();
        changed.notify_all();
    }
    template <class Condition>
    bool wait(Condition condition) {
        std::unique_lock lock{mutex};
        return changed.wait_for(lock, Duration{30s}, condition);
    }
    RunResultPtr result() {
        EXPECT_TRUE(wait([&] { return !results.empty(); }));
        if (results.empty() || !results[0]) return nullptr;
        return *results[0];
    }
    /// Requests that a backend was given in frames from `from` on.
    std::uint64_t given(std::size_t backend, std::size_t from) {
        std::uint64_t sum = 0;
        for (std::size_t i = from; i < frames.size(); ++i) {
            sum += frames[i]->server.backends.at(backend).requests;
        }
        return sum;
    }

    std::mutex mutex;
    std::condition_variable changed;
    std::vector<FramePtr> frames;
    std::vector<Result<RunResultPtr>> results;
    std::unique_ptr<Experiment> experiment;
};

RunResultPtr run(const RunPlan& plan) {
    Watched watched;
    EXPECT_TRUE(watched.experiment->start(plan));
    return watched.result();
}

/// The slow one of three answers 20 of the 40 a second that its turn brings it.
TEST(BalancedLoad, HasAShorterTailWhereTheSlowBackendIsAvoided) {
    const auto p99 = [](BalancerRule rule) {
        RunPlan plan = plan_of(rule, 120, 3s);
        plan.model.system.balancer.backends[2].slowdown = 20;
        const auto result = run(plan);
        if (!result) return Duration{};
        EXPECT_EQ(result->counts.planned, result->counts.total_ended());
        EXPECT_EQ(result->backends.size(), 3u);
        const auto value = result->latency.percentile(99);
        return value ? *value : Duration{};
    };
    const Duration in_turn = p99(BalancerRule::round_robin);
    const Duration least = p99(BalancerRule::least_conn);
    const Duration better_of_two = p99(BalancerRule::random_two);
    const Duration ewma = p99(BalancerRule::peak_ewma);
    EXPECT_GT(in_turn, least * 3 / 2);
    EXPECT_GT(in_turn, better_of_two * 3 / 2);
    EXPECT_GT(in_turn, ewma * 3 / 2);
}

TEST(BalancedLoad, LosesFewRequestsWhenABackendDiesAndUsesItAgainWhenItIsBack) {
    Watched watched;
    RunPlan plan = plan_of(BalancerRule::round_robin, 150, 20s);
    ASSERT_TRUE(watched.experiment->start(plan));
    ASSERT_TRUE(watched.wait([&] { return watched.frames.size() >= 8; }));
    Model model = plan.model;
    model.system.balancer.backends[1].up = false;
    ASSERT_TRUE(watched.experiment->apply(model));
    ASSERT_TRUE(watched.wait([&] { return !watched.frames.back()->server.backends[1].up; }));
    const std::size_t dead = watched.frames.size();
    ASSERT_TRUE(watched.wait([&] { return watched.frames.size() >= dead + 10; }));
    {
        const std::lock_guard lock{watched.mutex};
        EXPECT_TRUE(watched.frames.back()->server.backends[1].resting ||
                    watched.frames.back()->server.backends[1].fails > 0);
        EXPECT_LE(watched.given(1, dead), 10u);  // one try each half second
        EXPECT_GT(watched.given(0, dead), 30u);
    }
    model.system.balancer.backends[1].up = true;
    ASSERT_TRUE(watched.experiment->apply(model));
    ASSERT_TRUE(watched.wait([&] { return watched.frames.back()->server.backends[1].up; }));
    const std::size_t back = watched.frames.size();
    EXPECT_TRUE(watched.wait([&] { return watched.given(1, back) >= 20; }));
    watched.experiment->stop();
    const auto result = watched.result();
    ASSERT_TRUE(result);
    EXPECT_LE(result->counts.errors(), 5u);
    EXPECT_GE(result->upstream_retries, 1);
}

TEST(BalancedLoad, AnswersAsManyRequestsAsTheServerAlone) {
    RunPlan plan = plan_of(BalancerRule::none, 100, 2s);
    const auto alone = run(plan);
    plan.model.system.balancer.rule = BalancerRule::least_conn;
    const auto balanced = run(plan);
    ASSERT_TRUE(alone && balanced);
    EXPECT_EQ(alone->counts.planned, balanced->counts.planned);
    EXPECT_EQ(alone->counts.of(Ending::ok), balanced->counts.of(Ending::ok));
    EXPECT_TRUE(alone->backends.empty());
    double given = 0;
    for (const auto& backend : balanced->backends) given += backend.requests;
    EXPECT_NEAR(given, static_cast<double>(balanced->counts.planned), 10);
    // The proxy is a part of its own, and the parts still add up.
    EXPECT_EQ(alone->parts[static_cast<std::size_t>(Part::proxy)], Duration{});
    EXPECT_GT(balanced->parts[static_cast<std::size_t>(Part::proxy)], Duration{});
}

/// Seven of ten requests are for a file: behind the proxy they cost no worker.
TEST(BalancedLoad, SparesTheWorkersWhatTheProxyAnswers) {
    RunPlan plan = plan_of(BalancerRule::none, 150, 2s);
    Route file = test::route({test::wait(10ms)}, "logo");
    file.static_file = true;
    plan.model.system.routes.push_back(file);
    plan.model.load.mix = {{"pay", 3}, {"logo", 7}};
    const auto alone = run(plan);
    plan.model.system.balancer.rule = BalancerRule::round_robin;
    plan.model.system.balancer.count = 1;
    const auto behind = run(plan);
    ASSERT_TRUE(alone && behind);
    EXPECT_EQ(alone->counts.of(Ending::ok), behind->counts.of(Ending::ok));
    EXPECT_LT(behind->utilisation_workers, alone->utilisation_workers * 0.6);
}

TEST(BalancedLoad, KeepsItsBalancerWhileItRuns) {
    Watched watched;
    const RunPlan plan = plan_of(BalancerRule::none, 30, 10s);
    ASSERT_TRUE(watched.experiment->start(plan));
    Model model = plan.model;
    model.system.balancer.rule = BalancerRule::round_robin;
    const auto applied = watched.experiment->apply(model);
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().where, "balancer.rule");
}

}  // namespace
}  // namespace lab
