// SPDX-License-Identifier: GPL-3.0-or-later
#include <cmath>
#include <limits>

#include <boost/math/distributions/students_t.hpp>

#include "lab/study.hpp"

namespace lab {

Interval confidence(std::span<const double> values, double level) {
    Interval interval;
    interval.count = values.size();
    if (values.empty()) return interval;
    const double n = static_cast<double>(values.size());
    for (const double value : values) interval.mean += value / n;
    double squares = 0;
    bool alike = true;
    for (const double value : values) {
        squares += (value - interval.mean) * (value - interval.mean);
        alike = alike && value == values.front();
    }
    if (alike) interval.mean = values.front();  // exactly: no rounding of a sum of equal values
    if (values.size() < 2) {
        interval.half_width = std::numeric_limits<double>::infinity();
        return interval;
    }
    if (alike) return interval;
    const boost::math::students_t law(n - 1);
    const double t = boost::math::quantile(law, 0.5 + level / 2);
    interval.half_width = t * std::sqrt(squares / (n - 1) / n);
    return interval;
}

std::size_t mser5(std::span<const double> series) {
    constexpr std::size_t batch = 5;
    std::vector<double> means;
    for (std::size_t i = 0; i + batch <= series.size(); i += batch) {
        double sum = 0;
        for (std::size_t j = 0; j < batch; ++j) sum += series[i + j];
        means.push_back(sum / static_cast<double>(batch));
    }
    std::size_t best = 0;
    double least = std::numeric_limits<double>::infinity();
    double sum = 0, squares = 0;  // of the means from `cut` on
    for (std::size_t cut = means.size(); cut-- > 0;) {
        sum += means[cut];
        squares += means[cut] * means[cut];
        if (cut > means.size() / 2) continue;
        const double n = static_cast<double>(means.size() - cut);
        const double error = std::max(0.0, squares - sum * sum / n) / (n * n);
        if (error > least) continue;
        least = error;
        best = cut;
    }
    return best * batch;
}

}  // namespace lab
