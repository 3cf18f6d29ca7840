// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <QWidget>

#include <optional>
#include <vector>

#include "models/run_history.hpp"
#include "widgets/figure_card.hpp"

namespace lab::app {

enum class Figure { goodput, p50, p99, waiting, errors, busy, throughput };

/// What a card shows, worked out apart from the widget.
struct FigureText {
    QString title, value, unit, change;
    Tone tone = Tone::neutral;
    QString tip;  ///< what the figure means and over which window and how many samples
};
/// `before` is the pinned run's figures, where one is pinned. `present`: the form used on a
/// projector
/// ("was 120", "growing 86 a second").
[[nodiscard]] FigureText describeFigure(Figure figure, const Figures& now,
                                        const std::optional<Figures>& before, bool present = false);
/// "51", "4.1": three digits at most; milliseconds turn to seconds from 1,000. Returns value and
/// unit.
[[nodiscard]] std::pair<QString, QString> showMilliseconds(double ms);

/// The row of figures, each with its change against pinned run A.
/// Threads: GUI.
class FiguresRow : public QWidget {
    Q_OBJECT

  public:
    /// The six of the bench: goodput, p50, p99, waiting, errors, busy.
    explicit FiguresRow(RunHistory* history, QWidget* parent = nullptr);
    /// Chosen ones; with `present` the large form without frames.
    FiguresRow(RunHistory* history, std::vector<Figure> figures, bool present,
               QWidget* parent = nullptr);

    void setTheme(const Theme& theme);
    void setScale(double scale);
    [[nodiscard]] const std::vector<FigureCard*>& cards() const { return m_cards; }

  protected:
    void showEvent(QShowEvent* event) override;

  private:
    void refresh();

    RunHistory* m_history;
    std::vector<Figure> m_figures;
    std::vector<FigureCard*> m_cards;
    bool m_present = false;
};

}  // namespace lab::app
