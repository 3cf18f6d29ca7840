// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFont>
#include <QPainter>
#include <QStringList>

#include "widgets/pipeline_scene.hpp"
#include "widgets/theme.hpp"

namespace lab::app {

/// Draws the boxes and the dots of a pipeline. Keeps the faces, which are dear to look up.
/// Threads: GUI.
class PipelinePainter {
  public:
    explicit PipelinePainter(const Theme& theme);

    /// Panel, lanes, boxes, states and rates: what changes with a frame.
    void paintBoxes(QPainter& painter, QSizeF size, const PipelineParts& parts,
                    const PipelinePlaces& places, const PipelineFacts& facts, bool bands) const;
    void paintDots(QPainter& painter, const std::vector<PipelineDot>& dots) const;
    /// The colour of a state; its word is workerWord().
    [[nodiscard]] QColor colourOf(WorkerState state) const;

  private:
    void paintLanes(QPainter& painter, const PipelineParts& parts, const PipelinePlaces& places,
                    const PipelineFacts& facts, bool bands) const;
    /// Of the subtitles the first that fits is shown.
    void paintBox(QPainter& painter, const QRectF& box, const QString& title,
                  const QStringList& subtitles, const QColor& border) const;
    void paintClients(QPainter& painter, const PipelineParts& parts, const PipelinePlaces& places,
                      const PipelineFacts& facts) const;
    void paintQueue(QPainter& painter, const PipelineParts& parts, const PipelinePlaces& places,
                    const PipelineFacts& facts) const;
    void paintWorkers(QPainter& painter, const PipelineParts& parts, const PipelinePlaces& places,
                      const PipelineFacts& facts) const;
    // With a balancer, in place of queue and workers: pipeline_backends.cpp.
    void paintBalancer(QPainter& painter, const PipelineParts& parts, const PipelinePlaces& places,
                       const PipelineFacts& facts) const;
    void paintBackends(QPainter& painter, const PipelineParts& parts, const PipelinePlaces& places,
                       const PipelineFacts& facts) const;
    void paintBackend(QPainter& painter, const QRectF& row, int number, const BackendSample& sample,
                      const std::vector<WorkerSample>& threads) const;
    void paintWorkerBar(QPainter& painter, const QRectF& cell, const WorkerSample& worker,
                        const QString& name) const;
    void paintCache(QPainter& painter, const PipelineParts& parts, const PipelinePlaces& places,
                    const PipelineFacts& facts) const;
    void paintDatabase(QPainter& painter, const PipelinePlaces& places,
                       const PipelineFacts& facts) const;
    void paintLosses(QPainter& painter, const PipelinePlaces& places,
                     const PipelineFacts& facts) const;
    void paintSlots(QPainter& painter, const QRectF& area, std::uint32_t filled,
                    std::uint32_t capacity, const QColor& colour, double largest) const;
    [[nodiscard]] QColor mixed(const QColor& ink, float share) const;

    Theme m_theme;
    QFont m_title, m_small, m_tiny, m_rate;
};

}  // namespace lab::app
