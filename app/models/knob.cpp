// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/knob.hpp"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>

#include "lab/presets.hpp"
#include "models/plain_text.hpp"

namespace lab::app {

namespace {

constexpr int mostPositions = 400;

Duration durationOf(double ns) { return Duration{std::llround(ns)}; }

/// A number in base units, where the value has one; a distribution by its first parameter.
std::optional<double> baseNumber(const SettingValue& value) {
    if (const auto* n = std::get_if<std::int64_t>(&value)) return static_cast<double>(*n);
    if (const auto* d = std::get_if<double>(&value)) return *d;
    if (const auto* t = std::get_if<Duration>(&value)) return static_cast<double>(t->count());
    if (const auto* r = std::get_if<ArrivalRate>(&value)) return r->per_second();
    if (const auto* b = std::get_if<Bytes>(&value)) return static_cast<double>(b->count);
    if (const auto* d = std::get_if<Distribution>(&value)) {
        return static_cast<double>(d->a.count());
    }
    return std::nullopt;
}

/// The same kind of value with another number. A distribution keeps its law and its spread.
SettingValue withNumber(const SettingValue& like, double number) {
    if (std::holds_alternative<std::int64_t>(like)) {
        return static_cast<std::int64_t>(std::llround(number));
    }
    if (std::holds_alternative<Duration>(like)) return durationOf(number);
    if (std::holds_alternative<ArrivalRate>(like)) return ArrivalRate::per_second(number);
    if (std::holds_alternative<Bytes>(like)) return Bytes{std::llround(number)};
    if (const auto* d = std::get_if<Distribution>(&like)) {
        Distribution moved = *d;
        const double before = static_cast<double>(d->a.count());
        moved.a = durationOf(number);
        if (d->b.count() > 0) {
            const double factor = before > 0 ? number / before : 1;
            moved.b = durationOf(static_cast<double>(d->b.count()) * factor);
        }
        return moved;
    }
    return number;
}

bool isNumeric(ValueKind kind) {
    return kind == ValueKind::count || kind == ValueKind::number || kind == ValueKind::duration ||
           kind == ValueKind::rate || kind == ValueKind::bytes || kind == ValueKind::distribution;
}

QString tr(const char* text) { return QCoreApplication::translate("KnobModel", text); }

}  // namespace

std::optional<KnobModel> KnobModel::make(const Knob& knob, const Model& model) {
    const SettingInfo* info = find_setting(model.system, knob.path);
    if (info == nullptr || !get_setting(model, knob.path)) return std::nullopt;
    if (info->kind == ValueKind::flag) return KnobModel(knob, info, Shape::toggle);
    if (info->kind == ValueKind::choice) {
        Knob filled = knob;
        if (filled.values.empty()) {
            filled.values.assign(info->choices.begin(), info->choices.end());
        }
        const bool every = filled.values.size() == info->choices.size();
        const bool isKey = info->path == "route.*.cache.key";
        const Shape shape = every && isKey ? Shape::keyRule : Shape::choices;
        return KnobModel(std::move(filled), info, shape);
    }
    if (!isNumeric(info->kind) || knob.most <= knob.least) return std::nullopt;
    return KnobModel(knob, info, Shape::slider);
}

QString KnobModel::label() const {
    if (!m_knob.label.empty()) return plainText(m_knob.label, 60);
    return QString::fromUtf8(m_info->label.data(), static_cast<qsizetype>(m_info->label.size()));
}

QString KnobModel::group() const { return plainText(m_knob.group, 40); }

QString KnobModel::help() const {
    if (!m_knob.help.empty()) return plainText(m_knob.help, 400);
    return QString::fromUtf8(m_info->meaning.data(),
                             static_cast<qsizetype>(m_info->meaning.size()));
}

QString KnobModel::flask(const Model& model) const {
    // A server chosen from the list has a command of its own.
    const bool ofServer = m_knob.path.starts_with("server.");
    if (ofServer && find_preset(model.system.server.preset) != nullptr) return {};
    QString line = plainText(m_knob.flask, 300);
    if (line.isEmpty()) {
        line =
            QString::fromUtf8(m_info->flask.data(), static_cast<qsizetype>(m_info->flask.size()));
    }
    const auto value = get_setting(model, m_knob.path);
    if (value) line.replace(QStringLiteral("{}"), plainText(write_value(*value), 60));
    return line;
}

QString KnobModel::valueText(const Model& model) const {
    const auto value = get_setting(model, m_knob.path);
    return value ? plainText(show_value(*m_info, *value), 60) : QString();
}

QString KnobModel::ruleText(const Model& model) const {
    const auto value = get_setting(model, m_knob.path);
    return value ? QString::fromStdString(write_value(*value)) : QString();
}

int KnobModel::positions() const {
    if (m_shape == Shape::toggle) return 2;
    if (isChosen()) return static_cast<int>(m_knob.values.size());
    double places = 100;
    if (m_knob.multiply && m_knob.step > 1 && m_knob.least > 0) {
        places = std::ceil(std::log(m_knob.most / m_knob.least) / std::log(m_knob.step) - 1e-9);
    } else if (!m_knob.multiply && m_knob.step > 0) {
        places = std::ceil((m_knob.most - m_knob.least) / m_knob.step - 1e-9);
    }
    return static_cast<int>(std::clamp(places, 1.0, double{mostPositions})) + 1;
}

double KnobModel::numberAt(int position) const {
    const int last = positions() - 1;
    if (position <= 0) return m_knob.least;
    if (position >= last) return m_knob.most;
    if (m_knob.multiply && m_knob.step > 1 && m_knob.least > 0) {
        return m_knob.least * std::pow(m_knob.step, position);
    }
    const double step = last == mostPositions || m_knob.step <= 0 || m_knob.multiply
                            ? (m_knob.most - m_knob.least) / last
                            : m_knob.step;
    return m_knob.least + step * position;
}

int KnobModel::position(const Model& model) const {
    const auto value = get_setting(model, m_knob.path);
    if (!value) return -1;
    if (m_shape == Shape::toggle) return isOn(model) ? 1 : 0;
    if (isChosen()) {
        const auto found =
            std::find(m_knob.values.begin(), m_knob.values.end(), write_value(*value));
        return found == m_knob.values.end() ? -1 : static_cast<int>(found - m_knob.values.begin());
    }
    const double number = baseNumber(*value).value_or(m_knob.least);
    int nearest = 0;
    for (int i = 1; i < positions(); ++i) {
        const bool nearer =
            m_knob.multiply && number > 0
                ? std::abs(std::log(numberAt(i) / number)) <
                      std::abs(std::log(std::max(numberAt(nearest), 1e-12) / number))
                : std::abs(numberAt(i) - number) < std::abs(numberAt(nearest) - number);
        if (nearer) nearest = i;
    }
    return nearest;
}

std::string KnobModel::textAt(int position, const Model& model) const {
    if (m_shape == Shape::toggle) return position > 0 ? "true" : "false";
    if (isChosen()) {
        const int last = static_cast<int>(m_knob.values.size()) - 1;
        return m_knob.values[static_cast<std::size_t>(std::clamp(position, 0, last))];
    }
    const auto value = get_setting(model, m_knob.path);
    if (!value) return {};
    return write_value(withNumber(*value, numberAt(position)));
}

QStringList KnobModel::choiceLabels() const {
    QStringList labels;
    for (const auto& value : m_knob.values) {
        QString label = plainText(value, 40);
        for (std::size_t i = 0; i < m_info->choices.size(); ++i) {
            if (m_info->choices[i] == value && i < m_info->choice_labels.size()) {
                label = plainText(std::string(m_info->choice_labels[i]), 40);
            }
        }
        if (!label.isEmpty()) label[0] = label[0].toUpper();
        labels << label;
    }
    return labels;
}

bool KnobModel::isOn(const Model& model) const {
    const auto value = get_setting(model, m_knob.path);
    const bool* on = value ? std::get_if<bool>(&*value) : nullptr;
    return on != nullptr && *on;
}

ShownSetting showSetting(const Model& model, const std::string& path) {
    const SettingInfo* info = find_setting(model.system, path);
    const auto value = get_setting(model, path);
    if (info == nullptr || !value) return {plainText(path, 60), tr("unknown")};
    return {plainText(std::string(info->label), 60), plainText(show_value(*info, *value), 60)};
}

}  // namespace lab::app
