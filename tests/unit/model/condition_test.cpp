// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/condition.hpp"

#include <gmock/gmock.h>

namespace lab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A.throughput_per_s is 20, B.throughput_per_s 80; p50 is 5 ms; p99 has no samples.
Result<double> measured(const std::string& variant, const std::string& quantity) {
    if (quantity == "latency_ms.p99") return Error{ErrorCode::no_samples, "", "no samples"};
    if (quantity == "latency_ms.p50") return 5.0;
    return variant == "A" ? 20.0 : 80.0;
}

Condition::Verdict verdict(std::string_view text) {
    const auto condition = Condition::parse(text, "A");
    EXPECT_TRUE(condition) << text << ": " << condition.error().message();
    if (!condition) return {};
    const auto found = condition->evaluate(measured);
    EXPECT_TRUE(found) << text;
    return found ? *found : Condition::Verdict{};
}

TEST(Conditions, CompareExpressions) {
    EXPECT_TRUE(verdict("B.throughput > A.throughput").holds);
    EXPECT_FALSE(verdict("B.throughput < A.throughput").holds);
    EXPECT_TRUE(verdict("B.throughput / A.throughput >= 4").holds);
    EXPECT_FALSE(verdict("B.throughput / A.throughput > 4").holds) << "equal is not more";
    EXPECT_TRUE(verdict("B.throughput / A.throughput <= 4").holds);
    EXPECT_FALSE(verdict("A.throughput < A.throughput").holds);
}

TEST(Conditions, TakeRangesWithBothEnds) {
    EXPECT_TRUE(verdict("B.throughput / A.throughput in 3.9 .. 4.1").holds);
    EXPECT_TRUE(verdict("B.throughput / A.throughput in 3.9..4.1").holds);
    EXPECT_TRUE(verdict("B.throughput / A.throughput in 4..5").holds);
    EXPECT_FALSE(verdict("B.throughput / A.throughput in 1 .. 3.9").holds);
    EXPECT_TRUE(verdict("A.p50 in A.p50 - 1 .. A.p50 + 1").holds);
}

TEST(Conditions, JoinAndBeforeOr) {
    EXPECT_TRUE(verdict("1 < 2 or 1 < 0 and 1 < 0").holds);
    EXPECT_FALSE(verdict("(1 < 2 or 1 < 0) and 1 < 0").holds);
    EXPECT_TRUE(verdict("((A.p50 + 1) * 2 > 11) and (A.p50) < 6").holds);
}

TEST(Conditions, TakeUnits) {
    EXPECT_TRUE(verdict("A.p50 < 5.1ms and A.p50 > 4900us and A.p50 < 1s").holds);
    EXPECT_TRUE(verdict("A.throughput in 19/s .. 21/s").holds);
    EXPECT_TRUE(verdict("50% > 0.49").holds);
}

TEST(Conditions, TakeBareNamesWhereAVariantIsMeant) {
    EXPECT_TRUE(verdict("p50 < 50ms").holds);
    EXPECT_TRUE(verdict("throughput >= 20").holds);
    EXPECT_FALSE(Condition::parse("p50 < 50ms"));
}

TEST(Conditions, TellHowNearTheyAreToTurningOver) {
    EXPECT_NEAR(verdict("A.p50 < 10ms").margin, 0.5, 1e-12);
    EXPECT_NEAR(verdict("A.p50 > 10ms").margin, -0.5, 1e-12);
    EXPECT_NEAR(verdict("A.p50 < 10ms and A.p50 < 6.25ms").margin, 0.2, 1e-12);
    EXPECT_NEAR(verdict("A.p50 > 10ms or A.p50 < 6.25ms").margin, 0.2, 1e-12);
}

TEST(Conditions, NameWhatTheyNeed) {
    const auto condition = Condition::parse("B.p99 < A.p99 and B.throughput > 1");
    EXPECT_THAT(condition->variants(), ElementsAre("A", "B"));
    EXPECT_THAT(condition->quantities(), ElementsAre("latency_ms.p99", "throughput_per_s"));
    EXPECT_EQ(condition->evaluate(measured).error().code, ErrorCode::no_samples);
}

TEST(Conditions, SayWhereTheyBreakOff) {
    const std::pair<const char*, const char*> table[] = {
        {"A.p50", "allowed: one of < <= > >="},
        {"A.p50 < ", "found the end"},
        {"A.p50 < 1 A.p50", "allowed: the end, \"and\" or \"or\""},
        {"A.p50 in 1", "\"..\""},
        {"A.p5O < 1", "did you mean p50?"},
        {"A.p50 < 5parsecs", "found \"p\""},
        {"(A.p50 < 1", "found"},
    };
    for (const auto& [text, message] : table) {
        const auto condition = Condition::parse(text);
        ASSERT_FALSE(condition) << text;
        EXPECT_THAT(condition.error().message(), HasSubstr(message)) << text;
    }
    EXPECT_FALSE(Condition::parse(std::string(40, '(') + "1 < 2" + std::string(40, ')')));
    EXPECT_FALSE(Condition::parse(std::string(300, ' ')));
}

}  // namespace
}  // namespace lab
