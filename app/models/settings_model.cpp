// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/settings_model.hpp"

#include <QFont>
#include <algorithm>

#include "lab/presets.hpp"
#include "models/plain_text.hpp"
#include "models/run_controller.hpp"

namespace lab::app {

namespace {

constexpr std::size_t longest = 200;  // characters of a cell

QString utf8(std::string_view text) {
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

QString shown(const ListedSetting& setting, const Model& model) {
    const auto value = get_setting(model, setting.path);
    return value ? plainText(show_value(*setting.info, *value), longest) : QString();
}

QString written(const ListedSetting& setting, const Model& model) {
    const auto value = get_setting(model, setting.path);
    return value ? plainText(write_value(*value), longest) : QString();
}

}  // namespace

SettingsModel::SettingsModel(RunController* run, QObject* parent)
    : QAbstractTableModel(parent), m_run(run) {
    connect(run, &RunController::scenarioChanged, this, &SettingsModel::rebuild);
    connect(run, &RunController::modelChanged, this, &SettingsModel::refresh);
    connect(run, &RunController::stateChanged, this, &SettingsModel::refresh);
    rebuild();
}

void SettingsModel::rebuild() {
    beginResetModel();
    m_rows.clear();
    if (m_run->scenario() != nullptr) m_rows = listed_settings(m_run->model());
    endResetModel();
}

void SettingsModel::refresh() {
    if (m_rows.empty()) return;
    // A balancer brings settings of its backends.
    const auto now = listed_settings(m_run->model());
    if (!std::ranges::equal(now, m_rows, {}, &ListedSetting::path, &ListedSetting::path)) {
        rebuild();
        return;
    }
    emit dataChanged(index(0, 0), index(rowCount() - 1, columns - 1));
}

int SettingsModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int SettingsModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : columns;
}

const ListedSetting& SettingsModel::at(int row) const {
    return m_rows.at(static_cast<std::size_t>(row));
}

int SettingsModel::rowOf(const std::string& path) const {
    const auto found =
        std::ranges::find_if(m_rows, [&](const ListedSetting& s) { return s.path == path; });
    return found == m_rows.end() ? -1 : static_cast<int>(found - m_rows.begin());
}

QString SettingsModel::presetText(const ListedSetting& setting) const {
    const Preset* const preset = find_preset(m_run->model().system.server.preset);
    if (preset == nullptr) return {};
    const auto field = std::ranges::find_if(
        preset->fields, [&](const PresetField& f) { return f.path == setting.path; });
    if (field == preset->fields.end()) return {};
    Model stated = m_run->model();
    if (!set_setting_text(stated, setting.path, field->value)) return utf8(field->value);
    return shown(setting, stated);
}

bool SettingsModel::differs(const ListedSetting& setting) const {
    const auto now = get_setting(m_run->model(), setting.path);
    const auto first = get_setting(m_run->scenario()->model, setting.path);
    return now && first && *now != *first;
}

QVariant SettingsModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    const ListedSetting& setting = at(index.row());
    if (role == Qt::ToolTipRole) return toolTipText(help(index.row()));
    if (role == Qt::FontRole && index.column() == valueColumn && differs(setting)) {
        QFont bold;
        bold.setBold(true);
        return bold;
    }
    if (role == Qt::EditRole && index.column() == valueColumn)
        return written(setting, m_run->model());
    if (role != Qt::DisplayRole) return {};
    switch (index.column()) {
        case nameColumn:
            return plainText(setting.label, longest);
        case valueColumn:
            return shown(setting, m_run->model());
        case presetColumn:
            return presetText(setting);
        default:
            return plainText(setting.path, longest);
    }
}

QVariant SettingsModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (role != Qt::DisplayRole || orientation != Qt::Horizontal) return {};
    const QString titles[columns] = {tr("Setting"), tr("Value"), tr("As shipped"),
                                     tr("In a file or after --set")};
    return titles[std::clamp(section, 0, columns - 1)];
}

Qt::ItemFlags SettingsModel::flags(const QModelIndex& index) const {
    Qt::ItemFlags flags = QAbstractTableModel::flags(index);
    const bool held = m_run->mode() == RunController::Mode::variants;
    if (index.column() == valueColumn && !held) flags |= Qt::ItemIsEditable;
    return flags;
}

bool SettingsModel::setData(const QModelIndex& index, const QVariant& text, int role) {
    if (!index.isValid() || role != Qt::EditRole || index.column() != valueColumn) return false;
    const std::string path = at(index.row()).path;
    const std::string given = text.toString().trimmed().toStdString();
    if (given == written(at(index.row()), m_run->model()).toStdString()) return true;
    const Model before = m_run->model();
    m_run->set(path, given);
    const bool done = m_run->model() != before;
    if (done) emit taken();
    return done;
}

QStringList SettingsModel::choices(int row) const {
    const SettingInfo& info = *at(row).info;
    if (info.kind == ValueKind::flag) return {QStringLiteral("true"), QStringLiteral("false")};
    QStringList list;
    for (const std::string_view choice : info.choices) list << utf8(choice);
    return list;
}

QStringList SettingsModel::choiceLabels(int row) const {
    const SettingInfo& info = *at(row).info;
    if (info.kind == ValueKind::flag) return {tr("on"), tr("off")};
    if (info.choice_labels.size() != info.choices.size()) return choices(row);
    QStringList list;
    for (const std::string_view label : info.choice_labels) list << utf8(label);
    return list;
}

QString SettingsModel::help(int row) const {
    const ListedSetting& setting = at(row);
    QString text = utf8(setting.info->meaning);
    text += QLatin1Char('\n') +
            tr("Allowed: %1.").arg(QString::fromStdString(allowed_values(*setting.info)));
    if (!setting.info->flask.empty()) {
        QString line = utf8(setting.info->flask);
        line.replace(QStringLiteral("{}"), written(setting, m_run->model()));
        text += QLatin1Char('\n') + tr("In Flask you would write: %1").arg(line);
    }
    return text;
}

}  // namespace lab::app
