// SPDX-License-Identifier: GPL-3.0-or-later
#include "bridge/sql_bridge.hpp"

#include <QMetaObject>
#include <utility>

namespace lab::app {

SqlBridge::SqlBridge(std::string dataFolder, QObject* parent)
    : QObject(parent), m_dataFolder(std::move(dataFolder)), m_worker(std::make_unique<QObject>()) {
    m_thread.setObjectName(QStringLiteral("sql"));
    m_worker->moveToThread(&m_thread);
    m_thread.start();
}

SqlBridge::~SqlBridge() {
    m_closing = true;
    {
        const std::lock_guard hold{m_deskMutex};
        if (m_desk) m_desk->cancel();
    }
    QMetaObject::invokeMethod(
        m_worker.get(),
        [this] {
            const std::lock_guard hold{m_deskMutex};
            m_desk.reset();
            m_thread.quit();
        },
        Qt::QueuedConnection);
    m_thread.wait();
}

void SqlBridge::ask(const Database& database, const QString& sql) {
    ++m_pending;
    QMetaObject::invokeMethod(
        m_worker.get(),
        [this, database, text = sql.toStdString()] {
            if (!m_closing) tell(work(database, text));
        },
        Qt::QueuedConnection);
}

Result<SqlAnswer> SqlBridge::work(const Database& database, const std::string& sql) {
    const auto desk = deskFor(database);
    if (!desk) return desk.error();
    if ((*desk)->has_index() != database.index) {
        if (auto set = (*desk)->set_index(database.index); !set) return set.error();
    }
    return (*desk)->ask(sql);
}

Result<SqlDesk*> SqlBridge::deskFor(const Database& database) {
    const bool same = m_desk && m_settings.products == database.products &&
                      m_settings.price_indexes == database.price_indexes;
    if (same) return m_desk.get();
    SqlDesk::Options options;
    options.database = database;
    options.data_folder = m_dataFolder;
    options.cancelled = [this] { return m_closing.load(); };
    options.on_progress = [this](const std::string& text) {
        QMetaObject::invokeMethod(
            this, [this, said = QString::fromStdString(text)] { emit progressed(said); },
            Qt::QueuedConnection);
    };
    auto opened = SqlDesk::open(options);
    if (!opened) return opened.error();
    const std::lock_guard hold{m_deskMutex};
    m_desk = std::move(opened.value());
    m_settings = database;
    if (m_closing) m_desk->cancel();
    return m_desk.get();
}

void SqlBridge::tell(Result<SqlAnswer> answer) {
    const SqlAnswerPtr held = answer ? std::make_shared<const SqlAnswer>(*answer) : nullptr;
    const QString why = answer ? QString() : QString::fromStdString(answer.error().message());
    QMetaObject::invokeMethod(
        this,
        [this, held, why] {
            --m_pending;
            if (held) {
                emit answered(held);
            } else {
                emit refused(why);
            }
        },
        Qt::QueuedConnection);
}

}  // namespace lab::app
