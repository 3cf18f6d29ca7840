// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFrame>
#include <QMap>
#include <vector>

#include "models/knob.hpp"

class QAbstractButton;
class QLabel;
class QVBoxLayout;

namespace lab::app {

class ElidedLabel;
class KeyEditor;
class RunController;
class SegmentedControl;
class ServerBlock;
class ToggleSwitch;
class ValueSlider;

/// One knob: its name, its value, what moves it, and what it means in Flask.
class KnobRow : public QWidget {
    Q_OBJECT
  public:
    /// `width`: room for the control, in pixels.
    KnobRow(KnobModel knob, const Model& model, int width, QWidget* parent = nullptr);
    void showModel(const Model& model);
    /// "creating index ...", the query's plan, or nothing.
    void showRemark(const QString& remark);
    [[nodiscard]] const KnobModel& knob() const { return m_knob; }
    /// What the person moves.
    [[nodiscard]] QWidget* control() const;

  signals:
    void moved(const QString& path, const QString& text);

  private:
    void buildHead(QVBoxLayout* layout);
    void buildControl(QVBoxLayout* layout, int width);
    void tell(int position);

    KnobModel m_knob;
    Model m_model;
    QLabel* m_value = nullptr;
    ValueSlider* m_slider = nullptr;
    SegmentedControl* m_choices = nullptr;
    ToggleSwitch* m_switch = nullptr;
    KeyEditor* m_key = nullptr;
    ElidedLabel* m_flask = nullptr;
    QLabel* m_remark = nullptr;
};

/// The knobs of the open scenario, grouped as the system is. Built anew for each scenario.
///
/// Threads: GUI. Moves go to the RunController, which throttles them.
class KnobPanel : public QFrame {
    Q_OBJECT
  public:
    explicit KnobPanel(RunController* run, QWidget* parent = nullptr);
    /// One group at a time, chosen by tabs, in a narrower panel.
    void setCompact(bool compact);
    [[nodiscard]] bool isCompact() const { return m_compact; }
    [[nodiscard]] const std::vector<KnobRow*>& rows() const { return m_rows; }
    /// The list of real servers above the knobs: in free play, not in a lesson.
    void setServerShown(bool shown);
    [[nodiscard]] ServerBlock* serverBlock() const { return m_server; }

  signals:
    void allSettingsWanted();

  private:
    void rebuild();
    void showModel();
    void showState();
    void showGroup(int group);

    RunController* m_run;
    QWidget* m_content = nullptr;
    QWidget* m_tabs = nullptr;
    QLabel* m_note = nullptr;
    ServerBlock* m_server = nullptr;
    std::vector<QWidget*> m_groups;
    std::vector<QAbstractButton*> m_tabButtons;
    std::vector<KnobRow*> m_rows;
    bool m_compact = false;
    bool m_serverShown = false;
    int m_group = 0;
};

}  // namespace lab::app
