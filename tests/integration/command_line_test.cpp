// SPDX-License-Identifier: GPL-3.0-or-later
// The program `latency-lab` as its users meet it: words in, exit code and text out.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <regex>

#include <boost/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/process.hpp"

namespace lab::test {
namespace {

using namespace std::chrono_literals;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

Process::Options words(std::vector<std::string> arguments) {
    Process::Options options;
    options.words = {LAB_PROGRAM};
    for (auto& argument : arguments) options.words.push_back(std::move(argument));
    options.environment = {{"DISPLAY", ""}, {"WAYLAND_DISPLAY", ""}, {"QT_QPA_PLATFORM", ""}};
    return options;
}

Ended lab(std::vector<std::string> arguments) { return run_program(words(std::move(arguments))); }

std::filesystem::path scratch_file(const std::string& name, const std::string& text) {
    const auto file = std::filesystem::path{testing::TempDir()} / name;
    std::ofstream{file} << text;
    return file;
}

TEST(CommandLine, ListsTheShippedScenarios) {
    const auto ended = lab({"list"});
    EXPECT_EQ(ended.code, 0) << ended.error;
    for (const char* id : {"workers", "cache", "slow-query"}) EXPECT_THAT(ended.out, HasSubstr(id));
}

TEST(CommandLine, ShowsTheKnobsOfAScenario) {
    const auto ended = lab({"show", "workers"});
    EXPECT_EQ(ended.code, 0) << ended.error;
    EXPECT_THAT(ended.out, HasSubstr("server.workers"));
    EXPECT_THAT(ended.out, HasSubstr("One cook or four?"));
}

TEST(CommandLine, PutsALearnersSelectToTheDatabase) {
    const auto ask = [](const std::string& sql, const std::string& index) {
        return lab({"sql", "slow-query", sql, "--index", index, "--set", "database.products=2000"});
    };
    const std::string look_up = "SELECT id, name FROM product WHERE sku = 'P-9E3779B1'";
    const auto searched = ask(look_up, "on");
    EXPECT_EQ(searched.code, 0) << searched.error;
    EXPECT_THAT(searched.out, HasSubstr("SEARCH product USING INDEX product_sku"));
    EXPECT_THAT(searched.out, HasSubstr("1 rows in"));
    EXPECT_THAT(ask(look_up, "off").out, HasSubstr("SCAN product"));
    const auto hostile = ask("DROP TABLE product", "off");
    EXPECT_EQ(hostile.code, 2);
    EXPECT_THAT(hostile.error, HasSubstr("allowed: one SELECT"));
    EXPECT_EQ(ask("SELECT 1", "perhaps").code, 2);
}

TEST(CommandLine, SaysWhichScenarioWasMeant) {
    const auto ended = lab({"run", "wrokers"});
    EXPECT_EQ(ended.code, 2);
    EXPECT_THAT(ended.error, HasSubstr("workers"));
}

TEST(CommandLine, SaysWhichSettingWasMeant) {
    const auto ended = lab({"run", "workers", "--set", "server.wokers=4"});
    EXPECT_EQ(ended.code, 2);
    EXPECT_THAT(ended.error, HasSubstr("server.workers"));
}

TEST(CommandLine, RefusesAValueOutOfRange) {
    const auto ended = lab({"run", "workers", "--set", "server.workers=0"});
    EXPECT_EQ(ended.code, 2);
    EXPECT_THAT(ended.error, HasSubstr("256"));
}

TEST(CommandLine, SaysWhatTheorySays) {
    const auto text = lab({"theory", "workers", "--set", "server.workers=2"});
    EXPECT_EQ(text.code, 0) << text.error;
    EXPECT_THAT(text.out, HasSubstr("M/D/c"));
    EXPECT_THAT(text.out, HasSubstr("the two meet at 39.2/s"));
    const auto json = lab({"theory", "workers", "--json", "-"});
    EXPECT_EQ(json.code, 0) << json.error;
    const auto parsed = boost::json::parse(json.out).as_object();
    EXPECT_EQ(parsed.at("law").as_string(), "M/M/c/K");
    EXPECT_NEAR(parsed.at("throughput_per_s").as_double(), 19.6, 0.1);
    EXPECT_EQ(lab({"theory", "slow-query"}).code, 1) << "no time of its query is stated";
}

TEST(CommandLine, SweepsAndWritesRows) {
    for (const char* mode : {"live", "virtual"}) {
        const auto ended = lab({"sweep", "workers", "--mode", mode, "--vary", "server.workers=2",
                                "--runs", "1", "--for", "1s", "--warm-up", "0s", "--csv", "-"});
        EXPECT_EQ(ended.code, 0) << ended.error;
        EXPECT_THAT(ended.out, HasSubstr("server.workers,warm_up_s,runs,offered_per_s"));
        EXPECT_THAT(ended.out, HasSubstr("\r\n2,"));
    }
    const auto wrong = lab({"sweep", "workers", "--vary", "server.wokers=2"});
    EXPECT_EQ(wrong.code, 2);
    EXPECT_THAT(wrong.error, HasSubstr("server.workers"));
    EXPECT_EQ(lab({"frontier", "workers", "--vary", "server.workers=2", "--target", "p9 < 1"}).code,
              2);
}

TEST(CommandLine, StudiesInVirtualTimeWhereNothingElseIsSaid) {
    const std::vector<std::string> asked{"compare", "workers", "--b",        "server.workers=2",
                                         "--runs",  "3",       "--json",     "-",
                                         "--seed",  "7",       "--requests", "2000"};
    const auto once = lab(asked), again = lab(asked);
    EXPECT_EQ(once.code, 0) << once.error;
    EXPECT_THAT(once.out, HasSubstr("\"virtual\""));
    EXPECT_EQ(once.out, again.out) << "the same seeds give the same bytes";
    const auto live = lab(
        {"compare", "workers", "--b", "server.workers=2", "--mode", "live", "--requests", "2000"});
    EXPECT_EQ(live.code, 2);
    EXPECT_THAT(live.error, HasSubstr("--requests"));
    EXPECT_EQ(lab({"sweep", "workers", "--vary", "server.workers=2", "--mode", "real"}).code, 2);
}

TEST(CommandLine, HoldsTheClaimsOfAShippedScenario) {
    const auto ended = lab({"check", "workers"});
    EXPECT_EQ(ended.code, 0) << ended.error << ended.out;
    EXPECT_THAT(ended.out, Not(HasSubstr("BROKEN")));
}

TEST(CommandLine, EndsWithOneWhereAClaimDoesNotHold) {
    const auto file = scratch_file("claims.toml",
                                   "schema = 1\nid = \"x\"\ntitle = \"X\"\n[run]\nfor = \"1s\"\n"
                                   "warm_up = \"0s\"\n[[route]]\nid = \"a\"\npath = \"/a\"\n"
                                   "inline = true\nsteps = []\n[[claim]]\n"
                                   "that = \"A.throughput > 1000\"\n");
    const auto ended = lab({"check", file.string(), "--runs", "1"});
    EXPECT_EQ(ended.code, 1) << ended.error;
    EXPECT_THAT(ended.out, HasSubstr("BROKEN"));
    EXPECT_THAT(ended.out, HasSubstr("seed 42"));
}

TEST(CommandLine, RefusesAnUnknownFlag) {
    EXPECT_EQ(lab({"run", "workers", "--fro", "2s"}).code, 2);
    EXPECT_EQ(lab({"frobnicate"}).code, 2);
}

TEST(CommandLine, HelpsWithoutADisplay) {
    const auto help = lab({"--help"});
    EXPECT_EQ(help.code, 0);
    EXPECT_THAT(help.out, HasSubstr("validate"));
    EXPECT_EQ(lab({"--version"}).code, 0);
}

TEST(CommandLine, SaysWhatToDoWithoutADisplay) {
    const auto ended = lab({});
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.error, HasSubstr("no display"));
    EXPECT_THAT(ended.error, HasSubstr("latency-lab play workers"));
}

TEST(CommandLine, ValidatesAGoodFileAndNamesThePlaceInABadOne) {
    const auto good =
        lab({"validate", std::string{LAB_SOURCE_FOLDER} + "/scenarios/foundations/workers.toml"});
    EXPECT_EQ(good.code, 0) << good.error;
    const auto file = scratch_file("bad.toml",
                                   "schema = 1\nid = \"x\"\ntitle = \"X\"\n[server]\nworkerz = "
                                   "4\n[[route]]\nid = \"a\"\npath = \"/a\"\n");
    const auto bad = lab({"validate", file.string()});
    EXPECT_EQ(bad.code, 2);
    EXPECT_THAT(bad.error, HasSubstr("bad.toml:5:1"));
    EXPECT_THAT(bad.error, HasSubstr("workers"));
}

TEST(CommandLine, WritesJsonThatNamesEveryFigure) {
    const auto ended = lab({"run", "workers", "--for", "1s", "--warm-up", "200ms", "--json", "-"});
    ASSERT_EQ(ended.code, 0) << ended.error;
    const auto json = boost::json::parse(ended.out).as_object();
    std::vector<std::string> keys;
    for (const auto& member : json) keys.emplace_back(member.key());
    const std::vector<std::string> wanted{
        "schema",          "scenario",         "mode",          "seed",         "duration_s",
        "offered_per_s",   "throughput_per_s", "goodput_per_s", "latency_ms",   "since_send_ms",
        "service_ms",      "schedule_slip_ms", "counts",        "breakdown_ms", "utilisation",
        "cache_hit_ratio", "machine",          "version"};
    ASSERT_GE(keys.size(), wanted.size());
    EXPECT_EQ(std::vector<std::string>(keys.begin(),
                                       keys.begin() + static_cast<std::ptrdiff_t>(wanted.size())),
              wanted);
    for (const char* key : {"mean", "p50", "p90", "p95", "p99", "p999", "max", "count"}) {
        EXPECT_TRUE(json.at("latency_ms").as_object().contains(key)) << key;
    }
    EXPECT_TRUE(json.at("breakdown_ms").as_object().contains("database"));
    EXPECT_EQ(json.at("mode").as_string(), "live");
    EXPECT_GT(json.at("counts").as_object().at("planned").to_number<double>(), 10);
    EXPECT_GE(json.at("latency_ms").as_object().at("p50").to_number<double>(), 50);
}

TEST(CommandLine, CountsAddUpToPlanned) {
    const auto ended = lab({"run", "workers", "--for", "2s", "--warm-up", "0s", "--set",
                            "load.rate=200/s", "--set", "load.timeout=300ms", "--json", "-"});
    ASSERT_EQ(ended.code, 0) << ended.error;
    const auto counts = boost::json::parse(ended.out).as_object().at("counts").as_object();
    std::int64_t sum = 0;
    for (const char* key :
         {"ok", "timed_out", "rejected", "reset", "not_sent", "http_4xx", "http_5xx"}) {
        sum += counts.at(key).to_number<std::int64_t>();
    }
    EXPECT_EQ(sum, counts.at("planned").to_number<std::int64_t>());
    EXPECT_GT(counts.at("timed_out").to_number<std::int64_t>() +
                  counts.at("rejected").to_number<std::int64_t>(),
              0);
}

TEST(CommandLine, AReportThatCannotBeWrittenIsAFailure) {
    auto to_full = words({"run", "workers", "--for", "500ms", "--warm-up", "0s", "--json", "-"});
    to_full.stdout_to = "/dev/full";
    const auto full = run_program(to_full);
    EXPECT_EQ(full.code, 1);
    EXPECT_THAT(full.error, HasSubstr("could not be written"));
    const auto nowhere =
        lab({"run", "workers", "--for", "500ms", "--warm-up", "0s", "--json", "/nowhere/x.json"});
    EXPECT_EQ(nowhere.code, 1);
    EXPECT_THAT(nowhere.error, HasSubstr("/nowhere/x.json"));
}

TEST(CommandLine, RunsWithItsStandardStreamsClosed) {
    const auto file = std::filesystem::path{testing::TempDir()} / "closed.json";
    std::filesystem::remove(file);
    auto options =
        words({"run", "workers", "--for", "500ms", "--warm-up", "0s", "--json", file.string()});
    options.close_standard_streams = true;
    const auto ended = run_program(options);
    EXPECT_EQ(ended.signal, 0);
    std::ifstream stream{file};
    const std::string text{std::istreambuf_iterator<char>{stream}, {}};
    EXPECT_EQ(text.rfind("{", 0), 0u) << text.substr(0, 200);
}

TEST(CommandLine, EndsWithItsResultWhenItIsAskedTo) {
    const auto file = std::filesystem::path{testing::TempDir()} / "interrupted.json";
    std::filesystem::remove(file);
    Process process{words({"run", "workers", "--for", "60s", "--json", file.string()})};
    ASSERT_TRUE(process.wait_for_output("\n", 10s));
    process.send(SIGTERM);
    const auto ended = process.wait(3s);
    EXPECT_EQ(ended.code, 128 + SIGTERM);
    EXPECT_TRUE(std::filesystem::exists(file)) << "what was measured is kept";
}

TEST(CommandLine, ServesAndLoadsAndKnowsATakenPort) {
    Process server{words({"serve", "workers", "--port", "18931", "--set", "server.workers=4"})};
    ASSERT_TRUE(server.wait_for_output("/pay", 10s));
    const auto second = lab({"serve", "workers", "--port", "18931"});
    EXPECT_EQ(second.code, 1);
    EXPECT_THAT(second.error, HasSubstr("18931"));
    const auto load = lab({"load", "--url", "http://127.0.0.1:18931/pay", "--users", "2", "--for",
                           "1s", "--json", "-"});
    ASSERT_EQ(load.code, 0) << load.error;
    const auto json = boost::json::parse(load.out).as_object();
    EXPECT_GT(json.at("throughput_per_s").to_number<double>(), 15);
    EXPECT_LT(json.at("throughput_per_s").to_number<double>(), 40);
    server.send(SIGINT);
    EXPECT_EQ(server.wait(3s).code, 0);
}

TEST(CommandLine, AimsOnlyAtThisMachine) {
    for (const char* url :
         {"http://example.com/", "http://192.168.1.1/", "http://0.0.0.0:80/",
          "http://127.0.0.1@evil.example/", "http://2130706433/", "http://[::ffff:8.8.8.8]/",
          "https://127.0.0.1/", "http://169.254.169.254/latest"}) {
        const auto ended = lab({"load", "--url", url, "--rate", "10", "--for", "1s"});
        EXPECT_EQ(ended.code, 2) << url;
        EXPECT_LT(ended.took, 2s) << url;
    }
}

TEST(CommandLine, SaysThatNobodyListens) {
    const auto ended = lab({"load", "--url", "http://127.0.0.1:1/", "--rate", "10", "--for", "1s"});
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.error, HasSubstr("127.0.0.1:1"));
}

TEST(CommandLine, PlaysALessonWithoutAnybodyToAsk) {
    const auto ended = run_program(words({"play", "workers"}), 90s);
    EXPECT_EQ(ended.code, 0) << ended.error;
    // On a machine that is too busy it says so instead.
    EXPECT_THAT(ended.out, AnyOf(HasSubstr("Measured:"), HasSubstr("cannot be judged"),
                                 HasSubstr("Run it again")));
    EXPECT_THAT(ended.out, HasSubstr("gunicorn"));
}

TEST(CommandLine, DoctorTellsTheCores) {
    const auto ended = lab({"doctor"});
    EXPECT_EQ(ended.code, 0);
    EXPECT_THAT(ended.out, HasSubstr("cores"));
    std::smatch counts;
    const std::regex usable{"([0-9]+) usable of ([0-9]+)"};
    ASSERT_TRUE(std::regex_search(ended.out, counts, usable)) << ended.out;
    EXPECT_EQ(counts[1], counts[2]);
}

}  // namespace
}  // namespace lab::test
