// SPDX-License-Identifier: GPL-3.0-or-later
// Models for virtual time in which nothing costs anything but what the route says.
#pragma once

#include "lab/experiment.hpp"
#include "lab/model.hpp"
#include "support/routes.hpp"

namespace lab::test {

inline Costs nothing_costs() {
    Costs costs;
    costs.fixed = true;
    for (Duration* const cost :
         {&costs.network, &costs.connect, &costs.parse, &costs.answer, &costs.body_kb,
          &costs.hand_off, &costs.wake, &costs.query, &costs.scan_row, &costs.read_row,
          &costs.update, &costs.render, &costs.render_row, &costs.cache}) {
        *cost = Duration{};
    }
    return costs;
}

/// c servers, a queue that never fills, Poisson arrivals at `utilisation` of what they can do,
/// `mean` being the mean of `service`.
inline Model queue_model(int servers, double utilisation, const Distribution& service,
                         Duration mean) {
    Model model;
    model.system.costs = nothing_costs();
    model.system.server.workers = servers;
    model.system.server.queue = 10'000;
    model.system.server.interpreter_lock = false;
    model.system.routes = {route({wait(service)})};
    model.load.rate = ArrivalRate::per_second(utilisation * servers / to_seconds(mean));
    model.load.keys = 1;
    model.load.users = 1;
    model.load.connections = 2'000;
    model.load.timeout = 600s;
    return model;
}

inline RunPlan virtual_plan(Model model, std::uint64_t requests, Duration warm_up,
                            std::uint64_t seed = 42) {
    RunPlan plan;
    plan.scenario = "test";
    plan.model = std::move(model);
    plan.seed = seed;
    plan.warm_up = warm_up;
    plan.mode = RunMode::virtual_time;
    plan.requests = requests;
    return plan;
}

}  // namespace lab::test
