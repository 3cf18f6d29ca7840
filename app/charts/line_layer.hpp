// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QChart>
#include <QGraphicsScene>
#include <QLineSeries>
#include <QList>
#include <QPen>
#include <QPointF>
#include <QValueAxis>

#include <memory>
#include <vector>

namespace lab::app {

/// Lines drawn by QtCharts into somebody else's picture.
///
/// Both axes run from 0 to 1 and never change (a moving axis costs half as much again): who calls
/// maps seconds and milliseconds to shares. One replace() a stretch. A line that is partly absent
/// or faint is several stretches; each has its own series, taken from a pool. Threads: GUI.
class LineLayer {
  public:
    LineLayer();
    ~LineLayer();

    /// Begins a picture; series of stretches that are not added again are hidden.
    void begin();
    /// A line through points whose coordinates are shares of the plot's width and height.
    void add(const QList<QPointF>& points, const QPen& pen);
    /// Draws what was added into `plot`.
    void paint(QPainter& painter, const QRectF& plot);

  private:
    QGraphicsScene m_scene;
    QChart* m_chart;  // owned by the scene
    QValueAxis* m_x;  // owned by the chart
    QValueAxis* m_y;
    std::vector<QLineSeries*> m_pool;
    std::size_t m_used = 0;
};

}  // namespace lab::app
