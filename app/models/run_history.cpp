// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/run_history.hpp"

#include <QStringList>

#include "lab/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace lab::app {

int heatRowOf(double ms) {
    if (!(ms > heatLowestMs)) return 0;
    const double row = std::log10(ms / heatLowestMs) * heatRowsPerDecade;
    return std::min(heatRows - 1, static_cast<int>(row));
}

double heatRowEdge(int row) {
    return heatLowestMs * std::pow(10.0, static_cast<double>(row) / heatRowsPerDecade);
}

namespace {

std::uint64_t answered(const Counts& counts) { return counts.of(Ending::ok); }

/// What a stretch of frames adds up to.
struct Sums {
    Counts counts;
    PartTimes parts{};
    std::uint64_t partsOf = 0;
    double seconds = 0;
    double busySeconds = 0, threadSeconds = 0;
    double depthSeconds = 0;
    std::optional<Duration> loopLag;  ///< the largest

    void add(const Frame& frame) {
        const double length = to_seconds(frame.length);
        counts += frame.counts;
        for (std::size_t i = 0; i < part_count; ++i) parts[i] += frame.parts[i];
        partsOf += frame.parts_of;
        seconds += length;
        busySeconds += to_seconds(frame.server.busy_time);
        threadSeconds += length * static_cast<double>(frame.server.threads.size());
        depthSeconds += length * (frame.server.queue_depth + frame.server.backlog);
        if (!frame.server.loop_lag.empty()) {
            const auto most = Histogram::upper_edge(frame.server.loop_lag.back().first);
            loopLag = std::max(loopLag.value_or(Duration{}), most);
        }
    }
    [[nodiscard]] double perSecond(std::uint64_t n) const {
        return seconds > 0 ? static_cast<double>(n) / seconds : 0;
    }
};

std::optional<double> milliseconds(const Histogram& histogram, double percent) {
    const auto value = histogram.percentile(percent);
    if (!value) return std::nullopt;
    return to_ms(*value);
}

/// Rates and shares of a stretch; percentiles are the caller's.
Figures figuresOf(const Sums& sums) {
    Figures f;
    if (sums.seconds <= 0) return f;
    f.goodput = sums.perSecond(sums.counts.good);
    f.throughput = sums.perSecond(answered(sums.counts));
    f.late = sums.perSecond(sums.counts.late);
    f.stale = sums.perSecond(sums.counts.stale);
    f.wrongUser = sums.perSecond(sums.counts.wrong_user);
    f.waiting = sums.depthSeconds / sums.seconds;
    const std::uint64_t ended = sums.counts.total_ended();
    if (ended > 0) {
        f.errorShare = static_cast<double>(sums.counts.errors()) / static_cast<double>(ended);
    }
    if (sums.threadSeconds > 0) f.busy = std::min(1.0, sums.busySeconds / sums.threadSeconds);
    f.rateWindow = sums.seconds;
    return f;
}

}  // namespace

struct RunHistory::Window {
    std::deque<FramePtr> frames;  // the last longestPercentileWindow seconds
    Histogram merged;             // reused for each point
    Histogram mergedSinceSend;    // of the same frames
    // The stretch since the warm-up or the last change, for a pin.
    Histogram stretchLatency;
    Sums stretch;
    double stretchFrom = 0;
    bool stretchWarm = true;

    [[nodiscard]] Sums last(double seconds) const {
        Sums sums;
        for (auto it = frames.rbegin(); it != frames.rend(); ++it) {
            if (sums.seconds > seconds - 1e-6) break;
            sums.add(**it);
        }
        return sums;
    }

    [[nodiscard]] WindowedPercentiles percentiles(const WindowedPercentiles& before) {
        WindowedPercentiles p;
        merged.clear();
        mergedSinceSend.clear();
        for (auto it = frames.rbegin(); it != frames.rend(); ++it) {
            const bool enough = merged.count() >= enoughSamples;
            if (p.window > percentileWindow - 1e-6 && enough) break;
            if (p.window > longestPercentileWindow - 1e-6) break;
            p.window += to_seconds((*it)->length);
            if ((*it)->interrupted) continue;
            merged.merge((*it)->latency);
            mergedSinceSend.merge((*it)->since_send);
        }
        p.samples = merged.count();
        if (p.samples == 0) return p;
        p.p50 = milliseconds(merged, 50).value_or(0);
        p.p95 = milliseconds(merged, 95).value_or(0);
        p.p99 = milliseconds(merged, 99).value_or(0);
        p.p99SinceSend = milliseconds(mergedSinceSend, 99).value_or(0);
        // Two thresholds, so that a line at the edge does not flicker.
        p.p99Faint = p.samples < (before.p99Faint ? enoughSamples : enoughSamples * 4 / 5);
        p.p95Faint = p.samples < (before.p95Faint ? enoughSamples / 5 : enoughSamples * 4 / 25);
        return p;
    }

