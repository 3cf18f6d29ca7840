// SPDX-License-Identifier: GPL-3.0-or-later
// Sequences worked out by hand from nginx's rules.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <vector>

#include "core/balancer.hpp"
#include "support/time.hpp"

namespace lab::core {
namespace {

using test::at;
using ::testing::ElementsAre;

Balancer::Options options(BalancerRule rule, std::initializer_list<int> weights) {
    Balancer::Options made;
    made.rule = rule;
    for (const int weight : weights) made.peers.push_back({.weight = weight});
    return made;
}

/// A balancer whose requests each end where the test says so.
struct Bench {
    explicit Bench(Balancer::Options with) : balancer{std::move(with)} {}

    int give(Instant now, std::uint32_t client = 0) {
        Balancer::Way way{.request = ++requests, .client = client};
        return balancer.pick(way, now).value_or(-1);
    }
    /// Given and ended at once.
    int ask(Instant now, bool fails = false, std::uint32_t client = 0) {
        const int peer = give(now, client);
        if (peer >= 0) balancer.done(peer, fails, now, now);
        return peer;
    }
    std::string ask_often(int times, Instant now) {
        std::string letters;
        for (int i = 0; i < times; ++i) letters += static_cast<char>('a' + ask(now));
        return letters;
    }

    Balancer balancer;
    std::uint64_t requests = 0;
};

TEST(Balancer, TakesEqualsInTurn) {
    Bench bench{options(BalancerRule::round_robin, {1, 1, 1})};
    EXPECT_EQ(bench.ask_often(7, at(0ms)), "abcabca");
}

TEST(Balancer, SpreadsAHeavyWeightSmoothly) {
    Bench bench{options(BalancerRule::round_robin, {5, 1, 1})};
    EXPECT_EQ(bench.ask_often(14, at(0ms)), "aabacaaaabacaa");
}

TEST(Balancer, ComesBackToItsFirstWeightsAfterARound) {
    Bench bench{options(BalancerRule::round_robin, {3, 2})};
    EXPECT_EQ(bench.ask_often(5, at(0ms)), "ababa");
    EXPECT_EQ(bench.balancer.level(0, at(0ms)).current_weight, 0);
    EXPECT_EQ(bench.balancer.level(1, at(0ms)).current_weight, 0);
}

TEST(Balancer, LeavesAFailedBackendAloneForItsTime) {
    Bench bench{options(BalancerRule::round_robin, {1, 1})};
    EXPECT_EQ(bench.ask(at(0ms), true), 0);
    EXPECT_TRUE(bench.balancer.level(0, at(0ms)).resting);
    EXPECT_EQ(bench.ask_often(4, at(5s)), "bbbb");
    EXPECT_EQ(bench.ask_often(1, at(10s)), "b");  // at most fail_timeout ago
    EXPECT_FALSE(bench.balancer.level(0, at(10s + 1ns)).resting);
    EXPECT_THAT(bench.ask_often(4, at(10s + 1ns)), ::testing::HasSubstr("a"));
}

TEST(Balancer, ForgivesAfterOneGoodAnswer) {
    auto with = options(BalancerRule::round_robin, {1, 1});
    with.max_fails = 2;
    Bench bench{with};
    for (int failures = 0; failures < 2;) {
        const int peer = bench.give(at(0ms));
        bench.balancer.done(peer, peer == 0, at(0ms), at(0ms));
        failures += peer == 0 ? 1 : 0;
    }
    EXPECT_EQ(bench.balancer.level(0, at(0ms)).fails, 2);
    const Instant later = at(11s);
    while (bench.ask(later) != 0) {
    }
    EXPECT_EQ(bench.balancer.level(0, later).fails, 0);
}

/// weight 4, max_fails 2: a failure takes 2 off, and each look gives 1 back.
TEST(Balancer, TakesWeightOffAFailureAndGivesItBackByOne) {
    auto with = options(BalancerRule::round_robin, {4, 1});
    with.max_fails = 2;
    Bench bench{with};
    EXPECT_EQ(bench.ask(at(0ms), true), 0);
    EXPECT_EQ(bench.balancer.level(0, at(0ms)).effective_weight, 2);
    bench.ask(at(0ms));
    EXPECT_EQ(bench.balancer.level(0, at(0ms)).effective_weight, 3);
    bench.ask(at(0ms));
    EXPECT_EQ(bench.balancer.level(0, at(0ms)).effective_weight, 4);
    bench.ask(at(0ms));
    EXPECT_EQ(bench.balancer.level(0, at(0ms)).effective_weight, 4);
}

TEST(Balancer, CountsNothingAgainstOneAlone) {
    Bench bench{options(BalancerRule::round_robin, {1})};
    for (int i = 0; i < 5; ++i) EXPECT_EQ(bench.ask(at(0ms), true), 0);
    EXPECT_EQ(bench.balancer.level(0, at(0ms)).fails, 0);
}

TEST(Balancer, GivesNoMoreThanMaxConns) {
    auto with = options(BalancerRule::round_robin, {1, 1});
    with.peers[0].max_conns = with.peers[1].max_conns = 1;
    Bench bench{with};
    EXPECT_EQ(bench.give(at(0ms)), 0);
    EXPECT_EQ(bench.give(at(0ms)), 1);
    EXPECT_EQ(bench.give(at(0ms)), -1);
    bench.balancer.done(1, false, at(0ms), at(1ms));
    EXPECT_EQ(bench.give(at(1ms)), 1);
}

TEST(Balancer, AsksEachOnceForOneRequest) {
    for (const auto rule :
         {BalancerRule::round_robin, BalancerRule::least_conn, BalancerRule::ip_hash,
          BalancerRule::random_two, BalancerRule::peak_ewma}) {
        auto with = options(rule, {1, 1, 1});
        with.max_fails = 0;
        Balancer balancer{with};
        Balancer::Way way{.request = 7, .client = virtual_address(3)};
        std::vector<int> asked;
        while (const auto peer = balancer.pick(way, at(0ms))) {
            balancer.done(*peer, true, at(0ms), at(0ms));
            asked.push_back(*peer);
        }
        EXPECT_THAT(asked, ::testing::UnorderedElementsAre(0, 1, 2));
    }
}

TEST(Balancer, GivesToTheLeastBusyForItsWeight) {
    Bench bench{options(BalancerRule::least_conn, {1, 3})};
    // In hand / weight: equal (turn: the heavier), 0 < 1/3, then 1 > 1/3, 1 > 2/3, then equal.
    std::vector<int> given;
    for (int i = 0; i < 4; ++i) given.push_back(bench.give(at(0ms)));
    EXPECT_THAT(given, ElementsAre(1, 0, 1, 1));
}

TEST(Balancer, BreaksTiesOfLeastConnInTurn) {
    Bench bench{options(BalancerRule::least_conn, {1, 1, 1})};
    EXPECT_EQ(bench.ask_often(6, at(0ms)), "abcabc");
    const int held = bench.give(at(0ms));
    EXPECT_EQ(held, 0);
    EXPECT_EQ(bench.ask_often(4, at(0ms)).find('a'), std::string::npos);
}

/// h = ((89 * 113 + 10) * 113 + 0) * 113 + 5, modulo 6271 at each step: 3796, 2520, 2570.
TEST(Balancer, HashesTheFirstThreeOctets) {
    EXPECT_EQ(hash_of_network(0x0A000005, 89), hash_of_network(0x0A0000FF, 89));
    EXPECT_EQ(hash_of_network(0x0A000501, 89), 2570U);
    EXPECT_NE(hash_of_network(0x0A000501, 89), hash_of_network(0x0A000601, 89));
    EXPECT_EQ(virtual_address(5), 0x0A000501U);
}

TEST(Balancer, KeepsAClientWithItsBackend) {
    Bench bench{options(BalancerRule::ip_hash, {1, 1, 1})};
    EXPECT_EQ(bench.ask(at(0ms), false, virtual_address(5)), 2570 % 3);
    for (std::uint32_t user = 0; user < 50; ++user) {
        const int first = bench.ask(at(0ms), false, virtual_address(user));
        for (int i = 0; i < 3; ++i) {
            EXPECT_EQ(bench.ask(at(0ms), false, virtual_address(user)), first);
        }
    }
}

/// Behind one router every client is the same to it.
TEST(Balancer, SendsOneAddressToOneBackend) {
    Bench bench{options(BalancerRule::ip_hash, {1, 1, 1})};
    const int first = bench.ask(at(0ms), false, 0x7f000001);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(bench.ask(at(0ms), false, 0x7f000001), first);
}

TEST(Balancer, HashesOnWhereTheBackendCannotBeHad) {
    Bench bench{options(BalancerRule::ip_hash, {1, 1, 1})};
    const std::uint32_t client = virtual_address(5);
    const int first = bench.ask(at(0ms), true, client);
    // The hash goes on from 2570: 10, 0, 5 once more.
    const std::uint32_t next = hash_of_network(client, 2570) % 3;
    if (static_cast<int>(next) != first) {
        EXPECT_EQ(bench.ask(at(1s), false, client), static_cast<int>(next));
    }
    EXPECT_NE(bench.ask(at(1s), false, client), first);
    EXPECT_EQ(bench.ask(at(11s), false, client), first);
}

TEST(Balancer, TakesTheBetterOfTwoDrawn) {
    Bench bench{options(BalancerRule::random_two, {1, 1})};
    EXPECT_GE(bench.give(at(0ms)), 0);
    // Two backends: both are drawn, and the one with less in hand is taken.
    for (int i = 0; i < 20; ++i) {
        const int before_a = bench.balancer.level(0, at(0ms)).in_hand;
        const int before_b = bench.balancer.level(1, at(0ms)).in_hand;
        const int given = bench.give(at(0ms));
        if (before_a != before_b) {
            EXPECT_EQ(given, before_a < before_b ? 0 : 1);
        }
    }
}

/// A surprise of nginx's rule: of two idle backends the second drawn is taken, and the heavier one
/// is drawn first two times in three. Under load the requests in hand put it right.
TEST(Balancer, TakesTheSecondDrawnOfTwoIdle) {
    Bench idle{options(BalancerRule::random_two, {2, 1})};
    const std::string letters = idle.ask_often(3'000, at(0ms));
    EXPECT_NEAR(static_cast<double>(std::count(letters.begin(), letters.end(), 'b')), 2'000, 100);
    Bench busy{options(BalancerRule::random_two, {2, 1})};
    int heavy = 0;
    for (int i = 0; i < 300; ++i) heavy += busy.give(at(0ms)) == 0 ? 1 : 0;
    EXPECT_NEAR(heavy, 200, 2);
}

TEST(Balancer, DrawsTheSameForTheSameRequest) {
    Bench one{options(BalancerRule::random_two, {1, 2, 3})};
    Bench other{options(BalancerRule::random_two, {1, 2, 3})};
    EXPECT_EQ(one.ask_often(50, at(0ms)), other.ask_often(50, at(0ms)));
}

TEST(Balancer, PrefersTheQuickByPeakEwma) {
    Bench bench{options(BalancerRule::peak_ewma, {1, 1})};
    Instant now = at(0ms);
    int quick = 0;
    for (int i = 0; i < 200; ++i) {
        const int peer = bench.give(now);
        const Instant begun = now;
        now += peer == 0 ? 100ms : 10ms;
        bench.balancer.done(peer, false, begun, now);
        quick += peer;
    }
    EXPECT_GT(quick, 180);
}

/// Cost jumps to a peak and decays over ten seconds: e^-1 of 100 ms after one of them.
TEST(Balancer, ForgetsAPeakOverTheDecay) {
    Bench bench{options(BalancerRule::peak_ewma, {1, 1})};
    const int peer = bench.give(at(0ms));
    bench.balancer.done(peer, false, at(0ms), at(100ms));
    EXPECT_EQ(bench.balancer.level(peer, at(100ms)).cost, 100ms);
    const Duration later = bench.balancer.level(peer, at(10s + 100ms)).cost;
    EXPECT_NEAR(to_ms(later), 36.788, 0.01);
}

TEST(Balancer, KeepsFailuresAndRequestsWhenItIsConfiguredAnew) {
    Bench bench{options(BalancerRule::round_robin, {1, 1})};
    EXPECT_EQ(bench.ask(at(0ms), true), 0);
    EXPECT_EQ(bench.give(at(0ms)), 1);
    bench.balancer.configure(options(BalancerRule::least_conn, {1, 4}));
    EXPECT_TRUE(bench.balancer.level(0, at(0ms)).resting);
    EXPECT_EQ(bench.balancer.level(1, at(0ms)).in_hand, 1);
    EXPECT_EQ(bench.balancer.level(1, at(0ms)).effective_weight, 4);
    bench.balancer.configure(options(BalancerRule::round_robin, {1}));  // taken away in hand
    bench.balancer.done(1, false, at(0ms), at(1ms));
}

TEST(NextUpstream, AsksTheNextOnlyAfterWhatIsNamed) {
    using enum ForwardFailure;
    EXPECT_TRUE(may_try_next(NextUpstream::error_timeout, 0, error, false, true, 1, 3));
    EXPECT_TRUE(may_try_next(NextUpstream::error_timeout, 0, timeout, true, true, 1, 3));
    EXPECT_FALSE(may_try_next(NextUpstream::off, 0, error, false, true, 1, 3));
    EXPECT_FALSE(may_try_next(NextUpstream::error, 0, timeout, false, true, 1, 3));
    EXPECT_FALSE(may_try_next(NextUpstream::timeout, 0, error, false, true, 1, 3));
}

TEST(NextUpstream, SendsNothingTwiceThatIsNotIdempotent) {
    using enum ForwardFailure;
    EXPECT_TRUE(may_try_next(NextUpstream::error_timeout, 0, error, false, false, 1, 3));
    EXPECT_FALSE(may_try_next(NextUpstream::error_timeout, 0, error, true, false, 1, 3));
}

TEST(NextUpstream, StopsAtTheLimitAndAtTheLastBackend) {
    using enum ForwardFailure;
    EXPECT_FALSE(may_try_next(NextUpstream::error_timeout, 2, error, false, true, 2, 3));
    EXPECT_FALSE(may_try_next(NextUpstream::error_timeout, 0, error, false, true, 3, 3));
}

}  // namespace
}  // namespace lab::core
