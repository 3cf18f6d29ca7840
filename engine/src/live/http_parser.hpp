// SPDX-License-Identifier: GPL-3.0-or-later
// The one door to Boost.Beast's parser. Beast's headers stay behind it: they cost half a minute to
// compile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace lab::live {

/// One request through Beast's HTTP/1 parser. What HeadCheck and ChunkCheck have let through is
/// given to it whole; it allocates nothing and keeps only what a request is known by.
///
/// Threads: one at a time.
class RequestParser {
  public:
    /// Views point into the head that was given, until its memory changes.
    struct Seen {
        std::string_view method;
        std::string_view target;
        bool http_1_1 = false;
        bool keep_alive = false;  ///< RFC 9112 9.3
        bool chunked = false;
        std::optional<std::uint64_t> content_length;
        std::uint8_t language = 0;             ///< Accept-Language, as live/language.hpp has it
        std::optional<std::uint32_t> user;     ///< of the cookie `user`
        std::optional<std::uint64_t> planned;  ///< X-Lab-Request
    };

    RequestParser();
    ~RequestParser();
    RequestParser(const RequestParser&) = delete;
    RequestParser& operator=(const RequestParser&) = delete;

    /// Starts a request: `head` is all of one head, from its request-line to its empty line. False
    /// where Beast refuses it.
    [[nodiscard]] bool read_head(std::string_view head, std::uint64_t body_limit);
    /// The next octets of the body; whole elements where it is chunked. False where Beast refuses
    /// them.
    [[nodiscard]] bool read_body(std::string_view octets);
    /// Head and body are complete.
    [[nodiscard]] bool done() const;
    [[nodiscard]] const Seen& seen() const;

  private:
    class Beast;
    Beast& beast() { return *beast_; }

    // In place: a request must not cost an allocation. The size is checked where Beast is known.
    static constexpr std::size_t room = 320;
    alignas(std::max_align_t) std::byte storage_[room];
    Beast* beast_ = nullptr;
};

}  // namespace lab::live
