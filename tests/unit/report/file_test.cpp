// SPDX-License-Identifier: GPL-3.0-or-later
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/report.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class WriteTextFile : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "lab-file-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder = name;
    }
    void TearDown() override { fs::remove_all(folder); }
    static std::string content(const fs::path& file) {
        std::ifstream in(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    [[nodiscard]] long files_in_folder() const {
        return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
    }
    fs::path folder;
};

TEST_F(WriteTextFile, MakesANewFileAndNothingElse) {
    const std::string text(200'000, 'x');
    ASSERT_TRUE(write_text_file(folder / "run.json", text));
    EXPECT_EQ(content(folder / "run.json"), text);
    EXPECT_EQ(files_in_folder(), 1);
}

TEST_F(WriteTextFile, ReplacesAFileAndKeepsItsMode) {
    const fs::path file = folder / "run.json";
    ASSERT_TRUE(write_text_file(file, "old, and longer"));
    ::chmod(file.c_str(), 0640);
    ASSERT_TRUE(write_text_file(file, "new"));
    EXPECT_EQ(content(file), "new");
    struct stat s {};
    ASSERT_EQ(::stat(file.c_str(), &s), 0);
    EXPECT_EQ(s.st_mode & 0777U, 0640U);
    EXPECT_EQ(files_in_folder(), 1);
}

TEST_F(WriteTextFile, ReplacesWhatALinkPointsTo) {
    ASSERT_TRUE(write_text_file(folder / "real", "old"));
    fs::create_symlink("real", folder / "link");
    ASSERT_TRUE(write_text_file(folder / "link", "new"));
    EXPECT_TRUE(fs::is_symlink(folder / "link"));
    EXPECT_EQ(content(folder / "real"), "new");
}

TEST_F(WriteTextFile, SaysWhyThereIsNoSuchFolder) {
    const auto r = write_text_file(folder / "none" / "run.json", "x");
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, ErrorCode::failed);
    EXPECT_THAT(r.error().message(), HasSubstr("run.json"));
    EXPECT_THAT(r.error().message(), HasSubstr("No such file or directory"));
}

TEST_F(WriteTextFile, DoesNotWriteOverAFolder) {
    const auto r = write_text_file(folder, "x");
    ASSERT_FALSE(r);
    EXPECT_THAT(r.error().message(), HasSubstr("Is a directory"));
    EXPECT_FALSE(write_text_file("", "x"));
}

TEST_F(WriteTextFile, SaysThatTheDiskIsFull) {
    const auto r = write_text_file("/dev/full", "x");
    ASSERT_FALSE(r);
    EXPECT_THAT(r.error().message(), HasSubstr("No space left on device"));
}

TEST_F(WriteTextFile, LeavesTheOldFileWholeWhereTheNewOneDoesNotFit) {
    const fs::path file = folder / "run.json";
    ASSERT_TRUE(write_text_file(file, "old"));
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{4096, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto r = write_text_file(file, std::string(100'000, 'n'));
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    ASSERT_FALSE(r);
    EXPECT_THAT(r.error().message(), HasSubstr("File too large"));
    EXPECT_EQ(content(file), "old");
    EXPECT_EQ(files_in_folder(), 1);
    EXPECT_TRUE(write_text_file(file, "works again"));
}

TEST_F(WriteTextFile, WritesToADeviceWithoutReplacingIt) {
    ASSERT_TRUE(write_text_file("/dev/null", "x"));
    EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

/// With standard output closed the program must not print a report into the next file that it
/// opens.
TEST_F(WriteTextFile, SaysThatStandardOutputIsClosedAndSparesOtherFiles) {
    const int kept = ::dup(STDOUT_FILENO);
    ASSERT_GE(kept, 0);
    ::close(STDOUT_FILENO);
    const auto closed = write_text_file("-", "report");
    const auto file = write_text_file(folder / "run.json", "report");
    const bool still_closed = ::fcntl(STDOUT_FILENO, F_GETFD) == -1;
    ::dup2(kept, STDOUT_FILENO);
    ::close(kept);
    ASSERT_FALSE(closed);
    EXPECT_THAT(closed.error().message(), HasSubstr("standard output"));
    EXPECT_TRUE(file);
    EXPECT_TRUE(still_closed);
    EXPECT_EQ(content(folder / "run.json"), "report");
}

TEST_F(WriteTextFile, WritesADashToStandardOutput) {
    ::testing::internal::CaptureStdout();
    const auto r = write_text_file("-", "report\n");
    EXPECT_EQ(::testing::internal::GetCapturedStdout(), "report\n");
    EXPECT_TRUE(r);
}

}  // namespace
}  // namespace lab
