// SPDX-License-Identifier: GPL-3.0-or-later
// One value of a setting: read from text, held against its range, shown, written.
#include "model/table.hpp"

#include <cmath>
#include <limits>
#include <type_traits>

#include <fmt/format.h>

#include "lab/text.hpp"

namespace lab {
namespace {

bool within(const SettingInfo& info, double n) {
    return std::isfinite(n) && n >= info.least && n <= info.most;
}

bool within(const SettingInfo& info, const Distribution& d) {
    const auto fits = [&](Duration t) { return within(info, static_cast<double>(t.count())); };
    return fits(d.a) && fits(d.b);
}

/// What a law needs beyond the range; empty where it has it.
std::string_view law_problem(const Distribution& d) {
    using enum Distribution::Law;
    if (d.law == uniform && d.b < d.a) return "a first time not above the second";
    if (d.law == lognormal && d.a <= Duration{}) return "a median above 0";
    if (d.law == lognormal && d.b < d.a) return "a 99th percentile not below the median";
    return {};
}

bool is_of_kind(ValueKind kind, const SettingValue& v) {
    switch (kind) {
        case ValueKind::flag:
            return std::holds_alternative<bool>(v);
        case ValueKind::count:
            return std::holds_alternative<std::int64_t>(v);
        case ValueKind::number:
            return std::holds_alternative<double>(v);
        case ValueKind::duration:
            return std::holds_alternative<Duration>(v);
        case ValueKind::rate:
            return std::holds_alternative<ArrivalRate>(v);
        case ValueKind::bytes:
            return std::holds_alternative<Bytes>(v);
        case ValueKind::distribution:
            return std::holds_alternative<Distribution>(v);
        case ValueKind::choice:
        case ValueKind::text:
            return std::holds_alternative<std::string>(v);
    }
    return false;
}

bool is_choice(const SettingInfo& info, const std::string& text) {
    for (const std::string_view choice : info.choices) {
        if (choice == text) return true;
    }
    return false;
}

std::string as_found(const SettingValue& v) {
    const auto* const text = std::get_if<std::string>(&v);
    return text ? in_quotes(*text) : write_value(v);
}

}  // namespace

Distribution with_time(const Distribution& law, Duration time) {
    Distribution scaled = law;
    scaled.a = time;
    if (law.b == Duration{}) return scaled;
    scaled.b = law.a > Duration{}
                   ? Duration{static_cast<std::int64_t>(to_seconds(law.b) / to_seconds(law.a) *
                                                        static_cast<double>(time.count()))}
                   : std::max(law.b, time);
    return scaled;
}

namespace names {

double base_units(const SettingValue& value) {
    if (const auto* n = std::get_if<std::int64_t>(&value)) return static_cast<double>(*n);
    if (const auto* n = std::get_if<double>(&value)) return *n;
    if (const auto* d = std::get_if<Duration>(&value)) return static_cast<double>(d->count());
    if (const auto* r = std::get_if<ArrivalRate>(&value)) return r->per_second();
    if (const auto* b = std::get_if<Bytes>(&value)) return static_cast<double>(b->count);
    if (const auto* d = std::get_if<Distribution>(&value)) return static_cast<double>(d->a.count());
    return std::numeric_limits<double>::quiet_NaN();
}

Result<SettingValue> checked(std::string_view path, const SettingInfo& info,
                             const SettingValue& value) {
    SettingValue v = value;
    if (const auto* n = std::get_if<std::int64_t>(&value); n && info.kind == ValueKind::number) {
        v = static_cast<double>(*n);
    }
    if (const auto* n = std::get_if<double>(&value);
        n && info.kind == ValueKind::count && std::abs(*n) < 1e15 && *n == std::floor(*n)) {
        v = static_cast<std::int64_t>(*n);
    }
    if (!is_of_kind(info.kind, v)) return not_allowed(path, info, as_found(value));
    switch (info.kind) {
        case ValueKind::flag:
            return v;
        case ValueKind::choice:
            if (!is_choice(info, std::get<std::string>(v))) {
                Error error = not_allowed(path, info, as_found(v));
                const auto nearest = did_you_mean(std::get<std::string>(v), info.choices);
                if (!nearest.empty()) error.detail += fmt::format("; did you mean {}?", nearest);
                return error;
            }
            return v;
        case ValueKind::text: {
            const auto size = static_cast<double>(std::get<std::string>(v).size());
            if (!within(info, size)) return not_allowed(path, info, as_found(v));
            return v;
        }
        case ValueKind::distribution: {
            const auto& law = std::get<Distribution>(v);
            if (!within(info, law)) return not_allowed(path, info, write_distribution(law));
            if (const auto problem = law_problem(law); !problem.empty()) {
                return Error{
                    ErrorCode::invalid_input, std::string(path),
                    fmt::format("found {}; allowed: {}", write_distribution(law), problem)};
            }
            return v;
        }
        default:
            break;
    }
    if (!within(info, base_units(v))) return not_allowed(path, info, as_found(v));
    return v;
}

Result<SettingValue> from_text(std::string_view path, const SettingInfo& info,
                               std::string_view text) {
    const auto wrap = [&](const auto& parsed) -> Result<SettingValue> {
        if (!parsed) return not_allowed(path, info, in_quotes(text));
        return in_place(*parsed);
    };
    switch (info.kind) {
        case ValueKind::flag:
            if (text == "true" || text == "on") return in_place(true);
            if (text == "false" || text == "off") return in_place(false);
            return not_allowed(path, info, in_quotes(text));
        case ValueKind::count:
            return wrap(parse_count(text));
        case ValueKind::number:
            return wrap(parse_number(text));
        case ValueKind::duration:
            return wrap(parse_duration(text));
        case ValueKind::rate:
            return wrap(parse_rate(text));
        case ValueKind::bytes:
            return wrap(parse_bytes(text));
        case ValueKind::distribution:
            return wrap(parse_distribution(text));
        case ValueKind::choice:
        case ValueKind::text:
            break;
    }
    return in_place(std::string(text));
}

}  // namespace names

std::string show_value(const SettingInfo& info, const SettingValue& value) {
    if (const auto* b = std::get_if<bool>(&value)) return *b ? "on" : "off";
    if (const auto* n = std::get_if<std::int64_t>(&value)) return show_count(*n);
    if (const auto* n = std::get_if<double>(&value)) return write_number(*n);
    if (const auto* d = std::get_if<Duration>(&value)) return show_duration(*d);
    if (const auto* r = std::get_if<ArrivalRate>(&value)) return show_rate(*r);
    if (const auto* b = std::get_if<Bytes>(&value)) return show_bytes(*b);
    if (const auto* l = std::get_if<Distribution>(&value)) return show_distribution(*l);
    const auto& text = std::get<std::string>(value);
    for (std::size_t i = 0; i < info.choices.size() && i < info.choice_labels.size(); ++i) {
        if (info.choices[i] == text) return std::string(info.choice_labels[i]);
    }
    return text;
}

std::string write_value(const SettingValue& value) {
    if (const auto* b = std::get_if<bool>(&value)) return *b ? "true" : "false";
    if (const auto* n = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *n);
    if (const auto* n = std::get_if<double>(&value)) return write_number(*n);
    if (const auto* d = std::get_if<Duration>(&value)) return write_duration(*d);
    if (const auto* r = std::get_if<ArrivalRate>(&value)) return write_rate(*r);
    if (const auto* b = std::get_if<Bytes>(&value)) return write_bytes(*b);
    if (const auto* l = std::get_if<Distribution>(&value)) return write_distribution(*l);
    return std::get<std::string>(value);
}

}  // namespace lab
