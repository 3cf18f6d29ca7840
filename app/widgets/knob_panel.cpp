// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/knob_panel.hpp"

#include <QButtonGroup>
#include <QLabel>
#include <QScrollArea>
#include <QSignalBlocker>
#include <QVBoxLayout>
#include <algorithm>

#include "models/plain_text.hpp"
#include "models/run_controller.hpp"
#include "widgets/controls.hpp"
#include "widgets/key_editor.hpp"
#include "widgets/pieces.hpp"
#include "widgets/server_block.hpp"
#include "widgets/theme.hpp"

namespace lab::app {

namespace {

constexpr int wideWidth = 290;
constexpr int compactWidth = 238;
constexpr int sideMargin = 16;

}  // namespace

KnobRow::KnobRow(KnobModel knob, const Model& model, int width, QWidget* parent)
    : QWidget(parent), m_knob(std::move(knob)), m_model(model) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(3);
    buildHead(layout);
    buildControl(layout, width);
    m_flask = new ElidedLabel(Fonts::code(11));
    m_flask->setRole(QPalette::PlaceholderText);
    m_flask->setVisible(!m_knob.flask(model).isEmpty());
    layout->addWidget(m_flask);
    m_remark = makeParagraph({}, Fonts::code(11), "accent");
    m_remark->hide();
    layout->addWidget(m_remark);
    setToolTip(toolTipText(m_knob.help()));
    showModel(model);
}

void KnobRow::buildHead(QVBoxLayout* layout) {
    auto* head = new QHBoxLayout;
    head->setContentsMargins(0, 0, 0, 0);
    auto* name = makeParagraph(m_knob.label(), Fonts::text(13));
    head->addWidget(name, 1);
    if (m_knob.shape() == KnobModel::Shape::toggle) {
        m_switch = new ToggleSwitch;
        m_switch->setAccessibleName(m_knob.label());
        m_switch->setAccessibleDescription(m_knob.help());
        connect(m_switch, &QAbstractButton::clicked, this, [this](bool on) { tell(on ? 1 : 0); });
        head->addWidget(m_switch);
    } else if (m_knob.shape() == KnobModel::Shape::slider) {
        m_value = makeLabel({}, Fonts::text(13, QFont::Bold));
        head->addWidget(m_value);
    }
    layout->addLayout(head);
}

void KnobRow::buildControl(QVBoxLayout* layout, int width) {
    if (m_knob.shape() == KnobModel::Shape::slider) {
        m_slider = new ValueSlider;
        m_slider->setRange(0, m_knob.positions() - 1);
        m_slider->setPageStep(std::max(1, m_knob.positions() / 10));
        m_slider->setAccessibleName(m_knob.label());
        connect(m_slider, &QSlider::valueChanged, this, &KnobRow::tell);
        layout->addWidget(m_slider);
    } else if (m_knob.shape() == KnobModel::Shape::choices) {
        m_choices = new SegmentedControl(m_knob.choiceLabels(), width);
        m_choices->setChoiceName(m_knob.label());
        connect(m_choices, &SegmentedControl::chosen, this, &KnobRow::tell);
        layout->addSpacing(2);
        layout->addWidget(m_choices);
    } else if (m_knob.shape() == KnobModel::Shape::keyRule) {
        m_key = new KeyEditor(m_knob.label());
        connect(m_key, &KeyEditor::changed, this, [this](const QString& rule) {
            emit moved(QString::fromStdString(m_knob.knob().path), rule);
        });
        layout->addSpacing(2);
        layout->addWidget(m_key);
    }
}

void KnobRow::tell(int position) {
    emit moved(QString::fromStdString(m_knob.knob().path),
               QString::fromStdString(m_knob.textAt(position, m_model)));
}

QWidget* KnobRow::control() const {
    if (m_slider != nullptr) return m_slider;
    if (m_choices != nullptr) return m_choices;
    if (m_key != nullptr) return m_key;
    return m_switch;
}

void KnobRow::showModel(const Model& model) {
    m_model = model;
    const int position = m_knob.position(model);
    if (m_slider != nullptr) {
        const QSignalBlocker quiet(m_slider);
        m_slider->setValue(position);
        m_value->setText(m_knob.valueText(model));
        m_slider->setAccessibleDescription(m_value->text() + QStringLiteral(". ") + m_knob.help());
    }
    if (m_choices != nullptr) m_choices->setCurrent(position);
    if (m_switch != nullptr) m_switch->setChecked(m_knob.isOn(model));
    if (m_key != nullptr) m_key->setRule(m_knob.ruleText(model));
    m_flask->setText(m_knob.flask(model));
    m_flask->setVisible(!m_flask->text().isEmpty());
}

void KnobRow::showRemark(const QString& remark) {
    if (m_remark->text() == remark) return;
    m_remark->setText(remark);
    m_remark->setVisible(!remark.isEmpty());
}

