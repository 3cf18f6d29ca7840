// SPDX-License-Identifier: GPL-3.0-or-later
#include "theory/queues.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <vector>

#include <boost/math/special_functions/gamma.hpp>

#include "lab/assert.hpp"

namespace lab::theory {
namespace {

/// States of which less than this is seen are left out of a tail.
constexpr double hardly_seen = 1e-10;

/// Means from what is waited: Little's law.
Queue with_means(double rate, double service, double waits, double wait) {
    Queue queue;
    queue.throughput = rate;
    queue.waits = waits;
    queue.wait = wait;
    queue.latency = wait + service;
    queue.number = rate * queue.latency;
    return queue;
}

/// P(E + S > t): E a sum of `stages` exponential times of rate c/service, S exponential.
double stages_tail(int stages, double service, int servers, double t) {
    const double mu = 1 / service, all = servers * mu;
    const double k = stages;
    if (servers == 1) return boost::math::gamma_q(k + 1, mu * t);
    // exp(-mu t) (c / (c-1))^k P(k, (c-1) mu t): by logarithms, as the power can be huge.
    const double rest = boost::math::gamma_p(k, (all - mu) * t);
    const double lift =
        rest > 0 ? std::exp(k * std::log(all / (all - mu)) - mu * t + std::log(rest)) : 0;
    return std::min(1.0, boost::math::gamma_q(k, all * t) + lift);
}

/// A distribution on a grid, as the share above a time.
class GridTail {
  public:
    GridTail(const std::vector<double>& mass, double step) : step_{step}, above_(mass.size()) {
        double sum = 0;
        for (std::size_t i = mass.size(); i-- > 0;) {
            above_[i] = std::min(1.0, sum + mass[i] / 2);  // a point stands for both its sides
            sum += mass[i];
        }
    }
    double operator()(double t) const {
        const double at = t / step_;
        if (at < 0) return 1;
        const auto low = static_cast<std::size_t>(at);
        if (low + 1 >= above_.size()) return 0;
        const double part = at - static_cast<double>(low);
        return above_[low] * (1 - part) + above_[low + 1] * part;
    }

