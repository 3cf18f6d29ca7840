// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "lab/frame.hpp"
#include "lab/model.hpp"
#include "lab/result.hpp"

namespace lab::virtual_time {

/// Where a run stands.
enum class Stage : std::uint8_t { warm_up, running, draining, done };

/// One run of a model in virtual time, from its beginning to its result.
///
/// The same options and the same calls give the same frames and result on every build: draws are
/// keyed, the elementary functions our own, events at one moment happen in the order in which they
/// were made.
/// Threads: one at a time; several runs at once.
class Run {
  public:
    struct Options {
        std::string scenario;
        Model model;
        std::uint64_t seed = 42;
        Duration warm_up = 1s;
        std::optional<Duration> length;         ///< of the window; none: until stopped
        std::optional<std::uint64_t> requests;  ///< due in the window, then it ends
        Duration drain = 10s;                   ///< at most this after the window
        int cores = 1;                          ///< where the model leaves them to the computer
        Costs costs;                            ///< where the model does not fix its own
        std::string costs_from;                 ///< for a remark
        std::string machine, version;
        bool watched = true;  ///< frames tell events of single requests
    };
    static constexpr Duration beat = 100ms;

    /// Errors: invalid_input, with the setting that virtual time cannot do.
    [[nodiscard]] static Result<std::unique_ptr<Run>> create(Options options);
    ~Run();
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    /// Goes on by `time`, or until `interrupt` says so; it is asked every few thousand events.
    /// Frames are given to `on_frame` as they become whole: ten a virtual second.
    /// Errors: invalid_input where no time passes for ever.
    [[nodiscard]] Result<void> advance(Duration time, const std::function<bool()>& interrupt,
                                       const std::function<void(FramePtr)>& on_frame);
    /// Cuts a frame now, if any time has passed since the last one: for time that passes slowly.
    void cut(const std::function<void(FramePtr)>& on_frame);
    [[nodiscard]] Stage stage() const;
    /// Virtual time since the start.
    [[nodiscard]] Duration elapsed() const;
    /// Settings with the same routes; in force at once. Errors: invalid_input, as create().
    [[nodiscard]] Result<void> apply(std::uint64_t generation, const Model& model);
    /// The result of what was measured; nothing goes on after it. `stopped`: before its time.
    [[nodiscard]] RunResultPtr finish(bool stopped, const std::function<void(FramePtr)>& on_frame);

  private:
    class Impl;
    explicit Run(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace lab::virtual_time
