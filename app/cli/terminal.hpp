// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lab::cli {

inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;     ///< the run failed, or its report could not be written
inline constexpr int exit_wrong_use = 2;  ///< a flag, a file or a value that a person can mend

/// Opens /dev/null for each of 0, 1, 2 that is closed, so that no file becomes standard output by
/// accident, and ignores SIGPIPE and SIGXFSZ: a closed pipe and a file that may not grow are then
/// write errors that we report.
void make_standard_streams_safe();

/// Where a command writes. Standard output carries the report, standard error everything else.
/// Every write is checked: a lost report is an exit code and a message, not a silence.
class Terminal {
  public:
    Terminal();
    /// Standard output (or error) is a terminal that redraws a line.
    [[nodiscard]] bool out_is_terminal() const { return out_is_terminal_; }
    [[nodiscard]] bool in_is_terminal() const { return in_is_terminal_; }
    [[nodiscard]] std::size_t columns() const;

    /// Text as it stands; the caller ends its lines. False when it could not be written.
    bool out(std::string_view text);
    void error(std::string_view message);  ///< "latency-lab: message" and a new line
    /// The line that is redrawn while something runs; plain lines where there is no terminal.
    void live(std::string_view line);
    void end_live();
    /// One line typed by a person, without its end; empty at the end of input.
    [[nodiscard]] std::string ask(std::string_view question);
    /// exit_ok, or exit_failed with a message when something written to standard output was lost.
    [[nodiscard]] int finish(int code);

  private:
    bool out_is_terminal_ = false;
    bool in_is_terminal_ = false;
    bool lost_ = false;
    bool live_open_ = false;
};

}  // namespace lab::cli
