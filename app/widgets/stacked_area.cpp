// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/stacked_area.hpp"

#include <QPainter>
#include <QPainterPath>

#include <algorithm>
#include <cmath>

#include "widgets/figures_row.hpp"

namespace lab::app {

namespace {

enum Group { cpu, io, db, other, queue };

Group groupOf(Part part) {
    switch (part) {
        case Part::retry:
        case Part::queue:
        case Part::loop_wait:
        case Part::token_wait:
            return queue;
        case Part::io_wait:
            return io;
        case Part::parse:
        case Part::cpu:
        case Part::cache:
        case Part::render:
            return cpu;
        case Part::pool_wait:
        case Part::write_wait:
        case Part::database:
            return db;
        default:
            return other;
    }
}

}  // namespace

StackedArea::StackedArea(RunHistory* history, QWidget* parent)
    : PlotCard(tr("Where the time goes"), tr("ms"), history, parent) {}

std::array<double, StackedArea::groups> StackedArea::grouped(const HistoryPoint& point) {
    std::array<double, groups> sums{};
    for (std::size_t i = 0; i < part_count; ++i) {
        sums[groupOf(static_cast<Part>(i))] += static_cast<double>(point.partsMs[i]);
    }
    return sums;
}

std::array<QColor, StackedArea::groups> StackedArea::colours() const {
    const auto mixed = [this](const QColor& ink, float share) {
        const QColor paper = theme().panel;
        const auto mix = [share](float a, float b) { return a + (b - a) * share; };
        return QColor::fromRgbF(mix(paper.redF(), ink.redF()), mix(paper.greenF(), ink.greenF()),
                                mix(paper.blueF(), ink.blueF()));
    };
    constexpr float soft = 0.9f, faint = 0.5f;
    return {mixed(theme().computing, soft), mixed(theme().ioFill, soft),
            mixed(theme().database, soft), mixed(theme().secondText, faint),
            mixed(theme().queueFill, soft)};
}

/// Which groups have been 1 % or more of the latency at some visible moment; the usual ones before
/// a run.
std::array<bool, StackedArea::groups> StackedArea::groupsSeen() const {
    std::array<bool, groups> seen{};
    bool any = false;
    const double from = history().visibleRange().from;
    for (const HistoryPoint& p : history().points()) {
        if (p.seconds < from || !p.partsKnown) continue;
        const auto sums = grouped(p);
        double total = 0;
        for (const double ms : sums) total += ms;
        constexpr double visible = 0.01;
        for (std::size_t g = 0; g < groups; ++g) seen[g] = seen[g] || sums[g] > visible * total;
        any = true;
    }
    if (!any) seen = {true, true, true, false, true};  // those that nearly every run has
    return seen;
}

std::vector<LegendEntry> StackedArea::legend() const {
    using Shape = LegendEntry::Shape;
    const auto colour = colours();
    const std::array<bool, groups> seen = groupsSeen();
    const std::pair<Group, QString> names[] = {{queue, tr("queue")},
                                               {io, tr("I/O")},
                                               {cpu, tr("CPU")},
                                               {db, tr("DB")},
                                               {other, tr("other")}};
    std::vector<LegendEntry> entries;
    for (const auto& [group, name] : names) {
        if (seen[group]) entries.push_back({name, colour[group], Shape::block});
    }
    return entries;
}

ValueAxis StackedArea::wantedAxis() const {
    double most = 0;
    const double from = history().visibleRange().from;
    for (const HistoryPoint& p : history().points()) {
        if (p.seconds < from || !p.partsKnown) continue;
        const auto sums = grouped(p);
        double total = 0;
        for (const double ms : sums) total += ms;
        most = std::max(most, total);
    }
    constexpr double least = 0.1;  // ms
    return linearAxis(most > 0 ? most : 100, least);
}

std::vector<ReadoutLine> StackedArea::readout(const HistoryPoint& p) const {
    if (!p.partsKnown) return {{tr("no answers"), QString(), theme().secondText}};
    const auto sums = grouped(p);
    const auto colour = colours();
    const std::pair<Group, QString> rows[] = {{queue, tr("queue")},
                                              {other, tr("other")},
                                              {db, tr("DB")},
                                              {io, tr("I/O")},
                                              {cpu, tr("CPU")}};
    std::vector<ReadoutLine> lines;
    for (const auto& [group, name] : rows) {
        const auto [value, unit] = showMilliseconds(sums[group]);
        lines.push_back({name, value + QLatin1Char(' ') + unit, colour[group]});
    }
    return lines;
}

std::vector<TableColumn> StackedArea::columns() const {
    std::vector<TableColumn> all;
    for (std::size_t i = 0; i < part_count; ++i) {
        const auto label = part_label(static_cast<Part>(i));
        all.push_back({tr("%1 (ms)").arg(QString::fromUtf8(label.data(), qsizetype(label.size()))),
                       [i](const HistoryPoint& p) {
                           return p.partsKnown ? QVariant(double(p.partsMs[i])) : QVariant();
                       },
                       3});
    }
    return all;
}

QString StackedArea::explanation() const {
    return tr("Mean parts of the latency of the requests answered in the last %1 s; they add up to "
              "it. "
              "Queue: waiting for a free connection or a worker. DB: waiting for a connection, and "
              "the "
              "query. The table tells all fourteen parts.")
        .arg(RunHistory::smoothing);
}

void StackedArea::paintData(QPainter& painter, const PlotArea& area) {
    const auto& points = history().points();
    std::size_t first = 0;
    while (first + 1 < points.size() && points[first + 1].seconds < area.time.from) ++first;
    while (first < points.size()) {
        if (!points[first].partsKnown) {
            ++first;
            continue;
        }
        std::size_t last = first;
        while (last + 1 < points.size() && points[last + 1].partsKnown) ++last;
        if (last > first) paintStretch(painter, area, first, last);
        first = last + 1;
    }
}

/// A stretch without a gap. At most two points a pixel are looked at: more cannot be seen.
void StackedArea::paintStretch(QPainter& painter, const PlotArea& area, std::size_t first,
                               std::size_t last) {
    const auto& points = history().points();
    const double perPixel =
        static_cast<double>(last - first + 1) / std::max(1.0, area.rect.width());
    const std::size_t stride = std::max<std::size_t>(1, static_cast<std::size_t>(perPixel / 2));
    std::array<QList<QPointF>, groups + 1> edges;
    for (std::size_t i = first; i <= last;
         i = (i == last) ? last + 1 : std::min(i + stride, last)) {
        const double x = area.x(points[i].seconds);
        const auto sums = grouped(points[i]);
        double total = 0;
        edges[0].push_back({x, area.rect.bottom()});
        for (std::size_t g = 0; g < groups; ++g) {
            total += sums[g];
            edges[g + 1].push_back({x, area.y(total)});
        }
    }
    // Filled without smoothing and in plain colours, which is cheap; a smooth edge hides the steps.
    const auto colour = colours();
    painter.setRenderHint(QPainter::Antialiasing, false);
    for (std::size_t g = 0; g < groups; ++g) {
        QList<QLineF> lines;
        for (qsizetype i = 1; i < edges[g + 1].size(); ++i) {
            constexpr double visible = 0.75;  // pixels
            if (edges[g][i].y() - edges[g + 1][i].y() < visible) continue;
            lines.push_back(QLineF(edges[g + 1][i - 1], edges[g + 1][i]));
        }
        if (lines.isEmpty()) continue;
        QPolygonF shape(edges[g + 1]);
        for (auto it = edges[g].crbegin(); it != edges[g].crend(); ++it) shape << *it;
        painter.setPen(Qt::NoPen);
        painter.setBrush(colour[g]);
        painter.drawPolygon(shape);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(QPen(theme().dark ? colour[g].lighter(110) : colour[g].darker(106), 1));
        painter.drawLines(lines);
        painter.setRenderHint(QPainter::Antialiasing, false);
    }
}

}  // namespace lab::app
