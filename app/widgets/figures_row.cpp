// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/figures_row.hpp"

#include <QCoreApplication>
#include <QHBoxLayout>

#include <cmath>

namespace lab::app {

namespace {

QString tr(const char* text) { return QCoreApplication::translate("FiguresRow", text); }

/// Three significant digits at most, no more than one decimal: "0.4", "9.8", "51", "1,204".
QString showNumber(double value, int decimals = 1) {
    if (value >= 100) decimals = 0;
    if (value >= 9.95 && decimals > 0) decimals = 0;
    QString text = QString::number(value, 'f', decimals);
    if (value >= 9999.5) text = QString::number(value / 1000, 'f', 1) + QLatin1Char('k');
    return text;
}

struct Change {
    QString text;
    Tone tone = Tone::neutral;
};

/// "▲ 3.9× A" from a doubling on, "▲ 12 % A" below; "as A" within 2 %, which is weather.
Change changeAgainst(double now, double before, bool moreIsBetter) {
    constexpr double weather = 0.02;
    if (before <= 0) {
        if (now <= 0) return {tr("as A"), Tone::neutral};
        return {tr("A 0"), Tone::neutral};
    }
    const double ratio = now / before;
    if (std::abs(ratio - 1) < weather) return {tr("as A"), Tone::neutral};
    const bool more = ratio > 1;
    const Tone tone = more == moreIsBetter ? Tone::better : Tone::worse;
    const QString arrow = more ? QStringLiteral("▲ ") : QStringLiteral("▼ ");
    if (ratio >= 2) {
        return {arrow + tr("%1× A").arg(showNumber(ratio)), tone};
    }
    const double percent = std::abs(ratio - 1) * 100;
    // 99.96 % less is not "100 % less": something is left.
    const int decimals = !more && percent > 99 ? 1 : 0;
    const double shown = decimals > 0 ? std::min(percent, 99.9) : percent;
    return {arrow + tr("%1 % A").arg(QString::number(shown, 'f', decimals)), tone};
}

QString plain(double value) {
    return value < 10 && std::abs(value - std::round(value)) > 0.05
               ? QString::number(value, 'f', 1)
               : QString::number(value, 'f', 0);
}

QString rateTip(const Figures& now, const QString& meaning) {
    return meaning + QLatin1Char('\n') +
           tr("Over the last %1 s.").arg(now.rateWindow > 0 ? now.rateWindow : 1.0, 0, 'f', 1);
}

QString comparedTip(const std::optional<Figures>& before) {
    if (!before) return {};
    return QLatin1Char('\n') + tr("A: the pinned run from %1 s to %2 s.")
                                   .arg(before->from, 0, 'f', 1)
                                   .arg(before->to, 0, 'f', 1);
}

void describeRate(FigureText& t, std::optional<double> now, std::optional<double> before,
                  bool present) {
    t.unit = tr("req/s");
    if (!now) return;
    t.value = showNumber(*now);
    if (!before) return;
    if (present) {
        t.change = tr("was %1").arg(showNumber(*before));
        t.tone = changeAgainst(*now, *before, true).tone;
        return;
    }
    const Change change = changeAgainst(*now, *before, true);
    t.change = change.text;
    t.tone = change.tone;
}

/// Why answers are no goodput, worst first: it matters more than the change against A.
void describeMarks(FigureText& t, const Figures& now) {
    const auto say = [&t](const QString& what, double perSecond) {
        t.change = tr("%1 %2/s").arg(what, showNumber(perSecond));
        t.tone = Tone::worse;
    };
    constexpr double worthTelling = 0.05;  // of a request a second
    if (now.wrongUser > worthTelling) {
        say(tr("wrong user"), now.wrongUser);
    } else if (now.stale > worthTelling && now.stale >= now.late) {
        say(tr("stale"), now.stale);
    } else if (now.late > worthTelling) {
        say(tr("too late"), now.late);
    }
}

void describeLatency(FigureText& t, std::optional<double> now, std::optional<double> before,
                     bool present) {
    t.unit = tr("ms");
    if (!now) return;
    std::tie(t.value, t.unit) = showMilliseconds(*now);
    if (!before) return;
    const Change change = changeAgainst(*now, *before, false);
    t.change = change.text;
    t.tone = change.tone;
    if (!present) return;
    const auto [value, unit] = showMilliseconds(*before);
    t.change = tr("was %1").arg(value + QLatin1Char(' ') + unit);
}

void describeWaiting(FigureText& t, const Figures& now, const std::optional<Figures>& before,
                     bool present) {
    if (!now.waiting) return;
    t.value = showNumber(*now.waiting, 0);
    constexpr double growing = 2;  // requests a second: less is coming and going
    if (present && now.queueGrowth && std::abs(*now.queueGrowth) >= growing) {
        const bool grows = *now.queueGrowth > 0;
        t.change = (grows ? tr("growing %1 a second") : tr("falling %1 a second"))
                       .arg(showNumber(std::abs(*now.queueGrowth), 0));
        t.tone = grows ? Tone::worse : Tone::better;
        return;
    }
    if (before && before->waiting) {
        t.change = tr("was %1").arg(plain(*before->waiting));
    }
}

void describeErrors(FigureText& t, const Figures& now, const std::optional<Figures>& before) {
    t.unit = QStringLiteral("%");
    if (!now.errorShare) return;
    const double percent = *now.errorShare * 100;
    t.value = QString::number(percent, 'f', percent < 99.95 ? 1 : 0);
    if (before && before->errorShare) {
        t.change = tr("was %1 %").arg(QString::number(*before->errorShare * 100, 'f', 1));
        constexpr double weather = 0.001;
        const double moved = *now.errorShare - *before->errorShare;
        if (std::abs(moved) > weather) t.tone = moved > 0 ? Tone::worse : Tone::better;
        if (t.tone != Tone::neutral) {
            t.change = (moved > 0 ? QStringLiteral("▲ ") : QStringLiteral("▼ ")) + t.change;
        }
    }
}

void describeBusy(FigureText& t, const Figures& now, const std::optional<Figures>& before) {
    t.unit = QStringLiteral("%");
    if (!now.busy) return;
    constexpr double saturated = 0.98, near = 0.90;
    t.value = QString::number(*now.busy * 100, 'f', 0);
    if (*now.busy >= saturated) {
        t.change = tr("saturated");
        t.tone = Tone::worse;
    } else if (*now.busy >= near) {
        t.change = tr("near saturation");
        t.tone = Tone::worse;
    } else if (before && before->busy) {
        t.change = tr("was %1 %").arg(QString::number(*before->busy * 100, 'f', 0));
    }
}

}  // namespace

std::pair<QString, QString> showMilliseconds(double ms) {
    if (ms < 0.0995) return {QString::number(ms, 'f', 2), tr("ms")};
    if (ms < 9.95) return {QString::number(ms, 'f', 1), tr("ms")};
    if (ms < 999.5) return {QString::number(ms, 'f', 0), tr("ms")};
    const double seconds = ms / 1000;
    return {QString::number(seconds, 'f', seconds < 9.95 ? 1 : 0), tr("s")};
}

FigureText describeFigure(Figure figure, const Figures& now, const std::optional<Figures>& before,
                          bool present) {
    FigureText t;
    t.value = QStringLiteral("–");
    const auto a = [&](std::optional<double> Figures::*which) {
        return before ? (*before).*which : std::nullopt;
    };
    const QString percentiles =
        QLatin1Char('\n') + tr("Of %1 answers and time-outs in the last %2 s.")
                                .arg(now.samples)
                                .arg(now.latencyWindow, 0, 'f', 1);
    switch (figure) {
        case Figure::goodput:
            t.title = tr("Goodput");
            t.tip =
                rateTip(now, tr("Answers a second that are right, fresh and within the deadline."));
            describeRate(t, now.goodput, a(&Figures::goodput), present);
            describeMarks(t, now);
            break;
        case Figure::throughput:
            t.title = tr("Throughput");
            t.tip = rateTip(now, tr("Answers a second with a 2xx or 3xx status."));
            describeRate(t, now.throughput, a(&Figures::throughput), present);
            if (present) describeMarks(t, now);
            break;
        case Figure::p50:
            t.title = present ? tr("p50 latency") : tr("Latency p50");
            t.tip = tr("Half of the requests were faster than this.") + percentiles;
            describeLatency(t, now.p50, a(&Figures::p50), present);
            break;
        case Figure::p99:
            t.title = present ? tr("p99 latency") : tr("Latency p99");
            t.tip = tr("One request in a hundred was slower than this.") + percentiles;
            describeLatency(t, now.p99, a(&Figures::p99), present);
            break;
        case Figure::waiting:
            t.title = present ? tr("Waiting") : tr("Waiting in queue");
            t.tip = tr("Requests in the admission queue and the kernel's backlog, at this moment.");
            describeWaiting(t, now, before, present);
            break;
        case Figure::errors:
            t.title = tr("Errors");
            t.tip = rateTip(
                now, tr("Share of the requests that ended without an answer of 2xx or 3xx."));
            describeErrors(t, now, before);
            break;
        case Figure::busy:
            t.title = tr("Workers busy");
            t.tip =
                rateTip(now, tr("Share of the worker threads' time in which they held a request."));
            describeBusy(t, now, before);
            break;
    }
    t.tip += comparedTip(before);
    return t;
}

FiguresRow::FiguresRow(RunHistory* history, QWidget* parent)
    : FiguresRow(history,
                 {Figure::goodput, Figure::p50, Figure::p99, Figure::waiting, Figure::errors,
                  Figure::busy},
                 false, parent) {}

FiguresRow::FiguresRow(RunHistory* history, std::vector<Figure> figures, bool present,
                       QWidget* parent)
    : QWidget(parent), m_history(history), m_figures(std::move(figures)), m_present(present) {
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(9);
    for (const Figure figure : m_figures) {
        auto* card = new FigureCard(describeFigure(figure, {}, {}, present).title, this);
        card->setFramed(!present);
        if (figure == Figure::waiting) card->setShortTitle(tr("In queue"));
        row->addWidget(card, present ? 0 : 1);
        m_cards.push_back(card);
    }
    if (present) row->addStretch(1);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    connect(m_history, &RunHistory::changed, this, [this] {
        if (isVisible()) refresh();
    });
    refresh();
}

void FiguresRow::setTheme(const Theme& theme) {
    for (FigureCard* card : m_cards) card->setTheme(theme);
}

void FiguresRow::setScale(double scale) {
    for (FigureCard* card : m_cards) card->setScale(scale);
}

void FiguresRow::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    refresh();
}

void FiguresRow::refresh() {
    std::optional<Figures> before;
    if (const auto pinned = m_history->pinned()) before = pinned->figures;
    for (std::size_t i = 0; i < m_cards.size(); ++i) {
        const FigureText text =
            describeFigure(m_figures[i], m_history->figures(), before, m_present);
        m_cards[i]->setValue(text.value, text.unit);
        m_cards[i]->setChange(text.change, text.tone);
        if (m_cards[i]->toolTip() != text.tip) m_cards[i]->setToolTip(text.tip);
    }
}

}  // namespace lab::app
