// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "lab/experiment.hpp"
#include "lab/result.hpp"

namespace lab::app {

/// What the bridge asks of an engine: the calls of lab::Experiment, so that a test can stand in for
/// it.
///
/// Every call returns at once. Events come on one other thread (or, in tests, on the calling one).
/// Threads: as lab::Experiment.
class Runner {
  public:
    virtual ~Runner() = default;
    [[nodiscard]] virtual Result<void> start(RunPlan plan) = 0;
    [[nodiscard]] virtual Result<std::uint64_t> apply(Model model) = 0;
    virtual void ask_cache(std::size_t most) = 0;
    virtual void stop() = 0;
    /// How virtual time passes. A runner without it takes no notice.
    virtual void setPace(Pace) {}
    virtual void step(Duration) {}
};

using RunnerFactory = std::function<Result<std::unique_ptr<Runner>>(ExperimentEvents)>;

/// The real engine. Errors: no_resources.
[[nodiscard]] Result<std::unique_ptr<Runner>> makeLiveRunner(ExperimentEvents events);

}  // namespace lab::app
