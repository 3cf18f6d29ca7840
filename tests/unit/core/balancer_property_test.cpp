// SPDX-License-Identifier: GPL-3.0-or-later
// Laws of every balancer, for weights and failures as they come.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <numeric>
#include <vector>

#include "core/balancer.hpp"
#include "support/time.hpp"

namespace lab::core {
namespace {

using test::at;

constexpr std::array rules{BalancerRule::round_robin, BalancerRule::least_conn,
                           BalancerRule::ip_hash, BalancerRule::random_two,
                           BalancerRule::peak_ewma};

Balancer::Options drawn(BalancerRule rule) {
    Balancer::Options made;
    made.rule = rule;
    const auto count = *rc::gen::inRange<std::size_t>(2, 1 + Balancer::most);
    for (std::size_t i = 0; i < count; ++i) {
        made.peers.push_back({.weight = *rc::gen::inRange(1, 10)});
    }
    return made;
}

int total(const Balancer::Options& options) {
    return std::accumulate(options.peers.begin(), options.peers.end(), 0,
                           [](int sum, const auto& peer) { return sum + peer.weight; });
}

RC_GTEST_PROP(BalancerLaws, RoundRobinGivesEachExactlyItsWeightARound, ()) {
    const auto options = drawn(BalancerRule::round_robin);
    Balancer balancer{options};
    std::vector<int> given(options.peers.size());
    for (int i = 0; i < 3 * total(options); ++i) {
        Balancer::Way way{.request = static_cast<std::uint64_t>(i)};
        const auto peer = balancer.pick(way, at(0ms));
        RC_ASSERT(peer.has_value());
        ++given[static_cast<std::size_t>(*peer)];
        balancer.done(*peer, false, at(0ms), at(0ms));
    }
    for (std::size_t i = 0; i < given.size(); ++i) {
        RC_ASSERT(given[i] == 3 * options.peers[i].weight);
    }
}

/// Requests that stay in hand end up spread as the weights are.
RC_GTEST_PROP(BalancerLaws, LeastConnFillsByWeight, ()) {
    const auto options = drawn(BalancerRule::least_conn);
    Balancer balancer{options};
    const int rounds = 4;
    for (int i = 0; i < rounds * total(options); ++i) {
        Balancer::Way way{.request = static_cast<std::uint64_t>(i)};
        RC_ASSERT(balancer.pick(way, at(0ms)).has_value());
    }
    for (std::size_t i = 0; i < options.peers.size(); ++i) {
        RC_ASSERT(balancer.level(static_cast<int>(i), at(0ms)).in_hand ==
                  rounds * options.peers[i].weight);
    }
}

/// Whatever the rule: who has failed max_fails times gets nothing for fail_timeout, as long as
/// another is there; and what is in hand is what was given and not done.
RC_GTEST_PROP(BalancerLaws, AFailedBackendRestsItsTime, ()) {
    const auto rule = *rc::gen::elementOf(std::vector<BalancerRule>(rules.begin(), rules.end()));
    auto options = drawn(rule);
    options.max_fails = *rc::gen::inRange(1, 4);
    options.fail_timeout = 1s;
    Balancer balancer{options};
    const std::size_t count = options.peers.size();
    std::vector<int> in_hand(count), fails(count);
    std::vector<Instant> failed(count, at(-10s));
    std::vector<std::pair<int, Instant>> given;
    Instant now = at(0ms);
    for (std::uint64_t request = 0; request < 200; ++request) {
        now += Duration{1ms} * *rc::gen::inRange(0, 60);
        Balancer::Way way{.request = request,
                          .client = virtual_address(static_cast<std::uint32_t>(request % 17))};
        if (const auto peer = balancer.pick(way, now)) {
            const auto i = static_cast<std::size_t>(*peer);
            RC_ASSERT(fails[i] < options.max_fails || now - failed[i] > options.fail_timeout);
            ++in_hand[i];
            given.emplace_back(*peer, now);
        } else {  // only where every one rests
            for (std::size_t i = 0; i < count; ++i) {
                RC_ASSERT(balancer.level(static_cast<int>(i), now).resting);
            }
        }
        if (given.empty() || *rc::gen::inRange(0, 3) == 0) continue;
        const auto [peer, begun] = given.back();
        given.pop_back();
        const auto i = static_cast<std::size_t>(peer);
        const bool fault = *rc::gen::inRange(0, 3) == 0;
        balancer.done(peer, fault, begun, now);
        --in_hand[i];
        if (fault) failed[i] = now;
        fails[i] = balancer.level(peer, now).fails;
        for (std::size_t j = 0; j < count; ++j) {
            RC_ASSERT(balancer.level(static_cast<int>(j), now).in_hand == in_hand[j]);
        }
    }
}

/// The shares themselves are no law: see TakesTheSecondDrawnOfTwoIdle.
RC_GTEST_PROP(BalancerLaws, RandomTwoStarvesNobody, ()) {
    const auto options = drawn(BalancerRule::random_two);
    Balancer balancer{options};
    std::vector<int> given(options.peers.size());
    for (std::uint64_t request = 0; request < 3'000; ++request) {
        Balancer::Way way{.request = request};
        const auto peer = balancer.pick(way, at(0ms));
        RC_ASSERT(peer.has_value());
        ++given[static_cast<std::size_t>(*peer)];
        balancer.done(*peer, false, at(0ms), at(0ms));
    }
    for (const int share : given) RC_ASSERT(share > 0);
}

RC_GTEST_PROP(BalancerLaws, IpHashIsAFunctionOfTheAddress, ()) {
    const auto options = drawn(BalancerRule::ip_hash);
    Balancer one{options}, other{options};
    const auto user = *rc::gen::inRange<std::uint32_t>(0, 65'536);
    Balancer::Way first{.request = 1, .client = virtual_address(user)};
    Balancer::Way again{.request = 999, .client = virtual_address(user)};
    for (std::uint64_t request = 0; request < 5; ++request) {  // others come between
        Balancer::Way way{.request = request, .client = virtual_address(user + 1)};
        static_cast<void>(other.pick(way, at(0ms)));
    }
    RC_ASSERT(one.pick(first, at(0ms)) == other.pick(again, at(1s)));
}

}  // namespace
}  // namespace lab::core
