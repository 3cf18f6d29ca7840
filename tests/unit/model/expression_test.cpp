// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/expression.hpp"

#include <gmock/gmock.h>

namespace lab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A.throughput_per_s is 20, B.throughput_per_s 80, latencies 5; p99 has no samples.
Result<double> measured(const std::string& variant, const std::string& quantity) {
    if (quantity == "latency_ms.p99") return Error{ErrorCode::no_samples, "", "no samples"};
    if (quantity == "latency_ms.p50") return 5.0;
    if (quantity == "counts.rejected") return 0.0;
    return variant == "A" ? 20.0 : 80.0;
}

double value(std::string_view text) {
    const auto expression = Expression::parse(text);
    EXPECT_TRUE(expression) << text << ": " << expression.error().message();
    if (!expression) return -1;
    const auto result = expression->evaluate(measured);
    EXPECT_TRUE(result) << text;
    return result ? *result : -1;
}

TEST(Expressions, FollowTheRulesOfArithmetic) {
    EXPECT_DOUBLE_EQ(value("B.throughput / A.throughput"), 4);
    EXPECT_DOUBLE_EQ(value("1 + 2 * 3"), 7);
    EXPECT_DOUBLE_EQ(value("(1 + 2) * 3"), 9);
    EXPECT_DOUBLE_EQ(value("10 - 3 - 2"), 5);
    EXPECT_DOUBLE_EQ(value("100 / 10 / 2"), 5);
    EXPECT_DOUBLE_EQ(value("-A.p50 + 7"), 2);
    EXPECT_DOUBLE_EQ(value("--2"), 2);
    EXPECT_DOUBLE_EQ(value("2*-3"), -6);
    EXPECT_DOUBLE_EQ(value(" ( ( 0.25 ) ) "), 0.25);
    EXPECT_DOUBLE_EQ(value("A.latency_ms.p50"), 5);
}

TEST(Expressions, NameTheRunsThatTheyNeed) {
    EXPECT_THAT(Expression::parse("B.p50 - A.p50 + B.mean")->variants(), ElementsAre("A", "B"));
    EXPECT_THAT(Expression::parse("1 + 1")->variants(), IsEmpty());
}

TEST(Expressions, HandOnWhatTheLookUpCannotSay) {
    EXPECT_EQ(Expression::parse("A.p99 / A.p50")->evaluate(measured).error().code,
              ErrorCode::no_samples);
    EXPECT_EQ(Expression::parse("A.p50 / A.p99")->evaluate(measured).error().code,
              ErrorCode::no_samples);
    EXPECT_EQ(Expression::parse("-A.p99")->evaluate(measured).error().code, ErrorCode::no_samples);
}

TEST(Expressions, DoNotDivideByZero) {
    const auto result = Expression::parse("1 / A.counts.rejected")->evaluate(measured);
    EXPECT_EQ(result.error().code, ErrorCode::no_samples);
    EXPECT_EQ(result.error().detail, "the divisor is 0");
}

TEST(Expressions, SayInWhichColumnTheyBreakOff) {
    const std::pair<const char*, const char*> table[] = {
        {"",
         "column 1: found the end; allowed: a number, a name such as B.throughput, \"-\" or \"(\""},
        {"A.p50 +", "column 8: found the end"},
        {"A.p50 B.p50", "column 7: found \"B\"; allowed: the end, or one of + - * /"},
        {"(A.p50", "column 7: found the end; allowed: \")\""},
        {"A.p50)", "column 6: found \")\""},
        {"A.p5O", "column 1: there is no quantity \"p5O\"; did you mean p50?"},
        {"1 + A.thruput", "column 5: there is no quantity \"thruput\"; did you mean throughput?"},
        {"throughput",
         "column 1: found \"throughput\"; allowed: a run's letter, a dot and a quantity"},
        {"a.p50", "column 1: found \"a.p50\"; allowed: a run's letter"},
        {"AB.p50", "allowed: a run's letter"},
        {"A.", "column 1: there is no quantity \"\""},
        {"2x", "column 2: found \"x\"; allowed: an operator behind a number"},
        {"1.2.3", "column 4: found \".\""},
        {"system(1)", "column 1: found \"system\""},
        {"A.p50 ; 1", "column 7: found \";\""},
        {"1 % 2", "column 3: found \"%\""},
        {"\x1b", "found \"\\x1b\""},
    };
    for (const auto& [text, message] : table) {
        const auto result = Expression::parse(text);
        ASSERT_FALSE(result) << text;
        EXPECT_EQ(result.error().code, ErrorCode::invalid_input);
        EXPECT_THAT(result.error().message(), HasSubstr(message)) << text;
    }
}

TEST(Expressions, AreBoundedInLengthAndDepth) {
    const std::string deep = std::string(33, '(') + "1" + std::string(33, ')');
    EXPECT_THAT(Expression::parse(deep).error().detail, HasSubstr("nested more than 32 deep"));
    EXPECT_THAT(Expression::parse(std::string(200, '-') + "1").error().detail, HasSubstr("nested"));
    EXPECT_THAT(Expression::parse(std::string(257, '1')).error().detail,
                HasSubstr("found 257 characters; allowed: 256"));
    std::string sum = "1";
    for (int i = 0; i < 127; ++i) sum += "+1";
    EXPECT_DOUBLE_EQ(value(sum), 128);
    const std::string allowed = std::string(32, '(') + "1" + std::string(32, ')');
    EXPECT_DOUBLE_EQ(value(allowed), 1);
}

TEST(Expressions, ThatWereNeverReadHaveNoValue) {
    EXPECT_FALSE(Expression{}.evaluate(measured));
    EXPECT_THAT(Expression{}.variants(), IsEmpty());
}

}  // namespace
}  // namespace lab
