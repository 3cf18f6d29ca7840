// SPDX-License-Identifier: GPL-3.0-or-later
// How PlotCard looks.
#include <QPainter>

#include <algorithm>
#include <array>
#include <cmath>

#include "widgets/plot_card.hpp"
#include "widgets/plot_parts.hpp"

namespace lab::app {

namespace {

constexpr double sampleWidth = 11, sampleGap = 4, entryGap = 8;  // legend, at scale 1
constexpr double sideMargin = 14, buttonRoom = 20;

double legendEntryWidth(const LegendEntry& entry, const QFontMetricsF& metrics, double scale) {
    return (sampleWidth + sampleGap) * scale + metrics.horizontalAdvance(entry.name);
}

void paintSample(QPainter& painter, const LegendEntry& entry, QPointF at, double scale) {
    const double width = sampleWidth * scale;
    if (entry.shape == LegendEntry::Shape::block) {
        painter.fillRect(QRectF(at.x(), at.y() - 4 * scale, width, 8 * scale), entry.colour);
        return;
    }
    QPen pen(entry.colour, 2.6 * scale, Qt::SolidLine, Qt::RoundCap);
    if (entry.shape == LegendEntry::Shape::dashed) {
        pen = QPen(entry.colour, 1.6 * scale, Qt::CustomDashLine, Qt::FlatCap);
        pen.setDashPattern({2.2, 1.6});
    }
    painter.setPen(pen);
    const double inset = entry.shape == LegendEntry::Shape::line ? 1.3 * scale : 0;
    painter.drawLine(QPointF(at.x() + inset, at.y()), QPointF(at.x() + width - inset, at.y()));
}

}  // namespace

QIcon tableIcon(const QColor& colour) {
    constexpr int side = 16, ratio = 3;
    QPixmap picture(side * ratio, side * ratio);
    picture.setDevicePixelRatio(ratio);
    picture.fill(Qt::transparent);
    QPainter painter(&picture);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(colour, 1.2));
    painter.drawRoundedRect(QRectF(2.5, 3.5, 11, 9), 1.5, 1.5);
    painter.drawLine(QPointF(2.5, 6.5), QPointF(13.5, 6.5));
    painter.drawLine(QPointF(2.5, 9.5), QPointF(13.5, 9.5));
    painter.drawLine(QPointF(6.5, 6.5), QPointF(6.5, 12.5));
    return QIcon(picture);
}

PlotCard::Header PlotCard::layOutHeader() const {
    Header h;
    if (!isTableShown()) h.legend = legend();
    const QFontMetricsF title(m_faces.title), small(m_faces.label);
    for (const LegendEntry& entry : h.legend) {
        h.legendWidth += legendEntryWidth(entry, small, m_scale) + entryGap * m_scale;
    }
    h.legendWidth -= h.legend.empty() ? 0 : entryGap * m_scale;
    const double room = width() - 2 * sideMargin * m_scale - (m_framed ? buttonRoom : 0);
    const double gap = 8 * m_scale;
    double taken = title.horizontalAdvance(m_title) + gap + small.horizontalAdvance(m_unit);
    const double badge =
        m_badge.isEmpty() ? 0 : gap + small.horizontalAdvance(m_badge) + 12 * m_scale;
    const double legend = h.legend.empty() ? 0 : h.legendWidth + 1.5 * gap;
    h.badgeShown = badge > 0 && taken + badge + legend <= room;
    h.twoLines = taken + legend > room;
    if (h.twoLines) h.badgeShown = badge > 0 && taken + badge <= room;
    if (h.twoLines && taken > room) h.unitShown = false;
    h.lines = h.twoLines ? 2 : 1;
    h.height = (std::max(h.lines, m_leastHeaderLines) > 1 ? 50 : 34) * m_scale;
    return h;
}

