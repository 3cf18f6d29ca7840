// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/http_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace lab::test {

HttpClient::HttpClient(std::uint16_t port) : socket_{::socket(AF_INET, SOCK_STREAM, 0)} {
    const timeval patience{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        ::close(socket_);
        socket_ = -1;
    }
}

HttpClient::~HttpClient() {
    if (socket_ >= 0) ::close(socket_);
}

std::string HttpClient::Answer::field(const std::string& name) const {
    const auto begin = head.find("\r\n" + name + ": ");
    if (begin == std::string::npos) return {};
    const auto value = begin + name.size() + 4;
    return head.substr(value, head.find("\r\n", value) - value);
}

HttpClient::Answer HttpClient::get(const std::string& target, const std::string& fields) {
    send(target, fields);
    return receive();
}

void HttpClient::send(const std::string& target, const std::string& fields) {
    const std::string text = "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n";
    static_cast<void>(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL));
}

bool HttpClient::read_more() {
    std::array<char, 16'384> buffer{};
    const auto count = ::recv(socket_, buffer.data(), buffer.size(), 0);
    if (count <= 0) return false;
    unread_.append(buffer.data(), static_cast<std::size_t>(count));
    return true;
}

HttpClient::Answer HttpClient::receive() {
    Answer answer;
    std::size_t end = std::string::npos;
    while ((end = unread_.find("\r\n\r\n")) == std::string::npos) {
        if (!read_more()) return answer;
    }
    answer.head = unread_.substr(0, end + 2);
    unread_.erase(0, end + 4);
    const auto length = static_cast<std::size_t>(std::atol(answer.field("Content-Length").c_str()));
    while (unread_.size() < length) {
        if (!read_more()) return answer;
    }
    answer.body = unread_.substr(0, length);
    unread_.erase(0, length);
    answer.status = std::atoi(answer.head.c_str() + std::string{"HTTP/1.1 "}.size());
    return answer;
}

}  // namespace lab::test
