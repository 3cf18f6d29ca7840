// SPDX-License-Identifier: GPL-3.0-or-later
// Pieces that every page is put together from.
#pragma once

#include <QAbstractButton>
#include <QFrame>
#include <QLabel>
#include <QLayout>
#include <QPushButton>
#include <QTextBrowser>
#include <vector>

namespace lab::app {

/// A label that never takes its text for markup. `tone`: "", "second", "accent", "worse", "better".
[[nodiscard]] QLabel* makeLabel(const QString& text, const QFont& font, const char* tone = "",
                                QWidget* parent = nullptr);
/// As makeLabel, and the text wraps.
[[nodiscard]] QLabel* makeParagraph(const QString& text, const QFont& font, const char* tone = "",
                                    QWidget* parent = nullptr);
/// A button that Return presses as Space does.
class PushButton : public QPushButton {
    Q_OBJECT
  public:
    using QPushButton::QPushButton;

  protected:
    void keyPressEvent(QKeyEvent* event) override;
};
/// True, and the button is pressed, where the key is Return or Enter.
bool pressOnReturn(QAbstractButton* button, QKeyEvent* event);

/// A button; kind "", "primary" or "quiet".
[[nodiscard]] QPushButton* makeButton(const QString& text, const char* kind = "",
                                      QWidget* parent = nullptr);
/// A frame that the style sheet knows by its kind: "panel", "side", "bar", "note".
[[nodiscard]] QFrame* makeFrame(const char* kind, QWidget* parent = nullptr);

/// One line that ends in an ellipsis where it is cut; the whole of it is in the tool tip.
class ElidedLabel : public QWidget {
    Q_OBJECT
  public:
    explicit ElidedLabel(const QFont& font, QWidget* parent = nullptr);
    void setText(const QString& text);
    [[nodiscard]] QString text() const { return m_text; }
    /// Which colour of the palette it has: QPalette::WindowText at first.
    void setRole(QPalette::ColorRole role);
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

  protected:
    void paintEvent(QPaintEvent*) override;

  private:
    QString m_text;
    QPalette::ColorRole m_role = QPalette::WindowText;
};

/// How far something is: a thin bar. Not a control.
class ThinProgress : public QWidget {
    Q_OBJECT
  public:
    explicit ThinProgress(QWidget* parent = nullptr);
    /// 0..1; `good` colours it as done work, else as going on.
    void setShare(double share, bool good);
    [[nodiscard]] double share() const { return m_share; }
    [[nodiscard]] QSize sizeHint() const override { return {120, 4}; }

  protected:
    void paintEvent(QPaintEvent*) override;

  private:
    double m_share = 0;
    bool m_good = true;
};

/// Markdown from a scenario: no HTML, no pictures, no resource is ever loaded; a link asks first.
class LessonText : public QTextBrowser {
    Q_OBJECT
  public:
    explicit LessonText(QWidget* parent = nullptr);
    void setLesson(const QString& markdown);
    QVariant loadResource(int type, const QUrl& name) override;
    /// How often something was asked for: stays 0.
    [[nodiscard]] int resourceRequests() const { return m_requests; }
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override { return {100, 10}; }

  protected:
    void resizeEvent(QResizeEvent* event) override;
    void changeEvent(QEvent* event) override;

  private:
    void applyFormats();
    void fitHeight();
    [[nodiscard]] int heightAt(int width) const;
    void askBeforeOpening(const QUrl& url);
    int m_requests = 0;
    QString m_markdown;
};

/// A few lines of code on a quiet ground, with a button that copies them.
class CodeBlock : public QFrame {
    Q_OBJECT
  public:
    explicit CodeBlock(QWidget* parent = nullptr);
    void setCode(const QString& code);
    [[nodiscard]] QString code() const;

  private:
    QLabel* m_code;
    QPushButton* m_copy;
};

/// Something went wrong, said where it can be read; the person closes it.
class Banner : public QFrame {
    Q_OBJECT
  public:
    explicit Banner(QWidget* parent = nullptr);
    void say(const QString& title, const QString& message);
    [[nodiscard]] QString message() const;

  private:
    QLabel* m_title;
    QLabel* m_message;
};

/// Children one after the other, in as many lines as it takes.
class FlowLayout : public QLayout {
  public:
    FlowLayout(QWidget* parent, int spacing);
    ~FlowLayout() override;
    void addItem(QLayoutItem* item) override { m_items.push_back(item); }
    [[nodiscard]] int count() const override { return static_cast<int>(m_items.size()); }
    [[nodiscard]] QLayoutItem* itemAt(int index) const override;
    QLayoutItem* takeAt(int index) override;
    [[nodiscard]] bool hasHeightForWidth() const override { return true; }
    [[nodiscard]] int heightForWidth(int width) const override;
    [[nodiscard]] QSize sizeHint() const override { return minimumSize(); }
    [[nodiscard]] QSize minimumSize() const override;
    [[nodiscard]] Qt::Orientations expandingDirections() const override { return {}; }
    void setGeometry(const QRect& rect) override;

  private:
    int place(const QRect& rect, bool move) const;
    std::vector<QLayoutItem*> m_items;
};

}  // namespace lab::app
