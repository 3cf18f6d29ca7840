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
    LineChart(const QString& title, const QString& unit, RunHistory* history, QWidget* parent);
    void paintData(QPainter& painter, const PlotArea& area) override;
    void paintBehind(QPainter& painter, const PlotArea& area) override;

    /// One line: its values by point, its pen, where it is faint or not drawn at all, and its
    /// ghost.
    struct Line {
        QColor colour;
        double width = 2;
        bool dashed = false;
        double (*value)(const HistoryPoint&) = nullptr;
        bool (*present)(const HistoryPoint&) = nullptr;              ///< null: always
        bool (*faint)(const HistoryPoint&) = nullptr;                ///< null: never
        std::optional<double> (*level)(const PinnedRun&) = nullptr;  ///< drawn on where A has ended
        bool ghost = false;                                          ///< its twin of run A is drawn
    };
    [[nodiscard]] virtual std::vector<Line> lines() const = 0;

  private:
    void addStretches(const Line& line, const PlotArea& area);
    static void paintLevel(QPainter& painter, const PlotArea& area, const Line& line,
                           const PinnedRun& pinned);

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
    [[nodiscard]] QString explanation() const override;
};

/// p50, p95 and p99 on a logarithmic axis, with ghost A. N, or the menu, adds the p99 that a
/// stopwatch shows which starts at the sending: what a naive tool would say of the same run.
class LatencyChart : public LineChart {
    Q_OBJECT

  public:
    explicit LatencyChart(RunHistory* history, QWidget* parent = nullptr);
    /// Two lines read better on a projector. Set before the first frame.
    void setP95Shown(bool shown);
    void setSinceSendShown(bool shown);
    [[nodiscard]] bool isSinceSendShown() const { return m_sinceSendShown; }

  protected:
    [[nodiscard]] std::vector<Line> lines() const override;
    [[nodiscard]] std::vector<LegendEntry> legend() const override;
    [[nodiscard]] ValueAxis wantedAxis() const override;
    [[nodiscard]] std::vector<ReadoutLine> readout(const HistoryPoint& point) const override;
    [[nodiscard]] std::vector<TableColumn> columns() const override;
    [[nodiscard]] QString explanation() const override;
    void extendMenu(QMenu& menu) override;
    void keyPressEvent(QKeyEvent* event) override;

  private:
    bool m_p95Shown = true;
    bool m_sinceSendShown = false;
};

}  // namespace lab::app
