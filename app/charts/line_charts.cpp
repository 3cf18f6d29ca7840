// SPDX-License-Identifier: GPL-3.0-or-later
#include "charts/line_charts.hpp"

#include <QKeyEvent>
#include <QMenu>
#include <QPainter>

#include <algorithm>
#include <cmath>
#include <limits>

#include "charts/line_layer.hpp"
#include "widgets/figures_row.hpp"

namespace lab::app {

namespace {

constexpr float faintAlpha = 0.38f;

QString perSecond(double rate) {
    return QStringLiteral("%1/s").arg(rate, 0, 'f', rate < 10 ? 1 : 0);
}

QString latencyText(double ms) {
    const auto [value, unit] = showMilliseconds(ms);
    return value + QLatin1Char(' ') + unit;
}

/// The largest value in the visible points, of the run and of ghost A.
template <class Value>
double largest(const RunHistory& history, double from, Value value) {
    double most = 0;
    for (const HistoryPoint& p : history.points()) {
        if (p.seconds >= from) most = std::max(most, value(p));
    }
    if (const auto pinned = history.pinned()) {
        for (const HistoryPoint& p : pinned->points) {
            if (p.seconds >= from) most = std::max(most, value(p));
        }
    }
    return most;
}

/// Lets through the least and the greatest point of every two pixels: more cannot be seen. Groups
/// are those of absolute time, so that a line that scrolls does not shimmer.
class Thinner {
  public:
    Thinner(QList<QPointF>& to, const PlotArea& area) : m_to(to) {
        constexpr double pixels = 2;
        m_group = pixels * (area.time.to - area.time.from) / area.rect.width();
    }

    void add(double seconds, QPointF at) {
        const double group = std::floor(seconds / m_group);
        if (m_count > 0 && group != m_last) flush();
        m_last = group;
        if (m_count == 0) m_least = m_greatest = at;
        if (at.y() < m_least.y()) m_least = at;
        if (at.y() > m_greatest.y()) m_greatest = at;
        ++m_count;
    }

    void flush() {
        if (m_count == 0) return;
        m_count = 0;
        const bool rising = m_least.x() < m_greatest.x();
        m_to.push_back(rising ? m_least : m_greatest);
        if (m_least.x() != m_greatest.x()) m_to.push_back(rising ? m_greatest : m_least);
    }

