// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/lesson.hpp"

#include <QDateTime>
#include <QRegularExpression>
#include <algorithm>
#include <array>
#include <cmath>

#include "lab/settings.hpp"
#include "models/plain_text.hpp"

namespace lab::app {

namespace {

constexpr int longestText = 20'000;

QString kindName(LessonKind kind) {
    const std::array<QString, 6> names = {LessonModel::tr("Look"),     LessonModel::tr("Predict"),
                                          LessonModel::tr("Run"),      LessonModel::tr("Explain"),
                                          LessonModel::tr("In Flask"), LessonModel::tr("Play")};
    return names[static_cast<std::size_t>(kind)];
}

QString kindTitle(LessonKind kind) {
    const std::array<QString, 6> titles = {LessonModel::tr("What you are looking at"),
                                           LessonModel::tr("What do you expect?"),
                                           LessonModel::tr("Watch it run"),
                                           LessonModel::tr("What happened"),
                                           LessonModel::tr("In Flask you would write"),
                                           LessonModel::tr("Now it is yours")};
    return titles[static_cast<std::size_t>(kind)];
}

/// "19.6/s", "41 ms", "3.2 s", "412".
QString withUnit(double value, std::string_view unit) {
    if (unit == "ms" && value >= 1000) {
        return showNumber(value / 1000) + QStringLiteral(" s");
    }
    const QString name = QString::fromUtf8(unit.data(), static_cast<qsizetype>(unit.size()));
    if (name.isEmpty()) return showNumber(value);
    return showNumber(value) + (name.startsWith(u'/') ? QString() : QStringLiteral(" ")) + name;
}

}  // namespace

QString fillPlaceholders(const QString& text, const RunResults* results) {
    static const QRegularExpression placeholder(
        QStringLiteral("\\{([A-Za-z]\\w{0,15})\\.([a-z0-9_.]{1,60})\\}"));
    QString filled;
    qsizetype from = 0;
    auto matches = placeholder.globalMatch(text);
    while (matches.hasNext()) {
        const auto match = matches.next();
        filled += QStringView(text).mid(from, match.capturedStart() - from);
        from = match.capturedEnd();
        QString value(QChar(0x2013));
        const auto run =
            results ? results->find(match.captured(1).toStdString()) : RunResults::const_iterator{};
        if (results && run != results->end() && run->second) {
            const auto measured = quantity(*run->second, match.captured(2).toStdString());
            const QuantityInfo* info = find_quantity(match.captured(2).toStdString());
            if (measured && *measured && info != nullptr) value = withUnit(**measured, info->unit);
        }
        filled += value;
    }
    filled += QStringView(text).mid(from);
    return filled;
}

void LessonModel::open(std::shared_ptr<const Scenario> scenario) {
    m_scenario = std::move(scenario);
    m_step = 0;
    while (isFolded(m_step)) ++m_step;
    m_chosen.clear();
    m_committed.clear();
    m_results.clear();
    emit stepChanged();
}

int LessonModel::stepCount() const {
    return m_scenario ? static_cast<int>(m_scenario->lesson.size()) : 0;
}

const LessonStep* LessonModel::at(int step) const {
    if (step < 0 || step >= stepCount()) return nullptr;
    return &m_scenario->lesson[static_cast<std::size_t>(step)];
}

bool LessonModel::isFolded(int step) const {
    const LessonStep* here = at(step);
    const LessonStep* after = at(step + 1);
    return here != nullptr && after != nullptr && here->kind == LessonKind::say &&
           (after->kind == LessonKind::predict || isFolded(step + 1));
}

int LessonModel::next() const {
    int step = m_step + 1;
    while (isFolded(step)) ++step;
    return step < stepCount() ? step : -1;
}

int LessonModel::previous() const {
    int step = m_step - 1;
    while (step >= 0 && isFolded(step)) --step;
    return step;
}

int LessonModel::screen() const {
    int count = 0;
    for (int i = 0; i <= m_step; ++i) count += isFolded(i) ? 0 : 1;
    return count;
}

int LessonModel::screenCount() const {
    int count = 0;
    for (int i = 0; i < stepCount(); ++i) count += isFolded(i) ? 0 : 1;
    return count;
}

QString LessonModel::header() const {
    const LessonStep* now = current();
    if (now == nullptr) return {};
    return tr("Step %1 of %2 · %3").arg(screen()).arg(screenCount()).arg(kindName(now->kind));
}

QString LessonModel::title() const {
    const LessonStep* now = current();
    if (now == nullptr) return {};
    if (!now->title.empty()) return plainText(now->title);
    if (now->kind == LessonKind::predict) return plainText(now->ask, 400);
    return kindTitle(now->kind);
}

void LessonModel::goTo(int step) {
    const int target = std::clamp(step, 0, std::max(0, stepCount() - 1));
    if (target == m_step) return;
    m_step = target;
    emit stepChanged();
}

int LessonModel::chosen(int step) const {
    const auto found = m_chosen.find(step);
    return found == m_chosen.end() ? -1 : found->second;
}

void LessonModel::choose(int option) {
    const LessonStep* now = current();
    if (now == nullptr || now->kind != LessonKind::predict || isCommitted(m_step)) return;
    if (option < 0 || option >= static_cast<int>(now->options.size())) return;
    m_chosen[m_step] = option;
    emit choiceChanged();
}

bool LessonModel::isCommitted(int step) const { return m_committed.count(step) > 0; }

void LessonModel::markCommitted(int step) {
    m_committed[step] = true;
    emit choiceChanged();
}

StoredPrediction LessonModel::prediction() const {
    StoredPrediction prediction;
    const int option = chosen(m_step);
    const LessonStep* now = current();
    if (now == nullptr || option < 0) return prediction;
    prediction.scenario = m_scenario->id;
    prediction.step = m_step;
    prediction.option = option;
    prediction.text = now->options[static_cast<std::size_t>(option)].text;
    prediction.at_unix_ms = QDateTime::currentMSecsSinceEpoch();
    return prediction;
}

void LessonModel::setResults(int runStep, const RunResults& results) {
    m_results[runStep] = results;
    emit resultsChanged();
}

bool LessonModel::hasResults(int runStep) const {
    const auto found = m_results.find(runStep);
    return found != m_results.end() && !found->second.empty();
}

int LessonModel::lastOf(LessonKind kind, int step) const {
    for (int i = step; i >= 0; --i) {
        const LessonStep* candidate = at(i);
        if (candidate != nullptr && candidate->kind == kind) return i;
    }
    return -1;
}

const RunResults* LessonModel::results() const {
    const int runStep = lastOf(LessonKind::run, m_step);
    return hasResults(runStep) ? &m_results.at(runStep) : nullptr;
}

std::optional<Judgement> LessonModel::judgement() const {
    const int runStep = lastOf(LessonKind::run, m_step);
    const int predictStep = runStep >= 0 ? lastOf(LessonKind::predict, runStep) : -1;
    const RunResults* measured = results();
    if (predictStep < 0 || measured == nullptr) return std::nullopt;
    // Before a room nobody's choice is stored: what was measured is told all the same.
    return judge(*at(predictStep), std::max(0, chosen(predictStep)), *measured);
}

QString LessonModel::measuredText(const LessonStep& predict, const Judgement& judgement) const {
    const QString unit = plainText(predict.unit, 20);
    const bool tight = unit.startsWith(u'/');
    QString text = showNumber(judgement.measured);
    if (!unit.isEmpty()) text += (tight ? QString() : QStringLiteral(" ")) + unit;
    if (judgement.uncertainty > 0 && std::isfinite(judgement.uncertainty)) {
        text += QStringLiteral(" (± %1)").arg(showNumber(judgement.uncertainty));
    }
    return text;
}

QString LessonModel::verdictSentence() const {
    const auto verdict = judgement();
    if (!verdict) return {};
    const int predictStep = lastOf(LessonKind::predict, m_step);
    const LessonStep* predict = at(predictStep);
    const int option = chosen(predictStep);
    if (verdict->verdict == Judgement::Verdict::cannot_judge) {
        return plainText(verdict->why, 400);
    }
    const QString measured = measuredText(*predict, *verdict);
    if (option < 0) return tr("Measured: %1.").arg(measured);
    const auto& chosenOption = predict->options[static_cast<std::size_t>(option)];
    QString sentence =
        tr("You expected “%1”. Measured: %2.").arg(plainText(chosenOption.text), measured);
    if (verdict->verdict == Judgement::Verdict::too_close) {
        sentence += tr(" Too close to call. %1").arg(plainText(verdict->why, 400));
    }
    return sentence;
}

QString LessonModel::measuredSentence() const {
    const auto verdict = judgement();
    if (!verdict) return {};
    if (verdict->verdict == Judgement::Verdict::cannot_judge) return verdictSentence();
    const LessonStep* predict = at(lastOf(LessonKind::predict, m_step));
    return tr("Measured: %1.").arg(measuredText(*predict, *verdict));
}

QString LessonModel::measuredTag(const Judgement& judgement) const {
    const LessonStep* predict = at(lastOf(LessonKind::predict, m_step));
    if (predict == nullptr) return {};
    QString unit = plainText(predict->unit, 20);
    if (unit == QStringLiteral("times")) unit = QStringLiteral("×");
    const bool tight = unit.startsWith(u'/') || unit == QStringLiteral("×");
    return tr("measured %1")
        .arg(showNumber(judgement.measured) + (tight || unit.isEmpty() ? unit : u' ' + unit));
}

QString LessonModel::text() const {
    const LessonStep* now = current();
    if (now == nullptr) return {};
    QString text;
    int from = m_step;
    while (isFolded(from - 1)) --from;
    for (int i = from; i <= m_step; ++i) {
        const QString piece = plainText(at(i)->text, longestText, true);
        if (!text.isEmpty() && !piece.isEmpty()) text += QStringLiteral("\n\n");
        text += piece;
    }
    return fillPlaceholders(text, results());
}

}  // namespace lab::app
