// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <clocale>
#include <limits>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include "lab/report.hpp"
#include "unit/report/results.hpp"

namespace lab {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using testing::eventful_run;

json::object read(const RunResult& r) { return json::parse(to_json(r)).as_object(); }

std::vector<std::string> keys(const json::value& v) {
    std::vector<std::string> out;
    for (const auto& member : v.as_object()) out.emplace_back(member.key());
    return out;
}

const std::vector<std::string> promised{
    "schema",          "scenario",         "mode",          "seed",         "duration_s",
    "offered_per_s",   "throughput_per_s", "goodput_per_s", "latency_ms",   "since_send_ms",
    "service_ms",      "schedule_slip_ms", "counts",        "breakdown_ms", "utilisation",
    "cache_hit_ratio", "machine",          "version"};

TEST(Json, HasThePromisedKeysFirstAndInOrder) {
    auto found = keys(read(eventful_run()));
    ASSERT_GE(found.size(), promised.size());
    found.resize(promised.size());
    EXPECT_THAT(found, ElementsAreArray(promised));
}

TEST(Json, HasThePromisedKeysInEachPart) {
    const auto o = read(eventful_run());
    for (const char* family : {"latency_ms", "since_send_ms", "service_ms", "schedule_slip_ms"})
        EXPECT_THAT(keys(o.at(family)),
                    ElementsAre("mean", "p50", "p90", "p95", "p99", "p999", "max", "count"));
    EXPECT_THAT(keys(o.at("counts")),
                ElementsAre("planned", "ok", "timed_out", "rejected", "reset", "not_sent",
                            "http_4xx", "http_5xx", "wrong_user", "stale", "late", "abandoned",
                            "held_back", "attempts", "retries", "hedges"));
    EXPECT_THAT(keys(o.at("utilisation")), ElementsAre("workers", "cpu", "pool", "tokens"));
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < part_count; ++i) parts.emplace_back(part_key(static_cast<Part>(i)));
    EXPECT_THAT(keys(o.at("breakdown_ms")), ElementsAreArray(parts));
}

TEST(Json, HasAKeyForEveryRowOfTheTableOfQuantities) {
    const auto o = read(eventful_run());
    for (const QuantityInfo& row : quantities_table()) {
        if (row.name == "errors") continue;  // a sum of counts, for lessons
        std::string pointer = "/" + std::string(row.name);
        const auto dot = pointer.find('.');
        if (dot != std::string::npos) pointer[dot] = '/';
        boost::system::error_code missing;
        const json::value root = o;
        const json::value* const found = root.find_pointer(pointer, missing);
        ASSERT_NE(found, nullptr) << row.name;
        const auto expected = quantity(eventful_run(), row.name);
        ASSERT_TRUE(expected->has_value()) << row.name;
        EXPECT_NEAR(found->to_number<double>(), **expected, 1e-6) << row.name;
    }
}

TEST(Json, HasAnObjectForEachBackend) {
    const auto o = read(eventful_run());
    const auto& backends = o.at("backends").as_array();
    ASSERT_EQ(backends.size(), 2u);
    EXPECT_EQ(backends[0].at("share").to_number<double>(), 0.75);
    EXPECT_EQ(backends[0].at("state").as_string(), "up");
    EXPECT_EQ(backends[1].at("state").as_string(), "resting");
    EXPECT_TRUE(read(RunResult{}).at("backends").as_array().empty());
    EXPECT_TRUE(read(RunResult{}).at("upstream").at("retries").is_null());
}

TEST(Json, HoldsTheValuesOfTheRun) {
    const auto o = read(eventful_run());
    EXPECT_EQ(o.at("schema").to_number<int>(), 1);
    EXPECT_EQ(o.at("scenario").as_string(), "workers");
    EXPECT_EQ(o.at("mode").as_string(), "live");
    EXPECT_EQ(o.at("duration_s").to_number<double>(), 12);
    EXPECT_EQ(o.at("throughput_per_s").to_number<double>(), 116.666667);
    EXPECT_EQ(o.at("counts").at("planned").to_number<int>(), 1440);
    EXPECT_EQ(o.at("counts").at("wrong_user").to_number<int>(), 0);
    EXPECT_EQ(o.at("latency_ms").at("count").to_number<int>(), 1430);
    EXPECT_EQ(o.at("breakdown_ms").at("queue").to_number<double>(), 2);
    EXPECT_EQ(o.at("utilisation").at("pool").to_number<double>(), 0.25);
    EXPECT_EQ(o.at("machine").as_string(), "2 cores, \"Linux\"");
}

