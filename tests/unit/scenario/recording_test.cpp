// SPDX-License-Identifier: GPL-3.0-or-later
// A recording of arrivals beside a scenario: a file from a stranger, and only from its own folder.
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "lab/scenario.hpp"
#include "unit/live/temporary_folder.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

class RecordingTest : public testing::Test {
  protected:
    void write(const std::string& name, const std::string& text) const {
        fs::create_directories((folder() / name).parent_path());
        std::ofstream(folder() / name, std::ios::binary) << text;
    }
    [[nodiscard]] fs::path folder() const { return folder_.path() / "own"; }
    [[nodiscard]] fs::path outside() const { return folder_.path(); }

    /// The error of a scenario that names this file; empty where it is read.
    [[nodiscard]] Result<Scenario> load(const std::string& name) const {
        write("s.toml",
              "schema = 1\nid = \"s\"\ntitle = \"S\"\n[[route]]\nid = \"a\"\n"
              "path = \"/\"\nsteps = []\n[load]\nshape = \"recorded\"\nrecording = \"" +
                  name + "\"\n");
        return load_scenario(folder() / "s.toml");
    }
    void expect_refused(const std::string& name, const std::string& because) const {
        const auto scenario = load(name);
        ASSERT_FALSE(scenario) << name;
        const std::string message = scenario.error().message();
        EXPECT_NE(message.find(because), std::string::npos) << message;
        EXPECT_NE(message.find("s.toml:10"), std::string::npos) << message;
        EXPECT_NE(message.find("load.recording"), std::string::npos) << message;
    }

  private:
    test::TemporaryFolder folder_;
};

TEST_F(RecordingTest, GivesTheTimesOfItsFirstColumn) {
    write("day.csv", "\xEF\xBB\xBFseconds,path\n# morning\n0.5,/a\n\n0.5;/b\n\"2.25\",/c\r\n1e1\n");
    const auto scenario = load("day.csv");
    ASSERT_TRUE(scenario) << scenario.error().message();
    ASSERT_TRUE(scenario->model.load.shape.recording.times);
    EXPECT_EQ(*scenario->model.load.shape.recording.times,
              (std::vector<Duration>{500ms, 500ms, 2250ms, 10s}));
}

TEST_F(RecordingTest, MayStandInAFolderBelow) {
    write("data/week-1.csv", "1\n");
    EXPECT_TRUE(load("data/week-1.csv"));
}

TEST_F(RecordingTest, NamesTheLineThatIsWrong) {
    write("a.csv", "1\n2\nthree\n");
    expect_refused("a.csv", "a.csv:3: found \"three\"; allowed: a time in seconds from 0 to 86400");
    write("b.csv", "5\n4\n");
    expect_refused("b.csv", "b.csv:2: found \"4\"; allowed: a time not before the one above it");
    write("c.csv", "1\n-1\n");
    expect_refused("c.csv", "c.csv:2: found \"-1\"");
    write("d.csv", "1\nnan\n");
    expect_refused("d.csv", "d.csv:2: found \"nan\"");
    write("e.csv", "when\n\n");
    expect_refused("e.csv", "found no arrival time");
    write("f.csv", "1\n1e400\n");
    expect_refused("f.csv", "f.csv:2");
}

TEST_F(RecordingTest, LiesInTheScenariosFolderAndNowhereElse) {
    std::ofstream(outside() / "secret.csv") << "1\n";
    write("fine.csv", "1\n");
    fs::create_symlink(outside() / "secret.csv", folder() / "link.csv");
    fs::create_directory_symlink(outside(), folder() / "up");
    const std::string name_allowed = "allowed: a name inside the scenario's folder";
    expect_refused("../secret.csv", name_allowed);
    expect_refused((outside() / "secret.csv").string(), name_allowed);
    expect_refused("a/../../secret.csv", "No such file");
    expect_refused("http://127.0.0.1/x.csv", name_allowed);
    expect_refused(".hidden", name_allowed);
    expect_refused("fine.csv/", "Not a directory");
    expect_refused("link.csv", "it is a link");
    EXPECT_FALSE(load("up/secret.csv")) << "a linked folder";
    expect_refused("absent.csv", "No such file");
    EXPECT_TRUE(load("fine.csv"));
}

TEST_F(RecordingTest, IsRefusedSoonWhateverItIs) {
    write("big.csv", std::string(2 << 20, '1'));
    expect_refused("big.csv", "1 MiB");
    std::string many;
    for (int i = 0; i < 200'001; ++i) many += "7\n";
    write("many.csv", many);
    expect_refused("many.csv", "many.csv:200001: found more than 200,000 arrivals");
    ASSERT_EQ(::mkfifo((folder() / "pipe.csv").c_str(), 0600), 0);
    fs::create_directory(folder() / "folder.csv");
    const auto before = std::chrono::steady_clock::now();
    expect_refused("pipe.csv", "a named pipe");
    expect_refused("folder.csv", "a folder");
    EXPECT_LT(std::chrono::steady_clock::now() - before, 500ms);
}

TEST_F(RecordingTest, CanBeChosenOnTheCommandLineToo) {
    write("a.csv", "1\n");
    write("b.csv", "2\n3\n");
    const auto scenario = load("a.csv");
    ASSERT_TRUE(scenario);
    const auto other =
        with_overrides(scenario->model, {{"load.recording", "b.csv"}}, scenario->file);
    ASSERT_TRUE(other) << other.error().message();
    EXPECT_EQ(other->load.shape.recording.times->size(), 2u);
    EXPECT_FALSE(with_overrides(scenario->model, {{"load.recording", "../b.csv"}}, scenario->file));
    EXPECT_FALSE(with_overrides(scenario->model, {{"load.recording", "b.csv"}}))
        << "nobody said where";
}

TEST_F(RecordingTest, IsNeededForARecordedShapeAlone) {
    const std::string head =
        "schema = 1\nid = \"s\"\ntitle = \"S\"\n[[route]]\nid = \"a\"\n"
        "path = \"/\"\nsteps = []\n[load]\nshape = \"";
    EXPECT_TRUE(parse_scenario(head + "ramp\"\n", "s.toml"));
    const auto none = parse_scenario(head + "recorded\"\n", "s.toml");
    ASSERT_FALSE(none);
    EXPECT_NE(none.error().message().find("load.recording"), std::string::npos);
    EXPECT_FALSE(parse_scenario(head + "recorded\"\nrecording = \"a.csv\"\n", "s.toml"))
        << "a text from memory stands beside nothing";
}

}  // namespace
}  // namespace lab
