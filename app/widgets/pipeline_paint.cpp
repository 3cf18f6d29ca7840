// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/pipeline_paint.hpp"

#include <QCoreApplication>

#include <algorithm>
#include <array>
#include <cmath>

#include "widgets/figures_row.hpp"

namespace lab::app {

namespace {

QString tr(const char* text) { return QCoreApplication::translate("PipelineView", text); }

QString rateText(double perSecond) {
    return QStringLiteral("%1/s").arg(perSecond, 0, 'f', perSecond < 9.95 ? 1 : 0);
}

constexpr double corner = 7;

}  // namespace

PipelinePainter::PipelinePainter(const Theme& theme)
    : m_theme(theme),
      m_title(Fonts::text(12, QFont::DemiBold)),
      m_small(Fonts::text(10)),
      m_tiny(Fonts::text(9, QFont::DemiBold)),
      m_rate(Fonts::text(11, QFont::DemiBold)) {}

QColor PipelinePainter::mixed(const QColor& ink, float share) const {
    const QColor paper = m_theme.panel;
    const auto mix = [share](float a, float b) { return a + (b - a) * share; };
    return QColor::fromRgbF(mix(paper.redF(), ink.redF()), mix(paper.greenF(), ink.greenF()),
                            mix(paper.blueF(), ink.blueF()));
}

QColor PipelinePainter::colourOf(WorkerState state) const {
    switch (state) {
        case WorkerState::idle:
            return m_theme.chip;
        case WorkerState::computing:
            return m_theme.computing;
        case WorkerState::lock_wait:
        case WorkerState::pool_wait:
        case WorkerState::write_wait:
            return m_theme.queueFill;
        case WorkerState::io_wait:
            return m_theme.ioFill;
        case WorkerState::database:
            return m_theme.database;
        case WorkerState::cache:
        case WorkerState::render:
            return m_theme.better;
        case WorkerState::writing:
            return m_theme.secondText;
        case WorkerState::blocked:
            return m_theme.worse;
        case WorkerState::booting:
            return m_theme.worse;
        case WorkerState::off:
            return m_theme.line;
    }
    return m_theme.chip;
}

void PipelinePainter::paintBoxes(QPainter& painter, QSizeF size, const PipelineParts& parts,
                                 const PipelinePlaces& places, const PipelineFacts& facts,
                                 bool bands) const {
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(m_theme.line, 1));
    painter.setBrush(m_theme.panel);
    painter.drawRoundedRect(QRectF(QPointF(), size).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8);
    paintLanes(painter, parts, places, facts, bands);
    paintClients(painter, parts, places, facts);
    if (parts.backends.empty()) {
        paintQueue(painter, parts, places, facts);
        paintWorkers(painter, parts, places, facts);
    } else {
        paintBalancer(painter, parts, places, facts);
        paintBackends(painter, parts, places, facts);
    }
    if (!places.cache.isNull()) paintCache(painter, parts, places, facts);
    if (!places.database.isNull()) paintDatabase(painter, places, facts);
    paintLosses(painter, places, facts);
}

void PipelinePainter::paintLanes(QPainter& painter, const PipelineParts& parts,
                                 const PipelinePlaces& places, const PipelineFacts& facts,
                                 bool bands) const {
    const auto lane = [&](double from, double to, double y, double rate) {
        // A band is as wide as its rate has digits; an empty lane is a quiet track.
        const bool flows = bands && facts.running && rate > 0.05;
        const double width = flows ? std::clamp(4 + 4.5 * std::log10(1 + rate), 7.0, 24.0) : 7;
        painter.setPen(Qt::NoPen);
        painter.setBrush(flows ? mixed(m_theme.computing, 0.55f) : m_theme.chip);
        painter.drawRect(QRectF(from, y - width / 2, to - from, width));
        if (!flows) return;
        painter.setFont(m_tiny);
        painter.setPen(m_theme.text);
        const QRectF text((from + to) / 2 - 40, y - width / 2 - 16, 80, 14);
        painter.drawText(text, Qt::AlignCenter, rateText(rate));
    };
    lane(places.clients.right(), places.queue.left(), places.laneY, facts.offered);
    lane(places.queue.right(), places.workers.left(), places.laneY,
         facts.completed + facts.otherErrors);
    lane(places.workers.right(), places.exitX, places.exitY, facts.completed);

    const auto dotted = [&](const QRectF& box, bool used) {
        if (box.isNull()) return;
        const double y = std::max(places.workers.top() + 14,
                                  std::min(box.center().y(), places.workers.bottom() - 14));
        QPen pen(used ? m_theme.secondText : m_theme.line, 2, Qt::CustomDashLine, Qt::FlatCap);
        pen.setDashPattern({1.6, 1.6});
        painter.setPen(pen);
        painter.drawLine(QPointF(places.workers.right(), y), QPointF(box.left(), y));
    };
    dotted(places.cache, parts.cacheOn && facts.hitRatio.has_value());
    dotted(places.database, facts.poolInUse > 0);
}

