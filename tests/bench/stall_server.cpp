// SPDX-License-Identifier: GPL-3.0-or-later
// A server whose latency is known in advance: it answers each request 5 ms after reading it, and
// reads nothing in the last second of every ten. `stall_server PORT SECONDS`. For the benchmark
// `stall`.
//
// A request that arrives t before the end of a stall is therefore answered after t + 5 ms.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstring>
#include <deque>
#include <string_view>

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto period = 10s;
constexpr auto stall = 1s;
constexpr auto spin = 200us;  // sleeping wakes late; the last stretch is waited for awake
constexpr std::string_view answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

struct Due {
    Clock::time_point at;
    int descriptor;
};

int number(const char* text) {
    int value = 0;
    std::from_chars(text, text + std::strlen(text), value);
    return value;
}

int listen_on(int port) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int on = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return -1;
    return ::listen(listener, 4096) == 0 ? listener : -1;
}

class StallServer {
  public:
    StallServer(int listener, bool bare)
        : bare_{bare}, listener_{listener}, poll_{::epoll_create1(0)}, start_{Clock::now()} {
        watch(listener_);
    }

    void run(std::chrono::seconds length) {
        while (Clock::now() < start_ + length) {
            answer_due();
            const auto now = Clock::now();
            const auto in_period = (now - start_) % period;
            const bool stalled = !bare_ && in_period >= period - stall;
            const auto resume = now + (period - in_period);
            if (stalled) {  // reads nothing; what was read before is still answered
                const auto next = due_.empty() ? resume : std::min(due_.front().at - spin, resume);
                sleep_until(next);
                continue;
            }
            read_ready();
        }
    }

  private:
    void watch(int descriptor) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = descriptor;
        ::epoll_ctl(poll_, EPOLL_CTL_ADD, descriptor, &event);
    }

    static void sleep_until(Clock::time_point at) {
        const auto left =
            std::chrono::duration_cast<std::chrono::nanoseconds>(at - Clock::now()).count();
        if (left <= 0) return;
        const timespec wait{static_cast<time_t>(left / 1'000'000'000),
                            static_cast<long>(left % 1'000'000'000)};
        ::nanosleep(&wait, nullptr);
    }

    void answer_due() {
        while (!due_.empty() && due_.front().at <= Clock::now() + spin) {
            while (Clock::now() < due_.front().at) {
            }
            (void)::send(due_.front().descriptor, answer.data(), answer.size(), MSG_NOSIGNAL);
            due_.pop_front();
        }
    }

    /// Never sleeps: a core that has to wake up would add its own lateness to the 5 ms.
    void read_ready() {
        std::array<epoll_event, 256> events{};
        const int ready = ::epoll_wait(poll_, events.data(), static_cast<int>(events.size()), 0);
        for (int i = 0; i < ready; ++i) {
            const int descriptor = events[static_cast<std::size_t>(i)].data.fd;
            if (descriptor == listener_) {
                accept_all();
            } else {
                read_one(descriptor);
            }
        }
    }

    void accept_all() {
        for (;;) {
            const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
            if (connection < 0) return;
            const int on = 1;
            ::setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            watch(connection);
        }
    }

    void read_one(int descriptor) {
        std::array<char, 4096> buffer{};
        const auto got = ::recv(descriptor, buffer.data(), buffer.size(), 0);
        if (got <= 0) {
            std::erase_if(due_,
                          [descriptor](const Due& due) { return due.descriptor == descriptor; });
            ::close(descriptor);
            return;
        }
        due_.push_back({Clock::now() + (bare_ ? 0ms : 5ms), descriptor});
    }

    bool bare_;
    int listener_;
    int poll_;
    Clock::time_point start_;
    std::deque<Due> due_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3 && argc != 4) return 2;
    std::signal(SIGPIPE, SIG_IGN);
    const int listener = listen_on(number(argv[1]));
    if (listener < 0) return 1;
    StallServer{listener, argc == 4}.run(std::chrono::seconds{number(argv[2])});
    return 0;
}
