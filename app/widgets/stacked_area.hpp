// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPolygonF>

#include <array>
#include <vector>

#include "widgets/plot_card.hpp"

namespace lab::app {

/// "Where the time goes": mean parts of a request's latency, stacked, in five groups.
///
/// queue: client wait, queue. I/O: I/O wait. CPU: parse, cpu, cache, render. DB: pool wait,
/// database. other: schedule slip, connect, lock wait, write, unexplained. The table tells all
/// fourteen. Threads: GUI.
class StackedArea : public PlotCard {
    Q_OBJECT

  public:
    static constexpr int groups = 5;

    explicit StackedArea(RunHistory* history, QWidget* parent = nullptr);
    /// Milliseconds by group, from the bottom up: CPU, I/O, DB, other, queue.
    [[nodiscard]] static std::array<double, groups> grouped(const HistoryPoint& point);

  protected:
    [[nodiscard]] std::vector<LegendEntry> legend() const override;
    [[nodiscard]] ValueAxis wantedAxis() const override;
    [[nodiscard]] std::vector<ReadoutLine> readout(const HistoryPoint& point) const override;
    [[nodiscard]] std::vector<TableColumn> columns() const override;
    [[nodiscard]] QString explanation() const override;
    void paintData(QPainter& painter, const PlotArea& area) override;

  private:
    [[nodiscard]] std::array<QColor, groups> colours() const;
    [[nodiscard]] std::array<bool, groups> groupsSeen() const;
    void paintStretch(QPainter& painter, const PlotArea& area, std::size_t first, std::size_t last);
};

}  // namespace lab::app
