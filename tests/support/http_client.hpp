// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>

namespace lab::test {

/// A blocking HTTP/1.1 client of one connection to 127.0.0.1, for tests of a server. It gives up after ten
/// seconds without a byte.
class HttpClient {
  public:
    explicit HttpClient(std::uint16_t port);
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    struct Answer {
        int status = 0;  ///< 0: the connection broke before a whole answer had come
        std::string head;
        std::string body;
        /// The value of a header field, or empty.
        [[nodiscard]] std::string field(const std::string& name) const;
    };
    /// `fields`: further lines, each ended by CRLF.
    Answer get(const std::string& target, const std::string& fields = {});
    void send(const std::string& target, const std::string& fields = {});
    Answer receive();

  private:
    bool read_more();
    int socket_ = -1;
    std::string unread_;
};

}  // namespace lab::test