void PlotCard::paintHeader(QPainter& painter, const Header& header) const {
    const QFontMetricsF title(m_faces.title), small(m_faces.label);
    const double base = 21 * m_scale;
    const double margin = (m_framed ? sideMargin : 2) * m_scale;
    double x = margin;
    painter.setFont(m_faces.title);
    painter.setPen(m_theme.text);
    painter.drawText(QPointF(x, base), m_title);
    x += title.horizontalAdvance(m_title) + 8 * m_scale;
    painter.setFont(m_faces.label);
    painter.setPen(m_theme.secondText);
    if (header.unitShown) {
        painter.drawText(QPointF(x, base), m_unit);
        x += small.horizontalAdvance(m_unit) + 8 * m_scale;
    }
    if (header.badgeShown) {
        const QRectF chip(x, base - 12.5 * m_scale, small.horizontalAdvance(m_badge) + 12 * m_scale,
                          17 * m_scale);
        painter.setPen(Qt::NoPen);
        painter.setBrush(m_theme.chip);
        painter.drawRoundedRect(chip, 4 * m_scale, 4 * m_scale);
        painter.setPen(m_theme.secondText);
        painter.drawText(chip, Qt::AlignCenter, m_badge);
    }
    double right = width() - sideMargin * m_scale - (m_framed ? buttonRoom : 0);
    double line = base;
    if (header.twoLines) {
        right = margin + header.legendWidth;
        line += 17 * m_scale;
    }
    double at = right - header.legendWidth;
    for (const LegendEntry& entry : header.legend) {
        paintSample(painter, entry, QPointF(at, line - small.xHeight() / 2), m_scale);
        painter.setPen(m_theme.secondText);
        painter.drawText(QPointF(at + (sampleWidth + sampleGap) * m_scale, line), entry.name);
        at += legendEntryWidth(entry, small, m_scale) + entryGap * m_scale;
    }
}

PlotArea PlotCard::layOut() const {
    PlotArea area;
    area.scale = m_scale;
    area.time = m_history->visibleRange();
    area.axis = wantedAxis();
    const QFontMetricsF labels(m_faces.label);
    double left = 30 * m_scale;
    for (const auto& [value, label] : area.axis.ticks) {
        left = std::max(left, labels.horizontalAdvance(label) + 4 * m_scale);
    }
    const double margin = (m_framed ? sideMargin : 2) * m_scale;
    const double top = layOutHeader().height;
    const double bottom = height() - 25 * m_scale;
    const double right = width() - (m_framed ? 20 : 14) * m_scale;
    left = std::round(left + margin + 4 * m_scale);
    area.rect = QRectF(QPointF(left, std::round(top)),
                       QPointF(std::max(std::round(right), left + 20),
                               std::max(std::round(bottom), std::round(top) + 20)));
    return area;
}

void PlotCard::drawGround(const PlotArea& area) {
    const double ratio = devicePixelRatioF();
    const QSize pixels = size() * ratio;
    if (m_ground->picture.size() != pixels) m_ground->picture = QPixmap(pixels);
    m_ground->picture.setDevicePixelRatio(ratio);
    m_ground->picture.fill(m_theme.window);
    QPainter painter(&m_ground->picture);
    painter.setRenderHint(QPainter::Antialiasing);
    if (m_framed) {
        painter.setPen(QPen(m_theme.line, 1));
        painter.setBrush(m_theme.panel);
        painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8);
    }
    const Header header = layOutHeader();
    paintHeader(painter, header);
    m_ground->legend = header.legend;
    m_ground->time = area.time;
    m_ground->axis = area.axis;
    m_ground->valid = true;
    if (isTableShown()) return;
    paintAxes(painter, area);
    painter.setClipRect(area.rect.adjusted(0, -2, 1, 2));
    paintBehind(painter, area);
}

