// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <QWidget>

#include <array>
#include <optional>

#include "widgets/theme.hpp"

namespace lab::app {

class PlotCard;
class RunHistory;

/// The four charts of the bench in a 2 x 2 grid: throughput, latency, where the time goes, every
/// request.
///
/// One time axis and one cursor: pointing at one chart (or left and right when it has the focus)
/// shows the values of that moment on all four. T turns a chart into its table and back. Redraws
/// once for each RunHistory::changed() and only while visible. Threads: GUI.
class ChartsPanel : public QWidget {
    Q_OBJECT

  public:
    /// `history` must outlive the panel.
    explicit ChartsPanel(RunHistory* history, QWidget* parent = nullptr);

    void setTheme(const Theme& theme);
    /// "open loop" or "closed loop", shown beside the throughput's title; empty: nothing.
    void setLoopText(const QString& text);
    /// What an empty panel says, quietly: "Press Run to see the first answers".
    void setHint(const QString& text);
    [[nodiscard]] const std::array<PlotCard*, 4>& charts() const { return m_charts; }

  public Q_SLOTS:
    /// The cursor of all charts; empty: none.
    void setCursorTime(std::optional<double> seconds);

  protected:
    void resizeEvent(QResizeEvent* event) override;

  private:
    void alignHeaders();

    std::array<PlotCard*, 4> m_charts{};
};

}  // namespace lab::app
