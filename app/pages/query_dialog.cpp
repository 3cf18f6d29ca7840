// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/query_dialog.hpp"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QShortcut>
#include <QStyle>
#include <QTableWidget>
#include <QVBoxLayout>
#include <algorithm>

#include "lab/settings.hpp"
#include "models/plain_text.hpp"
#include "widgets/controls.hpp"
#include "widgets/pieces.hpp"
#include "widgets/theme.hpp"

namespace lab::app {

namespace {

constexpr QSize firstSize(760, 620);
constexpr int margin = 16;
constexpr int widestColumn = 320;

struct Example {
    const char* name;
    const char* sql;
};
const Example examples[] = {
    {QT_TRANSLATE_NOOP("lab::app::QueryDialog", "One product by its code"),
     "SELECT id, sku, name, price\nFROM product\nWHERE sku = 'P-9E3779B1'"},
    {QT_TRANSLATE_NOOP("lab::app::QueryDialog", "Cheap ones"),
     "SELECT count(*), avg(price)\nFROM product\nWHERE price < 25000"},
    {QT_TRANSLATE_NOOP("lab::app::QueryDialog", "With their reviews"),
     "SELECT p.name, r.stars, r.text\nFROM product p JOIN review r ON r.product = p.id\n"
     "WHERE p.id BETWEEN 100 AND 119"},
    {QT_TRANSLATE_NOOP("lab::app::QueryDialog", "Best category"),
     "SELECT p.category, round(avg(r.stars), 2) AS stars\n"
     "FROM product p JOIN review r ON r.product = p.id\n"
     "GROUP BY p.category\nORDER BY stars DESC\nLIMIT 5"},
};

QString ms(Duration time) { return QString::number(to_ms(time), 'g', 3); }

}  // namespace

QueryDialog::QueryDialog(SqlBridge* sql, QWidget* parent)
    : QDialog(parent),
      m_sql(sql),
      m_editor(new QPlainTextEdit),
      m_index(new ToggleSwitch),
      m_ask(makeButton(tr("Ask"), "primary")),
      m_table(new QTableWidget),
      m_plan(makeParagraph({}, Fonts::code(12))),
      m_said(makeParagraph({}, Fonts::text(13), "second")) {
    setWindowTitle(tr("Ask the database"));
    setObjectName(QStringLiteral("queryDialog"));
    resize(firstSize);
    m_editor->setFont(Fonts::code(13));
    m_editor->setPlainText(QString::fromUtf8(examples[0].sql));
    m_editor->setTabChangesFocus(true);
    m_editor->setMaximumHeight(130);
    m_editor->setAccessibleName(tr("One SELECT over the tables product and review"));
    m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_table->verticalHeader()->setVisible(false);
    m_table->setAccessibleName(tr("Rows"));
    m_plan->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_plan->setAccessibleName(tr("Plan"));
    m_index->setChecked(true);
    m_index->setAccessibleName(tr("Index"));

    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(margin, margin, margin, margin);
    layout->addWidget(makeParagraph(
        tr("Tables: product (id, sku, category, name, price, version, description) and review "
           "(product, number, stars, text). One SELECT, on a copy: nothing can be changed."),
        Fonts::text(13), "second"));
    auto* chips = new QWidget;
    addExamples(new FlowLayout(chips, 6));
    layout->addWidget(chips);
    layout->addWidget(m_editor);
    auto* row = new QHBoxLayout;
    auto* label = makeLabel(tr("&Index on code and category"), Fonts::text(13));
    label->setBuddy(m_index);
    row->addWidget(m_index);
    row->addWidget(label);
    row->addStretch();
    row->addWidget(makeLabel(tr("Ctrl+Return"), Fonts::text(12), "second"));
    row->addWidget(m_ask);
    layout->addLayout(row);
    layout->addWidget(m_said);
    layout->addWidget(m_plan);
    layout->addWidget(m_table, 1);

    m_ask->setAutoDefault(false);
    connect(m_ask, &QPushButton::clicked, this, &QueryDialog::ask);
    auto* keys = new QShortcut(QKeySequence(Qt::CTRL | Qt::Key_Return), this);
    connect(keys, &QShortcut::activated, this, &QueryDialog::ask);
    connect(sql, &SqlBridge::answered, this, &QueryDialog::showAnswer);
    connect(sql, &SqlBridge::progressed, this,
            [this](const QString& text) { say(text, "second"); });
    connect(sql, &SqlBridge::refused, this, [this](const QString& why) {
        setBusy(false);
        m_table->clear();
        m_table->setRowCount(0);
        m_table->setColumnCount(0);
        m_plan->clear();
        say(plainText(why.toStdString(), 600), "worse");
    });
    m_editor->setFocus();
}

void QueryDialog::addExamples(QLayout* row) {
    for (const Example& example : examples) {
        auto* button = makeButton(tr(example.name), "quiet");
        button->setAutoDefault(false);
        connect(button, &QPushButton::clicked, this, [this, sql = example.sql] {
            m_editor->setPlainText(QString::fromUtf8(sql));
            ask();
        });
        row->addWidget(button);
    }
}

void QueryDialog::setDatabase(const Database& database) {
    m_database = database;
    m_index->setChecked(database.index);
}

void QueryDialog::ask() {
    if (m_sql->pending() > 0) return;
    Database database = m_database;
    database.index = m_index->isChecked();
    setBusy(true);
    say(tr("Asking …"), "second");
    m_sql->ask(database, m_editor->toPlainText());
}

void QueryDialog::setBusy(bool busy) { m_ask->setEnabled(!busy); }

void QueryDialog::say(const QString& text, const char* tone) {
    m_said->setText(text);
    m_said->setProperty("tone", tone);
    m_said->style()->unpolish(m_said);
    m_said->style()->polish(m_said);
}

void QueryDialog::showAnswer(const SqlAnswerPtr& answer) {
    setBusy(false);
    QStringList plan;
    for (const std::string& line : answer->plan) plan << plainText(line, 200);
    m_plan->setText(plan.join(QLatin1Char('\n')));
    QString said = tr("%1 rows in %2 ms; %3 rows passed in scans, %4 steps of SQLite's machine")
                       .arg(answer->row_count)
                       .arg(ms(answer->time))
                       .arg(answer->rows_scanned)
                       .arg(answer->steps);
    if (answer->row_count > answer->rows.size()) {
        said += tr("; the first %1 are shown").arg(answer->rows.size());
    }
    say(said, "second");
    m_table->clear();
    m_table->setColumnCount(static_cast<int>(answer->columns.size()));
    m_table->setRowCount(static_cast<int>(answer->rows.size()));
    QStringList names;
    for (const std::string& name : answer->columns) names << plainText(name, 60);
    m_table->setHorizontalHeaderLabels(names);
    for (std::size_t r = 0; r < answer->rows.size(); ++r) {
        for (std::size_t c = 0; c < answer->rows[r].size(); ++c) {
            const SqlAnswer::Cell& cell = answer->rows[r][c];
            auto* item = new QTableWidgetItem(cell ? plainText(*cell, 200) : tr("NULL"));
            m_table->setItem(static_cast<int>(r), static_cast<int>(c), item);
        }
    }
    m_table->resizeColumnsToContents();
    for (int c = 0; c < m_table->columnCount(); ++c) {
        m_table->setColumnWidth(c, std::min(m_table->columnWidth(c), widestColumn));
    }
}

QString QueryDialog::said() const { return m_said->text(); }
QString QueryDialog::plan() const { return m_plan->text(); }

}  // namespace lab::app