void PlotCard::paintAxes(QPainter& painter, const PlotArea& area) const {
    const QFont& font = m_faces.label;
    const QFontMetricsF metrics(font);
    painter.setFont(font);
    const double half = metrics.capHeight() / 2;
    double lastLabel = 1e9;  // labels never touch: small charts leave some out
    for (const auto& [value, label] : area.axis.ticks) {
        const double y = std::round(area.y(value));
        painter.setPen(QPen(m_theme.grid, 1));
        painter.setRenderHint(QPainter::Antialiasing, false);
        painter.drawLine(QPointF(area.rect.left(), y), QPointF(area.rect.right(), y));
        painter.setRenderHint(QPainter::Antialiasing);
        if (lastLabel - y < metrics.height() * 0.9) continue;
        lastLabel = y;
        painter.setPen(m_theme.secondText);
        painter.drawText(
            QPointF(area.rect.left() - 8 * m_scale - metrics.horizontalAdvance(label), y + half),
            label);
    }
    const double length = area.time.to - area.time.from;
    const double room = 46 * m_scale;  // pixels a label needs at least
    double step = 60;
    for (const double wanted : {1.0, 2.0, 5.0, 10.0, 20.0, 30.0}) {
        if (area.rect.width() / (length / wanted) < room) continue;
        step = wanted;
        break;
    }
    bool first = true;
    painter.setPen(m_theme.secondText);
    for (double t = std::ceil(area.time.from / step) * step; t <= area.time.to + 1e-6; t += step) {
        QString label = QString::number(t, 'f', 0);
        if (first) label += QStringLiteral(" s");
        first = false;
        const double advance = metrics.horizontalAdvance(label);
        const double x = std::min(area.x(t) - advance / 2, width() - advance - 2.0);
        painter.drawText(QPointF(x, area.rect.bottom() + 16 * m_scale), label);
    }
}

namespace {

/// The stretches of points for which `in` holds, as [from, to] seconds.
std::vector<std::pair<double, double>> stretches(const std::deque<HistoryPoint>& points,
                                                 bool HistoryPoint::*in) {
    std::vector<std::pair<double, double>> found;
    bool open = false;
    for (const HistoryPoint& point : points) {
        if (point.*in) {
            if (!open) found.emplace_back(point.seconds - point.length, point.seconds);
            found.back().second = point.seconds;
        }
        open = point.*in;
    }
    return found;
}

}  // namespace

void PlotCard::paintBands(QPainter& painter, const PlotArea& area) const {
    const QFont& font = m_faces.tiny;
    const QFontMetricsF metrics(font);
    painter.setFont(font);
    const auto band = [&](std::pair<double, double> times, const QString& word,
                          const QColor& fill) {
        if (times.second < area.time.from || times.first > area.time.to) return;
        QRectF rect = area.rect;
        rect.setLeft(std::max(area.x(times.first), area.rect.left()));
        rect.setRight(std::min(area.x(times.second), area.rect.right()));
        painter.fillRect(rect, fill);
        if (metrics.horizontalAdvance(word) + 6 > rect.width()) return;
        painter.setPen(m_theme.secondText);
        painter.drawText(rect.adjusted(4, 0, 0, -3), Qt::AlignLeft | Qt::AlignBottom, word);
    };
    QColor warm = m_theme.secondText, gap = m_theme.worse;
    warm.setAlphaF(0.10f);
    gap.setAlphaF(0.16f);
    const auto& points = m_history->points();
    for (const auto& times : stretches(points, &HistoryPoint::warmUp)) {
        band(times, tr("warm-up"), warm);
    }
    for (const auto& times : stretches(points, &HistoryPoint::interrupted)) {
        band(times, tr("interrupted"), gap);
    }
}

