// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/chart_table.hpp"

#include <QLocale>

namespace lab::app {

namespace {

QString quoted(const QString& field) {
    QString text = field;
    if (!text.contains(QLatin1Char(',')) && !text.contains(QLatin1Char('"'))) return text;
    text.replace(QLatin1Char('"'), QStringLiteral("\"\""));
    return QLatin1Char('"') + text + QLatin1Char('"');
}

}  // namespace

ChartTable::ChartTable(QObject* parent) : QAbstractTableModel(parent) {}

void ChartTable::setRows(std::vector<TableColumn> columns, const std::deque<HistoryPoint>& points) {
    beginResetModel();
    m_columns = std::move(columns);
    m_cells.clear();
    m_cells.reserve(points.size());
    for (const HistoryPoint& point : points) {
        std::vector<QVariant> row;
        row.reserve(m_columns.size());
        for (const TableColumn& column : m_columns) row.push_back(column.value(point));
        m_cells.push_back(std::move(row));
    }
    endResetModel();
}

int ChartTable::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_cells.size());
}

int ChartTable::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_columns.size());
}

QVariant ChartTable::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    const auto row = static_cast<std::size_t>(index.row());
    const auto column = static_cast<std::size_t>(index.column());
    if (row >= m_cells.size() || column >= m_columns.size()) return {};
    if (role == Qt::TextAlignmentRole) return int(Qt::AlignRight | Qt::AlignVCenter);
    const QVariant& cell = m_cells[row][column];
    if (role == Qt::UserRole) return cell;
    if (role != Qt::DisplayRole) return {};
    if (!cell.isValid()) return QStringLiteral("–");
    return QLocale::c().toString(cell.toDouble(), 'f', m_columns[column].decimals);
}

QVariant ChartTable::headerData(int section, Qt::Orientation orientation, int role) const {
    if (role != Qt::DisplayRole || orientation != Qt::Horizontal) return {};
    const auto column = static_cast<std::size_t>(section);
    return column < m_columns.size() ? QVariant(m_columns[column].header) : QVariant();
}

QString ChartTable::csv() const {
    QString text;
    for (std::size_t i = 0; i < m_columns.size(); ++i) {
        if (i > 0) text += QLatin1Char(',');
        text += quoted(m_columns[i].header);
    }
    text += QStringLiteral("\r\n");
    for (const auto& row : m_cells) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (i > 0) text += QLatin1Char(',');
            if (!row[i].isValid()) continue;
            text += QString::number(row[i].toDouble(), 'f', m_columns[i].decimals);
        }
        text += QStringLiteral("\r\n");
    }
    return text;
}

}  // namespace lab::app
