// SPDX-License-Identifier: GPL-3.0-or-later
// One line of the table of raw requests: what is sent, and what must come of it.
#pragma once

#include <string>
#include <vector>

namespace lab::http_rows {

/// Which of the test's servers: usual limits; 200 ms for a head and a body, 300 ms for an idle connection;
/// keep-alive switched off; a proxy with usual limits in front of the usual server.
enum class Peer { usual, hasty, closing, proxied };
/// What becomes of the connection after the answers. `open`: it must answer one more good request.
enum class After { closes, open };

struct Row {
    std::string name;    ///< letters and digits
    std::string clause;  ///< RFC and section; "SAFETY 2" where we ask for more than the RFC
    std::string bytes;
    std::vector<int> answers;  ///< statuses in order; none: closed without a word
    After after = After::closes;
    std::string holds = {};   ///< must stand somewhere in the answers
    std::string then = {};    ///< sent after the first answer has come
    int heads = 0;            ///< bit i: answer i has a head only
    bool half_close = false;  ///< the client says that it sends no more
    std::size_t step = 0;     ///< sent in pieces of so many octets
    Peer peer = Peer::usual;
};

inline const std::string host = "Host: localhost\r\n";
inline constexpr std::size_t body_limit = 100'000;

/// GET of a worker's route, with these fields.
inline std::string get(const std::string& fields = {}) {
    return "GET /ok HTTP/1.1\r\n" + host + fields + "\r\n";
}
inline std::string line(const std::string& request_line) {
    return request_line + "\r\n" + host + "\r\n";
}
/// POST of a worker's route.
inline std::string post(const std::string& fields, const std::string& body = {}) {
    return "POST /pay HTTP/1.1\r\n" + host + fields + "\r\n" + body;
}
inline std::string chunked(const std::string& body) {
    return post("Transfer-Encoding: chunked\r\n", body);
}
inline std::string times(int n, const std::string& text) {
    std::string all;
    for (int i = 0; i < n; ++i) all += text;
    return all;
}

std::vector<Row> request_line_rows();
std::vector<Row> target_rows();
std::vector<Row> field_rows();
std::vector<Row> framing_rows();
std::vector<Row> chunk_rows();
std::vector<Row> connection_rows();
std::vector<Row> meaning_rows();

}  // namespace lab::http_rows
