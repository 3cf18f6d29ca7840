// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/judgement.hpp"
#include "lab/settings.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace lab {

namespace {

std::string with_thousands(std::string digits) {
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
        if (digits[static_cast<std::size_t>(at) - 1] == '-') break;
        digits.insert(static_cast<std::size_t>(at), 1, ',');
    }
    return digits;
}

std::string with_unit(double value, std::string_view unit) {
    auto text = show_number(value);
    if (unit.empty()) return text;
    if (unit.front() != '/') text += ' ';
    return text.append(unit);
}

std::string quoted(const std::string& text) { return "\u201c" + text + "\u201d"; }

/// "A.p99" with its unit, a dash without samples, nothing where it is no placeholder.
std::optional<std::string> placeholder_value(std::string_view name,
                                             const std::map<std::string, RunResultPtr>& variants) {
    const auto dot = name.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const auto variant = variants.find(std::string{name.substr(0, dot)});
    const auto* info = find_quantity(name.substr(dot + 1));
    if (info == nullptr) return std::nullopt;
    if (variant == variants.end() || !variant->second) return "\u2013";
    const auto value = quantity(*variant->second, info->name);
    if (!value || !*value) return "\u2013";
    if (info->unit == "share") return show_number(**value * 100) + " %";
    return with_unit(**value, info->unit);
}

}  // namespace

std::string show_number(double value) {
    const double size = std::abs(value);
    if (size == 0) return "0";
    if (size >= 999.5) return with_thousands(fmt::format("{:.0f}", value));
    const int whole_digits = size < 1 ? 0 : static_cast<int>(std::floor(std::log10(size))) + 1;
    const int lead = size < 1 ? static_cast<int>(std::floor(-std::log10(size))) : 0;
    const int decimals = std::clamp(3 - whole_digits + lead, 0, 9);
    auto text = fmt::format("{:.{}f}", value, decimals);
    if (text.find('.') != std::string::npos) {  // 50.0 reads as 50
        text.erase(text.find_last_not_of('0') + 1);
        if (text.back() == '.') text.pop_back();
    }
    return text;
}

std::string judgement_sentence(const LessonStep& predict, int chosen, const Judgement& judgement) {
    const auto option = [&](int index) {
        return quoted(predict.options[static_cast<std::size_t>(index)].text);
    };
    const bool known = chosen >= 0 && chosen < static_cast<int>(predict.options.size());
    const std::string expected = known ? "You expected " + option(chosen) + ". " : std::string{};
    if (judgement.verdict == Judgement::Verdict::cannot_judge) return expected + judgement.why;
    const auto measured = "Measured: " + with_unit(judgement.measured, predict.unit);
    if (judgement.verdict == Judgement::Verdict::too_close) {
        return expected + measured + ". " + judgement.why;
    }
    if (known && judgement.verdict == Judgement::Verdict::right)
        return expected + measured + ". It was so.";
    if (judgement.right_option < 0) return expected + measured + ".";
    return expected + measured + ", so it is " + option(judgement.right_option) + ".";
}

std::string fill_placeholders(std::string_view text,
                              const std::map<std::string, RunResultPtr>& variants) {
    std::string filled;
    while (!text.empty()) {
        const auto open = text.find('{');
        const auto close = open == std::string_view::npos ? open : text.find('}', open);
        if (close == std::string_view::npos) break;
        filled.append(text.substr(0, open));
        const auto inside = text.substr(open + 1, close - open - 1);
        if (const auto value = placeholder_value(inside, variants)) {
            filled += *value;
        } else {
            filled.append(text.substr(open, close - open + 1));
        }
        text.remove_prefix(close + 1);
    }
    return filled.append(text);
}

}  // namespace lab