void PipelinePainter::paintBox(QPainter& painter, const QRectF& box, const QString& title,
                               const QStringList& subtitles, const QColor& border) const {
    painter.setPen(QPen(border, border == m_theme.line ? 1.4 : 1.6));
    painter.setBrush(m_theme.panel);
    painter.drawRoundedRect(box, corner, corner);
    const double left = box.left() + 10, room = box.width() - 16;
    painter.setFont(m_title);
    painter.setPen(m_theme.text);
    painter.drawText(QPointF(left, box.top() + 18), title);
    painter.setFont(m_small);
    painter.setPen(m_theme.secondText);
    const QFontMetrics metrics = painter.fontMetrics();
    QString words = subtitles.back();
    for (const QString& subtitle : subtitles) {
        if (metrics.horizontalAdvance(subtitle) > room) continue;
        words = subtitle;
        break;
    }
    painter.drawText(QPointF(left, box.top() + 33),
                     metrics.elidedText(words, Qt::ElideRight, int(room)));
}

/// `capacity` squares of which `filled` are coloured; a bar where squares were too small to count.
void PipelinePainter::paintSlots(QPainter& painter, const QRectF& area, std::uint32_t filled,
                                 std::uint32_t capacity, const QColor& colour,
                                 double largest) const {
    constexpr double least = 5;
    if (capacity == 0 || area.height() < least) return;
    double side = std::min(largest, area.height());
    const auto fit = [&](double s) { return int(area.width() / s) * int(area.height() / s); };
    while (side > least && fit(side) < int(capacity)) side -= 0.5;
    painter.setPen(Qt::NoPen);
    if (fit(side) < int(capacity)) {
        const QRectF bar(area.left(), area.center().y() - 6, area.width(), 12);
        painter.setBrush(m_theme.chip);
        painter.drawRoundedRect(bar, 3, 3);
        const double share = std::min(1.0, double(filled) / double(capacity));
        painter.setBrush(colour);
        painter.drawRoundedRect(QRectF(bar.topLeft(), QSizeF(bar.width() * share, 12)), 3, 3);
        return;
    }
    const int columns = int(area.width() / side);
    const double gap = side > 9 ? 3 : 1.5;
    for (std::uint32_t i = 0; i < capacity; ++i) {
        const QRectF cell(area.left() + (int(i) % columns) * side,
                          area.top() + (int(i) / columns) * side, side - gap, side - gap);
        painter.setBrush(i < filled ? colour : m_theme.chip);
        painter.drawRoundedRect(cell, 1.5, 1.5);
    }
}

