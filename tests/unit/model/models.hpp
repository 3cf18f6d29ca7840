// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "lab/model.hpp"
#include "lab/settings.hpp"
#include "model/table.hpp"

namespace lab::test {

/// Two routes, of which the first, "all", has a step of every kind; behind a balancer.
inline Model every_step() {
    const auto step = [](const char* id, StepKind kind) {
        Step made;
        made.id = id;
        made.kind = kind;
        return made;
    };
    Route all;
    all.id = "all";
    all.path = "/all/{key}?user={user}";
    all.method = Method::post;
    all.steps = {step("cpu", StepKind::cpu),       step("wait", StepKind::wait),
                 step("query", StepKind::query),   step("cache", StepKind::cache),
                 step("render", StepKind::render), step("respond", StepKind::respond),
                 step("write", StepKind::write),   step("gather", StepKind::gather)};
    all.steps[3].steps = {step("inner", StepKind::query)};
    Step group = step("group", StepKind::group);
    group.steps = {step("call", StepKind::wait)};
    all.steps[7].steps = {group};
    Route home;
    home.id = "home";
    home.path = "/";
    Model model;
    model.system.routes = {all, home};
    model.system.balancer.rule = BalancerRule::ip_hash;
    model.system.balancer.count = 2;
    return model;
}

inline std::vector<std::string> every_path() { return names::concrete_paths(every_step().system); }

}  // namespace lab::test
