// SPDX-License-Identifier: GPL-3.0-or-later
// Shapes of queries, what indexes do to reads and writes, limits of time, and the replica: with
// real SQLite.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "live/connection_pool.hpp"
#include "live/database.hpp"
#include "live/platform.hpp"
#include "unit/live/temporary_folder.hpp"

namespace lab::live {
namespace {

using core::AskedQuery;
using ::testing::HasSubstr;

struct QueryTest : ::testing::Test {
    test::TemporaryFolder folder;
    Database::Options options;
    std::shared_ptr<Database> database;
    std::unique_ptr<Connection> connection;

    QueryTest() {
        options.products = 2'000;
        options.data_folder = folder.path() / "kept";
        options.work_folder = folder.path();
    }
    void open() {
        database = Database::open(options, {}).value();
        connection = database->connect().value();
    }
    /// Every round trip of a question.
    std::vector<ProductRow> ask(AskedQuery asked, std::uint64_t key) {
        std::vector<ProductRow> rows;
        for (; asked.trip < core::round_trips(asked.kind, asked.times); ++asked.trip) {
            touched += connection->read(asked, key, rows).value().rows_touched;
        }
        return rows;
    }
    std::string plan_of(const AskedQuery& asked, Access access = Access::planner) {
        return connection->explain(asked, access).value();
    }
    std::uint64_t touched = 0;
};

std::vector<std::array<std::int64_t, 4>> in_short(const std::vector<ProductRow>& rows) {
    std::vector<std::array<std::int64_t, 4>> all;
    for (const ProductRow& row : rows) all.push_back({row.id, row.price, row.reviews, row.stars});
    return all;
}

TEST_F(QueryTest, FindsTheSameReviewsByEveryShape) {
    open();
    for (const std::uint64_t key : {0U, 7U, 1'999U}) {
        const auto joined = in_short(ask({QueryKind::reviews_joined, 20}, key));
        ASSERT_EQ(joined.size(), 20U);
        EXPECT_EQ(in_short(ask({QueryKind::reviews_per_product, 20}, key)), joined);
        EXPECT_EQ(in_short(ask({QueryKind::reviews_in_batch, 20}, key)), joined);
        for (const auto& [id, price, reviews, stars] : joined) {
            EXPECT_EQ(price, price_of(id));
            EXPECT_EQ(reviews, std::ssize(reviews_of(id)));
            EXPECT_GE(stars, reviews);
        }
    }
}

TEST_F(QueryTest, ShowsThePlanOfEachRoundTrip) {
    open();
    EXPECT_THAT(plan_of({QueryKind::reviews_per_product, 20}),
                HasSubstr("; then 20 x SEARCH review USING PRIMARY KEY (product=?)"));
    EXPECT_THAT(plan_of({QueryKind::reviews_in_batch, 20}),
                HasSubstr("; then 1 x SEARCH review USING PRIMARY KEY (product=?)"));
    EXPECT_THAT(plan_of({QueryKind::reviews_joined, 20}), HasSubstr("SEARCH r USING PRIMARY KEY"));
    EXPECT_THAT(plan_of({QueryKind::product_by_id, 5}), HasSubstr("5 x SEARCH product"));
}

TEST_F(QueryTest, TouchesEveryRowInAScanAndOneInASearch) {
    open();
    ask({QueryKind::product_by_sku}, 3);
    EXPECT_EQ(touched, 1U);
    ASSERT_TRUE(database->set_indexes({}));
    touched = 0;
    ask({QueryKind::product_by_sku}, 3);
    EXPECT_GE(touched, 1'999U);
    EXPECT_LE(touched, 2'000U);
}

TEST_F(QueryTest, CountsTheShareOfTheTableThatWasAskedFor) {
    open();
    EXPECT_EQ(ask({QueryKind::products_under_price, 1, 0}, 0).at(0).id, 0);
    EXPECT_EQ(ask({QueryKind::products_under_price, 1, 1'000}, 0).at(0).id, 2'000);
    const auto half = ask({QueryKind::products_under_price, 1, 500}, 0).at(0).id;
    EXPECT_NEAR(static_cast<double>(half), 1'000, 100);
}

TEST_F(QueryTest, GoesByTheIndexByAScanOrAsThePlannerChooses) {
    options.indexes = {true, 1};
    open();
    const AskedQuery half{QueryKind::products_under_price, 1, 500};
    const char* const by_index = "SEARCH product USING INDEX product_price_1 (price<?)";
    EXPECT_EQ(plan_of(half, Access::index), by_index);
    EXPECT_EQ(plan_of(half, Access::scan), "SCAN product");
    EXPECT_EQ(plan_of(half, Access::planner), by_index) << "it does not know how many rows match";
    EXPECT_EQ(plan_of({QueryKind::product_by_sku}, Access::scan), "SCAN product");
    std::vector<ProductRow> by_scan, searched;
    const auto scanned = connection->read(half, 0, by_scan, {.access = Access::scan});
    const auto found = connection->read(half, 0, searched, {.access = Access::index});
    EXPECT_EQ(in_short(by_scan), in_short(searched));
    EXPECT_GE(scanned->rows_touched, 1'999U);
    EXPECT_EQ(found->rows_touched, static_cast<std::uint64_t>(searched.at(0).id));
}

TEST_F(QueryTest, AnswersWithoutTheIndexThatWasAskedForOnceItHasGone) {
    options.indexes = {true, 1};
    open();
    const AskedQuery half{QueryKind::products_under_price, 1, 500};
    std::vector<ProductRow> rows;
    ASSERT_TRUE(connection->read(half, 0, rows, {.access = Access::index}));
    ASSERT_TRUE(database->set_indexes({}));
    EXPECT_TRUE(connection->read(half, 0, rows, {.access = Access::index}));
    EXPECT_EQ(plan_of(half, Access::index), "SCAN product");
}

TEST_F(QueryTest, HasAsManyPriceIndexesAsAskedFor) {
    open();
    const auto count = [&] {
        return read_number(connection->handle(),
                           "SELECT count(*) FROM sqlite_master WHERE name LIKE 'product_price%'")
            .value();
    };
    EXPECT_EQ(count(), 0);
    ASSERT_TRUE(database->set_indexes({true, 8}));
    EXPECT_EQ(count(), 8);
    ASSERT_TRUE(database->set_indexes({true, 3}));
    EXPECT_EQ(count(), 3);
    EXPECT_EQ(database->indexes(), (Indexes{true, 3}));
    EXPECT_THAT(plan_of({QueryKind::product_by_sku}), HasSubstr("product_sku"));
}

TEST_F(QueryTest, LeavesALookUpAScanWhateverIndexesHoldThePrice) {
    options.indexes = {false, 8};
    open();
    EXPECT_EQ(plan_of({QueryKind::product_by_sku}), "SCAN product");
    EXPECT_EQ(plan_of({QueryKind::products_by_category}), "SCAN product");
}

/// CPU time of so many writes, the least of several tries: other programs only ever add.
Duration cost_of_writes(Connection& connection) {
    Duration least = Duration::max();
    for (int attempt = 0; attempt < 5; ++attempt) {
        const Duration begun = platform::thread_cpu_time();
        for (std::uint64_t key = 0; key < 300; ++key) {
            if (!connection.change(key)) return {};
        }
        least = std::min(least, platform::thread_cpu_time() - begun);
    }
    return least;
}

TEST_F(QueryTest, PaysForEveryIndexWithEveryWrite) {
    options.products = 20'000;
    open();
    const Duration none = cost_of_writes(*connection);
    ASSERT_TRUE(database->set_indexes({true, 8}));
    const Duration eight = cost_of_writes(*connection);
    ASSERT_GT(none, Duration{});
    EXPECT_GT(to_ms(eight), 1.5 * to_ms(none));
}

TEST_F(QueryTest, BreaksOffWhatRunsTooLong) {
    options.products = 20'000;
    options.indexes = {};
    open();
    std::vector<ProductRow> rows;
    const auto late = connection->read({QueryKind::product_by_sku}, 1, rows, {.time_limit = 1ns});
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, ErrorCode::timed_out);
    EXPECT_TRUE(connection->read({QueryKind::product_by_sku}, 1, rows)) << "the next has no limit";
}

TEST_F(QueryTest, GivesUpWaitingForTheWriteLock) {
    open();
    const auto other = database->connect().value();
    ASSERT_TRUE(other->begin_write({}));
    const auto late = connection->begin_write(1ns);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, ErrorCode::timed_out);
    ASSERT_TRUE(other->end_write());
    EXPECT_TRUE(connection->change(1));
}

TEST_F(QueryTest, ShowsAChangeOnlyWhenItsTransactionHasEnded) {
    open();
    const auto reader = database->connect().value();
    std::vector<ProductRow> rows;
    ASSERT_TRUE(connection->begin_write({}));
    ASSERT_TRUE(connection->update(5, {}));
    EXPECT_EQ(reader->read({QueryKind::product_by_id}, 5, rows)->version, 0U);
    EXPECT_EQ(database->versions().of({QueryKind::product_by_id}, 5), 0U);
    ASSERT_TRUE(connection->end_write());
    EXPECT_EQ(reader->read({QueryKind::product_by_id}, 5, rows)->version, 1U);
    EXPECT_EQ(database->versions().of({QueryKind::product_by_id}, 5), 1U);
}

TEST_F(QueryTest, RollsBackATransactionThatChangedNothing) {
    open();
    ASSERT_TRUE(connection->begin_write({}));
    ASSERT_TRUE(connection->end_write());
    EXPECT_TRUE(database->connect().value()->change(1)) << "the lock was let go";
}

TEST_F(QueryTest, TellsTheNewestChangeOnAPage) {
    open();
    const AskedQuery page{QueryKind::reviews_joined, 20};
    const std::int64_t first = database->keys().page_of(3, 20);
    std::uint64_t neighbour = 0;  // a key whose product is on the page of key 3, but another
    for (std::uint64_t key = 0; key < 2'000; ++key) {
        const auto product = database->keys().product_of(key);
        if (key != 3 && product > first && product < first + 20) neighbour = key;
    }
    ASSERT_TRUE(connection->change(neighbour));
    EXPECT_EQ(database->versions().of(page, 3), 1U);
    EXPECT_EQ(database->versions().of({QueryKind::product_by_id}, 3), 0U);
    std::vector<ProductRow> rows;
    EXPECT_EQ(connection->read(page, 3, rows)->version, 1U);
}

TEST_F(QueryTest, ReadsTheReplicaUntilWhichAChangeHasToTravel) {
    options.replica_lag = 60s;
    open();
    std::vector<ProductRow> rows;
    const AskedQuery one{QueryKind::product_by_id};
    ASSERT_TRUE(connection->change(5));
    EXPECT_EQ(database->versions().of(one, 5), 1U);
    EXPECT_EQ(connection->read(one, 5, rows)->version, 0U) << "stale";
    const std::int64_t old_price = rows.at(0).price;
    ASSERT_TRUE(database->set_replica(1ns));
    while (database->replica()->applied() < 1) std::this_thread::yield();
    EXPECT_EQ(connection->read(one, 5, rows)->version, 1U);
    EXPECT_NE(rows.at(0).price, old_price);
    ASSERT_TRUE(database->set_replica(60s));
    ASSERT_TRUE(connection->change(5));
    EXPECT_EQ(connection->read(one, 5, rows)->version, 1U);
    ASSERT_TRUE(database->set_replica({}));
    EXPECT_EQ(connection->read(one, 5, rows)->version, 2U) << "the first copy again";
}

TEST_F(QueryTest, GivesTheReplicaTheIndexesToo) {
    options.replica_lag = 60s;
    options.indexes = {};
    options.products = 20'000;
    open();
    ASSERT_TRUE(database->set_indexes({true, 0}));
    ask({QueryKind::product_by_sku}, 3);
    EXPECT_EQ(touched, 1U);
}

TEST_F(QueryTest, KeepsTheReplicaEqualToTheFirstCopy) {
    options.replica_lag = 1ns;
    open();
    for (std::uint64_t change = 0; change < 200; ++change) {
        ASSERT_TRUE(connection->change(change % 7));
    }
    while (database->replica()->applied() < 200) std::this_thread::yield();
    const auto sum = [](const std::filesystem::path& file) {
        const auto handle = open_sqlite(file, SQLITE_OPEN_READWRITE).value();
        return read_number(handle.get(), "SELECT sum(price * version) FROM product").value();
    };
    EXPECT_EQ(sum(database->replica()->file()), sum(database->file()));
}

TEST_F(QueryTest, PoolOpensMoreOnDemandAndClosesThemOnReturn) {
    open();
    lab::Database settings;
    settings.pool = 1;
    settings.overflow = 2;
    settings.pool_timeout = 1ns;
    ConnectionPool pool{database, settings};
    ConnectionPool::Lease leases[3];
    for (core::Ticket who = 0; who < 3; ++who) {
        ASSERT_EQ(pool.acquire(who, leases[who]), core::Fault::none);
        EXPECT_TRUE(leases[who].opened);
    }
    ConnectionPool::Lease fourth;
    EXPECT_EQ(pool.acquire(9, fourth), core::Fault::pool_timeout);
    EXPECT_EQ(pool.levels().open, 3U);
    EXPECT_EQ(pool.levels().size, 1U);
    for (auto& lease : leases) pool.release(std::move(lease));
    EXPECT_EQ(pool.levels().open, 1U);
    EXPECT_EQ(pool.levels().in_use, 0U);
    ASSERT_EQ(pool.acquire(9, fourth), core::Fault::none);
    EXPECT_FALSE(fourth.opened);
    pool.release(std::move(fourth));
}

}  // namespace
}  // namespace lab::live
