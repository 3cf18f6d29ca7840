// SPDX-License-Identifier: GPL-3.0-or-later
#include "theory/closed_network.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "lab/assert.hpp"

namespace lab::theory {
namespace {

/// The recursion for every subset of the stations that is needed, each once.
class Analysis {
  public:
    Analysis(const ClosedNetwork& network, int users) : network_{network}, users_{users} {}

    /// Throughputs for 1 .. users of the network without the stations in `removed`, a bit each.
    const std::vector<double>& throughputs(unsigned removed) {
        const auto known = throughputs_.find(removed);
        if (known != throughputs_.end()) return known->second;
        return throughputs_[removed] = recurse(removed, nullptr);
    }
    std::vector<double> recurse(unsigned removed, ClosedFigures* figures);

  private:
    struct Place {
        std::size_t index = 0;
        double number = 0;
        std::vector<double> shares;                    ///< of 0 .. c-1 inside; several servers
        const std::vector<double>* without = nullptr;  ///< throughputs when it is not there
    };
    std::vector<Place> places_left(unsigned removed);
    [[nodiscard]] double latency_at(const Place& place) const;
    void move_on(Place& place, double throughput, double number, int users) const;

    const ClosedNetwork& network_;
    int users_;
    std::map<unsigned, std::vector<double>> throughputs_;
};

std::vector<Analysis::Place> Analysis::places_left(unsigned removed) {
    std::vector<Place> places;
    for (std::size_t i = 0; i < network_.stations.size(); ++i) {
        if ((removed >> i & 1U) != 0) continue;
        Place place;
        place.index = i;
        const int servers = network_.stations[i].servers;
        if (servers > 1) {
            place.shares.assign(static_cast<std::size_t>(servers), 0.0);
            place.shares[0] = 1;
            place.without = &throughputs(removed | 1U << i);
        }
        places.push_back(std::move(place));
    }
    return places;
}

double Analysis::latency_at(const Place& place) const {
    const Station& station = network_.stations[place.index];
    double ahead = 1 + place.number;
    for (int j = 0; j + 1 < station.servers; ++j) {
        ahead += (station.servers - 1 - j) * place.shares[static_cast<std::size_t>(j)];
    }
    return station.demand / station.servers * ahead;
}

void Analysis::move_on(Place& place, double throughput, double number, int users) const {
    const Station& station = network_.stations[place.index];
    place.number = number;
    if (station.servers == 1) return;
    for (std::size_t j = place.shares.size() - 1; j > 0; --j) {
        place.shares[j] =
            station.demand / static_cast<double>(j) * throughput * place.shares[j - 1];
    }
    place.shares[0] *= throughput / (*place.without)[static_cast<std::size_t>(users) - 1];
}

std::vector<double> Analysis::recurse(unsigned removed, ClosedFigures* figures) {
    std::vector<Place> places = places_left(removed);
    std::vector<double> result, latency(places.size());
    for (int n = 1; n <= users_; ++n) {
        double round = network_.think;
        for (std::size_t i = 0; i < places.size(); ++i) {
            latency[i] = latency_at(places[i]);
            round += latency[i];
        }
        const double throughput = round > 0 ? n / round : std::numeric_limits<double>::infinity();
        result.push_back(throughput);
        if (round <= 0) continue;
        for (std::size_t i = 0; i < places.size(); ++i) {
            move_on(places[i], throughput, throughput * latency[i], n);
        }
    }
    if (!figures) return result;
    figures->throughput = result.back();
    for (std::size_t i = 0; i < places.size(); ++i) {
        const Station& station = network_.stations[places[i].index];
        figures->latency += latency[i];
        figures->station_latency.push_back(latency[i]);
        figures->number.push_back(places[i].number);
        figures->utilisation.push_back(
            std::min(1.0, result.back() * station.demand / station.servers));
    }
    return result;
}

}  // namespace

ClosedFigures mean_value_analysis(const ClosedNetwork& network, int users) {
    LAB_ASSERT(users >= 1);
    const auto several = [](const Station& s) { return s.servers > 1; };
    LAB_ASSERT(network.stations.size() < 32);
    LAB_ASSERT(std::ranges::count_if(network.stations, several) <= 8);
    ClosedFigures figures;
    (void)Analysis(network, users).recurse(0, &figures);
    return figures;
}

std::vector<double> machine_repair(int users, double think, double service, int servers) {
    LAB_ASSERT(users >= 0);
    std::vector<double> shares(static_cast<std::size_t>(users) + 1);
    if (think <= 0) {  // nobody is ever away
        shares.back() = 1;
        return shares;
    }
    for (int n = 1; n <= users; ++n) {
        shares[static_cast<std::size_t>(n)] =
            shares[static_cast<std::size_t>(n) - 1] +
            std::log((users - n + 1) * service / think / std::min(n, servers));
    }
    const double most = *std::ranges::max_element(shares);
    double sum = 0;
    for (double& p : shares) sum += p = std::exp(p - most);
    for (double& p : shares) p /= sum;
    return shares;
}

}  // namespace lab::theory
