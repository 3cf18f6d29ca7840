// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

namespace lab::theory {

/// One place where users wait for one of `servers` alike.
struct Station {
    double demand = 0;  ///< seconds of service in one round
    int servers = 1;
};

struct ClosedNetwork {
    std::vector<Station> stations;
    double think = 0;  ///< seconds between an answer and the next request: waited for by nobody
};

struct ClosedFigures {
    double throughput = 0;                ///< rounds per second
    double latency = 0;                   ///< seconds of a round without thinking
    std::vector<double> station_latency;  ///< seconds in each
    std::vector<double> number;           ///< users in each
    std::vector<double> utilisation;      ///< of its servers, 0..1
};

/// Exact mean value analysis for `users` at once: exponential service where there is a queue first
/// come first served, any law of thinking.
///
/// Stations with several servers carry the shares in which 0 .. c-1 are inside. The share of 0 is
/// taken from the throughput of the network without that station, which is stable where the
/// textbook's one minus a sum is not; it costs a factor of two for each such station.
/// At most 8 stations with several servers. Cost: O(users x servers).
/// Source: M. Reiser and S. S. Lavenberg, "Mean-value analysis of closed multichain queuing
/// networks", Journal of the ACM 27 (1980); the stable share of 0: M. Reiser, "Mean-value analysis
/// and convolution method for queue-dependent servers in closed queueing networks", Performance
/// Evaluation 1 (1981).
[[nodiscard]] ClosedFigures mean_value_analysis(const ClosedNetwork& network, int users);

/// Shares of time with 0 .. users inside one station, where thinking is the only other thing: the
/// machine repair model. With one user fewer it is what an arriving user finds.
/// Source: Kleinrock, Queueing Systems I (1975), section 3.8; the arrival theorem: Lavenberg and
/// Reiser, Journal of Applied Probability 17 (1980).
[[nodiscard]] std::vector<double> machine_repair(int users, double think, double service,
                                                 int servers);

}  // namespace lab::theory
