// SPDX-License-Identifier: GPL-3.0-or-later
// The little that we need to know about UTF-8 and about characters that play tricks on a reader.
#pragma once

#include <cstddef>
#include <string_view>

namespace lab::utf8 {

struct Character {
    char32_t code = 0;
    std::size_t length = 1;  ///< bytes; 1 where not valid
    bool valid = false;
};

/// The first character of a text that is not empty. Overlong forms, surrogates and what lies beyond
/// U+10FFFF are not valid. Threads: any.
[[nodiscard]] Character first(std::string_view text);

/// C0, DEL and C1.
[[nodiscard]] bool is_control(char32_t c);
/// Marks, embeddings, overrides and isolates that reorder the text round them.
[[nodiscard]] bool is_bidi_control(char32_t c);
/// Marks that stack on the character before them (the blocks that consist of such marks).
[[nodiscard]] bool is_combining_mark(char32_t c);

}  // namespace lab::utf8
