// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFrame>
#include <vector>

class QAbstractButton;

namespace lab::app {

/// The places of the window, at its left edge.
class NavRail : public QFrame {
    Q_OBJECT
  public:
    enum Place { learn, experiment, present };
    static constexpr int railWidth = 72;

    explicit NavRail(QWidget* parent = nullptr);
    void setCurrent(Place place);
    /// Places that need a scenario are there only when there is one.
    void setScenarioThere(bool there);
    [[nodiscard]] QAbstractButton* button(Place place) const;

  signals:
    void chosen(int place);

  private:
    std::vector<QAbstractButton*> m_buttons;
};

}  // namespace lab::app
