// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "lab/units.hpp"

namespace lab::test {

/// A server of raw sockets that does what a test tells it: late answers, answers in pieces,
/// nonsense, closing, resetting, stalls. It knows nothing of our engine. One thread; 127.0.0.1;
/// requests without a body. Threads: any; the script runs on the server's thread.
class FakeServer {
  public:
    /// A request as it came.
    struct Seen {
        int connection = 0;        ///< 0, 1, 2 ... in the order of accepting
        int nth = 0;               ///< 0, 1, 2 ... on its connection
        std::uint64_t number = 0;  ///< 0, 1, 2 ... over all
        std::string head;          ///< request line and fields
        std::string target;
        Instant at{};

        /// Value of a field by its name as written, or empty.
        [[nodiscard]] std::string field(std::string_view name) const;
    };
    struct Reply {
        enum class After : std::uint8_t { keep, close, reset };
        struct Piece {
            Duration wait{};  ///< after the one before
            std::string bytes;
        };
        std::vector<Piece> pieces;
        After after = After::keep;
    };
    using Script = std::function<Reply(const Seen&)>;
    /// Time since the start at which nothing is accepted, read or written: says until when.
    using Stall = std::function<Duration(Duration)>;

    explicit FakeServer(Script script, Stall stall = {});
    ~FakeServer();
    FakeServer(const FakeServer&) = delete;
    FakeServer& operator=(const FakeServer&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] Instant started() const { return start_; }
    [[nodiscard]] std::vector<Seen> seen() const;
    [[nodiscard]] int accepted() const;
    /// Connections that are open now, as far as the server has noticed.
    [[nodiscard]] int open() const;

  private:
    struct Connection;
    using Connections = std::vector<std::unique_ptr<Connection>>;
    void serve();
    void accept_all(Connections& connections);
    void read_requests(Connection& connection);
    [[nodiscard]] bool woken_in_stall() const;

    Script script_;
    Stall stall_;
    int listener_ = -1;
    int wake_[2] = {-1, -1};
    std::uint16_t port_ = 0;
    Instant start_{};
    mutable std::mutex mutex_;
    std::vector<Seen> seen_;
    int accepted_ = 0;
    int open_ = 0;
    std::thread thread_;
};

/// "HTTP/1.1 200 OK" with a length and this body; `fields` are whole lines with CRLF.
[[nodiscard]] std::string http_answer(int status, std::string_view body,
                                      std::string_view fields = "");
/// A reply of one piece at once.
[[nodiscard]] FakeServer::Reply reply_with(std::string bytes, Duration wait = {});

/// A port of 127.0.0.1 on which nobody listens.
[[nodiscard]] std::uint16_t unused_port();

}  // namespace lab::test
