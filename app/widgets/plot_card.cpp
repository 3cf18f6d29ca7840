// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/plot_card.hpp"

#include <QApplication>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QHeaderView>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMenu>
#include <QMouseEvent>
#include <QPainter>
#include <QTableView>
#include <QToolButton>
#include <QToolTip>

#include <algorithm>
#include <cmath>

#include "widgets/chart_table.hpp"
#include "widgets/plot_parts.hpp"

namespace lab::app {

PlotCard::PlotCard(const QString& title, const QString& unit, RunHistory* history, QWidget* parent)
    : QWidget(parent),
      m_title(title),
      m_unit(unit),
      m_history(history),
      m_theme(Theme::light()),
      m_ground(std::make_unique<Ground>()) {
    makeFaces();
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(title);
    setAttribute(Qt::WA_OpaquePaintEvent);
    m_table = new ChartTable(this);
    m_tableButton = new QToolButton(this);
    m_tableButton->setAccessibleName(tr("Show %1 as a table").arg(title));
    m_tableButton->setToolTip(tr("Table (T)"));
    m_tableButton->setFocusPolicy(Qt::NoFocus);
    m_tableButton->setCheckable(true);
    m_tableButton->setAutoRaise(true);
    m_tableButton->setStyleSheet(QStringLiteral("QToolButton { border: none; background: none; }"));
    connect(m_tableButton, &QToolButton::toggled, this, &PlotCard::setTableShown);
    connect(m_history, &RunHistory::changed, this, &PlotCard::onHistoryChanged);
    connect(m_history, &RunHistory::pinnedChanged, this, [this] { m_ground->valid = false; });
}

PlotCard::~PlotCard() = default;

void PlotCard::setTheme(const Theme& theme) {
    m_theme = theme;
    m_tableButton->setIcon(tableIcon(theme.secondText));
    m_ground->valid = false;
    redrawSoon();
}

void PlotCard::setScale(double scale) {
    m_scale = scale;
    makeFaces();
    m_ground->valid = false;
    updateGeometry();
    redrawSoon();
}

void PlotCard::makeFaces() {
    const auto pixels = [this](double size) { return int(size * m_scale); };
    m_faces = {.title = Fonts::text(pixels(13), QFont::DemiBold),
               .label = Fonts::text(pixels(11)),
               .strong = Fonts::text(pixels(11), QFont::DemiBold),
               .tiny = Fonts::text(pixels(10)),
               .hint = Fonts::text(pixels(13))};
}

void PlotCard::setFramed(bool framed) {
    m_framed = framed;
    m_ground->valid = false;
    placeChildren();
    redrawSoon();
}

int PlotCard::headerLines() const { return layOutHeader().lines; }

void PlotCard::setLeastHeaderLines(int lines) {
    if (lines == m_leastHeaderLines) return;
    m_leastHeaderLines = lines;
    m_ground->valid = false;
    redrawSoon();
}

void PlotCard::setHint(const QString& text) {
    if (m_hint == text) return;
    m_hint = text;
    redrawSoon();
}

void PlotCard::setBadge(const QString& text) {
    if (m_badge == text) return;
    m_badge = text;
    m_ground->valid = false;
    redrawSoon();
}

void PlotCard::setCursorTime(std::optional<double> seconds) {
    if (m_cursor == seconds) return;
    m_cursor = seconds;
    update();
}

QSize PlotCard::sizeHint() const { return {int(430 * m_scale), int(240 * m_scale)}; }
QSize PlotCard::minimumSizeHint() const { return {int(240 * m_scale), int(130 * m_scale)}; }

void PlotCard::onHistoryChanged() {
    if (m_history->isEmpty()) setCursorTime(std::nullopt);
    redrawSoon();
}

/// Marks the picture as old. What cannot be seen is drawn when it is shown.
void PlotCard::redrawSoon() {
    m_stale = true;
    if (isVisible() && !isTableShown()) update();
}

void PlotCard::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    placeChildren();
}

void PlotCard::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    placeChildren();
    m_ground->valid = false;
    m_stale = true;
}

void PlotCard::placeChildren() {
    constexpr int side = 22, margin = 8, top = 6;
    m_tableButton->setVisible(m_framed);
    m_tableButton->setGeometry(width() - side - margin, top, side, side);
    if (m_tableView != nullptr) {
        const int head = int(34 * m_scale);
        m_tableView->setGeometry(margin, head, width() - 2 * margin, height() - head - margin);
    }
}

