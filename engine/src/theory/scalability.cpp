// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "lab/theory.hpp"

namespace lab {
namespace {

using Vector = std::array<double, 3>;
using Matrix = std::array<Vector, 3>;

/// Solves a symmetric system with some of the unknowns held at zero.
Vector solve(Matrix m, Vector right, const std::array<bool, 3>& held) {
    for (std::size_t i = 0; i < 3; ++i) {
        if (!held[i]) continue;
        for (std::size_t j = 0; j < 3; ++j) m[i][j] = m[j][i] = 0;
        m[i][i] = 1;
        right[i] = 0;
    }
    for (std::size_t i = 0; i < 3; ++i) {
        std::size_t pivot = i;
        for (std::size_t r = i + 1; r < 3; ++r) {
            if (std::abs(m[r][i]) > std::abs(m[pivot][i])) pivot = r;
        }
        std::swap(m[i], m[pivot]);
        std::swap(right[i], right[pivot]);
        if (m[i][i] == 0) m[i][i] = 1;
        for (std::size_t r = i + 1; r < 3; ++r) {
            const double factor = m[r][i] / m[i][i];
            for (std::size_t c = i; c < 3; ++c) m[r][c] -= factor * m[i][c];
            right[r] -= factor * right[i];
        }
    }
    Vector x{};
    for (std::size_t i = 3; i-- > 0;) {
        double sum = right[i];
        for (std::size_t c = i + 1; c < 3; ++c) sum -= m[i][c] * x[c];
        x[i] = sum / m[i][i];
    }
    return x;
}

double squares(const ScalabilityLaw& law, std::span<const ScalabilityPoint> points) {
    double sum = 0;
    for (const auto& p : points) {
        const double off = law.throughput(p.n) - p.throughput;
        sum += off * off;
    }
    return sum;
}

/// One over the throughput is linear in 1/g, a/g and b/g; weighted so that the deviations are those
/// of the throughput. With b, or a and b, held at zero where they come out below it.
ScalabilityLaw first_guess(std::span<const ScalabilityPoint> points,
                           const std::array<bool, 3>& held) {
    Matrix m{};
    Vector right{};
    for (const auto& p : points) {
        const Vector row{1, p.n - 1, p.n * (p.n - 1)};
        const double y = p.n / p.throughput, weight = std::pow(p.throughput / y, 2);
        for (std::size_t i = 0; i < 3; ++i) {
            right[i] += weight * row[i] * y;
            for (std::size_t j = 0; j < 3; ++j) m[i][j] += weight * row[i] * row[j];
        }
    }
    const Vector x = solve(m, right, held);
    const double rate = x[0] > 0 ? 1 / x[0] : 0;
    return {rate, x[1] * rate, x[2] * rate, 0};
}

/// Gauss and Newton's steps, each halved until it helps (Levenberg's way out).
ScalabilityLaw refined(ScalabilityLaw law, std::span<const ScalabilityPoint> points,
                       const std::array<bool, 3>& held) {
    for (int round = 0; round < 50; ++round) {
        Matrix m{};
        Vector right{};
        for (const auto& p : points) {
            const double x = law.throughput(p.n), off = p.throughput - x;
            const double divisor = law.rate * p.n / x;
            const Vector slope{x / law.rate, -x * (p.n - 1) / divisor,
                               -x * p.n * (p.n - 1) / divisor};
            for (std::size_t i = 0; i < 3; ++i) {
                right[i] += slope[i] * off;
                for (std::size_t j = 0; j < 3; ++j) m[i][j] += slope[i] * slope[j];
            }
        }
        const Vector change = solve(m, right, held);
        const double before = squares(law, points);
        bool better = false;
        for (double share = 1; share > 1e-4 && !better; share /= 2) {
            ScalabilityLaw next{law.rate + share * change[0],
                                std::max(0.0, law.contention + share * change[1]),
                                std::max(0.0, law.coherency + share * change[2]), 0};
            if (next.rate <= 0 || squares(next, points) >= before) continue;
            law = next;
            better = true;
        }
        if (!better) break;
    }
    return law;
}

}  // namespace

double ScalabilityLaw::throughput(double n) const {
    return rate * n / (1 + contention * (n - 1) + coherency * n * (n - 1));
}

double ScalabilityLaw::peak() const {
    if (coherency <= 0) return std::numeric_limits<double>::infinity();
    return std::sqrt(std::max(0.0, 1 - contention) / coherency);
}

double amdahl_speedup(double parallel, double n) { return 1 / (1 - parallel + parallel / n); }

Result<ScalabilityLaw> fit_scalability(std::span<const ScalabilityPoint> points) {
    std::set<double> different;
    double mean = 0;
    for (const auto& p : points) {
        if (!(p.throughput > 0) || !(p.n > 0)) {
            return Error{ErrorCode::no_samples, "",
                         "found a throughput that is not above 0: nothing to fit"};
        }
        different.insert(p.n);
        mean += p.throughput / static_cast<double>(points.size());
    }
    if (different.size() < 3) {
        return Error{ErrorCode::no_samples, "",
                     fmt::format("found {} different sizes; allowed: at least 3 to fit three "
                                 "coefficients",
                                 different.size())};
    }
    std::optional<ScalabilityLaw> best;
    const std::array<std::array<bool, 3>, 4> ways{
        {{false, false, false}, {false, false, true}, {false, true, false}, {false, true, true}}};
    for (const auto& held : ways) {
        const ScalabilityLaw guess = first_guess(points, held);
        if (guess.rate <= 0 || guess.contention < 0 || guess.coherency < 0) continue;
        ScalabilityLaw law = refined(guess, points, held);
        law.residual = std::sqrt(squares(law, points) / static_cast<double>(points.size())) / mean;
        if (!best || law.residual < best->residual - 1e-12) best = law;
    }
    if (!best) return Error{ErrorCode::no_samples, "", "the points fit no such law"};
    return *best;
}

}  // namespace lab
