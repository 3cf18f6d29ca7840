// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/utf8.hpp"

namespace lab::utf8 {
namespace {

bool within(char32_t c, char32_t least, char32_t most) { return c >= least && c <= most; }

}  // namespace

Character first(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return {lead, 1, true};
    std::size_t length = 0;
    char32_t code = 0;
    if (within(lead, 0xc2, 0xdf)) {
        length = 2;
        code = lead & 0x1f;
    } else if (within(lead, 0xe0, 0xef)) {
        length = 3;
        code = lead & 0x0f;
    } else if (within(lead, 0xf0, 0xf4)) {
        length = 4;
        code = lead & 0x07;
    }
    if (length == 0 || text.size() < length) return {};
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return {};
        code = (code << 6) | (byte(i) & 0x3f);
    }
    const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
    if (overlong || within(code, 0xd800, 0xdfff) || code > 0x10ffff) return {};
    return {code, length, true};
}

bool is_control(char32_t c) { return c < 0x20 || within(c, 0x7f, 0x9f); }

bool is_bidi_control(char32_t c) {
    return c == 0x61c || within(c, 0x200e, 0x200f) || within(c, 0x202a, 0x202e) ||
           within(c, 0x2066, 0x2069);
}

bool is_combining_mark(char32_t c) {
    return within(c, 0x300, 0x36f) || within(c, 0x483, 0x489) || within(c, 0x591, 0x5bd) ||
           within(c, 0x610, 0x61a) || within(c, 0x64b, 0x65f) || within(c, 0xe31, 0xe3a) ||
           within(c, 0xe47, 0xe4e) || within(c, 0x1ab0, 0x1aff) || within(c, 0x1dc0, 0x1dff) ||
           within(c, 0x20d0, 0x20ff) || within(c, 0xfe00, 0xfe0f) || within(c, 0xfe20, 0xfe2f);
}

}  // namespace lab::utf8
