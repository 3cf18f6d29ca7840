// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <complex>
#include <vector>

namespace lab::theory {

using Spectrum = std::vector<std::complex<double>>;

/// The discrete Fourier transform in place; its size is a power of two. `inverse` divides by the
/// size. Source: Cooley and Tukey, Mathematics of Computation 19 (1965).
void fourier(Spectrum& values, bool inverse);

/// Of a probability mass on 0, 1, 2 ...; and back. Threads: any.
[[nodiscard]] Spectrum transform(const std::vector<double>& mass);
[[nodiscard]] std::vector<double> masses(Spectrum spectrum);

}  // namespace lab::theory
