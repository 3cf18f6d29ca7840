// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

class QComboBox;
class QLabel;
class QPushButton;

namespace lab::app {

class CodeBlock;
class RunController;

/// Which real server the present one behaves as: a list, what is peculiar to it, the command a
/// person would type for it, what was set otherwise than it says, and whether nginx is in front.
/// Threads: GUI.
class ServerBlock : public QWidget {
    Q_OBJECT
  public:
    /// `run` must outlive the block.
    explicit ServerBlock(RunController* run, QWidget* parent = nullptr);

    [[nodiscard]] QComboBox* list() const { return m_list; }
    /// Whether nginx stands in front, and before how many copies of the server.
    [[nodiscard]] QComboBox* frontList() const { return m_front; }
    [[nodiscard]] QString configuration() const;
    [[nodiscard]] QPushButton* allButton() const { return m_all; }
    [[nodiscard]] QString command() const;
    [[nodiscard]] QString overridden() const;
    void showModel();
    void setHeld(bool held);

  signals:
    void allSettingsWanted();

  private:
    void buildLists();
    void chooseFront(int backends);
    void showFront();

    RunController* m_run;
    QComboBox* m_list;
    QLabel* m_meaning;
    CodeBlock* m_command;
    QLabel* m_overridden;
    QComboBox* m_front;
    CodeBlock* m_configuration;
    QPushButton* m_all;
};

}  // namespace lab::app
