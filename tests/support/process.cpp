// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace lab::test {

namespace {

struct Pipe {
    int read_end = -1;
    int write_end = -1;
};

Pipe make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    return {ends[0], ends[1]};
}

[[noreturn]] void become(const Process::Options& options, const Pipe& out, const Pipe& error) {
    for (const auto& [name, value] : options.environment) {
        if (value.empty()) {
            ::unsetenv(name.c_str());
        } else {
            ::setenv(name.c_str(), value.c_str(), 1);
        }
    }
    if (options.close_standard_streams) {
        for (int descriptor = 0; descriptor <= 2; ++descriptor) ::close(descriptor);
    } else {
        const int null = ::open("/dev/null", O_RDONLY);
        ::dup2(null, STDIN_FILENO);
        const int to =
            options.stdout_to.empty() ? out.write_end : ::open(options.stdout_to.c_str(), O_WRONLY);
        ::dup2(to, STDOUT_FILENO);
        ::dup2(error.write_end, STDERR_FILENO);
    }
    std::vector<char*> words;
    for (const auto& word : options.words) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    ::execv(words[0], words.data());
    ::_exit(127);
}

}  // namespace

Process::Process(Options options) : started_{std::chrono::steady_clock::now()} {
    const auto out = make_pipe();
    const auto error = make_pipe();
    pid_ = ::fork();
    if (pid_ == 0) become(options, out, error);
    ::close(out.write_end);
    ::close(error.write_end);
    out_pipe_ = out.read_end;
    error_pipe_ = error.read_end;
}

Process::~Process() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    if (out_pipe_ >= 0) ::close(out_pipe_);
    if (error_pipe_ >= 0) ::close(error_pipe_);
}

void Process::send(int signal) const { ::kill(pid_, signal); }

bool Process::read_some(std::chrono::milliseconds patience) {
    std::array<pollfd, 2> polled{pollfd{out_pipe_, POLLIN, 0}, pollfd{error_pipe_, POLLIN, 0}};
    if (::poll(polled.data(), polled.size(), static_cast<int>(patience.count())) <= 0) return true;
    bool open = false;
    for (std::size_t i = 0; i < polled.size(); ++i) {
        if (polled[i].fd < 0) continue;
        if (polled[i].revents == 0) {
            open = true;
            continue;
        }
        std::array<char, 65536> buffer{};
        const auto got = ::read(polled[i].fd, buffer.data(), buffer.size());
        if (got > 0) {
            (i == 0 ? out_ : error_).append(buffer.data(), static_cast<std::size_t>(got));
            open = true;
        } else {
            ::close(polled[i].fd);
            (i == 0 ? out_pipe_ : error_pipe_) = -1;
        }
    }
    return open;
}

bool Process::wait_for_output(const std::string& text, std::chrono::milliseconds patience) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (out_.find(text) == std::string::npos) {
        if (std::chrono::steady_clock::now() > until) return false;
        if (!read_some(std::chrono::milliseconds{50})) return out_.find(text) != std::string::npos;
    }
    return true;
}

Ended Process::wait(std::chrono::milliseconds patience) {
    const auto until = std::chrono::steady_clock::now() + patience;
    int status = 0;
    bool killed = false;
    while (read_some(std::chrono::milliseconds{20})) {
        if (::waitpid(pid_, &status, WNOHANG) == pid_) {
            pid_ = -1;
            while (read_some(std::chrono::milliseconds{0}) &&
                   (out_pipe_ >= 0 || error_pipe_ >= 0)) {
                if (std::chrono::steady_clock::now() > until) break;
            }
            break;
        }
        if (!killed && std::chrono::steady_clock::now() > until) {
            ::kill(pid_, SIGKILL);
            killed = true;
        }
    }
    if (pid_ > 0) {
        while (::waitpid(pid_, &status, WNOHANG) == 0) {
            if (!killed && std::chrono::steady_clock::now() > until) {
                ::kill(pid_, SIGKILL);
                killed = true;
            }
            ::usleep(5000);
        }
        pid_ = -1;
    }
    Ended ended;
    ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    ended.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    ended.out = std::move(out_);
    ended.error = std::move(error_);
    ended.took = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - started_);
    return ended;
}

Ended run_program(Process::Options options, std::chrono::milliseconds patience) {
    Process process{std::move(options)};
    return process.wait(patience);
}

}  // namespace lab::test
