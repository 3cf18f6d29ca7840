// SPDX-License-Identifier: GPL-3.0-or-later
#include "charts/charts_panel.hpp"

#include <QGridLayout>

#include "charts/line_charts.hpp"
#include "models/run_history.hpp"
#include "widgets/heat_map.hpp"
#include "widgets/stacked_area.hpp"

namespace lab::app {

ChartsPanel::ChartsPanel(RunHistory* history, QWidget* parent) : QWidget(parent) {
    m_charts = {new ThroughputChart(history, this), new LatencyChart(history, this),
                new StackedArea(history, this), new HeatMap(history, this)};
    auto* grid = new QGridLayout(this);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setSpacing(11);
    int cell = 0;
    for (PlotCard* chart : m_charts) {
        grid->addWidget(chart, cell / 2, cell % 2);
        connect(chart, &PlotCard::cursorMoved, this, &ChartsPanel::setCursorTime);
        ++cell;
    }
    for (const int line : {0, 1}) {
        grid->setRowStretch(line, 1);
        grid->setColumnStretch(line, 1);
    }
    setHint(tr("Run it, and the answers show here"));
}

void ChartsPanel::setTheme(const Theme& theme) {
    for (PlotCard* chart : m_charts) chart->setTheme(theme);
}

void ChartsPanel::setLoopText(const QString& text) { m_charts.front()->setBadge(text); }

void ChartsPanel::setHint(const QString& text) {
    for (PlotCard* chart : m_charts) chart->setHint(text);
}

void ChartsPanel::setCursorTime(std::optional<double> seconds) {
    for (PlotCard* chart : m_charts) chart->setCursorTime(seconds);
}

}  // namespace lab::app
