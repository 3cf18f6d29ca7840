// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <boost/json.hpp>

#include "lab/report.hpp"
#include "unit/report/results.hpp"

namespace lab {
namespace {

using testing::eventful_run;
using ::testing::HasSubstr;
using ::testing::StartsWith;

StudyPoint point(const std::string& workers) {
    StudyPoint made;
    made.overrides = {{"server.workers", workers}};
    made.warm_up = 2s;
    made.runs = {std::make_shared<RunResult>(eventful_run()),
                 std::make_shared<RunResult>(eventful_run())};
    return made;
}

Sweep sweep() {
    Sweep made;
    made.scenario = "workers";
    made.mode = "live";
    made.vary = {{"server.workers", {"1", "2"}}};
    made.points = {point("1"), point("2")};
    made.theory.resize(2);
    made.capacity = 116.7;
    return made;
}

TEST(StudyReports, AreJsonWithIntervals) {
    const auto json = boost::json::parse(to_json(sweep())).as_object();
    EXPECT_EQ(json.at("schema").as_int64(), 1);
    EXPECT_NEAR(json.at("capacity_per_s").as_double(), 116.7, 1e-9);
    EXPECT_TRUE(json.at("knee").is_null());
    const auto& first = json.at("points").as_array().at(0).as_object();
    EXPECT_EQ(first.at("settings").as_object().at("server.workers").as_string(), "1");
    EXPECT_EQ(first.at("throughput_per_s").as_object().at("half_width").as_int64(), 0);
}

TEST(StudyReports, AreRowsWithAsManyCellsAsTheirHeader) {
    const auto csv = to_csv(sweep());
    EXPECT_THAT(csv, StartsWith("server.workers,warm_up_s,runs,offered_per_s,"));
    std::vector<std::ptrdiff_t> commas;
    for (std::size_t at = 0; at < csv.size();) {
        const auto end = csv.find("\r\n", at);
        commas.push_back(std::count(csv.begin() + static_cast<std::ptrdiff_t>(at),
                                    csv.begin() + static_cast<std::ptrdiff_t>(end), ','));
        at = end + 2;
    }
    ASSERT_EQ(commas.size(), 3u);
    EXPECT_EQ(commas[0], commas[1]);
    EXPECT_EQ(commas[1], commas[2]);
}

TEST(StudyReports, ReadAsPlainWords) {
    EXPECT_THAT(to_text(sweep()), HasSubstr("capacity    117"));
    Comparison comparison;
    comparison.a = point("1");
    comparison.b = point("2");
    comparison.differences = {{"latency_ms.p99", {60, 1, 5}, {10, 1, 5}, {-50, 8, 5}, "B's p99"}};
    EXPECT_THAT(to_text(comparison), HasSubstr("B's p99"));
    EXPECT_EQ(boost::json::parse(to_json(comparison)).at("differences").as_array().size(), 1u);
    EXPECT_THAT(to_csv(comparison), HasSubstr("latency_ms.p99,60,1,10,1,-50,8"));
    const std::vector<ClaimCheck> checks{{"A.p99 < 1", false, -0.5, 43, ""}};
    EXPECT_THAT(to_text(checks), HasSubstr("BROKEN"));
    EXPECT_NO_THROW((void)boost::json::parse(to_json(checks, "x")));
}

TEST(StudyReports, TellAdviceAndFrontiers) {
    AdviceList list;
    list.quantity = "latency_ms.p99";
    Advice advice;
    advice.path = "server.workers";
    advice.label = "Workers 1 -> 2";
    advice.value = {10, 1, 5};
    advice.change = {-50, 8, 5};
    advice.share = -0.83;
    list.advice = {advice};
    EXPECT_THAT(to_text(list), HasSubstr("-83 % to 10 +- 1"));
    EXPECT_NO_THROW((void)boost::json::parse(to_json(list)));
    EXPECT_THAT(to_csv(list), HasSubstr("server.workers,Workers 1 -> 2,0,10,1,-50,8,-0.83,0,0"));
    Frontier frontier;
    FrontierPoint cheapest;
    cheapest.point = point("2");
    cheapest.cost = 20;
    cheapest.meets = cheapest.cheapest = cheapest.on_front = true;
    frontier.points = {cheapest};
    EXPECT_THAT(to_text(frontier), HasSubstr("* server.workers=2 at 20"));
    EXPECT_THAT(to_csv(frontier), HasSubstr("server.workers=2,20,1,0,1,1,"));
    EXPECT_NO_THROW((void)boost::json::parse(to_json(frontier)));
}

}  // namespace
}  // namespace lab
