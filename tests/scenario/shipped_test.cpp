// SPDX-License-Identifier: GPL-3.0-or-later
// Every scenario that we ship: it loads, its knobs move, its lesson holds together.
#include <algorithm>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include <gmock/gmock.h>

#include "lab/expression.hpp"
#include "lab/reference.hpp"
#include "lab/scenario.hpp"
#include "lab/text.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsSupersetOf;

const fs::path folder = fs::path(LAB_SOURCE_FOLDER) / "scenarios";

std::vector<Scenario> shipped() {
    std::vector<Scenario> scenarios;
    const std::vector<fs::path> folders{folder};
    for (const CatalogueEntry& entry : list_scenarios(folders)) {
        EXPECT_FALSE(entry.problem) << entry.problem->message();
        if (entry.scenario) scenarios.push_back(*entry.scenario);
    }
    return scenarios;
}

Scenario open(const std::string& id) {
    const std::vector<fs::path> folders{folder};
    return open_scenario(id, folders).value();
}

const LessonStep& step_of(const Scenario& scenario, LessonKind kind) {
    return *std::ranges::find(scenario.lesson, kind, &LessonStep::kind);
}

TEST(ShippedScenarios, BeginWithTheOneThatEveryoneMeetsFirst) {
    std::vector<std::string> ids;
    for (const Scenario& scenario : shipped()) ids.push_back(scenario.id);
    ASSERT_FALSE(ids.empty());
    EXPECT_EQ(ids.front(), "workers");
    EXPECT_THAT(ids, IsSupersetOf({"cache", "null-cache", "wrong-user", "stampede", "slow-query",
                                   "n-plus-one", "index-no-help"}));
}

TEST(ShippedScenarios, StandInTheFolderOfTheirCourseAndSayWhatTheyAre) {
    for (const Scenario& scenario : shipped()) {
        SCOPED_TRACE(scenario.id);
        EXPECT_EQ(scenario.file.parent_path().filename(), scenario.course);
        EXPECT_EQ(scenario.file.stem(), scenario.id);
        EXPECT_FALSE(scenario.topic.empty());
        EXPECT_FALSE(scenario.summary.empty());
        EXPECT_FALSE(scenario.covers.empty());
        EXPECT_TRUE(validate(scenario.model));
    }
}

/// The values that a knob passes through from its least to its most.
std::vector<SettingValue> notches(const Knob& knob, const SettingInfo& info) {
    std::vector<SettingValue> values;
    for (double at = knob.least; at <= knob.most && values.size() < 1'000;
         at = knob.multiply ? at * knob.step : at + knob.step) {
        switch (info.kind) {
            case ValueKind::count:
                values.emplace_back(static_cast<std::int64_t>(at));
                break;
            case ValueKind::rate:
                values.emplace_back(ArrivalRate::per_second(at));
                break;
            case ValueKind::bytes:
                values.emplace_back(Bytes{static_cast<std::int64_t>(at)});
                break;
            case ValueKind::number:
                values.emplace_back(at);
                break;
            default:
                values.emplace_back(Duration{static_cast<std::int64_t>(at)});
                break;
        }
    }
    return values;
}

TEST(ShippedScenarios, HaveKnobsThatMoveTheModelAtEveryNotch) {
    for (const Scenario& scenario : shipped()) {
        for (const Knob& knob : scenario.knobs) {
            SCOPED_TRACE(scenario.id + " " + knob.path);
            const SettingInfo* const info = find_setting(scenario.model.system, knob.path);
            ASSERT_NE(info, nullptr);
            EXPECT_FALSE(knob.label.empty());
            EXPECT_FALSE(knob.help.empty());
            std::set<std::string> seen;
            if (!knob.values.empty()) {
                for (const std::string& value : knob.values) {
                    Model model = scenario.model;
                    ASSERT_TRUE(set_setting_text(model, knob.path, value));
                    EXPECT_TRUE(validate(model));
                    seen.insert(write_value(get_setting(model, knob.path).value()));
                }
                EXPECT_EQ(seen.size(), knob.values.size());
                continue;
            }
            for (const SettingValue& value : notches(knob, *info)) {
                Model model = scenario.model;
                ASSERT_TRUE(set_setting(model, knob.path, value)) << write_value(value);
                EXPECT_TRUE(validate(model)) << write_value(value);
                seen.insert(write_value(get_setting(model, knob.path).value()));
            }
            EXPECT_GE(seen.size(), 4u) << "a knob with hardly a notch";
        }
    }
}

TEST(ShippedScenarios, KeepAUsableModelWhenAllKnobsStandAtTheirEnds) {
    for (const Scenario& scenario : shipped()) {
        for (const bool most : {false, true}) {
            Model model = scenario.model;
            for (const Knob& knob : scenario.knobs) {
                const SettingInfo* const info = find_setting(model.system, knob.path);
                if (!knob.values.empty()) {
                    const auto& value = most ? knob.values.back() : knob.values.front();
                    ASSERT_TRUE(set_setting_text(model, knob.path, value));
                } else {
                    Knob end = knob;
                    (most ? end.least : end.most) = most ? knob.most : knob.least;
                    ASSERT_TRUE(set_setting(model, knob.path, notches(end, *info).front()));
                }
            }
            EXPECT_TRUE(validate(model)) << scenario.id;
        }
    }
}

