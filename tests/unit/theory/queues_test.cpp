// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>

#include "theory/queues.hpp"
#include "unit/theory/reference.hpp"

namespace lab::theory {
namespace {

TEST(Erlang, BlocksAndWaitsAsTheTablesSay) {
    EXPECT_NEAR(erlang_b(1, 1), 0.5, 1e-12);
    EXPECT_NEAR(erlang_b(10, 5), 0.018385, 5e-7);   // Kleinrock I, the B table
    EXPECT_NEAR(erlang_b(30, 21.9), 0.0200, 5e-4);  // the 2 % row of any traffic table
    EXPECT_NEAR(erlang_c(2, 1), 1.0 / 3, 1e-12);
    EXPECT_NEAR(erlang_c(3, 2), 4.0 / 9, 1e-12);  // Gross and Harris, example 2.2
    EXPECT_NEAR(erlang_c(10, 8), 0.4092, 5e-5);
}

TEST(Erlang, StaysExactWithAThousandServers) {
    // Halfin and Whitt (1981): one standard deviation of spare servers, 1 / (1 + Phi(1) / phi(1)).
    EXPECT_NEAR(erlang_c(1'000, 1'000 - std::sqrt(1'000.0)), 0.2234, 0.01);
    EXPECT_GT(erlang_c(1'000, 999), 0.9);
}

TEST(MM1, HasTheFiguresOfTheTextbook) {
    // Kleinrock I, 3.2 at load 0.8: four inside, five service times, 63 % above the mean's e-th.
    const Queue queue = mm1(80, 0.010);
    EXPECT_NEAR(queue.number, 4, 1e-12);
    EXPECT_NEAR(queue.latency, 0.050, 1e-15);
    EXPECT_NEAR(queue.wait, 0.040, 1e-15);
    EXPECT_NEAR(queue.waits, 0.8, 1e-15);
    EXPECT_NEAR(percentile(queue, 0.99), 0.050 * std::log(100), 1e-9);
    EXPECT_NEAR(percentile(queue, 0.5), 0.050 * std::log(2), 1e-9);
}

TEST(MMc, IsMM1WithOneServer) {
    const Queue one = mm1(90, 0.010), c = mmc(90, 0.010, 1);
    EXPECT_NEAR(one.wait, c.wait, 1e-12);
    for (const double share : {0.1, 0.5, 0.9, 0.99, 0.999}) {
        EXPECT_NEAR(percentile(one, share), percentile(c, share), 1e-8);
    }
}

TEST(MMc, HasATailWhoseAreaIsItsMean) {
    for (const int servers : {1, 2, 4, 8, 64}) {
        for (const double rho : {0.3, 0.5, 0.9, 0.95}) {
            const Queue queue = mmc(rho * servers / 0.01, 0.01, servers);
            const double area = test::mean_of_tail(queue.tail, queue.latency * 40, 8'000);
            EXPECT_NEAR(area / queue.latency, 1, 3e-4) << servers << " at " << rho;
        }
    }
}

TEST(MMc, HasATailWhereTheFreeServersAreExactlyOne) {
    // c - offered = 1: the usual formula divides by zero here.
    const Queue at = mmc(100, 0.01, 2), beside = mmc(100.0001, 0.01, 2);
    EXPECT_NEAR(at.tail(0.02), beside.tail(0.02), 1e-5);
    EXPECT_NEAR(at.tail(0.02), std::exp(-2.0) * (1 + 1.0 / 3 * 2), 1e-12);
}

TEST(MMc, AgreesWithAQueuePlayedThrough) {
    const auto played = test::play(4 * 0.8 / 0.01, 4, 150'000,
                                   [](std::uint64_t i) { return test::exponential(0.01, i, 2); });
    const Queue queue = mmc(4 * 0.8 / 0.01, 0.01, 4);
    EXPECT_NEAR(played.wait / queue.wait, 1, 0.04);
    for (const double share : {0.5, 0.9, 0.99}) {
        EXPECT_NEAR(played.percentile(share) / percentile(queue, share), 1, 0.04) << share;
    }
}

TEST(MMcK, RefusesAsErlangSaysWithoutAQueue) {
    const Queue queue = mmck(500, 0.010, 10, 10);
    EXPECT_NEAR(queue.refused, erlang_b(10, 5), 1e-12);
    EXPECT_NEAR(queue.wait, 0, 1e-12);
    EXPECT_NEAR(percentile(queue, 0.5), 0.010 * std::log(2), 1e-9);
}

TEST(MMcK, HasEveryLengthAlikeAtLoadOne) {
    const Queue queue = mmck(100, 0.010, 1, 9);  // Kleinrock I, 3.6: 1 / (K + 1)
    EXPECT_NEAR(queue.refused, 0.1, 1e-12);
    EXPECT_NEAR(queue.number, 4.5, 1e-12);
    EXPECT_NEAR(queue.throughput, 90, 1e-9);
}

TEST(MMcK, ComesToMMcWithALongQueue) {
    const Queue longer = mmck(320, 0.010, 4, 2'000), endless = mmc(320, 0.010, 4);
    EXPECT_NEAR(longer.wait / endless.wait, 1, 1e-9);
    for (const double share : {0.5, 0.9, 0.99}) {
        EXPECT_NEAR(percentile(longer, share) / percentile(endless, share), 1, 1e-6);
    }
}

TEST(MMcK, HasATailWhoseAreaIsItsMeanInOverloadToo) {
    for (const double load : {0.7, 1.0, 3.0}) {
        for (const int servers : {1, 3}) {
            const Queue queue = mmck(load * servers / 0.01, 0.01, servers, servers + 40);
            const double area = test::mean_of_tail(queue.tail, queue.latency * 12, 1'500);
            EXPECT_NEAR(area / queue.latency, 1, 3e-4) << servers << " at " << load;
        }
    }
}

TEST(MMcK, DoesNotOverflowInAThousandFoldOverload) {
    const Queue queue = mmck(1e6, 0.010, 10, 10'010);
    EXPECT_NEAR(queue.throughput, 1'000, 1e-6);
    EXPECT_NEAR(queue.latency, 10.01, 0.01);
}

TEST(MG1, IsPollaczekAndKhinchinesMean) {
    // Gross and Harris, example 5.1 has this form: uniform service from 2 to 18 ms, load 0.8.
    const ServiceLaw law({{1, {Distribution::uniform(2ms, 18ms)}}});
    const double scv = 16.0 * 16 / 12 / 100;
    EXPECT_NEAR(law.scv(), scv, 1e-12);
    EXPECT_NEAR(mg1(80, law).wait, 0.8 / 0.2 * 0.010 * (1 + scv) / 2, 1e-12);
}

TEST(MG1, IsMM1WithExponentialService) {
    const ServiceLaw law({{1, {Distribution::exponential(10ms)}}});
    for (const double rho : {0.1, 0.5, 0.8, 0.95}) {
        const Queue general = mg1(rho / 0.01, law), exact = mm1(rho / 0.01, 0.01);
        EXPECT_NEAR(general.wait, exact.wait, 1e-12);
        for (const double share : {0.5, 0.9, 0.99, 0.999}) {
            EXPECT_NEAR(percentile(general, share) / percentile(exact, share), 1, 2e-3)
                << rho << " " << share;
        }
    }
}

TEST(MG1, HasATailWhoseAreaIsItsMean) {
    const ServiceLaw law(
        {{0.7, {Distribution::constant(1ms)}},
         {0.3, {Distribution::lognormal(5ms, 40ms), Distribution::uniform(0ms, 9ms)}}});
    for (const double rho : {0.2, 0.7, 0.95}) {
        const Queue queue = mg1(rho / law.mean(), law);
        const double area = test::mean_of_tail(queue.tail, queue.latency * 40, 8'000);
        EXPECT_NEAR(area / queue.latency, 1, 3e-3) << rho;
    }
}

TEST(MG1, AgreesWithAQueuePlayedThrough) {
    const ServiceLaw law({{1, {Distribution::lognormal(5ms, 40ms)}}});
    const double rate = 0.7 / law.mean();
    const auto played = test::play(rate, 1, 200'000, [](std::uint64_t i) {
        return to_seconds(core::keyed_duration(Distribution::lognormal(5ms, 40ms), 3, i, 9));
    });
    const Queue queue = mg1(rate, law);
    EXPECT_NEAR(played.wait / queue.wait, 1, 0.05);
    for (const double share : {0.5, 0.9, 0.99}) {
        EXPECT_NEAR(played.percentile(share) / percentile(queue, share), 1, 0.05) << share;
    }
}

TEST(AllenCunneen, IsExactForMMcAndForTheMeanOfMG1) {
    const ServiceLaw exponential({{1, {Distribution::exponential(10ms)}}});
    for (const int servers : {1, 2, 8}) {
        const double rate = 0.8 * servers / 0.01;
        const Queue near = ggc(rate, 1, exponential, servers), exact = mmc(rate, 0.01, servers);
        EXPECT_NEAR(near.wait, exact.wait, 1e-12);
        EXPECT_NEAR(percentile(near, 0.99) / percentile(exact, 0.99), 1, 2e-3);
    }
    const ServiceLaw uniform({{1, {Distribution::uniform(2ms, 18ms)}}});
    EXPECT_NEAR(ggc(80, 1, uniform, 1).wait, mg1(80, uniform).wait, 1e-12);
}

TEST(AllenCunneen, LetsNobodyWaitWhereNothingScatters) {
    const ServiceLaw constant({{1, {Distribution::constant(10ms)}}});
    const Queue queue = ggc(95, 0, constant, 1);
    EXPECT_EQ(queue.wait, 0);
    EXPECT_NEAR(percentile(queue, 0.99), 0.010, 1e-5);
}

TEST(AllenCunneen, ComesNearAQueueOfSeveralServersPlayedThrough) {
    const ServiceLaw law({{1, {Distribution::lognormal(5ms, 40ms)}}});
    const double rate = 4 * 0.8 / law.mean();
    const auto played = test::play(rate, 4, 150'000, [](std::uint64_t i) {
        return to_seconds(core::keyed_duration(Distribution::lognormal(5ms, 40ms), 3, i, 9));
    });
    const Queue queue = ggc(rate, 1, law, 4);
    EXPECT_NEAR(played.wait / queue.wait, 1, 0.15);
    EXPECT_NEAR(played.percentile(0.99) / percentile(queue, 0.99), 1, 0.15);
}

}  // namespace
}  // namespace lab::theory
