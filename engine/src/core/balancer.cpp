// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/balancer.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "core/keyed_random.hpp"
#include "lab/assert.hpp"

namespace lab::core {

namespace {

constexpr std::uint32_t most_misses = 20;
/// Longest a draw of peak_ewma looks for a second backend before it takes what it has.
constexpr int most_looks = 64;
/// Finagle: Long.MaxValue >> 16, in nanoseconds.
constexpr double penalty = 140'737'488'355'327.0;

constexpr std::uint32_t bit(std::size_t peer) { return 1U << static_cast<unsigned>(peer); }

}  // namespace

Balancer::Balancer(Options options) { configure(std::move(options)); }

void Balancer::configure(Options options) {
    LAB_ASSERT(!options.peers.empty());
    LAB_ASSERT(options.peers.size() <= most);
    const std::vector<Peer> old = std::exchange(options_, std::move(options)).peers;
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < options_.peers.size(); ++i) {
        const int weight = std::max(options_.peers[i].weight, 1);
        options_.peers[i].weight = weight;
        sum += static_cast<std::uint32_t>(weight);
        if (i < old.size() && old[i].weight == weight) continue;
        states_[i].current = 0;
        states_[i].effective = weight;
    }
    total_weight_ = sum;
}

bool Balancer::resting(std::size_t peer, Instant now) const {
    const State& state = states_[peer];
    if (options_.peers.size() == 1 || options_.max_fails <= 0) return false;
    return state.fails >= options_.max_fails && state.checked &&
           now - *state.checked <= options_.fail_timeout;
}

bool Balancer::eligible(std::size_t peer, const Way& way, Instant now) const {
    // One alone may be asked again.
    const bool tried = (way.tried & bit(peer)) != 0 && options_.peers.size() > 1;
    if (tried || resting(peer, now)) return false;
    const int limit = options_.peers[peer].max_conns;
    return limit <= 0 || states_[peer].in_hand < limit;
}

template <class TakesPart>
std::optional<std::size_t> Balancer::next_in_turn(TakesPart takes_part) {
    std::optional<std::size_t> best;
    int added = 0;
    for (std::size_t i = 0; i < options_.peers.size(); ++i) {
        if (!takes_part(i)) continue;
        State& state = states_[i];
        state.current += state.effective;
        added += state.effective;
        if (state.effective < options_.peers[i].weight) ++state.effective;
        if (!best || state.current > states_[*best].current) best = i;
    }
    if (best) states_[*best].current -= added;
    return best;
}

std::optional<std::size_t> Balancer::round_robin(const Way& way, Instant now) {
    return next_in_turn([&](std::size_t i) { return eligible(i, way, now); });
}

std::int64_t Balancer::compare(std::size_t a, std::size_t b) const {
    return std::int64_t{states_[a].in_hand} * options_.peers[b].weight -
           std::int64_t{states_[b].in_hand} * options_.peers[a].weight;
}

std::optional<std::size_t> Balancer::least_conn(const Way& way, Instant now) {
    std::optional<std::size_t> best;
    bool several = false;
    for (std::size_t i = 0; i < options_.peers.size(); ++i) {
        if (!eligible(i, way, now)) continue;
        const std::int64_t order = best ? compare(i, *best) : -1;
        if (order < 0) {
            best = i;
            several = false;
        } else if (order == 0) {
            several = true;
        }
    }
    // A backend that leads alone has its turn without a change of weights.
    if (!several) return best;
    return next_in_turn(
        [&](std::size_t i) { return eligible(i, way, now) && compare(i, *best) == 0; });
}

std::optional<std::size_t> Balancer::ip_hash(Way& way, Instant now) {
    while (way.misses <= most_misses && options_.peers.size() > 1) {
        way.hash = hash_of_network(way.client, way.hash);
        auto left = static_cast<int>(way.hash % total_weight_);
        std::size_t chosen = 0;
        while (left >= options_.peers[chosen].weight) left -= options_.peers[chosen++].weight;
        if (eligible(chosen, way, now)) return chosen;
        ++way.misses;
    }
    return round_robin(way, now);
}

std::size_t Balancer::draw_by_weight(Way& way) {
    const auto step = static_cast<std::uint32_t>(Purpose::balance) + way.draws++;
    std::uint64_t left = keyed_below(options_.seed, way.request, step, total_weight_);
    std::size_t chosen = 0;
    for (; chosen + 1 < options_.peers.size(); ++chosen) {
        const auto weight = static_cast<std::uint64_t>(options_.peers[chosen].weight);
        if (left < weight) break;
        left -= weight;
    }
    return chosen;
}

std::optional<std::size_t> Balancer::random_two(Way& way, Instant now) {
    std::optional<std::size_t> first;
    while (way.misses <= most_misses && options_.peers.size() > 1) {
        const std::size_t drawn = draw_by_weight(way);
        if (first != drawn && eligible(drawn, way, now)) {
            if (first) return compare(drawn, *first) > 0 ? first : drawn;
            first = drawn;  // a good draw is no miss, but nginx counts it as one of the 20
        }
        ++way.misses;
    }
    return round_robin(way, now);
}

