// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/cache_dialog.hpp"

#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QTableWidget>
#include <QVBoxLayout>

#include "models/plain_text.hpp"
#include "models/run_controller.hpp"
#include "widgets/pieces.hpp"
#include "widgets/theme.hpp"

namespace lab::app {

namespace {

constexpr int columns = 7;
constexpr int mostKey = 200;  // characters

QString secondsText(Duration time) { return QString::number(to_seconds(time), 'f', 1); }

/// The cells of one entry, in the order of the header.
QStringList cellsOf(const CacheContent& entry) {
    QString left = QObject::tr("never");
    if (entry.left) {
        left = *entry.left > Duration{} ? secondsText(*entry.left) : QObject::tr("stale");
    }
    return {plainText(entry.key, mostKey),
            QString::number(entry.made_for),
            QString::number(entry.hits),
            secondsText(entry.age),
            left,
            QString::number(entry.size.count),
            entry.worker < 0 ? QObject::tr("all") : QString::number(entry.worker)};
}

}  // namespace

CacheDialog::CacheDialog(RunController* run, QWidget* parent)
    : QDialog(parent),
      m_run(run),
      m_note(makeParagraph({}, Fonts::text(12), "second")),
      m_table(new QTableWidget(0, columns)) {
    setWindowTitle(tr("What the cache holds"));
    resize(760, 440);
    m_table->setHorizontalHeaderLabels({tr("Key"), tr("Made for user"), tr("Hits"), tr("Age, s"),
                                        tr("Left, s"), tr("Bytes"), tr("Worker")});
    m_table->setAccessibleName(tr("Entries of the cache, the most used first"));
    m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setTabKeyNavigation(false);  // Tab leaves the table; arrows move in it
    m_table->verticalHeader()->hide();
    m_table->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    m_table->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    m_table->setFont(Fonts::code(12));
    auto* close = makeButton(tr("Close"));
    connect(close, &QPushButton::clicked, this, &QDialog::reject);
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(m_note);
    layout->addWidget(m_table, 1);
    layout->addWidget(close, 0, Qt::AlignRight);
    m_timer.setInterval(askEveryMs);
    connect(&m_timer, &QTimer::timeout, this, &CacheDialog::ask);
    connect(run, &RunController::cacheArrived, this, &CacheDialog::showContents);
    connect(run, &RunController::scenarioChanged, this, [this] {
        m_table->setRowCount(0);
        ask();
    });
}

QString CacheDialog::note() const { return m_note->text(); }

void CacheDialog::showEvent(QShowEvent* event) {
    QDialog::showEvent(event);
    ask();
    m_timer.start();
}

void CacheDialog::hideEvent(QHideEvent* event) {
    QDialog::hideEvent(event);
    m_timer.stop();
}

void CacheDialog::ask() {
    if (!isVisible()) return;
    if (m_run->isRunning()) {
        m_run->askCache();
    } else {
        m_note->setText(m_table->rowCount() > 0
                            ? tr("Nothing runs: this is what it held when last asked.")
                            : tr("Nothing runs: press Run, and the entries appear here."));
    }
}

void CacheDialog::showContents(const std::vector<CacheContent>& contents) {
    if (!isVisible()) return;
    m_note->setText(
        contents.empty()
            ? tr("The cache is empty.")
            : tr("The %1 entries with the most hits. A key is all that two requests must share.")
                  .arg(contents.size()));
    m_table->setRowCount(static_cast<int>(contents.size()));
    for (int row = 0; row < m_table->rowCount(); ++row) {
        const QStringList cells = cellsOf(contents[static_cast<std::size_t>(row)]);
        for (int column = 0; column < columns; ++column) {
            auto* item = m_table->item(row, column);
            if (item == nullptr) {
                item = new QTableWidgetItem;
                if (column > 0) item->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
                m_table->setItem(row, column, item);
            }
            if (item->text() != cells[column]) item->setText(cells[column]);
        }
    }
}

}  // namespace lab::app
