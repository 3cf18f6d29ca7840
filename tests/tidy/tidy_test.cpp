// SPDX-License-Identifier: GPL-3.0-or-later
// The house rules that a program can check. A rule that is written down and not checked is none.
#include <algorithm>
#include <fstream>
#include <map>
#include <regex>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tidy/source_file.hpp"

namespace lab::tidy {
namespace {

constexpr std::size_t longest_file = 600;
constexpr std::size_t longest_function = 70;
constexpr std::size_t longest_line = 100;

/// Which rooms a room may include, besides itself and lab/.
const std::map<std::string, std::set<std::string>> direction{
    {"model", {}},
    {"core", {"model"}},
    {"measure", {"model", "core"}},
    {"live", {"core", "measure", "model"}},
    {"theory", {"core", "measure", "model"}},
    {"virtual", {"core", "measure", "model"}},
    {"run", {"live", "virtual", "core", "measure", "model"}},
    {"study", {"run", "theory", "scenario", "core", "measure", "model"}},
    {"scenario", {"model"}},
    {"report", {"model", "measure", "theory", "study"}},
    {"store", {"model", "measure"}},
};

struct BannedCall {
    const char* pattern;
    const char* instead;
    std::vector<std::string> below;     ///< where the rule holds: beginnings of paths
    std::vector<std::string> except{};  ///< files that are the replacement
};

const std::vector<BannedCall>& banned_calls() {
    static const std::vector<BannedCall> calls{
        {R"(\b(s?rand|random)\s*\(\s*\))", "core::keyed_bits", {"engine/", "app/"}},
        {R"(\bstd::(mt19937|random_device|default_random_engine)\b)",
         "core::keyed_bits",
         {"engine/", "app/"}},
        {R"(\bsystem_clock\b)", "steady_clock, or a time that is passed in", {"engine/"}},
        {R"(\b(gettimeofday|time)\s*\(\s*(nullptr|NULL|0)\s*\))",
         "steady_clock, or a time that is passed in",
         {"engine/"}},
        {R"(\b(std::this_thread::sleep_(for|until)|usleep|nanosleep)\s*\()",
         "a time that is passed in",
         {"tests/unit/core", "tests/unit/measure", "tests/unit/model", "tests/unit/scenario",
          "tests/virtual"}},
        {R"(\bstd::(cout|cerr|clog)\b)", "cli::Terminal, or a Result", {"engine/", "app/"}},
        {R"((^|[^:\w])(std::)?printf\s*\()", "cli::Terminal, or a Result", {"engine/", "app/"}},
        {R"(\bstd::sto(i|l|ll|ul|ull|f|d|ld)\s*\()",
         "std::from_chars (lab/text.hpp)",
         {"engine/", "app/"}},
        {R"(\b(atoi|atol|atof|strtol|strtod|strtoul|sscanf)\s*\()",
         "std::from_chars (lab/text.hpp)",
         {"engine/", "app/"}},
        {R"((^|[^\w>.:])(::)?connect\s*\(\s*\w*(socket|descriptor|fd)\w*\s*,)",
         "live/loopback_connect",
         {"engine/", "app/"},
         {"engine/src/live/loopback_connect.cpp"}},
        {R"(\.detach\s*\(\s*\))", "a thread that somebody joins", {"engine/", "app/"}},
        {R"((^|[^\w:])assert\s*\()",
         "LAB_ASSERT, which holds in release builds",
         {"engine/", "app/"}},
        {R"(\bstd::endl\b)", "'\\n'", {"engine/", "app/", "tests/"}},
        {R"(\busing\s+namespace\s+(std|boost)\s*;)",
         "the names themselves",
         {"engine/", "app/", "tests/"}},
        {R"((^|[^\w:.>])(std::)?system\s*\(\s*[\w"])",
         "nothing: the program starts no shell",
         {"engine/", "app/"}},
        {R"(\b(INADDR_ANY|in6addr_any)\b)", "a loopback address", {"engine/", "app/"}},
        {R"(address_v4::any\s*\()", "address_v4::loopback()", {"engine/", "app/"}},
        {R"(\binstance\s*\(\s*\))", "an object that is passed in", {"engine/", "app/"}},
        {R"(\b(SIGNAL|SLOT)\s*\()", "connect() with four arguments and member pointers", {"app/"}},
        {R"(\bfriend\s+class\s+\w*[Tt]est)", "a test of what is public", {"engine/", "app/"}},
        {R"(\bstd::source_location\b)",
         "LAB_ASSERT (clang 14 has no source_location)",
         {"engine/", "app/"}},
    };
    return calls;
}

