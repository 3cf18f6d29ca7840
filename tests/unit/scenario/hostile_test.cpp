// SPDX-License-Identifier: GPL-3.0-or-later
// Files from strangers: each is refused, or read, in little time and memory, and never waited for.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "scenario/tree.hpp"
#include "unit/scenario/minimal.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::minimal;
using testing::AnyOf;
using testing::HasSubstr;

std::string repeated(std::string_view text, std::size_t times) {
    std::string all;
    all.reserve(text.size() * times);
    for (std::size_t i = 0; i < times; ++i) all += text;
    return all;
}

constexpr std::size_t mebibyte = 1024 * 1024;

/// The same numbers on every machine (splitmix64).
class Dice {
  public:
    explicit Dice(std::uint64_t seed) : state_{seed} {}
    std::uint64_t roll(std::uint64_t sides) {
        state_ += 0x9e3779b97f4a7c15;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return (z ^ (z >> 31)) % sides;
    }

  private:
    std::uint64_t state_;
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

class HostileFile : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "lab-hostile-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }
    void TearDown() override { fs::remove_all(folder_); }

    fs::path write(const std::string& text) const {
        const fs::path file = folder_ / "file.toml";
        std::ofstream(file, std::ios::binary) << text;
        return file;
    }

    /// Loads the file in a process of its own and says what that cost. CPU time, because a busy
    /// machine says nothing about us; the alarm ends what waits.
    void expect_cheap(const fs::path& file, const std::string& what) const {
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            ::alarm(20);
            const auto scenario = load_scenario(file);
            ::_exit(scenario ? 1 : 0);
        }
        int status = 0;
        rusage used{};
        ASSERT_EQ(::wait4(child, &status, 0, &used), child);
        EXPECT_TRUE(WIFEXITED(status)) << what << ": ended by signal " << WTERMSIG(status);
        EXPECT_EQ(WEXITSTATUS(status), 0) << what << " was taken for a scenario";
        const double seconds =
            static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
            static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
        EXPECT_LT(seconds, sanitized ? 10.0 : 0.5) << what;
        if (!sanitized) {
            EXPECT_LT(used.ru_maxrss / 1024, 100) << what << ": MB";
        }
    }

    fs::path folder_;
};

