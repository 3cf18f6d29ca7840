// SPDX-License-Identifier: GPL-3.0-or-later
// What the pipeline shows of a balancer and the backends behind it.
#include <QCoreApplication>

#include <algorithm>

#include "widgets/pipeline_paint.hpp"

namespace lab::app {

namespace {

QString tr(const char* text) { return QCoreApplication::translate("PipelineView", text); }

QString perSecond(double rate) {
    return QStringLiteral("%1/s").arg(rate, 0, 'f', rate < 9.95 ? 1 : 0);
}

/// "5", or "2 of 5" after failures.
QString weightText(const BackendSample& backend) {
    if (backend.effective_weight == backend.weight) return QString::number(backend.weight);
    return tr("%1 of %2").arg(backend.effective_weight).arg(backend.weight);
}

/// What is known before the first frame.
std::vector<BackendSample> foreseen(const PipelineParts& parts) {
    std::vector<BackendSample> samples;
    for (const Backend& backend : parts.backends) {
        BackendSample sample;
        sample.up = backend.up;
        sample.weight = sample.effective_weight = backend.weight;
        samples.push_back(sample);
    }
    return samples;
}

}  // namespace

QString healthWord(const BackendSample& backend) {
    if (!backend.up) return tr("down");
    return backend.resting ? tr("left alone") : tr("up");
}

QString describeBackends(const PipelineParts& parts, const PipelineFacts& facts) {
    QStringList words{tr("Balancer, %1.").arg(parts.rule)};
    for (std::size_t i = 0; i < facts.backends.size(); ++i) {
        const BackendSample& backend = facts.backends[i];
        words << tr("Backend %1 %2, weight %3, %4 in hand.")
                     .arg(i + 1)
                     .arg(healthWord(backend), weightText(backend))
                     .arg(backend.in_flight);
    }
    if (facts.retries > 0) words << tr("%1 a second asked again.").arg(facts.retries, 0, 'f', 1);
    return words.join(QLatin1Char(' '));
}

BackendRows layBackends(const QRectF& box, std::size_t count) {
    constexpr double head = 42, margin = 10;
    constexpr int mostRows = 4;
    BackendRows laid;
    laid.area = box.adjusted(margin, head, -margin, -8);
    const int n = std::max(1, static_cast<int>(count));
    laid.columns = n > mostRows ? 2 : 1;
    laid.rows = (n + laid.columns - 1) / laid.columns;
    return laid;
}

QRectF BackendRows::row(std::size_t index) const {
    constexpr double gap = 4, between = 8, tallest = 40;
    const int column = static_cast<int>(index) / rows, line = static_cast<int>(index) % rows;
    const double width = (area.width() - between * (columns - 1)) / columns;
    const double height = std::min((area.height() - gap * (rows - 1)) / rows, tallest);
    return QRectF(area.left() + column * (width + between), area.top() + line * (height + gap),
                  width, height);
}

QPointF PipelineScene::threadAt(const PipelinePlaces& places, std::size_t thread) const {
    if (m_facts.backends.empty()) return places.thread(thread, m_facts.threads.size());
    std::size_t first = 0, index = 0;
    for (; index + 1 < m_facts.backends.size(); ++index) {
        first += m_facts.backends[index].threads;
        if (thread < first) break;
    }
    return layBackends(places.workers, m_facts.backends.size()).row(index).center();
}

void PipelineScene::sumUpProxy() {
    double seconds = 0;
    std::uint64_t retries = 0, lost = 0, hits = 0, misses = 0, all = 0;
    std::vector<std::uint64_t> given(m_facts.backends.size());
    for (const Recent& r : m_recent) {
        seconds += r.seconds;
        retries += r.proxy.retries;
        lost += r.proxy.lost;
        hits += r.proxy.cache_hits;
        misses += r.proxy.cache_misses;
        for (std::size_t i = 0; i < std::min(given.size(), r.given.size()); ++i) {
            given[i] += r.given[i];
            all += r.given[i];
        }
    }
    if (seconds <= 0) return;
    m_facts.retries = static_cast<double>(retries) / seconds;
    m_facts.lost = static_cast<double>(lost) / seconds;
    if (hits + misses > 0) {
        m_facts.proxyHitRatio = static_cast<double>(hits) / static_cast<double>(hits + misses);
    }
    for (const std::uint64_t n : given) {
        m_facts.shares.push_back(all > 0 ? static_cast<double>(n) / static_cast<double>(all) : 0);
    }
}

void PipelinePainter::paintBalancer(QPainter& painter, const PipelineParts& parts,
                                    const PipelinePlaces& places,
                                    const PipelineFacts& facts) const {
    const QRectF& box = places.queue;
    const bool fails = facts.lost > 0.05;
    paintBox(painter, box, tr("Balancer"), {parts.rule}, fails ? m_theme.worse : m_theme.line);
    QStringList lines;
    if (facts.retries > 0.05) lines << tr("↻ asked again %1").arg(perSecond(facts.retries));
    if (fails) lines << tr("✕ no backend %1").arg(perSecond(facts.lost));
    if (facts.proxyHitRatio) {
        lines << tr("proxy cache %1 %").arg(*facts.proxyHitRatio * 100, 0, 'f', 0);
    }
    painter.setFont(m_small);
    double base = box.top() + 51;
    for (const QString& line : lines) {
        if (base > box.bottom() - 4) return;
        painter.setPen(line.startsWith(QChar(0x2715)) ? m_theme.worse : m_theme.text);
        painter.drawText(QPointF(box.left() + 10, base),
                         painter.fontMetrics().elidedText(line, Qt::ElideRight,
                                                          static_cast<int>(box.width()) - 16));
        base += 15;
    }
}

void PipelinePainter::paintBackends(QPainter& painter, const PipelineParts& parts,
                                    const PipelinePlaces& places,
                                    const PipelineFacts& facts) const {
    const bool known = facts.running && !facts.backends.empty();
    const std::vector<BackendSample> samples = known ? facts.backends : foreseen(parts);
    QStringList subtitles{tr("%1 servers").arg(samples.size())};
    if (known) {
        subtitles.push_front(subtitles.front() + QStringLiteral(" · ") +
                             tr("%1 % busy").arg(facts.busy * 100, 0, 'f', 0));
        if (facts.queueDepth > 0) {
            subtitles.push_front(subtitles.front() + QStringLiteral(" · ") +
                                 tr("%1 queued").arg(facts.queueDepth));
        }
    }
    paintBox(painter, places.workers, tr("Backends"), subtitles, m_theme.accent);
    const BackendRows rows = layBackends(places.workers, samples.size());
    auto first = facts.threads.begin();
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const auto count =
            std::min<std::ptrdiff_t>(samples[i].threads, facts.threads.end() - first);
        paintBackend(painter, rows.row(i), static_cast<int>(i) + 1, samples[i],
                     {first, first + count});
        first += count;
    }
}

