// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <QStringList>
#include <optional>

#include "lab/scenario.hpp"
#include "lab/settings.hpp"

namespace lab::app {

/// A knob of a scenario as the window moves it: positions of a slider, choices, a switch, or a rule
/// for cache keys where every rule may be chosen.
///
/// A value; it holds no model. Numbers go through the knob's grid: `positions()` places from least
/// to most, by adding or by multiplying. Threads: any.
class KnobModel {
  public:
    enum class Shape { slider, choices, toggle, keyRule };

    /// Empty where the scenario's model does not have this setting, or not in a form that can be
    /// moved.
    [[nodiscard]] static std::optional<KnobModel> make(const Knob& knob, const Model& model);

    [[nodiscard]] const Knob& knob() const { return m_knob; }
    [[nodiscard]] Shape shape() const { return m_shape; }
    [[nodiscard]] QString label() const;
    [[nodiscard]] QString group() const;
    [[nodiscard]] QString help() const;
    /// The line for Flask with the present value in it, or empty.
    [[nodiscard]] QString flask(const Model& model) const;
    /// "50 ms", "per worker", "on".
    [[nodiscard]] QString valueText(const Model& model) const;

    /// Places of the slider, or how many choices there are; 2 for a switch.
    [[nodiscard]] int positions() const;
    /// The place nearest to the present value; -1 where a choice is not among those offered.
    [[nodiscard]] int position(const Model& model) const;
    /// The rule of a cache's key, as `--set` takes it.
    [[nodiscard]] QString ruleText(const Model& model) const;
    /// The value at a place, as `--set` takes it.
    [[nodiscard]] std::string textAt(int position, const Model& model) const;
    /// Names of the choices, in the order of their places.
    [[nodiscard]] QStringList choiceLabels() const;
    [[nodiscard]] bool isOn(const Model& model) const;

  private:
    KnobModel(Knob knob, const SettingInfo* info, Shape shape)
        : m_knob(std::move(knob)), m_info(info), m_shape(shape) {}
    [[nodiscard]] double numberAt(int position) const;
    [[nodiscard]] bool isChosen() const {
        return m_shape == Shape::choices || m_shape == Shape::keyRule;
    }

    Knob m_knob;
    const SettingInfo* m_info = nullptr;  ///< a row of the table of names: lives for ever
    Shape m_shape = Shape::slider;
};

/// "4" to "Workers": label and shown value of any setting, for lists of variants.
struct ShownSetting {
    QString label, value;
};
[[nodiscard]] ShownSetting showSetting(const Model& model, const std::string& path);

}  // namespace lab::app
