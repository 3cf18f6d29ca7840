// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/server_block.hpp"

#include <QComboBox>
#include <QLabel>
#include <QPushButton>
#include <QSignalBlocker>
#include <QVBoxLayout>
#include <QWheelEvent>
#include <algorithm>

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
      m_all(makeButton(tr("All settings…"), "quiet")) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(8);
    layout->addWidget(makeLabel(tr("BEHAVES AS"), Fonts::groupName(), "second"));
    m_list->setFont(Fonts::text(13));
    m_list->setAccessibleName(tr("Behaves as"));
    m_list->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_list->setMinimumContentsLength(12);
    m_list->addItem(tr("As the scenario says"), QStringLiteral("none"));
    for (const Preset& preset : presets_table()) {
        m_list->addItem(utf8(preset.title), utf8(preset.name));
        m_list->setItemData(m_list->count() - 1, utf8(preset.meaning), Qt::ToolTipRole);
    }
    for (QWidget* widget :
         {static_cast<QWidget*>(m_list), static_cast<QWidget*>(m_meaning),
          static_cast<QWidget*>(m_command), static_cast<QWidget*>(m_overridden)}) {
        layout->addWidget(widget);
    }
    layout->addWidget(m_all, 0, Qt::AlignLeft);
    connect(m_list, &QComboBox::activated, this, [this](int index) {
        m_run->set("server.preset", m_list->itemData(index).toString().toStdString());
    });
    connect(m_all, &QPushButton::clicked, this, &ServerBlock::allSettingsWanted);
    showModel();
}

QString ServerBlock::command() const { return m_command->code(); }
QString ServerBlock::overridden() const { return m_overridden->text(); }

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
        lines << tr("%1: %2, it says %3")
                     .arg(plainText(change.label, 60), plainText(change.to, 40),
                          plainText(change.from, 40));
    }
    m_overridden->setText(lines.join(QLatin1Char('\n')));
    m_overridden->setVisible(!lines.isEmpty());
}

void ServerBlock::setHeld(bool held) { m_list->setEnabled(!held); }

}  // namespace lab::app
