// SPDX-License-Identifier: GPL-3.0-or-later
// The small controls that the lesson and the knobs are made of. Each paints from its palette,
// shows where the focus is, and is reached and moved by keyboard.
#pragma once

#include <QAbstractButton>
#include <QRadioButton>
#include <QSlider>
#include <QStringList>
#include <QWidget>
#include <vector>

class QButtonGroup;

namespace lab::app {

/// On or off. Space toggles.
class ToggleSwitch : public QAbstractButton {
    Q_OBJECT
  public:
    explicit ToggleSwitch(QWidget* parent = nullptr);
    [[nodiscard]] QSize sizeHint() const override { return {34, 20}; }

  protected:
    void paintEvent(QPaintEvent*) override;
};

/// One of a few choices side by side, or one above the other where `width` is too small for them.
/// Tab reaches the chosen one, arrows choose.
class SegmentedControl : public QWidget {
    Q_OBJECT
  public:
    SegmentedControl(const QStringList& choices, int width, QWidget* parent = nullptr);
    /// -1: none of them.
    void setCurrent(int index);
    [[nodiscard]] int current() const;
    [[nodiscard]] QAbstractButton* button(int index) const;
    /// Accessible names become "<name>: <choice>".
    void setChoiceName(const QString& name);

  signals:
    /// By the person, not by setCurrent().
    void chosen(int index);

  protected:
    void paintEvent(QPaintEvent*) override;

  private:
    QButtonGroup* m_group;
    bool m_stacked = false;
};

/// A slider with a filled track. A click anywhere moves it there.
class ValueSlider : public QSlider {
    Q_OBJECT
  public:
    explicit ValueSlider(QWidget* parent = nullptr);
    [[nodiscard]] QSize sizeHint() const override { return {160, 18}; }
    [[nodiscard]] QSize minimumSizeHint() const override { return {60, 18}; }

  protected:
    void paintEvent(QPaintEvent*) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    /// Ignored: the panel scrolls, and a wheel must not move a knob by accident.
    void wheelEvent(QWheelEvent* event) override;

  private:
    [[nodiscard]] int valueAt(double x) const;
};

/// One answer of a prediction: a card with a radio mark and, when measured, a tag at its right.
class OptionButton : public QRadioButton {
    Q_OBJECT
  public:
    explicit OptionButton(const QString& text, QWidget* parent = nullptr);
    enum class Mark { none, right, wrong };
    void setMark(Mark mark, const QString& tag);
    [[nodiscard]] QString tag() const { return m_tag; }
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override { return {80, heightForWidth(240)}; }
    [[nodiscard]] bool hasHeightForWidth() const override { return true; }
    [[nodiscard]] int heightForWidth(int width) const override;

  protected:
    void paintEvent(QPaintEvent*) override;
    [[nodiscard]] bool hitButton(const QPoint& position) const override {
        return rect().contains(position);
    }

  private:
    [[nodiscard]] int tagWidth() const;
    Mark m_mark = Mark::none;
    QString m_text;  ///< shown; QRadioButton's own is the accessible name with '&' escaped
    QString m_tag;
};

}  // namespace lab::app
