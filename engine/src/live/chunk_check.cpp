// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/chunk_check.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace lab::live {
namespace {

/// Sixteen hexadecimal digits are 64 bits.
constexpr std::size_t size_digit_limit = 16;

std::string_view skip_blanks(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    return first == std::string_view::npos ? std::string_view{} : text.substr(first);
}

std::size_t token_length(std::string_view text) {
    std::size_t n = 0;
    while (n < text.size() && is_token_char(text[n])) ++n;
    return n;
}

/// Length of a quoted-string at the front, 0 where there is none. RFC 9110 5.6.4.
std::size_t quoted_length(std::string_view text) {
    if (text.empty() || text.front() != '"') return 0;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') return i + 1;
        if (text[i] == '\\' && ++i >= text.size()) return 0;
    }
    return 0;
}

/// *( BWS ";" BWS name [ BWS "=" BWS value ] ), RFC 9112 7.1.1, and nothing after it.
bool are_extensions(std::string_view text) {
    if (!is_field_text(text)) return false;
    while (!text.empty()) {
        text = skip_blanks(text);
        if (text.empty() || text.front() != ';') return false;
        text = skip_blanks(text.substr(1));
        const auto name = token_length(text);
        if (name == 0) return false;
        text.remove_prefix(name);
        const auto next = skip_blanks(text);
        if (next.empty() || next.front() != '=') continue;
        text = skip_blanks(next.substr(1));
        const auto value = std::max(token_length(text), quoted_length(text));
        if (value == 0) return false;
        text.remove_prefix(value);
    }
    return true;
}

/// Fields that frame a message, route it or rule its connection: they come too late in a trailer,
/// and RFC 9110 6.5.1 lets nobody send them there.
bool is_too_late(std::string_view name) {
    for (const std::string_view late :
         {"content-length", "transfer-encoding", "host", "connection", "proxy-connection"}) {
        if (equal_fold(name, late)) return true;
    }
    return false;
}

}  // namespace

void ChunkCheck::restart(std::uint64_t body_limit) {
    *this = ChunkCheck{};
    body_left_ = body_limit;
}

Scan ChunkCheck::refuse(std::uint16_t status) {
    status_ = status;
    return Scan::refused;
}

bool ChunkCheck::take_line(std::string_view bytes, std::size_t limit, std::string_view& line) {
    scanned_ = std::max(scanned_, line_start_);
    const void* found = scanned_ < bytes.size()
                            ? std::memchr(bytes.data() + scanned_, '\n', bytes.size() - scanned_)
                            : nullptr;
    if (found == nullptr) {
        scanned_ = bytes.size();
        if (bytes.size() - std::min(bytes.size(), line_start_) > limit) {
            status_ = place_ == Place::trailers ? 431 : 400;
        }
        return false;
    }
    const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    line = bytes.substr(line_start_, end - line_start_);
    line_start_ = scanned_ = end + 1;
    if (line.empty() || line.back() != '\r') {
        status_ = 400;
        return false;
    }
    line.remove_suffix(1);
    return true;
}

bool ChunkCheck::read_size(std::string_view line) {
    std::uint64_t size = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), size, 16);
    const auto digits = static_cast<std::size_t>(end - line.data());
    status_ = 400;
    if (error != std::errc{} || digits > size_digit_limit) return false;
    const auto extensions = line.substr(digits);
    extensions_ += extensions.size();
    if (extensions_ > chunk_extension_limit || !are_extensions(extensions)) return false;
    if (size > body_left_) {
        status_ = 413;
        return false;
    }
    status_ = 0;
    body_left_ -= size;
    data_left_ = size;
    return true;
}

bool ChunkCheck::read_trailer(std::string_view line) {
    trailer_octets_ += line.size() + 2;
    status_ = 431;
    if (trailer_octets_ > trailer_limit || ++trailer_fields_ > trailer_field_limit) return false;
    status_ = 400;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return false;
    if (is_too_late(line.substr(0, colon))) return false;
    if (!is_field_text(line.substr(colon + 1))) return false;
    status_ = 0;
    return true;
}

Scan ChunkCheck::scan(std::string_view bytes, std::size_t& cleared) {
    constexpr std::size_t line_limit = chunk_extension_limit + size_digit_limit + 4;
    cleared = 0;
    // Offsets count from the end of what was cleared.
    const auto clear = [&](std::size_t octets) {
        cleared += octets;
        bytes.remove_prefix(octets);
        line_start_ = scanned_ = 0;
    };
    std::string_view line;
    for (;;) {
        if (place_ == Place::data) {
            const auto octets = std::min<std::uint64_t>(data_left_, bytes.size());
            clear(static_cast<std::size_t>(octets));
            data_left_ -= octets;
            if (data_left_ > 0) return Scan::more;
            place_ = Place::size_line;
            after_data_ = true;
        } else if (place_ == Place::size_line) {
            if (after_data_ && line_start_ == 0) {
                if (!bytes.empty() && bytes[0] != '\r') return refuse(400);
                if (bytes.size() > 1 && bytes[1] != '\n') return refuse(400);
                if (bytes.size() < 2) return Scan::more;
                line_start_ = 2;
            }
            if (!take_line(bytes, line_limit, line)) return status_ ? Scan::refused : Scan::more;
            if (!read_size(line)) return Scan::refused;
            place_ = data_left_ > 0 ? Place::data : Place::trailers;
            if (data_left_ > 0) clear(line_start_);
        } else if (place_ == Place::trailers) {
            if (!take_line(bytes, trailer_limit, line)) return status_ ? Scan::refused : Scan::more;
            if (!line.empty()) {
                if (!read_trailer(line)) return Scan::refused;
                continue;
            }
            clear(line_start_);
            place_ = Place::end;
        } else {
            return Scan::complete;
        }
    }
}

}  // namespace lab::live