void PipelinePainter::paintClients(QPainter& painter, const PipelineParts& parts,
                                   const PipelinePlaces& places, const PipelineFacts& facts) const {
    const QRectF& box = places.clients;
    paintBox(painter, box, tr("Clients"),
             {parts.clients, parts.clients.section(QLatin1Char(','), 0, 0)}, m_theme.line);
    const QRectF area = box.adjusted(10, 40, -8, -8);
    constexpr double step = 11, radius = 3.5;
    const int columns = std::max(1, int(area.width() / step));
    const int rows = std::max(1, int((area.height() - 13) / step));
    const auto shown = std::min<std::uint32_t>(facts.inFlight, std::uint32_t(columns * rows));
    painter.setPen(Qt::NoPen);
    painter.setBrush(m_theme.ioFill);
    for (std::uint32_t i = 0; i < shown; ++i) {
        painter.drawEllipse(QPointF(area.left() + radius + (int(i) % columns) * step,
                                    area.top() + radius + (int(i) / columns) * step),
                            radius, radius);
    }
    if (!facts.running) return;
    painter.setFont(m_small);
    painter.setPen(m_theme.secondText);
    painter.drawText(QPointF(area.left(), box.bottom() - 8),
                     painter.fontMetrics().elidedText(tr("%1 in flight").arg(facts.inFlight),
                                                      Qt::ElideRight, int(area.width())));
}

void PipelinePainter::paintQueue(QPainter& painter, const PipelineParts& parts,
                                 const PipelinePlaces& places, const PipelineFacts& facts) const {
    const QRectF& box = places.queue;
    const QString brief = tr("%1 waiting").arg(facts.queueDepth);
    QString words = brief;
    if (facts.queueWaitMs) {
        const auto [value, unit] = showMilliseconds(*facts.queueWaitMs);
        words += QStringLiteral(" · ") + value + QLatin1Char(' ') + unit;
    }
    if (!facts.running) words = tr("%1 places").arg(parts.queue);
    const std::uint32_t capacity = facts.running ? facts.queueCapacity : parts.queue;
    const bool full = capacity > 0 && facts.queueDepth >= capacity;
    if (full) words = tr("full · ") + words;
    paintBox(painter, box, tr("Queue"), {words, brief}, full ? m_theme.worse : m_theme.line);
    QRectF area = box.adjusted(10, 41, -8, -7);
    if (facts.backlog > 0) {
        painter.setFont(m_small);
        painter.setPen(m_theme.secondText);
        painter.drawText(QPointF(area.left(), box.bottom() - 6),
                         tr("+%1 in the kernel").arg(facts.backlog));
        area.setBottom(area.bottom() - 13);
    }
    paintSlots(painter, area, facts.queueDepth, capacity, m_theme.queueFill, 16);
}

