// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lab/frame.hpp"

namespace lab::report {

/// A JSON string. What is not UTF-8 becomes U+FFFD, control characters become escapes.
[[nodiscard]] std::string quote(std::string_view text);
/// ["a", "b"]
[[nodiscard]] std::string list_of(const std::vector<std::string>& texts);

/// Keys in the order in which they were added, with values that are JSON already.
class Object {
  public:
    void raw(std::string_view key, std::string value) {
        members_.emplace_back(key, std::move(value));
    }
    void text(std::string_view key, std::string_view value) { raw(key, quote(value)); }
    void number(std::string_view key, double value);
    void number(std::string_view key, const std::optional<double>& value);
    void count(std::string_view key, std::uint64_t n);
    void flag(std::string_view key, bool value) { raw(key, value ? "true" : "false"); }

    /// {"a": 1, "b": 2}
    [[nodiscard]] std::string on_one_line() const;
    /// One member a line.
    [[nodiscard]] std::string on_many_lines(std::string_view indent) const;

  private:
    std::vector<std::pair<std::string, std::string>> members_;
};

/// "mean" and "p50" to "p999", in milliseconds; null where there are none.
void add_percentiles(Object& object, const LatencySummary& summary);

}  // namespace lab::report
