// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAbstractButton>
#include <QBasicTimer>
#include <QFrame>

#include "models/gallery.hpp"

namespace lab::app {

/// A scenario in the gallery. Pressing it opens the scenario; nothing starts.
class ScenarioCard : public QAbstractButton {
    Q_OBJECT
  public:
    static constexpr int cardHeight = 142;
    /// `next`: the one to go on with; it has an edge in the accent colour.
    ScenarioCard(GalleryCard card, bool next, QWidget* parent = nullptr);
    [[nodiscard]] const GalleryCard& card() const { return m_card; }
    [[nodiscard]] QSize sizeHint() const override { return {300, cardHeight}; }

  protected:
    void paintEvent(QPaintEvent*) override;
    void keyPressEvent(QKeyEvent* event) override;
    void enterEvent(QEnterEvent*) override { update(); }
    void leaveEvent(QEvent*) override { update(); }

  private:
    void paintState(QPainter& painter, const QPointF& centre) const;
    GalleryCard m_card;
    bool m_next;
};

/// A scenario file that cannot be used, and why, in the place where its card would be.
class ProblemCard : public QFrame {
    Q_OBJECT
  public:
    explicit ProblemCard(const GalleryCard& card, QWidget* parent = nullptr);
};

/// Requests arriving at a queue and a worker that answers them more slowly: what the program is
/// about, in one moving picture. Costs nothing while hidden. A picture, not a measurement.
class HeroPicture : public QWidget {
    Q_OBJECT
  public:
    explicit HeroPicture(QWidget* parent = nullptr);
    /// How many arrive and how many are answered, a second; worked out from the scenario's
    /// settings.
    void setModel(const Model& model);
    [[nodiscard]] bool isAnimating() const { return m_timer.isActive(); }
    [[nodiscard]] QSize sizeHint() const override { return {440, 150}; }
    [[nodiscard]] QSize minimumSizeHint() const override { return {300, 120}; }

  protected:
    void paintEvent(QPaintEvent*) override;
    void timerEvent(QTimerEvent* event) override;
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;

  private:
    void paintQueue(QPainter& painter, double right, double y) const;
    void paintWorker(QPainter& painter, const QRectF& box) const;
    QBasicTimer m_timer;
    double m_seconds = 0;   ///< of the picture's own slow time
    double m_arrivals = 3;  ///< a second of the picture
    double m_answers = 2;
    QString m_caption, m_doing;
};

}  // namespace lab::app
