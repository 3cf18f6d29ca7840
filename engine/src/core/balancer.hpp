// SPDX-License-Identifier: GPL-3.0-or-later
// Which of several equal servers gets a request: nginx's rules and Finagle's peak EWMA.
#pragma once

#include "lab/model.hpp"
#include "lab/units.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace lab::core {

/// Chooses a backend for each request, keeps count of what each has in hand, and passes over those
/// that have failed lately.
///
/// Rules, as nginx 1.31.5 has them (src/http/ngx_http_upstream_round_robin.c and
/// src/http/modules/ngx_http_upstream_{least_conn,ip_hash,random}_module.c):
/// - round_robin: smooth and weighted. Each eligible backend's current weight grows by its
///   effective weight; the highest is chosen (the first of equals), and the sum of what was added
///   is taken off it. An effective weight below the weight recovers by one at each such look.
/// - least_conn: the least requests in hand for its weight; among equals round_robin, as above.
/// - ip_hash: the first three octets of the client's address (h = 89, then h = (113 h + octet) mod
///   6271 for each), modulo the total weight; a backend that cannot be had hashes on from h. After
///   more than 20 such failures round_robin.
/// - random_two: two different backends drawn by weight, and of these the one with less in hand for
///   its weight (the second where they are equal); more than 20 draws that were no good:
///   round_robin. The draws are keyed by (seed, request).
/// A backend is eligible where this request has not tried it, it holds fewer than max_conns, and it
/// has not failed max_fails times with the last failure at most fail_timeout ago. After that time
/// it is given requests again, and one success forgives its failures. A failure takes weight /
/// max_fails off the effective weight, down to 0. With one backend alone nothing is counted against
/// it. nginx looks at a clock of whole seconds; here time is exact.
///
/// peak_ewma (Finagle, finagle-core/.../loadbalancer/PeakEwma.scala with p2c/P2CPick.scala): of two
/// different eligible backends drawn alike, the one with the lower cost x (in hand + 1). A backend
/// never heard of counts as free, and as very dear once it has a request. The cost is an average of
/// round trips that decays over `decay` and jumps to every higher one at once; failures count by
/// their time. Weights do not matter to it, max_fails does.
///
/// Pure: no clock, no lock; `now` never goes back. Threads: one at a time, the owner's lock.
class Balancer {
  public:
    static constexpr std::size_t most = most_backends;

    struct Peer {
        int weight = 1;
        int max_conns = 0;  ///< 0: no limit
        friend bool operator==(const Peer&, const Peer&) = default;
    };
    struct Options {
        BalancerRule rule = BalancerRule::round_robin;
        int max_fails = 1;  ///< 0: failures are not counted
        Duration fail_timeout = 10s;
        std::vector<Peer> peers;  ///< 1 to most
        Duration decay = 10s;     ///< peak_ewma: Finagle's default
        std::uint64_t seed = 42;  ///< of the draws
    };
    explicit Balancer(Options options);

    /// The way of one request: whom it has tried. Made by the caller, once a request.
    struct Way {
        std::uint64_t request = 0;  ///< keys the draws
        std::uint32_t client = 0;   ///< IPv4 address, host byte order
        std::uint32_t tried = 0;    ///< bit per backend
        std::uint32_t hash = 89;    ///< ip_hash goes on from here
        std::uint32_t misses = 0;   ///< ip_hash, random_two: choices that were no good
        std::uint32_t draws = 0;
    };
    /// The backend to give the request to, which then holds it until done(). Nothing: none is
    /// eligible.
    [[nodiscard]] std::optional<int> pick(Way& way, Instant now);
    /// What pick() gave has ended. `begun`: when it was given.
    void done(int peer, bool failed, Instant begun, Instant now);

    /// New rule, limits and weights. Requests in hand and failures are kept; a backend whose weight
    /// differs starts afresh with it.
    void configure(Options options);

    struct Level {
        int weight = 1;
        int effective_weight = 1;
        int current_weight = 0;
        int in_hand = 0;
        int fails = 0;
        bool resting = false;  ///< passed over because it failed
        Duration cost{};       ///< peak_ewma: of one more request
    };
    [[nodiscard]] Level level(int peer, Instant now) const;
    [[nodiscard]] int peers() const { return static_cast<int>(options_.peers.size()); }

  private:
    struct State {
        int current = 0;
        int effective = 1;
        int in_hand = 0;
        int fails = 0;
        std::optional<Instant> failed;   ///< the last failure
        std::optional<Instant> checked;  ///< the last failure, or look after fail_timeout
        double cost = 0;                 ///< nanoseconds
        Instant heard{};
    };
    [[nodiscard]] bool resting(std::size_t peer, Instant now) const;
    [[nodiscard]] bool eligible(std::size_t peer, const Way& way, Instant now) const;
    /// Of those that `takes_part`: the next in turn, or nothing.
    template <class TakesPart>
    [[nodiscard]] std::optional<std::size_t> next_in_turn(TakesPart takes_part);
    [[nodiscard]] std::optional<std::size_t> round_robin(const Way& way, Instant now);
    [[nodiscard]] std::optional<std::size_t> least_conn(const Way& way, Instant now);
    [[nodiscard]] std::optional<std::size_t> ip_hash(Way& way, Instant now);
    [[nodiscard]] std::optional<std::size_t> random_two(Way& way, Instant now);
    [[nodiscard]] std::optional<std::size_t> peak_ewma(Way& way, Instant now);
    [[nodiscard]] std::size_t draw_by_weight(Way& way);
    [[nodiscard]] double decayed(const State& state, double sample, Instant now) const;
    [[nodiscard]] double load(const State& state, Instant now) const;
    /// Compares requests in hand for the weight: below 0 where `a` has less.
    [[nodiscard]] std::int64_t compare(std::size_t a, std::size_t b) const;

    Options options_;
    std::array<State, most> states_;
    std::uint32_t total_weight_ = 1;
};

/// nginx's ip_hash of the first three octets of an address, going on from `hash`.
[[nodiscard]] std::uint32_t hash_of_network(std::uint32_t client, std::uint32_t hash);

/// The address that a virtual client has: on one machine all would be 127.0.0.1, and a rule by
/// address would see one client. Each user has a network (three octets) of its own, up to 65,536.
[[nodiscard]] std::uint32_t virtual_address(std::uint32_t user);

/// What became of a request that was given to a backend.
enum class ForwardFailure : std::uint8_t { error, timeout };

/// Whether the next backend is asked, as nginx's proxy_next_upstream has it: where this kind of
/// failure is among those named, fewer than `tries` backends were asked (0: no limit) and fewer
/// than there are; and a request that is not idempotent (RFC 9110 9.2.2) only while it was not
/// sent.
[[nodiscard]] bool may_try_next(NextUpstream when, int tries, ForwardFailure failure, bool sent,
                                bool idempotent, int asked, int backends);

}  // namespace lab::core