void PlotCard::pointAt(std::optional<double> seconds) {
    if (seconds) {
        const auto index = m_history->nearest(*seconds);
        seconds = index ? std::optional(m_history->points()[*index].seconds) : std::nullopt;
    }
    setCursorTime(seconds);
    emit cursorMoved(seconds);
}

void PlotCard::mouseMoveEvent(QMouseEvent* event) {
    const QRectF plot = m_area.rect.adjusted(-2, -2, 2, 2);
    if (isTableShown() || !plot.contains(event->position())) {
        if (m_cursor) pointAt(std::nullopt);
        return;
    }
    const double share = (event->position().x() - m_area.rect.left()) / m_area.rect.width();
    pointAt(m_area.time.from + share * (m_area.time.to - m_area.time.from));
}

void PlotCard::leaveEvent(QEvent* event) {
    QWidget::leaveEvent(event);
    if (m_cursor) pointAt(std::nullopt);
}

void PlotCard::moveCursorBy(int frames) {
    const auto& points = m_history->points();
    if (points.empty()) return;
    const auto last = static_cast<int>(points.size()) - 1;
    int index = last;
    if (m_cursor) {
        index = static_cast<int>(m_history->nearest(*m_cursor).value_or(0)) + frames;
    }
    const auto first = static_cast<int>(m_history->nearest(m_area.time.from).value_or(0));
    index = std::clamp(index, std::min(first, last), last);
    pointAt(points[static_cast<std::size_t>(index)].seconds);
}

void PlotCard::keyPressEvent(QKeyEvent* event) {
    if (event->matches(QKeySequence::Copy)) return copyCsv();
    constexpr int stride = 10, all = 1'000'000;  // frames: shift moves a second
    const int step = event->modifiers().testFlag(Qt::ShiftModifier) ? stride : 1;
    switch (event->key()) {
        case Qt::Key_Left:
            return moveCursorBy(-step);
        case Qt::Key_Right:
            return moveCursorBy(step);
        case Qt::Key_Home:
            return moveCursorBy(-all);
        case Qt::Key_End:
            return moveCursorBy(all);
        case Qt::Key_T:
            return setTableShown(!isTableShown());
        case Qt::Key_Escape:
            if (isTableShown()) return setTableShown(false);
            if (m_cursor) return pointAt(std::nullopt);
            break;
        default:
            break;
    }
    QWidget::keyPressEvent(event);
}

void PlotCard::contextMenuEvent(QContextMenuEvent* event) {
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->addAction(isTableShown() ? tr("Show as chart") : tr("Show as table"), this,
                    [this] { setTableShown(!isTableShown()); });
    extendMenu(*menu);
    menu->addAction(tr("Copy values (CSV)"), this, &PlotCard::copyCsv);
    menu->addAction(tr("Copy picture"), this, &PlotCard::copyPicture);
    menu->popup(event->globalPos());
}

bool PlotCard::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        if (m_framed && help->pos().y() < m_area.rect.top()) {
            QToolTip::showText(help->globalPos(), explanation(), this);
        } else {
            QToolTip::hideText();
        }
        return true;
    }
    if (event->type() == QEvent::FocusIn || event->type() == QEvent::FocusOut) update();
    return QWidget::event(event);
}

bool PlotCard::isTableShown() const {
    return m_tableView != nullptr && m_tableView->isVisibleTo(this);
}

void PlotCard::setTableShown(bool shown) {
    if (shown == isTableShown()) return;
    if (shown && m_tableView == nullptr) {
        m_tableView = new QTableView(this);
        m_tableView->setAccessibleName(tr("%1, as a table").arg(m_title));
        m_tableView->verticalHeader()->hide();
        m_tableView->verticalHeader()->setDefaultSectionSize(24);
        m_tableView->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
        m_tableView->horizontalHeader()->setHighlightSections(false);
        m_tableView->setSelectionBehavior(QAbstractItemView::SelectRows);
        m_tableView->setFrameShape(QFrame::NoFrame);
        m_tableView->setShowGrid(false);
        m_tableView->setFont(Fonts::text(int(12 * m_scale)));
        m_tableView->horizontalHeader()->setFont(Fonts::text(int(11 * m_scale)));
        m_tableView->setModel(m_table);
        m_tableView->installEventFilter(this);
        placeChildren();
    }
    if (shown) {
        fillTable();
        m_tableView->scrollToBottom();
    }
    m_tableView->setVisible(shown);
    if (shown) {
        m_tableView->setFocus();
    } else {
        setFocus();
    }
    m_ground->valid = false;
    m_tableButton->setChecked(shown);
    m_tableButton->setToolTip(shown ? tr("Chart (T)") : tr("Table (T)"));
    redrawSoon();
    update();
}

