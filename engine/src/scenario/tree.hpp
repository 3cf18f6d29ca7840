// SPDX-License-Identifier: GPL-3.0-or-later
// A TOML file as plain values with their places. The parser behind it is included in one .cpp only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lab/result.hpp"

namespace lab::scenario {

/// Where something stands in a file, counted from 1.
struct Place {
    std::uint32_t line = 1;
    std::uint32_t column = 1;
    friend auto operator<=>(const Place&, const Place&) = default;
};

struct Member;

/// One value. Only the field of its kind has a meaning.
struct Node {
    enum class Kind : std::uint8_t { boolean, integer, number, text, date, list, table };
    Kind kind = Kind::table;
    Place place;
    bool boolean = false;
    std::int64_t integer = 0;
    double number = 0;
    std::string text;
    std::vector<Node> items;      ///< list
    std::vector<Member> members;  ///< table: in the order of the file

    [[nodiscard]] const Member* find(std::string_view key) const;
};

struct Member {
    std::string key;
    Place place;  ///< of the key
    Node value;
};

/// What a value is, for "found ...": "\"fast\"", "4", "a list".
[[nodiscard]] std::string describe(const Node& node);

/// "file:line:column" with "key" behind it where there is one.
[[nodiscard]] std::string where(const std::string& file, Place place, std::string_view key = {});

inline constexpr std::size_t most_file_bytes = 1024 * 1024;
inline constexpr std::size_t most_line_bytes = 8 * 1024;
inline constexpr std::size_t most_text_bytes = 64 * 1024;
inline constexpr int most_key_dots = 16;
inline constexpr int most_depth = 32;
inline constexpr std::size_t most_nodes = 20'000;
inline constexpr std::size_t most_list_items = 1'000;

/// Looks through the bytes before a parser sees them: size, UTF-8, NUL, length of a line, dots in a
/// key, nesting, number of values. Linear in the size, no memory. `text` loses its byte order mark.
/// Errors: invalid_input. Threads: any.
[[nodiscard]] Result<void> prescan(std::string_view& text, const std::string& file);

/// The file as a tree. Runs prescan first, then the parser on a thread with a stack of its own.
/// Errors: invalid_input with the place; no_resources where no thread can be had. Threads: any.
[[nodiscard]] Result<Node> parse_tree(std::string_view text, const std::string& file);

}  // namespace lab::scenario
