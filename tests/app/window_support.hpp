// SPDX-License-Identifier: GPL-3.0-or-later
// A stand-in for the engine, and scenarios as text, for tests of the window.
#pragma once

#include <QTemporaryDir>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bridge/runner.hpp"
#include "bridge/storage.hpp"
#include "lab/scenario.hpp"

namespace lab::app::testing {

/// An engine whose events the test makes. It must outlive the bridge.
struct FakeEngine {
    ExperimentEvents events;
    std::vector<RunPlan> plans;
    std::vector<Model> applied;
    std::vector<CacheContent> cache;
    std::vector<Pace> paces;
    Duration stepped{};
    int stops = 0;
    std::function<void()> onStart;

    [[nodiscard]] RunnerFactory factory();
    /// One frame, `seconds` after the start of the run.
    void frame(double seconds);
    /// The run ends with this throughput over ten seconds.
    void finish(double throughput);
    void fail(const std::string& why);
};

/// Two workers to choose from, knobs of every shape, a lesson with every kind of step. `word`
/// stands in every text that a person may read.
[[nodiscard]] std::string scenarioText(const std::string& id = "shop",
                                       const std::string& word = "word");
[[nodiscard]] ScenarioPtr makeScenario(const std::string& word = "word");

/// A folder of scenarios, a folder of data, a file of settings, all thrown away.
struct Places {
    QTemporaryDir folder;
    [[nodiscard]] Storage::Places storage() const;
    [[nodiscard]] std::filesystem::path path(const std::string& name) const;
    void write(const std::string& name, const std::string& text) const;
};

/// Lets the event loop turn until `done`, at most five seconds. Returns whether it came true.
[[nodiscard]] bool turnUntil(const std::function<bool()>& done);

}  // namespace lab::app::testing
