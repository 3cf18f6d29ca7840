// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include <SQLiteCpp/SQLiteCpp.h>

#include "store/place.hpp"
#include "unit/store/folder.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::prediction;
using testing::StoreTest;

TEST_F(StoreTest, BeginsEmptyAndSaysNothing) {
    const auto store = Store::open(folder / "new" / "deep");
    EXPECT_EQ(store->remark(), "");
    EXPECT_THAT(store->predictions("workers"), IsEmpty());
    EXPECT_THAT(store->progress(), IsEmpty());
    EXPECT_TRUE(fs::is_regular_file(folder / "new" / "deep" / "progress.db"));
}

TEST_F(StoreTest, HasThePredictionsOfAScenarioInTheirOrderAfterAnotherStart) {
    const auto first = prediction("workers", 1, 2, 1'700'000'000'123);
    auto second = prediction("workers", 1, 0, 1'700'000'000'999);
    second.text = "quote ' and \" and\nnew line, \xe2\x82\xac; DROP TABLE prediction";
    {
        const auto store = Store::open(folder);
        ASSERT_TRUE(store->save(second));
        ASSERT_TRUE(store->save(first));
        ASSERT_TRUE(store->save(prediction("cache", 0, 1, 5)));
    }
    const auto store = Store::open(folder);
    EXPECT_THAT(store->predictions("workers"), ElementsAre(first, second));
    EXPECT_THAT(store->predictions("none"), IsEmpty());
}

TEST_F(StoreTest, KeepsTheNewestCalibration) {
    {
        const auto store = Store::open(folder);
        EXPECT_FALSE(store->calibration());
        ASSERT_TRUE(store->save(StoredCalibration{"parse=5us", "2 cores", 7}));
        ASSERT_TRUE(store->save(StoredCalibration{"parse=6us answer=1us", "2 cores", 9}));
    }
    const auto store = Store::open(folder);
    EXPECT_EQ(store->remark(), "");
    EXPECT_EQ(store->calibration(), (StoredCalibration{"parse=6us answer=1us", "2 cores", 9}));
}

TEST_F(StoreTest, KeepsTheFurthestStepOfEachScenario) {
    const auto store = Store::open(folder);
    ASSERT_TRUE(store->save(StoredProgress{"workers", 3, false, 30}));
    ASSERT_TRUE(store->save(StoredProgress{"workers", 1, false, 40}));
    ASSERT_TRUE(store->save(StoredProgress{"cache", 0, false, 50}));
    EXPECT_THAT(store->progress(), ElementsAre(StoredProgress{"cache", 0, false, 50},
                                               StoredProgress{"workers", 3, false, 40}));
    ASSERT_TRUE(store->save(StoredProgress{"workers", 5, true, 60}));
    ASSERT_TRUE(store->save(StoredProgress{"workers", 0, false, 70}));
    EXPECT_EQ(store->progress()[1], (StoredProgress{"workers", 5, true, 70}));
}

TEST_F(StoreTest, IsSharedByTwoThatAreOpenAtOnce) {
    const auto one = Store::open(folder);
    const auto other = Store::open(folder);
    EXPECT_EQ(other->remark(), "");
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE((i % 2 == 0 ? one : other)->save(prediction("workers", i, 0, i)));
    }
    EXPECT_EQ(one->predictions("workers").size(), 10U);
    EXPECT_EQ(one->predictions("workers"), other->predictions("workers"));
}

TEST_F(StoreTest, CommitsToDiskWithTheWriteAheadLog) {
    const auto store = Store::open(folder);
    ASSERT_TRUE(store->save(prediction("workers", 0, 0, 1)));
    SQLite::Database look(file.string(), SQLite::OPEN_READONLY);
    EXPECT_EQ(look.execAndGet("PRAGMA journal_mode").getString(), "wal");
    EXPECT_EQ(look.execAndGet("PRAGMA user_version").getInt(), 1);
}

TEST(StorePlace, FollowsTheDataFolderOfTheDesktopAndThenHome) {
    const char* const home = std::getenv("HOME");
    const char* const data = std::getenv("XDG_DATA_HOME");
    const std::string kept_home = home ? home : "", kept_data = data ? data : "";
    ::setenv("HOME", "/home/ada", 1);
    ::setenv("XDG_DATA_HOME", "/data", 1);
    EXPECT_EQ(store::default_folder(), "/data/latency-lab");
    ::setenv("XDG_DATA_HOME", "not/absolute", 1);
    EXPECT_EQ(store::default_folder(), "/home/ada/.local/share/latency-lab");
    ::unsetenv("XDG_DATA_HOME");
    ::unsetenv("HOME");
    EXPECT_EQ(store::default_folder(), "");
    const auto store = Store::open("");
    EXPECT_THAT(store->remark(), HasSubstr("HOME is not set"));
    if (home) ::setenv("HOME", kept_home.c_str(), 1);
    if (data) ::setenv("XDG_DATA_HOME", kept_data.c_str(), 1);
}

TEST(StorePlace, KnowsTheSharesOfOtherMachines) {
    EXPECT_TRUE(store::is_network_type(0x6969));       // NFS
    EXPECT_TRUE(store::is_network_type(0xFF534D42));   // CIFS
    EXPECT_FALSE(store::is_network_type(0xEF53));      // ext4
    EXPECT_FALSE(store::is_network_type(0x01021994));  // tmpfs
    EXPECT_FALSE(store::on_network_share("/proc"));
    EXPECT_FALSE(store::on_network_share("/none/such"));
}

}  // namespace
}  // namespace lab