/// One letter a screen: "sprefy" says, predicts, runs, explains, shows Flask and plays.
std::string screens(const Scenario& scenario) {
    std::string letters;
    for (const LessonStep& step : scenario.lesson) {
        letters += "sprefy"[static_cast<std::size_t>(step.kind)];
    }
    return letters;
}

TEST(ShippedScenarios, ASentenceBetsWithARunAndAReasonAFlaskLineAndFreePlay) {
    const std::regex course{"s(pre)+fy"};
    for (const Scenario& scenario : shipped()) {
        EXPECT_TRUE(std::regex_match(screens(scenario), course))
            << scenario.id << ": " << screens(scenario);
    }
}

TEST(ShippedScenarios, RunVariantsThatAreValidAndDiffer) {
    for (const Scenario& scenario : shipped()) {
        const LessonStep& run = step_of(scenario, LessonKind::run);
        const auto a = with_overrides(scenario.model, run.variants.at("A"));
        const auto b = with_overrides(scenario.model, run.variants.at("B"));
        ASSERT_TRUE(a && b) << scenario.id;
        EXPECT_EQ(changed_settings(*a, *b).size(), 1u) << "one thing is changed: " << scenario.id;
    }
}

/// The option in which a measured value lies.
std::string option_at(const LessonStep& predict, double measured) {
    for (const PredictOption& option : predict.options) {
        if (measured >= option.from && measured < option.to) return option.text;
    }
    return "none";
}

TEST(ShippedScenarios, HaveTheTruthWellInsideOneOption) {
    struct Truth {
        const char* id;
        double least, most;  // what theory says, with a third on either side
        const char* option;
    };
    const Truth table[] = {
        {"workers", 4.0 / 1.3, 4.0 * 1.3, "About four times as many"},
        {"cache", 5.2 / 1.5, 5.2 * 1.5, "Three to ten times as short"},
        {"slow-query", 200, 20'000, "More than a hundred times"},
        {"null-cache", 1 / 1.3, 1.3, "About the same as before"},
        {"wrong-user", 19 / 20.0 / 1.3, 1, "Nearly all"},
        {"stampede", 40 * 0.215 / 1.5, 40 * 0.215 * 1.5, "More than five times"},
        {"n-plus-one", 201 / 4.0, 201 * 2.0, "More than twenty times"},
        {"index-no-help", 2, 20, "Longer than without it"},
        {"three-servers", 4, 40, "More than three times as short"},
        {"dead-server", 6, 30, "About a dozen"},
    };
    for (const Truth& truth : table) {
        const Scenario scenario = open(truth.id);
        const LessonStep& predict = step_of(scenario, LessonKind::predict);
        EXPECT_EQ(option_at(predict, truth.least), truth.option);
        EXPECT_EQ(option_at(predict, truth.most), truth.option);
    }
}

TEST(ShippedScenarios, OfferTheKnobsThatTheirLessonIsAbout) {
    const auto offers = [](const Scenario& scenario, std::string_view path) {
        return std::ranges::any_of(scenario.knobs, [&](const Knob& k) { return k.path == path; });
    };
    EXPECT_TRUE(offers(open("workers"), "server.workers"));
    EXPECT_TRUE(offers(open("cache"), "cache.mode"));
    EXPECT_TRUE(offers(open("slow-query"), "database.index"));
    const Scenario cache = open("cache");
    const auto mode = std::ranges::find(cache.knobs, "cache.mode", &Knob::path);
    EXPECT_THAT(mode->values, ElementsAre("none", "per-worker", "shared"));
}

TEST(TheWorkersScenario, DrownsOneWorkerAndDrainsItsQueueWithinTwoSecondsWithFour) {
    const Model model = open("workers").model;
    const double service = 0.051;
    const double rate = model.load.rate.per_second();
    EXPECT_EQ(model.system.server.workers, 1);
    EXPECT_GT(rate, 1 / service);
    const double drained_per_s = 4 / service - rate;
    EXPECT_LT(model.system.server.queue / drained_per_s, 2.0);
}

TEST(TheCacheScenario, IsBusyButStableWithoutACache) {
    const Model model = open("cache").model;
    EXPECT_EQ(model.system.cache.mode, CacheMode::none);
    const double service = to_seconds(model.system.database.round_trip) + 0.004;  // a slow machine
    const double busy = model.load.rate.per_second() * service / model.system.server.workers;
    EXPECT_GT(busy, 0.4);
    EXPECT_LT(busy, 0.75);
}

TEST(ScenariosReadme, IsWhatTheTableOfNamesSays) {
    std::ifstream file(folder / "README.md");
    std::ostringstream text;
    text << file.rdbuf();
    const std::string written = text.str(), expected = scenario_reference_markdown();
    const auto at = std::ranges::mismatch(written, expected).in2 - expected.begin();
    EXPECT_EQ(written, expected) << "differs at: "
                                 << expected.substr(static_cast<std::size_t>(at), 60)
                                 << "\nwrite it with: latency-lab reference > scenarios/README.md";
}

TEST(ScenariosReadme, NamesEverySettingAndQuantity) {
    const std::string text = scenario_reference_markdown();
    for (const SettingInfo& info : settings_table()) {
        EXPECT_NE(text.find("`" + std::string(info.path) + "`"), text.npos) << info.path;
    }
    for (const QuantityInfo& row : quantities_table()) {
        EXPECT_NE(text.find("`" + std::string(row.name) + "`"), text.npos) << row.name;
    }
}

}  // namespace
}  // namespace lab
