// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/store.hpp"

#include <sqlite3.h>

#include <exception>
#include <utility>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

#include "lab/text.hpp"
#include "store/database_file.hpp"

namespace lab {
namespace {

using store::Opened;

class SqliteStore final : public Store {
  public:
    explicit SqliteStore(Opened opened) : opened_{std::move(opened)} {}

    [[nodiscard]] std::string remark() const override { return opened_.remark; }

    [[nodiscard]] Result<void> save(const StoredPrediction& p) override {
        return write([&](SQLite::Database& db) {
            SQLite::Statement insert(
                db,
                "INSERT INTO prediction (scenario, step, option, text, at_unix_ms)"
                " VALUES (?, ?, ?, ?, ?)");
            insert.bind(1, p.scenario);
            insert.bind(2, p.step);
            insert.bind(3, p.option);
            insert.bind(4, p.text);
            insert.bind(5, p.at_unix_ms);
            insert.exec();
        });
    }

    /// The furthest step stays: going back in a lesson loses nothing.
    [[nodiscard]] Result<void> save(const StoredProgress& p) override {
        return write([&](SQLite::Database& db) {
            SQLite::Statement upsert(
                db,
                "INSERT INTO progress (scenario, step, finished, at_unix_ms) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (scenario) DO UPDATE SET step = max(step, excluded.step),"
                " finished = max(finished, excluded.finished),"
                " at_unix_ms = max(at_unix_ms, excluded.at_unix_ms)");
            upsert.bind(1, p.scenario);
            upsert.bind(2, p.step);
            upsert.bind(3, p.finished ? 1 : 0);
            upsert.bind(4, p.at_unix_ms);
            upsert.exec();
        });
    }

    /// A table of its own, made when it is first needed: a file without it is no older file.
    [[nodiscard]] Result<void> save(const StoredCalibration& c) override {
        return write([&](SQLite::Database& db) {
            db.exec(
                "CREATE TABLE IF NOT EXISTS calibration (id INTEGER PRIMARY KEY CHECK (id = 1),"
                " costs TEXT NOT NULL, machine TEXT NOT NULL, at_unix_ms INTEGER NOT NULL)");
            SQLite::Statement replace(
                db,
                "INSERT OR REPLACE INTO calibration (id, costs, machine, at_unix_ms)"
                " VALUES (1, ?, ?, ?)");
            replace.bind(1, c.costs);
            replace.bind(2, c.machine);
            replace.bind(3, c.at_unix_ms);
            replace.exec();
        });
    }

    [[nodiscard]] std::optional<StoredCalibration> calibration() const override {
        std::optional<StoredCalibration> out;
        read("SELECT costs, machine, at_unix_ms FROM calibration", [&](SQLite::Statement& query) {
            while (query.executeStep())
                out = StoredCalibration{query.getColumn(0).getString(),
                                        query.getColumn(1).getString(),
                                        query.getColumn(2).getInt64()};
        });
        return out;
    }

    [[nodiscard]] std::vector<StoredPrediction> predictions(
        const std::string& scenario) const override {
        std::vector<StoredPrediction> out;
        read(
            "SELECT scenario, step, option, text, at_unix_ms FROM prediction WHERE scenario = ?"
            " ORDER BY at_unix_ms, id",
            [&](SQLite::Statement& query) {
                query.bind(1, scenario);
                while (query.executeStep())
                    out.push_back({query.getColumn(0).getString(), query.getColumn(1).getInt(),
                                   query.getColumn(2).getInt(), query.getColumn(3).getString(),
                                   query.getColumn(4).getInt64()});
            });
        return out;
    }

    [[nodiscard]] std::vector<StoredProgress> progress() const override {
        std::vector<StoredProgress> out;
        read("SELECT scenario, step, finished, at_unix_ms FROM progress ORDER BY scenario",
             [&](SQLite::Statement& query) {
                 while (query.executeStep())
                     out.push_back({query.getColumn(0).getString(), query.getColumn(1).getInt(),
                                    query.getColumn(2).getInt() != 0,
                                    query.getColumn(3).getInt64()});
             });
        return out;
    }

  private:
    [[nodiscard]] Error error(ErrorCode code, const std::string& why) const {
        return {code, escaped(opened_.file.string()), fmt::format("not saved: {}", escaped(why))};
    }

    template <class Statements>
    Result<void> write(Statements statements) {
        if (opened_.read_only) return error(ErrorCode::not_permitted, opened_.why_read_only);
        // SQLite would go on writing to a file that nobody can find any more.
        if (opened_.identity && store::identity_of(opened_.file) != opened_.identity)
            return error(ErrorCode::failed, "the file was moved or removed while the program ran");
        try {
            statements(*opened_.database);
            return {};
        } catch (const SQLite::Exception& e) {
            const bool full = e.getErrorCode() == SQLITE_FULL;
            return error(full ? ErrorCode::no_resources : ErrorCode::failed, e.what());
        } catch (const std::exception& e) {
            return error(ErrorCode::failed, e.what());
        }
    }

    /// What cannot be read is as if it were not there: remark() has said why.
    template <class Rows>
    void read(const char* sql, Rows rows) const {
        try {
            SQLite::Statement query(*opened_.database, sql);
            rows(query);
        } catch (const std::exception&) {
            return;
        }
    }

    Opened opened_;
};

}  // namespace

std::unique_ptr<Store> Store::open(const std::filesystem::path& folder) {
    return std::make_unique<SqliteStore>(
        store::open_database(folder.empty() ? store::default_folder() : folder));
}

}  // namespace lab
