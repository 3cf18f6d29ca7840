// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/present_text.hpp"

#include <algorithm>

#include <QCoreApplication>
#include <QStringList>

#include "lab/settings.hpp"
#include "models/lesson.hpp"
#include "models/plain_text.hpp"

namespace lab::app {

namespace {

QString tr(const char* text) { return QCoreApplication::translate("PresentPage", text); }

/// One a line, numbered, so that a room can call out a number. `right`: index of the one that held.
QString answers(const LessonStep& predict, int right) {
    QStringList lines;
    int number = 0;
    for (const auto& option : predict.options) {
        const QString mark = number == right ? QStringLiteral("✓ ") : QString();
        lines << QStringLiteral("%1   %2%3").arg(++number).arg(mark, plainText(option.text));
    }
    return lines.join(u'\n');
}

/// "A: workers 1, arrivals 120/s": what a variant is, in the scenario's own words.
QString variantText(const QString& name, const Overrides& overrides, const Model& model) {
    QStringList parts;
    for (const auto& [path, value] : overrides) {
        const auto* info = find_setting(model.system, path);
        const std::string label = info != nullptr ? std::string(info->label) : path;
        parts << plainText(label).toLower() + u' ' + plainText(value);
    }
    if (parts.isEmpty()) parts << tr("as it stands");
    return QStringLiteral("%1: %2").arg(name, parts.join(QStringLiteral(", ")));
}

}  // namespace

QString presentText(const LessonModel& lesson, const Scenario& scenario) {
    const LessonStep* step = lesson.current();
    if (step == nullptr) return {};
    const LessonStep* predict = lesson.at(lesson.lastOf(LessonKind::predict, lesson.step()));
    switch (step->kind) {
        case LessonKind::say:
            return plainText(step->text, 400, true);
        case LessonKind::predict:
            return answers(*step, -1);
        case LessonKind::run: {
            QStringList lines;
            for (const auto& [name, overrides] : step->variants) {
                lines << variantText(plainText(name), overrides, scenario.model);
            }
            return lines.join(u'\n');
        }
        case LessonKind::explain: {
            const auto verdict = lesson.judgement();
            const QString measured = lesson.measuredSentence();
            if (predict == nullptr || !verdict) return measured;
            return measured + u'\n' + answers(*predict, verdict->right_option);
        }
        case LessonKind::flask:
            return plainText(step->code, 600, true);
        case LessonKind::play:
            return tr("Now you: each key moves its knob up, with Shift down.");
    }
    return {};
}

}  // namespace lab::app
