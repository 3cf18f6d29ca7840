// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAbstractTableModel>

#include <deque>
#include <vector>

#include "widgets/plot_card.hpp"

namespace lab::app {

/// The values behind a chart as a table: one row a frame, the first column the time.
///
/// A copy of the points it was given, so that a table can be read while the run goes on.
/// Threads: GUI.
class ChartTable : public QAbstractTableModel {
    Q_OBJECT

  public:
    explicit ChartTable(QObject* parent = nullptr);

    void setRows(std::vector<TableColumn> columns, const std::deque<HistoryPoint>& points);
    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation,
                                      int role) const override;
    /// RFC 4180: CRLF, quotes where needed, decimal point; an empty field where there are no
    /// samples.
    [[nodiscard]] QString csv() const;

  private:
    std::vector<TableColumn> m_columns;
    std::vector<std::vector<QVariant>> m_cells;
};

}  // namespace lab::app