    void extendStretch(const Frame& frame, double seconds) {
        if (frame.interrupted) return;
        const bool warm = frame.warm_up;
        if (!frame.changes.empty() || (stretchWarm && !warm)) {
            stretchLatency.clear();
            stretch = {};
        }
        if (stretch.seconds <= 0) stretchFrom = seconds - to_seconds(frame.length);
        stretchWarm = warm;
        stretch.add(frame);
        stretchLatency.merge(frame.latency);
    }

    void keep(const FramePtr& frame) {
        frames.push_back(frame);
        double seconds = 0;
        for (const FramePtr& f : frames) seconds += to_seconds(f->length);
        while (frames.size() > 1 &&
               seconds - to_seconds(frames.front()->length) > longestPercentileWindow - 1e-6) {
            seconds -= to_seconds(frames.front()->length);
            frames.pop_front();
        }
    }
};

RunHistory::RunHistory(QObject* parent) : QObject(parent), m_window(std::make_unique<Window>()) {}
RunHistory::~RunHistory() = default;

namespace {

HistoryPoint pointOf(const Frame& frame, const Sums& smooth) {
    HistoryPoint p;
    p.length = to_seconds(frame.length);
    p.seconds = to_seconds(frame.since_start) + p.length;
    p.warmUp = frame.warm_up;
    p.interrupted = frame.interrupted;
    p.offered = smooth.perSecond(smooth.counts.planned);
    p.completed = smooth.perSecond(answered(smooth.counts));
    p.goodput = smooth.perSecond(smooth.counts.good);
    p.errors = smooth.perSecond(smooth.counts.errors());
    if (const std::uint64_t ended = frame.counts.total_ended(); ended > 0) {
        p.errorShare = static_cast<double>(frame.counts.errors()) / static_cast<double>(ended);
    }
    if (smooth.partsOf > 0) {
        p.partsKnown = true;
        for (std::size_t i = 0; i < part_count; ++i) {
            p.partsMs[i] =
                static_cast<float>(to_ms(smooth.parts[i]) / static_cast<double>(smooth.partsOf));
        }
    }
    p.loopLagKnown = smooth.loopLag.has_value();
    p.loopLag = to_ms(smooth.loopLag.value_or(Duration{}));
    p.queueDepth = static_cast<double>(frame.server.queue_depth + frame.server.backlog);
    if (!frame.server.threads.empty() && p.length > 0) {
        const double available = p.length * static_cast<double>(frame.server.threads.size());
        p.busy = std::min(1.0, to_seconds(frame.server.busy_time) / available);
    }
    for (const auto& [bucket, count] : frame.latency) {
        auto& cell =
            p.heat[static_cast<std::size_t>(heatRowOf(to_ms(Histogram::upper_edge(bucket))))];
        cell = static_cast<std::uint16_t>(std::min<std::uint32_t>(cell + count, 0xffff));
    }
    return p;
}

}  // namespace

void RunHistory::append(const FramePtr& frame) {
    if (!frame) return;
    m_window->keep(frame);
    HistoryPoint point = pointOf(*frame, m_window->last(smoothing));
    point.latency =
        m_window->percentiles(m_points.empty() ? WindowedPercentiles{} : m_points.back().latency);
    // What still comes after the planned end is the rest of what came before.
    const bool after = m_plannedLength && point.seconds > *m_plannedLength + point.length / 2;
    if (!after) m_window->extendStretch(*frame, point.seconds);
    rememberChanges(*frame, point.seconds - point.length);
    m_points.push_back(point);
    if (m_points.size() > most) m_points.pop_front();
    while (!m_markers.empty() && m_markers.front().seconds < m_points.front().seconds - 1) {
        m_markers.erase(m_markers.begin());
    }
    m_figures = presentFigures();
    emit changed();
}

void RunHistory::rememberChanges(const Frame& frame, double seconds) {
    if (frame.changes.empty()) return;
    constexpr double oneGesture = 1;  // seconds: a slider that is dragged is one change
    std::vector<SettingChange> changes = frame.changes;
    HistoryMarker marker{.seconds = seconds, .text = {}, .changes = {}};
    if (!m_markers.empty() && seconds - m_markers.back().seconds < oneGesture) {
        const HistoryMarker& last = m_markers.back();
        if (changes.size() == 1 && last.changes.size() == 1 &&
            last.changes.front().path == changes.front().path) {
            changes.front().from = last.changes.front().from;
            marker.seconds = last.seconds;
            m_markers.pop_back();
            if (changes.front().from == changes.front().to) return;
        }
    }
    QStringList words;
    // A preset fills many settings: its name stands for them all.
    const auto preset = std::ranges::find(changes, "server.preset", &SettingChange::path);
    if (preset != changes.end()) {
        words << (preset->to == "none" ? tr("server as the scenario says")
                                       : tr("server → %1").arg(QString::fromStdString(preset->to)));
    }
    for (const SettingChange& change : changes) {
        if (preset != changes.end()) break;
        QString label = QString::fromStdString(change.label);
        if (label.isEmpty()) label = QString::fromStdString(change.path);
        // "Workers" reads as a word in a chip; "TTL" stays what it is.
        if (label.size() > 1 && label.at(1).isLower()) label[0] = label.at(0).toLower();
        words << tr("%1 %2 → %3")
                     .arg(label, QString::fromStdString(change.from),
                          QString::fromStdString(change.to));
    }
    marker.text = words.join(QStringLiteral(", "));
    marker.changes = std::move(changes);
    m_markers.push_back(std::move(marker));
}

