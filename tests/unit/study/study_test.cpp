// SPDX-License-Identifier: GPL-3.0-or-later
// Studies over a runner of our own: M/M/c played customer by customer, keyed by the seed.
#include <algorithm>
#include <atomic>
#include <cmath>

#include <gmock/gmock.h>

#include "core/keyed_random.hpp"
#include "lab/study.hpp"
#include "support/routes.hpp"

namespace lab {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

/// First come first served on workers alike; every wait step is a part of the service.
Result<RunResultPtr> play(const RunPlan& plan, const std::function<void(FramePtr)>& on_frame) {
    const Model& model = plan.model;
    auto run = std::make_shared<RunResult>();
    run->model = model;
    run->length = plan.length.value_or(10s);
    run->worker_cpu = run->length / 2;
    std::vector<Instant> free(static_cast<std::size_t>(model.system.server.workers));
    Instant now{};
    const Instant begin{plan.warm_up}, end{plan.warm_up + run->length};
    for (std::uint64_t i = 1;; ++i) {
        now += core::keyed_exponential(model.load.rate.mean_gap(), plan.seed, i, 1);
        if (now >= end) break;
        Duration service{};
        std::uint32_t step = 1'000;
        for (const Step& each : model.system.routes[0].steps) {
            service += core::keyed_duration(each.time, plan.seed, i, step++);
        }
        const auto next = std::ranges::min_element(free);
        *next = std::max(*next, now) + service;
        if (now < begin) continue;
        run->counts.planned += 1;
        run->latency.record(*next - now);
        if (*next < end) run->counts.of(Ending::ok) += 1;
    }
    run->throughput_per_s =
        static_cast<double>(run->counts.of(Ending::ok)) / to_seconds(run->length);
    run->goodput_per_s = run->throughput_per_s;
    run->offered_per_s = static_cast<double>(run->counts.planned) / to_seconds(run->length);
    if (on_frame) {
        for (std::uint32_t i = 0; i < 200; ++i) {
            auto frame = std::make_shared<Frame>();
            frame->in_flight = i < 20 ? 0 : 10 + i % 2;  // two seconds of warm-up
            on_frame(frame);
        }
    }
    return RunResultPtr(run);
}

Scenario shop() {
    Scenario scenario;
    scenario.id = "shop";
    scenario.length = 60s;
    scenario.warm_up = 500ms;
    scenario.model.system.routes = {
        test::route({test::wait(Distribution::exponential(8ms)), test::cpu(2ms)})};
    scenario.model.load.rate = ArrivalRate::per_second(80);
    Knob workers;
    workers.path = "server.workers";
    workers.label = "Workers";
    workers.least = 1;
    workers.most = 8;
    Knob queue = workers;
    queue.path = "server.queue";
    queue.label = "Queue places";
    queue.most = 1'000;
    scenario.knobs = {workers, queue};
    return scenario;
}

StudyOptions played(int runs = 4, unsigned threads = 2) {
    StudyOptions options;
    options.run = play;
    options.runs = runs;
    options.threads = threads;
    return options;
}

TEST(Vary, ReadsRangesStepsFactorsAndLists) {
    const Model model = shop().model;
    EXPECT_THAT(parse_vary(model, "server.workers=1..4:1")->values,
                ElementsAre("1", "2", "3", "4"));
    EXPECT_THAT(parse_vary(model, "server.workers=1..16:x2")->values,
                ElementsAre("1", "2", "4", "8", "16"));
    EXPECT_THAT(parse_vary(model, "load.rate=10/s..30/s:10/s")->values,
                ElementsAre("10/s", "20/s", "30/s"));
    EXPECT_EQ(parse_vary(model, "load.rate=10/s..80/s")->values.size(), 8u);
    EXPECT_THAT(parse_vary(model, "cache.mode=none,shared")->values, ElementsAre("none", "shared"));
    EXPECT_THAT(parse_vary(model, "server.workers=1..3")->values, ElementsAre("1", "2", "3"));
}

TEST(Vary, SaysWhatItCannotRead) {
    const Model model = shop().model;
    for (const char* text : {"server.workers", "=1", "server.workers=", "server.workers=4..1",
                             "server.workers=0..4", "server.workers=0..4:x2", "cache.mode=a..b",
                             "server.workers=1..4:0", "server.queue=0..10000:1"}) {
        EXPECT_FALSE(parse_vary(model, text)) << text;
    }
    EXPECT_THAT(parse_vary(model, "server.wokers=1").error().detail, HasSubstr("server.workers"));
}

TEST(Sweeps, NameCapacitySaturationAndKnee) {
    Scenario scenario = shop();
    const auto vary = parse_vary(scenario.model, "load.rate=20/s..160/s:20/s");
    const auto sweep = run_sweep(scenario, scenario.model, {*vary}, played());
    ASSERT_TRUE(sweep) << sweep.error().message();
    ASSERT_EQ(sweep->points.size(), 8u);
    EXPECT_NEAR(*sweep->capacity, 100, 3);
    EXPECT_NEAR(*sweep->saturation, 120, 1);
    EXPECT_GE(*sweep->knee, 40);  // M/M/1 has its greatest power at half load
    EXPECT_LE(*sweep->knee, 60);
    EXPECT_EQ(sweep->points[0].warm_up, 2s) << "found, not guessed";
    ASSERT_TRUE(sweep->theory[0]);
    EXPECT_EQ(sweep->theory[0]->law, TheoryLaw::mg1);
    const auto p99 = sweep->points[3].figure("p99").value();
    EXPECT_NEAR(p99->mean / *sweep->theory[3]->latency.p99, 1, 0.25);
}

TEST(Sweeps, CoverEveryCombination) {
    const Scenario scenario = shop();
    const auto sweep =
        run_sweep(scenario, scenario.model,
                  {{"server.workers", {"1", "2"}}, {"server.queue", {"5", "9"}}}, played(1));
    ASSERT_TRUE(sweep);
    ASSERT_EQ(sweep->points.size(), 4u);
    EXPECT_EQ(sweep->points[1].overrides.at("server.queue"), "9");
    EXPECT_EQ(sweep->points[2].overrides.at("server.workers"), "2");
}

TEST(Sweeps, ComeOutAlikeOnAnyNumberOfThreads) {
    const Scenario scenario = shop();
    const auto vary = parse_vary(scenario.model, "server.workers=1..3");
    const auto one = run_sweep(scenario, scenario.model, {*vary}, played(3, 1));
    const auto four = run_sweep(scenario, scenario.model, {*vary}, played(3, 4));
    for (std::size_t i = 0; i < one->points.size(); ++i) {
        EXPECT_EQ(*one->points[i].figure("p99").value(), *four->points[i].figure("p99").value());
    }
}

TEST(Sweeps, StopWhenTheyAreToldTo) {
    const Scenario scenario = shop();
    StudyOptions options = played(50, 2);
    std::atomic<int> runs{0};
    options.run = [&](const RunPlan& plan, const auto& on_frame) {
        ++runs;
        return play(plan, on_frame);
    };
    options.stop = [&] { return runs >= 3; };
    const auto sweep = run_sweep(scenario, scenario.model, {{"server.workers", {"1"}}}, options);
    EXPECT_EQ(sweep.error().code, ErrorCode::interrupted);
    EXPECT_LE(runs, 5);
}

TEST(Sweeps, HandOnWhatTheRunnerSays) {
    const Scenario scenario = shop();
    StudyOptions options = played();
    options.run = [](const RunPlan&, const auto&) -> Result<RunResultPtr> {
        return Error{ErrorCode::no_resources, "", "no sockets"};
    };
    const auto sweep = run_sweep(scenario, scenario.model, {{"server.workers", {"1"}}}, options);
    EXPECT_EQ(sweep.error().detail, "no sockets");
}

TEST(Comparisons, AreExactlyNothingBetweenEquals) {
    const Scenario scenario = shop();
    const auto same =
        run_comparison(scenario, scenario.model, {}, {{"server.queue", "9"}}, played());
    ASSERT_TRUE(same);
    for (const Difference& d : same->differences) {
        EXPECT_EQ(d.change.mean, 0) << d.quantity;
        EXPECT_EQ(d.change.half_width, 0) << d.quantity;
        EXPECT_THAT(d.sentence, HasSubstr("exactly the same"));
    }
    EXPECT_GE(same->differences.size(), 6u);
}

TEST(Comparisons, SayInWordsWhichIsLower) {
    const Scenario scenario = shop();
    const auto two =
        run_comparison(scenario, scenario.model, {}, {{"server.workers", "2"}}, played(8));
    const auto p99 = std::ranges::find(two->differences, "latency_ms.p99", &Difference::quantity);
    ASSERT_NE(p99, two->differences.end());
    EXPECT_LT(p99->change.high(), 0);
    EXPECT_THAT(p99->sentence, HasSubstr("B's p99 is lower by "));
    EXPECT_THAT(p99->sentence, HasSubstr(" ms"));
}

TEST(Comparisons, SayWhereTheNoiseIsLarger) {
    Difference d{"latency_ms.p99", {10, 1, 5}, {11, 1, 5}, {1, 2, 5}, {}};
    EXPECT_EQ(difference_sentence(d), "p99: no difference beyond the noise");
    d.change = {1, HUGE_VAL, 1};
    EXPECT_THAT(difference_sentence(d), HasSubstr("one run cannot tell"));
    d.change = {-50, 8, 5};
    EXPECT_EQ(difference_sentence(d), "B's p99 is lower by 42 to 58 ms");
}

TEST(Advice, RanksWhatHelpsAndReportsWhatDoesNot) {
    const Scenario scenario = shop();
    const auto target = Condition::parse("p99 < 60ms", "A");
    const auto list = run_advice(scenario, scenario.model, "p99", *target, played(6));
    ASSERT_TRUE(list) << list.error().message();
    EXPECT_EQ(list->advice.front().path, "server.workers");
    EXPECT_LT(list->advice.front().share, -0.5);
    EXPECT_TRUE(list->advice.front().meets);
    for (const Advice& advice : list->advice) {
        EXPECT_EQ(advice.no_change, advice.path == "server.queue") << advice.label;
        EXPECT_TRUE(!advice.stage || advice.share < 0) << advice.label;
    }
    EXPECT_TRUE(std::ranges::any_of(list->advice, &Advice::stage));
    EXPECT_EQ(run_advice(scenario, scenario.model, "p9", {}, played(1)).error().code,
              ErrorCode::not_found);
}

TEST(Advice, LeavesOutWhatTheRunnerCannotDoAndSaysWhy) {
    const Scenario scenario = shop();
    StudyOptions options = played(3, 2);
    options.run = [](const RunPlan& plan, const auto& on_frame) -> Result<RunResultPtr> {
        if (plan.model.system.server.workers > 1) {
            return Error{ErrorCode::invalid_input, "server.workers", "one and no more"};
        }
        return play(plan, on_frame);
    };
    const auto list = run_advice(scenario, scenario.model, "p99", {}, options);
    ASSERT_TRUE(list) << list.error().message();
    ASSERT_EQ(list->left_out.size(), 1u);
    EXPECT_THAT(list->left_out.front(), HasSubstr("one and no more"));
    EXPECT_TRUE(std::ranges::none_of(
        list->advice, [](const Advice& advice) { return advice.path == "server.workers"; }));
    const auto sweep = run_sweep(scenario, scenario.model, {{"server.workers", {"2"}}}, options);
    EXPECT_EQ(sweep.error().where, "server.workers") << "a sweep has nothing to leave out";
}

TEST(Sweeps, CountNoRunThatWasStoppedOnItsWay) {
    const Scenario scenario = shop();
    StudyOptions options = played(1);
    std::atomic<int> runs{0};
    options.run = [&](const RunPlan& plan, const auto& on_frame) {
        ++runs;
        return play(plan, on_frame);
    };
    options.stop = [&] { return runs == 2; };  // in the last of all
    const auto sweep = run_sweep(scenario, scenario.model, {{"server.workers", {"1"}}}, options);
    ASSERT_FALSE(sweep);
    EXPECT_EQ(sweep.error().code, ErrorCode::interrupted);
}

TEST(Frontiers, FindTheCheapestThatMeetsTheTarget) {
    Scenario scenario = shop();
    scenario.prices = {10, 0, 2};
    const auto target = Condition::parse("p99 < 60ms", "A");
    const auto frontier = run_frontier(scenario, scenario.model, *target,
                                       {{"server.workers", {"4", "1", "2", "3"}}}, played(3));
    ASSERT_TRUE(frontier) << frontier.error().message();
    const auto cheapest =
        std::ranges::find_if(frontier->points, [](const auto& p) { return p.cheapest; });
    ASSERT_NE(cheapest, frontier->points.end());
    EXPECT_EQ(cheapest->point.overrides.at("server.workers"), "2");
    EXPECT_DOUBLE_EQ(cheapest->cost, 21);
    EXPECT_TRUE(cheapest->on_front);
    // By brute force: whatever is on the front is not dominated, whatever is not is.
    for (const FrontierPoint& p : frontier->points) {
        const bool dominated = std::ranges::any_of(frontier->points, [&](const FrontierPoint& o) {
            return (o.cost < p.cost && o.margin >= p.margin) ||
                   (o.cost <= p.cost && o.margin > p.margin);
        });
        EXPECT_NE(p.on_front, dominated);
    }
}

TEST(Claims, HoldOnEverySeedOrNameTheWorst) {
    Scenario scenario = shop();
    Claim good{"B.mean < A.mean", {{"A", {}}, {"B", {{"server.workers", "2"}}}}, 30s, 1s};
    Claim bad = good;
    bad.that = "A.mean > 1s";
    Claim none = good;
    none.that = "A.hit_ratio > 0";
    scenario.claims = {good, bad, none};
    const auto checks = check_claims(scenario, 100, played(20));
    ASSERT_TRUE(checks);
    EXPECT_TRUE((*checks)[0].holds);
    EXPECT_GT((*checks)[0].worst_margin, 0);
    EXPECT_FALSE((*checks)[1].holds);
    EXPECT_LT((*checks)[1].worst_margin, -0.5);
    EXPECT_GE((*checks)[1].worst_seed, 100u);
    EXPECT_LT((*checks)[1].worst_seed, 120u);
    EXPECT_THAT((*checks)[2].problem, HasSubstr("no samples"));
}

}  // namespace
}  // namespace lab
