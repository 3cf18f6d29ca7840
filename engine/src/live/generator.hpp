// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/experiment.hpp"
#include "lab/frame.hpp"
#include "lab/model.hpp"
#include "lab/result.hpp"
#include "live/truth.hpp"
#include "measure/recorder.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lab::live {

/// The load generator: open or closed loop, on a thread and an io_context of its own. Connects to
/// loopback only, through one connect function that checks the address.
///
/// Threads: any for every call below. Callbacks come on the load thread and must return at once.
class Generator {
  public:
    struct Options {
        LoopbackTarget target;      ///< address; its path is used where `routes` is empty
        std::vector<Route> routes;  ///< of our own server: paths, methods, personal, queries
        Load load;
        Network network;  ///< its delay
        std::uint64_t seed = 42;
        bool ask_times = false;  ///< send X-Lab-Request and read X-Lab-*: the server is ours
        const TruthSource* truth = nullptr;  ///< null: wrong_user and stale are not judged
        Duration warm_up{};
        std::optional<Duration> length;  ///< of the window; none: until stop()
        Duration drain = 10s;            ///< longest wait for answers after the window; then
                                         ///< withdrawn
    };
    struct Callbacks {
        /// Every 100 ms, on the beat.
        std::function<void(std::unique_ptr<measure::IntervalCut>)> on_cut;
        /// Phase changes: warm_up, running, draining.
        std::function<void(RunPhase)> on_phase;
        /// Once, at the end.
        std::function<void(std::unique_ptr<measure::WindowTotals>)> on_done;
    };
    /// Errors: no_resources; unreachable (nobody listens); invalid_input.
    [[nodiscard]] static Result<std::unique_ptr<Generator>> start(Options options,
                                                                  Callbacks callbacks);
    virtual ~Generator() = default;  ///< stops and joins within 1 s

    /// When it began: the first instant of warm-up.
    [[nodiscard]] virtual Instant started() const = 0;
    /// New load from the next request on: rate, shape, arrivals, users, think time, connections,
    /// mix, keys, model, patience, retries and their like; a delay and slowness from the next
    /// opening of each connection on.
    virtual void apply(Load load, Network network) = 0;
    /// Ends the run at once: the window closes now, what is in flight is withdrawn; on_done
    /// follows.
    virtual void stop() = 0;
};

}  // namespace lab::live
