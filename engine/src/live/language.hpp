// SPDX-License-Identifier: GPL-3.0-or-later
// The languages that users speak and a localised route answers in. One list for the generator, the
// server and the truth.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/language.hpp"

namespace lab::live {

inline constexpr std::array<std::string_view, 8> known_languages{"en", "de", "fr", "es",
                                                                 "it", "nl", "pl", "pt"};

/// "de"; the first for a number that is none.
[[nodiscard]] constexpr std::string_view language_name(std::uint8_t language) {
    return known_languages[language < known_languages.size() ? language : 0];
}

using core::language_of;

/// The first language of an Accept-Language field ("de-AT, en;q=0.5"); English where we have not
/// got it. RFC 9110 12.5.4; the weights are not looked at.
[[nodiscard]] constexpr std::uint8_t read_language(std::string_view field) {
    const std::string_view first = field.substr(0, field.find_first_of("-,; \t"));
    for (std::size_t i = 0; i < known_languages.size(); ++i) {
        if (first == known_languages[i]) return static_cast<std::uint8_t>(i);
    }
    return 0;
}

}  // namespace lab::live
