// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/storage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <thread>

#include "unit/live/temporary_folder.hpp"

namespace lab::live {
namespace {

using ::testing::HasSubstr;

/// What the storage thread brings about comes true soon, or the test fails after ten seconds.
template <class Condition>
bool comes_true(Condition&& condition) {
    const auto limit = std::chrono::steady_clock::now() + 10s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > limit) return false;
        std::this_thread::yield();
    }
    return true;
}

struct StorageTest : ::testing::Test {
    lab::test::TemporaryFolder folder;
    Storage::Options options;
    std::unique_ptr<Storage> storage;

    StorageTest() {
        options.database.products = 2'000;
        options.database.index = false;
        options.queries = {{QueryKind::product_by_sku}};
        options.data_folder = folder.path();
    }
    void start() {
        storage = Storage::open(options).value();
        ASSERT_TRUE(storage->start({}));
    }
};

TEST_F(StorageTest, IsSettledFromTheStart) {
    start();
    EXPECT_EQ(storage->settled(), 1U);
    EXPECT_EQ(storage->progress(), "");
    EXPECT_EQ(storage->plans(), std::vector<std::string>{"SCAN product"});
}

TEST_F(StorageTest, SettlesOnlyWhenTheIndexIsThere) {
    start();
    options.database.index = true;
    storage->apply(options.database, 2);
    ASSERT_TRUE(comes_true([&] { return storage->settled() == 2; }));
    EXPECT_TRUE(storage->database()->indexes().look_up);
    EXPECT_THAT(storage->plans().at(0), HasSubstr("SEARCH product USING INDEX"));
    EXPECT_EQ(storage->progress(), "");
}

TEST_F(StorageTest, EndsAtTheLastOfManyChangesOfMind) {
    start();
    for (std::uint64_t generation = 2; generation <= 21; ++generation) {
        options.database.index = generation % 2 == 0;
        storage->apply(options.database, generation);
    }
    ASSERT_TRUE(comes_true([&] { return storage->settled() == 21; }));
    EXPECT_FALSE(storage->database()->indexes().look_up);
}

TEST_F(StorageTest, ChangesRowsThatAreAskedFor) {
    options.database.updates = ArrivalRate::per_second(1'000);
    options.keys = 3;
    start();
    const auto version = [&](std::uint64_t key) {
        return storage->committed({QueryKind::product_by_id}, key);
    };
    ASSERT_TRUE(comes_true([&] { return version(0) > 0 && version(1) > 0 && version(2) > 0; }));
    EXPECT_EQ(version(3), 0U);
    EXPECT_GE(storage->changes(), 3U);
    options.database.updates = {};
    storage->apply(options.database, 2);
    ASSERT_TRUE(comes_true([&] { return storage->settled() == 2; }));
    const auto changes = storage->changes();
    storage->stop();
    EXPECT_EQ(storage->changes(), changes);
}

TEST_F(StorageTest, KeepsTheLogShortWhileReadersOverlap) {
    start();
    const auto database = storage->database();
    auto writer = database->connect().value();
    auto one = database->connect().value();
    auto other = database->connect().value();
    ASSERT_TRUE(one->run("BEGIN; SELECT count(*) FROM product"));
    for (std::uint64_t i = 0; i < 5'000; ++i) {
        ASSERT_TRUE(writer->change(i));
        if (i % 100 != 0) continue;
        ASSERT_TRUE(other->run("BEGIN; SELECT count(*) FROM product"));
        ASSERT_TRUE(one->run("COMMIT"));
        std::swap(one, other);  // there is a reader at every moment
    }
    ASSERT_TRUE(one->run("COMMIT"));
    const auto log = std::filesystem::path{database->file().string() + "-wal"};
    EXPECT_TRUE(comes_true([&] { return std::filesystem::file_size(log) == 0; }));
}

TEST_F(StorageTest, MovesToAnotherDatabaseAndCountsOn) {
    storage = Storage::open(options).value();
    std::shared_ptr<Database> told;
    ASSERT_TRUE(storage->start([&](std::shared_ptr<Database> database) { told = database; }));
    ASSERT_TRUE(storage->database()->connect().value()->change(5));
    options.database.products = 3'000;
    storage->apply(options.database, 2);
    ASSERT_TRUE(comes_true([&] { return storage->settled() == 2; }));
    EXPECT_EQ(told, storage->database());
    EXPECT_EQ(storage->database()->keys().products(), 3'000);
    EXPECT_GT(storage->committed({QueryKind::product_by_id}, 5), 1U);
    std::vector<ProductRow> rows;
    const auto seen = told->connect().value()->read({QueryKind::product_by_id}, 5, rows);
    EXPECT_GE(seen.value().version, storage->committed({QueryKind::product_by_id}, 5));
    EXPECT_EQ(storage->changes(), 1U);
}

TEST_F(StorageTest, StopsWhileItMakesAnotherDatabase) {
    start();
    options.database.products = 1'000'000;
    storage->apply(options.database, 2);
    ASSERT_TRUE(comes_true([&] { return !storage->progress().empty(); }));
    const auto begun = std::chrono::steady_clock::now();
    storage->stop();
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 1s);
}

}  // namespace
}  // namespace lab::live
