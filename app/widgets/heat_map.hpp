// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "widgets/plot_card.hpp"

namespace lab::app {

/// "Every request": how many had which latency when, darker is more. Log axis, cells of 3 px at
/// least. Threads: GUI.
class HeatMap : public PlotCard {
    Q_OBJECT

  public:
    explicit HeatMap(RunHistory* history, QWidget* parent = nullptr);

  protected:
    [[nodiscard]] std::vector<LegendEntry> legend() const override;
    [[nodiscard]] ValueAxis wantedAxis() const override;
    [[nodiscard]] std::vector<ReadoutLine> readout(const HistoryPoint& point) const override;
    [[nodiscard]] std::vector<TableColumn> columns() const override;
    [[nodiscard]] QString explanation() const override;
    void paintData(QPainter& painter, const PlotArea& area) override;
};

}  // namespace lab::app