KnobPanel::KnobPanel(RunController* run, QWidget* parent) : QFrame(parent), m_run(run) {
    setProperty("kind", QStringLiteral("right"));
    setFixedWidth(wideWidth);
    setAccessibleName(tr("Knobs"));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(1, 0, 0, 0);
    layout->setSpacing(0);
    auto* scroll = new QScrollArea;
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    scroll->viewport()->setAutoFillBackground(false);
    m_content = new QWidget;
    m_content->setAutoFillBackground(false);
    new QVBoxLayout(m_content);
    scroll->setWidget(m_content);
    m_content->setAutoFillBackground(false);  // setWidget() turns it on
    layout->addWidget(scroll);
    connect(run, &RunController::scenarioChanged, this, &KnobPanel::rebuild);
    connect(run, &RunController::modelChanged, this, &KnobPanel::showModel);
    connect(run, &RunController::stateChanged, this, &KnobPanel::showState);
    connect(run, &RunController::ticked, this, &KnobPanel::showState);
    rebuild();
}

void KnobPanel::setCompact(bool compact) {
    if (compact == m_compact) return;
    m_compact = compact;
    setFixedWidth(compact ? compactWidth : wideWidth);
    rebuild();
}

void KnobPanel::rebuild() {
    m_rows.clear();
    m_groups.clear();
    m_tabButtons.clear();
    delete m_content->layout();
    qDeleteAll(m_content->findChildren<QWidget*>(QString(), Qt::FindDirectChildrenOnly));
    auto* layout = new QVBoxLayout(m_content);
    layout->setContentsMargins(sideMargin, 14, sideMargin, 14);
    layout->setSpacing(12);
    m_note =
        makeParagraph(tr("Held still while the lesson runs A and B."), Fonts::text(12), "second");
    layout->addWidget(m_note);
    m_server = new ServerBlock(m_run);
    connect(m_server, &ServerBlock::allSettingsWanted, this, &KnobPanel::allSettingsWanted);
    layout->addWidget(m_server);
    m_server->setVisible(m_serverShown);
    m_tabs = new QWidget;
    auto* tabs = new FlowLayout(m_tabs, 4);
    layout->addWidget(m_tabs);
    const Scenario* scenario = m_run->scenario();
    auto* exclusive = new QButtonGroup(m_tabs);
    QMap<QString, QVBoxLayout*> groups;
    const int room = width() - 2 * sideMargin - 2;
    for (const Knob& knob : scenario != nullptr ? scenario->knobs : std::vector<Knob>{}) {
        auto model = KnobModel::make(knob, m_run->model());
        if (!model) continue;
        const QString name = model->group();
        if (!groups.contains(name)) {
            auto* group = new QWidget;
            auto* inside = new QVBoxLayout(group);
            inside->setContentsMargins(0, 0, 0, 0);
            inside->setSpacing(11);
            if (!m_compact) inside->addWidget(makeLabel(name, Fonts::groupName(), "second"));
            groups[name] = inside;
            layout->addWidget(group);
            const int index = static_cast<int>(m_groups.size());
            m_groups.push_back(group);
            QPushButton* tab = makeButton(name, "quiet");
            tab->setCheckable(true);
            tab->setFont(Fonts::text(12, QFont::Medium));
            tab->setAccessibleName(tr("Knobs: %1").arg(name));
            exclusive->addButton(tab, index);
            tabs->addWidget(tab);
            m_tabButtons.push_back(tab);
        }
        auto* row = new KnobRow(std::move(*model), m_run->model(), room);
        connect(row, &KnobRow::moved, m_run, [this](const QString& path, const QString& text) {
            m_run->set(path.toStdString(), text.toStdString());
        });
        groups[name]->addWidget(row);
        m_rows.push_back(row);
    }
    connect(exclusive, &QButtonGroup::idClicked, this, &KnobPanel::showGroup);
    layout->addStretch();
    showGroup(std::min(m_group, std::max(0, static_cast<int>(m_groups.size()) - 1)));
    showState();
}

void KnobPanel::showGroup(int group) {
    m_group = group;
    const bool tabs = m_compact && m_groups.size() > 1;
    m_tabs->setVisible(tabs);
    for (std::size_t i = 0; i < m_groups.size(); ++i) {
        m_groups[i]->setVisible(!tabs || static_cast<int>(i) == group);
        m_tabButtons[i]->setChecked(static_cast<int>(i) == group);
    }
}

void KnobPanel::setServerShown(bool shown) {
    m_serverShown = shown;
    m_server->setVisible(shown);
}

void KnobPanel::showModel() {
    m_server->showModel();
    for (KnobRow* row : m_rows) row->showModel(m_run->model());
}

void KnobPanel::showState() {
    const bool held = m_run->mode() == RunController::Mode::variants;
    m_note->setVisible(held);
    m_server->setHeld(held);
    for (KnobRow* row : m_rows) {
        if (row->isEnabled() == held) row->setEnabled(!held);
        if (row->knob().knob().path != "database.index") continue;
        const QString& progress = m_run->serverProgress();
        row->showRemark(progress.isEmpty() ? m_run->plan() : progress + QStringLiteral(" …"));
    }
}

}  // namespace lab::app
