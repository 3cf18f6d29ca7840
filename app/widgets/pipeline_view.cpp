// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/pipeline_view.hpp"

#include <QElapsedTimer>
#include <QMouseEvent>
#include <QPaintEvent>
#include <QPainter>
#include <QPixmap>
#include <QTimer>

#include <array>

#include "widgets/pipeline_paint.hpp"
#include "widgets/pipeline_scene.hpp"

namespace lab::app {

namespace {

constexpr int tickMs = 33;          // 30 pictures a second at most
constexpr Duration behind = 150ms;  // dots are replayed this late, so that frames have arrived

}  // namespace

struct PipelineView::State {
    State(RunHistory* h, PipelineView* view) : history(h), painter(Theme::light()), timer(view) {
        timer.setInterval(tickMs);
        timer.setTimerType(Qt::CoarseTimer);
        clock.start();
    }

    RunHistory* history;
    PipelineParts parts;
    PipelinePlaces places;
    PipelineScene scene;
    PipelinePainter painter;
    Theme theme = Theme::light();
    QTimer timer;
    QElapsedTimer clock;
    double scale = 1;                    // seconds of the run in one of ours
    std::int64_t passed = 0;             // of run time, ns, until the clock was last started
    std::optional<std::int64_t> offset;  // of our clock against the run's, ns; the least seen
    std::uint64_t lastNumber = 0;
    QPixmap boxes;  // everything but the dots
    bool boxesStale = true;
    bool reduced = false, running = true;
    int untilTold = 0;
    QString plan;

    [[nodiscard]] bool bands() const { return reduced || scene.facts().dense; }
    [[nodiscard]] Instant replayed() const {
        return Instant{Duration{runNow() - offset.value_or(0)} - scaled(behind.count())};
    }
    [[nodiscard]] Duration scaled(std::int64_t ns) const {
        return Duration{static_cast<std::int64_t>(static_cast<double>(ns) * scale)};
    }
    [[nodiscard]] std::int64_t runNow() const {
        return passed + scaled(clock.nsecsElapsed()).count();
    }
    /// Maps our clock to the run's by the frame that was least late.
    void follow(const Frame& frame) {
        const std::int64_t end = (frame.start + frame.length).time_since_epoch().count();
        const std::int64_t now = runNow() - end;
        const std::int64_t slack = scaled(200'000).count();  // a frame: forgets an early one
        offset = offset ? std::min(*offset + slack, now) : now;
    }
};

PipelineView::PipelineView(RunHistory* history, QWidget* parent)
    : QWidget(parent), m_state(std::make_unique<State>(history, this)) {
    setAccessibleName(tr("Pipeline"));
    setMouseTracking(true);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    connect(history, &RunHistory::changed, this, [this] { onHistoryChanged(); });
    connect(history, &RunHistory::cleared, this, [this] {
        m_state->scene.clear();
        m_state->offset.reset();
        m_state->lastNumber = 0;
    });
    connect(&m_state->timer, &QTimer::timeout, this, [this] { tick(); });
}

PipelineView::~PipelineView() = default;

void PipelineView::setModel(const Model& model) {
    m_state->parts = partsOf(model);
    m_state->places = placeBoxes(size(), m_state->parts);
    redrawBoxes();
}

void PipelineView::setTheme(const Theme& theme) {
    m_state->theme = theme;
    m_state->painter = PipelinePainter(theme);
    redrawBoxes();
}

void PipelineView::setTimeScale(double scale) {
    State& s = *m_state;
    if (scale == s.scale) return;
    const bool stood = s.scale == 0;
    s.passed = s.runNow();
    s.clock.restart();
    s.scale = scale;
    // Another speed: the frames to come say anew where the run stands. A pause moves nothing.
    if (!stood && scale != 0) s.offset.reset();
    startOrStop();
}

void PipelineView::setReducedMotion(bool reduced) {
    m_state->reduced = reduced;
    redrawBoxes();
    startOrStop();
}

void PipelineView::setRunning(bool running) {
    m_state->running = running;
    startOrStop();
    redrawBoxes();
}

bool PipelineView::isAnimating() const { return m_state->timer.isActive(); }
QSize PipelineView::sizeHint() const { return {736, 207}; }
QSize PipelineView::minimumSizeHint() const { return {440, 170}; }

void PipelineView::onHistoryChanged() {
    const FramePtr frame = m_state->history->lastFrame();
    if (!frame) {
        redrawBoxes();
        startOrStop();
        return;
    }
    // changed() also tells of pins: a frame is taken once.
    const std::uint64_t number = frame->number + 1;
    if (number == m_state->lastNumber) return;
    m_state->lastNumber = number;
    if (!isVisible()) return;
    m_state->follow(*frame);
    m_state->scene.append(*frame, *m_state->history);
    redrawBoxes();
    startOrStop();
    constexpr int once = 10;  // frames: each second
    if (--m_state->untilTold <= 0) {
        m_state->untilTold = once;
        setAccessibleDescription(describe());
        const QString plan = QString::fromStdString(frame->server.plan);
        if (plan != m_state->plan) setToolTip(m_state->plan = plan);
    }
}

void PipelineView::redrawBoxes() {
    m_state->boxesStale = true;
    if (isVisible()) update();
}

/// The timer runs only while there is a dot that can be seen to move.
void PipelineView::startOrStop() {
    const bool wanted =
        isVisible() && m_state->running && !m_state->bands() && m_state->scene.hasDots();
    if (wanted == m_state->timer.isActive()) return;
    if (wanted) {
        m_state->timer.start();
    } else {
        m_state->timer.stop();
        update();
    }
}

void PipelineView::tick() {
    // A run that sends no more frames leaves no dots hanging.
    const auto quiet = m_state->replayed() - Instant{};
    if (const FramePtr frame = m_state->history->lastFrame()) {
        constexpr Duration patience = 2s;
        if (quiet > (frame->start + frame->length) - Instant{} + patience) {
            m_state->timer.stop();
            return;
        }
    }
    const PipelinePlaces& p = m_state->places;
    constexpr int reach = 6;  // a dot's radius and its edge
    const auto lane = [&](double left, double right, double y) {
        update(
            QRectF(left - reach, y - reach, right - left + 2 * reach, 2 * reach).toAlignedRect());
    };
    lane(p.clients.right(), p.queue.left(), p.laneY);
    lane(p.workers.right(), p.exitX, p.exitY);
    update(QRectF(p.queue.right() - reach, p.workers.top(),
                  p.workers.left() - p.queue.right() + 4 * reach, p.workers.height())
               .toAlignedRect());
    const PipelineFacts& facts = m_state->scene.facts();
    if (facts.rejected + facts.timedOut + facts.otherErrors > 0) {
        update(QRectF(p.queue.right() - 12 - reach, p.queue.bottom() - reach, 6 * reach,
                      p.bottom - p.queue.bottom() + 2 * reach)
                   .toAlignedRect());
        update(QRectF(p.workers.center().x() - reach, p.workers.bottom() - reach, 6 * reach,
                      p.bottom - p.workers.bottom() + 2 * reach)
                   .toAlignedRect());
    }
}

void PipelineView::mousePressEvent(QMouseEvent* event) {
    const bool left = event->button() == Qt::LeftButton;
    if (left && m_state->places.cache.contains(event->position())) {
        emit cacheClicked();
    } else if (left && m_state->places.database.contains(event->position())) {
        emit databaseClicked();
    } else {
        QWidget::mousePressEvent(event);
    }
}

/// The hand says what a click would do.
void PipelineView::mouseMoveEvent(QMouseEvent* event) {
    const QPointF at = event->position();
    const bool clickable =
        m_state->places.cache.contains(at) || m_state->places.database.contains(at);
    setCursor(clickable ? Qt::PointingHandCursor : Qt::ArrowCursor);
    QWidget::mouseMoveEvent(event);
}

void PipelineView::paintEvent(QPaintEvent* event) {
    State& s = *m_state;
    const double ratio = devicePixelRatioF();
    const QSize pixels = size() * ratio;
    if (s.boxesStale || s.boxes.size() != pixels) {
        if (s.boxes.size() != pixels) s.boxes = QPixmap(pixels);
        s.boxes.setDevicePixelRatio(ratio);
        s.boxes.fill(s.theme.window);
        QPainter boxes(&s.boxes);
        s.painter.paintBoxes(boxes, size(), s.parts, s.places, s.scene.facts(), s.bands());
        s.boxesStale = false;
    }
    QPainter painter(this);
    const QRect dirty = event->rect();
    painter.drawPixmap(QPointF(dirty.topLeft()), s.boxes,
                       QRectF(QPointF(dirty.topLeft()) * ratio, QSizeF(dirty.size()) * ratio));
    if (s.running && !s.bands()) s.painter.paintDots(painter, s.scene.dots(s.replayed(), s.places));
}

void PipelineView::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    m_state->scene.clear();  // what happened meanwhile was not followed
    m_state->offset.reset();
    m_state->lastNumber = 0;
    onHistoryChanged();
    redrawBoxes();
}

void PipelineView::hideEvent(QHideEvent* event) {
    QWidget::hideEvent(event);
    m_state->timer.stop();
}

void PipelineView::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    m_state->places = placeBoxes(size(), m_state->parts);
    redrawBoxes();
}

