// SPDX-License-Identifier: GPL-3.0-or-later
// The two charts whose lines QtCharts draws. No QtCharts type shows here.
#pragma once

#include <memory>
#include <vector>

#include "widgets/plot_card.hpp"

namespace lab::app {

class LineLayer;

/// A chart of lines over time. Fit for the bench and, with setScale() and setFramed(false), for
/// Present. Threads: GUI.
class LineChart : public PlotCard {
    Q_OBJECT

  public:
    ~LineChart() override;

  protected:
    LineChart(RunHistory* history, QWidget* parent);
    void paintData(QPainter& painter, const PlotArea& area) override;
    void paintBehind(QPainter& painter, const PlotArea& area) override;

    /// One line: its values by point, its pen, and whether a stretch is drawn faint or not at all.
    struct Line {
        QString name;
        QColor colour;
        double width = 2;
        bool dashed = false;
        double (*value)(const HistoryPoint&) = nullptr;
        bool (*present)(const HistoryPoint&) = nullptr;  ///< null: always
        bool (*faint)(const HistoryPoint&) = nullptr;    ///< null: never
        bool ghost = false;                              ///< its twin of run A is drawn
    };
    [[nodiscard]] virtual std::vector<Line> lines() const = 0;

  private:
    std::unique_ptr<LineLayer> m_layer;
};

/// Offered (dashed), completed and errors, per second.
class ThroughputChart : public LineChart {
    Q_OBJECT

  public:
    explicit ThroughputChart(RunHistory* history, QWidget* parent = nullptr);

  protected:
    [[nodiscard]] std::vector<Line> lines() const override;
    [[nodiscard]] std::vector<LegendEntry> legend() const override;
    [[nodiscard]] ValueAxis wantedAxis() const override;
    [[nodiscard]] std::vector<ReadoutLine> readout(const HistoryPoint& point) const override;
    [[nodiscard]] std::vector<TableColumn> columns() const override;
};

/// p50, p95 and p99 on a logarithmic axis, with ghost A.
class LatencyChart : public LineChart {
    Q_OBJECT

  public:
    explicit LatencyChart(RunHistory* history, QWidget* parent = nullptr);

  protected:
    [[nodiscard]] std::vector<Line> lines() const override;
    [[nodiscard]] std::vector<LegendEntry> legend() const override;
    [[nodiscard]] ValueAxis wantedAxis() const override;
    [[nodiscard]] std::vector<ReadoutLine> readout(const HistoryPoint& point) const override;
    [[nodiscard]] std::vector<TableColumn> columns() const override;
};

}  // namespace lab::app
