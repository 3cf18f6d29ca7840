// SPDX-License-Identifier: GPL-3.0-or-later
#include "theory/service_law.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include <boost/math/special_functions/gamma.hpp>

namespace lab::theory {
namespace {

using Law = Distribution::Law;

/// Standard normal quantiles of 0.99 and of 1 - 1e-6.
constexpr double z_99 = 2.3263478740408408, z_nearly = 4.753424308822899;

double sigma_of(const Distribution& lognormal) {
    return std::log(to_seconds(lognormal.b) / to_seconds(lognormal.a)) / z_99;
}

/// Puts a mass between two points of the grid so that its mean is kept.
void put(std::vector<double>& mass, double at, double weight) {
    const double last = static_cast<double>(mass.size() - 1);
    const double place = std::clamp(at, 0.0, last);
    const auto low = static_cast<std::size_t>(place);
    const double part = place - static_cast<double>(low);
    mass[low] += weight * (1 - part);
    if (part > 0) mass[low + 1] += weight * part;
}

/// Of a continuous law: each point of the grid gets what lies nearest to it.
template <class Below>
std::vector<double> on_grid(Below below, double step, std::size_t points) {
    std::vector<double> mass(points);
    double before = 0;
    for (std::size_t i = 0; i < points; ++i) {
        const bool last = i + 1 == points;
        const double now = last ? 1 : below((static_cast<double>(i) + 0.5) * step);
        mass[i] = std::max(0.0, now - before);
        before = now;
    }
    return mass;
}

}  // namespace

double mean_of(const Distribution& law) {
    switch (law.law) {
        case Law::constant:
        case Law::exponential:
            return to_seconds(law.a);
        case Law::uniform:
            return (to_seconds(law.a) + to_seconds(law.b)) / 2;
        case Law::lognormal:
            break;
    }
    const double sigma = sigma_of(law);
    return to_seconds(law.a) * std::exp(sigma * sigma / 2);
}

double variance_of(const Distribution& law) {
    const double mean = mean_of(law);
    switch (law.law) {
        case Law::constant:
            return 0;
        case Law::exponential:
            return mean * mean;
        case Law::uniform: {
            const double width = to_seconds(law.b) - to_seconds(law.a);
            return width * width / 12;
        }
        case Law::lognormal:
            break;
    }
    const double sigma = sigma_of(law);
    return mean * mean * std::expm1(sigma * sigma);
}

double share_at_or_below(const Distribution& law, double seconds) {
    const double a = to_seconds(law.a);
    switch (law.law) {
        case Law::constant:
            return seconds >= a ? 1 : 0;
        case Law::exponential:
            return seconds <= 0 ? 0 : a > 0 ? -std::expm1(-seconds / a) : 1;
        case Law::uniform: {
            const double width = to_seconds(law.b) - a;
            return width <= 0 ? (seconds >= a ? 1 : 0) : std::clamp((seconds - a) / width, 0., 1.);
        }
        case Law::lognormal:
            break;
    }
    if (seconds <= 0) return 0;
    const double sigma = sigma_of(law);
    if (sigma <= 0) return seconds >= a ? 1 : 0;
    return std::erfc(-std::log(seconds / a) / (sigma * std::numbers::sqrt2)) / 2;
}

double nearly_most(const Distribution& law) {
    switch (law.law) {
        case Law::constant:
            return to_seconds(law.a);
        case Law::uniform:
            return to_seconds(law.b);
        case Law::exponential:
            return to_seconds(law.a) * std::log(1e6);
        case Law::lognormal:
            break;
    }
    return to_seconds(law.a) * std::exp(sigma_of(law) * z_nearly);
}

ServiceLaw ServiceLaw::of_moments(double mean_s, double scv) {
    ServiceLaw law;
    law.by_moments_ = true;
    law.moment_mean_ = mean_s;
    law.moment_scv_ = scv;
    return law;
}

double ServiceLaw::mean() const {
    if (by_moments_) return moment_mean_;
    double mean = 0;
    for (const Way& way : ways_) {
        for (const Distribution& time : way.times) mean += way.weight * mean_of(time);
    }
    return mean;
}

double ServiceLaw::scv() const {
    if (by_moments_) return moment_scv_;
    const double mean = this->mean();
    if (mean <= 0) return 0;
    double variance = 0;  // within the ways, and between them
    for (const Way& way : ways_) {
        double within = 0, at = 0;
        for (const Distribution& time : way.times) {
            within += variance_of(time);
            at += mean_of(time);
        }
        variance += way.weight * (within + (at - mean) * (at - mean));
    }
    return variance / (mean * mean);
}

bool ServiceLaw::is_constant() const { return scv() < 1e-9; }

bool ServiceLaw::is_exponential() const {
    if (by_moments_ || ways_.empty()) return false;
    std::optional<Distribution> one;  // of the way before
    for (const Way& way : ways_) {
        std::optional<Distribution> here;
        for (const Distribution& time : way.times) {
            if (mean_of(time) <= 0) continue;
            if (here || time.law != Law::exponential) return false;
            here = time;
        }
        if (!here || (one && *one != *here)) return false;
        one = here;
    }
    return true;
}

double ServiceLaw::nearly_most() const {
    if (by_moments_) return moment_mean_ * (1 + 12 * std::sqrt(moment_scv_) + 14 * moment_scv_);
    double most = 0;
    for (const Way& way : ways_) {
        double sum = 0;
        for (const Distribution& time : way.times) sum += theory::nearly_most(time);
        most = std::max(most, sum);
    }
    return most;
}

Spectrum ServiceLaw::spectrum(double step, std::size_t points) const {
    if (by_moments_) {
        std::vector<double> mass(points);
        if (moment_scv_ < 1e-9) {
            put(mass, moment_mean_ / step, 1);
        } else {
            const double shape = 1 / moment_scv_, scale = moment_mean_ * moment_scv_;
            mass = on_grid([&](double t) { return boost::math::gamma_p(shape, t / scale); }, step,
                           points);
        }
        return transform(mass);
    }
    Spectrum sum(points);
    for (const Way& way : ways_) {
        Spectrum product(points, 1.0);
        double constants = 0;
        const auto join = [&](const std::vector<double>& mass) {
            const Spectrum one = transform(mass);
            for (std::size_t i = 0; i < points; ++i) product[i] *= one[i];
        };
        for (const Distribution& time : way.times) {
            if (time.law == Law::constant) {
                constants += to_seconds(time.a);
            } else {
                join(on_grid([&](double t) { return share_at_or_below(time, t); }, step, points));
            }
        }
        std::vector<double> shift(points);
        put(shift, constants / step, 1);
        join(shift);
        for (std::size_t i = 0; i < points; ++i) sum[i] += way.weight * product[i];
    }
    return sum;
}

}  // namespace lab::theory