TEST_F(HostileFile, OfAnyContentIsRefusedInHalfASecondAndHundredMegabytes) {
    const std::pair<const char*, std::string> table[] = {
        {"nested arrays", "a = " + repeated("[", 100'000)},
        {"nested inline tables", repeated("a={", 100'000)},
        {"dotted keys", "a" + repeated(".a", 100'000) + " = 1"},
        {"dotted header", "[a" + repeated(".a", 100'000) + "]"},
        {"dotted keys with blanks", "a" + repeated(" . a", 100'000) + " = 1"},
        {"quoted dotted keys", "\"a\"" + repeated(".\"a\"", 100'000) + " = 1"},
        {"a million values", "a = [" + repeated("0,", mebibyte / 2 - 8) + "]"},
        {"empty tables", "a = [" + repeated("{},", mebibyte / 3 - 8) + "]"},
        {"empty arrays on lines", "a = [" + repeated("[],\n", mebibyte / 4 - 8) + "]"},
        {"headers", repeated("[[a]]\n", mebibyte / 6)},
        {"opened headers", repeated("[a\n", mebibyte / 3)},
        {"a megabyte of text", "a = '''" + repeated("x\n", mebibyte / 2 - 8) + "'''"},
        {"a line of a megabyte", "a = '" + repeated("x", mebibyte - 16) + "'"},
        {"newlines", repeated("\n", mebibyte)},
        {"quotes", repeated("\"", mebibyte)},
        {"triple quotes", repeated("'''", mebibyte / 3)},
        {"backslashes", "a = \"" + repeated("\\", 8'000)},
        {"comments", repeated("#\n", mebibyte / 2)},
        {"NUL bytes", repeated(std::string_view("\0", 1), 1'000)},
        {"marks", "a = \"" + repeated("\xcc\x81", 4'000) + "\""},
        {"too large by one", repeated("#", mebibyte + 1)},
    };
    for (const auto& [what, text] : table) {
        SCOPED_TRACE(what);
        expect_cheap(write(text), what);
    }
}

TEST_F(HostileFile, OfManyKeysIsRefusedCheaply) {
    std::string keys, dotted, sections;
    for (int i = 0; i < 100'000; ++i) {
        keys += "k" + std::to_string(i) + "=1\n";
        dotted += "a.b.c.k" + std::to_string(i) + "=1\n";
        sections += "[s" + std::to_string(i) + "]\n";
    }
    for (const std::string& text : {keys, dotted, sections}) {
        expect_cheap(write(text.substr(0, mebibyte)), text.substr(0, 10));
        expect_cheap(write(text.substr(0, text.find('\n', 250'000) + 1)), text.substr(0, 10));
    }
}

TEST_F(HostileFile, OfFiftyMegabytesIsNotEvenRead) {
    const fs::path file = folder_ / "large.toml";
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_GE(fd, 0);
    ASSERT_EQ(::ftruncate(fd, 50'000'000), 0);
    ::close(fd);
    expect_cheap(file, "50 MB");
    EXPECT_EQ(load_scenario(file).error().detail,
              "found 50,000,000 bytes; allowed: 1,048,576 (1 MiB)");
}

TEST_F(HostileFile, ThatIsNoRegularFileIsRefusedWithoutWaiting) {
    const fs::path pipe = folder_ / "pipe.toml";
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    expect_cheap(pipe, "a FIFO");
    EXPECT_EQ(load_scenario(pipe).error().detail, "found a named pipe; allowed: a regular file");
    EXPECT_EQ(load_scenario(folder_).error().detail, "found a folder; allowed: a regular file");
    EXPECT_EQ(load_scenario("/dev/zero").error().detail, "found a device; allowed: a regular file");
    EXPECT_EQ(load_scenario(folder_ / "none.toml").error().code, ErrorCode::not_found);
    EXPECT_EQ(load_scenario("").error().code, ErrorCode::not_found);
}

TEST_F(HostileFile, OfRandomBytesIsRefused) {
    Dice dice(1);
    for (int round = 0; round < 4; ++round) {
        std::string text;
        for (int i = 0; i < 200'000; ++i) text += static_cast<char>(dice.roll(256));
        expect_cheap(write(text), "random bytes");
    }
}

TEST(HostileText, IsToldItsLimit) {
    const std::pair<std::string, const char*> table[] = {
        {"a = " + repeated("[", 40) + repeated("]", 40), "nested more than 32 deep; allowed: 32"},
        {"a = " + repeated("[", 300), "brackets nested more than 32 deep"},
        {"a" + repeated(".a", 17) + " = 1", "more than 16 dots in a key; allowed: 16"},
        {"a = [" + repeated("0,", 1'001) + "]", "a list of 1,001 items; allowed: 1,000"},
        {"a = [" + repeated("0,\n", 50'000) + "]", "more than 20,000 values; allowed: 20,000"},
        {"a = '''" + repeated("x\n", 33'000) + "'''",
         "a text of 66,000 bytes; allowed: 65,536 (64 KiB)"},
        {"a = '" + repeated("x", 9'000) + "'", "a line of more than 8,192 bytes; allowed: 8,192"},
        {"a = \"\xff\"", "found the byte 0xff, which is not UTF-8"},
        {"a = \"\xc0\x80\"", "found the byte 0xc0, which is not UTF-8"},
        {"a = \"\xed\xa0\x80\"", "found the byte 0xed, which is not UTF-8"},
        {std::string("a = 1\n\0", 7), "t.toml:2:1: found a NUL byte"},
    };
    for (const auto& [text, message] : table) {
        EXPECT_THAT(error_of(text), HasSubstr(message)) << text.substr(0, 40);
    }
}

TEST(HostileText, MayHoldDotsAndBracketsInsideStringsAndComments) {
    const std::string dots = repeated(".", 100) + repeated("[{", 300);
    for (const std::string& text :
         {"# " + dots + "\n" + minimal,
          minimal + "[[lesson]]\nkind = \"say\"\ntext = \"" + dots + "\"\n",
          minimal + "[[lesson]]\nkind = \"say\"\ntext = '" + dots + "'\n",
          minimal + "[[lesson]]\nkind = \"say\"\ntext = \"\"\"a\"b\\\"" + dots + "\n\"\"\"\"\"\n",
          minimal + "[[lesson]]\nkind = \"say\"\ntext = '''a'b\n" + dots + "'''\n"}) {
        EXPECT_EQ(error_of(text), "no error") << text;
    }
}

/// Each of these once ran the parser into an assertion or into undefined behaviour.
TEST(HostileText, ThatTripsTheParserIsReportedByIt) {
    for (const char* text :
         {"[=", "[.", "[[=]]", "\xc3\xa9", "a = 1 \xc3\xa9", "\xc2\xa0", "[\xc3\xa9]",
          "a = [\xc3\xa9]", "a = 1\xe2\x80\x8b", "= 1", ". = 1", "a.= 1"}) {
        EXPECT_THAT(error_of(text), HasSubstr("t.toml:1:")) << text;
    }
    const std::string lesson = "[[lesson]]\nkind = \"say\"\ntext = \"\"\"a \\\n\xc2\xa7 b\"\"\"\n";
    EXPECT_EQ(error_of(minimal + lesson), "no error");
}

TEST(HostileText, OfTokensOfTheLanguageEndsInAnErrorOrAScenario) {
    const std::string_view tokens[] = {
        "[",   "]",   "[[",  "]]",     "{",      "}",          "=",        ",", ".",
        "\n",  "\"",  "'",   "\"\"\"", "'''",    "a",          "b",        "1", "-",
        "0x",  "1e9", "inf", "nan",    "true",   "1979-05-27", "07:32:00", " ", "\\",
        "\\u", "#",   "\r",  "\t",     "schema", "route",      "\xc3\xa9", "_", "+"};
    Dice dice(2);
    for (int round = 0; round < 2'000; ++round) {
        std::string text;
        for (std::uint64_t n = dice.roll(60); n > 0; --n)
            text += tokens[dice.roll(std::size(tokens))];
        EXPECT_THAT(error_of(text), AnyOf(HasSubstr("t.toml:"))) << text;
    }
}

/// Every byte of a real scenario changed now and then: never a crash, and a message that names the
/// file.
TEST(HostileText, MadeFromAScenarioByChangingBytesEndsInAnErrorOrAScenario) {
    std::ifstream file(fs::path(LAB_SOURCE_FOLDER) / "scenarios" / "caching" / "cache.toml");
    std::ostringstream whole;
    whole << file.rdbuf();
    const std::string original = whole.str();
    ASSERT_FALSE(original.empty());
    Dice dice(3);
    int refused = 0;
    for (int round = 0; round < 300; ++round) {
        std::string text = original;
        for (int i = 0; i < 3; ++i) {
            const auto at = dice.roll(text.size());
            if (dice.roll(3) == 0) {
                text.erase(at, 1 + dice.roll(8));
            } else {
                text[at] = static_cast<char>(dice.roll(128));
            }
        }
        const auto scenario = parse_scenario(text, "t.toml");
        if (!scenario) {
            ++refused;
            EXPECT_THAT(scenario.error().where, testing::StartsWith("t.toml:"));
            EXPECT_FALSE(scenario.error().detail.empty());
        }
    }
    EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace lab
