// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAbstractTableModel>
#include <QStringList>
#include <vector>

#include "lab/settings.hpp"

namespace lab::app {

class RunController;

/// Every setting of the open scenario: its value as it stands, what the chosen server says, its
/// path. A value is edited as `--set` takes it; one that is not allowed is said by the controller
/// and changes nothing. Threads: GUI.
class SettingsModel : public QAbstractTableModel {
    Q_OBJECT
  public:
    enum Column { nameColumn, valueColumn, presetColumn, pathColumn, columns };
    /// `run` must outlive the model.
    explicit SettingsModel(RunController* run, QObject* parent = nullptr);

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation, int role) const override;
    [[nodiscard]] Qt::ItemFlags flags(const QModelIndex& index) const override;
    bool setData(const QModelIndex& index, const QVariant& text, int role) override;

    /// What may be chosen, as `--set` takes it; empty where a value is typed.
    [[nodiscard]] QStringList choices(int row) const;
    /// The same as shown.
    [[nodiscard]] QStringList choiceLabels(int row) const;
    /// What the setting means, what is allowed, and what one would write in Flask.
    [[nodiscard]] QString help(int row) const;
    [[nodiscard]] const ListedSetting& at(int row) const;
    /// Row of a path, or -1.
    [[nodiscard]] int rowOf(const std::string& path) const;

  signals:
    /// A value was changed here, and is allowed.
    void taken();

  private:
    void rebuild();
    void refresh();
    [[nodiscard]] QString presetText(const ListedSetting& setting) const;
    [[nodiscard]] bool differs(const ListedSetting& setting) const;

    RunController* m_run;
    std::vector<ListedSetting> m_rows;
};

}  // namespace lab::app