void PipelinePainter::paintWorkers(QPainter& painter, const PipelineParts& parts,
                                   const PipelinePlaces& places, const PipelineFacts& facts) const {
    std::vector<WorkerSample> threads = facts.threads;
    int each = facts.threadsPerWorker;
    if (!facts.running) {
        each = std::max(1, parts.threads);
        threads.resize(static_cast<std::size_t>(std::max(1, parts.workers)) * std::size_t(each));
    }
    const auto workers = static_cast<int>(threads.size()) / std::max(1, each);
    QString words = tr("%1 × 1 thread").arg(workers);
    if (each > 1) words = tr("%1 × %2 threads").arg(workers).arg(each);
    if (parts.execution == Execution::loop) words = tr("%1 × event loop").arg(workers);
    if (parts.execution == Execution::greenlets) words = tr("%1 × greenlets").arg(workers);
    const QString busy = tr("%1 % busy").arg(facts.busy * 100, 0, 'f', 0);
    QStringList subtitles{words};
    if (facts.running) {
        subtitles = {words + QStringLiteral(" · ") + busy,
                     QString::number(threads.size()) + QStringLiteral(" · ") + busy};
    }
    if (facts.tokensInUse > 0 || facts.tokensWaiting > 0) {
        QString pool = tr("pool %1 of %2").arg(facts.tokensInUse).arg(facts.tokens);
        if (facts.tokensWaiting > 0) pool += tr(", %1 wait unseen").arg(facts.tokensWaiting);
        subtitles.prepend(words + QStringLiteral(" · ") + busy + QStringLiteral(" · ") + pool);
    }
    paintBox(painter, places.workers, tr("Workers"), subtitles, m_theme.accent);
    const WorkerCells cells = layWorkers(places.workers, threads.size());
    if (cells.words) {
        for (std::size_t i = 0; i < threads.size(); ++i) {
            const int index = static_cast<int>(i);
            const QString name =
                each == 1 ? QStringLiteral("#%1").arg(index + 1)
                          : QStringLiteral("#%1.%2").arg(index / each + 1).arg(index % each + 1);
            paintWorkerBar(painter, cells.cell(i), threads[i], name);
        }
        return;
    }
    std::array<int, workerStates> doing{};
    painter.setFont(m_tiny);
    for (std::size_t i = 0; i < threads.size(); ++i) {
        const WorkerState state = threads[i].state;
        ++doing[static_cast<std::size_t>(state)];
        const QRectF cell = cells.cell(i);
        const bool idle = state == WorkerState::idle;
        painter.setPen(Qt::NoPen);
        painter.setBrush(idle ? m_theme.chip : mixed(colourOf(state), 0.6f));
        painter.drawRoundedRect(cell, 2.5, 2.5);
        constexpr double letterRoom = 12;
        if (idle || cell.width() < letterRoom) continue;
        painter.setPen(m_theme.text);
        painter.drawText(cell, Qt::AlignCenter, QString(workerLetter(state)));
    }
    QStringList counted;
    // What stands in the way first, what does nothing last.
    using enum WorkerState;
    for (const WorkerState state : {blocked, booting, io_wait, computing, database, lock_wait,
                                    pool_wait, write_wait, cache, render, writing, idle, off}) {
        const int many = doing[static_cast<std::size_t>(state)];
        if (many > 0) counted << QStringLiteral("%1 %2").arg(many).arg(workerWord(state));
    }
    painter.setFont(m_small);
    painter.setPen(m_theme.secondText);
    const QRectF line(cells.area.left(), places.workers.bottom() - 22, cells.area.width(), 16);
    painter.drawText(line, Qt::AlignLeft | Qt::AlignVCenter,
                     painter.fontMetrics().elidedText(counted.join(QStringLiteral(" · ")),
                                                      Qt::ElideRight, int(line.width())));
}

void PipelinePainter::paintWorkerBar(QPainter& painter, const QRectF& cell,
                                     const WorkerSample& worker, const QString& name) const {
    painter.setPen(Qt::NoPen);
    painter.setBrush(m_theme.chip);
    painter.drawRoundedRect(cell, 4, 4);
    if (worker.state != WorkerState::idle || worker.busy > 0.02) {
        const bool idle = worker.state == WorkerState::idle;
        const QColor colour = idle ? m_theme.secondText : colourOf(worker.state);
        const double share = std::clamp(std::max(worker.busy, idle ? 0.0 : 0.12), 0.0, 1.0);
        const QRectF fill(cell.topLeft(), QSizeF(cell.width() * share, cell.height()));
        painter.save();
        painter.setClipRect(fill);
        painter.setBrush(mixed(colour, idle ? 0.22f : 0.55f));
        painter.drawRoundedRect(cell, 4, 4);
        painter.restore();
        if (!idle) {
            painter.setBrush(colour);
            painter.drawRoundedRect(QRectF(cell.left(), cell.top(), 4, cell.height()), 2, 2);
        }
    }
    QString words = name + QLatin1Char(' ') + workerWord(worker.state);
    if (worker.draining) words += QStringLiteral(", ") + tr("leaving");
    painter.setFont(m_small);
    painter.setPen(m_theme.text);
    painter.drawText(
        cell.adjusted(9, 0, -4, 0), Qt::AlignLeft | Qt::AlignVCenter,
        painter.fontMetrics().elidedText(words, Qt::ElideRight, int(cell.width()) - 13));
}

