// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/plain_text.hpp"

#include <QList>
#include <cmath>

namespace lab::app {

namespace {

constexpr int mostCombining = 8;

bool isDirectionMark(char32_t c) {
    return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069);
}

}  // namespace

QString plainText(const std::string& text, int most, bool lines) {
    QString shown;
    int combining = 0;
    int length = 0;
    for (const char32_t c : QString::fromStdString(text).toUcs4()) {
        if (isDirectionMark(c)) continue;
        const bool lineEnd = c == U'\n';
        if (!lineEnd && QChar::category(c) == QChar::Other_Control && c != U'\t') continue;
        combining = QChar::isMark(c) ? combining + 1 : 0;
        if (combining > mostCombining) continue;
        if (length == most) {
            shown += QChar(0x2026);
            break;
        }
        ++length;
        if (lineEnd || c == U'\t') {
            shown += lineEnd && lines ? u'\n' : u' ';
        } else {
            shown += QString::fromUcs4(&c, 1);
        }
    }
    return shown;
}

QString toolTipText(const QString& text) {
    if (text.isEmpty()) return {};
    return QStringLiteral("<qt>") + text.toHtmlEscaped().replace(u'\n', QStringLiteral("<br>")) +
           QStringLiteral("</qt>");
}

QString showNumber(double value) {
    const double size = std::abs(value);
    if (!std::isfinite(value)) return QString(QChar(0x2013));
    if (size >= 100) return QString::number(value, 'f', 0);
    if (size >= 10) return QString::number(value, 'f', size >= 20 ? 0 : 1);
    if (size >= 1) return QString::number(value, 'f', 1);
    if (size == 0) return QStringLiteral("0");
    return QString::number(value, 'g', 2);
}

}  // namespace lab::app