/// T, Esc and Ctrl+C mean in the table what they mean in the chart.
bool PlotCard::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_tableView && event->type() == QEvent::KeyPress) {
        auto* key = static_cast<QKeyEvent*>(event);
        if (key->key() == Qt::Key_T || key->key() == Qt::Key_Escape ||
            key->matches(QKeySequence::Copy)) {
            keyPressEvent(key);
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

void PlotCard::fillTable() {
    std::vector<TableColumn> all = columns();
    all.insert(all.begin(),
               TableColumn{.header = tr("time (s)"),
                           .value = [](const HistoryPoint& p) { return QVariant(p.seconds); },
                           .decimals = 1});
    m_table->setRows(std::move(all), m_history->points());
}

ChartTable* PlotCard::table() {
    if (!isTableShown()) fillTable();
    return m_table;
}

QString PlotCard::csv() { return table()->csv(); }
void PlotCard::copyCsv() { QApplication::clipboard()->setText(csv()); }

void PlotCard::copyPicture() {
    if (m_stale) drawPicture();
    QApplication::clipboard()->setPixmap(m_picture);
}

void PlotCard::paintEvent(QPaintEvent*) {
    if (m_picture.deviceIndependentSize().toSize() != size() ||
        !qFuzzyCompare(m_picture.devicePixelRatio(), devicePixelRatioF())) {
        m_stale = true;
        m_ground->valid = false;
    }
    if (m_stale) drawPicture();
    QPainter painter(this);
    painter.drawPixmap(0, 0, m_picture);
    if (isTableShown()) return;
    if (m_cursor) paintCursor(painter);
    if (hasFocus() && m_framed) {
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(QPen(m_theme.accent, 2));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(QRectF(rect()).adjusted(1, 1, -1, -1), 8, 8);
    }
}

void PlotCard::drawPicture() {
    const double ratio = devicePixelRatioF();
    const QSize pixels = size() * ratio;
    if (pixels.isEmpty()) return;
    m_area = layOut();
    if (!m_ground->valid || !(m_ground->time == m_area.time) || !(m_ground->axis == m_area.axis) ||
        m_ground->legend != layOutHeader().legend) {
        drawGround(m_area);
    }
    if (m_picture.size() != pixels) m_picture = QPixmap(pixels);
    m_picture.setDevicePixelRatio(ratio);
    QPainter painter(&m_picture);
    painter.drawPixmap(0, 0, m_ground->picture);
    m_stale = false;
    if (isTableShown()) return;
    if (m_history->isEmpty()) {
        painter.setFont(m_faces.hint);
        QRectF words =
            painter.boundingRect(m_area.rect, Qt::AlignCenter | Qt::TextWordWrap, m_hint);
        painter.fillRect(words.adjusted(-8, -3, 8, 3), m_framed ? m_theme.panel : m_theme.window);
        painter.setPen(m_theme.secondText);
        painter.drawText(m_area.rect, Qt::AlignCenter | Qt::TextWordWrap, m_hint);
        return;
    }
    paintBands(painter, m_area);
    painter.save();
    painter.setClipRect(m_area.rect.adjusted(0, -2, 1, 2));
    paintData(painter, m_area);
    painter.restore();
    paintMarkers(painter, m_area);
    ++m_redraws;
    tellAccessibility();
}

void PlotCard::tellAccessibility() {
    constexpr int once = 10;  // frames: once a second
    if (--m_untilTold > 0) return;
    m_untilTold = once;
    QStringList words;
    for (const ReadoutLine& line : readout(m_history->points().back())) {
        words << line.name + QLatin1Char(' ') + line.value;
    }
    setAccessibleDescription(explanation() + QLatin1Char(' ') + words.join(QStringLiteral(", ")));
}

void PlotCard::paintBehind(QPainter&, const PlotArea&) {}
void PlotCard::extendMenu(QMenu&) {}

void PlotCard::redrawAll() {
    m_ground->valid = false;
    redrawSoon();
}

}  // namespace lab::app
