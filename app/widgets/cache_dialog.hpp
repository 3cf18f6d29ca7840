// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QDialog>
#include <QTimer>
#include <vector>

#include "lab/frame.hpp"

class QLabel;
class QTableWidget;

namespace lab::app {

class RunController;

/// What the caches hold: the entries with the most hits, whose data each is, its age and size.
///
/// Asks once a second while it is shown and a run is going on, and never otherwise.
/// Threads: GUI.
class CacheDialog : public QDialog {
    Q_OBJECT
  public:
    static constexpr int askEveryMs = 1000;

    explicit CacheDialog(RunController* run, QWidget* parent = nullptr);
    [[nodiscard]] QTableWidget* table() const { return m_table; }
    [[nodiscard]] QString note() const;

  protected:
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;

  private:
    void ask();
    void showContents(const std::vector<CacheContent>& contents);

    RunController* m_run;
    QTimer m_timer;
    QLabel* m_note;
    QTableWidget* m_table;
};

}  // namespace lab::app
