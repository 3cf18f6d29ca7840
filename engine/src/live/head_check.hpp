// SPDX-License-Identifier: GPL-3.0-or-later
// Our own look at the raw bytes of a request, before any parser's view of them is trusted.
#pragma once

#include "live/http_text.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lab::live {

/// Octets of a head, the blank lines before it included.
inline constexpr std::size_t head_limit = 16'000;
/// Octets of a request-line without its line end; RFC 9112 3 wants 8,000 to pass.
inline constexpr std::size_t request_line_limit = 8'000;
inline constexpr int field_limit = 100;
/// Empty lines that may stand before a request-line, RFC 9112 2.2.
inline constexpr int blank_line_limit = 8;

enum class Scan : std::uint8_t { more, complete, refused };

/// What a complete head says about itself. Views point into the bytes of the scan that completed
/// it.
struct HeadFacts {
    std::size_t skipped = 0;  ///< octets of blank lines before the request-line
    std::size_t length = 0;   ///< octets to the end of the head, the skipped ones included
    std::string_view method;
    Target target;
    bool http_1_1 = false;
    bool chunked = false;
    bool has_length = false;  ///< a Content-Length stands there
    std::uint64_t content_length = 0;
    bool expects_continue = false;  ///< only in HTTP/1.1
};

/// Reads one head, line by line, however it is cut into pieces. Each octet is looked at once or
/// twice.
///
/// Refuses with the status that the answer is to have; the connection then closes. Rules: RFC
/// 9112 2.2 to 6.3 and RFC 9110 5, 7.2, 10.1.1, none of them relaxed. Threads: one at a time.
class HeadCheck {
  public:
    /// Ready for the next head.
    void restart() { *this = HeadCheck{}; }
    /// `bytes`: everything from the start of this request on, also what was given before.
    [[nodiscard]] Scan scan(std::string_view bytes, std::uint64_t body_limit);
    /// After Scan::refused: 400, 413, 414, 417, 421, 431, 501 or 505.
    [[nodiscard]] std::uint16_t status() const { return status_; }
    /// After Scan::complete.
    [[nodiscard]] const HeadFacts& facts() const { return facts_; }
    /// Whether more than blank lines has come.
    [[nodiscard]] bool begun(std::string_view bytes) const;

  private:
    enum class Coding : std::uint8_t { none, chunked, unknown, malformed };

    Scan refuse(std::uint16_t status);
    Scan unfinished(std::string_view bytes);
    bool read_request_line(std::string_view line);
    bool read_field(std::string_view line);
    void note_field(std::string_view name, std::string_view value);
    void note_coding(std::string_view value);
    Scan conclude(std::uint64_t body_limit);

    std::size_t line_start_ = 0;
    std::size_t scanned_ = 0;  ///< no line end before this
    std::size_t method_size_ = 0;
    std::size_t target_start_ = 0;  ///< kept as offsets: the bytes may move between scans
    std::size_t target_size_ = 0;
    bool in_fields_ = false;
    bool connect_ = false;
    bool options_ = false;
    int blanks_ = 0;
    int fields_ = 0;
    int hosts_ = 0;
    int lengths_ = 0;
    int codings_ = 0;
    bool bad_length_ = false;
    bool bad_expectation_ = false;
    HostVerdict host_ = HostVerdict::ours;
    Coding coding_ = Coding::none;
    std::uint16_t status_ = 0;
    HeadFacts facts_;
};

}  // namespace lab::live
