// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/cards.hpp"

#include <QKeyEvent>
#include <QPainter>
#include <QPainterPath>
#include <QTextLayout>
#include <QTimerEvent>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "models/plain_text.hpp"
#include "widgets/icons.hpp"
#include "widgets/pieces.hpp"
#include "widgets/theme.hpp"

namespace lab::app {

namespace {

constexpr int margin = 16;
constexpr int frameMs = 40;
constexpr int mostDots = 17;

/// Draws up to `lines` lines of text, the last one elided. Returns the height used.
double paintLines(QPainter& painter, const QRectF& rect, const QString& text, const QFont& font,
                  int lines) {
    QTextLayout layout(text, font);
    layout.beginLayout();
    const QFontMetricsF metrics(font);
    double y = 0;
    painter.setFont(font);
    for (int i = 0; i < lines; ++i) {
        QTextLine line = layout.createLine();
        if (!line.isValid()) break;
        line.setLineWidth(rect.width());
        QString shown = text.mid(line.textStart(), line.textLength()).trimmed();
        const bool more = line.textStart() + line.textLength() < text.size();
        if (i + 1 == lines && more) {
            shown = metrics.elidedText(text.mid(line.textStart()), Qt::ElideRight, rect.width());
        }
        painter.drawText(QPointF(rect.left(), rect.top() + y + metrics.ascent()), shown);
        y += metrics.height() * 1.12;
    }
    layout.endLayout();
    return y;
}

}  // namespace

ScenarioCard::ScenarioCard(GalleryCard card, bool next, QWidget* parent)
    : QAbstractButton(parent), m_card(std::move(card)), m_next(next) {
    const QString state = m_card.state == CardState::finished ? tr("finished")
                          : m_card.state == CardState::begun  ? tr("begun")
                                                              : tr("not begun");
    setAccessibleName(m_card.title);
    setAccessibleDescription(tr("%1 minutes, %2, %3").arg(m_card.minutes).arg(m_card.topic, state));
    setFocusPolicy(Qt::StrongFocus);
    setCursor(Qt::PointingHandCursor);
    setFixedHeight(cardHeight);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void ScenarioCard::keyPressEvent(QKeyEvent* event) {
    if (!pressOnReturn(this, event)) QAbstractButton::keyPressEvent(event);
}

void ScenarioCard::paintState(QPainter& painter, const QPointF& centre) const {
    const Theme theme = Theme::from(palette());
    const QRectF circle(centre.x() - 7.5, centre.y() - 7.5, 15, 15);
    if (m_card.state == CardState::finished) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(theme.better);
        painter.drawEllipse(circle);
        painter.drawPixmap(
            circle.topLeft() + QPointF(1, 1),
            tintedPixmap(QStringLiteral("check"), theme.panel, 13, devicePixelRatioF()));
        return;
    }
    const bool begun = m_card.state == CardState::begun;
    painter.setPen(QPen(begun ? theme.accent : theme.line, 1.5));
    painter.setBrush(theme.panel);
    painter.drawEllipse(circle);
    if (begun) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(theme.accent);
        painter.drawPie(circle, 90 * 16, 180 * 16);
    }
}

void ScenarioCard::paintEvent(QPaintEvent*) {
    const Theme theme = Theme::from(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const bool strong = hasFocus();
    const double pen = strong ? 2 : 1;
    painter.setPen(QPen(strong || m_next || underMouse() ? theme.accent : theme.line, pen));
    painter.setBrush(theme.panel);
    painter.drawRoundedRect(QRectF(rect()).adjusted(pen / 2, pen / 2, -pen / 2, -pen / 2), 8, 8);

    painter.setPen(theme.text);
    QRectF words = QRectF(rect()).adjusted(margin, 14, -margin, -40);
    const double used =
        paintLines(painter, words, m_card.title, Fonts::text(15, QFont::DemiBold), 2);
    painter.setPen(theme.secondText);
    words.setTop(words.top() + used + 4);
    const QFont small = Fonts::text(12);
    const int room = static_cast<int>(words.height() / (QFontMetricsF(small).height() * 1.12));
    paintLines(painter, words, m_card.summary, small, std::clamp(room, 0, 3));

    const double base = height() - 22;
    paintState(painter, QPointF(margin + 7.5, base));
    painter.setFont(Fonts::text(12));
    painter.setPen(theme.secondText);
    QString facts = tr("%1 min").arg(m_card.minutes);
    if (!m_card.topic.isEmpty()) facts += QStringLiteral(" · ") + m_card.topic;
    const QRectF line(margin + 25, base - 10, width() - 2 * margin - 25, 20);
    painter.drawText(line, Qt::AlignLeft | Qt::AlignVCenter,
                     QFontMetricsF(painter.font()).elidedText(facts, Qt::ElideRight, line.width()));
}

ProblemCard::ProblemCard(const GalleryCard& card, QWidget* parent) : QFrame(parent) {
    setProperty("kind", QStringLiteral("problem"));
    setMinimumHeight(ScenarioCard::cardHeight);
    setAccessibleName(tr("%1 cannot be opened").arg(card.fileName));
    setAccessibleDescription(card.problem);
    setFocusPolicy(Qt::NoFocus);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(margin, 14, margin, 14);
    layout->setSpacing(5);
    layout->addWidget(makeLabel(tr("Cannot be opened"), Fonts::groupName(), "worse"));
    layout->addWidget(makeParagraph(card.title, Fonts::text(15, QFont::DemiBold)));
    QLabel* why = makeParagraph(card.problem, Fonts::text(12), "second");
    why->setTextInteractionFlags(Qt::TextSelectableByMouse);
    layout->addWidget(why);
    layout->addStretch();
}

HeroPicture::HeroPicture(QWidget* parent) : QWidget(parent) {
    setAccessibleName(tr("Requests wait in a queue for one worker"));
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Preferred);
}

