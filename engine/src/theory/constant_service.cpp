// SPDX-License-Identifier: GPL-3.0-or-later
// M/D/c: how many are inside, by the roots of z^c = exp(rate x service (z - 1)); and from that how
// long anyone waits.
#include <algorithm>
#include <cmath>
#include <complex>
#include <memory>
#include <numbers>
#include <vector>

#include "lab/assert.hpp"
#include "theory/fourier.hpp"
#include "theory/queues.hpp"

namespace lab::theory {
namespace {

using Complex = std::complex<double>;
constexpr std::size_t states = 8192;

/// The roots inside the unit circle besides 1: one on each branch z = w exp(rho (z - 1)), w a c-th
/// root of one. Newton's method from where the simple iteration has led.
std::vector<Complex> roots_of(int servers, double utilisation) {
    std::vector<Complex> roots;
    for (int k = 1; k < servers; ++k) {
        const Complex w = std::polar(1.0, 2 * std::numbers::pi * k / servers);
        Complex z = 0;
        for (int i = 0; i < 30; ++i) z = w * std::exp(utilisation * (z - 1.0));
        for (int i = 0; i < 60; ++i) {
            const Complex image = w * std::exp(utilisation * (z - 1.0));
            const Complex change = (z - image) / (1.0 - utilisation * image);
            z -= change;
            if (std::abs(change) < 1e-15) break;
        }
        roots.push_back(z);
    }
    return roots;
}

/// P(n inside), n = 0, 1 ... from the generating function on the unit circle.
/// Source: H. C. Tijms, Stochastic Models (1994), section 4.5.
std::vector<double> inside_of(int servers, double utilisation, const std::vector<Complex>& roots) {
    const double offered = servers * utilisation;
    Spectrum values(states);
    values[0] = 1;
    for (std::size_t i = 1; i < states; ++i) {
        // The transform has exp(-2 pi i n k / N) for z^n.
        const Complex z = std::polar(
            1.0, -2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(states));
        Complex value = (servers - offered) * (1.0 - z);
        for (const Complex& root : roots) value *= (z - root) / (1.0 - root);
        const Complex power = std::polar(
            1.0, -2 * std::numbers::pi *
                     static_cast<double>(i * static_cast<std::size_t>(servers) % states) /
                     static_cast<double>(states));
        values[i] = value / (1.0 - power * std::exp(offered * (1.0 - z)));
    }
    return masses(std::move(values));
}

/// Franx: P(wait <= x) = sum over j of Q(kc - 1 - j) times the Poisson mass of j at
/// rate (kD - x), where (k - 1) D <= x < kD and Q(j) = P(at most j wait).
class Waits {
  public:
    Waits(double rate, double service, int servers, const std::vector<double>& inside)
        : rate_{rate}, service_{service}, servers_{servers} {
        double sum = 0;
        for (std::size_t n = 0; n < inside.size(); ++n) {
            sum += inside[n];
            if (n >= static_cast<std::size_t>(servers)) at_most_.push_back(std::min(1.0, sum));
        }
    }
    [[nodiscard]] double at_or_below(double x) const {
        if (x < 0) return 0;
        const double k = std::floor(x / service_) + 1;
        const double terms = k * servers_;
        if (terms >= static_cast<double>(at_most_.size())) return 1;
        const double mean = std::max(0.0, rate_ * (k * service_ - x));
        double log_mass = -mean, share = 0;
        const auto last = static_cast<std::size_t>(terms) - 1;
        for (std::size_t j = 0; j <= last; ++j) {
            if (j > 0) log_mass += std::log(mean / static_cast<double>(j));
            share += at_most_[last - j] * std::exp(log_mass);
            if (mean <= 0) break;
        }
        return std::min(1.0, share);
    }

  private:
    double rate_, service_;
    int servers_;
    std::vector<double> at_most_;
};

}  // namespace

Queue mdc(double rate, double service, int servers) {
    const double offered = rate * service, rho = offered / servers;
    LAB_ASSERT(rho < 1);
    const auto roots = roots_of(servers, rho);
    const auto inside = inside_of(servers, rho, roots);
    // Mean of the queue: Crommelin, in the form of Tijms.
    double queued = offered * offered - servers * (servers - 1.0);
    for (const Complex& root : roots) queued += (2 * servers * (1 - rho) / (1.0 - root)).real();
    queued /= 2 * servers * (1 - rho);

    Queue queue;
    queue.throughput = rate;
    queue.wait = rate > 0 ? std::max(0.0, queued) / rate : 0;
    queue.latency = queue.wait + service;
    queue.number = rate * queue.latency;
    const auto waits = std::make_shared<Waits>(rate, service, servers, inside);
    queue.waits = 1;
    for (int n = 0; n < servers; ++n) queue.waits -= inside[static_cast<std::size_t>(n)];
    queue.tail = [waits, service](double t) {
        return t < service ? 1.0 : 1 - waits->at_or_below(t - service);
    };
    return queue;
}

}  // namespace lab::theory
