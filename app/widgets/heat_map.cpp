// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/heat_map.hpp"

#include <QPainter>

#include <algorithm>
#include <array>
#include <cmath>

#include "widgets/figures_row.hpp"

namespace lab::app {

namespace {

constexpr double leastCell = 3;  // pixels: smaller ones read as noise

QString edgeText(int row) {
    const auto [value, unit] = showMilliseconds(heatRowEdge(row));
    return value + QLatin1Char(' ') + unit;
}

struct Extremes {
    int lowest = heatRows, highest = -1, fullest = 0;
    std::uint64_t samples = 0;
};

Extremes extremesOf(const HistoryPoint& p) {
    Extremes e;
    for (int row = 0; row < heatRows; ++row) {
        const std::uint16_t count = p.heat[static_cast<std::size_t>(row)];
        if (count == 0) continue;
        if (e.samples == 0) e.lowest = row;
        e.highest = row;
        e.samples += count;
        if (count > p.heat[static_cast<std::size_t>(e.fullest)]) e.fullest = row;
    }
    return e;
}

}  // namespace

HeatMap::HeatMap(RunHistory* history, QWidget* parent)
    : PlotCard(tr("Every request"), tr("darker = more requests"), history, parent) {}

std::vector<LegendEntry> HeatMap::legend() const { return {}; }

ValueAxis HeatMap::wantedAxis() const {
    int lowest = heatRows, highest = -1;
    const double from = history().visibleRange().from;
    for (const HistoryPoint& p : history().points()) {
        if (p.seconds < from) continue;
        for (int row = 0; row < lowest; ++row) {
            if (p.heat[static_cast<std::size_t>(row)] > 0) lowest = row;
        }
        for (int row = heatRows - 1; row > highest; --row) {
            if (p.heat[static_cast<std::size_t>(row)] > 0) highest = row;
        }
    }
    if (highest < 0) return logAxis(10, 1000);
    return logAxis(heatRowEdge(lowest) * 1.001, heatRowEdge(highest + 1) * 0.999);
}

std::vector<ReadoutLine> HeatMap::readout(const HistoryPoint& p) const {
    const Extremes e = extremesOf(p);
    if (e.samples == 0) return {{tr("no answers"), QString(), theme().secondText}};
    return {{tr("requests"), QString::number(e.samples), theme().completed},
            {tr("slowest"), edgeText(e.highest + 1), theme().worse},
            {tr("most about"), edgeText(e.fullest), theme().completed},
            {tr("fastest"), edgeText(e.lowest), theme().better}};
}

std::vector<TableColumn> HeatMap::columns() const {
    std::vector<TableColumn> all = {
        {tr("requests"),
         [](const HistoryPoint& p) { return QVariant(double(extremesOf(p).samples)); }, 0}};
    // A column a decade keeps the table readable; each counts the requests of that decade.
    for (int row = 0; row < heatRows; row += heatRowsPerDecade) {
        all.push_back({tr("%1 – %2").arg(edgeText(row), edgeText(row + heatRowsPerDecade)),
                       [row](const HistoryPoint& p) {
                           std::uint64_t sum = 0;
                           for (int r = row; r < row + heatRowsPerDecade; ++r) {
                               sum += p.heat[static_cast<std::size_t>(r)];
                           }
                           return QVariant(double(sum));
                       },
                       0});
    }
    return all;
}

QString HeatMap::explanation() const {
    return tr(
        "Each cell counts the requests that ended at that moment with that latency; "
        "darker is more, on a logarithmic scale. Time-outs are counted where the client gave up.");
}

namespace {

/// Sums of the heat columns over equal stretches of time, in cells of at least `leastCell` pixels.
struct Cells {
    double width = 0.1;  // seconds of a column
    int rows = 1;        // heat rows of a cell
    std::int64_t firstColumn = 0;
    std::vector<std::array<std::uint32_t, heatRows>> columns;
    std::uint32_t most = 0;

    Cells(const PlotArea& area, const std::deque<HistoryPoint>& points) {
        const double perPixel = (area.time.to - area.time.from) / area.rect.width();
        for (const double wanted : {0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0}) {
            width = wanted;
            if (wanted / perPixel >= leastCell * area.scale) break;
        }
        const double rowHeight =
            area.rect.height() / (std::log10(area.axis.most / area.axis.least) * heatRowsPerDecade);
        while (rows < heatRowsPerDecade / 2 && rows * rowHeight < leastCell * area.scale) {
            rows = rows == 1 ? 2 : (rows == 2 ? 4 : (rows == 4 ? 5 : 10));
        }
        firstColumn = static_cast<std::int64_t>(std::floor(area.time.from / width));
        const auto last = static_cast<std::int64_t>(std::floor(area.time.to / width));
        columns.resize(static_cast<std::size_t>(last - firstColumn + 1));
        for (const HistoryPoint& p : points) add(p);
    }

    void add(const HistoryPoint& p) {
        const double middle = p.seconds - p.length / 2;
        const auto column = static_cast<std::int64_t>(std::floor(middle / width)) - firstColumn;
        if (column < 0 || column >= static_cast<std::int64_t>(columns.size())) return;
        auto& cells = columns[static_cast<std::size_t>(column)];
        for (std::size_t row = 0; row < heatRows; ++row) {
            if (p.heat[row] == 0) continue;
            auto& cell = cells[row / static_cast<std::size_t>(rows)];
            cell += p.heat[row];
            most = std::max(most, cell);
        }
    }
};

}  // namespace

void HeatMap::paintData(QPainter& painter, const PlotArea& area) {
    const Cells cells(area, history().points());
    if (cells.most == 0) return;
    const double top = std::log1p(static_cast<double>(cells.most));
    constexpr int shades = 64;
    std::array<QColor, shades> palette;
    const QColor paper = theme().panel, ink = theme().computing;
    for (int i = 0; i < shades; ++i) {
        const float share = 0.20f + 0.80f * static_cast<float>(i) / (shades - 1);
        const auto mix = [share](float a, float b) { return a + (b - a) * share; };
        palette[static_cast<std::size_t>(i)] =
            QColor::fromRgbF(mix(paper.redF(), ink.redF()), mix(paper.greenF(), ink.greenF()),
                             mix(paper.blueF(), ink.blueF()));
    }
    for (std::size_t c = 0; c < cells.columns.size(); ++c) {
        const double from = (static_cast<double>(cells.firstColumn) + double(c)) * cells.width;
        const int left = int(std::round(area.x(from)));
        const int right = int(std::round(area.x(from + cells.width)));
        for (int row = 0; row * cells.rows < heatRows; ++row) {
            const std::uint32_t count = cells.columns[c][static_cast<std::size_t>(row)];
            if (count == 0) continue;
            const double lower = area.axis.share(heatRowEdge(row * cells.rows));
            const double upper = area.axis.share(heatRowEdge((row + 1) * cells.rows));
            const int y0 = int(std::round(area.rect.bottom() - upper * area.rect.height()));
            const int y1 = int(std::round(area.rect.bottom() - lower * area.rect.height()));
            const double share = std::log1p(static_cast<double>(count)) / top;
            const auto shade = static_cast<std::size_t>(share * (shades - 1));
            painter.fillRect(left, y0, right - left, y1 - y0, palette[shade]);
        }
    }
}

}  // namespace lab::app