double Balancer::decayed(const State& state, double sample, Instant now) const {
    if (sample > state.cost) return sample;
    const double gap = static_cast<double>(std::max(now - state.heard, Duration{}).count());
    const double decay = static_cast<double>(std::max(options_.decay, Duration{1}).count());
    const double kept = exact_exp(-gap / decay);
    return state.cost * kept + sample * (1 - kept);
}

double Balancer::load(const State& state, Instant now) const {
    const double cost = decayed(state, 0, now);
    if (cost <= 0 && state.in_hand > 0) return penalty + state.in_hand;
    return cost * (state.in_hand + 1);
}

std::optional<std::size_t> Balancer::peak_ewma(Way& way, Instant now) {
    std::array<std::size_t, most> open{};
    std::size_t count = 0;
    for (std::size_t i = 0; i < options_.peers.size(); ++i) {
        if (eligible(i, way, now)) open[count++] = i;
    }
    if (count == 0) return std::nullopt;
    if (count == 1) return open[0];
    const auto draw = [&](std::size_t n) {
        const auto step = static_cast<std::uint32_t>(Purpose::balance) + way.draws++ % most_looks;
        return static_cast<std::size_t>(keyed_below(options_.seed, way.request, step, n));
    };
    const std::size_t a = draw(count);
    std::size_t b = draw(count - 1);
    if (b >= a) ++b;
    const bool second = load(states_[open[b]], now) < load(states_[open[a]], now);
    return open[second ? b : a];
}

std::optional<int> Balancer::pick(Way& way, Instant now) {
    std::optional<std::size_t> chosen;
    switch (options_.rule) {
        case BalancerRule::none:
        case BalancerRule::round_robin:
            chosen = round_robin(way, now);
            break;
        case BalancerRule::least_conn:
            chosen = least_conn(way, now);
            break;
        case BalancerRule::ip_hash:
            chosen = ip_hash(way, now);
            break;
        case BalancerRule::random_two:
            chosen = random_two(way, now);
            break;
        case BalancerRule::peak_ewma:
            chosen = peak_ewma(way, now);
            break;
    }
    if (!chosen) return std::nullopt;
    State& state = states_[*chosen];
    way.tried |= bit(*chosen);
    ++state.in_hand;
    if (!state.checked || now - *state.checked > options_.fail_timeout) state.checked = now;
    return static_cast<int>(*chosen);
}

void Balancer::done(int peer, bool failed, Instant begun, Instant now) {
    LAB_ASSERT(peer >= 0);
    LAB_ASSERT(static_cast<std::size_t>(peer) < most);
    State& state = states_[static_cast<std::size_t>(peer)];
    LAB_ASSERT(state.in_hand > 0);
    --state.in_hand;
    const Duration round_trip = std::max(now - begun, Duration{});
    state.cost = decayed(state, static_cast<double>(round_trip.count()), now);
    state.heard = now;
    if (static_cast<std::size_t>(peer) >= options_.peers.size()) return;  // taken away meanwhile
    if (options_.peers.size() == 1) {
        state.fails = 0;
    } else if (failed) {
        ++state.fails;
        state.failed = state.checked = now;
        if (options_.max_fails > 0) {
            const int weight = options_.peers[static_cast<std::size_t>(peer)].weight;
            state.effective = std::max(0, state.effective - weight / options_.max_fails);
        }
    } else if (!state.failed || (state.checked && *state.failed < *state.checked)) {
        state.fails = 0;  // it was tried again after its rest, and answered
    }
}

Balancer::Level Balancer::level(int peer, Instant now) const {
    const auto index = static_cast<std::size_t>(peer);
    LAB_ASSERT(index < options_.peers.size());
    const State& state = states_[index];
    Level made;
    made.weight = options_.peers[index].weight;
    made.effective_weight = state.effective;
    made.current_weight = state.current;
    made.in_hand = state.in_hand;
    made.fails = state.fails;
    made.resting = resting(index, now);
    const double cost = std::min(load(state, now), penalty);
    made.cost = Duration{static_cast<std::int64_t>(cost)};
    return made;
}

std::uint32_t hash_of_network(std::uint32_t client, std::uint32_t hash) {
    for (const unsigned shift : {24U, 16U, 8U}) {
        hash = (hash * 113 + ((client >> shift) & 0xffU)) % 6271;
    }
    return hash;
}

std::uint32_t virtual_address(std::uint32_t user) {
    constexpr std::uint32_t private_network = 10U << 24U;
    return private_network | (user & 0xffffU) << 8U | 1U;
}

bool may_try_next(NextUpstream when, int tries, ForwardFailure failure, bool sent, bool idempotent,
                  int asked, int backends) {
    const bool named = when == NextUpstream::error_timeout ||
                       (when == NextUpstream::error && failure == ForwardFailure::error) ||
                       (when == NextUpstream::timeout && failure == ForwardFailure::timeout);
    if (!named || (sent && !idempotent)) return false;
    return asked < backends && (tries <= 0 || asked < tries);
}

}  // namespace lab::core
