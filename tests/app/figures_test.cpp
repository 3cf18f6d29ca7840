// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/figures_row.hpp"

#include <gtest/gtest.h>

#include "support/synthetic_frames.hpp"

namespace lab::app {
namespace {

Figures figures(double goodput, double p99, double waiting, double errors, double busy) {
    Figures f;
    f.goodput = f.throughput = goodput;
    f.p50 = p99 / 4;
    f.p99 = p99;
    f.waiting = waiting;
    f.errorShare = errors;
    f.busy = busy;
    f.samples = 120;
    f.latencyWindow = 1.4;
    f.rateWindow = 1;
    return f;
}

const Figures now = figures(78, 212, 2, 0, 0.96);
const Figures before = figures(20, 2400, 64, 0.124, 1);

TEST(FigureWords, NameAMultipleFromADoublingOn) {
    const FigureText t = describeFigure(Figure::goodput, now, before);
    EXPECT_EQ(t.value, QStringLiteral("78"));
    EXPECT_EQ(t.unit, QStringLiteral("req/s"));
    EXPECT_EQ(t.change, QStringLiteral("▲ 3.9× A"));
    EXPECT_EQ(t.tone, Tone::better);
}

TEST(FigureWords, NameAShareForWhatFell) {
    const FigureText t = describeFigure(Figure::p99, now, before);
    EXPECT_EQ(t.change, QStringLiteral("▼ 91 % A"));
    EXPECT_EQ(t.tone, Tone::better);
    const FigureText back = describeFigure(Figure::p99, before, now);
    EXPECT_EQ(back.value, QStringLiteral("2.4"));
    EXPECT_EQ(back.unit, QStringLiteral("s"));
    EXPECT_EQ(back.tone, Tone::worse);
}

TEST(FigureWords, DoNotCallTwoPercentAChange) {
    EXPECT_EQ(describeFigure(Figure::goodput, figures(79, 1, 0, 0, 0), now).change,
              QStringLiteral("as A"));
}

TEST(FigureWords, NeverSayThatEverythingWentWhenSomethingIsLeft) {
    const FigureText t =
        describeFigure(Figure::p99, figures(1, 0.01, 0, 0, 0), figures(1, 100, 0, 0, 0));
    EXPECT_EQ(t.change, QStringLiteral("▼ 99.9 % A"));
}

TEST(FigureWords, TellWhatTheQueueAndTheErrorsWere) {
    EXPECT_EQ(describeFigure(Figure::waiting, now, before).change, QStringLiteral("was 64"));
    const FigureText errors = describeFigure(Figure::errors, now, before);
    EXPECT_EQ(errors.value, QStringLiteral("0.0"));
    EXPECT_EQ(errors.change, QStringLiteral("▼ was 12.4 %"));
    EXPECT_EQ(errors.tone, Tone::better);
}

TEST(FigureWords, WarnOfSaturationWithoutARunToCompareWith) {
    EXPECT_EQ(describeFigure(Figure::busy, now, {}).change, QStringLiteral("near saturation"));
    EXPECT_EQ(describeFigure(Figure::busy, before, {}).change, QStringLiteral("saturated"));
    EXPECT_EQ(describeFigure(Figure::busy, figures(1, 1, 0, 0, 0.5), {}).change, QString());
}

TEST(FigureWords, ShowADashWhereThereAreNoSamples) {
    for (const Figure figure : {Figure::goodput, Figure::p50, Figure::p99, Figure::waiting,
                                Figure::errors, Figure::busy}) {
        const FigureText t = describeFigure(figure, {}, before);
        EXPECT_EQ(t.value, QStringLiteral("–"));
        EXPECT_EQ(t.change, QString());
    }
}

TEST(FigureWords, SayOnAProjectorWhatItWasAndHowFastTheQueueGrows) {
    EXPECT_EQ(describeFigure(Figure::p99, now, before, true).change, QStringLiteral("was 2.4 s"));
    Figures growing = before;
    growing.queueGrowth = 86;
    const FigureText t = describeFigure(Figure::waiting, growing, now, true);
    EXPECT_EQ(t.change, QStringLiteral("growing 86 a second"));
    EXPECT_EQ(t.tone, Tone::worse);
}

TEST(FigureWords, NameWindowAndCountInTheTip) {
    const QString tip = describeFigure(Figure::p99, now, before).tip;
    EXPECT_TRUE(tip.contains(QStringLiteral("120"))) << qPrintable(tip);
    EXPECT_TRUE(tip.contains(QStringLiteral("1.4 s"))) << qPrintable(tip);
}

TEST(ShownMilliseconds, KeepThreeDigitsAndTurnToSeconds) {
    using Shown = std::pair<QString, QString>;
    EXPECT_EQ(showMilliseconds(0.0123), Shown(QStringLiteral("0.01"), QStringLiteral("ms")));
    EXPECT_EQ(showMilliseconds(4.14), Shown(QStringLiteral("4.1"), QStringLiteral("ms")));
    EXPECT_EQ(showMilliseconds(51.4), Shown(QStringLiteral("51"), QStringLiteral("ms")));
    EXPECT_EQ(showMilliseconds(4123), Shown(QStringLiteral("4.1"), QStringLiteral("s")));
}

TEST(FiguresRow, ShowsGoodputFirstAndFollowsTheRunOnlyWhileItIsSeen) {
    RunHistory history;
    FiguresRow row(&history);
    ASSERT_EQ(row.cards().size(), 6U);
    EXPECT_EQ(row.cards()[0]->title(), QStringLiteral("Goodput"));
    EXPECT_EQ(row.cards()[0]->value(), QStringLiteral("–"));
    const auto frames = test::SyntheticRun({.rate = 60, .workers = 4, .length = 3}).frames();
    for (const FramePtr& frame : frames) history.append(frame);
    EXPECT_EQ(row.cards()[0]->value(), QStringLiteral("–"));
    row.show();
    EXPECT_EQ(row.cards()[0]->value(),
              describeFigure(Figure::goodput, history.figures(), {}).value);
    EXPECT_NE(row.cards()[0]->value(), QStringLiteral("–"));
    EXPECT_FALSE(row.cards()[0]->accessibleDescription().isEmpty());
}

}  // namespace
}  // namespace lab::app
