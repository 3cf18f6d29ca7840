// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/frame.hpp"
#include "lab/model.hpp"
#include "lab/result.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lab {

enum class RunPhase : std::uint8_t {
    idle,       ///< nothing runs
    preparing,  ///< the database is made or copied, threads start
    warm_up,
    running,
    draining,  ///< no new requests; those in flight come to their end
};

/// Which runner: real sockets and threads, or the same model on an event queue.
enum class RunMode : std::uint8_t { live, virtual_time };

/// What things were measured to cost on this computer, and when.
struct MeasuredCosts {
    Costs costs;
    std::string from;                   ///< "measured on 2026-05-01 on 2 cores, Linux 6.1"
    friend bool operator==(const MeasuredCosts&, const MeasuredCosts&) = default;
};

/// What is to be run.
struct RunPlan {
    std::string scenario;  ///< id, for the result
    Model model;
    std::uint64_t seed = 42;
    Duration warm_up = 1s;
    std::optional<Duration> length;     ///< of the window; none: until stopped
    RunMode mode = RunMode::live;
    /// Virtual time: the window ends when this many requests were due in it, if that is sooner.
    std::optional<std::uint64_t> requests;
    /// Virtual time, where the model does not fix its costs; none: the built-in ones.
    std::optional<MeasuredCosts> costs;
};

/// How virtual time passes.
struct Pace {
    double speed = 0;                   ///< virtual seconds in a second; 0: as fast as it can
    bool paused = false;
    friend bool operator==(const Pace&, const Pace&) = default;
};

/// Called on the control thread, one at a time; must return at once. `on_finished` comes once
/// for each start() that succeeded, unless the experiment is destroyed first; after the destructor
/// has returned nothing calls back.
struct ExperimentEvents {
    std::function<void(RunPhase, const std::string& progress)> on_phase;
    std::function<void(FramePtr)> on_frame;
    std::function<void(Result<RunResultPtr>)> on_finished;
    std::function<void(std::vector<CacheContent>)> on_cache{};  ///< answers ask_cache()
};

/// One run after another of a real server under a real load. Owns the control thread.
///
/// Every call returns at once and may come from any thread; the work happens on the control thread.
/// Threads: any. The destructor stops, joins, and returns within 3 s in any state.
class Experiment {
  public:
    /// Errors: no_resources.
    [[nodiscard]] static Result<std::unique_ptr<Experiment>> create(ExperimentEvents events);
    ~Experiment();
    Experiment(const Experiment&) = delete;
    Experiment& operator=(const Experiment&) = delete;

    /// Starts a run; one that is going on is stopped first. Errors: invalid_input (the plan's
    /// model).
    [[nodiscard]] Result<void> start(RunPlan plan);
    /// Changes settings of the run that is going on: a complete new model with the same routes.
    /// Takes effect at each worker's next request; a frame then carries the generation and the
    /// changes.
    /// Errors: invalid_input; also where it would add or take away the balancer.
    [[nodiscard]] Result<std::uint64_t> apply(Model model);
    /// Asks what the caches of the run hold: on_cache then gets the `most` entries with the most
    /// hits. Walks over all entries, and takes no time otherwise. Nothing comes where nothing runs.
    void ask_cache(std::size_t most);
    /// Ends the run now: what was measured is finished into a result within 1 s.
    void stop();
    /// How virtual time passes, from now on and in later runs. A live run takes no notice.
    void set_pace(Pace pace);
    /// Virtual time that is paused goes on by this much, then rests again.
    void step(Duration by);

  private:
    class Impl;
    explicit Experiment(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// One run in virtual time, on the calling thread, as fast as it can. `stop` is polled, and ends
/// the run as stopped; `on_frame` is called ten times a virtual second, on the calling thread.
///
/// The same plan gives the same result, bit for bit, on every build and on every machine with as
/// many cores (or where the model says how many).
/// Errors: invalid_input (the plan's model, or a setting that virtual time cannot do: `where` names
/// it; neither length nor requests). Threads: any, several at once.
[[nodiscard]] Result<RunResultPtr> run_virtual(const RunPlan& plan,
                                               const std::function<bool()>& stop = {},
                                               const std::function<void(FramePtr)>& on_frame = {});

/// The server alone, for curl, ab, wrk and a browser.
struct ServeOptions {
    std::string scenario;
    Model model;
    std::uint64_t seed = 42;
    std::uint16_t port = 0;                ///< 0: any free one
    std::size_t most_connections = 2'100;  ///< then no more are accepted until one closes
};
class ServedScenario {
  public:
    /// Errors: port_in_use, invalid_input, no_resources. Blocks while the database is prepared.
    [[nodiscard]] static Result<std::unique_ptr<ServedScenario>> open(ServeOptions options);
    ~ServedScenario();
    [[nodiscard]] std::uint16_t port() const;
    /// Stops within 1 s.
    void stop();

  private:
    class Impl;
    explicit ServedScenario(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// The generator alone, against any server on this machine.
struct LoadOptions {
    std::string url;  ///< http://127.0.0.1:PORT/PATH; localhost and [::1] too
    Load load;
    Network network;  ///< its delay alone has a meaning
    Duration length = 10s;
    Duration warm_up{};
    std::uint64_t seed = 42;
};
/// Errors: invalid_input (the URL), not_permitted (not this machine), unreachable (nobody listens).
/// `on_frame` is called ten times a second on the calling thread; `stop` is polled. Blocks until
/// done.
[[nodiscard]] Result<RunResultPtr> run_load(const LoadOptions& options,
                                            const std::function<void(FramePtr)>& on_frame,
                                            const std::function<bool()>& stop);

/// The address in a URL, if it is one on this machine. Errors: invalid_input, not_permitted.
struct LoopbackTarget {
    bool v6 = false;                ///< [::1], else 127.0.0.0/8
    std::uint32_t v4 = 0x7f000001;  ///< host byte order
    std::uint16_t port = 80;
    std::string host;    ///< as for the Host field: "127.0.0.1:8000"
    std::string target;  ///< path and query
    friend bool operator==(const LoopbackTarget&, const LoopbackTarget&) = default;
};
[[nodiscard]] Result<LoopbackTarget> parse_loopback_url(std::string_view url);

}  // namespace lab
