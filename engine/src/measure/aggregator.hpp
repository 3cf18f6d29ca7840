// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/frame.hpp"
#include "measure/recorder.hpp"

#include <memory>
#include <string>
#include <vector>

namespace lab::measure {

/// Joins what the client recorded with what the server says into Frames, and at the end into a
/// RunResult.
///
/// Rates are what ended (offered: was due) inside the window over its length. Utilisations are
/// shares of what there was to use, each frame weighing by how much of it lies in the window:
/// - workers: time in which threads held a request, over threads x window;
/// - cpu: CPU time of the worker threads, over min(threads, cores) x window;
/// - pool: time in which connections were in use, over connections x window.
/// The cache's hit ratio is hits over look-ups in the window, and empty without look-ups.
///
/// The generator is called the limit, with the figure in a remark, where
/// - its lateness is part of what was measured: slip p99 over 10 ms and over a tenth of the
///   latency's p99, or the mean slip over 1 ms and over a tenth of the mean latency;
/// - its thread used more than 90 % of a core over the window;
/// - it could not send more than 0.1 % of what was planned though the workers were less than 90 %
///   busy (a server that is drowned fills the client's backlog as well: then there is a remark
///   alone).
/// The run is interrupted where it was stopped early, a setting moved, or a cut took 400 ms or
/// more (the process was stopped or the machine asleep).
/// Threads: the control thread alone.
class Aggregator {
  public:
    struct Run {
        std::string scenario;
        std::string mode = "live";
        std::uint64_t seed = 0;
        Model model;
        Instant start{};  ///< of warm-up
        Duration warm_up{};
        bool truth_known = false;  ///< the server is ours: it also tells utilisation
        unsigned cores = 1;        ///< that the server may use
        std::string machine, version;
    };
    explicit Aggregator(Run run);

    /// The next frame. `changes` take effect in it; `generation` is in force at its end. A cut of
    /// 400 ms or more, though 100 ms were asked for, marks the frame and the run as interrupted.
    [[nodiscard]] FramePtr frame(const IntervalCut& cut, ServerSample server,
                                 std::vector<RequestEvent> server_events,
                                 std::uint64_t server_events_left_out, std::uint64_t generation,
                                 std::vector<SettingChange> changes);
    /// The result. Utilisation, cache ratio and process CPU come from the frames inside the window.
    [[nodiscard]] RunResultPtr finish(const WindowTotals& totals, bool stopped_early,
                                      std::vector<std::string> plans,
                                      std::vector<std::string> remarks);

    ~Aggregator();
    Aggregator(Aggregator&&) noexcept;
    Aggregator& operator=(Aggregator&&) noexcept;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace lab::measure
