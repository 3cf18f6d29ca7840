// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "cli/terminal.hpp"

#include "lab/frame.hpp"
#include "lab/result.hpp"
#include "lab/units.hpp"

#include <cstddef>
#include <mutex>
#include <string>

namespace lab::cli {

/// What a run shows while it goes on and leaves behind: a live line, then the text, JSON and CSV.
/// Threads: on_frame() from the runner's thread; the rest from the main thread, after the run.
class RunReport {
  public:
    RunReport(Terminal& terminal, std::string json, std::string csv, Duration expected);

    /// Whether the files that were asked for can be made, before anything runs for them. Says why
    /// not.
    [[nodiscard]] bool can_be_written();

    void on_frame(const FramePtr& frame);
    /// "making 200,000 products", while nothing is measured yet.
    void on_progress(const std::string& text);
    /// Writes everything that was asked for; says what could not be written. Returns an exit code.
    int finish(const Result<RunResultPtr>& result);

  private:
    [[nodiscard]] bool live_line_wanted() const { return json_ != "-" && csv_ != "-"; }
    void write_report(const std::string& file, const std::string& text, bool& failed);

    Terminal& terminal_;
    std::string json_, csv_;
    Duration expected_;
    std::mutex mutex_;
    std::size_t frames_ = 0;  ///< seen so far; none is kept, for a run may be long
    std::string rows_;        ///< of the CSV, where it is wanted
    Instant shown_{};         ///< when the live line was last drawn
};

}  // namespace lab::cli
