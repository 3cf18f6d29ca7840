// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "lab/experiment.hpp"
#include "lab/text.hpp"

namespace lab {

namespace {

constexpr std::size_t longest_url = 8000;
constexpr std::string_view scheme = "http://";

Error bad_url(std::string_view url, std::string_view allowed) {
    return {ErrorCode::invalid_input, "url",
            "found " + quoted(url) + ", allowed: " + std::string{allowed}};
}

Error not_this_machine(std::string_view host) {
    return {ErrorCode::not_permitted, "url",
            "host " + quoted(host) +
                " is not allowed: load goes to this computer only, written as 127.0.0.1 (to "
                "127.255.255.255), localhost or [::1]"};
}

/// A decimal number without sign, space or leading zero, at most `most`.
std::optional<std::uint32_t> plain_decimal(std::string_view text, std::uint32_t most) {
    if (text.empty() || text.size() > 5 || (text.size() > 1 && text.front() == '0')) return {};
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value > most) return {};
    return value;
}

/// Four decimal octets, the first being 127. No octal, hexadecimal or short forms: what looks like
/// another spelling of an address is refused, since readers of it disagree about what it means.
std::optional<std::uint32_t> loopback_v4(std::string_view text) {
    std::uint32_t address = 0;
    for (int octet = 0; octet < 4; ++octet) {
        const auto dot = text.find('.');
        if ((dot == std::string_view::npos) != (octet == 3)) return {};
        const auto value = plain_decimal(text.substr(0, dot), 255);
        if (!value) return {};
        address = address << 8 | *value;
        text.remove_prefix(octet == 3 ? text.size() : dot + 1);
    }
    return address >> 24 == 127 ? std::optional{address} : std::nullopt;
}

bool is_localhost(std::string_view text) {
    constexpr std::string_view name = "localhost";
    return std::equal(text.begin(), text.end(), name.begin(), name.end(), [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
}

struct Authority {
    std::string_view host;
    std::optional<std::string_view> port;
};

/// Splits "host:port" or "[address]:port" at its last colon. A lone colon gives an empty port.
std::optional<Authority> split(std::string_view authority) {
    if (authority.starts_with('[')) {
        const auto end = authority.find(']');
        if (end == std::string_view::npos) return {};
        const auto rest = authority.substr(end + 1);
        if (!rest.empty() && rest.front() != ':') return {};
        return Authority{authority.substr(0, end + 1),
                         rest.empty() ? std::nullopt : std::optional{rest.substr(1)}};
    }
    const auto colon = authority.find(':');
    if (colon == std::string_view::npos) return Authority{authority, {}};
    return Authority{authority.substr(0, colon), authority.substr(colon + 1)};
}

}  // namespace

Result<LoopbackTarget> parse_loopback_url(std::string_view url) {
    constexpr std::string_view form = "http://127.0.0.1:PORT/PATH";
    if (url.size() > longest_url) return bad_url(url, "at most 8000 bytes");
    if (!url.starts_with(scheme)) return bad_url(url, form);
    const bool visible =
        std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < 0x7f; });
    if (!visible) return bad_url(url, "visible ASCII only; write other bytes as %XX");

    std::string_view rest = url.substr(scheme.size());
    rest = rest.substr(0, rest.find('#'));
    const auto path = rest.find_first_of("/?");
    const std::string_view authority = rest.substr(0, path);
    if (authority.find_first_of("@\\%") != std::string_view::npos)
        return not_this_machine(authority);
    const auto parts = split(authority);
    if (!parts || parts->host.empty()) return bad_url(url, form);

    LoopbackTarget target;
    if (parts->host == "[::1]") {
        target.v6 = true;
    } else if (const auto v4 = loopback_v4(parts->host)) {
        target.v4 = *v4;
    } else if (!is_localhost(parts->host)) {
        return not_this_machine(parts->host);
    }
    if (parts->port) {
        const auto port = plain_decimal(*parts->port, 65535);
        if (!port || *port == 0) return bad_url(url, "a port from 1 to 65535");
        target.port = static_cast<std::uint16_t>(*port);
    }
    target.host = parts->host;
    if (target.port != 80) target.host += ":" + std::to_string(target.port);
    if (path == std::string_view::npos || rest[path] == '?') target.target = "/";
    if (path != std::string_view::npos) target.target += rest.substr(path);
    return target;
}

}  // namespace lab
