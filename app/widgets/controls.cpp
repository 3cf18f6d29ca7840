// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/controls.hpp"

#include <QBoxLayout>
#include <QButtonGroup>
#include <QMouseEvent>
#include <QPainter>
#include <QStyle>
#include <algorithm>

#include "widgets/theme.hpp"

namespace lab::app {

namespace {

constexpr int segmentHeight = 28;
constexpr double knobRadius = 7;

void paintFocusRing(QPainter& painter, const QRectF& rect, double radius, const Theme& theme) {
    painter.setPen(QPen(theme.accent, 2));
    painter.setBrush(Qt::NoBrush);
    painter.drawRoundedRect(rect, radius, radius);
}

/// One choice of a SegmentedControl.
class Segment : public QAbstractButton {
  public:
    explicit Segment(const QString& text, QWidget* parent) : QAbstractButton(parent) {
        setText(text);
        setCheckable(true);
        setFont(Fonts::text(12, QFont::Medium));
        setFocusPolicy(Qt::StrongFocus);
        setCursor(Qt::PointingHandCursor);
        setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    }
    [[nodiscard]] QSize sizeHint() const override {
        return {fontMetrics().horizontalAdvance(text()) + 22, segmentHeight};
    }
    [[nodiscard]] QSize minimumSizeHint() const override { return {30, segmentHeight}; }

