// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/raw_client.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace lab::testing {

RawClient::RawClient(std::uint16_t port) {
    const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (made < 0) return;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const timeval patience{5, 0};
    ::setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(made, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    sockaddr generic{};
    static_assert(sizeof generic == sizeof address);
    std::memcpy(&generic, &address, sizeof address);
    if (::connect(made, &generic, sizeof generic) != 0) {
        ::close(made);
        return;
    }
    socket_ = made;
}

RawClient::~RawClient() {
    if (socket_ >= 0) ::close(socket_);
}

bool RawClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

bool RawClient::send_in_steps(std::string_view bytes, std::size_t step) {
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        if (!send(bytes.substr(at, step))) return false;
    }
    return true;
}

void RawClient::half_close() { ::shutdown(socket_, SHUT_WR); }

void RawClient::reset() {
    const linger now{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(socket_);
    socket_ = -1;
}

void RawClient::shrink_receive_buffer(int octets) {
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
}

RawClient::Got RawClient::receive() {
    char buffer[16'384];
    const auto got = ::recv(socket_, buffer, sizeof buffer, 0);
    if (got > 0) {
        waiting_.append(buffer, static_cast<std::size_t>(got));
        return Got::bytes;
    }
    if (got == 0) return Got::end;
    return errno == EAGAIN || errno == EWOULDBLOCK ? Got::nothing : Got::reset;
}

std::optional<RawClient::Answer> RawClient::read_answer(bool head_only) {
    std::size_t end = 0;
    while ((end = waiting_.find("\r\n\r\n")) == std::string::npos) {
        if (receive() != Got::bytes) return std::nullopt;
    }
    Answer answer;
    answer.head = waiting_.substr(0, end + 4);
    answer.status = std::atoi(answer.head.c_str() + 9);
    waiting_.erase(0, end + 4);
    constexpr std::string_view field = "\r\nContent-Length: ";
    const auto at = answer.head.find(field);
    if (head_only || at == std::string::npos) return answer;
    const auto length = std::strtoul(answer.head.c_str() + at + field.size(), nullptr, 10);
    while (waiting_.size() < length) {
        if (receive() != Got::bytes) return std::nullopt;
    }
    answer.body = waiting_.substr(0, length);
    waiting_.erase(0, length);
    return answer;
}

RawClient::End RawClient::read_end(std::string* surplus) {
    auto got = Got::bytes;
    while (got == Got::bytes) got = receive();
    if (surplus != nullptr) *surplus = waiting_;
    if (got == Got::end) return End::closed;
    return got == Got::reset ? End::reset : End::silent;
}

bool RawClient::stays_silent(int milliseconds) {
    if (!waiting_.empty()) return false;
    pollfd wanted{socket_, POLLIN, 0};
    return ::poll(&wanted, 1, milliseconds) == 0;
}

}  // namespace lab::testing
