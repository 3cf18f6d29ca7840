// SPDX-License-Identifier: GPL-3.0-or-later
// The history of one run on the GUI thread: what charts, cards and the pipeline read.
#pragma once

#include <QObject>
#include <QString>

#include "lab/frame.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace lab::app {

/// Rows of the heat map: 20 a decade, from 10 us (row 0) to 100 s (the last row holds what is
/// longer).
inline constexpr int heatRows = 140;
inline constexpr int heatRowsPerDecade = 20;
inline constexpr double heatLowestMs = 0.01;
/// The row that holds a latency in milliseconds.
[[nodiscard]] int heatRowOf(double ms);
/// The lower edge of a row in milliseconds.
[[nodiscard]] double heatRowEdge(int row);

/// Percentiles in milliseconds from merged histograms, with what they rest on.
struct WindowedPercentiles {
    double p50 = 0, p95 = 0, p99 = 0;  ///< only where samples > 0
    std::uint64_t samples = 0;         ///< answers and time-outs merged
    double window = 0;                 ///< seconds of frames merged
    bool p95Faint = false;             ///< too few samples to mean much
    bool p99Faint = false;
    double p99SinceSend = 0;  ///< of the same frames, timed from the sending; 0: nothing was sent
    [[nodiscard]] bool present() const { return samples > 0; }
};

/// One frame, reduced to what is drawn. Rates are per second over the last `smoothing` seconds.
struct HistoryPoint {
    double seconds = 0;   ///< end of the frame, since the start of the run
    double length = 0.1;  ///< of the frame, seconds
    bool warmUp = false;
    bool interrupted = false;  ///< the process was stopped or asleep: not a measurement
    double offered = 0, completed = 0, goodput = 0, errors = 0;
    double errorShare = 0;  ///< of what ended in the frame, 0..1
    WindowedPercentiles latency;
    std::array<float, part_count> partsMs{};  ///< mean a request over `smoothing`
    bool partsKnown = false;                  ///< false where nothing was answered
    double queueDepth = 0;
    double busy = 0;            ///< share of the worker threads' time in the frame, 0..1
    double loopLag = 0;         ///< largest of the last second, ms; see loopLagKnown
    bool loopLagKnown = false;  ///< workers are event loops, and one had a turn
    std::array<std::uint16_t, heatRows> heat{};  ///< samples of this frame by latency
};

/// Settings that took effect: "workers 1 → 4". Steps of one drag are one marker.
struct HistoryMarker {
    double seconds = 0;
    QString text;
    std::vector<SettingChange> changes;
};

/// The six figures and what they rest on. Empty: no samples.
struct Figures {
    std::optional<double> goodput, throughput;  ///< per second
    double late = 0, stale = 0, wrongUser = 0;  ///< answers a second that are not good, and why
    std::optional<double> p50, p99;             ///< ms
    std::optional<double> waiting;              ///< requests in the admission queue
    std::optional<double> errorShare;           ///< 0..1
    std::optional<double> busy;                 ///< 0..1
    std::optional<double> queueGrowth;          ///< requests a second, over the last 2 s
    std::uint64_t samples = 0;                  ///< behind the percentiles
    double rateWindow = 0;                      ///< seconds behind rates and shares
    double latencyWindow = 0;                   ///< seconds behind the percentiles
    double from = 0, to = 0;                    ///< seconds of the run they describe
};

/// A run that was pinned for comparison. Immutable.
struct PinnedRun {
    std::vector<HistoryPoint> points;  ///< aligned by seconds since the start
    Figures figures;  ///< of its last steady stretch: after warm-up and the last change
};
using PinnedRunPtr = std::shared_ptr<const PinnedRun>;

/// Bounded history of one run, with the values that the window shows.
///
/// Rates and parts are smoothed over `smoothing`; percentiles come from the merged histograms of
/// the last second, or of as many seconds (5 at most) as give 100 samples. Nothing is averaged that
/// must not be. Bounds:  10 minutes of points (about 4 MB), 5 s of frames, one pinned run of the
/// same size. Cost:    append() about 50 us at 2,000 requests a second. Threads: GUI.
class RunHistory : public QObject {
    Q_OBJECT

  public:
    static constexpr double smoothing = 1;       ///< seconds, as in the figures
    static constexpr double visibleWindow = 60;  ///< seconds that charts show at most
    static constexpr std::size_t most = 6000;    ///< points kept
    static constexpr double percentileWindow = 1, longestPercentileWindow = 5;
    static constexpr std::uint64_t enoughSamples = 100;  ///< for a p99

    explicit RunHistory(QObject* parent = nullptr);
    ~RunHistory() override;

    /// Takes the next frame of the run and emits changed() once. Frames come in order.
    void append(const FramePtr& frame);
    /// Forgets the run (not the pinned one).
    void clear();
    /// Keeps a copy of the run so far as ghost A, replacing an earlier one. Nothing where no run
    /// is.
    void pinAsA();
    void unpin();
    /// The run is over: the figures become those of its whole last stretch, as a pin has them.
    void settle();
    /// How long the run is planned to be (warm-up included), so that the time axis need not grow;
    /// empty: until stopped. Kept by clear().
    void setPlannedLength(std::optional<double> seconds);

    [[nodiscard]] const std::deque<HistoryPoint>& points() const { return m_points; }
    [[nodiscard]] bool isEmpty() const { return m_points.empty(); }
    [[nodiscard]] const std::vector<HistoryMarker>& markers() const { return m_markers; }
    /// Ghost A, or null.
    [[nodiscard]] PinnedRunPtr pinned() const { return m_pinned; }
    /// The frame that came last, or null. Its server sample is the present state.
    [[nodiscard]] FramePtr lastFrame() const;
    /// Over the last second; percentiles over their own window.
    [[nodiscard]] const Figures& figures() const { return m_figures; }
    /// The index of the point nearest to a time; empty where there are no points.
    [[nodiscard]] std::optional<std::size_t> nearest(double seconds) const;
    /// What charts show: [from, to] in seconds. Grows in steps to visibleWindow, then scrolls.
    struct TimeRange {
        double from = 0, to = 0;
        friend bool operator==(const TimeRange&, const TimeRange&) = default;
    };
    [[nodiscard]] TimeRange visibleRange() const;

  Q_SIGNALS:
    /// Once for each append(), clear(), pinAsA() and unpin().
    void changed();
    /// The run was forgotten: clear().
    void cleared();
    /// Ghost A was set or taken away.
    void pinnedChanged();

  private:
    struct Window;  // the frames of the last seconds and the histograms merged from them

    void rememberChanges(const Frame& frame, double seconds);
    [[nodiscard]] Figures presentFigures() const;
    [[nodiscard]] Figures stretchFigures() const;

    std::unique_ptr<Window> m_window;
    std::deque<HistoryPoint> m_points;
    std::vector<HistoryMarker> m_markers;
    Figures m_figures;
    PinnedRunPtr m_pinned;
    std::optional<double> m_plannedLength;
};

}  // namespace lab::app
