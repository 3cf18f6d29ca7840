// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>
#include <QString>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "bridge/frame_ring.hpp"
#include "bridge/runner.hpp"

namespace lab::app {

/// The one place that knows the engine: its calls go out here, its frames come in here.
///
/// Frames cross by a bounded ring with one pending wake; phases and endings by queued calls,
/// numbered by run, so that what is left over of a run that was replaced is dropped. Threads: the
/// GUI thread, but for the callbacks given to the engine. The destructor waits for the engine's (at
/// most 3 s); nothing calls back after it.
class ExperimentBridge : public QObject {
    Q_OBJECT
  public:
    explicit ExperimentBridge(const RunnerFactory& factory, QObject* parent = nullptr);
    ~ExperimentBridge() override;

    /// Why there is no engine (no threads left ...), or nothing.
    [[nodiscard]] const std::optional<Error>& problem() const { return m_problem; }
    /// Starts a run; one that is going on is stopped first, and its ending is not told.
    [[nodiscard]] Result<void> start(RunPlan plan);
    [[nodiscard]] Result<void> apply(Model model);
    /// Asks what the caches of the run hold: cacheArrived() follows, if something runs.
    void askCache(std::size_t most);
    void stop();
    /// How virtual time passes, from now on and in later runs.
    void setPace(Pace pace);
    /// Virtual time that is paused goes on by this much.
    void step(Duration by);
    [[nodiscard]] RunPhase phase() const { return m_phase; }
    /// Frames that the window was too slow to take.
    [[nodiscard]] std::uint64_t droppedFrames() const { return m_ring.dropped(); }

  signals:
    void frameArrived(lab::FramePtr frame);
    void cacheArrived(const std::vector<lab::CacheContent>& contents);
    void phaseChanged(lab::RunPhase phase, const QString& progress);
    /// Once for each run that was not replaced. `result` is null where it failed, and `problem`
    /// says why.
    void finished(lab::RunResultPtr result, const QString& problem);

  private:
    [[nodiscard]] ExperimentEvents makeEvents();
    void offer(FramePtr frame);
    void drain();
    void onPhase(std::uint64_t run, RunPhase phase, const QString& progress);
    void onFinished(std::uint64_t run, const RunResultPtr& result, const QString& problem);

    FrameRing m_ring;
    std::uint64_t m_eventRun = 1;  ///< run that events belong to: control thread only
    std::uint64_t m_started = 0;   ///< runs started: GUI thread only
    RunPhase m_phase = RunPhase::idle;
    std::optional<Error> m_problem;
    std::unique_ptr<Runner> m_runner;  ///< last member: goes first, and with it all callbacks
};

}  // namespace lab::app
