// SPDX-License-Identifier: GPL-3.0-or-later
// [[claim]] and [prices]: what is read, and what a person reads who made a mistake.
#include <gmock/gmock.h>

#include "unit/scenario/minimal.hpp"

namespace lab {
namespace {

using test::error_with;
using test::minimal;
using testing::HasSubstr;

TEST(Claims, AreReadWithTheirVariants) {
    const auto scenario = parse_scenario(minimal + R"(
[[claim]]
that = "C.throughput > A.throughput and A.p99 < 2s"
for = "30s"
variants = { A = {}, C = { "server.workers" = 4 } }

[prices]
worker = 10
cpu = 2.5
)",
                                         "t.toml");
    ASSERT_TRUE(scenario) << scenario.error().message();
    ASSERT_EQ(scenario->claims.size(), 1u);
    EXPECT_EQ(scenario->claims[0].length, Duration(30s));
    EXPECT_EQ(scenario->claims[0].warm_up, scenario->warm_up);
    EXPECT_EQ(scenario->claims[0].variants.at("C").at("server.workers"), "4");
    EXPECT_EQ(scenario->prices, (Prices{10, 0, 2.5}));
}

TEST(Claims, HaveTheVariantsOfTheLessonWhereTheyGiveNone) {
    const std::string lesson =
        "[[lesson]]\nkind = \"run\"\nvariants = { A = {}, B = { \"server.workers\" = 2 } }\n";
    const auto scenario =
        parse_scenario(minimal + lesson + "[[claim]]\nthat = \"B.p99 < A.p99\"\n", "t.toml");
    ASSERT_TRUE(scenario) << scenario.error().message();
    EXPECT_EQ(scenario->claims[0].variants.at("B").at("server.workers"), "2");
}

TEST(Claims, SayWhatIsWrongAndWhere) {
    const std::pair<const char*, const char*> table[] = {
        {"that = \"A.p99\"", "t.toml:10:8: claim[1].that: column 6, found the end"},
        {"that = \"A.p9 < 1\"", "there is no quantity \"p9\""},
        {"that = \"1 < 2\"", "a condition that names a run"},
        {"that = \"B.p99 < 1\"", "found B, which is no variant; allowed: A"},
        {"that = \"A.p99 < 1\"\nvariants = { a = {} }", "each one letter from A to Z"},
        {"that = \"A.p99 < 1\"\nvariants = { A = { \"server.wokers\" = 1 } }",
         "did you mean server.workers?"},
        {"that = \"A.p99 < 1\"\nfor = \"1h\"", "claim[1].for"},
        {"taht = \"A.p99 < 1\"", "did you mean that?"},
    };
    for (const auto& [text, message] : table) {
        EXPECT_THAT(error_with("[[claim]]\n" + std::string(text) + "\n"), HasSubstr(message))
            << text;
    }
    EXPECT_THAT(error_with("[prices]\nworker = -1\n"), HasSubstr("prices.worker: found -1"));
    EXPECT_THAT(error_with("[prices]\nworkers = 1\n"), HasSubstr("did you mean worker?"));
}

}  // namespace
}  // namespace lab
