// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace lab::live {

inline constexpr std::string_view plain_text = "text/plain; charset=utf-8";
inline constexpr std::string_view html_text = "text/html; charset=utf-8";

/// "Date: Sun, 06 Nov 1994 08:49:37 GMT": the one use of the wall clock, made once a second (RFC
/// 9110 6.6.1).
class DateText {
  public:
    static constexpr std::size_t size = 29;
    DateText() { refresh(); }
    /// Looks at the clock. True when the second is another.
    bool refresh();
    [[nodiscard]] std::string_view text() const { return {text_.data(), size}; }
    /// Counts the seconds seen: whoever has an older number has an old date.
    [[nodiscard]] std::uint64_t number() const { return number_; }
    /// Fills in the date of a second since 1970.
    static void write(std::int64_t second, char* out);

  private:
    std::array<char, size> text_{};
    std::int64_t second_ = -1;
    std::uint64_t number_ = 0;
};

/// What an answer says about the connection: RFC 9112 9.3 has no need of words to keep one of
/// HTTP/1.1.
enum class Persistence : std::uint8_t { keep, keep_1_0, close };

/// "Not Found"; "Unknown" for what we never send.
[[nodiscard]] std::string_view reason_phrase(int status);
/// The whole body of an answer other than 2xx: fixed text, nothing of the request in it.
[[nodiscard]] std::string_view refusal_page(int status);

struct HeadLines {
    int status = 200;
    std::string_view content_type = plain_text;
    std::uint64_t length = 0;  ///< of the body that GET would have; 204 shows none
    Persistence persistence = Persistence::keep;
    std::string_view allow;  ///< 405 and OPTIONS
};
/// Appends status line and fields, without the empty line that ends a head. Nothing in them names
/// our version.
void begin_head(std::string& out, const HeadLines& lines, const DateText& date);
inline void end_head(std::string& out) { out += "\r\n"; }

/// An answer that is the same each time but for its date: made once, and patched once a second.
class PreparedAnswer {
  public:
    /// Head and body in one piece are sent by a cheaper system call than in two; larger bodies are
    /// kept once, not once for each kind of head.
    static constexpr std::size_t joined_limit = 16'384;

    PreparedAnswer(std::string_view content_type, std::string body);
    /// What to send on such a connection, with today's date: both parts one after the other. Valid
    /// until the next call.
    struct Parts {
        std::string_view first;
        std::string_view second;
    };
    [[nodiscard]] Parts parts(Persistence persistence, bool head_only, const DateText& date);
    [[nodiscard]] std::string_view body() const { return body_; }

  private:
    struct Head {
        std::string text;  ///< with the body behind it, where that is small
        std::size_t size = 0;
        std::size_t date_at = 0;
        std::uint64_t date_number = 0;
    };
    std::array<Head, 3> heads_;
    std::string body_;
};

/// "HTTP/1.1 100 Continue" with its empty line.
inline constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace lab::live
