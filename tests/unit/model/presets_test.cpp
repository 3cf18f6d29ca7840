// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/presets.hpp"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>

#include "unit/model/models.hpp"

namespace lab {
namespace {

using testing::HasSubstr;
using testing::Not;

Model with_preset(const std::string& name) {
    Model model = test::every_step();
    EXPECT_TRUE(set_setting_text(model, "server.preset", name));
    return model;
}

TEST(PresetsTable, StatesOnlyValuesThatItsSettingsAllowAndThatFitTogether) {
    std::set<std::string_view> names;
    for (const Preset& preset : presets_table()) {
        SCOPED_TRACE(preset.name);
        EXPECT_TRUE(names.insert(preset.name).second) << "twice";
        EXPECT_NE(preset.name, "none");
        EXPECT_TRUE(preset.meaning.ends_with('.'));
        EXPECT_FALSE(preset.title.empty());
        EXPECT_FALSE(preset.versions.empty());
        std::set<std::string_view> paths;
        const Model model = with_preset(std::string(preset.name));
        EXPECT_TRUE(validate(model)) << validate(model).error().message();
        for (const PresetField& field : preset.fields) {
            SCOPED_TRACE(field.path);
            EXPECT_TRUE(paths.insert(field.path).second) << "stated twice";
            Model by_hand = test::every_step();
            ASSERT_TRUE(set_setting_text(by_hand, field.path, field.value));
            EXPECT_EQ(get_setting(model, field.path).value(),
                      get_setting(by_hand, field.path).value());
        }
    }
}

TEST(PresetsTable, GivesACommandWithoutHolesForEach) {
    for (const Preset& preset : presets_table()) {
        const std::string command = preset_command(with_preset(std::string(preset.name)));
        EXPECT_FALSE(command.empty()) << preset.name;
        EXPECT_EQ(command.find_first_of("{}[]"), std::string::npos) << command;
    }
}

TEST(Preset, FillsWhatItStatesAndLeavesTheRestAlone) {
    const Model model = with_preset("gunicorn-sync");
    EXPECT_EQ(model.system.server.queue, 0);
    EXPECT_EQ(model.system.server.when_full, WhenFull::wait);
    EXPECT_EQ(model.system.server.bind, BindPoint::accept);
    EXPECT_FALSE(model.system.server.keep_alive);
    EXPECT_EQ(model.system.server.worker_timeout, 30s);
    EXPECT_EQ(model.system.network.backlog, 2048);
    EXPECT_EQ(model.system.routes, test::every_step().system.routes);
    EXPECT_TRUE(overridden_settings(model).empty());
}

TEST(Preset, GivesWayToWhatWasGivenWhateverTheOrder) {
    Model before = test::every_step(), after = before;
    ASSERT_TRUE(set_setting_text(before, "server.workers", "4"));
    ASSERT_TRUE(set_setting_text(before, "server.preset", "gunicorn-sync"));
    ASSERT_TRUE(set_setting_text(after, "server.preset", "gunicorn-sync"));
    ASSERT_TRUE(set_setting_text(after, "server.workers", "4"));
    EXPECT_EQ(before, after);
    EXPECT_EQ(before.system.server.workers, 4);
    const auto overridden = overridden_settings(before);
    ASSERT_EQ(overridden.size(), 1u);
    EXPECT_EQ(overridden[0], (SettingChange{"server.workers", "Workers", "1", "4"}));
}

TEST(Preset, KeepsWhatWasGivenWhenAnotherTakesItsPlace) {
    Model model = with_preset("gunicorn-gthread");
    ASSERT_TRUE(set_setting_text(model, "server.threads", "8"));
    ASSERT_TRUE(set_setting_text(model, "server.preset", "gunicorn-sync"));
    EXPECT_EQ(model.system.server.threads, 8);
    EXPECT_EQ(model.system.server.dispatch, Dispatch::shared);
    EXPECT_EQ(model.system.server.heartbeat, Heartbeat::request);
}

TEST(Preset, LeavesNothingBehindWhenItGoes) {
    for (const Preset& preset : presets_table()) {
        Model model = with_preset(std::string(preset.name));
        ASSERT_TRUE(set_setting_text(model, "server.preset", "none"));
        EXPECT_EQ(model, test::every_step()) << preset.name;
        EXPECT_TRUE(preset_command(model).empty());
    }
}

TEST(Preset, IsNotSetByAValueThatIsNone) {
    Model model = test::every_step();
    const auto result = set_setting_text(model, "server.preset", "gunicorn");
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().detail, HasSubstr("found \"gunicorn\"; allowed: none, "));
    EXPECT_EQ(model, test::every_step());
}

TEST(PresetCommand, NamesTheValuesInForceAndOnlyWhatIsUnusual) {
    Model model = with_preset("gunicorn-gthread");
    EXPECT_EQ(preset_command(model), "gunicorn -w 1 -k gthread --threads 1 app:app");
    ASSERT_TRUE(set_setting_text(model, "server.workers", "4"));
    ASSERT_TRUE(set_setting_text(model, "server.worker_timeout", "90s"));
    EXPECT_EQ(preset_command(model), "gunicorn -w 4 -k gthread --threads 1 --timeout 90 app:app");
    ASSERT_TRUE(set_setting_text(model, "server.preset", "uwsgi"));
    ASSERT_TRUE(set_setting_text(model, "server.memory_limit", "200MB"));
    EXPECT_THAT(preset_command(model), HasSubstr(" -p 4 --harakiri 90 --evil-reload-on-rss 200 "));
    EXPECT_THAT(preset_command(model), Not(HasSubstr("--listen")));
}

TEST(FrontConfiguration, SaysWhatDiffersFromNginxsDefaults) {
    Model model;
    EXPECT_EQ(front_configuration(model), "");
    model.system.balancer.rule = BalancerRule::round_robin;
    model.system.balancer.count = 2;
    EXPECT_EQ(front_configuration(model),
              "upstream app {\n    server 127.0.0.1:8001;\n    server 127.0.0.1:8002;\n}\n"
              "location / {\n    proxy_pass http://app;\n}\n");
    Balancer& balancer = model.system.balancer;
    balancer.rule = BalancerRule::least_conn;
    balancer.backends[1].weight = 3;
    balancer.max_fails = 2;
    balancer.fail_timeout = std::chrono::milliseconds(2500);
    balancer.keep_alive = true;
    balancer.cache_ttl = std::chrono::seconds(5);
    const std::string text = front_configuration(model);
    EXPECT_THAT(text, HasSubstr("    least_conn;\n"));
    EXPECT_THAT(text, HasSubstr("8002 weight=3 max_fails=2 fail_timeout=2500ms;\n"));
    EXPECT_THAT(text, HasSubstr("    keepalive 32;\n}\n"));
    EXPECT_THAT(text, HasSubstr("proxy_cache_valid 200 5s;\n"));
}

}  // namespace
}  // namespace lab
