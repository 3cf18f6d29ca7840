// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/text.hpp"

#include "model/utf8.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <system_error>
#include <vector>

#include <fmt/format.h>

namespace lab {
namespace {

struct Unit {
    std::string_view name;
    double size;  ///< in base units
};

constexpr std::array duration_units{Unit{"ns", 1}, Unit{"us", 1e3}, Unit{"ms", 1e6}, Unit{"s", 1e9},
                                    Unit{"min", 60e9}};
constexpr std::array rate_units{Unit{"/s", 1}, Unit{"/min", 1.0 / 60}};
constexpr std::array byte_units{Unit{"B", 1}, Unit{"kB", 1e3}, Unit{"MB", 1e6}, Unit{"KiB", 1024},
                                Unit{"MiB", 1024.0 * 1024}};

constexpr std::string_view duration_allowed =
    R"(a duration with its unit (ns, us, ms, s, min), such as "50ms" or "1.5s")";
constexpr std::string_view rate_allowed =
    R"(a rate with its unit (/s, /min), such as "30/s" or "600/min")";
constexpr std::string_view bytes_allowed =
    R"(a size with its unit (B, kB, MB, KiB, MiB), such as "500B" or "10kB")";
constexpr std::string_view distribution_allowed =
    R"("50ms", "uniform 10ms 90ms", "exponential 50ms" or "lognormal 50ms 200ms")";

/// Beyond this a count of base units is no longer exact in a double, nor safe in 64 bits.
constexpr double exact_limit = 9e15;

Error refused(std::string_view text, std::string_view allowed) {
    return Error{ErrorCode::invalid_input, "",
                 fmt::format("found {}; allowed: {}", in_quotes(text), allowed)};
}

/// A finite number of at least 0 and the unit behind it, in base units; negative where it is
/// neither.
template <std::size_t N>
double number_with_unit(std::string_view text, const std::array<Unit, N>& units) {
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, problem] = std::from_chars(text.data(), end, number);
    if (problem != std::errc{} || !std::isfinite(number) || std::signbit(number)) return -1;
    std::string_view unit(rest, static_cast<std::size_t>(end - rest));
    while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
    for (const Unit& known : units) {
        if (unit == known.name) return number * known.size;
    }
    return -1;
}

/// `count` in units of `size`, exactly: 1500 in thousands is "1.5". `digits`: size is 10^digits.
std::string exact_decimal(std::int64_t count, std::int64_t size, int digits) {
    std::string text = fmt::format("{}", count / size);
    if (count % size == 0) return text;
    text += fmt::format(".{:0{}}", count % size, digits);
    text.erase(text.find_last_not_of('0') + 1);
    return text;
}

std::string duration_text(Duration d, std::string_view gap) {
    const std::int64_t n = d.count();
    if (n == 0) return fmt::format("0{}s", gap);
    if (n < 0) return fmt::format("-{}", duration_text(-d, gap));
    if (n % 60'000'000'000 == 0) return fmt::format("{}{}min", n / 60'000'000'000, gap);
    if (n >= 1'000'000'000) return fmt::format("{}{}s", exact_decimal(n, 1'000'000'000, 9), gap);
    if (n >= 1'000'000) return fmt::format("{}{}ms", exact_decimal(n, 1'000'000, 6), gap);
    if (n >= 1'000) return fmt::format("{}{}us", exact_decimal(n, 1'000, 3), gap);
    return fmt::format("{}{}ns", n, gap);
}

