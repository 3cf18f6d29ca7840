// SPDX-License-Identifier: GPL-3.0-or-later
// Queues in open loop, in steady state. Rates per second, times in seconds.
#pragma once

#include <functional>
#include <span>

#include "theory/service_law.hpp"

namespace lab::theory {

/// What a queue does in steady state.
struct Queue {
    double throughput = 0;  ///< served per second
    double refused = 0;     ///< share of the arrivals
    double waits = 0;       ///< share of the served who have to wait
    double wait = 0;        ///< mean of the served, zeros with them
    double latency = 0;     ///< mean of the served: wait and service
    double number = 0;      ///< mean inside
    /// P(latency > seconds) of the served.
    std::function<double(double)> tail;
};

/// The time that a share of the served stay below: `share` in (0, 1). By bisection over the tail.
[[nodiscard]] double percentile(const Queue& queue, double share);

/// Blocked with no queue at all; and waiting with an endless one. `offered` is rate x service, in
/// erlang; erlang_c needs offered < servers.
/// Source: A. K. Erlang, "Solution of some problems in the theory of probabilities of significance
/// in automatic telephone exchanges" (1917); the recursion of B is in Kleinrock, Queueing Systems
/// I (1975), chapter 3.
[[nodiscard]] double erlang_b(int servers, double offered);
[[nodiscard]] double erlang_c(int servers, double offered);

/// Poisson arrivals, exponential service. Needs rate x service < servers.
/// Source: Kleinrock, Queueing Systems I (1975), sections 3.2 and 3.5; the sojourn in Gross and
/// Harris, Fundamentals of Queueing Theory, section 2.3.
[[nodiscard]] Queue mm1(double rate, double service);
[[nodiscard]] Queue mmc(double rate, double service, int servers);
/// At most `places` inside, those in service with them; any load. Source: Kleinrock I, 3.6.
[[nodiscard]] Queue mmck(double rate, double service, int servers, int places);

/// Poisson arrivals, constant service, first come first served: mean and distribution exact.
/// Source: C. D. Crommelin, "Delay probability formulae when the holding times are constant", Post
/// Office Electrical Engineers Journal 25 (1932); the distribution in the form of G. J. Franx, "A
/// simple solution for the M/D/c waiting time distribution", Operations Research Letters 29 (2001),
/// which only adds positive terms.
[[nodiscard]] Queue md1(double rate, double service);
[[nodiscard]] Queue mdc(double rate, double service, int servers);

/// Poisson arrivals, any law of service, one server. The mean is exact; the distribution is that of
/// the transform equation, inverted on a grid of some thousand steps.
/// Source: F. Pollaczek (1930), A. Khinchine (1932); as a geometric sum of residual service times:
/// V. E. Benes, "On queues with Poisson arrivals", Annals of Mathematical Statistics 28 (1957).
[[nodiscard]] Queue mg1(double rate, const ServiceLaw& service);

/// Any law of arrival (squared coefficient of variation `arrival_scv`) and of service. An
/// approximation: exact for M/M/c and, with one server, for the mean of M/G/1; above all others it
/// is good where much is waited. The waits of those who wait are taken as exponential.
/// Source: A. O. Allen, Probability, Statistics and Queueing Theory (1978), section 5.3, after
/// Cunneen; the tail: T. Kimura, "A two-moment approximation for the mean waiting time in the
/// GI/G/s queue", Management Science 32 (1986).
[[nodiscard]] Queue ggc(double rate, double arrival_scv, const ServiceLaw& service, int servers);

/// A served customer who finds n others waits for n - servers + 1 exponential services; `seen[n]`
/// is the share who find n. P(wait and own service > seconds). Source: Gross and Harris, 2.3 - 2.5.
[[nodiscard]] double sojourn_tail(std::span<const double> seen, double service, int servers,
                                  double seconds);

}  // namespace lab::theory
