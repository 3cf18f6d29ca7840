// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/settings.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "lab/frame.hpp"
#include "unit/model/models.hpp"

namespace lab {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Step step(std::string id, StepKind kind) {
    Step made;
    made.id = std::move(id);
    made.kind = kind;
    return made;
}

TEST(SettingsTable, GivesEveryRowALabelAMeaningAndARangeOrChoices) {
    std::set<std::string_view> paths;
    for (const SettingInfo& info : settings_table()) {
        SCOPED_TRACE(info.path);
        EXPECT_TRUE(paths.insert(info.path).second) << "twice";
        EXPECT_FALSE(info.label.empty());
        EXPECT_TRUE(info.meaning.ends_with('.'));
        if (info.kind == ValueKind::choice) {
            EXPECT_GE(info.choices.size(), 2u);
            EXPECT_EQ(info.choices.size(), info.choice_labels.size());
        } else if (info.kind != ValueKind::flag) {
            EXPECT_LT(info.least, info.most);
        }
    }
}

TEST(SettingsTable, HoldsTheLimitsOfALiveRun) {
    const System system = test::every_step().system;
    const auto most = [&](std::string_view path) { return find_setting(system, path)->most; };
    EXPECT_EQ(most("load.rate"), 50'000);
    EXPECT_EQ(most("server.workers"), 256);
    EXPECT_EQ(most("load.connections"), 2'000);
    EXPECT_EQ(most("server.body_limit"), 1e6);
    EXPECT_EQ(most("route.all.wait"), 60e9);
    EXPECT_EQ(most("route.all.cpu"), 60e9);
    EXPECT_EQ(most("cache.ttl"), 600e9);
}

/// A value other than the one that is there.
SettingValue another(const SettingInfo& info, const SettingValue& now) {
    switch (info.kind) {
        case ValueKind::flag:
            return !std::get<bool>(now);
        case ValueKind::count:
            return std::get<std::int64_t>(now) == 1'000 ? std::int64_t{999}
                   : info.most >= 1'000                 ? std::int64_t{1'000}
                                                        : static_cast<std::int64_t>(info.most) - 1;
        case ValueKind::number:
            return std::max(info.least, 0.0) + 0.25;
        case ValueKind::duration:
            return Duration{777ms};
        case ValueKind::rate:
            return ArrivalRate::per_second(77);
        case ValueKind::bytes:
            return Bytes{7'777};
        case ValueKind::distribution:
            return Distribution::uniform(7ms, 70ms);
        case ValueKind::choice:
            return std::string(info.choices[std::get<std::string>(now) == info.choices[0] ? 1 : 0]);
        case ValueKind::text:
            break;
    }
    return std::string("/other");
}

TEST(Settings, SetsAndReadsBackEveryOneOfThemAndChangesNothingElse) {
    const Model before = test::every_step();
    ASSERT_TRUE(validate(before)) << validate(before).error().message();
    std::set<std::string_view> rows_reached;
    for (const std::string& path : test::every_path()) {
        SCOPED_TRACE(path);
        const SettingInfo* const info = find_setting(before.system, path);
        ASSERT_NE(info, nullptr);
        rows_reached.insert(info->path);
        Model after = before;
        const SettingValue value = another(*info, get_setting(before, path).value());
        ASSERT_TRUE(set_setting(after, path, value));
        EXPECT_EQ(get_setting(after, path).value(), value);
        const auto changes = changed_settings(before, after);
        if (path == "server.preset") continue;  // it fills others: presets_test.cpp
        ASSERT_EQ(changes.size(), 1u);
        EXPECT_EQ(changes[0].path, path);
        EXPECT_EQ(changes[0].to, show_value(*info, value));

        Model from_text = before;
        ASSERT_TRUE(set_setting_text(from_text, path, write_value(value)));
        EXPECT_EQ(from_text, after) << "written as " << write_value(value);
    }
    EXPECT_EQ(rows_reached.size(), settings_table().size()) << "a row that no path reaches";
}

TEST(Settings, ReachBackendsByNumberUpToEight) {
    Model model = test::every_step();
    ASSERT_TRUE(set_setting_text(model, "backend.2.slowdown", "5"));
    EXPECT_EQ(model.system.balancer.backends[1].slowdown, 5);
    ASSERT_TRUE(set_setting_text(model, "backend.8.up", "false"));
    EXPECT_FALSE(model.system.balancer.backends[7].up);
    for (const char* path : {"backend.0.up", "backend.9.up", "backend.10.up", "backend.x.up",
                             "backend.1.speed", "backend.1", "backend."}) {
        EXPECT_FALSE(set_setting_text(model, path, "true")) << path;
    }
    const auto changes = changed_settings(test::every_step(), model);
    ASSERT_EQ(changes.size(), 1u);  // the eighth is not used
    EXPECT_EQ(changes[0].label, "Slower by (backend 2)");
}

TEST(Settings, ReachStepsInsideACacheStepById) {
    Model model = test::every_step();
    ASSERT_TRUE(set_setting_text(model, "route.all.inner", "products_by_category"));
    EXPECT_EQ(model.system.routes[0].steps[3].steps[0].query, QueryKind::products_by_category);
}

TEST(Settings, KeepTheModelAsItWasWhenAValueIsOutOfRange) {
    Model model = test::every_step();
    const Model before = model;
    const auto result = set_setting_text(model, "server.workers", "300");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::invalid_input);
    EXPECT_EQ(result.error().message(),
              "server.workers: found 300; allowed: a whole number from 1 to 256");
    EXPECT_EQ(model, before);
}

struct BadText {
    const char* path;
    const char* text;
    const char* message;
};

TEST(Settings, SayWhatWasFoundAndWhatIsAllowed) {
    const BadText table[] = {
        {"server.workers", "four", "found \"four\"; allowed: a whole number from 1 to 256"},
        {"server.workers", "4.5", "found \"4.5\"; allowed: a whole number from 1 to 256"},
        {"server.workers", "", "found \"\"; allowed: a whole number from 1 to 256"},
        {"server.queue_timeout", "50",
         "found \"50\"; allowed: a duration with its unit from 0s to 600s, such as \"50ms\""},
        {"load.rate", "30",
         "found \"30\"; allowed: a rate with its unit from 0/s to 50000/s, such as \"30/s\""},
        {"load.rate", "60000/s",
         "found 60000/s; allowed: a rate with its unit from 0/s to 50000/s, such as \"30/s\""},
        {"server.body_limit", "10",
         "found \"10\"; allowed: a size with its unit from 0B to 1MB, such as \"10kB\""},
        {"cache.mode", "share",
         "found \"share\"; allowed: none, per-worker, shared or null; did you mean shared?"},
        {"database.index", "yes", "found \"yes\"; allowed: true or false"},
        {"load.zipf", "7", "found 7; allowed: a number from 0 to 5"},
        {"load.zipf", "inf", "found \"inf\"; allowed: a number from 0 to 5"},
        {"route.all.wait", "61s",
         "found 61s; allowed: \"50ms\", \"uniform 10ms 90ms\", \"exponential 50ms\" or \"lognormal "
         "50ms 200ms\", each time from 0s to 60s"},
        {"route.all.wait", "uniform 90ms 10ms",
         "found uniform 90ms 10ms; allowed: a first time not above the second"},
        {"route.all.wait", "lognormal 90ms 10ms",
         "found lognormal 90ms 10ms; allowed: a 99th percentile not below the median"},
        {"route.all.wait", "lognormal 0s 10ms",
         "found lognormal 0s 10ms; allowed: a median above 0"},
    };
    for (const BadText& row : table) {
        Model model = test::every_step();
        const auto result = set_setting_text(model, row.path, row.text);
        ASSERT_FALSE(result) << row.path << " = " << row.text;
        EXPECT_EQ(result.error().where, row.path);
        EXPECT_EQ(result.error().detail, row.message);
    }
}

TEST(Settings, AskWhetherAnotherPathWasMeant) {
    Model model = test::every_step();
    const std::pair<const char*, const char*> table[] = {
        {"server.worker", "did you mean server.workers?"},
        {"workers", "did you mean server.workers?"},
        {"route.all.wiat", "did you mean route.all.wait?"},
        {"cache.tll", "did you mean cache.ttl?"},
        {"database.indx", "did you mean database.index?"},
    };
    for (const auto& [path, hint] : table) {
        const auto result = set_setting_text(model, path, "1");
        ASSERT_FALSE(result) << path;
        EXPECT_EQ(result.error().code, ErrorCode::not_found);
        EXPECT_THAT(result.error().detail, StartsWith("there is no setting"));
        EXPECT_THAT(result.error().detail, HasSubstr(hint));
    }
    EXPECT_THAT(get_setting(model, "zzzzzzzzzzzz").error().detail,
                testing::Not(HasSubstr("did you mean")));
}

TEST(Settings, DoNotFindAPathThatOnlyResemblesOne) {
    const System system = test::every_step().system;
    for (const char* path :
         {"", ".", "route", "route.", "route..", "route.all", "route.all.", "route.all.cache",
          "route.all.cpu.key", "route.all.write", "route.nobody.path", "load.mix.", "load.mix.zzz",
          "route.*.cpu", "load.mix.*", "server", "server.workers.", " server.workers"}) {
        // The pattern rows are for the documentation; only concrete paths name a setting.
        EXPECT_EQ(find_setting(system, path), nullptr) << path;
    }
}

TEST(Settings, TakeADurationForADistributionAndKeepItsLaw) {
    Model model = test::every_step();
    ASSERT_TRUE(set_setting_text(model, "route.all.wait", "lognormal 20ms 80ms"));
    ASSERT_TRUE(set_setting(model, "route.all.wait", Duration{40ms}));
    EXPECT_EQ(model.system.routes[0].steps[1].time, Distribution::lognormal(40ms, 160ms));
}

TEST(Settings, RefuseAValueOfAnotherKind) {
    Model model = test::every_step();
    EXPECT_FALSE(set_setting(model, "server.workers", Duration{5ms}));
    EXPECT_FALSE(set_setting(model, "server.workers", 1.5));
    EXPECT_TRUE(set_setting(model, "server.workers", 2.0));
    EXPECT_TRUE(set_setting(model, "load.zipf", std::int64_t{1}));
    EXPECT_FALSE(set_setting(model, "cache.mode", true));
}

TEST(Settings, AreShownAsAPersonReadsThem) {
    Model model = test::every_step();
    const auto shown = [&](const char* path, const char* text) {
        EXPECT_TRUE(set_setting_text(model, path, text)) << path;
        return show_value(*find_setting(model.system, path), get_setting(model, path).value());
    };
    EXPECT_EQ(shown("cache.mode", "per-worker"), "per worker");
    EXPECT_EQ(shown("database.index", "off"), "off");
    EXPECT_EQ(shown("load.rate", "600/min"), "10/s");
    EXPECT_EQ(shown("route.all.wait", "0.05s"), "50 ms");
    EXPECT_EQ(shown("route.all.wait", "uniform 10ms 90ms"), "10 ms to 90 ms");
    EXPECT_EQ(shown("route.all.respond", "10kB"), "10 kB");
    EXPECT_EQ(shown("database.products", "200000"), "200,000");
    EXPECT_EQ(shown("server.when_full", "reject"), "answer 503");
    EXPECT_EQ(shown("route.all.cache.key", "path+user"), "path, user");
}

TEST(ChangedSettings, NameTheRouteWhereThereIsMoreThanOne) {
    Model from = test::every_step();
    Model to = from;
    to.system.routes[0].steps[1].time = Distribution::constant(1ms);
    EXPECT_EQ(changed_settings(from, to)[0].label, "Waiting (all)");
    from.system.routes.pop_back();
    to.system.routes.pop_back();
    EXPECT_EQ(changed_settings(from, to)[0].label, "Waiting");
}

TEST(ChangedSettings, ShowAWeightThatWasNotNamedBefore) {
    const Model from = test::every_step();
    Model to = from;
    ASSERT_TRUE(set_setting_text(to, "load.mix.home", "3"));
    ASSERT_EQ(to.load.mix.size(), 2u);
    const auto changes = changed_settings(from, to);
    ASSERT_EQ(changes.size(), 1u);
    EXPECT_EQ(changes[0], (SettingChange{"load.mix.home", "Share (home)", "1", "3"}));
}

TEST(Validate, NamesWhatDoesNotFitTogether) {
    using Spoil = void (*)(Model&);
    const std::pair<Spoil, const char*> table[] = {
        {[](Model& m) { m.system.routes.clear(); }, "route: found no route; allowed: at least one"},
        {[](Model& m) { m.system.routes[0].id = "Bad id"; },
         "route: found the route id \"Bad id\""},
        {[](Model& m) { m.system.routes[1].id = "all"; }, "route.all: two routes have this id"},
        {[](Model& m) {
             m.system.routes[1].path = "/all/{key}";
             m.system.routes[1].method = Method::post;
         },
         "route.home.path: another route has this method and path"},
        {[](Model& m) { m.system.routes[0].path = "http://x/"; }, "a path that begins with '/'"},
        {[](Model& m) { m.system.routes[0].path = "//example.org/"; }, "a path without a host"},
        {[](Model& m) { m.system.routes[0].path = "/a b"; }, "printable ASCII"},
        {[](Model& m) { m.system.routes[0].path = "/{key}/{key}"; }, "{key} once"},
        {[](Model& m) { m.system.routes[0].path = "/{user}"; }, "{user} in the query string only"},
        {[](Model& m) { m.system.routes[0].path = "/{id}"; }, "no braces but {key} and {user}"},
        {[](Model& m) { m.system.routes[0].inline_answer = true; },
         "steps = [] for an inline answer"},
        {[](Model& m) { m.system.routes[0].steps[1].id = "cpu"; },
         "two steps of the route have this id"},
        {[](Model& m) { m.system.routes[0].steps[1].id = "size"; }, "names a field of the route"},
        {[](Model& m) { m.system.routes[0].steps[3].steps.clear(); }, "found no inner steps"},
        {[](Model& m) {
             m.system.routes[0].steps[3].key = {false, false, false};
         },
         "some of \"path\""},
        {[](Model& m) { m.system.routes[0].steps[0].steps.push_back(step("x", StepKind::cpu)); },
         "only cache, gather and group have them"},
        {[](Model& m) { m.system.server.workers = 0; }, "server.workers: found 0"},
        {[](Model& m) {
             m.system.server.workers = 256;
             m.system.server.threads = 64;
         },
         "found 256 workers with 64 threads each; allowed: at most 1,024"},
        {[](Model& m) {
             m.load.model = LoadModel::closed;
             m.load.users = 3'000;
         },
         "load.users: found 3,000; allowed: at most 2,000 in closed loop"},
        {[](Model& m) {
             m.load.mix = {{"al", 1}};
         },
         "there is no route \"al\"; did you mean all?"},
        {[](Model& m) {
             m.load.mix = {{"all", 1}, {"all", 1}};
         },
         "the route is named twice"},
        {[](Model& m) {
             m.load.mix = {{"all", 0}};
         },
         "at least one above 0"},
        {[](Model& m) {
             m.load.mix = {{"all", -1}};
         },
         "load.mix.all: found -1"},
        {[](Model& m) { m.system.routes[0].steps[1].time.a = -1ms; }, "route.all.wait: found -1ms"},
    };
    for (const auto& [spoil, text] : table) {
        Model model = test::every_step();
        spoil(model);
        const auto result = validate(model);
        ASSERT_FALSE(result) << text;
        EXPECT_THAT(result.error().message(), HasSubstr(text));
    }
}

TEST(Validate, NamesWhatDoesNotFitInAServer) {
    Model model = test::every_step();
    model.system.server.cheaper = 2;
    EXPECT_EQ(validate(model).error().message(),
              "server.cheaper: found 2 workers that always run, of 1; allowed: at most "
              "server.workers");
    model = test::every_step();
    model.system.server.threads = 0;
    EXPECT_TRUE(validate(model));
    model.system.server.dispatch = Dispatch::ahead;
    EXPECT_THAT(validate(model).error().message(),
                HasSubstr("found 0, a thread for each connection, with dispatch = \"ahead\""));
}

TEST(Validate, RefusesCacheStepsNestedTooDeep) {
    Model model = test::every_step();
    Step inner = step("core", StepKind::cpu);
    for (int i = 0; i < 5; ++i) {
        Step cache = step("c" + std::to_string(i), StepKind::cache);
        cache.steps.push_back(inner);
        inner = cache;
    }
    model.system.routes[0].steps = {inner};
    EXPECT_THAT(validate(model).error().message(), HasSubstr("cache steps more than 3 deep"));
}

TEST(Validate, TakesARouteWithoutStepsInlineOrThroughAWorker) {
    Model model = test::every_step();
    model.system.routes[0].steps.clear();
    EXPECT_TRUE(validate(model));
    model.system.routes[0].inline_answer = true;
    EXPECT_TRUE(validate(model));
}

TEST(Quantities, CoverEveryJsonKeyOfAResult) {
    for (const char* name : {"offered_per_s",
                             "throughput_per_s",
                             "goodput_per_s",
                             "latency_ms.mean",
                             "latency_ms.p999",
                             "latency_ms.count",
                             "since_send_ms.p50",
                             "service_ms.mean",
                             "schedule_slip_ms.max",
                             "counts.planned",
                             "counts.http_5xx",
                             "counts.stale",
                             "breakdown_ms.database",
                             "breakdown_ms.unexplained",
                             "utilisation.workers",
                             "utilisation.cpu",
                             "utilisation.pool",
                             "cache_hit_ratio",
                             "concurrency",
                             "throughput",
                             "goodput",
                             "p99",
                             "mean",
                             "hit_ratio",
                             "counts.rejected",
                             "breakdown.database",
                             "errors",
                             "service.mean"}) {
        EXPECT_NE(find_quantity(name), nullptr) << name;
    }
    EXPECT_EQ(find_quantity("p99")->name, "latency_ms.p99");
    EXPECT_EQ(find_quantity("p99")->unit, "ms");
    EXPECT_EQ(find_quantity("latency"), nullptr);
    EXPECT_EQ(find_quantity(""), nullptr);
}

TEST(Quantities, HaveNamesThatStandForOneThing) {
    std::map<std::string_view, std::string_view> owner;
    for (const QuantityInfo& row : quantities_table()) {
        for (const std::string_view name : {row.name, row.short_name}) {
            EXPECT_EQ(owner.emplace(name, row.name).first->second, row.name) << name;
        }
        EXPECT_FALSE(row.label.empty()) << row.name;
        EXPECT_FALSE(row.meaning.empty()) << row.name;
    }
}

TEST(DidYouMean, FindsSlipsOfTheFingerAndNothingFarAway) {
    const std::string_view known[] = {"workers", "threads", "queue", "when_full", "server.rate"};
    EXPECT_EQ(did_you_mean("worekrs", known), "workers");
    EXPECT_EQ(did_you_mean("WORKERS", known), "workers");
    EXPECT_EQ(did_you_mean("worker", known), "workers");
    EXPECT_EQ(did_you_mean("when-full", known), "when_full");
    EXPECT_EQ(did_you_mean("rate", known), "server.rate");
    EXPECT_EQ(did_you_mean("elephant", known), "");
    const std::string_view servers[] = {"uvicorn", "gunicorn-sync", "gunicorn-gthread"};
    EXPECT_EQ(did_you_mean("gunicorn", servers), "gunicorn-sync");
    EXPECT_EQ(did_you_mean("unicorn", servers), "uvicorn");
    EXPECT_EQ(did_you_mean("", known), "");
    EXPECT_EQ(did_you_mean(std::string(100'000, 'w'), known), "");
}

}  // namespace
}  // namespace lab
