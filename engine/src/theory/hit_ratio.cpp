// SPDX-License-Identifier: GPL-3.0-or-later
#include "theory/hit_ratio.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace lab::theory {
namespace {

/// Rates of the keys, the favourite first.
std::vector<double> rates_of(const CacheLoad& load) {
    std::vector<double> rates(load.keys);
    double sum = 0;
    for (std::size_t k = 0; k < rates.size(); ++k) {
        sum += rates[k] = std::pow(static_cast<double>(k + 1), -load.zipf);
    }
    for (double& r : rates) r *= load.rate / sum / load.others;
    return rates;
}

/// Entries there at a time, when one stays for `stay` after it was last asked for.
double entries(const std::vector<double>& rates, double others, double stay) {
    double sum = 0;
    for (const double r : rates) sum -= others * std::expm1(-r * stay);
    return sum;
}

/// Che's characteristic time of a cache with least recently used replacement.
double stay_of(const std::vector<double>& rates, const CacheLoad& load) {
    double low = 0, high = load.ttl;
    if (entries(rates, load.others, high) <= load.capacity) return high;
    for (int i = 0; i < 40; ++i) {
        const double middle = (low + high) / 2;
        (entries(rates, load.others, middle) > load.capacity ? high : low) = middle;
    }
    return low;
}

}  // namespace

double hit_ratio(const CacheLoad& load) {
    if (load.rate <= 0 || load.keys == 0) return 0;
    const std::vector<double> rates = rates_of(load);
    const double stay = stay_of(rates, load);
    const bool evicted = stay < load.ttl;
    double hits = 0, all = 0;
    for (const double r : rates) {
        const double lives = r * load.ttl / (1 + r * load.ttl);
        hits += r * (evicted ? std::min(lives, -std::expm1(-r * stay)) : lives);
        all += r;
    }
    return hits / all;
}

}  // namespace lab::theory
