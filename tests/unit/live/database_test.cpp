// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "live/database_template.hpp"
#include "unit/live/temporary_folder.hpp"

namespace lab::live {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr int few = 2'000;

struct DatabaseTest : ::testing::Test {
    test::TemporaryFolder folder;

    Result<std::shared_ptr<Database>> open(bool index, int products = few,
                                           std::uint64_t base = 0) const {
        Database::Options options;
        options.products = products;
        options.indexes.look_up = index;
        options.version_base = base;
        options.data_folder = folder.path() / "kept";
        options.work_folder = folder.path();
        return Database::open(options, {});
    }
};

std::string plan_of(Database& database, QueryKind query) {
    auto connection = database.connect();
    return connection ? (*connection)->explain({query}, Access::planner).value()
                      : connection.error().message();
}

using Template = DatabaseTest;

TEST_F(Template, IsMadeOnceAndUsedAgain) {
    const auto first = ensure_template(folder.path(), few, {});
    ASSERT_TRUE(first);
    const auto made = fs::last_write_time(*first);
    int told = 0;
    Preparation preparation;
    preparation.on_progress = [&](const std::string&) { ++told; };
    const auto second = ensure_template(folder.path(), few, preparation);
    ASSERT_TRUE(second);
    EXPECT_EQ(*first, *second);
    EXPECT_EQ(fs::last_write_time(*second), made);
    EXPECT_EQ(told, 0);
}

TEST_F(Template, IsMadeAnewWhenTheFileIsCut) {
    const auto file = ensure_template(folder.path(), few, {});
    ASSERT_TRUE(file);
    const auto whole = fs::file_size(*file);
    fs::resize_file(*file, whole / 2);
    ASSERT_TRUE(ensure_template(folder.path(), few, {}));
    EXPECT_EQ(fs::file_size(*file), whole);
}

TEST_F(Template, IsMadeAnewWhenAPageIsDamaged) {
    const auto file = ensure_template(folder.path(), few, {});
    ASSERT_TRUE(file);
    constexpr int page = 4'096;
    {
        std::fstream pages{*file, std::ios::in | std::ios::out | std::ios::binary};
        pages.seekp(20 * page);
        pages << std::string(page, 'x');
    }
    bool made = false;
    Preparation preparation;
    preparation.on_progress = [&](const std::string&) { made = true; };
    ASSERT_TRUE(ensure_template(folder.path(), few, preparation));
    EXPECT_TRUE(made);
}

TEST_F(Template, RemovesFilesOfAnotherLayoutAndNothingElse) {
    const auto old = folder.path() / "products-v0-2000.sqlite";
    const auto other = folder.path() / "progress.sqlite";
    for (const auto& file : {old, other}) std::ofstream{file} << "data";
    ASSERT_TRUE(ensure_template(folder.path(), few, {}));
    EXPECT_FALSE(fs::exists(old));
    EXPECT_TRUE(fs::exists(other));
}

TEST_F(Template, IsMadeAnewWhenTheFileIsSomethingElse) {
    const auto file = ensure_template(folder.path(), few, {});
    ASSERT_TRUE(file);
    const auto whole = fs::file_size(*file);
    std::ofstream{*file} << "not a database at all";
    ASSERT_TRUE(ensure_template(folder.path(), few, {}));
    EXPECT_EQ(fs::file_size(*file), whole);
}

TEST_F(Template, LeavesNothingBehindWhenItIsCancelled) {
    Preparation preparation;
    preparation.cancelled = [] { return true; };
    const auto file = ensure_template(folder.path(), few, preparation);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code, ErrorCode::interrupted);
    EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST_F(Template, OfTwoMakersAtOnceServesBoth) {
    Result<fs::path> one = Error{};
    std::thread maker{[&] { one = ensure_template(folder.path(), few, {}); }};
    const auto other = ensure_template(folder.path(), few, {});
    maker.join();
    ASSERT_TRUE(one);
    ASSERT_TRUE(other);
    EXPECT_EQ(*one, *other);
    EXPECT_EQ(std::distance(fs::directory_iterator{folder.path()}, fs::directory_iterator{}), 1);
}

TEST_F(Template, SaysItsProgress) {
    std::vector<std::string> told;
    Preparation preparation;
    preparation.on_progress = [&](const std::string& text) { told.push_back(text); };
    ASSERT_TRUE(ensure_template(folder.path(), 20'000, preparation));
    ASSERT_FALSE(told.empty());
    EXPECT_EQ(told.front(), "making 20,000 products: 0 %");
}

TEST_F(Template, GivesEveryProductACodeOfItsOwn) {
    std::set<std::string> codes;
    for (std::int64_t product = 1; product <= few; ++product) codes.insert(sku_of(product));
    EXPECT_EQ(codes.size(), static_cast<std::size_t>(few));
}

TEST_F(DatabaseTest, RemovesItsCopyAtTheEnd) {
    fs::path file;
    {
        auto database = open(true);
        ASSERT_TRUE(database);
        file = (*database)->file();
        EXPECT_TRUE(fs::exists(file));
    }
    EXPECT_FALSE(fs::exists(file.parent_path()));
}

TEST_F(DatabaseTest, RemovesWhatAKilledProcessLeftBehind) {
    constexpr long no_process = 0x7fff'fff0;  // above every pid_max
    const auto left = folder.path() / ("latency-lab-" + std::to_string(no_process) + "-abcdef");
    fs::create_directories(left);
    std::ofstream{left / "products.sqlite"} << "left behind";
    ASSERT_TRUE(PrivateFolder::create(folder.path()));
    EXPECT_FALSE(fs::exists(left));
}

TEST_F(DatabaseTest, LeavesTheFolderOfALivingProcessAlone) {
    const auto first = PrivateFolder::create(folder.path());
    ASSERT_TRUE(first);
    ASSERT_TRUE(PrivateFolder::create(folder.path()));
    EXPECT_TRUE(fs::exists((*first)->path()));
}

TEST_F(DatabaseTest, RunsWithoutAFolderForTemplates) {
    Database::Options options;
    options.products = few;
    options.data_folder = "/proc/no-such-folder";
    options.work_folder = folder.path();
    const auto database = Database::open(options, {});
    ASSERT_TRUE(database);
    EXPECT_TRUE((*database)->indexes().look_up);
}

TEST_F(DatabaseTest, ScansWithoutTheIndexAndSearchesWithIt) {
    auto database = open(false);
    ASSERT_TRUE(database);
    EXPECT_EQ(plan_of(**database, QueryKind::product_by_sku), "SCAN product");
    EXPECT_EQ(plan_of(**database, QueryKind::products_by_category), "SCAN product");
    ASSERT_TRUE((*database)->set_indexes({true, 0}));
    EXPECT_THAT(plan_of(**database, QueryKind::product_by_sku),
                HasSubstr("SEARCH product USING INDEX product_sku"));
    EXPECT_THAT(plan_of(**database, QueryKind::products_by_category),
                HasSubstr("SEARCH product USING INDEX product_category"));
    ASSERT_TRUE((*database)->set_indexes({false, 0}));
    EXPECT_EQ(plan_of(**database, QueryKind::product_by_sku), "SCAN product");
    EXPECT_THAT(plan_of(**database, QueryKind::product_by_id),
                HasSubstr("USING INTEGER PRIMARY KEY"));
}

TEST_F(DatabaseTest, ReadsTheRowOfTheKeyByCodeAndById) {
    auto database = open(true);
    ASSERT_TRUE(database);
    auto connection = (*database)->connect();
    ASSERT_TRUE(connection);
    std::vector<ProductRow> by_code;
    std::vector<ProductRow> by_id;
    for (const std::uint64_t key : {0U, 1U, 999U}) {
        ASSERT_TRUE((*connection)->read({QueryKind::product_by_sku}, key, by_code));
        ASSERT_TRUE((*connection)->read({QueryKind::product_by_id}, key, by_id));
        ASSERT_EQ(by_code.size(), 1U);
        ASSERT_EQ(by_id.size(), 1U);
        const std::int64_t id = (*database)->keys().product_of(key);
        EXPECT_EQ(by_code[0].id, id);
        EXPECT_EQ(by_id[0].id, id);
        EXPECT_EQ(by_id[0].name, name_of(id));
        EXPECT_EQ(by_id[0].price, price_of(id));
    }
}

TEST_F(DatabaseTest, ReadsFourHundredRowsOfACategory) {
    auto database = open(true, 200'000);
    ASSERT_TRUE(database);
    auto connection = (*database)->connect();
    ASSERT_TRUE(connection);
    std::vector<ProductRow> rows;
    ASSERT_TRUE((*connection)->read({QueryKind::products_by_category}, 3, rows));
    ASSERT_EQ(rows.size(), 400U);
    for (const ProductRow& row : rows) {
        EXPECT_EQ(row.category, (*database)->keys().category_of(3));
    }
}

TEST(Keyspace, GivesDifferentKeysDifferentProductsAndCategories) {
    const core::Keyspace keys{200'000};
    std::set<std::int64_t> products;
    std::set<std::int32_t> categories;
    for (std::uint64_t key = 0; key < 500; ++key) {
        products.insert(keys.product_of(key));
        categories.insert(keys.category_of(key));
    }
    EXPECT_EQ(products.size(), 500U);
    EXPECT_EQ(categories.size(), 500U);
    EXPECT_GE(*products.begin(), 1);
    EXPECT_LE(*products.rbegin(), 200'000);
}

TEST_F(DatabaseTest, NumbersEveryChangeAndTellsItToReaders) {
    auto database = open(true);
    ASSERT_TRUE(database);
    auto connection = (*database)->connect();
    ASSERT_TRUE(connection);
    std::vector<ProductRow> rows;
    const auto& versions = (*database)->versions();
    EXPECT_EQ((*connection)->read({QueryKind::product_by_id}, 5, rows).value().version, 0U);
    ASSERT_TRUE((*connection)->change(7));
    ASSERT_TRUE((*connection)->change(5));
    EXPECT_EQ((*connection)->read({QueryKind::product_by_id}, 5, rows).value().version, 2U);
    // Nothing older than the last commit can be seen by who begins to read after it.
    EXPECT_EQ((*connection)->read({QueryKind::product_by_sku}, 7, rows).value().version, 2U);
    EXPECT_EQ((*connection)->read({QueryKind::products_by_category}, 5, rows).value().version, 2U);
    EXPECT_EQ(versions.of({QueryKind::product_by_id}, 5), 2U);
    EXPECT_EQ(versions.of({QueryKind::products_by_category}, 7), 1U);
    EXPECT_EQ(versions.of({QueryKind::product_by_id}, 8), 0U);
}

TEST_F(DatabaseTest, GoesOnCountingWhereAnotherHadCome) {
    auto database = open(true, few, 1'000);
    ASSERT_TRUE(database);
    auto connection = (*database)->connect();
    ASSERT_TRUE(connection);
    std::vector<ProductRow> rows;
    EXPECT_EQ((*connection)->read({QueryKind::product_by_id}, 5, rows).value().version, 1'000U);
    EXPECT_EQ((*database)->versions().of({QueryKind::product_by_id}, 5), 1'000U);
    ASSERT_TRUE((*connection)->change(5));
    EXPECT_EQ((*connection)->read({QueryKind::product_by_id}, 5, rows).value().version, 1'001U);
    EXPECT_EQ((*database)->versions().of({QueryKind::product_by_id}, 5), 1'001U);
}

TEST_F(DatabaseTest, NeverPromisesAVersionThatAReaderCannotSee) {
    auto database = open(true);
    ASSERT_TRUE(database);
    std::atomic<bool> done{false};
    std::atomic<int> failures{0};
    const auto write = [&] {
        auto connection = (*database)->connect();
        for (int i = 0; i < 100; ++i) failures += (*connection)->change(3) ? 0 : 1;
    };
    std::thread first{write};
    std::thread second{write};
    std::thread reader{[&] {
        auto connection = (*database)->connect();
        std::vector<ProductRow> rows;
        while (!done) {
            const auto promised = (*database)->versions().of({QueryKind::product_by_id}, 3);
            const auto seen = (*connection)->read({QueryKind::product_by_id}, 3, rows);
            failures += seen && seen->version >= promised ? 0 : 1;
        }
    }};
    first.join();
    second.join();
    done = true;
    reader.join();
    EXPECT_EQ(failures, 0);
    EXPECT_EQ((*database)->versions().of({QueryKind::product_by_id}, 3), 200U);
}

TEST_F(DatabaseTest, ServesReadersAndWritersWhileTheIndexComesAndGoes) {
    auto database = open(false, 20'000);
    ASSERT_TRUE(database);
    std::atomic<bool> done{false};
    std::atomic<int> failures{0};
    std::atomic<int> reads{0};
    const auto read = [&] {
        auto connection = (*database)->connect();
        std::vector<ProductRow> rows;
        for (std::uint64_t key = 0; !done; ++key) {
            const auto seen = (*connection)->read({QueryKind::product_by_sku}, key % 100, rows);
            failures += seen && rows.size() == 1 ? 0 : 1;
            ++reads;
        }
    };
    std::thread one{read};
    std::thread other{[&] {
        auto connection = (*database)->connect();
        for (std::uint64_t key = 0; !done; ++key) {
            failures += (*connection)->change(key % 100) ? 0 : 1;
        }
    }};
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE((*database)->set_indexes({true, 0}));
        ASSERT_TRUE((*database)->set_indexes({false, 0}));
    }
    done = true;
    one.join();
    other.join();
    EXPECT_EQ(failures, 0);
    EXPECT_GT(reads, 0);
}

TEST_F(DatabaseTest, BreaksOffAWriterThatWaitsForTheLock) {
    auto database = open(true);
    ASSERT_TRUE(database);
    auto holder = (*database)->connect();
    ASSERT_TRUE(holder);
    ASSERT_TRUE((*holder)->run("BEGIN IMMEDIATE"));
    Result<void> result;
    std::thread writer{[&] {
        auto connection = (*database)->connect();
        result = (*connection)->change(1);
    }};
    (*database)->cancel();
    writer.join();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::interrupted);
}

TEST_F(DatabaseTest, BreaksOffAScan) {
    auto database = open(false, 20'000);
    ASSERT_TRUE(database);
    auto connection = (*database)->connect();
    ASSERT_TRUE(connection);
    (*database)->cancel();
    std::vector<ProductRow> rows;
    const auto seen = (*connection)->read({QueryKind::product_by_sku}, 1, rows);
    ASSERT_FALSE(seen);
    EXPECT_EQ(seen.error().code, ErrorCode::interrupted);
}

}  // namespace
}  // namespace lab::live