  private:
    double step_;
    std::vector<double> above_;
};

constexpr std::size_t grid_points = 8192;

/// Long enough that next to nothing wraps round its end.
double grid_step(const ServiceLaw& service, double mean_of_those_who_wait) {
    const double reach = 1.3 * service.nearly_most() + 28 * mean_of_those_who_wait;
    return reach / static_cast<double>(grid_points);
}

}  // namespace

double percentile(const Queue& queue, double share) {
    LAB_ASSERT(share > 0 && share < 1);
    const double above = 1 - share;
    double low = 0, high = std::max(queue.latency, 1e-9);
    for (int i = 0; i < 60 && queue.tail(high) > above; ++i) high *= 2;
    for (int i = 0; i < 50 && high - low > 1e-9 * high; ++i) {
        const double middle = (low + high) / 2;
        (queue.tail(middle) > above ? low : high) = middle;
    }
    return high;
}

double erlang_b(int servers, double offered) {
    double blocked = 1;
    for (int k = 1; k <= servers; ++k) blocked = offered * blocked / (k + offered * blocked);
    return blocked;
}

double erlang_c(int servers, double offered) {
    const double blocked = erlang_b(servers, offered), utilisation = offered / servers;
    return blocked / (1 - utilisation * (1 - blocked));
}

double sojourn_tail(std::span<const double> seen, double service, int servers, double seconds) {
    if (seconds <= 0) return 1;
    const auto c = static_cast<std::size_t>(servers);
    const auto free = seen.first(std::min(c, seen.size()));
    double tail = std::accumulate(free.begin(), free.end(), 0.0) * std::exp(-seconds / service);
    for (std::size_t n = c; n < seen.size(); ++n) {
        if (seen[n] < hardly_seen) continue;
        tail += seen[n] * stages_tail(static_cast<int>(n - c) + 1, service, servers, seconds);
    }
    return std::min(1.0, tail);
}

Queue mm1(double rate, double service) {
    const double rho = rate * service;
    LAB_ASSERT(rho < 1);
    Queue queue = with_means(rate, service, rho, rho * service / (1 - rho));
    queue.tail = [latency = queue.latency](double t) { return std::exp(-t / latency); };
    return queue;
}

Queue mmc(double rate, double service, int servers) {
    const double offered = rate * service;
    LAB_ASSERT(offered < servers);
    const double waits = erlang_c(servers, offered);
    const double free = servers - offered;  // in services that end in one service time
    Queue queue = with_means(rate, service, waits, waits * service / free);
    queue.tail = [=](double t) {
        if (t <= 0) return 1.0;
        const double own = std::exp(-t / service), x = (free - 1) * t / service;
        // Waiting ends at rate `free`, service at rate 1: alike where free is 1.
        const double both = std::abs(x) < 1e-6 ? own * t / service
                                               : (own - std::exp(-free * t / service)) / (free - 1);
        return own + waits * both;
    };
    return queue;
}

Queue mmck(double rate, double service, int servers, int places) {
    LAB_ASSERT(places >= servers);
    const double offered = rate * service;
    std::vector<double> logs(static_cast<std::size_t>(places) + 1);
    for (int n = 1; n <= places; ++n) {
        logs[static_cast<std::size_t>(n)] =
            logs[static_cast<std::size_t>(n) - 1] + std::log(offered / std::min(n, servers));
    }
    const double most = *std::ranges::max_element(logs);
    double sum = 0;
    for (double& p : logs) sum += p = std::exp(p - most);
    for (double& p : logs) p /= sum;

    Queue queue;
    queue.refused = logs.back();
    queue.throughput = rate * (1 - queue.refused);
    for (int n = 0; n <= places; ++n) queue.number += n * logs[static_cast<std::size_t>(n)];
    queue.latency = queue.number / queue.throughput;
    queue.wait = std::max(0.0, queue.latency - service);
    auto seen = std::make_shared<std::vector<double>>(logs.begin(), logs.end() - 1);
    for (double& share : *seen) share /= 1 - queue.refused;
    for (std::size_t n = static_cast<std::size_t>(servers); n < seen->size(); ++n) {
        queue.waits += (*seen)[n];
    }
    queue.tail = [=](double t) { return sojourn_tail(*seen, service, servers, t); };
    return queue;
}

Queue md1(double rate, double service) { return mdc(rate, service, 1); }

Queue mg1(double rate, const ServiceLaw& law) {
    const double service = law.mean(), rho = rate * service;
    LAB_ASSERT(rho < 1);
    const double wait = rho * service * (1 + law.scv()) / (2 * (1 - rho));
    Queue queue = with_means(rate, service, rho, wait);

    const double step = grid_step(law, rho > 0 ? wait / rho : 0);
    Spectrum served = law.spectrum(step, grid_points);
    const std::vector<double> mass = masses(served);
    // Residual service: spread evenly between two points of the grid while S is above the lower.
    std::vector<double> residual(grid_points);
    double above = 1, all = 0;
    for (std::size_t i = 0; i + 1 < grid_points; ++i) {
        above = std::max(0.0, above - mass[i]);
        all += above;
        residual[i] += above / 2;
        residual[i + 1] += above / 2;
    }
    for (double& share : residual) share /= all;  // near load 1 a hair of rounding would be felt
    const Spectrum rest = transform(residual);
    for (std::size_t i = 0; i < grid_points; ++i) {
        served[i] *= (1 - rho) / (1.0 - rho * rest[i]);
    }
    queue.tail = [tail = std::make_shared<GridTail>(masses(std::move(served)), step)](double t) {
        return (*tail)(t);
    };
    return queue;
}

Queue ggc(double rate, double arrival_scv, const ServiceLaw& law, int servers) {
    const double service = law.mean(), offered = rate * service;
    LAB_ASSERT(offered < servers);
    const double waits = erlang_c(servers, offered);
    const double wait = waits * service / (servers - offered) * (arrival_scv + law.scv()) / 2;
    Queue queue = with_means(rate, service, wait > 0 ? waits : 0, wait);

    const double mean_if_any = queue.waits > 0 ? wait / queue.waits : 0;
    const double step = grid_step(law, mean_if_any);
    Spectrum served = law.spectrum(step, grid_points);
    if (queue.waits > 0) {
        std::vector<double> mass(grid_points);
        double before = 1;
        for (std::size_t i = 0; i < grid_points; ++i) {
            const double after = std::exp(-(static_cast<double>(i) + 0.5) * step / mean_if_any);
            mass[i] = queue.waits * (before - after);
            before = after;
        }
        mass[0] += 1 - queue.waits;
        const Spectrum waited = transform(mass);
        for (std::size_t i = 0; i < grid_points; ++i) served[i] *= waited[i];
    }
    queue.tail = [tail = std::make_shared<GridTail>(masses(std::move(served)), step)](double t) {
        return (*tail)(t);
    };
    return queue;
}

}  // namespace lab::theory
