// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>
#include <QString>
#include <QTimer>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bridge/experiment_bridge.hpp"
#include "lab/scenario.hpp"

namespace lab::app {

class RunHistory;
using RunResults = std::map<std::string, RunResultPtr>;

/// The scenario that is open, the settings as they stand, and the run that is going on.
///
/// Two ways to run: free play (until stopped; knobs apply at once) and the variants of a lesson's
/// step, one after the other, with the first pinned as ghost A when the second starts. Threads:
/// GUI.
class RunController : public QObject {
    Q_OBJECT
  public:
    enum class Mode { idle, freePlay, variants };
    /// At most one new model for the engine in this time.
    static constexpr int applyEveryMs = 50;

    /// Both must outlive the controller.
    RunController(ExperimentBridge* bridge, RunHistory* history, QObject* parent = nullptr);

    /// Makes a scenario the open one, in its first state. A run that is going on is stopped.
    void open(std::shared_ptr<const Scenario> scenario);
    [[nodiscard]] const Scenario* scenario() const { return m_scenario.get(); }
    [[nodiscard]] std::shared_ptr<const Scenario> scenarioPtr() const { return m_scenario; }
    [[nodiscard]] const Model& model() const { return m_model; }
    [[nodiscard]] bool isFirstState() const;

    [[nodiscard]] Mode mode() const { return m_mode; }
    [[nodiscard]] bool isRunning() const { return m_mode != Mode::idle; }
    [[nodiscard]] RunPhase phase() const;
    /// Seconds since the start of the present or last run.
    [[nodiscard]] double seconds() const { return m_seconds; }
    /// "A · 7 of 12 s", "Making the database", or empty.
    [[nodiscard]] QString statusText() const;
    /// Share of the variants' whole time that has passed, 0..1.
    [[nodiscard]] double variantProgress() const;
    /// What the server is busy with beside serving: "creating index", or empty.
    [[nodiscard]] const QString& serverProgress() const { return m_serverProgress; }
    [[nodiscard]] const QString& plan() const { return m_plan; }

    /// Runs with the settings as they stand, until stopped.
    void play();
    /// Runs each variant for the step's length.
    void runVariants(const LessonStep& step);
    void stop();
    /// The scenario's first state; a free run goes on with it.
    void reset();
    /// Changes one setting, as `--set` takes it; a free run gets it within applyEveryMs, or begins
    /// anew where a balancer comes or goes.
    /// Emits problem() where the setting or the value is not allowed.
    void set(const std::string& path, const std::string& text);
    void pinAsA();
    /// Asks the run what its caches hold; cacheArrived() follows, if one is going on.
    void askCache();
    /// Which runner the next run gets; a free run begins anew under it. Not while variants run.
    void setRunMode(RunMode mode);
    [[nodiscard]] RunMode runMode() const { return m_runMode; }
    /// How virtual time passes.
    void setPace(Pace pace);
    [[nodiscard]] Pace pace() const { return m_pace; }
    /// While paused: goes on by a tenth of a second at normal speed, by less where time is slowed.
    void step();
    /// Seconds of the run in a second of the watcher: 1 for a live run, 0 while paused.
    [[nodiscard]] double timeScale() const;
    /// What was measured on this computer, for virtual time.
    void setCosts(const MeasuredCosts& costs) { m_costs = costs; }
    [[nodiscard]] RunHistory* history() const { return m_history; }

  signals:
    void scenarioChanged();
    void modelChanged();
    /// Mode, phase or status text.
    void stateChanged();
    /// Runner or pace.
    void paceChanged();
    /// After each frame: clock and status.
    void ticked();
    /// All variants are done. Empty where one was stopped or failed.
    void variantsFinished(const lab::app::RunResults& results);
    void problem(const QString& message);
    /// The entries with the most hits, the most in front.
    void cacheArrived(const std::vector<lab::CacheContent>& contents);

  private:
    struct Variant {
        std::string name;
        Model model;
    };
    void startRun(const Model& model, std::optional<Duration> length, Duration warmUp);
    void startNextVariant();
    void endVariants(bool complete);
    void onFrame(const FramePtr& frame);
    void onFinished(const RunResultPtr& result, const QString& why);
    void adopt(Model moved);
    void applySoon();
    void applyNow();
    void setMode(Mode mode);

    ExperimentBridge* m_bridge;
    RunHistory* m_history;
    QTimer m_applyTimer;
    std::shared_ptr<const Scenario> m_scenario;
    Model m_model;
    Mode m_mode = Mode::idle;
    double m_seconds = 0;
    bool m_warmUp = false;
    bool m_applyWaiting = false;
    QString m_phaseProgress, m_serverProgress, m_plan;
    std::vector<Variant> m_variants;
    std::size_t m_variant = 0;
    Duration m_variantLength{}, m_variantWarmUp{};
    bool m_stopAsked = false;
    bool m_playAgain = false;  ///< the run that stops begins anew, with another front
    RunMode m_runMode = RunMode::live;
    Pace m_pace{1.0, false};
    std::optional<MeasuredCosts> m_costs;
    RunResults m_results;
};

}  // namespace lab::app
