// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lab::test {

/// How a program ended, and what it said.
struct Ended {
    int code = -1;   ///< exit code, or -1 where a signal ended it
    int signal = 0;  ///< that ended it
    std::string out;
    std::string error;
    std::chrono::milliseconds took{};
};

/// A program started with its own standard streams. Killed when it outlives this object.
class Process {
  public:
    struct Options {
        std::vector<std::string> words;                  ///< program and arguments
        std::map<std::string, std::string> environment;  ///< added; empty values are taken away
        std::string stdout_to;                           ///< a file ("/dev/full") instead of a pipe
        bool close_standard_streams = false;
    };
    explicit Process(Options options);
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    void send(int signal) const;
    /// Reads what it says until `text` stands there. False when it ends or the time is up first.
    bool wait_for_output(const std::string& text, std::chrono::milliseconds patience);
    /// Waits for its end; kills it after `patience` (code -1, signal SIGKILL).
    Ended wait(std::chrono::milliseconds patience);
    [[nodiscard]] const std::string& out() const { return out_; }

  private:
    bool read_some(std::chrono::milliseconds patience);

    pid_t pid_ = -1;
    int out_pipe_ = -1;
    int error_pipe_ = -1;
    std::string out_, error_;
    std::chrono::steady_clock::time_point started_;
};

/// Start, wait, tell.
Ended run_program(Process::Options options,
                  std::chrono::milliseconds patience = std::chrono::seconds{20});

}  // namespace lab::test
