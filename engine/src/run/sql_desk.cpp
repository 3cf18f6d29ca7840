// SPDX-License-Identifier: GPL-3.0-or-later
#include <utility>

#include "lab/sql.hpp"
#include "live/database.hpp"
#include "live/sql_sandbox.hpp"

namespace lab {

class SqlDesk::Impl {
  public:
    Impl(std::shared_ptr<live::Database> database, std::unique_ptr<live::SqlSandbox> sandbox)
        : database_{std::move(database)}, sandbox_{std::move(sandbox)} {}

    std::shared_ptr<live::Database> database_;
    std::unique_ptr<live::SqlSandbox> sandbox_;
};

Result<std::unique_ptr<SqlDesk>> SqlDesk::open(const Options& options) {
    live::Database::Options wanted;
    wanted.products = options.database.products;
    wanted.indexes = {options.database.index, options.database.price_indexes};
    wanted.data_folder = options.data_folder;
    auto database = live::Database::open(wanted, {options.on_progress, options.cancelled});
    if (!database) return database.error();
    auto sandbox = live::SqlSandbox::open((*database)->file());
    if (!sandbox) return sandbox.error();
    return std::unique_ptr<SqlDesk>{new SqlDesk{
        std::make_unique<Impl>(std::move(database.value()), std::move(sandbox.value()))}};
}

SqlDesk::SqlDesk(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
SqlDesk::~SqlDesk() = default;

Result<SqlAnswer> SqlDesk::ask(const std::string& sql, const SqlLimits& limits) {
    return impl_->sandbox_->ask(sql, limits);
}

Result<void> SqlDesk::set_index(bool wanted) {
    live::Indexes indexes = impl_->database_->indexes();
    indexes.look_up = wanted;
    return impl_->database_->set_indexes(indexes);
}

bool SqlDesk::has_index() const { return impl_->database_->indexes().look_up; }

void SqlDesk::cancel() {
    impl_->sandbox_->cancel();
    impl_->database_->cancel();
}

}  // namespace lab
