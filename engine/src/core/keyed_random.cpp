// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/keyed_random.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "lab/assert.hpp"

namespace lab::core {

namespace {

/// 2^64 divided by the golden ratio, odd: the step of SplitMix64.
constexpr std::uint64_t golden = 0x9e37'79b9'7f4a'7c15U;

constexpr std::uint64_t finalise(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9U;
    z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11ebU;
    return z ^ (z >> 31);
}

/// In [0, 1): the upper 53 bits.
constexpr double unit(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

/// The upper 64 of the 128 bits of a product, with no type that a compiler may lack.
constexpr std::uint64_t multiply_high(std::uint64_t a, std::uint64_t b) {
    constexpr std::uint64_t low = 0xffff'ffffU;
    const std::uint64_t al = a & low, ah = a >> 32, bl = b & low, bh = b >> 32;
    const std::uint64_t middle = ah * bl + ((al * bl) >> 32);
    const std::uint64_t other = al * bh + (middle & low);
    return ah * bh + (middle >> 32) + (other >> 32);
}

/// Nanoseconds from a number of them, to the nearest; kept within what a Duration can hold.
Duration to_duration(double nanoseconds) {
    constexpr double most = 9.0e18;
    if (!(nanoseconds > 0)) return Duration{};
    return Duration{static_cast<std::int64_t>(std::min(nanoseconds, most) + 0.5)};
}

template <std::size_t N>
constexpr double polynomial(const std::array<double, N>& c, double x) {
    double sum = c[N - 1];
    for (std::size_t i = N - 1; i > 0; --i) {
        sum = sum * x + c[i - 1];
    }
    return sum;
}

// ln 2 in two parts: the upper has 21 zero bits at its end, so that its product with an exponent is
// exact.
constexpr double ln2_high = 0x1.62e42fefp-1;
constexpr double ln2_low = 0x1.473de6af278edp-34;

/// The point below which a share `p` of the standard normal law lies, to 16 digits.
/// Source: Wichura 1988, "The percentage points of the normal distribution", algorithm AS 241,
/// PPND16.
double normal_quantile(double p) {
    constexpr std::array central_top{3.3871328727963666080e0, 1.3314166789178437745e2,
                                     1.9715909503065514427e3, 1.3731693765509461125e4,
                                     4.5921953931549871457e4, 6.7265770927008700853e4,
                                     3.3430575583588128105e4, 2.5090809287301226727e3};
    constexpr std::array central_bottom{1.0,
                                        4.2313330701600911252e1,
                                        6.8718700749205790830e2,
                                        5.3941960214247511077e3,
                                        2.1213794301586595867e4,
                                        3.9307895800092710610e4,
                                        2.8729085735721942674e4,
                                        5.2264952788528545610e3};
    constexpr std::array middle_top{1.42343711074968357734e0,  4.63033784615654529590e0,
                                    5.76949722146069140550e0,  3.64784832476320460504e0,
                                    1.27045825245236838258e0,  2.41780725177450611770e-1,
                                    2.27238449892691845833e-2, 7.74545014278341407640e-4};
    constexpr std::array middle_bottom{1.0,
                                       2.05319162663775882187e0,
                                       1.67638483018380384940e0,
                                       6.89767334985100004550e-1,
                                       1.48103976427480074590e-1,
                                       1.51986665636164571966e-2,
                                       5.47593808499534494600e-4,
                                       1.05075007164441684324e-9};
    constexpr std::array far_top{6.65790464350110377720e0,  5.46378491116411436990e0,
                                 1.78482653991729133580e0,  2.96560571828504891230e-1,
                                 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                 2.71155556874348757815e-5, 2.01033439929228813265e-7};
    constexpr std::array far_bottom{1.0,
                                    5.99832206555887937690e-1,
                                    1.36929880922735805310e-1,
                                    1.48753612908506148525e-2,
                                    7.86869131145613259100e-4,
                                    1.84631831751005468180e-5,
                                    1.42151175831644588870e-7,
                                    2.04426310338993978564e-15};

    const double q = p - 0.5;
    if (std::abs(q) <= 0.425) {
        const double r = 0.180625 - q * q;
        return q * polynomial(central_top, r) / polynomial(central_bottom, r);
    }
    const double tail = q < 0 ? p : 1.0 - p;
    double r = std::sqrt(-exact_log(tail));
    double z = 0;
    if (r <= 5.0) {
        r -= 1.6;
        z = polynomial(middle_top, r) / polynomial(middle_bottom, r);
    } else {
        r -= 5.0;
        z = polynomial(far_top, r) / polynomial(far_bottom, r);
    }
    return q < 0 ? -z : z;
}

/// Median `a`, 99th percentile `b`: exp(ln a + sigma z) with sigma = ln(b/a) / z(0.99).
Duration lognormal(Duration a, Duration b, std::uint64_t bits) {
    constexpr double z99 = 2.3263478740408411;
    if (a <= Duration{}) return Duration{};
    if (b <= a) return a;
    const auto median = static_cast<double>(a.count());
    const double sigma = exact_log(static_cast<double>(b.count()) / median) / z99;
    const double share = unit(bits) + 0x1p-54;  // in (0, 1), both ends left out
    return to_duration(median * exact_exp(sigma * normal_quantile(share)));
}

Duration exponential(Duration mean, std::uint64_t bits) {
    if (mean <= Duration{}) return Duration{};
    return to_duration(-static_cast<double>(mean.count()) * exact_log(1.0 - unit(bits)));
}

// Of the functions below both are smooth through 0, where the plain form would lose its digits.

/// (e^t - 1) / t.
double exp_less_one_over(double t) {
    if (std::abs(t) > 0.01) return (exact_exp(t) - 1.0) / t;
    return polynomial(std::array{1.0, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040},
                      t);
}

/// ln(1 + t) / t.
double log_one_plus_over(double t) {
    if (std::abs(t) > 0.01) return exact_log(1.0 + t) / t;
    return polynomial(
        std::array{1.0, -1.0 / 2, 1.0 / 3, -1.0 / 4, 1.0 / 5, -1.0 / 6, 1.0 / 7, -1.0 / 8}, t);
}

}  // namespace

std::uint64_t keyed_bits(std::uint64_t seed, std::uint64_t request, std::uint32_t step) {
    std::uint64_t h = finalise(seed + golden);
    h = finalise((h ^ request) + golden);
    return finalise((h ^ step) + golden);
}

double keyed_uniform(std::uint64_t seed, std::uint64_t request, std::uint32_t step) {
    return unit(keyed_bits(seed, request, step));
}

std::uint64_t keyed_below(std::uint64_t seed, std::uint64_t request, std::uint32_t step,
                          std::uint64_t n) {
    LAB_ASSERT(n > 0);
    return multiply_high(keyed_bits(seed, request, step), n);  // uneven by n / 2^64 at most
}

Duration keyed_duration(const Distribution& law, std::uint64_t seed, std::uint64_t request,
                        std::uint32_t step) {
    switch (law.law) {
        case Distribution::Law::constant:
            return std::max(law.a, Duration{});
        case Distribution::Law::uniform: {
            const Duration least = std::max(law.a, Duration{});
            if (law.b <= least) return least;
            const auto width = static_cast<std::uint64_t>((law.b - least).count()) + 1;
            const std::uint64_t above = keyed_below(seed, request, step, width);
            return least + Duration{static_cast<std::int64_t>(above)};
        }
        case Distribution::Law::exponential:
            return exponential(law.a, keyed_bits(seed, request, step));
        case Distribution::Law::lognormal:
            return lognormal(law.a, law.b, keyed_bits(seed, request, step));
    }
    return Duration{};
}

Duration keyed_exponential(Duration mean, std::uint64_t seed, std::uint64_t request,
                           std::uint32_t step) {
    return exponential(mean, keyed_bits(seed, request, step));
}

// ln x = k ln 2 + ln m with m in [sqrt(1/2), sqrt 2). With f = m - 1 and s = f / (2 + f):
// ln(1 + f) = 2 artanh s = f - s (f - R), R = 2 (s^2/3 + s^4/5 + ...). f is exact and the bracket
// small, so that its rounding hardly counts.
double exact_log(double x) {
    if (!(x > 0)) {
        return x == 0 ? -std::numeric_limits<double>::infinity()
                      : std::numeric_limits<double>::quiet_NaN();
    }
    if (x > std::numeric_limits<double>::max()) return x;
    int k = 0;
    if (x < std::numeric_limits<double>::min()) {  // a subnormal has no leading one
        x *= 0x1p54;
        k = -54;
    }
    constexpr std::uint64_t sqrt_half_bits = 0x3fe6'a09e'667f'3bcdU;
    constexpr std::uint64_t one_bits = 0x3ff0'0000'0000'0000U;
    const std::uint64_t shifted = std::bit_cast<std::uint64_t>(x) + (one_bits - sqrt_half_bits);
    k += static_cast<int>(shifted >> 52) - 1023;
    const std::uint64_t mantissa = (shifted & 0x000f'ffff'ffff'ffffU) + sqrt_half_bits;
    const double f = std::bit_cast<double>(mantissa) - 1.0;

    const double s = f / (2.0 + f);
    const double z = s * s;
    const double w =
        z * z;  // odd and even powers of z apart: two short chains in place of a long one
    const double even =
        polynomial(std::array{2.0 / 3, 2.0 / 7, 2.0 / 11, 2.0 / 15, 2.0 / 19, 2.0 / 23}, w);
    const double odd = polynomial(std::array{2.0 / 5, 2.0 / 9, 2.0 / 13, 2.0 / 17, 2.0 / 21}, w);
    const double r = z * (even + z * odd);
    const double power = k;
    return power * ln2_high + (f - (s * (f - r) - power * ln2_low));
}

// e^x = 2^k e^r with |r| <= ln 2 / 2, and the series for e^r - 1 - r, which is small beside 1 + r.
double exact_exp(double x) {
    if (std::isnan(x)) return x;
    if (x > 709.79) return std::numeric_limits<double>::infinity();
    if (x < -745.2) return 0.0;
    constexpr double one_over_ln2 = 0x1.71547652b82fep+0;
    const auto k = static_cast<std::int64_t>(x * one_over_ln2 + (x < 0 ? -0.5 : 0.5));
    const auto power = static_cast<double>(k);
    const double high = x - power * ln2_high;
    const double low = power * ln2_low;
    const double r = high - low;
    const double lost = (high - r) - low;  // what the line above rounded away

    const double w = r * r;
    const double even = polynomial(std::array{1.0 / 2, 1.0 / 24, 1.0 / 720, 1.0 / 40320,
                                              1.0 / 3628800, 1.0 / 479001600, 1.0 / 87178291200},
                                   w);
    const double odd = polynomial(
        std::array{1.0 / 6, 1.0 / 120, 1.0 / 5040, 1.0 / 362880, 1.0 / 39916800, 1.0 / 6227020800},
        w);
    const double e = 1.0 + (r + (w * (even + r * odd) + lost));
    const auto two_to = [](std::int64_t n) {
        return std::bit_cast<double>(static_cast<std::uint64_t>(n + 1023) << 52);
    };
    if (k > 1023) return e * two_to(1023) * two_to(k - 1023);
    if (k < -1022)
        return e * two_to(k + 1000) * 0x1p-1000;  // one rounding, into the subnormal range
    return e * two_to(k);
}

// Ranks are 1..n inside. H is an antiderivative of h(x) = x^-s; the area under h from k - 1/2 to k
// + 1/2 covers the bar of rank k, so a point drawn under h by inversion of H is kept nearly always.
ZipfSampler::ZipfSampler(std::uint64_t n, double s) : n_{n}, s_{s} {
    LAB_ASSERT(n > 0);
    LAB_ASSERT(s >= 0);
    h_integral_x1_ = area(1.5) - 1.0;
    h_integral_n_ = area(static_cast<double>(n) + 0.5);
    threshold_ = 2.0 - inverse_area(area(2.5) - height(2.0));
}

double ZipfSampler::height(double x) const { return exact_exp(-s_ * exact_log(x)); }

double ZipfSampler::area(double x) const {
    const double log_x = exact_log(x);
    return exp_less_one_over((1.0 - s_) * log_x) * log_x;
}

double ZipfSampler::inverse_area(double y) const {
    const double t = std::max(y * (1.0 - s_), -1.0 + 0x1p-53);  // rounding must not leave the range
    return exact_exp(log_one_plus_over(t) * y);
}

std::uint64_t ZipfSampler::draw(std::uint64_t seed, std::uint64_t request,
                                std::uint32_t step) const {
    if (s_ == 0) return keyed_below(seed, request, step, n_);
    std::uint64_t state = keyed_bits(seed, request, step);
    for (;;) {
        // A point that is thrown away is followed by the next of a sequence of this draw's own.
        const double u = h_integral_n_ + unit(finalise(state)) * (h_integral_x1_ - h_integral_n_);
        state += golden;
        const double x = inverse_area(u);
        const double rank = std::clamp(std::floor(x + 0.5), 1.0, static_cast<double>(n_));
        if (rank - x <= threshold_ || u >= area(rank + 0.5) - height(rank)) {
            return static_cast<std::uint64_t>(rank) - 1;
        }
    }
}

}  // namespace lab::core