  private:
    QList<QPointF>& m_to;
    double m_group = 0, m_last = 0;
    int m_count = 0;
    QPointF m_least, m_greatest;
};

/// Short lines along a path, `on` pixels drawn and `off` left out. The stroker's own dashes cost
/// ten times as much.
QList<QLineF> dashes(const QList<QPointF>& path, double on, double off) {
    QList<QLineF> drawn;
    double along = 0;
    for (qsizetype i = 1; i < path.size(); ++i) {
        const QLineF whole(path[i - 1], path[i]);
        const double length = whole.length();
        for (double at = 0; at < length;) {
            const double phase = std::fmod(along, on + off);
            const bool draws = phase < on;
            const double step = std::min(length - at, (draws ? on : on + off) - phase + 1e-6);
            if (draws) {
                drawn.push_back({whole.pointAt(at / length), whole.pointAt((at + step) / length)});
            }
            at += step;
            along += step;
        }
    }
    return drawn;
}

}  // namespace

LineChart::LineChart(const QString& title, const QString& unit, RunHistory* history,
                     QWidget* parent)
    : PlotCard(title, unit, history, parent), m_layer(std::make_unique<LineLayer>()) {}

LineChart::~LineChart() = default;

void LineChart::addStretches(const Line& line, const PlotArea& area) {
    QPen pen(line.colour, line.width * area.scale, Qt::SolidLine, Qt::FlatCap, Qt::BevelJoin);
    if (line.dashed) pen.setDashPattern({3.5, 2.5});
    QPen faintPen = pen;
    QColor colour = line.colour;
    colour.setAlphaF(faintAlpha);
    faintPen.setColor(colour);

    QList<QPointF> stretch;
    bool faint = false;
    Thinner thinner(stretch, area);
    const double length = area.time.to - area.time.from;
    const auto finish = [&] {
        thinner.flush();
        if (stretch.size() > 1) m_layer->add(stretch, faint ? faintPen : pen);
        stretch.clear();
    };
    const auto& points = history().points();
    for (std::size_t i = 0; i < points.size(); ++i) {
        const HistoryPoint& p = points[i];
        // One point before the left edge, so that the line comes from outside.
        if (i + 1 < points.size() && points[i + 1].seconds < area.time.from) continue;
        if (line.present != nullptr && !line.present(p)) {
            finish();
            continue;
        }
        const QPointF at((p.seconds - area.time.from) / length,
                         std::clamp(area.axis.share(line.value(p)), 0.0, 1.0));
        const bool isFaint = line.faint != nullptr && line.faint(p);
        if (isFaint != faint) {
            thinner.flush();
            const bool joined = !stretch.isEmpty();
            const QPointF joint = joined ? stretch.back() : QPointF();
            finish();
            if (joined) stretch.push_back(joint);
        }
        faint = isFaint;
        thinner.add(p.seconds, at);
    }
    finish();
}

void LineChart::paintData(QPainter& painter, const PlotArea& area) {
    m_layer->begin();
    for (const Line& line : lines()) addStretches(line, area);
    painter.setRenderHint(QPainter::Antialiasing);
    m_layer->paint(painter, area.rect);
    painter.setRenderHint(QPainter::Antialiasing, false);
}

void LineChart::paintBehind(QPainter& painter, const PlotArea& area) {
    const auto pinned = history().pinned();
    if (!pinned) return;
    QColor colour = theme().secondText;
    colour.setAlphaF(0.85f);
    const QPen pen(colour, area.scale > 1.2 ? area.scale : 1);
    painter.setRenderHint(QPainter::Antialiasing);
    for (const Line& line : lines()) {
        if (!line.ghost) continue;
        QList<QPointF> run;
        Thinner thinner(run, area);
        painter.setPen(pen);
        const auto flush = [&] {
            thinner.flush();
            painter.drawLines(dashes(run, 5 * area.scale, 3 * area.scale));
            run.clear();
        };
        for (const HistoryPoint& p : pinned->points) {
            if (p.seconds < area.time.from - 1 || p.seconds > area.time.to + 1) continue;
            if (line.present != nullptr && !line.present(p)) {
                flush();
                continue;
            }
            thinner.add(p.seconds, QPointF(area.x(p.seconds), area.y(line.value(p))));
        }
        flush();
        paintLevel(painter, area, line, *pinned);
    }
}

/// Where ghost A has ended, its level goes on as dots: what the run is compared with.
void LineChart::paintLevel(QPainter& painter, const PlotArea& area, const Line& line,
                           const PinnedRun& pinned) {
    const std::optional<double> level = line.level == nullptr ? std::nullopt : line.level(pinned);
    if (!level) return;
    const double from = std::max(pinned.points.back().seconds, area.time.from);
    if (from >= area.time.to) return;
    QPen dots(line.colour, 1.4 * area.scale, Qt::CustomDashLine, Qt::FlatCap);
    dots.setDashPattern({1.2, 3});
    painter.setPen(dots);
    const double y = area.y(*level);
    painter.drawLine(QPointF(area.x(from), y), QPointF(area.rect.right(), y));
}

// Throughput ------------------------------------------------------------------------------------

ThroughputChart::ThroughputChart(RunHistory* history, QWidget* parent)
    : LineChart(tr("Throughput"), tr("req/s"), history, parent) {}

std::vector<LineChart::Line> ThroughputChart::lines() const {
    return {
        {.colour = theme().offered,
         .width = 1.3,
         .dashed = true,
         .value = [](const HistoryPoint& p) { return p.offered; }},
        {.colour = theme().errors,
         .width = 1.8,
         .value = [](const HistoryPoint& p) { return p.errors; }},
        {.colour = theme().completed,
         .value = [](const HistoryPoint& p) { return p.completed; },
         .level = [](const PinnedRun& a) { return a.figures.throughput; },
         .ghost = true},
    };
}

std::vector<LegendEntry> ThroughputChart::legend() const {
    using Shape = LegendEntry::Shape;
    std::vector<LegendEntry> entries = {{tr("offered"), theme().offered, Shape::dashed},
                                        {tr("completed"), theme().completed, Shape::line},
                                        {tr("errors"), theme().errors, Shape::line}};
    if (history().pinned()) entries.push_back({tr("A"), theme().secondText, Shape::dashed});
    return entries;
}

ValueAxis ThroughputChart::wantedAxis() const {
    constexpr double least = 20;  // per second: an idle system is not blown up to noise
    return linearAxis(largest(history(), history().visibleRange().from,
                              [](const HistoryPoint& p) {
                                  return std::max({p.offered, p.completed, p.errors});
                              }),
                      least);
}

std::vector<ReadoutLine> ThroughputChart::readout(const HistoryPoint& p) const {
    return {{tr("offered"), perSecond(p.offered), theme().offered},
            {tr("completed"), perSecond(p.completed), theme().completed},
            {tr("errors"), perSecond(p.errors), theme().errors}};
}

std::vector<TableColumn> ThroughputChart::columns() const {
    return {
        {tr("offered (/s)"), [](const HistoryPoint& p) { return QVariant(p.offered); }, 1},
        {tr("completed (/s)"), [](const HistoryPoint& p) { return QVariant(p.completed); }, 1},
        {tr("goodput (/s)"), [](const HistoryPoint& p) { return QVariant(p.goodput); }, 1},
        {tr("errors (/s)"), [](const HistoryPoint& p) { return QVariant(p.errors); }, 1},
    };
}

QString ThroughputChart::explanation() const {
    return tr("Requests a second: planned, answered with 2xx or 3xx, and everything else. "
              "Each point is the mean of the last %1 s.")
        .arg(RunHistory::smoothing);
}

// Latency ---------------------------------------------------------------------------------------

namespace {

bool hasLatency(const HistoryPoint& p) { return p.latency.present(); }
bool hasSinceSend(const HistoryPoint& p) { return p.latency.p99SinceSend > 0; }

bool hasLoopLag(const HistoryPoint& p) { return p.loopLagKnown && p.loopLag > 0; }

/// There is an event loop, so that its lag has a line.
bool showsLoopLag(const RunHistory& history) {
    return !history.isEmpty() && hasLoopLag(history.points().back());
}

QVariant orEmpty(const HistoryPoint& p, double ms) {
    return p.latency.present() ? QVariant(ms) : QVariant();
}

}  // namespace

LatencyChart::LatencyChart(RunHistory* history, QWidget* parent)
    : LineChart(tr("Latency"), tr("ms, log scale"), history, parent) {}

std::vector<LineChart::Line> LatencyChart::lines() const {
    std::vector<Line> all = {
        {.colour = theme().p50,
         .value = [](const HistoryPoint& p) { return p.latency.p50; },
         .present = hasLatency,
         .level = [](const PinnedRun& a) { return a.figures.p50; },
         .ghost = true},
        {.colour = theme().p95,
         .value = [](const HistoryPoint& p) { return p.latency.p95; },
         .present = hasLatency,
         .faint = [](const HistoryPoint& p) { return p.latency.p95Faint; }},
        {.colour = theme().p99,
         .value = [](const HistoryPoint& p) { return p.latency.p99; },
         .present = hasLatency,
         .faint = [](const HistoryPoint& p) { return p.latency.p99Faint; },
         .level = [](const PinnedRun& a) { return a.figures.p99; },
         .ghost = true},
    };
    if (!m_p95Shown) all.erase(all.begin() + 1);
    if (showsLoopLag(history())) {
        all.push_back({.colour = theme().errors,
                       .width = 1.6,
                       .dashed = true,
                       .value = [](const HistoryPoint& p) { return p.loopLag; },
                       .present = hasLoopLag});
    }
    if (m_sinceSendShown) {
        all.push_back({.colour = theme().p99,
                       .width = 1.5,
                       .dashed = true,
                       .value = [](const HistoryPoint& p) { return p.latency.p99SinceSend; },
                       .present = hasSinceSend,
                       .faint = [](const HistoryPoint& p) { return p.latency.p99Faint; }});
    }
    return all;
}

void LatencyChart::setSinceSendShown(bool shown) {
    if (shown == m_sinceSendShown) return;
    m_sinceSendShown = shown;
    redrawAll();
}

void LatencyChart::extendMenu(QMenu& menu) {
    auto* action = menu.addAction(tr("Show p99 since send (N)"));
    action->setCheckable(true);
    action->setChecked(m_sinceSendShown);
    connect(action, &QAction::toggled, this, &LatencyChart::setSinceSendShown);
}

void LatencyChart::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_N && event->modifiers() == Qt::NoModifier) {
        setSinceSendShown(!m_sinceSendShown);
        return;
    }
    LineChart::keyPressEvent(event);
}

