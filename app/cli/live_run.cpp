// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/live_run.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

namespace lab::cli {

Result<RunResultPtr> run_live(RunPlan plan, LiveRunEvents events) {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<Result<RunResultPtr>> result;

    auto experiment = Experiment::create({
        [&](RunPhase phase, const std::string& progress) {
            if (phase == RunPhase::preparing && events.on_progress) events.on_progress(progress);
        },
        [&](FramePtr frame) {
            if (events.on_frame) events.on_frame(std::move(frame));
        },
        [&](Result<RunResultPtr> finished) {
            const std::lock_guard lock{mutex};
            result = std::move(finished);
            changed.notify_all();
        },
    });
    if (!experiment) return experiment.error();
    if (auto started = (*experiment)->start(std::move(plan)); !started) return started.error();
    {
        bool stopped = false;
        std::unique_lock lock{mutex};
        while (!changed.wait_for(lock, 100ms, [&] { return result.has_value(); })) {
            if (stopped || !events.stop || !events.stop()) continue;
            stopped = true;
            (*experiment)->stop();
        }
    }
    experiment->reset();  // joins: nothing calls back from here on
    return std::move(*result);
}

}  // namespace lab::cli
