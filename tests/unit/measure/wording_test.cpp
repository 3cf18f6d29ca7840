// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/judgement.hpp"

namespace lab {
namespace {

using Verdict = Judgement::Verdict;

LessonStep question() {
    LessonStep step;
    step.kind = LessonKind::predict;
    step.unit = "times";
    step.options = {{"about the same", 0, 1.5}, {"four times as many", 1.5, 9}};
    return step;
}

Judgement verdict(Verdict v, int right, std::string why = {}) {
    Judgement j;
    j.verdict = v;
    j.right_option = right;
    j.measured = 3.92;
    j.why = std::move(why);
    return j;
}

TEST(ShowNumber, HasThreeDigitsThatMatterAndNoExponent) {
    EXPECT_EQ(show_number(0), "0");
    EXPECT_EQ(show_number(0.0154), "0.0154");
    EXPECT_EQ(show_number(3.9249), "3.92");
    EXPECT_EQ(show_number(78.44), "78.4");
    EXPECT_EQ(show_number(50.0), "50");
    EXPECT_EQ(show_number(999.6), "1,000");
    EXPECT_EQ(show_number(1'204'000), "1,204,000");
    EXPECT_EQ(show_number(-1234), "-1,234");
}

TEST(JudgementSentence, PutsThePredictionBesideTheMeasurement) {
    const std::string right = judgement_sentence(question(), 1, verdict(Verdict::right, 1));
    EXPECT_EQ(right,
              "You expected \u201cfour times as many\u201d. Measured: 3.92 times. It was so.");
    const std::string wrong = judgement_sentence(question(), 0, verdict(Verdict::wrong, 1));
    EXPECT_EQ(wrong,
              "You expected \u201cabout the same\u201d. Measured: 3.92 times, so it is "
              "\u201cfour times as many\u201d.");
}

TEST(JudgementSentence, SaysWhyThereIsNoVerdict) {
    EXPECT_EQ(judgement_sentence(question(), -1, verdict(Verdict::cannot_judge, -1, "Too busy.")),
              "Too busy.");
    EXPECT_EQ(judgement_sentence(question(), 0, verdict(Verdict::too_close, -1, "Too close.")),
              "You expected \u201cabout the same\u201d. Measured: 3.92 times. Too close.");
}

TEST(FillPlaceholders, PutsTheMeasuredValuesWithTheirUnits) {
    RunResult r;
    r.length = 1s;
    r.throughput_per_s = 19.6;
    r.latency.record(Duration{51'200'000});
    const std::map<std::string, RunResultPtr> runs{{"A", std::make_shared<RunResult>(r)}};
    EXPECT_EQ(fill_placeholders("{A.throughput} and {A.p99}", runs), "19.6/s and 51.2 ms");
    EXPECT_EQ(fill_placeholders("{A.breakdown.database} {B.p99}", runs), "\u2013 \u2013");
    EXPECT_EQ(fill_placeholders("{none} {A.nonsense} {", runs), "{none} {A.nonsense} {");
}

}  // namespace
}  // namespace lab
