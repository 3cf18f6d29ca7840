// SPDX-License-Identifier: GPL-3.0-or-later
#include <cmath>

#include <gmock/gmock.h>

#include "lab/settings.hpp"
#include "lab/theory.hpp"
#include "support/routes.hpp"

namespace lab {
namespace {

using namespace std::chrono_literals;

Model open_model(const Distribution& time, double rate, int workers) {
    Model model;
    model.system.routes = {test::route({test::wait(time)})};
    model.system.server.workers = workers;
    model.load.rate = ArrivalRate::per_second(rate);
    return model;
}

Prediction predicted(const Model& model, const TheoryOptions& options = {}) {
    const auto prediction = predict(model, options);
    EXPECT_TRUE(prediction) << prediction.error().message();
    return prediction ? *prediction : Prediction{};
}

TEST(Predict, ChoosesTheLawThatFits) {
    const auto exponential = Distribution::exponential(10ms);
    const auto constant = Distribution::constant(10ms);
    const auto uniform = Distribution::uniform(5ms, 15ms);
    EXPECT_EQ(predicted(open_model(exponential, 50, 1)).law, TheoryLaw::mm1);
    EXPECT_EQ(predicted(open_model(exponential, 150, 2)).law, TheoryLaw::mmc);
    EXPECT_EQ(predicted(open_model(exponential, 210, 2)).law, TheoryLaw::mmck);
    EXPECT_EQ(predicted(open_model(constant, 50, 1)).law, TheoryLaw::md1);
    EXPECT_EQ(predicted(open_model(constant, 150, 2)).law, TheoryLaw::mdc);
    EXPECT_EQ(predicted(open_model(uniform, 50, 1)).law, TheoryLaw::mg1);
    EXPECT_EQ(predicted(open_model(uniform, 150, 2)).law, TheoryLaw::ggc);
    Model even = open_model(exponential, 50, 1);
    even.load.arrivals = Arrivals::constant;
    EXPECT_EQ(predicted(even).law, TheoryLaw::ggc);
    Model closed = open_model(exponential, 50, 1);
    closed.load.model = LoadModel::closed;
    closed.load.users = 10;
    EXPECT_EQ(predicted(closed).law, TheoryLaw::closed);
    Model inlined = even;
    inlined.system.routes = {test::inline_route()};
    EXPECT_EQ(predicted(inlined).law, TheoryLaw::no_queue);
}

TEST(Predict, HasTheFiguresOfTheLessonOfOneCook) {
    // 50 ms of waiting and 1 ms of computing: two workers do 39.2 a second, one 19.6.
    Model model = open_model(Distribution::constant(50ms), 30, 2);
    model.system.routes[0].steps.push_back(test::cpu(1ms));
    const Prediction two = predicted(model);
    EXPECT_EQ(two.law, TheoryLaw::mdc);
    EXPECT_NEAR(two.service_ms, 51, 1e-9);
    EXPECT_NEAR(two.utilisation, 0.765, 1e-9);
    EXPECT_NEAR(two.asymptotes.capacity_per_s, 2 / 0.051, 1e-9);
    EXPECT_NEAR(*two.throughput_per_s, 30, 1e-9);
    EXPECT_GT(*two.latency.mean, 51);
    EXPECT_LT(*two.latency.mean, 100);
    EXPECT_GE(*two.latency.p50, 51);

    model.system.server.workers = 1;
    const Prediction one = predicted(model);
    EXPECT_EQ(one.law, TheoryLaw::mmck);
    EXPECT_NEAR(*one.throughput_per_s, 19.6, 0.1);
    EXPECT_NEAR(*one.refused, 1 - 19.6 / 30, 0.01);
    EXPECT_NEAR(*one.latency.mean, 64 * 51, 100);  // through a queue that is nearly full
    EXPECT_EQ(*one.goodput_per_s < 1, true) << "a second is the deadline";
}

TEST(Predict, SaysThatNothingIsSteadyInOverloadWithoutAnEnd) {
    Model model = open_model(Distribution::exponential(10ms), 150, 1);
    model.system.server.when_full = WhenFull::wait;
    const Prediction over = predicted(model);
    EXPECT_FALSE(over.latency.mean);
    EXPECT_NEAR(*over.throughput_per_s, 100, 1e-9);
    EXPECT_EQ(over.light().assumption, Assumption::stable);
    EXPECT_EQ(over.light().state, Light::State::broken);
}

TEST(Predict, MixesRoutesAndLeavesOutTheInlineOnes) {
    Model model = open_model(Distribution::exponential(10ms), 100, 1);
    model.system.routes.push_back(test::inline_route());
    model.load.mix = {{"pay", 1}, {"ping", 3}};
    const Prediction mixed = predicted(model);
    EXPECT_EQ(mixed.law, TheoryLaw::mm1);
    EXPECT_NEAR(mixed.utilisation, 0.25, 1e-9);
    EXPECT_NEAR(*mixed.latency.mean, 0.25 * 10 / 0.75, 1e-9);  // of all, a quarter of whom wait
    EXPECT_NEAR(*mixed.latency.p50, 0, 1e-3);
    EXPECT_NEAR(mixed.asymptotes.capacity_per_s, 400, 1e-9);
}

TEST(Predict, FollowsUsersWhoThink) {
    Model model = open_model(Distribution::exponential(50ms), 0, 4);
    model.load.model = LoadModel::closed;
    model.load.users = 8;
    model.load.think = Distribution::exponential(100ms);
    const Prediction few = predicted(model);
    EXPECT_NEAR(*few.concurrency + *few.throughput_per_s * 0.1, 8, 1e-9);
    model.load.users = 400;
    const Prediction many = predicted(model);
    EXPECT_NEAR(*many.throughput_per_s, 80, 1e-6);
    EXPECT_NEAR(*many.latency.mean, 400 / 80.0 * 1e3 - 100, 1e-3);
    EXPECT_NEAR(*many.latency.p50 / *many.latency.mean, 1, 0.02);
    EXPECT_NEAR(many.asymptotes.knee(), 80 * 0.15, 1e-9);
}

TEST(Predict, TakesUnstatedStepsFromARunOrFromWhoKnows) {
    Model model = open_model(Distribution::constant(10ms), 50, 1);
    model.system.routes[0].steps = {test::query()};
    EXPECT_EQ(predict(model).error().code, ErrorCode::no_samples);

    TheoryOptions told;
    told.step_cost = [](const Model&, const Step&) { return std::optional<Duration>(4ms); };
    EXPECT_NEAR(predicted(model, told).service_ms, 4, 1e-9);

    RunResult run;
    run.service.record(3ms, 500);
    run.service.record(5ms, 500);
    TheoryOptions measured;
    measured.measured = &run;
    const Prediction from_run = predicted(model, measured);
    EXPECT_NEAR(from_run.service_ms, 4, 0.01);
    EXPECT_NEAR(from_run.service_scv, 1.0 / 16, 1e-3);

    model.system.database.round_trip = 20ms;
    model.load.rate = ArrivalRate::per_second(20);
    const Prediction part = predicted(model);
    EXPECT_NEAR(part.service_ms, 20, 1e-9);
    EXPECT_EQ(part.light().assumption, Assumption::known_service);
}

TEST(Predict, CountsHitsOfACache) {
    Model model = open_model(Distribution::constant(20ms), 50, 2);
    model.system.routes[0].path = "/pay/{key}";
    model.system.routes[0].steps = {test::cached({test::wait(20ms)}), test::cpu(1ms)};
    model.load.keys = 200;
    EXPECT_FALSE(predicted(model).hit_ratio);
    model.system.cache.mode = CacheMode::shared;
    model.system.cache.ttl = 20s;
    const Prediction shared = predicted(model);
    EXPECT_NEAR(*shared.hit_ratio, 5.0 / 6, 1e-9);
    EXPECT_NEAR(shared.service_ms, 1 + 20.0 / 6, 1e-9);
    model.system.cache.mode = CacheMode::per_worker;
    EXPECT_NEAR(*predicted(model).hit_ratio, 2.5 / 3.5, 1e-9);
}

TEST(Predict, KnowsACacheThatKeepsNothingAndTheWayToOneThatDoes) {
    Model model = open_model(Distribution::constant(20ms), 50, 2);
    model.system.routes[0].path = "/pay/{key}";
    model.system.routes[0].steps = {test::cached({test::wait(20ms)})};
    model.load.keys = 200;
    model.system.cache.ttl = 20s;
    model.system.cache.mode = CacheMode::null;
    EXPECT_EQ(predicted(model).hit_ratio, 0.0);
    EXPECT_NEAR(predicted(model).service_ms, 20, 1e-9);
    model.system.cache.mode = CacheMode::shared;
    model.system.cache.hop = Distribution::constant(3ms);
    EXPECT_NEAR(predicted(model).service_ms, 3 + (20.0 + 3) / 6, 1e-9);
    model.system.cache.failing = true;
    EXPECT_NEAR(predicted(model).service_ms, 23, 1e-9);
    model.system.routes[0].steps[0].key.function = KeyFunction::throws;
    EXPECT_NEAR(predicted(model).service_ms, 20, 1e-9);
}

TEST(Predict, LetsAnEventLoopWaitForManyAtOnce) {
    Model model = open_model(Distribution::constant(50ms), 200, 1);
    model.system.routes[0].steps.push_back(test::cpu(Distribution::exponential(2ms)));
    model.system.server.execution = Execution::loop;
    model.system.server.async_views = true;
    const Prediction loop = predicted(model);
    EXPECT_EQ(loop.law, TheoryLaw::mm1);  // of the computing; the waits are in nobody's way
    EXPECT_NEAR(loop.utilisation, 0.4, 1e-9);
    EXPECT_NEAR(*loop.latency.mean, 50 + 2 / 0.6, 1e-6);
    EXPECT_NEAR(loop.asymptotes.capacity_per_s, 500, 1e-9);
    EXPECT_EQ(loop.light().assumption, Assumption::one_station);

    model.system.routes[0].steps[0].blocking = true;
    EXPECT_NEAR(predicted(model).asymptotes.capacity_per_s, 1 / 0.052, 1e-9);
    model.system.routes[0].steps[0].blocking = false;
    model.system.server.async_views = false;  // in its pool of 40 threads
    EXPECT_EQ(predicted(model).servers, 40);
}

TEST(Predict, KeepsTheTurnOfALoopForWhatTheDatabaseDoesButNotForTheWayThere) {
    Model model = open_model(Distribution::constant(1ms), 20, 1);
    model.system.routes[0].steps = {test::query()};
    model.system.server.execution = Execution::loop;
    model.system.server.async_views = true;
    model.system.database.round_trip = 30ms;
    TheoryOptions told;
    told.step_cost = [](const Model&, const Step&) { return std::optional<Duration>(4ms); };
    EXPECT_NEAR(predicted(model, told).service_ms, 4, 1e-9);
    EXPECT_NEAR(predicted(model, told).asymptotes.service_ms, 34, 1e-9);
    model.system.routes[0].steps[0].blocking = true;
    EXPECT_NEAR(predicted(model, told).service_ms, 34, 1e-9);
    Step held = test::query();
    held.kind = StepKind::write;
    held.time = Distribution::constant(6ms);
    model.system.routes[0].steps = {held};
    EXPECT_NEAR(predicted(model, told).service_ms, 4 + 6, 1e-9);
    EXPECT_NEAR(predicted(model, told).asymptotes.service_ms, 40, 1e-9);
}

TEST(Predict, AwaitsTheWayToASharedCacheOnALoop) {
    Model model = open_model(Distribution::constant(20ms), 20, 1);
    model.system.routes[0].steps = {test::cached({test::cpu(2ms)})};
    model.system.server.execution = Execution::loop;
    model.system.server.async_views = true;
    model.system.cache.mode = CacheMode::shared;
    model.system.cache.hop = Distribution::constant(3ms);
    model.system.routes[0].steps[0].key.function = KeyFunction::throws;
    EXPECT_NEAR(predicted(model).asymptotes.service_ms, 2, 1e-9);
    model.system.routes[0].steps[0].key = {};
    model.system.cache.failing = true;
    EXPECT_NEAR(predicted(model).service_ms, 2, 1e-9);
    EXPECT_NEAR(predicted(model).asymptotes.service_ms, 5, 1e-9);
}

TEST(Predict, CountsOneEntryForEachUserWhereALanguageGoesWithIt) {
    Model model = open_model(Distribution::constant(20ms), 20, 1);
    model.system.routes[0].steps = {test::cached({test::wait(1ms)})};
    model.system.cache.mode = CacheMode::shared;
    model.load.users = 50;
    model.load.languages = 4;
    KeyRule& rule = model.system.routes[0].steps[0].key;
    rule.user = true;
    const double by_user = *predicted(model).hit_ratio;
    rule.header = true;
    EXPECT_EQ(*predicted(model).hit_ratio, by_user);
    rule.user = false;
    EXPECT_GT(*predicted(model).hit_ratio, by_user);
}

TEST(Predict, HitsNothingInACacheThatKeepsNothing) {
    Model model = open_model(Distribution::constant(20ms), 20, 1);
    model.system.routes[0].steps = {test::cached({test::wait(20ms)})};
    for (const CacheMode mode : {CacheMode::shared, CacheMode::null}) {
        model.system.cache.mode = mode;
        model.system.cache.failing = mode == CacheMode::shared;
        EXPECT_EQ(*predicted(model).hit_ratio, 0);
    }
}

TEST(Predict, RefusesAModelThatIsNone) {
    Model model;
    EXPECT_EQ(predict(model).error().code, ErrorCode::invalid_input);
}

TEST(Predict, AnswersByTheNamesOfTheTable) {
    const Prediction p = predicted(open_model(Distribution::exponential(10ms), 80, 1));
    EXPECT_NEAR(**quantity(p, "mean"), 50, 1e-9);
    EXPECT_NEAR(**quantity(p, "latency_ms.p99"), 50 * std::log(100), 1e-6);
    EXPECT_NEAR(**quantity(p, "throughput"), 80, 1e-9);
    EXPECT_NEAR(**quantity(p, "utilisation.workers"), 0.8, 1e-9);
    EXPECT_NEAR(**quantity(p, "breakdown.queue"), 40, 1e-9);
    EXPECT_NEAR(**quantity(p, "concurrency"), 4, 1e-9);
    EXPECT_FALSE(*quantity(p, "max"));
    EXPECT_EQ(quantity(p, "thruput").error().code, ErrorCode::not_found);
}

TEST(Asymptotes, MeetAtTheKnee) {
    const Asymptotes open{false, 50, 0, 40};
    EXPECT_DOUBLE_EQ(open.throughput_per_s(30), 30);
    EXPECT_DOUBLE_EQ(open.throughput_per_s(90), 40);
    EXPECT_DOUBLE_EQ(open.latency_ms(30), 50);
    EXPECT_TRUE(std::isinf(open.latency_ms(41)));
    const Asymptotes closed{true, 50, 450, 40};
    EXPECT_DOUBLE_EQ(closed.knee(), 20);
    EXPECT_DOUBLE_EQ(closed.throughput_per_s(10), 20);
    EXPECT_DOUBLE_EQ(closed.throughput_per_s(100), 40);
    EXPECT_DOUBLE_EQ(closed.latency_ms(10), 50);
    EXPECT_DOUBLE_EQ(closed.latency_ms(100), 2'050);
}

TEST(Asymptotes, AreCrossedByNoPrediction) {
    for (const double rate : {5.0, 50.0, 99.0, 150.0, 400.0}) {
        for (const auto& law : {Distribution::exponential(10ms), Distribution::constant(10ms),
                                Distribution::lognormal(5ms, 40ms)}) {
            const Prediction p = predicted(open_model(law, rate, 1));
            EXPECT_LE(*p.throughput_per_s, p.asymptotes.throughput_per_s(rate) * 1.0000001);
            const double latency = p.latency.mean.value_or(p.asymptotes.service_ms);
            EXPECT_GE(latency, p.asymptotes.service_ms * 0.9999999);
        }
    }
}

}  // namespace
}  // namespace lab
