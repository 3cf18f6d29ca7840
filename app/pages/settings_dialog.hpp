// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QDialog>
#include <QSortFilterProxyModel>

#include "models/settings_model.hpp"

class QLabel;
class QLineEdit;
class QTableView;

namespace lab::app {

class RunController;

/// Everything that can be set, in one table: found by a word, changed in place, also while a run
/// goes on. What differs from the scenario's first state is bold. Threads: GUI.
class SettingsDialog : public QDialog {
    Q_OBJECT
  public:
    explicit SettingsDialog(RunController* run, QWidget* parent = nullptr);

    [[nodiscard]] SettingsModel* model() const { return m_model; }
    [[nodiscard]] QLineEdit* filter() const { return m_filter; }
    [[nodiscard]] QTableView* table() const { return m_table; }
    [[nodiscard]] QString help() const;

    /// Why the last value was not taken, or empty.
    [[nodiscard]] QString problem() const;

  protected:
    /// Each opening begins with the search.
    void showEvent(QShowEvent* event) override;

  private:
    void connectAll(RunController* run);
    void edit(const QModelIndex& at);
    void showHelp();
    void showProblem(const QString& why);

    SettingsModel* m_model;
    QSortFilterProxyModel* m_found;
    QLineEdit* m_filter;
    QTableView* m_table;
    QLabel* m_help;
    QLabel* m_problem;
};

}  // namespace lab::app