void LatencyChart::setP95Shown(bool shown) {
    m_p95Shown = shown;
    update();
}

std::vector<LegendEntry> LatencyChart::legend() const {
    using Shape = LegendEntry::Shape;
    std::vector<LegendEntry> entries = {{tr("p50"), theme().p50, Shape::line}};
    if (m_p95Shown) entries.push_back({tr("p95"), theme().p95, Shape::line});
    entries.push_back({tr("p99"), theme().p99, Shape::line});
    if (showsLoopLag(history())) {
        entries.push_back({tr("loop lag"), theme().errors, Shape::dashed});
    }
    if (m_sinceSendShown) entries.push_back({tr("since send"), theme().p99, Shape::dashed});
    if (history().pinned()) entries.push_back({tr("A"), theme().secondText, Shape::dashed});
    return entries;
}

ValueAxis LatencyChart::wantedAxis() const {
    double least = std::numeric_limits<double>::max(), most = 0;
    const double from = history().visibleRange().from;
    const auto look = [&](const HistoryPoint& p) {
        if (p.seconds < from) return;
        if (hasLoopLag(p)) most = std::max(most, p.loopLag);
        if (!p.latency.present()) return;
        least = std::min(least, p.latency.p50);
        if (m_sinceSendShown && hasSinceSend(p)) least = std::min(least, p.latency.p99SinceSend);
        most = std::max(most, p.latency.p99);
    };
    for (const HistoryPoint& p : history().points()) look(p);
    if (const auto pinned = history().pinned()) {
        for (const HistoryPoint& p : pinned->points) look(p);
    }
    if (most <= 0) return logAxis(10, 1000);
    return logAxis(std::min(least, most), most);
}

