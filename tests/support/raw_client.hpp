// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lab::testing {

/// A client that sends what it is told, octet for octet, and reads answers by their Content-Length.
/// Every read gives up after 5 s. Threads: one.
class RawClient {
  public:
    struct Answer {
        int status = 0;
        std::string head;  ///< with its empty line
        std::string body;
    };
    enum class End { closed, reset, silent };

    explicit RawClient(std::uint16_t port);
    ~RawClient();
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    [[nodiscard]] bool connected() const { return socket_ >= 0; }
    /// False where the connection broke.
    bool send(std::string_view bytes);
    /// In pieces that go out one by one.
    bool send_in_steps(std::string_view bytes, std::size_t step);
    void half_close();
    /// Goes without a word: the server sees a reset.
    void reset();
    /// Takes no more than so many octets into the kernel's buffer. Before anything is sent.
    void shrink_receive_buffer(int octets);
    /// Nothing where the connection ended first. `head_only`: an answer to HEAD.
    [[nodiscard]] std::optional<Answer> read_answer(bool head_only = false);
    /// Waits for the end of the connection. `surplus` is what came before it.
    [[nodiscard]] End read_end(std::string* surplus = nullptr);
    /// Whether nothing more comes within `milliseconds`.
    [[nodiscard]] bool stays_silent(int milliseconds);

  private:
    enum class Got { bytes, end, reset, nothing };
    Got receive();

    int socket_ = -1;
    std::string waiting_;
};

}  // namespace lab::testing
