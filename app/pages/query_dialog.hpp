// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QDialog>

#include "bridge/sql_bridge.hpp"
#include "lab/model.hpp"

class QLabel;
class QPlainTextEdit;
class QPushButton;
class QTableWidget;

namespace lab::app {

class ToggleSwitch;

/// A learner's own SELECT over the scenario's database: the text, with the index or without, and
/// below it the rows, the plan and what it cost.
///
/// Ctrl+Return asks. Everything that comes back is shown as text.
/// Threads: GUI; the asking happens on the bridge's.
class QueryDialog : public QDialog {
    Q_OBJECT
  public:
    explicit QueryDialog(SqlBridge* sql, QWidget* parent = nullptr);

    /// The database that is asked; the index toggle follows it.
    void setDatabase(const Database& database);
    void ask();

    [[nodiscard]] QPlainTextEdit* editor() const { return m_editor; }
    [[nodiscard]] ToggleSwitch* indexToggle() const { return m_index; }
    [[nodiscard]] QPushButton* askButton() const { return m_ask; }
    [[nodiscard]] QTableWidget* table() const { return m_table; }
    /// What it cost, or why there is no answer.
    [[nodiscard]] QString said() const;
    [[nodiscard]] QString plan() const;

  private:
    void addExamples(class QLayout* row);
    void showAnswer(const SqlAnswerPtr& answer);
    void say(const QString& text, const char* tone);
    void setBusy(bool busy);

    SqlBridge* m_sql;
    Database m_database;
    QPlainTextEdit* m_editor;
    ToggleSwitch* m_index;
    QPushButton* m_ask;
    QTableWidget* m_table;
    QLabel* m_plan;
    QLabel* m_said;
};

}  // namespace lab::app
