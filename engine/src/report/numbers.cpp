// SPDX-License-Identifier: GPL-3.0-or-later
#include "report/numbers.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace lab::report {

std::string plain(double value) {
    if (!std::isfinite(value)) return "null";
    std::string text = fmt::format("{:.6f}", value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text == "-0" ? "0" : text;
}

std::string plain(const std::optional<double>& value, std::string_view none) {
    if (!value || !std::isfinite(*value)) return std::string(none);
    return plain(*value);
}

std::string for_person_ms(const std::optional<double>& ms) {
    if (!ms || !std::isfinite(*ms)) return "-";
    const bool in_seconds = *ms >= 1000;
    const double value = in_seconds ? *ms / 1000 : *ms;
    const int decimals = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
    return fmt::format("{:.{}f} {}", value, decimals, in_seconds ? "s" : "ms");
}

std::string for_person_rate(double per_second) {
    if (!std::isfinite(per_second)) return "-";
    if (per_second < 100) return fmt::format("{:.1f}", per_second);
    return for_person_count(static_cast<std::uint64_t>(std::llround(per_second)));
}

std::string for_person_count(std::uint64_t n) {
    std::string text = fmt::format("{}", n);
    for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, 1, ',');
    return text;
}

std::string for_person_share(double share) { return fmt::format("{:.0f} %", share * 100); }

}  // namespace lab::report