QString PipelineView::describe() const {
    const PipelineFacts& f = m_state->scene.facts();
    const PipelineParts& parts = m_state->parts;
    QStringList words;
    words << tr("Clients: %1.").arg(parts.clients);
    if (!f.running) return words.join(QLatin1Char(' ')) + QLatin1Char(' ') + tr("Nothing runs.");
    words << tr("%1 in flight.").arg(f.inFlight)
          << tr("Queue: %1 of %2 waiting.").arg(f.queueDepth).arg(f.queueCapacity);
    std::array<int, workerStates> doing{};
    for (const WorkerSample& w : f.threads) ++doing[static_cast<std::size_t>(w.state)];
    QStringList states;
    for (std::size_t i = 0; i < doing.size(); ++i) {
        if (doing[i] > 0) {
            states << QStringLiteral("%1 %2").arg(doing[i]).arg(workerWord(WorkerState(i)));
        }
    }
    words << tr("Workers: %1; %2 % busy.")
                 .arg(states.join(QStringLiteral(", ")))
                 .arg(f.busy * 100, 0, 'f', 0);
    if (parts.cache) {
        words << (f.hitRatio ? tr("Cache %1: %2 % hits.")
                                   .arg(parts.cacheMode)
                                   .arg(*f.hitRatio * 100, 0, 'f', 0)
                             : tr("Cache %1.").arg(parts.cacheMode));
    }
    if (parts.database) {
        words << tr("Database: %1 of %2 connections in use.").arg(f.poolInUse).arg(f.poolSize);
        const QString plan =
            f.progress.empty() ? shortPlan(f.plan) : QString::fromStdString(f.progress);
        if (!plan.isEmpty()) words << plan + QLatin1Char('.');
    }
    if (f.rejected > 0) words << tr("%1 rejected a second.").arg(f.rejected, 0, 'f', 0);
    if (f.timedOut > 0) words << tr("%1 timed out a second.").arg(f.timedOut, 0, 'f', 0);
    return words.join(QLatin1Char(' '));
}

}  // namespace lab::app
