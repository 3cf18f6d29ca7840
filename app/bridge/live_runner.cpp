// SPDX-License-Identifier: GPL-3.0-or-later
#include "bridge/runner.hpp"

namespace lab::app {

namespace {

class LiveRunner final : public Runner {
  public:
    explicit LiveRunner(std::unique_ptr<Experiment> experiment)
        : m_experiment(std::move(experiment)) {}

    Result<void> start(RunPlan plan) override { return m_experiment->start(std::move(plan)); }
    Result<std::uint64_t> apply(Model model) override {
        return m_experiment->apply(std::move(model));
    }
    void ask_cache(std::size_t most) override { m_experiment->ask_cache(most); }
    void stop() override { m_experiment->stop(); }
    void setPace(Pace pace) override { m_experiment->set_pace(pace); }
    void step(Duration by) override { m_experiment->step(by); }

  private:
    std::unique_ptr<Experiment> m_experiment;
};

}  // namespace

Result<std::unique_ptr<Runner>> makeLiveRunner(ExperimentEvents events) {
    auto experiment = Experiment::create(std::move(events));
    if (!experiment) return experiment.error();
    return std::unique_ptr<Runner>(new LiveRunner(std::move(*experiment)));
}

}  // namespace lab::app
