// SPDX-License-Identifier: GPL-3.0-or-later
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "lab/judgement.hpp"
#include "study/points.hpp"

namespace lab {
namespace {

constexpr std::array<std::string_view, 9> compared{
    "throughput_per_s", "goodput_per_s", "latency_ms.mean", "latency_ms.p50",   "latency_ms.p90",
    "latency_ms.p99",   "errors",        "counts.stale",    "counts.wrong_user"};

std::string with_unit(const std::string& number, std::string_view unit) {
    if (unit.empty()) return number;
    return number + (unit.front() == '/' ? "" : " ") + std::string(unit);
}

}  // namespace

std::string difference_sentence(const Difference& d) {
    const QuantityInfo* const info = find_quantity(d.quantity);
    const std::string_view name = info->short_name;
    const bool equal = d.change.mean == 0 && d.change.half_width == 0;
    if (equal) return fmt::format("{}: exactly the same", name);
    if (!std::isfinite(d.change.half_width)) {
        return fmt::format("{}: one run cannot tell a difference from noise", name);
    }
    if (d.change.holds_zero()) return fmt::format("{}: no difference beyond the noise", name);
    const bool lower = d.change.mean < 0;
    const double least = std::min(std::abs(d.change.low()), std::abs(d.change.high()));
    const double most = std::max(std::abs(d.change.low()), std::abs(d.change.high()));
    return fmt::format("B's {} is {} by {} to {}", name, lower ? "lower" : "higher",
                       show_number(least), with_unit(show_number(most), info->unit));
}

Result<Comparison> run_comparison(const Scenario& scenario, const Model& base, const Overrides& a,
                                  const Overrides& b, const StudyOptions& options) {
    Comparison comparison;
    comparison.scenario = scenario.id;
    comparison.mode = options.mode;
    std::vector<StudyPoint> points(2);
    points[0].overrides = a;
    points[1].overrides = b;
    if (auto ran = study::run_points(scenario, base, points, options); !ran) return ran.error();
    comparison.a = std::move(points[0]);
    comparison.b = std::move(points[1]);
    for (const std::string_view name : compared) {
        const auto left = comparison.a.figure(name), right = comparison.b.figure(name);
        if (!left || !right || !*left || !*right) continue;
        const auto change = study::paired(comparison.a, comparison.b, name);
        if (!change) continue;
        Difference difference{std::string(name), **left, **right, *change, {}};
        difference.sentence = difference_sentence(difference);
        comparison.differences.push_back(std::move(difference));
    }
    return comparison;
}

}  // namespace lab
