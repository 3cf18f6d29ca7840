// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/fake_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <stdexcept>

namespace lab::test {

namespace {

Instant clock_now() { return std::chrono::steady_clock::now(); }

int listen_on_any_port(std::uint16_t& port) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (listener < 0 || ::bind(listener, generic, length) != 0 || ::listen(listener, 4096) != 0 ||
        ::getsockname(listener, generic, &length) != 0) {
        throw std::runtime_error{"the fake server got no port"};
    }
    port = ntohs(address.sin_port);
    return listener;
}

}  // namespace

struct FakeServer::Connection {
    struct Planned {
        Instant due;
        std::string bytes;
        bool last = false;
        Reply::After after = Reply::After::keep;
    };
    int socket = -1;
    int number = 0;
    int requests = 0;
    bool gone = false;
    std::string input;
    std::deque<Planned> output;

    void close(bool reset) {
        if (reset) {
            const linger now{1, 0};
            ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        }
        ::close(socket);
        gone = true;
    }

    void plan(Reply reply, Instant now) {
        Instant due = output.empty() ? now : std::max(now, output.back().due);
        for (auto& piece : reply.pieces) {
            due += piece.wait;
            output.push_back({due, std::move(piece.bytes), false, Reply::After::keep});
        }
        output.push_back({due, {}, true, reply.after});
    }

    /// Writes what is due. Small pieces: the kernel takes them whole or the test is wrong anyway.
    void write_due(Instant now) {
        while (!gone && !output.empty() && output.front().due <= now) {
            Planned& next = output.front();
            if (next.last) {
                const auto after = next.after;
                output.pop_front();
                if (after != Reply::After::keep) close(after == Reply::After::reset);
                continue;
            }
            const auto sent =
                ::send(socket, next.bytes.data(), next.bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent < 0 && errno == EAGAIN) return;
            if (sent < 0) {
                close(false);
                return;
            }
            next.bytes.erase(0, static_cast<std::size_t>(sent));
            if (!next.bytes.empty()) return;
            output.pop_front();
        }
    }
};

std::string FakeServer::Seen::field(std::string_view name) const {
    const auto line = head.find("\r\n" + std::string{name} + ": ");
    if (line == std::string::npos) return {};
    const auto begin = line + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
}

FakeServer::FakeServer(Script script, Stall stall)
    : script_{std::move(script)}, stall_{std::move(stall)} {
    listener_ = listen_on_any_port(port_);
    if (::pipe2(wake_, O_CLOEXEC) != 0) throw std::runtime_error{"the fake server got no pipe"};
    start_ = clock_now();
    thread_ = std::thread{[this] { serve(); }};
}

FakeServer::~FakeServer() {
    [[maybe_unused]] const auto written = ::write(wake_[1], "x", 1);
    thread_.join();
    ::close(listener_);
    ::close(wake_[0]);
    ::close(wake_[1]);
}

std::vector<FakeServer::Seen> FakeServer::seen() const {
    const std::lock_guard lock{mutex_};
    return seen_;
}

int FakeServer::accepted() const {
    const std::lock_guard lock{mutex_};
    return accepted_;
}

int FakeServer::open() const {
    const std::lock_guard lock{mutex_};
    return open_;
}

void FakeServer::read_requests(Connection& connection) {
    char buffer[16384];
    const auto got = ::recv(connection.socket, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        connection.close(false);
        return;
    }
    connection.input.append(buffer, static_cast<std::size_t>(got));
    for (auto end = connection.input.find("\r\n\r\n"); end != std::string::npos;
         end = connection.input.find("\r\n\r\n")) {
        Seen seen;
        seen.connection = connection.number;
        seen.nth = connection.requests++;
        seen.head = connection.input.substr(0, end + 2);
        seen.at = clock_now();
        const auto space = seen.head.find(' ');
        seen.target = seen.head.substr(space + 1, seen.head.find(' ', space + 1) - space - 1);
        connection.input.erase(0, end + 4);
        {
            const std::lock_guard lock{mutex_};
            seen.number = seen_.size();
            seen_.push_back(seen);
        }
        connection.plan(script_(seen), clock_now());
    }
}

void FakeServer::accept_all(Connections& connections) {
    for (int socket = 0; (socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
        const int yes = 1;
        ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        auto& fresh = connections.emplace_back(std::make_unique<Connection>());
        fresh->socket = socket;
        const std::lock_guard lock{mutex_};
        fresh->number = accepted_++;
    }
}

/// Waits for the end of a stall, if there is one now. True: the test is over.
bool FakeServer::woken_in_stall() const {
    if (!stall_) return false;
    const Duration until = stall_(clock_now() - start_);
    const auto rest =
        std::chrono::ceil<std::chrono::milliseconds>(until - (clock_now() - start_)).count();
    pollfd end{wake_[0], POLLIN, 0};
    return rest > 0 && ::poll(&end, 1, static_cast<int>(rest)) > 0;
}

void FakeServer::serve() {
    Connections connections;
    while (true) {
        std::vector<pollfd> polled{{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
        Instant next = clock_now() + 1s;
        for (auto& connection : connections) {
            polled.push_back({connection->socket, POLLIN, 0});
            if (!connection->output.empty()) next = std::min(next, connection->output.front().due);
        }
        const Duration wait = std::max(Duration{}, next - clock_now());
        const timespec patience{static_cast<time_t>(wait / 1s),
                                static_cast<long>((wait % 1s).count())};
        ::ppoll(polled.data(), polled.size(), &patience, nullptr);
        if (polled[0].revents != 0 || woken_in_stall()) break;
        if ((polled[1].revents & POLLIN) != 0) accept_all(connections);
        for (std::size_t i = 2; i < polled.size(); ++i) {
            if (polled[i].revents != 0) read_requests(*connections[i - 2]);
        }
        for (auto& connection : connections) connection->write_due(clock_now());
        std::erase_if(connections, [](const auto& connection) { return connection->gone; });
        const std::lock_guard lock{mutex_};
        open_ = static_cast<int>(connections.size());
    }
    for (auto& connection : connections) connection->close(false);
}

std::string http_answer(int status, std::string_view body, std::string_view fields) {
    return "HTTP/1.1 " + std::to_string(status) +
           " Said\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           std::string{fields} + "\r\n" + std::string{body};
}

FakeServer::Reply reply_with(std::string bytes, Duration wait) {
    return {{{wait, std::move(bytes)}}, FakeServer::Reply::After::keep};
}

std::uint16_t unused_port() {
    std::uint16_t port = 0;
    ::close(listen_on_any_port(port));
    return port;
}

}  // namespace lab::test
