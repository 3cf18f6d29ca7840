// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>
#include <QString>
#include <QThread>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "lab/sql.hpp"

namespace lab::app {

using SqlAnswerPtr = std::shared_ptr<const SqlAnswer>;

/// A learner's SELECTs on a thread of their own; answers come as signals on the GUI thread.
///
/// The copy of the database is made at the first question, and anew when other settings are asked
/// about. Threads: GUI; no call blocks. The destructor breaks off what runs.
class SqlBridge : public QObject {
    Q_OBJECT
  public:
    /// `dataFolder`: of database templates; empty: the user's cache folder.
    explicit SqlBridge(std::string dataFolder = {}, QObject* parent = nullptr);
    ~SqlBridge() override;

    /// Puts `sql` to a database with these settings. Answers `answered` or `refused`, once.
    void ask(const Database& database, const QString& sql);
    /// Questions whose answer has not come yet.
    [[nodiscard]] int pending() const { return m_pending; }

  signals:
    /// "making 200,000 products: 40 %".
    void progressed(const QString& text);
    void answered(const lab::app::SqlAnswerPtr& answer);
    void refused(const QString& why);

  private:
    [[nodiscard]] Result<SqlAnswer> work(const Database& database, const std::string& sql);
    [[nodiscard]] Result<SqlDesk*> deskFor(const Database& database);
    void tell(Result<SqlAnswer> answer);

    const std::string m_dataFolder;
    int m_pending = 0;
    std::atomic<bool> m_closing{false};
    QThread m_thread;
    std::unique_ptr<QObject> m_worker;  ///< lives on m_thread: where posted work runs
    std::mutex m_deskMutex;             ///< m_desk changes on m_thread and is cancelled from here
    std::unique_ptr<SqlDesk> m_desk;
    Database m_settings;  ///< of m_desk; m_thread only
};

}  // namespace lab::app
