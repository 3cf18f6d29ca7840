// SPDX-License-Identifier: GPL-3.0-or-later
#include "charts/line_layer.hpp"

#include <QLegend>
#include <QPainter>

namespace lab::app {

LineLayer::LineLayer() : m_chart(new QChart), m_x(new QValueAxis), m_y(new QValueAxis) {
    m_chart->legend()->hide();
    m_chart->setAnimationOptions(QChart::NoAnimation);
    m_chart->setBackgroundVisible(false);
    m_chart->setMargins(QMargins());
    for (QValueAxis* axis : {m_x, m_y}) {
        axis->setRange(0, 1);
        axis->setVisible(false);
    }
    m_chart->addAxis(m_x, Qt::AlignBottom);
    m_chart->addAxis(m_y, Qt::AlignLeft);
    m_scene.setItemIndexMethod(QGraphicsScene::NoIndex);
    m_scene.addItem(m_chart);
}

LineLayer::~LineLayer() = default;

void LineLayer::begin() { m_used = 0; }

void LineLayer::add(const QList<QPointF>& points, const QPen& pen) {
    if (points.size() < 2) return;
    if (m_used == m_pool.size()) {
        auto* series = new QLineSeries;
        m_chart->addSeries(series);
        series->attachAxis(m_x);
        series->attachAxis(m_y);
        m_pool.push_back(series);
    }
    QLineSeries* series = m_pool[m_used++];
    if (series->pen() != pen) series->setPen(pen);
    if (!series->isVisible()) series->setVisible(true);
    series->replace(points);
}

void LineLayer::paint(QPainter& painter, const QRectF& plot) {
    for (std::size_t i = m_used; i < m_pool.size(); ++i) {
        if (m_pool[i]->isVisible()) m_pool[i]->setVisible(false);
    }
    const QRectF here(QPointF(), plot.size());
    if (m_chart->size() != here.size()) {
        m_scene.setSceneRect(here);
        m_chart->resize(here.size());
    }
    if (m_chart->plotArea() != here) m_chart->setPlotArea(here);
    m_scene.render(&painter, plot, here, Qt::IgnoreAspectRatio);
}

}  // namespace lab::app