/// One line of words, and its workers as a strip beneath: as wide as there is room, a square each.
void PipelinePainter::paintBackend(QPainter& painter, const QRectF& row, int number,
                                   const BackendSample& sample,
                                   const std::vector<WorkerSample>& threads) const {
    const QColor health = !sample.up       ? m_theme.worse
                          : sample.resting ? m_theme.queueFill
                                           : m_theme.better;
    painter.setPen(Qt::NoPen);
    painter.setBrush(m_theme.chip);
    painter.drawRoundedRect(row, 4, 4);
    painter.setBrush(health);
    painter.drawRoundedRect(QRectF(row.left(), row.top(), 4, row.height()), 2, 2);
    QStringList words{QStringLiteral("#%1 %2").arg(number).arg(healthWord(sample))};
    if (sample.up) words << tr("%1 in hand").arg(sample.in_flight);
    words << tr("weight %1").arg(weightText(sample));
    if (sample.fails > 0) words << tr("%1 failed").arg(sample.fails);
    if (sample.queue_depth > 0) words << tr("%1 queued").arg(sample.queue_depth);
    constexpr double line = 14, strip = 7;
    const bool two = row.height() >= line + strip + 2 && !threads.empty();
    const QRectF text(row.left() + 9, row.top(), row.width() - 13,
                      two ? row.height() - strip - 3 : row.height());
    painter.setFont(m_small);
    painter.setPen(m_theme.text);
    painter.drawText(
        text, Qt::AlignLeft | Qt::AlignVCenter,
        painter.fontMetrics().elidedText(words.join(QStringLiteral(" · ")), Qt::ElideRight,
                                         static_cast<int>(text.width())));
    if (!two) return;
    const double step = std::min(14.0, text.width() / static_cast<double>(threads.size()));
    painter.setPen(Qt::NoPen);
    for (std::size_t i = 0; i < threads.size(); ++i) {
        const bool idle = threads[i].state == WorkerState::idle;
        painter.setBrush(idle ? mixed(m_theme.secondText, 0.25f) : colourOf(threads[i].state));
        painter.drawRoundedRect(QRectF(text.left() + static_cast<double>(i) * step,
                                       row.bottom() - strip - 3, std::max(1.5, step - 2), strip),
                                1.5, 1.5);
    }
}

}  // namespace lab::app
