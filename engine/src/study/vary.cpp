// SPDX-License-Identifier: GPL-3.0-or-later
// What is varied, as a person types it.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "lab/study.hpp"
#include "lab/text.hpp"
#include "model/table.hpp"

namespace lab {
namespace {

constexpr std::size_t most_values = 1'000;
constexpr int default_values = 8;

Error wrong(std::string_view text, std::string_view allowed) {
    return {ErrorCode::invalid_input, "--vary",
            fmt::format("found {}; allowed: {}", in_quotes(text), allowed)};
}

/// The value of a setting from base units.
SettingValue in_kind(ValueKind kind, double at) {
    const auto whole = static_cast<std::int64_t>(std::llround(at));
    switch (kind) {
        case ValueKind::count:
            return whole;
        case ValueKind::rate:
            return ArrivalRate::per_second(at);
        case ValueKind::bytes:
            return Bytes{whole};
        case ValueKind::number:
            return at;
        default:
            return Duration{whole};
    }
}

class Range {
  public:
    Range(const Model& model, std::string path, const SettingInfo& info)
        : model_{model}, path_{std::move(path)}, info_{info} {}

    Result<Vary> read(std::string_view text, std::size_t dots) {
        const auto least = end(text.substr(0, dots));
        if (!least) return least.error();
        std::string_view rest = text.substr(dots + 2), step;
        if (const auto colon = rest.find(':'); colon != rest.npos) {
            step = rest.substr(colon + 1);
            rest = rest.substr(0, colon);
        }
        const auto most = end(rest);
        if (!most) return most.error();
        if (*most < *least) return wrong(text, "the lesser end first");
        if (step.starts_with('x')) {
            const auto factor = parse_number(step.substr(1));
            if (!factor || *factor <= 1 || *least <= 0) {
                return wrong(text, "a factor above 1 from an end above 0, as in 1..16:x2");
            }
            return take([&](double at) { return at * *factor; }, *least, *most);
        }
        double gap = (*most - *least) / (default_values - 1);
        if (!step.empty()) {
            const auto given = end(step);
            if (!given || *given <= 0) return wrong(text, "a step above 0, or x and a factor");
            gap = *given;
        } else if (info_.kind == ValueKind::count) {
            gap = std::max(1.0, std::ceil(gap));
        }
        if (gap <= 0) return take([](double) { return HUGE_VAL; }, *least, *most);
        return take([gap](double at) { return at + gap; }, *least, *most);
    }

  private:
    const Model& model_;
    std::string path_;
    const SettingInfo& info_;

    Result<double> end(std::string_view text) const {
        Model changed = model_;
        if (info_.kind == ValueKind::choice || info_.kind == ValueKind::flag ||
            info_.kind == ValueKind::text) {
            return wrong(text, fmt::format("a list, as {} is chosen", path_));
        }
        const auto value = names::from_text(path_, info_, text);
        if (!value) return value.error();
        return names::base_units(*value);
    }

    template <class Next>
    Result<Vary> take(Next next, double least, double most) const {
        Vary vary{path_, {}};
        const double hair = 1e-9 * std::max(std::abs(least), std::abs(most));
        for (double at = least; at <= most + hair; at = next(at)) {
            if (vary.values.size() == most_values) {
                return wrong(path_, fmt::format("at most {} values", show_count(most_values)));
            }
            Model changed = model_;
            const auto set = set_setting(changed, path_, in_kind(info_.kind, at));
            if (!set) return set.error();
            vary.values.push_back(write_value(get_setting(changed, path_).value()));
        }
        return vary;
    }
};

}  // namespace

Result<Vary> parse_vary(const Model& model, std::string_view text) {
    const auto equals = text.find('=');
    if (equals == text.npos || equals == 0 || equals + 1 == text.size()) {
        return wrong(text, "path=A..B, path=A..B:STEP, path=A..B:xN or path=a,b,c");
    }
    const std::string path(text.substr(0, equals));
    const std::string_view values = text.substr(equals + 1);
    const SettingInfo* const info = find_setting(model.system, path);
    if (!info) return names::unknown_setting(model.system, path);
    if (const auto dots = values.find(".."); dots != values.npos) {
        return Range(model, path, *info).read(values, dots);
    }
    Vary vary{path, {}};
    for (std::size_t from = 0; from <= values.size();) {
        const auto comma = std::min(values.find(',', from), values.size());
        Model changed = model;
        const auto set = set_setting_text(changed, path, values.substr(from, comma - from));
        if (!set) return set.error();
        vary.values.push_back(write_value(get_setting(changed, path).value()));
        from = comma + 1;
    }
    return vary;
}

Result<Overrides> parse_overrides(const Model& model, std::string_view text) {
    Overrides overrides;
    Model changed = model;
    for (std::size_t from = 0; from < text.size();) {
        const auto comma = std::min(text.find(',', from), text.size());
        const std::string_view word = text.substr(from, comma - from);
        const auto equals = word.find('=');
        if (equals == word.npos || equals == 0) {
            return Error{ErrorCode::invalid_input, "",
                         fmt::format("found {}; allowed: path=value,path=value", in_quotes(word))};
        }
        const std::string path(word.substr(0, equals));
        const auto set = set_setting_text(changed, path, word.substr(equals + 1));
        if (!set) return set.error();
        overrides[path] = std::string(word.substr(equals + 1));
        from = comma + 1;
    }
    return overrides;
}

}  // namespace lab
