// SPDX-License-Identifier: GPL-3.0-or-later
#include "charts/charts_panel.hpp"

#include <QGridLayout>

#include <algorithm>

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
    connect(history, &RunHistory::changed, this, [this] {
        if (isVisible()) alignHeaders();
    });
    setHint(tr("Run it, and the answers show here"));
}

void ChartsPanel::setTheme(const Theme& theme) {
    for (PlotCard* chart : m_charts) chart->setTheme(theme);
}

void ChartsPanel::setLoopText(const QString& text) { m_charts.front()->setBadge(text); }

void ChartsPanel::setHint(const QString& text) {
    for (PlotCard* chart : m_charts) chart->setHint(text);
}

/// Plots side by side begin at the same height: a legend that needs a second line moves both.
void ChartsPanel::alignHeaders() {
    for (const std::size_t left : {0U, 2U}) {
        const int lines =
            std::max(m_charts[left]->headerLines(), m_charts[left + 1]->headerLines());
        m_charts[left]->setLeastHeaderLines(lines);
        m_charts[left + 1]->setLeastHeaderLines(lines);
    }
}

void ChartsPanel::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    layout()->activate();
    alignHeaders();
}

void ChartsPanel::setCursorTime(std::optional<double> seconds) {
    for (PlotCard* chart : m_charts) chart->setCursorTime(seconds);
}

}  // namespace lab::app
