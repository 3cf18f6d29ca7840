// SPDX-License-Identifier: GPL-3.0-or-later
// Pieces of PlotCard that only its two source files need.
#pragma once

#include <QIcon>
#include <QPixmap>

#include "widgets/plot_card.hpp"

namespace lab::app {

/// The layer under the data: panel, title, legend, grid, labels, ghost. Drawn again only when one
/// of these differs.
struct PlotCard::Ground {
    QPixmap picture;
    RunHistory::TimeRange time;
    ValueAxis axis;
    std::vector<LegendEntry> legend;
    bool valid = false;
};

/// Where title, unit, badge and legend fit. The legend takes a second line where it must.
struct PlotCard::Header {
    std::vector<LegendEntry> legend;
    double legendWidth = 0;
    bool unitShown = true, badgeShown = true;
    bool twoLines = false;
    int lines = 1;
    double height = 0;
};

/// A small grid, for the button that shows the table.
[[nodiscard]] QIcon tableIcon(const QColor& colour);

}  // namespace lab::app