std::vector<ReadoutLine> LatencyChart::readout(const HistoryPoint& p) const {
    std::vector<ReadoutLine> lines{{tr("no answers"), QString(), theme().secondText}};
    if (p.latency.present()) {
        const QString basis =
            tr("of %1 in %2 s").arg(p.latency.samples).arg(p.latency.window, 0, 'f', 1);
        lines = {{tr("p99"), latencyText(p.latency.p99), theme().p99},
                 {tr("p95"), latencyText(p.latency.p95), theme().p95},
                 {tr("p50"), latencyText(p.latency.p50), theme().p50},
                 {basis, QString(), Qt::transparent}};
        if (m_sinceSendShown && hasSinceSend(p)) {
            lines.insert(lines.begin() + 3,
                         {tr("p99 since send"), latencyText(p.latency.p99SinceSend), theme().p99});
        }
    }
    if (hasLoopLag(p)) lines.push_back({tr("loop lag"), latencyText(p.loopLag), theme().errors});
    return lines;
}

std::vector<TableColumn> LatencyChart::columns() const {
    return {
        {tr("p50 (ms)"), [](const HistoryPoint& p) { return orEmpty(p, p.latency.p50); }, 3},
        {tr("p95 (ms)"), [](const HistoryPoint& p) { return orEmpty(p, p.latency.p95); }, 3},
        {tr("p99 (ms)"), [](const HistoryPoint& p) { return orEmpty(p, p.latency.p99); }, 3},
        {tr("p99 since send (ms)"),
         [](const HistoryPoint& p) {
             return hasSinceSend(p) ? QVariant(p.latency.p99SinceSend) : QVariant();
         },
         3},
        {tr("samples"), [](const HistoryPoint& p) { return QVariant(double(p.latency.samples)); },
         0},
        {tr("window (s)"), [](const HistoryPoint& p) { return QVariant(p.latency.window); }, 1},
        {tr("loop lag (ms)"),
         [](const HistoryPoint& p) { return hasLoopLag(p) ? QVariant(p.loopLag) : QVariant(); }, 3},
    };
}

QString LatencyChart::explanation() const {
    return tr("Latency from the intended start to the last byte, time-outs included. Percentiles "
              "of "
              "the merged histograms of the last second, or of up to %1 s where there are fewer "
              "than "
              "%2 samples; faint where even those are too few. Loop lag, where workers are event "
              "loops: from when something was due until it ran, the largest of the last second. N "
              "shows "
              "the p99 of a stopwatch that starts only when a request is sent, and so misses the "
              "waiting before.")
        .arg(RunHistory::longestPercentileWindow)
        .arg(RunHistory::enoughSamples);
}

}  // namespace lab::app