void PipelinePainter::paintCache(QPainter& painter, const PipelineParts& parts,
                                 const PipelinePlaces& places, const PipelineFacts& facts) const {
    QString words = parts.cacheMode;
    if (parts.cacheOn && facts.running) {
        words += QStringLiteral(" · ") + tr("%L1 entries").arg(facts.cacheEntries);
    }
    paintBox(painter, places.cache, tr("Cache"), {words, parts.cacheMode}, m_theme.line);
    if (!parts.cacheOn) return;
    const QRectF bar(places.cache.left() + 10, places.cache.top() + 41, places.cache.width() - 20,
                     16);
    if (bar.bottom() > places.cache.bottom() - 2) return;
    painter.setPen(Qt::NoPen);
    painter.setBrush(m_theme.chip);
    painter.drawRoundedRect(bar, 4, 4);
    if (facts.hitRatio) {
        painter.save();
        painter.setClipRect(QRectF(bar.topLeft(), QSizeF(bar.width() * *facts.hitRatio, 16)));
        painter.setBrush(mixed(m_theme.better, 0.5f));
        painter.drawRoundedRect(bar, 4, 4);
        painter.restore();
    }
    painter.setFont(m_small);
    painter.setPen(m_theme.text);
    const QString hits =
        facts.hitRatio ? tr("%1 % hits").arg(*facts.hitRatio * 100, 0, 'f', 0) : tr("no look-ups");
    painter.drawText(bar.adjusted(7, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, hits);
}

void PipelinePainter::paintDatabase(QPainter& painter, const PipelinePlaces& places,
                                    const PipelineFacts& facts) const {
    const QRectF& box = places.database;
    QStringList subtitles{tr("idle")};
    if (facts.running) {
        subtitles = {tr("%1 of %2 in use").arg(facts.poolInUse).arg(facts.poolSize)};
        if (facts.poolWaiting > 0) {
            subtitles.push_front(subtitles.front() + tr(", %1 wait").arg(facts.poolWaiting));
        }
    }
    paintBox(painter, box, tr("Database"), subtitles, m_theme.line);
    QRectF area = box.adjusted(10, 40, -8, -6);
    const QString plan =
        facts.progress.empty() ? shortPlan(facts.plan) : QString::fromStdString(facts.progress);
    if (!plan.isEmpty()) {
        const bool scans = facts.progress.empty() && plan.startsWith(QStringLiteral("SCAN"));
        painter.setFont(m_rate);
        painter.setPen(!facts.progress.empty() ? m_theme.accent
                       : scans                 ? m_theme.worse
                                               : m_theme.better);
        const double base = std::min(box.bottom() - 8, area.top() + 32);
        painter.drawText(QPointF(area.left(), base),
                         painter.fontMetrics().elidedText(plan, Qt::ElideRight, int(area.width())));
        area.setBottom(base - 12);
    }
    if (area.height() > 6) {
        paintSlots(painter, area, facts.poolInUse, facts.poolSize, m_theme.database, 16);
    }
}

void PipelinePainter::paintLosses(QPainter& painter, const PipelinePlaces& places,
                                  const PipelineFacts& facts) const {
    painter.setFont(m_rate);
    painter.setPen(m_theme.worse);
    QStringList lost;
    if (facts.rejected > 0.05) lost << tr("▼ rejected %1").arg(rateText(facts.rejected));
    if (facts.timedOut > 0.05) lost << tr("▼ timed out %1").arg(rateText(facts.timedOut));
    if (facts.otherErrors > 0.05) lost << tr("▼ failed %1").arg(rateText(facts.otherErrors));
    double base = places.queue.bottom() + 17;
    for (const QString& words : lost) {
        painter.drawText(QPointF(places.queue.left() + 2, base), words);
        base += 15;
    }
}

void PipelinePainter::paintDots(QPainter& painter, const std::vector<PipelineDot>& dots) const {
    painter.setRenderHint(QPainter::Antialiasing);
    constexpr double radius = 4;
    for (const PipelineDot& dot : dots) {
        painter.setOpacity(dot.opacity);
        if (dot.failed) {
            painter.setPen(QPen(m_theme.worse, 2));
            const QPointF a(radius - 1, radius - 1), b(radius - 1, 1 - radius);
            painter.drawLine(dot.at - a, dot.at + a);
            painter.drawLine(dot.at - b, dot.at + b);
            continue;
        }
        painter.setPen(QPen(m_theme.panel, 1));
        painter.setBrush(m_theme.computing);
        painter.drawEllipse(dot.at, radius, radius);
    }
    painter.setOpacity(1);
}

}  // namespace lab::app