void HeroPicture::setModel(const Model& model) {
    Duration work{};
    bool waits = false;
    if (!model.system.routes.empty()) {
        for (const Step& step : model.system.routes.front().steps) {
            work += step.time.a;
            waits = waits || step.kind == StepKind::wait;
        }
    }
    const double rate = model.load.rate.per_second();
    const double answers = work.count() > 0 ? model.system.server.workers *
                                                  model.system.server.threads / to_seconds(work)
                                            : 0;
    const bool drowns = model.load.model == LoadModel::open && answers > 0 && rate > answers;
    m_doing = waits ? tr("waiting") : tr("working");
    m_caption = drowns ? tr("the queue grows by %1 each second").arg(qRound(rate - answers))
                       : tr("requests arrive, wait, and are answered");
    m_arrivals = 3;
    m_answers = drowns ? std::clamp(3 * answers / rate, 0.8, 2.4) : 2.8;
    setAccessibleDescription(m_caption);
    update();
}

void HeroPicture::showEvent(QShowEvent*) { m_timer.start(frameMs, this); }
void HeroPicture::hideEvent(QHideEvent*) { m_timer.stop(); }

void HeroPicture::timerEvent(QTimerEvent* event) {
    if (event->timerId() != m_timer.timerId()) return;
    if (!window()->isActiveWindow() && m_seconds > 8) return;  // rest while nobody looks
    m_seconds += frameMs / 1000.0;
    const double growth = m_arrivals - m_answers;
    if (growth > 0 && m_seconds * growth > mostDots + 6) m_seconds = 0;
    update();
}

void HeroPicture::paintQueue(QPainter& painter, double right, double y) const {
    const Theme theme = Theme::from(palette());
    const double spacing = 14.5;
    const double arrived = m_seconds * m_arrivals + 5;  // a few are there when one looks first
    const double answered = m_seconds * m_answers;
    const double shift = answered - std::floor(answered);
    const int waiting = std::max(0, static_cast<int>(arrived) - static_cast<int>(answered));
    painter.setPen(Qt::NoPen);
    for (int i = 0; i < std::min(waiting, mostDots); ++i) {
        // The one in front leaves for the worker in the last part of an answer's time.
        const double step = std::max(0.0, shift - 0.75) * 4;
        double x = right - (i - step) * spacing;
        double strength = 1.0 - 0.045 * i;
        if (i + 1 == waiting) {  // the newest comes in from the left
            const double age = arrived - std::floor(arrived);
            x -= (1 - std::min(1.0, age * 2.5)) * 40;
            strength *= std::min(1.0, age * 3);
        }
        QColor dot = theme.accent;
        dot.setAlphaF(static_cast<float>(std::clamp(strength, 0.1, 1.0)));
        painter.setBrush(dot);
        painter.drawEllipse(QPointF(x, y), 5, 5);
    }
}

void HeroPicture::paintWorker(QPainter& painter, const QRectF& box) const {
    const Theme theme = Theme::from(palette());
    painter.setPen(QPen(theme.accent, 1.6));
    painter.setBrush(theme.panel);
    painter.drawRoundedRect(box, 8, 8);
    painter.setPen(theme.text);
    painter.setFont(Fonts::text(13, QFont::DemiBold));
    painter.drawText(box.adjusted(14, 10, -14, 0), Qt::AlignLeft | Qt::AlignTop, tr("Worker"));
    const QRectF track(box.left() + 14, box.top() + 36, box.width() - 28, box.height() - 52);
    QPainterPath clip;
    clip.addRoundedRect(track, 5, 5);
    painter.setPen(Qt::NoPen);
    painter.setBrush(theme.chip);
    painter.drawPath(clip);
    const double answered = m_seconds * m_answers;
    QRectF done = track;
    done.setWidth(track.width() * (answered - std::floor(answered)));
    painter.setFont(Fonts::text(12));
    const QRectF words = track.adjusted(9, 0, 0, 0);
    painter.setPen(theme.text);
    painter.drawText(words, Qt::AlignLeft | Qt::AlignVCenter, m_doing);
    painter.save();
    painter.setClipPath(clip);
    painter.setClipRect(done, Qt::IntersectClip);
    painter.fillRect(done, theme.ioFill);
    painter.setPen(Theme::light().text);  // on the filled part, dark in both themes
    painter.drawText(words, Qt::AlignLeft | Qt::AlignVCenter, m_doing);
    painter.restore();
}

void HeroPicture::paintEvent(QPaintEvent*) {
    const Theme theme = Theme::from(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const double y = height() / 2.0;
    const QRectF box(width() - 190, y - 45, 150, 90);
    paintQueue(painter, box.left() - 24, y);
    paintWorker(painter, box);
    const double answered = m_seconds * m_answers;
    const double since = answered - std::floor(answered);
    if (m_seconds > 1 / m_answers && since < 0.5) {
        QColor dot = theme.better;
        dot.setAlphaF(static_cast<float>(1 - since * 2));
        painter.setPen(Qt::NoPen);
        painter.setBrush(dot);
        painter.drawEllipse(QPointF(box.right() + 12 + since * 40, y), 5, 5);
    }
    painter.setPen(theme.secondText);
    painter.setFont(Fonts::text(12));
    painter.drawText(QRectF(0, y + 22, box.left() - 18, 22), Qt::AlignRight | Qt::AlignVCenter,
                     m_caption);
}

}  // namespace lab::app
