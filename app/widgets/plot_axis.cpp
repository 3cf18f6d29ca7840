// SPDX-License-Identifier: GPL-3.0-or-later
// The arithmetic of axes: round steps, decades, and where a value lies.
#include <QLocale>

#include <algorithm>
#include <cmath>

#include "widgets/plot_card.hpp"

namespace lab::app {

namespace {

/// The smallest of 1, 2, 2.5, 4, 5, 10 times a power of ten that is at least `step`.
double roundStep(double step) {
    const double power = std::pow(10.0, std::floor(std::log10(step)));
    for (const double factor : {1.0, 2.0, 2.5, 4.0, 5.0}) {
        if (factor * power >= step * (1 - 1e-9)) return factor * power;
    }
    return 10 * power;
}

QString plainNumber(double value, double step) {
    if (value == 0) return QStringLiteral("0");
    int decimals = 0;
    for (double s = step; decimals < 4 && std::abs(s - std::round(s)) > 1e-6; s *= 10) ++decimals;
    QString text = QLocale::c().toString(value, 'f', decimals);
    if (value >= 10'000 && decimals == 0) {
        text = QLocale::c().toString(value / 1000, 'f', step < 1000 ? 1 : 0) + QStringLiteral("k");
    }
    return text;
}

QString decadeLabel(int power) {
    if (power >= 3) {
        return QStringLiteral("%1 s").arg(std::pow(10.0, power - 3), 0, 'f', 0);
    }
    return QLocale::c().toString(std::pow(10.0, power), 'f', std::max(0, -power));
}

}  // namespace

double ValueAxis::share(double value) const {
    if (!logarithmic) return (value - least) / (most - least);
    if (!(value > 0)) return 0;
    return std::log10(value / least) / std::log10(most / least);
}

ValueAxis linearAxis(double most, double floor) {
    constexpr int steps = 4;
    constexpr double headroom = 1.06;
    const double step = roundStep(std::max(most * headroom, floor) / steps);
    ValueAxis axis;
    axis.most = step * steps;
    for (int i = 0; i <= steps; ++i) {
        axis.ticks.emplace_back(i * step, plainNumber(i * step, step));
    }
    return axis;
}

ValueAxis logAxis(double leastMs, double mostMs) {
    constexpr int lowest = -2, highest = 7;  // 10 us, 10,000 s
    const auto decade = [](double ms) { return std::log10(std::max(ms, 1e-6)); };
    int from =
        std::clamp(static_cast<int>(std::floor(decade(leastMs) + 1e-9)), lowest, highest - 2);
    int to = std::clamp(static_cast<int>(std::ceil(decade(mostMs) - 1e-9)), from + 1, highest);
    if (to - from < 2) {
        // The missing decade goes where the data is nearer to the edge.
        const double below = decade(leastMs) - from, above = to - decade(mostMs);
        if (below < above && from > lowest) {
            --from;
        } else {
            ++to;
        }
    }
    ValueAxis axis;
    axis.logarithmic = true;
    axis.least = std::pow(10.0, from);
    axis.most = std::pow(10.0, to);
    for (int power = from; power <= to; ++power) {
        axis.ticks.emplace_back(std::pow(10.0, power), decadeLabel(power));
    }
    return axis;
}

double PlotArea::x(double seconds) const {
    const double length = time.to - time.from;
    return length > 0 ? rect.left() + (seconds - time.from) / length * rect.width() : rect.left();
}

double PlotArea::y(double value) const {
    return rect.bottom() - std::clamp(axis.share(value), 0.0, 1.0) * rect.height();
}

}  // namespace lab::app
