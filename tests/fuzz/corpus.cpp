// SPDX-License-Identifier: GPL-3.0-or-later
#include "fuzz/corpus.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "integration/http_rows/row.hpp"

namespace lab::fuzz {

std::vector<std::string> request_seeds() {
    std::vector<std::string> seeds;
    for (const auto& rows :
         {http_rows::request_line_rows(), http_rows::target_rows(), http_rows::field_rows(),
          http_rows::framing_rows(), http_rows::chunk_rows(), http_rows::connection_rows(),
          http_rows::meaning_rows()}) {
        for (const auto& row : rows) seeds.push_back(row.bytes + row.then);
    }
    return seeds;
}

std::vector<std::string> answer_seeds() {
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    return {
        ok + "Content-Length: 5\r\n\r\nhello",
        ok + "Content-Length: 0\r\n\r\n" + ok + "Content-Length: 1\r\n\r\nx",
        ok + "Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
        ok + "Connection: close\r\n\r\nuntil the end",
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 24\r\n\r\n503 Service Unavailable\n",
        ok + "X-Lab-User: 7\r\nX-Lab-Version: 5,9\r\n"
             "X-Lab-Times: 1 2 3 4 5 6 7 8 9 10 11\r\nContent-Length: 0\r\n\r\n",
        ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        ok + "Content-Length: 18446744073709551616\r\n\r\n",
        ok + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200\r\n\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        ok + "A: " + std::string(70'000, 'b') + "\r\n\r\n",
    };
}

std::vector<std::string> scenario_seeds() {
    std::vector<std::filesystem::path> files;
    const std::filesystem::path folder = std::filesystem::path{LAB_SOURCE_FOLDER} / "scenarios";
    for (const auto& entry : std::filesystem::recursive_directory_iterator{folder}) {
        if (entry.path().extension() == ".toml") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    std::vector<std::string> seeds;
    for (const auto& file : files) {
        std::ifstream in{file, std::ios::binary};
        seeds.emplace_back(std::istreambuf_iterator<char>{in}, std::istreambuf_iterator<char>{});
    }
    return seeds;
}

}  // namespace lab::fuzz