bool begins_with_any(const std::string& path, const std::vector<std::string>& beginnings) {
    return std::any_of(beginnings.begin(), beginnings.end(),
                       [&](const auto& beginning) { return path.rfind(beginning, 0) == 0; });
}

/// Width in characters: continuation bytes of UTF-8 do not count.
std::size_t width(const std::string& line) {
    return static_cast<std::size_t>(
        std::count_if(line.begin(), line.end(), [](char byte) { return (byte & 0xC0) != 0x80; }));
}

std::string room_of(const std::string& path) {
    const std::string rooms = "engine/src/";
    if (path.rfind(rooms, 0) != 0) return {};
    return path.substr(rooms.size(), path.find('/', rooms.size()) - rooms.size());
}

class Tidy : public testing::Test {
  protected:
    static const std::vector<SourceFile>& sources() {
        static const auto files = read_sources(LAB_SOURCE_FOLDER);
        return files;
    }
};

TEST_F(Tidy, FindsTheSources) { EXPECT_GT(sources().size(), 50u); }

TEST_F(Tidy, FilesAreAtMostSixHundredLines) {
    for (const auto& file : sources()) EXPECT_LE(file.lines.size(), longest_file) << file.path;
}

TEST_F(Tidy, LinesAreAtMostAHundredColumns) {
    for (const auto& file : sources()) {
        if (file.path.rfind("tests/", 0) == 0) continue;  // tables of raw requests
        for (std::size_t i = 0; i < file.lines.size(); ++i) {
            EXPECT_LE(width(file.lines[i]), longest_line) << file.path << ':' << i + 1;
        }
    }
}

TEST_F(Tidy, FunctionsAreAtMostSeventyLines) {
    for (const auto& file : sources()) {
        for (const auto& function : file.functions()) {
            EXPECT_LE(function.lines, longest_function) << file.path << ':' << function.line;
        }
    }
}

TEST_F(Tidy, EveryFileNamesItsLicence) {
    for (const auto& file : sources()) {
        ASSERT_FALSE(file.lines.empty()) << file.path;
        EXPECT_EQ(file.lines[0], "// SPDX-License-Identifier: GPL-3.0-or-later") << file.path;
    }
}

TEST_F(Tidy, NoQtInTheEngineAndTheCommandLine) {
    const std::regex qt{"^Q[A-Z]\\w*(/.*)?$|^Qt\\w*/"};
    for (const auto& file : sources()) {
        if (!begins_with_any(file.path, {"engine/", "app/cli/"})) continue;
        for (const auto& include : file.includes()) {
            EXPECT_FALSE(std::regex_search(include, qt)) << file.path << " includes " << include;
        }
    }
}

TEST_F(Tidy, QtChartsStaysInOneFolder) {
    const std::regex charts{
        "^QtCharts|^Q(Abstract)?(Chart|ChartView|LineSeries|AbstractSeries|ValueAxis|"
        "LogValueAxis|AreaSeries|ScatterSeries|XYSeries|Legend|AbstractAxis)$"};
    for (const auto& file : sources()) {
        if (begins_with_any(file.path, {"app/charts/"})) continue;
        for (const auto& include : file.includes()) {
            EXPECT_FALSE(std::regex_search(include, charts))
                << file.path << " includes " << include;
        }
    }
}

TEST_F(Tidy, RoomsIncludeOnlyWhatTheDirectionAllows) {
    for (const auto& file : sources()) {
        const auto room = room_of(file.path);
        if (room.empty()) continue;
        ASSERT_TRUE(direction.contains(room)) << file.path << ": a room without a rule";
        for (const auto& include : file.includes()) {
            const auto other = include.substr(0, include.find('/'));
            if (include.find('/') == std::string::npos || !direction.contains(other)) continue;
            EXPECT_TRUE(other == room || direction.at(room).contains(other))
                << file.path << " includes " << include;
        }
    }
}

