// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include <gmock/gmock.h>

#include "lab/theory.hpp"
#include "support/routes.hpp"

namespace lab {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using State = Light::State;

Model mm1_model() {
    Model model;
    model.system.routes = {test::route({test::wait(Distribution::exponential(10ms))})};
    model.load.rate = ArrivalRate::per_second(50);
    return model;
}

Light lamp(const Model& model, Assumption assumption, const RunResult* run = nullptr) {
    TheoryOptions options;
    options.measured = run;
    const auto prediction = predict(model, options);
    EXPECT_TRUE(prediction);
    const auto found = std::ranges::find(prediction->lights, assumption, &Light::assumption);
    EXPECT_NE(found, prediction->lights.end());
    return found == prediction->lights.end() ? Light{} : *found;
}

TEST(ValidityLight, IsGreenWhereEveryAssumptionHolds) {
    const auto prediction = predict(mm1_model());
    for (const Light& light : prediction->lights) {
        EXPECT_EQ(light.state, State::ok) << light.sentence;
        EXPECT_TRUE(light.sentence.ends_with('.')) << light.sentence;
    }
    EXPECT_EQ(prediction->light().state, State::ok);
}

TEST(ValidityLight, NamesArrivalsThatAreNotPoisson) {
    Model model = mm1_model();
    model.load.arrivals = Arrivals::constant;
    EXPECT_EQ(lamp(model, Assumption::poisson_arrivals).state, State::doubtful);
}

TEST(ValidityLight, NamesServiceThatIsNotExponentialWhereTheLawNeedsIt) {
    Model model = mm1_model();
    model.load.rate = ArrivalRate::per_second(150);
    EXPECT_EQ(lamp(model, Assumption::exponential_service).state, State::ok);
    model.system.routes[0].steps[0].time = Distribution::constant(10ms);
    EXPECT_EQ(lamp(model, Assumption::exponential_service).state, State::broken);
}

TEST(ValidityLight, NamesOverload) {
    Model model = mm1_model();
    model.load.rate = ArrivalRate::per_second(150);
    model.system.server.when_full = WhenFull::wait;
    const Light light = lamp(model, Assumption::stable);
    EXPECT_EQ(light.state, State::broken);
    EXPECT_THAT(light.sentence, HasSubstr("150 a second arrive and 100 can be answered"));
}

TEST(ValidityLight, NamesAQueueThatIsTooShortForItsUsers) {
    Model model = mm1_model();
    model.load.model = LoadModel::closed;
    model.load.users = 65;
    EXPECT_EQ(lamp(model, Assumption::endless_queue).state, State::ok);
    model.load.users = 66;
    EXPECT_EQ(lamp(model, Assumption::endless_queue).state, State::broken);
}

TEST(ValidityLight, NamesTimeOuts) {
    Model model = mm1_model();
    EXPECT_EQ(lamp(model, Assumption::patience).state, State::ok);
    model.load.timeout = 60ms;
    EXPECT_EQ(lamp(model, Assumption::patience).state, State::broken);
    model.load.timeout = 10s;
    model.system.server.queue_timeout = 20ms;
    EXPECT_EQ(lamp(model, Assumption::patience).state, State::broken);
    RunResult run;
    run.counts.planned = 1'000;
    model = mm1_model();
    EXPECT_EQ(lamp(model, Assumption::patience, &run).state, State::ok);
    run.counts.of(Ending::timed_out) = 5;
    EXPECT_EQ(lamp(model, Assumption::patience, &run).state, State::doubtful);
    run.counts.of(Ending::timed_out) = 50;
    EXPECT_EQ(lamp(model, Assumption::patience, &run).state, State::broken);
}

TEST(ValidityLight, NamesTheLockThatIsWaitedForAsWell) {
    Model model = mm1_model();
    model.system.routes[0].steps = {test::wait(Distribution::exponential(10ms)), test::cpu(9ms)};
    model.system.server.threads = 4;
    model.load.rate = ArrivalRate::per_second(90);
    const Light light = lamp(model, Assumption::one_station);
    EXPECT_EQ(light.state, State::broken);
    EXPECT_THAT(light.sentence, HasSubstr("the interpreter lock is 81 % busy"));
    model.system.server.interpreter_lock = false;
    EXPECT_EQ(lamp(model, Assumption::one_station).state, State::doubtful);  // the processors
}

TEST(ValidityLight, NamesABalancer) {
    Model model = mm1_model();
    model.system.balancer.rule = BalancerRule::least_conn;
    model.system.balancer.count = 3;
    const Light light = lamp(model, Assumption::one_station);
    EXPECT_EQ(light.state, State::broken);
    EXPECT_THAT(light.sentence, HasSubstr("3 backends"));
}

TEST(ValidityLight, LimitsTheCapacityByTheLock) {
    Model model = mm1_model();
    model.system.routes[0].steps = {test::wait(10ms), test::cpu(10ms)};
    model.system.server.threads = 4;
    model.load.rate = ArrivalRate::per_second(150);
    const auto prediction = predict(model);
    EXPECT_NEAR(prediction->asymptotes.capacity_per_s, 100, 1e-9);
    EXPECT_NEAR(*prediction->throughput_per_s, 100, 1e-9);
    EXPECT_EQ(prediction->light().state, State::broken);
}

TEST(ValidityLight, NamesRatesThatMoveAndClientsThatAskAgain) {
    Model model = mm1_model();
    model.load.shape.kind = LoadShape::bursts;
    EXPECT_EQ(lamp(model, Assumption::poisson_arrivals).state, State::broken);
    model = mm1_model();
    model.load.session = 3;
    EXPECT_EQ(lamp(model, Assumption::poisson_arrivals).state, State::broken);
    model = mm1_model();
    model.load.retry.most = 3;
    EXPECT_EQ(lamp(model, Assumption::patience).state, State::doubtful);
    model.load.rate = ArrivalRate::per_second(150);
    EXPECT_EQ(lamp(model, Assumption::patience).state, State::broken);
    model = mm1_model();
    model.load.patience = Distribution::exponential(30ms);
    EXPECT_EQ(lamp(model, Assumption::patience).state, State::broken);
    model = mm1_model();
    model.system.server.stall_every = 2s;
    EXPECT_EQ(lamp(model, Assumption::independent_service).state, State::broken);
    model = mm1_model();
    model.load.slow.readers = 0.1;
    EXPECT_EQ(lamp(model, Assumption::independent_service).state, State::broken);
}

TEST(ValidityLight, NamesHitsThatDependOnMisses) {
    Model model = mm1_model();
    model.system.routes[0].steps = {test::cached({test::wait(10ms)})};
    model.system.cache.mode = CacheMode::shared;
    EXPECT_EQ(lamp(model, Assumption::independent_service).state, State::doubtful);
    model.system.cache.stampede = Stampede::lock;
    EXPECT_EQ(lamp(model, Assumption::independent_service).state, State::broken);
}

TEST(ValidityLight, NamesWorkersThatBelongToConnections) {
    Model model = mm1_model();
    model.system.server.bind = BindPoint::accept;
    EXPECT_EQ(lamp(model, Assumption::independent_service).state, State::broken);
}

TEST(ValidityLight, HoldsTheRunAgainstLittle) {
    RunResult run;
    run.counts.planned = 1'000;
    run.counts.of(Ending::ok) = 1'000;
    run.throughput_per_s = 50;
    run.concurrency = 1;
    run.latency.record(20ms, 1'000);
    EXPECT_NEAR(*little_residual(run), 0, 1e-3);
    EXPECT_EQ(lamp(mm1_model(), Assumption::steady_state, &run).state, State::ok);
    run.concurrency = 2;
    EXPECT_NEAR(*little_residual(run), 0.5, 1e-3);
    EXPECT_EQ(lamp(mm1_model(), Assumption::steady_state, &run).state, State::broken);
    run.concurrency = 1;
    run.interrupted = true;
    EXPECT_EQ(lamp(mm1_model(), Assumption::steady_state, &run).state, State::broken);
    EXPECT_FALSE(little_residual(RunResult{}));
}

}  // namespace
}  // namespace lab
