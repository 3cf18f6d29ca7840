// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "lab/experiment.hpp"
#include "virtual/run.hpp"

namespace lab::run {

/// Drives a run of virtual time on a thread of its own: as fast as it can or at a pace, with pauses
/// and steps, and with settings that change meanwhile.
///
/// Where time passes slower than real time a frame is cut each tenth of a real second, so that
/// there is something to see. Frames wait for whoever takes them: at most `most_frames_ahead` are
/// on their way.
/// Threads: the owner's, but for frame_taken(), which comes from any. Callbacks come on the
/// driver's thread; after the destructor there is none.
class VirtualDriver {
  public:
    struct Callbacks {
        std::function<void(RunPhase)> on_phase;
        std::function<void(FramePtr)> on_frame;
        std::function<void(Result<RunResultPtr>)> on_done;
    };
    static constexpr int most_frames_ahead = 64;

    /// Throws std::system_error where the system gives no thread.
    VirtualDriver(virtual_time::Run::Options options, Pace pace, Callbacks callbacks);
    /// As stop(); joins.
    ~VirtualDriver();
    VirtualDriver(const VirtualDriver&) = delete;
    VirtualDriver& operator=(const VirtualDriver&) = delete;

    void apply(std::uint64_t generation, Model model);
    void set_pace(Pace pace);
    void step(Duration by);
    /// What was measured is finished within milliseconds.
    void stop();
    void frame_taken();

  private:
    using Clock = std::chrono::steady_clock;

    void work(virtual_time::Run::Options options);
    [[nodiscard]] Result<RunResultPtr> drive(virtual_time::Run& run);
    [[nodiscard]] Result<void> go_on(virtual_time::Run& run);
    void take_settings(virtual_time::Run& run);
    void tell_phase(const virtual_time::Run& run);
    void give_frame(FramePtr frame);
    void rest_until(Instant moment);
    [[nodiscard]] bool interrupted();

    Callbacks callbacks_;
    std::mutex mutex_;
    std::condition_variable changed_;
    // Under the mutex.
    std::optional<std::pair<std::uint64_t, Model>> settings_;
    Pace pace_;
    bool pace_is_new_ = true;
    Duration steps_{};
    bool stop_ = false;
    int frames_ahead_ = 0;
    // The driver's thread alone.
    Pace in_force_;
    Instant paced_from_{};  ///< real time ...
    Duration paced_at_{};   ///< ... and virtual time then
    Instant last_frame_{};  ///< real time
    std::optional<virtual_time::Stage> told_;
    std::thread thread_;
};

}  // namespace lab::run