TEST(Json, KeepsTheNanosecondsOfAPercentile) {
    const RunResult r = eventful_run();
    EXPECT_EQ(read(r).at("latency_ms").at("p50").to_number<double>(),
              to_ms(*r.latency.percentile(50)));
}

TEST(Json, SaysNullWhereThereAreNoSamples) {
    const auto o = read(RunResult{});
    for (const char* key :
         {"offered_per_s", "throughput_per_s", "goodput_per_s", "cache_hit_ratio", "concurrency"})
        EXPECT_TRUE(o.at(key).is_null()) << key;
    EXPECT_TRUE(o.at("latency_ms").at("p99").is_null());
    EXPECT_EQ(o.at("latency_ms").at("count").to_number<int>(), 0);
    EXPECT_TRUE(o.at("breakdown_ms").at("database").is_null());
    EXPECT_TRUE(o.at("utilisation").at("workers").is_null());
    EXPECT_TRUE(o.at("counts").at("wrong_user").is_null());
    EXPECT_TRUE(o.at("counts").at("stale").is_null());
    EXPECT_EQ(o.at("counts").at("late").to_number<int>(), 0);
}

TEST(Json, TellsWhatTheRunCanBeRepeatedFrom) {
    RunResult r = eventful_run();
    r.model.system.server.workers = 4;
    Route pay;
    pay.id = "pay";
    pay.path = "/pay";
    Step wait;
    wait.id = "wait";
    wait.kind = StepKind::wait;
    wait.time = Distribution::constant(50ms);
    pay.steps = {wait};
    r.model.system.routes = {pay};
    const auto settings = read(r).at("settings");
    EXPECT_EQ(settings.at("server.workers").as_string(), "4");
    EXPECT_EQ(settings.at("route.pay.wait").as_string(), "50ms");
    EXPECT_EQ(read(r).at("seed").to_number<int>(), 42);
    r.truth_known = false;  // a server of somebody else, of which no setting is known
    const auto load_alone = read(r).at("settings").as_object();
    EXPECT_FALSE(load_alone.contains("server.workers"));
    EXPECT_TRUE(load_alone.contains("load.rate"));
}

TEST(Json, EscapesWhateverATextHolds) {
    RunResult r;
    r.scenario = std::string("a\"b\\c\n\t\x01\x7f\0z", 11);
    r.machine = "\xff\xc3\xa9\xed\xa0\x80";
    r.remarks = {"</script>", "\xe2\x82\xac"};
    const auto o = read(r);
    EXPECT_EQ(o.at("scenario").as_string(), r.scenario);
    EXPECT_EQ(o.at("machine").as_string(),
              "\xEF\xBF\xBD\xc3\xa9\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    EXPECT_EQ(o.at("remarks").at(1).as_string(), "\xe2\x82\xac");
    for (const char c : to_json(r)) ASSERT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
}

TEST(Json, NeverWritesWhatIsNoNumber) {
    RunResult r = eventful_run();
    r.throughput_per_s = std::numeric_limits<double>::quiet_NaN();
    r.utilisation_cpu = std::numeric_limits<double>::infinity();
    r.offered_per_s = -0.0;
    const auto o = read(r);
    EXPECT_TRUE(o.at("throughput_per_s").is_null());
    EXPECT_TRUE(o.at("utilisation").at("cpu").is_null());
    EXPECT_NE(to_json(r).find("\"offered_per_s\": 0,"), std::string::npos);
}

TEST(Json, HasAPointInEveryLocale) {
    const std::string usual = to_json(eventful_run());
    const std::string before = std::setlocale(LC_ALL, nullptr);
    for (const char* name : {"de_DE.UTF-8", "tr_TR.UTF-8", "C.UTF-8"}) {
        if (std::setlocale(LC_ALL, name) == nullptr) continue;  // not installed here
        EXPECT_EQ(to_json(eventful_run()), usual) << name;
    }
    std::setlocale(LC_ALL, before.c_str());
}

}  // namespace
}  // namespace lab
