// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/frame.hpp"
#include "measure/recorder.hpp"

#include <memory>
#include <string>
#include <vector>

namespace lab::measure {

/// Joins what the client recorded with what the server says into Frames, and at the end into a RunResult.
/// Threads: the control thread alone.
class Aggregator {
  public:
    struct Run {
        std::string scenario;
        std::string mode = "live";
        std::uint64_t seed = 0;
        Model model;
        Instant start{};                ///< of warm-up
        Duration warm_up{};
        bool truth_known = false;
        unsigned cores = 1;             ///< that the server may use
        std::string machine, version;
    };
    explicit Aggregator(Run run);

    /// The next frame. `changes` take effect in it; `generation` is in force at its end. A cut that is
    /// longer than 400 ms though 100 ms were asked for marks the frame and the run as interrupted.
    [[nodiscard]] FramePtr frame(const IntervalCut& cut, ServerSample server,
                                 std::vector<RequestEvent> server_events,
                                 std::uint64_t server_events_left_out, std::uint64_t generation,
                                 std::vector<SettingChange> changes);
    /// The result. Utilisation, cache ratio and process CPU come from the frames inside the window.
    [[nodiscard]] RunResultPtr finish(const WindowTotals& totals, bool stopped_early,
                                      std::vector<std::string> plans, std::vector<std::string> remarks);

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace lab::measure
