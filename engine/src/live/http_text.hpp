// SPDX-License-Identifier: GPL-3.0-or-later
// Characters, hosts and request targets of HTTP/1.1, strictly as the RFCs write them. Pure
// functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lab::live {

/// RFC 9110 5.6.2.
[[nodiscard]] bool is_token_char(char c);
[[nodiscard]] bool is_token(std::string_view text);
/// May stand in a field value (RFC 9110 5.5): HTAB, SP, visible ASCII, obs-text.
[[nodiscard]] bool is_field_text(std::string_view text);
/// Without the spaces and tabs round it.
[[nodiscard]] std::string_view trim_blanks(std::string_view text);
/// Equal but for the case of ASCII letters; `lower` is in lower case.
[[nodiscard]] bool equal_fold(std::string_view text, std::string_view lower);
/// 1*DIGIT that fits, leading zeros allowed.
[[nodiscard]] std::optional<std::uint64_t> read_number(std::string_view digits);

enum class HostVerdict : std::uint8_t {
    ours,     ///< localhost, 127.0.0.1 or [::1], with any port
    foreign,  ///< a valid host that is not this machine (DNS rebinding from a browser)
    malformed,
};
/// uri-host [ ":" port ], RFC 3986 3.2.2 and 3.2.3. An empty host is malformed (RFC 9110 4.2.1).
[[nodiscard]] HostVerdict check_host(std::string_view host_and_port);

/// A request-target, RFC 9112 3.2, taken apart. The views point into the text that was given.
struct Target {
    enum class Form : std::uint8_t { malformed, origin, absolute, authority, asterisk };
    Form form = Form::malformed;
    bool secure = false;          ///< absolute with the scheme https: not ours to answer
    std::string_view authority;   ///< absolute, authority
    std::string_view path_query;  ///< from the path on; "/" where an absolute form has no path
    std::string_view path;
    std::string_view query;  ///< without the '?'
};
/// `connect`: the method is CONNECT, which alone has the authority form. `options`: alone has the
/// asterisk.
[[nodiscard]] Target split_target(std::string_view target, bool connect, bool options);

/// Replaces %HH. Empty where an escape is broken or stands for NUL.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);

}  // namespace lab::live
