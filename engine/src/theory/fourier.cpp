// SPDX-License-Identifier: GPL-3.0-or-later
#include "theory/fourier.hpp"

#include <algorithm>
#include <numbers>
#include <utility>

#include "lab/assert.hpp"

namespace lab::theory {

void fourier(Spectrum& values, bool inverse) {
    const std::size_t n = values.size();
    LAB_ASSERT(n > 0 && (n & (n - 1)) == 0);
    for (std::size_t i = 1, j = 0; i < n; ++i) {
        std::size_t bit = n >> 1;
        for (; (j & bit) != 0; bit >>= 1) j ^= bit;
        j ^= bit;
        if (i < j) std::swap(values[i], values[j]);
    }
    const double sign = inverse ? 1 : -1;
    Spectrum turns(n / 2);
    for (std::size_t k = 0; k < turns.size(); ++k) {
        turns[k] = std::polar(
            1.0, sign * 2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(n));
    }
    for (std::size_t length = 2; length <= n; length <<= 1) {
        const std::size_t half = length / 2, stride = n / length;
        for (std::size_t block = 0; block < n; block += length) {
            for (std::size_t k = 0; k < half; ++k) {
                const auto low = values[block + k];
                const auto high = values[block + k + half] * turns[k * stride];
                values[block + k] = low + high;
                values[block + k + half] = low - high;
            }
        }
    }
    if (!inverse) return;
    for (auto& value : values) value /= static_cast<double>(n);
}

Spectrum transform(const std::vector<double>& mass) {
    Spectrum spectrum(mass.begin(), mass.end());
    fourier(spectrum, false);
    return spectrum;
}

std::vector<double> masses(Spectrum spectrum) {
    fourier(spectrum, true);
    std::vector<double> mass;
    mass.reserve(spectrum.size());
    for (const auto& value : spectrum) mass.push_back(std::max(0.0, value.real()));
    return mass;
}

}  // namespace lab::theory
