// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

#include "lab/scenario.hpp"

namespace lab::app {

class LessonModel;

/// What Present says under its question, for the step that is on screen: the numbered answers, what
/// A and B are, what was measured beside the answers, the code, what can be moved. Plain text.
[[nodiscard]] QString presentText(const LessonModel& lesson, const Scenario& scenario);

}  // namespace lab::app
