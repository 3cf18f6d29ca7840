// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <QWidget>
#include <vector>

class QCheckBox;
class QLabel;

namespace lab::app {

/// The rule by which a cache makes its keys, as check boxes: what of a request is in the key, and
/// whether the key function throws. With none of the parts in it there is one key for all.
/// Threads: GUI.
class KeyEditor : public QWidget {
    Q_OBJECT
  public:
    /// `name` is the knob's, for screen readers.
    explicit KeyEditor(const QString& name, QWidget* parent = nullptr);
    /// As the setting is written: "path+user", "constant", "throws".
    void setRule(const QString& text);
    [[nodiscard]] QString rule() const;
    /// In the order of path, query string, user, language; the last throws.
    [[nodiscard]] const std::vector<QCheckBox*>& boxes() const { return m_boxes; }

  signals:
    /// By the person, not by setRule().
    void changed(const QString& text);

  private:
    void showMeaning();

    std::vector<QCheckBox*> m_boxes;
    QLabel* m_meaning;
};

}  // namespace lab::app
