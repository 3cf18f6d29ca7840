// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/http_text.hpp"

#include <array>
#include <charconv>

namespace lab::live {
namespace {

enum CharClass : std::uint8_t {
    token_bit = 1,
    field_bit = 2,
    target_bit = 4,  ///< pchar but for '%', and '/' and '?': RFC 3986 3.3, 3.4
    host_bit = 8,    ///< unreserved and sub-delims: RFC 3986 3.2.2
    hex_bit = 16,
    digit_bit = 32,
};

constexpr bool contains(std::string_view set, char c) {
    return set.find(c) != std::string_view::npos;
}

constexpr std::array<std::uint8_t, 256> make_classes() {
    std::array<std::uint8_t, 256> table{};
    for (int i = 0; i < 256; ++i) {
        const char c = static_cast<char>(i);
        const bool digit = c >= '0' && c <= '9';
        const bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        unsigned bits = 0;
        if (digit || alpha || contains("!#$%&'*+-.^_`|~", c)) bits |= token_bit;
        if (i == '\t' || (i >= 0x20 && i != 0x7f)) bits |= field_bit;
        if (digit || alpha || contains("-._~!$&'()*+,;=", c)) bits |= host_bit | target_bit;
        if (contains(":@/?", c)) bits |= target_bit;
        if (digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) bits |= hex_bit;
        if (digit) bits |= digit_bit;
        table[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(bits);
    }
    return table;
}

constexpr auto classes = make_classes();

bool is(char c, std::uint8_t bit) { return (classes[static_cast<unsigned char>(c)] & bit) != 0; }

bool all_are(std::string_view text, std::uint8_t bit) {
    for (const char c : text) {
        if (!is(c, bit)) return false;
    }
    return true;
}

/// Characters of the class, and %HH.
bool all_are_or_escaped(std::string_view text, std::uint8_t bit) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is(text[i], bit)) continue;
        if (text[i] != '%' || i + 2 >= text.size()) return false;
        if (!is(text[i + 1], hex_bit) || !is(text[i + 2], hex_bit)) return false;
        i += 2;
    }
    return true;
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c - 'A' + 10;
}

/// RFC 3986 3.2.3, and within 16 bits. An empty port is allowed by the grammar.
bool is_port(std::string_view text) {
    if (text.empty()) return true;
    if (text.size() > 5) return false;
    const auto number = read_number(text);
    return number && *number <= 65'535;
}

/// Parts a path from its query. False where a character may not stand there.
bool split_path(std::string_view text, Target& target) {
    if (!all_are_or_escaped(text, target_bit)) return false;
    target.path_query = text;
    const auto mark = text.find('?');
    target.path = text.substr(0, mark);
    target.query = mark == std::string_view::npos ? std::string_view{} : text.substr(mark + 1);
    return true;
}

/// "http://host/path"; `text` begins after the scheme and its "://".
bool split_absolute(std::string_view text, Target& target) {
    const auto end = text.find_first_of("/?");
    target.authority = text.substr(0, end);
    const auto rest = end == std::string_view::npos ? std::string_view{} : text.substr(end);
    if (rest.empty()) {
        target.path_query = target.path = "/";
        return true;
    }
    if (!split_path(rest, target)) return false;
    if (target.path.empty()) target.path = "/";
    return true;
}

}  // namespace

bool is_token_char(char c) { return is(c, token_bit); }

bool is_token(std::string_view text) { return !text.empty() && all_are(text, token_bit); }

bool is_field_text(std::string_view text) { return all_are(text, field_bit); }

std::string_view trim_blanks(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

bool equal_fold(std::string_view text, std::string_view lower) {
    if (text.size() != lower.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c) != lower[i])
            return false;
    }
    return true;
}

std::optional<std::uint64_t> read_number(std::string_view digits) {
    if (digits.empty() || !all_are(digits, digit_bit)) return std::nullopt;
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{}) return std::nullopt;
    return value;
}

HostVerdict check_host(std::string_view text) {
    if (text.empty()) return HostVerdict::malformed;
    if (text.front() == '[') {
        const auto end = text.find(']');
        if (end == std::string_view::npos || end < 3) return HostVerdict::malformed;
        const auto address = text.substr(1, end - 1);
        for (const char c : address) {
            if (!is(c, hex_bit) && c != ':' && c != '.') return HostVerdict::malformed;
        }
        const auto rest = text.substr(end + 1);
        if (!rest.empty() && (rest.front() != ':' || !is_port(rest.substr(1)))) {
            return HostVerdict::malformed;
        }
        return address == "::1" ? HostVerdict::ours : HostVerdict::foreign;
    }
    const auto colon = text.find(':');
    const auto host = text.substr(0, colon);
    if (host.empty() || !all_are_or_escaped(host, host_bit)) return HostVerdict::malformed;
    if (colon != std::string_view::npos && !is_port(text.substr(colon + 1))) {
        return HostVerdict::malformed;
    }
    const bool ours = host == "127.0.0.1" || equal_fold(host, "localhost");
    return ours ? HostVerdict::ours : HostVerdict::foreign;
}

Target split_target(std::string_view text, bool connect, bool options) {
    Target target;
    if (text.empty()) return target;
    if (connect) {
        // RFC 9112 3.2.3: host and port, both.
        const auto colon = text.rfind(':');
        const bool has_port = colon != std::string_view::npos && colon + 1 < text.size();
        if (!has_port || check_host(text) == HostVerdict::malformed) return target;
        target.authority = text;
        target.form = Target::Form::authority;
        return target;
    }
    if (text == "*") {
        if (options) target.form = Target::Form::asterisk;
        return target;
    }
    if (text.front() == '/') {
        if (split_path(text, target)) target.form = Target::Form::origin;
        return target;
    }
    const auto colon = text.find("://");
    if (colon == std::string_view::npos) return target;
    target.secure = equal_fold(text.substr(0, colon), "https");
    if (!target.secure && !equal_fold(text.substr(0, colon), "http")) return target;
    if (split_absolute(text.substr(colon + 3), target)) target.form = Target::Form::absolute;
    return target;
}

std::optional<std::string> percent_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i]);
            continue;
        }
        if (i + 2 >= text.size() || !is(text[i + 1], hex_bit) || !is(text[i + 2], hex_bit)) {
            return std::nullopt;
        }
        const int value = hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]);
        if (value == 0) return std::nullopt;
        out.push_back(static_cast<char>(value));
        i += 2;
    }
    return out;
}

}  // namespace lab::live
