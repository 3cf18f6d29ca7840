// SPDX-License-Identifier: GPL-3.0-or-later
// The header fields with which our generator and our server tell each other more than HTTP does. A
// client that does not ask (no X-Lab-Request) is not told, and pays nothing for it.
#pragma once

#include "lab/frame.hpp"
#include "lab/result.hpp"
#include "measure/recorder.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lab::live {

/// Request: the plan's number, which keys the draws. "X-Lab-Request: 4711"
inline constexpr std::string_view request_field = "X-Lab-Request";
/// Request: who asks. "Cookie: user=7"
inline constexpr std::string_view cookie_field = "Cookie";
/// Answer: whom it was made for, only on personal routes. "X-Lab-User: 7"
inline constexpr std::string_view user_field = "X-Lab-User";
/// Answer: the language it was made in, only on localised routes. RFC 9110 8.5.
inline constexpr std::string_view language_field = "Content-Language";
/// Request: RFC 9110 12.5.4.
inline constexpr std::string_view accept_language_field = "Accept-Language";
/// Answer: versions of the data it was made from, in the order of the route's queries.
/// "X-Lab-Version: 5,9"
inline constexpr std::string_view version_field = "X-Lab-Version";
/// Answer: received, ready and the parts, in nanoseconds of the steady clock, hexadecimal,
/// '.'-separated.
inline constexpr std::string_view times_field = "X-Lab-Times";

/// Appends the value of X-Lab-Times.
void write_times(std::string& out, const measure::ServerTimes& times);
/// Empty where the text is not what write_times makes.
[[nodiscard]] std::optional<measure::ServerTimes> read_times(std::string_view text);
void write_versions(std::string& out, const std::vector<std::uint64_t>& versions);
/// Fills `out`; returns how many, 0 where malformed or more than fit.
std::size_t read_versions(std::string_view text, std::uint64_t* out, std::size_t room);

}  // namespace lab::live
