// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/key_editor.hpp"

#include <QCheckBox>
#include <QLabel>
#include <QStringList>
#include <QVBoxLayout>
#include <array>

#include "widgets/pieces.hpp"
#include "widgets/theme.hpp"

namespace lab::app {

namespace {

constexpr std::array parts{"path", "query", "user", "header"};

}  // namespace

KeyEditor::KeyEditor(const QString& name, QWidget* parent)
    : QWidget(parent), m_meaning(makeParagraph({}, Fonts::text(11), "second")) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(3);
    auto* boxes = new QWidget;
    auto* flow = new FlowLayout(boxes, 8);
    for (const QString& label :
         {tr("Path"), tr("Query"), tr("User"), tr("Language"), tr("Throws an error")}) {
        auto* box = new QCheckBox(label);
        box->setFont(Fonts::text(12));
        box->setAccessibleName(QStringLiteral("%1: %2").arg(name, label));
        connect(box, &QCheckBox::clicked, this, [this] {
            showMeaning();
            emit changed(rule());
        });
        flow->addWidget(box);
        m_boxes.push_back(box);
    }
    layout->addWidget(boxes);
    layout->addWidget(m_meaning);
}

void KeyEditor::setRule(const QString& text) {
    const QStringList named = text.split(QLatin1Char('+'));
    const bool throws = text == QLatin1String("throws");
    for (std::size_t i = 0; i < parts.size(); ++i) {
        // What the key would be made of is remembered while its function throws.
        if (!throws) m_boxes[i]->setChecked(named.contains(QLatin1String(parts[i])));
    }
    m_boxes.back()->setChecked(throws);
    showMeaning();
}

QString KeyEditor::rule() const {
    if (m_boxes.back()->isChecked()) return QStringLiteral("throws");
    QStringList named;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (m_boxes[i]->isChecked()) named << QLatin1String(parts[i]);
    }
    return named.isEmpty() ? QStringLiteral("constant") : named.join(QLatin1Char('+'));
}

void KeyEditor::showMeaning() {
    const QString text = rule();
    const bool throws = m_boxes.back()->isChecked();
    for (std::size_t i = 0; i < parts.size(); ++i) m_boxes[i]->setEnabled(!throws);
    const bool all = text == QLatin1String("constant");
    m_meaning->setText(throws ? tr("The error is swallowed: nothing is ever cached.")
                       : all  ? tr("One key for all: everybody gets the first page.")
                              : QString());
    m_meaning->setVisible(throws || all);
}

}  // namespace lab::app