  protected:
    void paintEvent(QPaintEvent*) override {
        const Theme theme = Theme::from(palette());
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        const QRectF inner = QRectF(rect()).adjusted(2, 2, -2, -2);
        if (isChecked() || underMouse()) {
            painter.setPen(Qt::NoPen);
            painter.setBrush(theme.chip);
            painter.drawRoundedRect(inner, 5, 5);
        }
        if (hasFocus()) paintFocusRing(painter, inner, 5, theme);
        QFont face = font();
        if (isChecked()) face.setWeight(QFont::DemiBold);
        painter.setFont(face);
        painter.setPen(isChecked() && isEnabled() ? theme.text : theme.secondText);
        const QString shown = QFontMetrics(face).elidedText(text(), Qt::ElideRight, width() - 8);
        painter.drawText(rect(), Qt::AlignCenter | Qt::TextSingleLine, shown);
    }
    void enterEvent(QEnterEvent*) override { update(); }
    void leaveEvent(QEvent*) override { update(); }
};

}  // namespace

ToggleSwitch::ToggleSwitch(QWidget* parent) : QAbstractButton(parent) {
    setCheckable(true);
    setFocusPolicy(Qt::StrongFocus);
    setCursor(Qt::PointingHandCursor);
    setFixedSize(sizeHint());
}

void ToggleSwitch::paintEvent(QPaintEvent*) {
    const Theme theme = Theme::from(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF track = QRectF(rect()).adjusted(2, 2, -2, -2);
    const double radius = track.height() / 2;
    QColor fill = isChecked() ? theme.accent : theme.line;
    if (!isEnabled()) fill.setAlphaF(0.5F);
    painter.setPen(Qt::NoPen);
    painter.setBrush(fill);
    painter.drawRoundedRect(track, radius, radius);
    const double x = isChecked() ? track.right() - radius : track.left() + radius;
    painter.setBrush(theme.dark && !isChecked() ? theme.secondText : theme.panel);
    painter.drawEllipse(QPointF(x, track.center().y()), radius - 2.5, radius - 2.5);
    if (hasFocus()) {
        const QRectF ring = QRectF(rect()).adjusted(1, 1, -1, -1);
        painter.setPen(QPen(theme.text, 1.5));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(ring, ring.height() / 2, ring.height() / 2);
    }
}

SegmentedControl::SegmentedControl(const QStringList& choices, int width, QWidget* parent)
    : QWidget(parent), m_group(new QButtonGroup(this)) {
    int wanted = 0;
    std::vector<Segment*> segments;
    for (const QString& choice : choices) {
        auto* segment = new Segment(choice, this);
        segment->setAccessibleName(choice);
        wanted += segment->sizeHint().width();
        m_group->addButton(segment, static_cast<int>(segments.size()));
        segments.push_back(segment);
    }
    m_stacked = wanted > width;
    auto* layout =
        new QBoxLayout(m_stacked ? QBoxLayout::TopToBottom : QBoxLayout::LeftToRight, this);
    layout->setContentsMargins(1, 1, 1, 1);
    layout->setSpacing(0);
    for (Segment* segment : segments) {
        layout->addWidget(segment, m_stacked ? 0 : segment->sizeHint().width());
    }
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    connect(m_group, &QButtonGroup::idClicked, this, &SegmentedControl::chosen);
}

void SegmentedControl::setCurrent(int index) {
    QAbstractButton* wanted = m_group->button(index);
    if (wanted != nullptr) {
        wanted->setChecked(true);
    } else if (QAbstractButton* now = m_group->checkedButton()) {
        m_group->setExclusive(false);
        now->setChecked(false);
        m_group->setExclusive(true);
    }
}

int SegmentedControl::current() const { return m_group->checkedId(); }
QAbstractButton* SegmentedControl::button(int index) const { return m_group->button(index); }

void SegmentedControl::setChoiceName(const QString& name) {
    setAccessibleName(name);
    for (QAbstractButton* button : m_group->buttons()) {
        button->setAccessibleName(name + QStringLiteral(": ") + button->text());
    }
}

void SegmentedControl::paintEvent(QPaintEvent*) {
    const Theme theme = Theme::from(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(theme.line, 1));
    painter.setBrush(theme.panel);
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
}

ValueSlider::ValueSlider(QWidget* parent) : QSlider(Qt::Horizontal, parent) {
    setFocusPolicy(Qt::StrongFocus);
    setCursor(Qt::PointingHandCursor);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void ValueSlider::paintEvent(QPaintEvent*) {
    const Theme theme = Theme::from(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const double left = knobRadius + 1;
    const double right = width() - knobRadius - 1;
    const double y = height() / 2.0;
    const double share =
        maximum() > minimum() ? double(value() - minimum()) / (maximum() - minimum()) : 0;
    const double x = left + share * (right - left);
    QColor strong = theme.accent;
    if (!isEnabled()) {
        strong = theme.secondText;
        strong.setAlphaF(0.55F);
    }
    painter.setPen(Qt::NoPen);
    painter.setBrush(theme.line);
    painter.drawRoundedRect(QRectF(1, y - 2, width() - 2, 4), 2, 2);
    painter.setBrush(strong);
    painter.drawRoundedRect(QRectF(1, y - 2, x - 1, 4), 2, 2);
    if (hasFocus()) {
        QColor halo = theme.accent;
        halo.setAlphaF(0.35F);
        painter.setBrush(halo);
        painter.drawEllipse(QPointF(x, y), knobRadius + 1.8, knobRadius + 1.8);
    }
    painter.setPen(QPen(strong, 2));
    painter.setBrush(theme.panel);
    painter.drawEllipse(QPointF(x, y), knobRadius - 1, knobRadius - 1);
}

int ValueSlider::valueAt(double x) const {
    const double left = knobRadius + 1;
    const double span = std::max(1.0, width() - 2 * left);
    const double share = std::clamp((x - left) / span, 0.0, 1.0);
    return minimum() + qRound(share * (maximum() - minimum()));
}

void ValueSlider::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return;
    setSliderDown(true);
    setValue(valueAt(event->position().x()));
    event->accept();
}

void ValueSlider::mouseMoveEvent(QMouseEvent* event) {
    if (isSliderDown()) setValue(valueAt(event->position().x()));
}

void ValueSlider::mouseReleaseEvent(QMouseEvent*) { setSliderDown(false); }

void ValueSlider::wheelEvent(QWheelEvent* event) { event->ignore(); }

OptionButton::OptionButton(const QString& text, QWidget* parent)
    : QRadioButton(parent), m_text(text) {
    setText(QString(text).replace(u'&', QStringLiteral("&&")));
    setAccessibleName(text);
    setFont(Fonts::text(13));
    setCursor(Qt::PointingHandCursor);
    QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
}

void OptionButton::setMark(Mark mark, const QString& tag) {
    m_mark = mark;
    m_tag = tag;
    setAccessibleDescription(tag);
    updateGeometry();
    update();
}

int OptionButton::tagWidth() const {
    if (m_tag.isEmpty()) return 0;
    return QFontMetrics(Fonts::text(12, QFont::DemiBold)).horizontalAdvance(m_tag) + 10;
}

int OptionButton::heightForWidth(int width) const {
    const int space = std::max(40, width - 30 - 12 - tagWidth());
    const QRect needed =
        fontMetrics().boundingRect(QRect(0, 0, space, 1000), Qt::TextWordWrap, m_text);
    return std::max(34, needed.height() + 17);
}

QSize OptionButton::sizeHint() const { return {260, heightForWidth(260)}; }

void OptionButton::paintEvent(QPaintEvent*) {
    const Theme theme = Theme::from(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const bool strong = isChecked() || hasFocus();
    const QColor edge = m_mark == Mark::right ? theme.better : strong ? theme.accent : theme.line;
    const double pen = strong || m_mark == Mark::right ? 2 : 1;
    painter.setPen(QPen(edge, pen));
    painter.setBrush(underMouse() && isEnabled() ? theme.chip : theme.panel);
    const double inset = pen / 2;
    painter.drawRoundedRect(QRectF(rect()).adjusted(inset, inset, -inset, -inset), 6, 6);

    const QPointF mark(17, height() / 2.0);
    painter.setPen(QPen(isChecked() ? theme.accent : theme.secondText, isChecked() ? 4 : 1.3));
    painter.setBrush(theme.panel);
    painter.drawEllipse(mark, isChecked() ? 4.2 : 5.5, isChecked() ? 4.2 : 5.5);

    painter.setPen(theme.text);
    painter.setFont(font());
    const QRect words = rect().adjusted(30, 0, -12 - tagWidth(), 0);
    painter.drawText(words, Qt::AlignLeft | Qt::AlignVCenter | Qt::TextWordWrap, m_text);
    if (!m_tag.isEmpty()) {
        painter.setFont(Fonts::text(12, QFont::DemiBold));
        painter.setPen(m_mark == Mark::right ? theme.better : theme.secondText);
        painter.drawText(rect().adjusted(0, 0, -12, 0), Qt::AlignRight | Qt::AlignVCenter, m_tag);
    }
}

}  // namespace lab::app
