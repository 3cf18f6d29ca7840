// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFont>
#include <QString>
#include <QWidget>

#include "widgets/theme.hpp"

namespace lab::app {

/// How a change is meant. Always beside words and an arrow, never colour alone.
enum class Tone { neutral, better, worse };

/// One large figure: what it is, its value with a unit, and its change in words.
///
/// Digits are tabular and the text starts at one place, so that nothing trembles ten times a
/// second. Threads: GUI.
class FigureCard : public QWidget {
    Q_OBJECT

  public:
    explicit FigureCard(const QString& title, QWidget* parent = nullptr);

    /// Shown instead of the title where that does not fit.
    void setShortTitle(const QString& title) { m_shortTitle = title; }
    /// `value` "–" where there are no samples. Repaints only what differs.
    void setValue(const QString& value, const QString& unit);
    void setChange(const QString& text, Tone tone);
    void setTheme(const Theme& theme);
    /// 1 on the bench; about 2.7 on a projector.
    void setScale(double scale);
    /// False: no panel, no border (Present).
    void setFramed(bool framed);

    [[nodiscard]] QString title() const { return m_title; }
    [[nodiscard]] QString value() const { return m_value; }
    [[nodiscard]] QString unit() const { return m_unit; }
    [[nodiscard]] QString change() const { return m_change; }
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    void makeFaces();
    void tellAccessibility();

    QString m_title, m_shortTitle, m_value, m_unit, m_change;
    Tone m_tone = Tone::neutral;
    Theme m_theme;
    QFont m_titleFace, m_valueFace, m_unitFace, m_changeFace;
    double m_scale = 1;
    bool m_framed = true;
};

}  // namespace lab::app
