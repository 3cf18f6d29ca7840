// SPDX-License-Identifier: GPL-3.0-or-later
// Steps and routes as tests write them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lab/model.hpp"

namespace lab::test {

[[nodiscard]] inline Step cpu(Distribution time, std::string id = "cpu") {
    Step step;
    step.id = std::move(id);
    step.kind = StepKind::cpu;
    step.time = time;
    return step;
}
[[nodiscard]] inline Step cpu(Duration time, std::string id = "cpu") {
    return cpu(Distribution::constant(time), std::move(id));
}
[[nodiscard]] inline Step wait(Distribution time, std::string id = "wait") {
    Step step;
    step.id = std::move(id);
    step.kind = StepKind::wait;
    step.time = time;
    return step;
}
[[nodiscard]] inline Step wait(Duration time, std::string id = "wait") {
    return wait(Distribution::constant(time), std::move(id));
}
[[nodiscard]] inline Step query(QueryKind kind = QueryKind::product_by_sku) {
    Step step;
    step.id = "query";
    step.kind = StepKind::query;
    step.query = kind;
    return step;
}
[[nodiscard]] inline Step write_row() {
    Step step;
    step.id = "write";
    step.kind = StepKind::write;
    return step;
}
[[nodiscard]] inline Step render(int rows = 1) {
    Step step;
    step.id = "render";
    step.kind = StepKind::render;
    step.rows = rows;
    return step;
}
[[nodiscard]] inline Step respond(std::int64_t size) {
    Step step;
    step.id = "respond";
    step.kind = StepKind::respond;
    step.size = Bytes{size};
    return step;
}
[[nodiscard]] inline Step cached(std::vector<Step> steps, KeyRule key = {}) {
    Step step;
    step.id = "cache";
    step.kind = StepKind::cache;
    step.key = key;
    step.steps = std::move(steps);
    return step;
}
[[nodiscard]] inline Step gather(std::vector<Step> branches, int copies = 1) {
    Step step;
    step.id = "gather";
    step.kind = StepKind::gather;
    step.copies = copies;
    step.steps = std::move(branches);
    return step;
}
[[nodiscard]] inline Step group(std::vector<Step> steps) {
    Step step;
    step.id = "group";
    step.kind = StepKind::group;
    step.steps = std::move(steps);
    return step;
}
[[nodiscard]] inline Step blocking(Step step) {
    step.blocking = true;
    return step;
}
[[nodiscard]] inline Step offload(Step step) {
    step.offload = true;
    return step;
}
[[nodiscard]] inline Route async(Route route) {
    route.view = View::async;
    return route;
}
[[nodiscard]] inline Route route(std::vector<Step> steps, std::string id = "pay") {
    Route made;
    made.path = "/" + id;
    made.id = std::move(id);
    made.steps = std::move(steps);
    return made;
}
[[nodiscard]] inline Route inline_route(std::string id = "ping") {
    Route made = route({}, std::move(id));
    made.inline_answer = true;
    return made;
}

}  // namespace lab::test
