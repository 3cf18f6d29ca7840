// SPDX-License-Identifier: GPL-3.0-or-later
// What is promised for the days on which something is wrong.
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <SQLiteCpp/SQLiteCpp.h>

#include "lab/store.hpp"
#include "unit/store/folder.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::prediction;
using ::testing::SizeIs;
using testing::StoreTest;

class StoreFaults : public StoreTest {
  protected:
    void save_some(int how_many) const {
        const auto store = Store::open(folder);
        ASSERT_EQ(store->remark(), "");
        for (int i = 0; i < how_many; ++i) ASSERT_TRUE(store->save(prediction("workers", i, 0, i)));
    }
    void overwrite(std::streamoff from, const std::string& bytes) const {
        std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
        out.seekp(from);
        out << bytes;
        ASSERT_TRUE(out.good());
    }
    static std::string content(const fs::path& f) {
        std::ifstream in(f, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
};

TEST_F(StoreFaults, KeepsADamagedFileUnderAnotherNameAndStartsAnew) {
    std::ofstream(file) << "this is not a database, though it is long enough to have been one";
    const std::string before = content(file);
    const auto store = Store::open(folder);
    EXPECT_THAT(store->remark(), HasSubstr("was damaged"));
    EXPECT_THAT(store->remark(), HasSubstr("progress starts anew"));
    const auto kept = names_beginning_with("progress.damaged-");
    ASSERT_THAT(kept, SizeIs(1));
    EXPECT_THAT(store->remark(), HasSubstr(kept.front()));
    EXPECT_EQ(content(folder / kept.front()), before);
    EXPECT_TRUE(store->save(prediction("workers", 0, 0, 1)));
    EXPECT_EQ(Store::open(folder)->remark(), "");
}

TEST_F(StoreFaults, TakesTheCopyOfAnEarlierStartForADamagedFile) {
    save_some(5);
    { EXPECT_EQ(Store::open(folder)->predictions("workers").size(), 5U); }  // copies
    overwrite(0, std::string(100, 'x'));
    const auto store = Store::open(folder);
    EXPECT_THAT(store->remark(), HasSubstr("the last copy from an earlier start was taken"));
    EXPECT_THAT(store->predictions("workers"), SizeIs(5));
    EXPECT_TRUE(store->save(prediction("workers", 9, 0, 9)));
}

TEST_F(StoreFaults, FindsDamageInTheMiddleOfTheFile) {
    save_some(200);
    overwrite(4096 + 8, std::string(4096, '\x7f'));
    const auto store = Store::open(folder);
    EXPECT_THAT(store->remark(), HasSubstr("was damaged"));
    EXPECT_THAT(names_beginning_with("progress.damaged-"), SizeIs(1));
}

TEST_F(StoreFaults, FindsThatTheFileWasCutOff) {
    save_some(200);
    fs::resize_file(file, fs::file_size(file) / 2);
    const auto store = Store::open(folder);
    EXPECT_THAT(store->remark(), HasSubstr("was damaged"));
}

TEST_F(StoreFaults, FindsADatabaseOfSomebodyElse) {
    {
        SQLite::Database other(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        other.exec("CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES ('x')");
    }
    EXPECT_THAT(Store::open(folder)->remark(), HasSubstr("It is kept as"));
}

TEST_F(StoreFaults, FindsATableThatIsMissing) {
    save_some(1);
    {
        SQLite::Database db(file.string(), SQLite::OPEN_READWRITE);
        db.exec("DROP TABLE progress");
    }
    EXPECT_THAT(Store::open(folder)->remark(), HasSubstr("was damaged"));
}

TEST_F(StoreFaults, SurvivesAnyByteThatFlips) {
    save_some(30);
    const std::string sound = content(file);
    for (std::size_t at = 0; at < sound.size(); at += 397) {
        for (const auto& entry : fs::directory_iterator(folder)) fs::remove(entry);
        std::string bytes = sound;
        bytes[at] = static_cast<char>(~bytes[at]);
        std::ofstream(file, std::ios::binary) << bytes;
        const auto store = Store::open(folder);
        (void)store->predictions("workers");
        const bool newer = store->remark().find("newer") != std::string::npos;
        ASSERT_EQ(store->save(prediction("workers", 1, 1, 1)).has_value(), !newer) << at;
    }
}

TEST_F(StoreFaults, NeverWritesToTheFileOfANewerVersion) {
    save_some(3);
    {
        SQLite::Database db(file.string(), SQLite::OPEN_READWRITE);
        db.exec("PRAGMA user_version = 2; ALTER TABLE prediction ADD COLUMN mood TEXT");
    }
    const std::string before = content(file);
    {
        const auto store = Store::open(folder);
        EXPECT_THAT(store->remark(), HasSubstr("newer version"));
        EXPECT_THAT(store->predictions("workers"), SizeIs(3));
        const auto saved = store->save(StoredProgress{"workers", 1, false, 1});
        ASSERT_FALSE(saved);
        EXPECT_EQ(saved.error().code, ErrorCode::not_permitted);
        EXPECT_THAT(saved.error().message(), HasSubstr("newer version"));
    }
    EXPECT_EQ(content(file), before);
    EXPECT_THAT(names_beginning_with("progress.damaged-"), IsEmpty());
}

TEST_F(StoreFaults, WorksInMemoryWhereTheFolderIsAFile) {
    std::ofstream(folder / "taken") << "mine";
    for (const fs::path& place : {folder / "taken", folder / "taken" / "deeper"}) {
        const auto store = Store::open(place);
        EXPECT_THAT(store->remark(), HasSubstr("Progress is not saved"));
        EXPECT_THAT(store->remark(), HasSubstr("taken"));
        EXPECT_TRUE(store->save(prediction("workers", 0, 0, 1)));
        EXPECT_THAT(store->predictions("workers"), SizeIs(1));
    }
    EXPECT_EQ(content(folder / "taken"), "mine");
}

TEST_F(StoreFaults, WorksInMemoryWhereTheFileIsAFolder) {
    fs::create_directory(file);
    const auto store = Store::open(folder);
    EXPECT_THAT(store->remark(), HasSubstr("it is not a file"));
    EXPECT_TRUE(store->save(StoredProgress{"workers", 1, false, 1}));
    EXPECT_TRUE(fs::is_directory(file));
}

TEST_F(StoreFaults, ReadsWhereNothingCanBeWritten) {
    if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
    save_some(2);
    fs::permissions(file, fs::perms::owner_read);
    fs::permissions(folder, fs::perms::owner_read | fs::perms::owner_exec);
    const auto store = Store::open(folder);
    fs::permissions(folder, fs::perms::owner_all);
    EXPECT_THAT(store->remark(), HasSubstr("shown but not saved"));
    EXPECT_THAT(store->predictions("workers"), SizeIs(2));
    EXPECT_FALSE(store->save(prediction("workers", 0, 0, 1)));
}

TEST_F(StoreFaults, WorksInMemoryWhereTheFileStaysLockedAndDoesNotTakeItForDamaged) {
    save_some(2);
    SQLite::Database other(file.string(), SQLite::OPEN_READWRITE);
    other.exec("PRAGMA journal_mode = DELETE");
    other.exec("BEGIN EXCLUSIVE");
    const auto store = Store::open(folder);  // waits 3 s
    EXPECT_THAT(store->remark(), HasSubstr("locked"));
    EXPECT_TRUE(store->save(prediction("workers", 0, 0, 1)));
    EXPECT_THAT(names_beginning_with("progress.damaged-"), IsEmpty());
    other.exec("COMMIT");
    EXPECT_THAT(Store::open(folder)->predictions("workers"), SizeIs(2));
}

TEST_F(StoreFaults, SaysThatNothingWasSavedWhereTheDiskIsFullAndWorksAgainLater) {
    const auto store = Store::open(folder);
    ASSERT_TRUE(store->save(prediction("workers", 0, 0, 1)));
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{1, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto refused = store->save(prediction("workers", 1, 0, 2));
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message(), HasSubstr("not saved"));
    EXPECT_TRUE(store->save(prediction("workers", 2, 0, 3)));
    EXPECT_THAT(Store::open(folder)->predictions("workers"), SizeIs(2));
}

TEST_F(StoreFaults, SaysThatTheFolderWasRemovedUnderIt) {
    const auto store = Store::open(folder / "data");
    ASSERT_TRUE(store->save(prediction("workers", 0, 0, 1)));
    fs::remove_all(folder / "data");
    const auto lost = store->save(prediction("workers", 1, 0, 2));
    ASSERT_FALSE(lost);
    EXPECT_THAT(lost.error().message(), HasSubstr("moved or removed"));
}

/// Saves until it is killed; tells each save that was acknowledged by one byte.
[[noreturn]] void save_for_ever(const fs::path& folder, int tell) {
    const auto store = Store::open(folder);
    for (int i = 0;; ++i) {
        if (!store->save(prediction("workers", i, 0, i))) ::_exit(1);
        if (::write(tell, "x", 1) != 1) ::_exit(1);
    }
}

TEST_F(StoreFaults, LosesNothingThatWasAcknowledgedWhenItIsKilled) {
    std::size_t acknowledged = 0;
    for (int round = 0; round < 8; ++round) {
        int pipe_ends[2];
        ASSERT_EQ(::pipe(pipe_ends), 0);
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) save_for_ever(folder, pipe_ends[1]);
        ::close(pipe_ends[1]);
        // The moment is as random as the scheduler makes it between the n-th save and the next.
        char byte = 0;
        for (int i = 0; i <= round * 3; ++i) {
            ASSERT_EQ(::read(pipe_ends[0], &byte, 1), 1);
            ++acknowledged;
        }
        ::kill(child, SIGKILL);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        while (::read(pipe_ends[0], &byte, 1) == 1) ++acknowledged;
        ::close(pipe_ends[0]);

        const auto store = Store::open(folder);
        ASSERT_EQ(store->remark(), "");
        const std::size_t found = store->predictions("workers").size();
        ASSERT_GE(found, acknowledged);
        ASSERT_LE(found, acknowledged + static_cast<std::size_t>(round) + 1);
    }
    SQLite::Database db(file.string(), SQLite::OPEN_READONLY);
    EXPECT_EQ(db.execAndGet("PRAGMA integrity_check").getString(), "ok");
}

TEST_F(StoreFaults, LetsSeveralProgramsStartOnANewFolderAtOnce) {
    constexpr int programs = 4;
    pid_t children[programs];
    for (pid_t& child : children) {
        child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            const auto store = Store::open(folder);
            const bool saved =
                store->remark().empty() && store->save(prediction("workers", 0, 0, 1));
            ::_exit(saved ? 0 : 1);
        }
    }
    for (const pid_t child : children) {
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    EXPECT_THAT(Store::open(folder)->predictions("workers"), SizeIs(programs));
    EXPECT_THAT(names_beginning_with("progress.damaged-"), IsEmpty());
}

}  // namespace
}  // namespace lab
