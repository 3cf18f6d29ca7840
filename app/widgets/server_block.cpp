// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/server_block.hpp"

#include <QComboBox>
#include <QLabel>
#include <QPainter>
#include <QPushButton>
#include <QSignalBlocker>
#include <QVBoxLayout>
#include <QWheelEvent>
#include <algorithm>
#include <string>

#include "lab/presets.hpp"
#include "models/plain_text.hpp"
#include "models/run_controller.hpp"
#include "widgets/pieces.hpp"
#include "widgets/theme.hpp"

namespace lab::app {

namespace {

constexpr int mostOverrides = 6;  // lines

/// A list that the wheel does not change by accident: the panel scrolls.
class StillList : public QComboBox {
  public:
    using QComboBox::QComboBox;

  protected:
    void wheelEvent(QWheelEvent* event) override { event->ignore(); }
    void paintEvent(QPaintEvent* event) override {
        QComboBox::paintEvent(event);
        constexpr double right = 16, half = 4;
        const QPointF tip(width() - right, height() / 2.0 + half / 2);
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(QPen(palette().color(QPalette::PlaceholderText), 1.6));
        painter.drawPolyline(QPolygonF{tip - QPointF(half, half), tip, tip + QPointF(half, -half)});
    }
};

QString utf8(std::string_view text) {
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

}  // namespace

ServerBlock::ServerBlock(RunController* run, QWidget* parent)
    : QWidget(parent),
      m_run(run),
      m_list(new StillList),
      m_meaning(makeParagraph({}, Fonts::text(12), "second")),
      m_command(new CodeBlock),
      m_overridden(makeParagraph({}, Fonts::text(12), "accent")),
      m_front(new StillList),
      m_configuration(new CodeBlock),
      m_all(makeButton(tr("All settings…"), "quiet")) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(8);
    layout->addWidget(makeLabel(tr("BEHAVES AS"), Fonts::groupName(), "second"));
    buildLists();
    for (QWidget* widget : std::initializer_list<QWidget*>{
             m_list, m_meaning, m_command, m_overridden, m_front, m_configuration}) {
        layout->addWidget(widget);
    }
    layout->addWidget(m_all, 0, Qt::AlignLeft);
    connect(m_list, &QComboBox::activated, this, [this](int index) {
        m_run->set("server.preset", m_list->itemData(index).toString().toStdString());
    });
    connect(m_front, &QComboBox::activated, this,
            [this](int index) { chooseFront(m_front->itemData(index).toInt()); });
    connect(m_all, &QPushButton::clicked, this, &ServerBlock::allSettingsWanted);
    showModel();
}

void ServerBlock::buildLists() {
    for (QComboBox* list : {m_list, m_front}) {
        list->setFont(Fonts::text(13));
        list->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
        list->setMinimumContentsLength(12);
        list->setMaxVisibleItems(20);
    }
    m_list->setAccessibleName(tr("Behaves as"));
    m_list->addItem(tr("As the scenario says"), QStringLiteral("none"));
    for (const Preset& preset : presets_table()) {
        m_list->addItem(utf8(preset.title), utf8(preset.name));
        m_list->setItemData(m_list->count() - 1, utf8(preset.meaning), Qt::ToolTipRole);
    }
    m_front->setAccessibleName(tr("In front of it"));
    m_front->addItem(tr("Nothing in front"), 0);
    m_front->addItem(tr("Behind nginx"), 1);
    for (int backends = 2; backends <= static_cast<int>(most_backends); ++backends) {
        m_front->addItem(tr("%1 of them behind nginx").arg(backends), backends);
    }
}

void ServerBlock::chooseFront(int backends) {
    if (backends > 0) {
        m_run->set("balancer.backends", std::to_string(backends));
        const bool there = m_run->model().system.balancer.rule != BalancerRule::none;
        if (!there) m_run->set("balancer.rule", "round-robin");
    } else {
        m_run->set("balancer.rule", "none");
    }
}

void ServerBlock::showFront() {
    const Balancer& balancer = m_run->model().system.balancer;
    const int backends = balancer.rule == BalancerRule::none ? 0 : balancer.count;
    const QSignalBlocker quiet(m_front);
    m_front->setCurrentIndex(std::max(0, m_front->findData(backends)));
    m_configuration->setVisible(backends > 0);
    if (backends > 0) {
        m_configuration->setCode(plainText(front_configuration(m_run->model()), 2000, true));
    }
}

QString ServerBlock::command() const { return m_command->code(); }
QString ServerBlock::overridden() const { return m_overridden->text(); }
QString ServerBlock::configuration() const { return m_configuration->code(); }

void ServerBlock::showModel() {
    const Model& model = m_run->model();
    const Preset* const preset = find_preset(model.system.server.preset);
    {
        const QSignalBlocker quiet(m_list);
        m_list->setCurrentIndex(std::max(
            0, m_list->findData(preset != nullptr ? utf8(preset->name) : QStringLiteral("none"))));
    }
    m_meaning->setText(preset != nullptr ? utf8(preset->meaning) : QString());
    m_meaning->setVisible(preset != nullptr);
    if (preset != nullptr) m_command->setCode(plainText(preset_command(model), 1000, true));
    m_command->setVisible(preset != nullptr);
    QStringList lines;
    for (const SettingChange& change : overridden_settings(model)) {
        if (lines.size() == mostOverrides) {
            lines << QStringLiteral("…");
            break;
        }
        lines << tr("%1: %2, as shipped %3")
                     .arg(plainText(change.label, 60), plainText(change.to, 40),
                          plainText(change.from, 40));
    }
    m_overridden->setText(lines.join(QLatin1Char('\n')));
    m_overridden->setVisible(!lines.isEmpty());
    showFront();
}

void ServerBlock::setHeld(bool held) {
    m_list->setEnabled(!held);
    m_front->setEnabled(!held);
}

}  // namespace lab::app