Figures RunHistory::presentFigures() const {
    const Sums second = m_window->last(1.0);
    Figures f = figuresOf(second);
    const HistoryPoint& now = m_points.back();
    f.waiting = now.queueDepth;
    if (now.latency.present()) {
        f.p50 = now.latency.p50;
        f.p99 = now.latency.p99;
    }
    f.samples = now.latency.samples;
    f.latencyWindow = now.latency.window;
    f.to = now.seconds;
    f.from = std::max(0.0, now.seconds - f.rateWindow);
    constexpr double span = 2;
    if (const auto then = nearest(now.seconds - span);
        then && now.seconds - m_points[*then].seconds > span / 2) {
        f.queueGrowth =
            (now.queueDepth - m_points[*then].queueDepth) / (now.seconds - m_points[*then].seconds);
    }
    return f;
}

/// Of the stretch since the warm-up or the last change; of the last moment where it is too short.
Figures RunHistory::stretchFigures() const {
    constexpr double leastStretch = 0.5;  // seconds; less says nothing about a level
    const Sums& sums = m_window->stretch;
    if (sums.seconds <= leastStretch) return m_figures;
    Figures f = figuresOf(sums);
    f.p50 = milliseconds(m_window->stretchLatency, 50);
    f.p99 = milliseconds(m_window->stretchLatency, 99);
    f.samples = m_window->stretchLatency.count();
    f.latencyWindow = sums.seconds;
    f.from = m_window->stretchFrom;
    f.to = m_points.back().seconds;
    if (m_plannedLength) f.to = std::min(f.to, *m_plannedLength);
    return f;
}

void RunHistory::settle() {
    if (m_points.empty()) return;
    m_figures = stretchFigures();
    emit changed();
}

void RunHistory::clear() {
    m_window = std::make_unique<Window>();
    m_points.clear();
    m_markers.clear();
    m_figures = {};
    emit cleared();
    emit changed();
}

void RunHistory::pinAsA() {
    if (m_points.empty()) return;
    auto run = std::make_shared<PinnedRun>();
    run->points.assign(m_points.begin(), m_points.end());
    run->figures = stretchFigures();
    m_pinned = std::move(run);
    emit pinnedChanged();
    emit changed();
}

void RunHistory::unpin() {
    if (!m_pinned) return;
    m_pinned.reset();
    emit pinnedChanged();
    emit changed();
}

void RunHistory::setPlannedLength(std::optional<double> seconds) { m_plannedLength = seconds; }

FramePtr RunHistory::lastFrame() const {
    return m_window->frames.empty() ? nullptr : m_window->frames.back();
}

std::optional<std::size_t> RunHistory::nearest(double seconds) const {
    if (m_points.empty()) return std::nullopt;
    const auto after =
        std::lower_bound(m_points.begin(), m_points.end(), seconds,
                         [](const HistoryPoint& p, double at) { return p.seconds < at; });
    if (after == m_points.begin()) return 0;
    const auto index = static_cast<std::size_t>(after - m_points.begin());
    if (after == m_points.end()) return index - 1;
    return seconds - m_points[index - 1].seconds < after->seconds - seconds ? index - 1 : index;
}

RunHistory::TimeRange RunHistory::visibleRange() const {
    const double now = m_points.empty() ? 0 : m_points.back().seconds;
    if (now > visibleWindow) return {now - visibleWindow, now};
    double wanted = now;
    if (m_pinned) wanted = std::max(wanted, m_pinned->points.back().seconds);
    if (m_plannedLength && now < *m_plannedLength + 0.25) {
        wanted = std::max(wanted, *m_plannedLength);
        if (wanted <= *m_plannedLength + 0.25) return {0, std::min(wanted, visibleWindow)};
    }
    for (const double step : {15.0, 20.0, 30.0, 45.0}) {
        if (wanted <= step) return {0, step};
    }
    return {0, visibleWindow};
}

}  // namespace lab::app
