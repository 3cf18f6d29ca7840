// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/nav_rail.hpp"

#include <QAbstractButton>
#include <QKeyEvent>
#include <QPainter>
#include <QVBoxLayout>

#include "widgets/icons.hpp"
#include "widgets/pieces.hpp"
#include "widgets/theme.hpp"

namespace lab::app {

namespace {

class RailButton : public QAbstractButton {
  public:
    RailButton(QString icon, const QString& label, QWidget* parent)
        : QAbstractButton(parent), m_icon(std::move(icon)) {
        setText(label);
        setAccessibleName(label);
        setCheckable(true);
        setAutoExclusive(true);
        setFocusPolicy(Qt::StrongFocus);
        setCursor(Qt::PointingHandCursor);
        setFixedSize(NavRail::railWidth - 1, 62);
    }

  protected:
    void paintEvent(QPaintEvent*) override {
        const Theme theme = Theme::from(palette());
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        if (isChecked()) painter.fillRect(QRect(0, 0, 3, height()), theme.accent);
        if (underMouse() || hasFocus()) {
            painter.setPen(hasFocus() ? QPen(theme.accent, 2) : QPen(Qt::NoPen));
            painter.setBrush(underMouse() ? QBrush(theme.chip) : QBrush(Qt::NoBrush));
            painter.drawRoundedRect(QRectF(rect()).adjusted(5, 3, -5, -3), 6, 6);
        }
        const QColor ink = isChecked() ? theme.accent : theme.secondText;
        painter.drawPixmap(QPointF((width() - 20) / 2.0, 12),
                           tintedPixmap(m_icon, ink, 20, devicePixelRatioF()));
        painter.setPen(ink);
        painter.setFont(Fonts::text(11, isChecked() ? QFont::DemiBold : QFont::Normal));
        painter.drawText(QRect(0, 35, width(), 18), Qt::AlignCenter, text());
    }
    void keyPressEvent(QKeyEvent* event) override {
        if (!pressOnReturn(this, event)) QAbstractButton::keyPressEvent(event);
    }
    void enterEvent(QEnterEvent*) override { update(); }
    void leaveEvent(QEvent*) override { update(); }

  private:
    QString m_icon;
};

}  // namespace

NavRail::NavRail(QWidget* parent) : QFrame(parent) {
    setProperty("kind", QStringLiteral("left"));
    setFixedWidth(railWidth);
    setAccessibleName(tr("Places"));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 8, 0, 8);
    layout->setSpacing(0);
    const std::pair<const char*, QString> places[] = {
        {"learn", tr("Learn")}, {"experiment", tr("Experiment")}, {"present", tr("Present")}};
    for (const auto& [icon, label] : places) {
        auto* button = new RailButton(QString::fromLatin1(icon), label, this);
        const int place = static_cast<int>(m_buttons.size());
        connect(button, &QAbstractButton::clicked, this, [this, place] { emit chosen(place); });
        layout->addWidget(button);
        m_buttons.push_back(button);
    }
    layout->addStretch();
    setCurrent(learn);
}

void NavRail::setCurrent(Place place) { m_buttons[place]->setChecked(true); }

void NavRail::setScenarioThere(bool there) {
    m_buttons[experiment]->setVisible(there);
    m_buttons[present]->setVisible(there);
}

QAbstractButton* NavRail::button(Place place) const { return m_buttons[place]; }

}  // namespace lab::app
