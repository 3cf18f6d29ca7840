// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/terminal.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace lab::cli {

namespace {

constexpr std::string_view back_to_start_and_clear = "\r\x1b[K";

bool write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(descriptor, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

}  // namespace

void make_standard_streams_safe() {
    for (int descriptor = 0; descriptor <= 2; ++descriptor) {
        if (::fcntl(descriptor, F_GETFD) == -1 && errno == EBADF) {
            (void)::open("/dev/null",
                         descriptor == 0 ? O_RDONLY : O_WRONLY);  // the lowest free one
        }
    }
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
}

Terminal::Terminal()
    : out_is_terminal_{::isatty(STDOUT_FILENO) == 1},
      in_is_terminal_{::isatty(STDIN_FILENO) == 1} {}

std::size_t Terminal::columns() const {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    return 100;
}

bool Terminal::out(std::string_view text) {
    end_live();
    if (!write_all(STDOUT_FILENO, text)) lost_ = true;
    return !lost_;
}

void Terminal::error(std::string_view message) {
    end_live();
    std::string line = "latency-lab: ";
    line.append(message).push_back('\n');
    (void)write_all(STDERR_FILENO, line);
}

void Terminal::live(std::string_view line) {
    if (out_is_terminal_) {
        std::string text{back_to_start_and_clear};
        text.append(line);
        live_open_ = write_all(STDOUT_FILENO, text);
        return;
    }
    std::string text{line};
    text.push_back('\n');
    if (!write_all(STDOUT_FILENO, text)) lost_ = true;
}

void Terminal::end_live() {
    if (!live_open_) return;
    live_open_ = false;
    (void)write_all(STDOUT_FILENO, back_to_start_and_clear);
}

std::string Terminal::ask(std::string_view question) {
    out(question);
    std::string line;
    char byte = 0;
    while (line.size() < 256) {
        const auto got = ::read(STDIN_FILENO, &byte, 1);
        if (got <= 0 || byte == '\n') break;
        line.push_back(byte);
    }
    return line;
}

int Terminal::finish(int code) {
    end_live();
    if (lost_ && code == exit_ok) {
        error(std::string{"standard output could not be written: "} + std::strerror(errno));
        return exit_failed;
    }
    return code;
}

}  // namespace lab::cli
