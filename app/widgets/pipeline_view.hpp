// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <QWidget>

#include <memory>

#include "lab/model.hpp"
#include "models/run_history.hpp"
#include "widgets/theme.hpp"

namespace lab::app {

/// The system as boxes: clients, queue, workers, cache, database. Each dot is a real request, told
/// by the frames' events and replayed about 150 ms behind at most 30 times a second; where there
/// are too many the flow is drawn as a band with its rate. Colour and word say what each worker is
/// doing.
///
/// Costs nothing while hidden or while nothing runs.
/// Threads: GUI.
class PipelineView : public QWidget {
    Q_OBJECT

  public:
    /// Follows the frames of `history`, which must outlive the view.
    explicit PipelineView(RunHistory* history, QWidget* parent = nullptr);
    ~PipelineView() override;

    /// Which boxes there are: a scenario without a cache step has no cache box.
    void setModel(const Model& model);
    void setTheme(const Theme& theme);
    /// No moving dots: bands and states only, once a frame.
    /// Seconds of the run in a second of the watcher; 0: it stands still.
    void setTimeScale(double scale);
    void setReducedMotion(bool reduced);
    /// False when a run has ended: dots leave, the last state stays, quiet.
    void setRunning(bool running);

    /// "Clients 80 requests a second, open loop. Queue 2 waiting. Workers ...": for screen readers.
    [[nodiscard]] QString describe() const;
    /// True while the view wakes up by itself.
    [[nodiscard]] bool isAnimating() const;
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

  signals:
    /// The person wants to see what the cache holds.
    void cacheClicked();
    /// The box of the database was clicked.
    void databaseClicked();

  protected:
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

  private:
    void onHistoryChanged();
    void redrawBoxes();
    void startOrStop();
    void tick();

    struct State;
    std::unique_ptr<State> m_state;
};

}  // namespace lab::app
