// SPDX-License-Identifier: GPL-3.0-or-later
// Quantities as people write them ("50ms", "30/s", "10kB"), and text from strangers made safe to
// show.
#pragma once

#include "lab/model.hpp"
#include "lab/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace lab {

/// A length of time with its unit: ns, us, ms, s or min. "50ms", "1.5s", "20us", "3min".
///
/// The whole text must be the quantity; decimal point whatever the locale; finite; not negative.
/// Errors: invalid_input with what was found and what is allowed, `where` empty. Threads: any.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);
/// "30/s" or "600/min". Errors as parse_duration.
[[nodiscard]] Result<ArrivalRate> parse_rate(std::string_view text);
/// "500B", "10kB", "1MB" (powers of ten), "4KiB", "1MiB" (powers of two). Errors as parse_duration.
[[nodiscard]] Result<Bytes> parse_bytes(std::string_view text);
/// "50ms", "uniform 10ms 90ms", "exponential 50ms", "lognormal 50ms 200ms" (median, 99th
/// percentile).
[[nodiscard]] Result<Distribution> parse_distribution(std::string_view text);
/// A whole number, a number. Errors as parse_duration.
[[nodiscard]] Result<std::int64_t> parse_count(std::string_view text);
[[nodiscard]] Result<double> parse_number(std::string_view text);

/// As a file takes it, exactly: parsing it gives the same value. "50ms", "1.5s", "3min".
[[nodiscard]] std::string write_duration(Duration);
[[nodiscard]] std::string write_rate(ArrivalRate);
[[nodiscard]] std::string write_bytes(Bytes);
[[nodiscard]] std::string write_distribution(const Distribution&);
/// The shortest decimal form that reads back as the same number.
[[nodiscard]] std::string write_number(double);

/// As a person reads it: "50 ms", "120/s", "10 kB", "10,000".
[[nodiscard]] std::string show_duration(Duration);
[[nodiscard]] std::string show_rate(ArrivalRate);
[[nodiscard]] std::string show_bytes(Bytes);
[[nodiscard]] std::string show_distribution(const Distribution&);
[[nodiscard]] std::string show_count(std::int64_t);

/// Text fit for a terminal or a message: control bytes, bidirectional controls and bytes that are
/// not UTF-8 are shown as escapes ("\x1b", "\u202e"). Threads: any.
[[nodiscard]] std::string escaped(std::string_view text);
/// The same in double quotes, cut to 60 characters with "..." behind.
[[nodiscard]] std::string in_quotes(std::string_view text);

/// The same, for arguments that std::quoted does not want too.
[[nodiscard]] inline std::string quoted(std::string_view text) { return in_quotes(text); }

}  // namespace lab