TEST_F(Tidy, RoomsLinkOnlyWhatTheDirectionAllows) {
    const std::regex rooms{"ROOMS([^)]*?)(LIBRARIES|SOURCES|\\))"};
    for (const auto& [room, allowed] : direction) {
        std::ifstream stream{std::string{LAB_SOURCE_FOLDER} + "/engine/src/" + room +
                             "/CMakeLists.txt"};
        const std::string text{std::istreambuf_iterator<char>{stream}, {}};
        ASSERT_FALSE(text.empty()) << room;
        std::smatch match;
        if (!std::regex_search(text, match, rooms)) continue;
        std::istringstream words{match[1].str()};
        for (std::string other; words >> other;) {
            EXPECT_TRUE(allowed.contains(other)) << room << " links " << other;
        }
    }
}

TEST_F(Tidy, TheAppSeesOnlyPublicHeadersOfTheEngine) {
    for (const auto& file : sources()) {
        if (file.path.rfind("app/", 0) != 0) continue;
        for (const auto& include : file.includes()) {
            const auto first = include.substr(0, include.find('/'));
            EXPECT_FALSE(include.find('/') != std::string::npos && direction.contains(first))
                << file.path << " includes " << include;
        }
    }
}

TEST_F(Tidy, AtMostThreeFilesIncludeBeast) {
    std::vector<std::string> users;
    for (const auto& file : sources()) {
        const auto includes = file.includes();
        if (std::any_of(includes.begin(), includes.end(),
                        [](const auto& name) { return name.rfind("boost/beast", 0) == 0; })) {
            users.push_back(file.path);
        }
    }
    EXPECT_LE(users.size(), 3u) << fmt::format("{}", fmt::join(users, ", "));
    for (const auto& path : users) EXPECT_EQ(room_of(path), "live") << path;
}

TEST_F(Tidy, BannedCallsHaveAReplacement) {
    for (const auto& banned : banned_calls()) {
        const std::regex pattern{banned.pattern};
        for (const auto& file : sources()) {
            if (!begins_with_any(file.path, banned.below)) continue;
            if (begins_with_any(file.path, banned.except)) continue;
            for (std::size_t i = 0; i < file.code.size(); ++i) {
                EXPECT_FALSE(std::regex_search(file.code[i], pattern))
                    << file.path << ':' << i + 1 << ": " << file.lines[i] << "\n  use "
                    << banned.instead;
            }
        }
    }
}

TEST_F(Tidy, NothingIsLeftToBeDoneLater) {
    const std::regex marks{
        "\\b(TO"
        "DO|FIX"
        "ME|XX"
        "X|HA"
        "CK)\\b"};
    for (const auto& file : sources()) {
        for (std::size_t i = 0; i < file.lines.size(); ++i) {
            EXPECT_FALSE(std::regex_search(file.lines[i], marks)) << file.path << ':' << i + 1;
        }
    }
}

// The checks themselves are checked.

TEST(TidyChecks, CountAFunctionFromBraceToBrace) {
    SourceFile file;
    file.code = split_lines(
        "namespace a {\nstruct B {\n    int f() {\n        return 1;\n    }\n};\n"
        "void g(int x)\n{\n    if (x) { x = 1; }\n}\n}\n");
    const auto functions = file.functions();
    ASSERT_EQ(functions.size(), 2u);
    EXPECT_EQ(functions[0].line, 3u);
    EXPECT_EQ(functions[0].lines, 3u);
    EXPECT_EQ(functions[1].lines, 3u);
}

TEST(TidyChecks, ForgetCommentsAndStrings) {
    EXPECT_EQ(strip("a // rand()\nb"), "a          \nb");
    EXPECT_EQ(strip("f(\"rand()\")"), "f(\"      \")");
    EXPECT_EQ(strip("1'000'000"), "1'000'000");
    EXPECT_EQ(strip("x /* a\nb */ y"), "x     \n     y");
}

TEST(TidyChecks, KnowABannedCallWhenTheySeeIt) {
    const auto& calls = banned_calls();
    const std::vector<std::string> bad{
        "int x = rand();", "std::mt19937 engine;",    "system_clock::now()", "std::cout << 1;",
        "std::stoi(text)", "::connect(socket, a, b)", "thread.detach();",    "assert(x);"};
    for (const auto& line : bad) {
        EXPECT_TRUE(std::any_of(calls.begin(), calls.end(), [&](const auto& banned) {
            return std::regex_search(line, std::regex{banned.pattern});
        })) << line;
    }
}

}  // namespace
}  // namespace lab::tidy
