// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/settings_dialog.hpp"

#include <QComboBox>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QStyledItemDelegate>
#include <QTableView>
#include <QVBoxLayout>

#include "models/run_controller.hpp"
#include "widgets/pieces.hpp"
#include "widgets/theme.hpp"

namespace lab::app {

namespace {

constexpr QSize firstSize(860, 620);
constexpr int margin = 16;
constexpr int rowHeight = 30;
constexpr int columnWidths[] = {230, 190, 150};

/// A list where there is something to choose from, a line where a value is typed.
class ValueDelegate : public QStyledItemDelegate {
  public:
    ValueDelegate(const SettingsModel* settings, const QSortFilterProxyModel* found,
                  QObject* parent)
        : QStyledItemDelegate(parent), m_settings(settings), m_found(found) {}

    QWidget* createEditor(QWidget* parent, const QStyleOptionViewItem& option,
                          const QModelIndex& index) const override {
        const QStringList choices = m_settings->choices(m_found->mapToSource(index).row());
        if (choices.isEmpty()) return QStyledItemDelegate::createEditor(parent, option, index);
        auto* list = new QComboBox(parent);
        const QStringList labels = m_settings->choiceLabels(m_found->mapToSource(index).row());
        for (qsizetype i = 0; i < choices.size(); ++i) list->addItem(labels.at(i), choices.at(i));
        connect(list, &QComboBox::activated, list, [this, list] {
            auto* self = const_cast<ValueDelegate*>(this);
            emit self->commitData(list);
            emit self->closeEditor(list);
        });
        return list;
    }
    void setEditorData(QWidget* editor, const QModelIndex& index) const override {
        if (auto* list = qobject_cast<QComboBox*>(editor)) {
            list->setCurrentIndex(list->findData(index.data(Qt::EditRole)));
        } else {
            QStyledItemDelegate::setEditorData(editor, index);
        }
    }
    void setModelData(QWidget* editor, QAbstractItemModel* model,
                      const QModelIndex& index) const override {
        if (const auto* list = qobject_cast<QComboBox*>(editor)) {
            model->setData(index, list->currentData(), Qt::EditRole);
        } else {
            QStyledItemDelegate::setModelData(editor, model, index);
        }
    }

  private:
    const SettingsModel* m_settings;
    const QSortFilterProxyModel* m_found;
};

}  // namespace

SettingsDialog::SettingsDialog(RunController* run, QWidget* parent)
    : QDialog(parent),
      m_model(new SettingsModel(run, this)),
      m_found(new QSortFilterProxyModel(this)),
      m_filter(new QLineEdit),
      m_table(new QTableView),
      m_help(makeParagraph({}, Fonts::text(13), "second")),
      m_problem(makeParagraph({}, Fonts::text(13), "worse")) {
    setWindowTitle(tr("All settings"));
    setObjectName(QStringLiteral("settingsDialog"));
    resize(firstSize);
    m_found->setSourceModel(m_model);
    m_found->setFilterKeyColumn(-1);
    m_found->setFilterCaseSensitivity(Qt::CaseInsensitive);
    m_filter->setPlaceholderText(tr("Find a setting"));
    m_filter->setAccessibleName(tr("Find a setting"));
    m_filter->setClearButtonEnabled(true);
    m_table->setModel(m_found);
    m_table->setAccessibleName(tr("Settings"));
    m_table->setItemDelegateForColumn(SettingsModel::valueColumn,
                                      new ValueDelegate(m_model, m_found, this));
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->setEditTriggers(QAbstractItemView::DoubleClicked | QAbstractItemView::SelectedClicked |
                             QAbstractItemView::EditKeyPressed);
    m_table->setTabKeyNavigation(false);  // Tab leaves the table; arrows move in it
    m_table->verticalHeader()->hide();
    m_table->verticalHeader()->setDefaultSectionSize(rowHeight);
    m_table->setShowGrid(false);
    m_table->setAlternatingRowColors(true);
    m_table->setFont(Fonts::text(13));
    for (int column = SettingsModel::nameColumn; column <= SettingsModel::presetColumn; ++column) {
        m_table->setColumnWidth(column, columnWidths[column]);
    }
    m_table->horizontalHeader()->setStretchLastSection(true);
    m_table->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    m_help->setMinimumHeight(3 * m_help->fontMetrics().lineSpacing());
    m_help->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    auto* close = makeButton(tr("Close"));
    close->setAutoDefault(false);

    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(margin, margin, margin, margin);
    layout->addWidget(m_filter);
    layout->addWidget(m_table, 1);
    layout->addWidget(m_problem);
    layout->addWidget(m_help);
    layout->addWidget(close, 0, Qt::AlignRight);

    connect(close, &QPushButton::clicked, this, &QDialog::reject);
    connectAll(run);
    m_problem->hide();
    showHelp();
}

void SettingsDialog::connectAll(RunController* run) {
    connect(m_filter, &QLineEdit::textChanged, m_found,
            &QSortFilterProxyModel::setFilterFixedString);
    connect(m_table, &QAbstractItemView::activated, this, &SettingsDialog::edit);
    connect(m_table->selectionModel(), &QItemSelectionModel::currentChanged, this,
            &SettingsDialog::showHelp);
    connect(m_model, &QAbstractItemModel::modelReset, this, &SettingsDialog::showHelp);
    connect(run, &RunController::problem, this, &SettingsDialog::showProblem);
    connect(m_model, &SettingsModel::taken, this, [this] { showProblem({}); });
}

void SettingsDialog::showEvent(QShowEvent* event) {
    QDialog::showEvent(event);
    showProblem({});
    m_filter->setFocus(Qt::ShortcutFocusReason);
    m_filter->selectAll();
}

/// Return and F2 anywhere in the row edit its value.
void SettingsDialog::edit(const QModelIndex& at) {
    const QModelIndex cell = at.siblingAtColumn(SettingsModel::valueColumn);
    if (!cell.flags().testFlag(Qt::ItemIsEditable)) return;
    m_table->setCurrentIndex(cell);
    m_table->edit(cell);
}

QString SettingsDialog::problem() const { return m_problem->text(); }

void SettingsDialog::showProblem(const QString& why) {
    m_problem->setText(why);
    m_problem->setVisible(!why.isEmpty());
}

QString SettingsDialog::help() const { return m_help->text(); }

void SettingsDialog::showHelp() {
    const QModelIndex at = m_found->mapToSource(m_table->currentIndex());
    m_help->setText(at.isValid()
                        ? m_model->help(at.row())
                        : tr("Choose a setting to read what it means. A value that you change "
                             "holds at once; bold is what differs from the scenario."));
}

}  // namespace lab::app
