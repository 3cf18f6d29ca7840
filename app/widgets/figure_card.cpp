// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/figure_card.hpp"

#include <QPainter>

#include <algorithm>

namespace lab::app {

namespace {

/// Width of the widest digit: each is given that, so that figures stand still.
double digitWidth(const QFontMetricsF& metrics) {
    double width = 0;
    for (char16_t c = u'0'; c <= u'9'; ++c) {
        width = std::max(width, metrics.horizontalAdvance(QChar(c)));
    }
    return width;
}

/// Draws `text` with tabular digits from `at` (left, baseline); returns the right end.
double drawFigures(QPainter& painter, QPointF at, const QString& text) {
    const QFontMetricsF metrics(painter.font());
    const double digit = digitWidth(metrics);
    double x = at.x();
    for (const QChar c : text) {
        const double advance = metrics.horizontalAdvance(c);
        const double cell = c.isDigit() ? digit : advance;
        painter.drawText(QPointF(x + (cell - advance) / 2, at.y()), QString(c));
        x += cell;
    }
    return x;
}

}  // namespace

FigureCard::FigureCard(const QString& title, QWidget* parent)
    : QWidget(parent), m_title(title), m_value(QStringLiteral("–")), m_theme(Theme::light()) {
    makeFaces();
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(title);
}

void FigureCard::makeFaces() {
    const auto pixels = [this](double framed, double free) {
        return int((m_framed ? framed : free) * m_scale);
    };
    // In the large form title and change are smaller beside the figure, as on a poster.
    m_titleFace = Fonts::text(pixels(11.5, 7.2));
    m_valueFace = Fonts::figures(pixels(22, 23));
    m_unitFace = Fonts::text(pixels(12, 9), QFont::DemiBold);
    m_changeFace = Fonts::text(pixels(11.5, 7.6), QFont::DemiBold);
}

void FigureCard::setValue(const QString& value, const QString& unit) {
    if (value == m_value && unit == m_unit) return;
    m_value = value;
    m_unit = unit;
    tellAccessibility();
    update();
}

void FigureCard::setChange(const QString& text, Tone tone) {
    if (text == m_change && tone == m_tone) return;
    m_change = text;
    m_tone = tone;
    tellAccessibility();
    update();
}

void FigureCard::setTheme(const Theme& theme) {
    m_theme = theme;
    update();
}

void FigureCard::setScale(double scale) {
    m_scale = scale;
    makeFaces();
    updateGeometry();
    update();
}

void FigureCard::setFramed(bool framed) {
    m_framed = framed;
    makeFaces();
    updateGeometry();
    update();
}

void FigureCard::tellAccessibility() {
    setAccessibleDescription(m_value + QLatin1Char(' ') + m_unit + QLatin1Char(' ') + m_change);
}

QSize FigureCard::sizeHint() const {
    return m_framed ? QSize(int(114 * m_scale), int(75 * m_scale))
                    : QSize(int(78 * m_scale), int(48 * m_scale));
}
QSize FigureCard::minimumSizeHint() const {
    return m_framed ? QSize(int(84 * m_scale), int(75 * m_scale)) : sizeHint();
}

void FigureCard::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const double s = m_scale;
    double left = 0, base = 8 * s;
    if (m_framed) {
        painter.setPen(QPen(m_theme.line, 1));
        painter.setBrush(m_theme.panel);
        painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8);
        left = (width() < 100 * s ? 9 : 13) * s;
        base = 20 * s;
    }
    const double room = width() - left - 4 * s;
    painter.setFont(m_titleFace);
    painter.setPen(m_theme.secondText);
    const bool fits = painter.fontMetrics().horizontalAdvance(m_title) <= room;
    const QString title = fits || m_shortTitle.isEmpty() ? m_title : m_shortTitle;
    painter.drawText(QPointF(left, base),
                     painter.fontMetrics().elidedText(title, Qt::ElideRight, int(room)));
    base += (m_framed ? 24 : 22) * s;
    painter.setFont(m_valueFace);
    painter.setPen(m_value == QStringLiteral("–") ? m_theme.secondText : m_theme.text);
    const double end = drawFigures(painter, QPointF(left, base), m_value);
    painter.setFont(m_unitFace);
    if (!m_framed) painter.setPen(m_theme.secondText);
    painter.drawText(QPointF(end + (m_framed ? 4 : 5) * s, base), m_unit);
    base += (m_framed ? 19 : 13) * s;
    QFont face = m_changeFace;
    const double wanted = QFontMetricsF(face).horizontalAdvance(m_change);
    constexpr double least = 0.84;  // of its size: smaller is hard to read, so it is cut instead
    if (wanted > room) face.setPixelSize(int(face.pixelSize() * std::max(least, room / wanted)));
    painter.setFont(face);
    painter.setPen(m_tone == Tone::better  ? m_theme.better
                   : m_tone == Tone::worse ? m_theme.worse
                                           : m_theme.secondText);
    painter.drawText(QPointF(left, base),
                     painter.fontMetrics().elidedText(m_change, Qt::ElideRight, int(room)));
}

}  // namespace lab::app
