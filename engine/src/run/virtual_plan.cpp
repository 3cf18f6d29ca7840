// SPDX-License-Identifier: GPL-3.0-or-later
#include "run/virtual_plan.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "lab/doctor.hpp"
#include "lab/settings.hpp"
#include "live/platform.hpp"

namespace lab {

namespace run {

Result<virtual_time::Run::Options> virtual_options(const RunPlan& plan, bool watched) {
    if (auto valid = validate(plan.model); !valid) return valid.error();
    virtual_time::Run::Options options;
    options.scenario = plan.scenario;
    options.model = plan.model;
    options.seed = plan.seed;
    options.warm_up = plan.warm_up;
    options.length = plan.length;
    options.requests = plan.requests;
    options.cores = static_cast<int>(std::max(1U, live::platform::usable_cores()));
    if (plan.costs) {
        options.costs = plan.costs->costs;
        options.costs_from = fmt::format("What things cost was {}.", plan.costs->from);
    } else {
        options.costs_from =
            "What things cost is built in: nothing was measured on this computer yet "
            "(latency-lab calibrate).";
    }
    options.machine = describe_machine();
    options.version = version();
    options.watched = watched;
    return options;
}

Result<void> check_live(const Model& model) {
    const auto virtual_only = [](std::string where, std::string found) {
        return Error{ErrorCode::invalid_input, std::move(where),
                     fmt::format("found {}, which exists in virtual time only; allowed: "
                                 "--mode virtual",
                                 found)};
    };
    const Host& host = model.system.host;
    const int here = static_cast<int>(live::platform::usable_cores());
    if (host.cores != 0 && host.cores != here) {
        return virtual_only("host.cores",
                            fmt::format("{} cores where there are {}", host.cores, here));
    }
    if (host.scheduling != Scheduling::shared) return virtual_only("host.scheduling", "slices");
    return {};
}

}  // namespace run

Result<RunResultPtr> run_virtual(const RunPlan& plan, const std::function<bool()>& stop,
                                 const std::function<void(FramePtr)>& on_frame) {
    if (!plan.length && !plan.requests && !stop) {
        return Error{ErrorCode::invalid_input, "for",
                     "found a run without an end; allowed: a length or a number of requests"};
    }
    auto options = run::virtual_options(plan, static_cast<bool>(on_frame));
    if (!options) return options.error();
    auto made = virtual_time::Run::create(std::move(*options));
    if (!made) return made.error();
    virtual_time::Run& run = **made;
    bool stopped = false;
    const auto interrupt = [&] { return stopped = stopped || (stop && stop()); };
    while (run.stage() != virtual_time::Stage::done && !interrupt()) {
        if (auto gone = run.advance(virtual_time::Run::beat, interrupt, on_frame); !gone) {
            return gone.error();
        }
    }
    return run.finish(stopped, on_frame);
}

}  // namespace lab
