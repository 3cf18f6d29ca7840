// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/storage.hpp"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "live/platform.hpp"

namespace lab::live {

namespace {

Instant now() { return std::chrono::steady_clock::now(); }

/// Changes after which the write-ahead log is emptied, about 16 MB of it. SQLite does so by itself
/// only at a moment without a reader, which a busy server may never have.
constexpr std::uint64_t longest_log = 4'000;
constexpr Duration log_look = 500ms;

Database::Options database_options(const lab::Database& wanted, std::uint64_t version_base,
                                   const std::filesystem::path& data_folder) {
    Database::Options options;
    options.products = wanted.products;
    options.indexes = {wanted.index, wanted.price_indexes};
    options.replica_lag = wanted.replica_lag;
    options.version_base = version_base;
    options.data_folder = data_folder;
    return options;
}

}  // namespace

Storage::Storage(Options options)
    : options_{std::move(options)},
      keys_{static_cast<std::uint64_t>(options_.keys), options_.zipf},
      settled_{options_.generation},
      wanted_{options_.database},
      queries_{options_.queries},
      wanted_generation_{options_.generation},
      rate_{options_.database.updates} {}

Storage::~Storage() { stop(); }

Result<std::unique_ptr<Storage>> Storage::open(Options options) {
    std::unique_ptr<Storage> storage{new Storage{std::move(options)}};
    const Options& has = storage->options_;
    auto database =
        Database::open(database_options(has.database, 0, has.data_folder), has.preparation);
    if (!database) return database.error();
    storage->adopt(std::move(database.value()), has.database.access);
    return storage;
}

Result<void> Storage::start(std::function<void(std::shared_ptr<Database>)> on_database) {
    on_database_ = std::move(on_database);
    try {
        thread_ = std::thread{[this] { run(); }};
    } catch (const std::system_error&) {
        return Error{ErrorCode::no_resources, "database", "no thread can be started for it"};
    }
    return {};
}

void Storage::apply(const lab::Database& wanted, std::uint64_t generation,
                    std::vector<core::AskedQuery> queries) {
    {
        const std::lock_guard hold{mutex_};
        wanted_ = wanted;
        if (!queries.empty()) queries_ = std::move(queries);
        wanted_generation_ = generation;
    }
    wake_.notify_one();
}

void Storage::stop() {
    {
        const std::lock_guard hold{mutex_};
        stopping_ = true;
        if (database_) database_->cancel();
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void Storage::run() {
    platform::name_this_thread("storage");
    platform::tighten_timer_slack();
    std::unique_lock hold{mutex_};
    while (!stopping_) {
        if (wanted_generation_ != settled_) {
            const lab::Database wanted = wanted_;
            const std::uint64_t generation = wanted_generation_;
            hold.unlock();
            settle(wanted);
            settled_ = generation;
            hold.lock();
            continue;
        }
        const Instant change = next_change(now());
        const Instant due = std::min(change, log_due_);
        const auto has_work = [this] { return stopping_ || wanted_generation_ != settled_; };
        if (wake_.wait_until(hold, due, has_work)) continue;
        hold.unlock();
        if (due == change) {
            change_a_row();
        } else {
            shorten_log(now());
        }
        hold.lock();
    }
}

void Storage::settle(const lab::Database& wanted) {
    rate_ = wanted.updates;
    Result<void> done;
    if (wanted.products != database()->keys().products()) {
        done = replace(wanted);
    } else {
        done = change_indexes(wanted);
        if (done && wanted.replica_lag > Duration{} && !database()->replica()) {
            say("copying the database to its replica");
        }
        if (done) done = database()->set_replica(wanted.replica_lag);
        read_plans(wanted.access);
    }
    say(done || stopping_ ? std::string{} : done.error().message());
}

Result<void> Storage::change_indexes(const lab::Database& wanted) {
    const Indexes asked{wanted.index, wanted.price_indexes};
    const Indexes has = database()->indexes();
    if (asked == has) return {};
    const bool more = (asked.look_up && !has.look_up) || asked.price > has.price;
    const bool one = asked.price == has.price;
    say(fmt::format("{} the index{}", more ? "creating" : "dropping", one ? "" : "es"));
    return database()->set_indexes(asked);
}

Result<void> Storage::replace(const lab::Database& wanted) {
    Preparation preparation;
    preparation.on_progress = [this](const std::string& text) { say(text); };
    preparation.cancelled = [this] { return stopping_.load(); };
    // Versions go on from here; what requests change meanwhile in the old database is below the
    // base too.
    constexpr std::uint64_t room_for_late_changes = 1'000'000;
    const std::uint64_t base = database()->versions().last() + room_for_late_changes;
    auto made = Database::open(database_options(wanted, base, options_.data_folder), preparation);
    if (!made) return made.error();
    if (on_database_) on_database_(made.value());
    // Only now: what is asked from here on is answered from the new rows.
    connection_.reset();
    adopt(std::move(made.value()), wanted.access);
    return {};
}

void Storage::adopt(std::shared_ptr<Database> database, Access access) {
    const VersionTable& table = database->versions();
    {
        const std::lock_guard hold{mutex_};
        tables_.push_back(database->shared_versions());
        database_ = std::move(database);
        if (stopping_) database_->cancel();
    }
    truth_ = &table;
    read_plans(access);
}

void Storage::read_plans(Access access) {
    std::vector<std::string> plans;
    std::vector<core::AskedQuery> queries;
    {
        const std::lock_guard hold{mutex_};
        queries = queries_;
    }
    auto connection = database()->connect();
    for (const core::AskedQuery& query : queries) {
        if (!connection) break;
        auto plan = (*connection)->explain(query, access);
        plans.push_back(plan ? plan.value() : plan.error().message());
    }
    const std::lock_guard hold{mutex_};
    plans_ = std::move(plans);
}

void Storage::say(std::string text) {
    const std::lock_guard hold{mutex_};
    progress_ = std::move(text);
}

/// Evenly spaced. What could not be done in time (the write lock was held) is made up for, unless
/// it is more than a second's worth.
Instant Storage::next_change(Instant now) {
    const Duration gap = rate_.mean_gap();
    if (gap == Duration::max()) {
        change_due_ = Instant::max();
    } else if (change_due_ == Instant::max() || change_due_ > now + gap || change_due_ < now - 1s) {
        change_due_ = now + gap;
    }
    return change_due_;
}

void Storage::change_a_row() {
    change_due_ += rate_.mean_gap();
    const std::uint64_t key =
        keys_.draw(options_.seed, ++changed_, static_cast<std::uint32_t>(core::Purpose::update));
    Connection* const connection = own_connection();
    if (connection == nullptr) return;
    const auto done = connection->change(key);
    if (!done && !stopping_) say(done.error().message());
}

Connection* Storage::own_connection() {
    if (connection_) return connection_.get();
    auto opened = database()->connect();
    if (!opened) {
        if (!stopping_) say(opened.error().message());
        return nullptr;
    }
    connection_ = std::move(opened.value());
    return connection_.get();
}

void Storage::shorten_log(Instant now) {
    log_due_ = now + log_look;
    const std::uint64_t last = database()->versions().last();
    if (last < log_begins_ + longest_log) return;
    // Waits for readers that began before it, and holds writers up meanwhile: not for long. Where
    // it could not be done the log stays long until the next look.
    constexpr Duration longest = 200ms;
    Connection* const connection = own_connection();
    if (connection == nullptr) return;
    if (connection->empty_log(longest)) log_begins_ = last;
}

std::shared_ptr<Database> Storage::database() const {
    const std::lock_guard hold{mutex_};
    return database_;
}

std::string Storage::progress() const {
    const std::lock_guard hold{mutex_};
    return progress_;
}

std::vector<std::string> Storage::plans() const {
    const std::lock_guard hold{mutex_};
    return plans_;
}

std::uint64_t Storage::changes() const {
    const std::lock_guard hold{mutex_};
    std::uint64_t sum = 0;
    for (const auto& table : tables_) sum += table->last() - table->base();
    return sum;
}

std::uint64_t Storage::committed(const core::AskedQuery& asked, std::uint64_t key) const {
    return truth_.load()->of(asked, key);
}

}  // namespace lab::live
