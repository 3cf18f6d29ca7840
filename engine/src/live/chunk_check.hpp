// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "live/head_check.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lab::live {

/// Octets of chunk extensions in one body, and of one line that gives a chunk's size.
inline constexpr std::size_t chunk_extension_limit = 4'000;
inline constexpr std::size_t trailer_limit = 16'000;
inline constexpr int trailer_field_limit = 32;

/// Walks the framing of a chunked body, RFC 9112 7.1, ahead of the parser, and says how far the
/// parser may go: it is only ever given whole elements (a size line, data, the last chunk with its
/// trailers).
///
/// Refuses with 400, 413 (the body is longer than the limit) or 431 (trailers). Threads: one at a
/// time.
class ChunkCheck {
  public:
    void restart(std::uint64_t body_limit);
    /// `bytes`: what has come and was not cleared by an earlier call. `cleared` is set to how much
    /// of it may go to the parser now; the caller takes that much away before it calls again.
    [[nodiscard]] Scan scan(std::string_view bytes, std::size_t& cleared);
    [[nodiscard]] std::uint16_t status() const { return status_; }

  private:
    enum class Place : std::uint8_t { size_line, data, trailers, end };

    Scan refuse(std::uint16_t status);
    /// The line from `line_start_` on, without its end; false where there is none yet, or it is
    /// refused.
    bool take_line(std::string_view bytes, std::size_t limit, std::string_view& line);
    bool read_size(std::string_view line);
    bool read_trailer(std::string_view line);

    std::uint64_t body_left_ = 0;  ///< of the limit
    std::uint64_t data_left_ = 0;  ///< of this chunk
    std::size_t line_start_ = 0;
    std::size_t scanned_ = 0;
    std::size_t extensions_ = 0;
    std::size_t trailer_octets_ = 0;
    int trailer_fields_ = 0;
    bool after_data_ = false;  ///< CRLF that ends a chunk's data comes before the next size line
    Place place_ = Place::size_line;
    std::uint16_t status_ = 0;
};

}  // namespace lab::live
