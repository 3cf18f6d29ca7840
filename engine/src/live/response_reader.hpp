// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "live/truth.hpp"
#include "measure/recorder.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lab::live {

/// What the generator keeps of an answer: everything it counts by, and no body.
struct ReceivedAnswer {
    int status = 0;           ///< final: 200..599
    bool keep_alive = false;  ///< the connection may carry another request
    std::uint64_t body_bytes = 0;
    std::optional<std::uint64_t> length;       ///< Content-Length
    std::optional<std::uint32_t> made_for;     ///< X-Lab-User
    std::optional<std::uint8_t> language;      ///< Content-Language
    std::array<std::uint64_t, 32> versions{};  ///< X-Lab-Version
    std::size_t version_count = 0;
    std::optional<measure::ServerTimes> times;  ///< X-Lab-Times
};

/// Reads one HTTP/1 answer after another from bytes as they come, in any pieces, and keeps no body.
///
/// Handles lengths, chunks, bodies that end with the connection, bodiless answers (204, 304) and
/// interim ones (1xx, skipped; 101 is an error: nobody asked for it). Bounds: a head of 64 kB, a
/// body of 1 MB. Whatever breaks the grammar or a bound is `broken`, for good until reset().
/// Threads: one at a time.
class ResponseReader {
  public:
    static constexpr std::uint32_t head_limit = 64 * 1024;
    static constexpr std::uint64_t body_limit = 1'000'000;

    enum class State : std::uint8_t { reading, complete, broken };

    ResponseReader();
    ~ResponseReader();
    ResponseReader(const ResponseReader&) = delete;
    ResponseReader& operator=(const ResponseReader&) = delete;

    /// Reads on. `bytes` begins with what the last call left over. Returns how many it is done
    /// with; the caller keeps the rest and adds to it. Bytes behind a complete answer are left
    /// alone.
    std::size_t put(std::string_view bytes);
    /// The connection ended in order. Completes an answer that ends so; any other one is then
    /// broken.
    void put_end();
    /// Ready for the next answer. Its body is appended to `body` as it comes; null: only counted.
    void reset(std::string* body = nullptr);

    [[nodiscard]] State state() const { return state_; }
    /// A byte of this answer has come.
    [[nodiscard]] bool begun() const { return begun_; }
    /// Whole once the state is complete.
    [[nodiscard]] const ReceivedAnswer& answer() const;

  private:
    struct Parser;
    struct Impl;
    std::unique_ptr<Impl> impl_;
    State state_ = State::reading;
    bool begun_ = false;
};

}  // namespace lab::live