void PlotCard::paintMarkers(QPainter& painter, const PlotArea& area) const {
    const QFont& font = m_faces.label;
    const QFontMetricsF metrics(font);
    painter.setFont(font);
    const double chipHeight = 18 * m_scale, rowHeight = 21 * m_scale;
    constexpr std::size_t rows = 3;
    std::array<double, rows> freeFrom{};  // the right end of the last chip in each row
    freeFrom.fill(area.rect.left());
    for (const HistoryMarker& marker : m_history->markers()) {
        if (marker.seconds < area.time.from || marker.seconds > area.time.to) continue;
        const double x = std::round(area.x(marker.seconds)) + 0.5;
        QPen pen(m_theme.secondText, 1.2 * m_scale, Qt::CustomDashLine, Qt::FlatCap);
        pen.setDashPattern({2.5, 2.5});
        painter.setPen(pen);
        painter.drawLine(QPointF(x, area.rect.top()), QPointF(x, area.rect.bottom()));
        const QString text =
            metrics.elidedText(marker.text, Qt::ElideRight, area.rect.width() * 0.6);
        const double chipWidth = metrics.horizontalAdvance(text) + 10 * m_scale;
        const bool fitsRight = x + 4 + chipWidth <= area.rect.right();
        const double left = fitsRight ? x + 4 * m_scale : x - 4 * m_scale - chipWidth;
        for (std::size_t row = 0; row < rows; ++row) {
            const double y = area.rect.top() + 2 + static_cast<double>(row) * rowHeight;
            const bool low = y + chipHeight > area.rect.bottom();
            if (freeFrom[row] > left || low || left < area.rect.left()) continue;
            QColor fill = m_theme.chip;
            fill.setAlphaF(0.92f);
            painter.setRenderHint(QPainter::Antialiasing);
            painter.setPen(Qt::NoPen);
            painter.setBrush(fill);
            painter.drawRoundedRect(QRectF(left, y, chipWidth, chipHeight), 3, 3);
            painter.setPen(m_theme.text);
            painter.drawText(QRectF(left, y, chipWidth, chipHeight), Qt::AlignCenter, text);
            painter.setRenderHint(QPainter::Antialiasing, false);
            freeFrom[row] = left + chipWidth + 4;
            break;
        }
    }
}

void PlotCard::paintCursor(QPainter& painter) const {
    const auto index = m_history->nearest(*m_cursor);
    if (!index) return;
    const HistoryPoint& point = m_history->points()[*index];
    if (point.seconds < m_area.time.from || point.seconds > m_area.time.to) return;
    const double x = std::round(m_area.x(point.seconds)) + 0.5;
    painter.setPen(QPen(m_theme.text, 1));
    painter.drawLine(QPointF(x, m_area.rect.top()), QPointF(x, m_area.rect.bottom()));

    const QFont &font = m_faces.label, &strong = m_faces.strong;
    const QFontMetricsF metrics(font), bold(strong);
    const std::vector<ReadoutLine> lines = readout(point);
    const QString time = tr("at %1 s").arg(point.seconds, 0, 'f', 1);
    double names = 0, values = 0;
    for (const ReadoutLine& line : lines) {
        names = std::max(names, metrics.horizontalAdvance(line.name));
        values = std::max(values, bold.horizontalAdvance(line.value));
    }
    const double pad = 8 * m_scale, dot = 12 * m_scale, step = 16 * m_scale;
    const double wide = std::max(metrics.horizontalAdvance(time), dot + names + pad + values);
    QRectF box(x + 8, m_area.rect.top() + 24 * m_scale, wide + 2 * pad,
               step * static_cast<double>(lines.size() + 1) + pad);
    if (box.right() > m_area.rect.right()) box.moveRight(x - 8);
    box.moveLeft(std::clamp(box.left(), 2.0, std::max(2.0, width() - box.width() - 2)));
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(m_theme.line, 1));
    painter.setBrush(m_theme.panel);
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5);
    double base = box.top() + pad / 2 + 12 * m_scale;
    painter.setFont(font);
    painter.setPen(m_theme.secondText);
    painter.drawText(QPointF(box.left() + pad, base), time);
    for (const ReadoutLine& line : lines) {
        base += step;
        painter.setPen(Qt::NoPen);
        painter.setBrush(line.colour);
        const double side = 7 * m_scale;
        painter.drawRoundedRect(QRectF(box.left() + pad, base - side - 0.5, side, side), 2, 2);
        painter.setFont(font);
        painter.setPen(m_theme.secondText);
        painter.drawText(QPointF(box.left() + pad + dot, base), line.name);
        painter.setFont(strong);
        painter.setPen(m_theme.text);
        painter.drawText(QPointF(box.right() - pad - bold.horizontalAdvance(line.value), base),
                         line.value);
    }
}

}  // namespace lab::app
