// SPDX-License-Identifier: GPL-3.0-or-later
// Short runs in virtual time, of a model in which nothing costs anything but what its route says.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "lab/frame.hpp"
#include "lab/model.hpp"
#include "support/routes.hpp"
#include "support/virtual_model.hpp"
#include "virtual/run.hpp"

namespace lab::test {

/// One worker, cores enough for everybody, one key and one user.
inline Model bare_model(Route view) {
    Model model;
    model.system.costs = nothing_costs();
    model.system.host.cores = 64;
    model.system.server.interpreter_lock = false;
    model.system.routes = {std::move(view)};
    model.load.keys = 1;
    model.load.users = 1;
    model.load.connections = 1'000;
    model.load.timeout = 60s;
    return model;
}

/// Requests come at these times since the start, and none else.
inline void arrive(Model& model, std::vector<Duration> times) {
    model.load.shape.kind = LoadShape::recorded;
    model.load.shape.recording.file = "times.csv";
    model.load.shape.recording.times =
        std::make_shared<const std::vector<Duration>>(std::move(times));
}
inline void arrive_at_once(Model& model, int count) {
    arrive(model, std::vector<Duration>(static_cast<std::size_t>(count), Duration{1ms}));
}

/// Of what a histogram says, which has three digits.
inline void expect_ms(double measured, double expected) {
    EXPECT_NEAR(measured, expected, 0.001 * expected + 0.001);
}

struct Ran {
    RunResultPtr result;
    std::vector<FramePtr> frames;

    [[nodiscard]] double longest_ms() const { return ms(result->latency.max()); }
    [[nodiscard]] double shortest_ms() const { return ms(result->latency.min()); }
    [[nodiscard]] double mean_ms() const { return ms(result->latency.mean()); }
    [[nodiscard]] std::uint64_t ended(Ending ending) const { return result->counts.of(ending); }
    /// Mean over the answers.
    [[nodiscard]] double part_ms(Part part) const {
        return to_seconds(result->parts[static_cast<std::size_t>(part)]) * 1e3 /
               static_cast<double>(result->parts_of);
    }

  private:
    static double ms(const Result<Duration>& time) { return time ? to_seconds(*time) * 1e3 : -1; }
};

inline Ran run_for(const Model& model, Duration length, std::uint64_t seed = 42,
                   std::uint64_t requests = 0) {
    virtual_time::Run::Options options;
    options.scenario = "test";
    options.model = model;
    options.seed = seed;
    options.warm_up = Duration{};
    options.length = length;
    if (requests > 0) options.requests = requests;
    options.drain = 100s;
    auto made = virtual_time::Run::create(std::move(options));
    Ran ran;
    EXPECT_TRUE(made) << made.error().message();
    if (!made) return ran;
    const auto keep = [&](FramePtr frame) { ran.frames.push_back(std::move(frame)); };
    while ((*made)->stage() != virtual_time::Stage::done) {
        const auto gone = (*made)->advance(1s, {}, keep);
        EXPECT_TRUE(gone);
        if (!gone) break;
    }
    ran.result = (*made)->finish(false, keep);
    Counts counts;
    for (const FramePtr& frame : ran.frames) counts += frame->counts;
    EXPECT_EQ(counts.planned, counts.total_ended());
    return ran;
}

}  // namespace lab::test