std::string bytes_text(Bytes b, std::string_view gap) {
    const std::int64_t n = b.count;
    if (n < 1'000) return fmt::format("{}{}B", n, gap);
    if (n % 1'000 != 0 && n % (1'024 * 1'024) == 0) {
        return fmt::format("{}{}MiB", n / (1'024 * 1'024), gap);
    }
    if (n % 1'000 != 0 && n % 1'024 == 0) return fmt::format("{}{}KiB", n / 1'024, gap);
    if (n >= 1'000'000) return fmt::format("{}{}MB", exact_decimal(n, 1'000'000, 6), gap);
    return fmt::format("{}{}kB", exact_decimal(n, 1'000, 3), gap);
}

std::vector<std::string_view> words(std::string_view text) {
    std::vector<std::string_view> found;
    while (!text.empty()) {
        const auto gap = text.find(' ');
        if (gap != 0) found.push_back(text.substr(0, gap));
        text.remove_prefix(gap == std::string_view::npos ? text.size() : gap + 1);
    }
    return found;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
    const double n = number_with_unit(text, duration_units);
    if (n < 0 || n > exact_limit) return refused(text, duration_allowed);
    return Duration{std::llround(n)};
}

Result<ArrivalRate> parse_rate(std::string_view text) {
    const double n = number_with_unit(text, rate_units);
    if (n < 0 || n > exact_limit) return refused(text, rate_allowed);
    return ArrivalRate::per_second(n);
}

Result<Bytes> parse_bytes(std::string_view text) {
    const double n = number_with_unit(text, byte_units);
    // "1.001kB" is 1001 bytes, though not to the last binary digit.
    const bool whole = std::abs(n - std::round(n)) <= 1e-9 + n * 1e-15;
    if (n < 0 || n > exact_limit || !whole) return refused(text, bytes_allowed);
    return Bytes{std::llround(n)};
}

Result<Distribution> parse_distribution(std::string_view text) {
    const auto parts = words(text);
    std::vector<Duration> times;
    const bool law_named = !parts.empty() && !parts[0].empty() && parts[0][0] >= 'a';
    if (!law_named) {
        const auto value = parse_duration(text);
        if (!value) return refused(text, distribution_allowed);
        return Distribution::constant(*value);
    }
    for (std::size_t i = 1; i < parts.size(); ++i) {
        const auto value = parse_duration(parts[i]);
        if (!value) return refused(text, distribution_allowed);
        times.push_back(*value);
    }
    if (parts[0] == "constant" && times.size() == 1) return Distribution::constant(times[0]);
    if (parts[0] == "uniform" && times.size() == 2)
        return Distribution::uniform(times[0], times[1]);
    if (parts[0] == "exponential" && times.size() == 1) return Distribution::exponential(times[0]);
    if (parts[0] == "lognormal" && times.size() == 2) {
        return Distribution::lognormal(times[0], times[1]);
    }
    return refused(text, distribution_allowed);
}

Result<std::int64_t> parse_count(std::string_view text) {
    std::int64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, problem] = std::from_chars(text.data(), end, number);
    if (problem != std::errc{} || rest != end) return refused(text, "a whole number");
    return number;
}

Result<double> parse_number(std::string_view text) {
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, problem] = std::from_chars(text.data(), end, number);
    if (problem != std::errc{} || rest != end || !std::isfinite(number)) {
        return refused(text, "a number");
    }
    return number;
}

std::string write_duration(Duration d) { return duration_text(d, ""); }
std::string write_rate(ArrivalRate r) { return write_number(r.per_second()) + "/s"; }
std::string write_bytes(Bytes b) { return bytes_text(b, ""); }
std::string write_number(double n) { return fmt::format("{}", n); }

std::string write_distribution(const Distribution& d) {
    switch (d.law) {
        case Distribution::Law::constant:
            break;
        case Distribution::Law::uniform:
            return fmt::format("uniform {} {}", write_duration(d.a), write_duration(d.b));
        case Distribution::Law::exponential:
            return "exponential " + write_duration(d.a);
        case Distribution::Law::lognormal:
            return fmt::format("lognormal {} {}", write_duration(d.a), write_duration(d.b));
    }
    return write_duration(d.a);
}

std::string show_duration(Duration d) { return duration_text(d, " "); }
std::string show_bytes(Bytes b) { return bytes_text(b, " "); }
std::string show_rate(ArrivalRate r) { return fmt::format("{:.4g}/s", r.per_second()); }

std::string show_distribution(const Distribution& d) {
    switch (d.law) {
        case Distribution::Law::constant:
            break;
        case Distribution::Law::uniform:
            return fmt::format("{} to {}", show_duration(d.a), show_duration(d.b));
        case Distribution::Law::exponential:
            return fmt::format("exponential, mean {}", show_duration(d.a));
        case Distribution::Law::lognormal:
            return fmt::format("lognormal, median {}, p99 {}", show_duration(d.a),
                               show_duration(d.b));
    }
    return show_duration(d.a);
}

std::string show_count(std::int64_t n) {
    std::string digits = fmt::format("{}", n);
    const std::size_t sign = n < 0 ? 1 : 0;
    for (std::size_t at = digits.size(); at > sign + 3;) {
        at -= 3;
        digits.insert(at, 1, ',');
    }
    return digits;
}

std::string escaped(std::string_view text) {
    std::string shown;
    while (!text.empty()) {
        const utf8::Character c = utf8::first(text);
        if (!c.valid) {
            shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
        } else if (c.code == '\n') {
            shown += "\\n";
        } else if (c.code == '\t') {
            shown += "\\t";
        } else if (c.code < 0x20 || c.code == 0x7f) {
            shown += fmt::format("\\x{:02x}", static_cast<unsigned>(c.code));
        } else if (utf8::is_control(c.code) || utf8::is_bidi_control(c.code)) {
            shown += fmt::format("\\u{:04x}", static_cast<unsigned>(c.code));
        } else {
            shown += text.substr(0, c.length);
        }
        text.remove_prefix(c.length);
    }
    return shown;
}

std::string in_quotes(std::string_view text) {
    constexpr std::size_t most_characters = 60;
    std::string_view rest = text;
    std::size_t characters = 0;
    while (!rest.empty() && characters < most_characters) {
        rest.remove_prefix(utf8::first(rest).length);
        ++characters;
    }
    const std::string_view head = text.substr(0, text.size() - rest.size());
    return fmt::format("\"{}{}\"", escaped(head), rest.empty() ? "" : "...");
}

}  // namespace lab
