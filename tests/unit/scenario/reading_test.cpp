// SPDX-License-Identifier: GPL-3.0-or-later
// What a right file is read as, and where scenarios are found.
#include <cstdlib>
#include <fstream>
#include <limits>

#include <gmock/gmock.h>

#include "scenario/form.hpp"
#include "unit/scenario/minimal.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;
using test::minimal;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Scenario read(const std::string& text) {
    const auto scenario = parse_scenario(text, "t.toml");
    EXPECT_TRUE(scenario) << scenario.error().message();
    return scenario ? *scenario : Scenario{};
}

TEST(ScenarioFile, LetsWhatItGivesWinOverItsPresetWhereverThatStands) {
    for (const char* section :
         {"[server]\npreset = \"gunicorn-sync\"\nworkers = 4\nqueue = 64\n",
          "[server]\nworkers = 4\nqueue = 64\npreset = \"gunicorn-sync\"\n"}) {
        const Scenario scenario = read(minimal + section + "[network]\nbacklog = 64\n");
        const Server& server = scenario.model.system.server;
        EXPECT_EQ(server.preset, "gunicorn-sync");
        EXPECT_EQ(server.workers, 4);
        EXPECT_EQ(server.queue, 64);
        EXPECT_EQ(server.bind, BindPoint::accept) << "from the preset";
        EXPECT_EQ(scenario.model.system.network.backlog, 64);
        const auto other =
            with_overrides(scenario.model, {{"server.preset", "uwsgi"}, {"server.threads", "2"}});
        ASSERT_TRUE(other) << other.error().message();
        EXPECT_EQ(other->system.server.workers, 4) << "what the file gives stays";
        EXPECT_EQ(other->system.server.threads, 2) << "--set wins over a preset behind it";
        EXPECT_EQ(other->system.server.worker_timeout, 0s);
    }
}

TEST(ScenarioFile, GivesEverythingThatItDoesNotSayTheModelsDefault) {
    const Scenario scenario = read(minimal);
    Model expected;
    Route pay;
    pay.id = "pay";
    pay.path = "/pay";
    Step wait, cpu;
    wait.id = "wait";
    wait.kind = StepKind::wait;
    wait.time = Distribution::constant(50ms);
    cpu.id = "cpu";
    cpu.time = Distribution::constant(1ms);
    pay.steps = {wait, cpu};
    expected.system.routes = {pay};
    EXPECT_EQ(scenario.model, expected);
    EXPECT_EQ(scenario.length, 12s);
    EXPECT_EQ(scenario.warm_up, 1s);
    EXPECT_EQ(scenario.seed, 42u);
    EXPECT_THAT(scenario.knobs, IsEmpty());
}

TEST(ScenarioFile, SetsEveryFieldOfTheModel) {
    const Scenario scenario = read(minimal + R"(
[server]
workers = 4
threads = 2
queue = 10
when_full = "wait"
queue_timeout = "5s"
bind = "accept"
release = "drained"
interpreter_lock = false
switch_interval = "1ms"
keep_alive = false
keep_alive_timeout = "2s"
head_timeout = "3s"
body_timeout = "4s"
body_limit = "4KiB"
[cache]
mode = "per-worker"
ttl = "3s"
capacity = 9
[network]
backlog = 128
no_delay = false
[load]
model = "closed"
rate = "600/min"
arrivals = "constant"
users = 7
think = { exponential = "1s" }
connections = 8
keep_alive = false
timeout = "2s"
deadline = "300ms"
backlog = 11
keys = 12
zipf = 1
mix = { pay = 2 }
)");
    const Server server{
        4,  2,  10, WhenFull::wait, 5s, BindPoint::accept, ReleasePoint::drained, false, 1ms, false,
        2s, 3s, 4s, Bytes{4096}};
    EXPECT_EQ(scenario.model.system.server, server);
    EXPECT_EQ(scenario.model.system.cache, (Cache{CacheMode::per_worker, 3s, 9}));
    EXPECT_EQ(scenario.model.system.network, (Network{128, false}));
    Load load;
    load.model = LoadModel::closed;
    load.rate = ArrivalRate::per_second(10);
    load.arrivals = Arrivals::constant;
    load.users = 7;
    load.think = Distribution::exponential(1s);
    load.connections = 8;
    load.keep_alive = false;
    load.timeout = 2s;
    load.deadline = 300ms;
    load.backlog = 11;
    load.keys = 12;
    load.zipf = 1;
    load.mix = {{"pay", 2}};
    EXPECT_EQ(scenario.model.load, load);
}

TEST(ScenarioFile, SetsEveryFieldOfTheDatabase) {
    const Scenario scenario = read(minimal + R"(
[database]
products = 1000
index = false
price_indexes = 3
access = "scan"
pool = 2
overflow = 1
pool_timeout = "1s"
query_timeout = "4s"
lock_timeout = "6s"
round_trip = "20ms"
replica_lag = "300ms"
updates = "5/s"
)");
    EXPECT_EQ(scenario.model.system.database,
              (Database{1000, false, 3, Access::scan, 2, 1, 1s, 4s, 6s, 20ms, 300ms,
                        ArrivalRate::per_second(5)}));
}

TEST(ScenarioFile, SetsEveryFieldOfTheBalancerAndOfABackend) {
    const Scenario scenario = read(minimal + R"(
[balancer]
rule = "least-conn"
backends = 3
max_fails = 2
fail_timeout = "4s"
next_upstream = "error"
next_tries = 2
connect_timeout = "5s"
read_timeout = "6s"
keep_alive = true
buffering = false
cache_ttl = "7s"
one_address = true
[backend.2]
weight = 3
max_conns = 9
slowdown = 2.5
up = false
)");
    Balancer balancer{.rule = BalancerRule::least_conn,
                      .count = 3,
                      .max_fails = 2,
                      .fail_timeout = 4s,
                      .next_upstream = NextUpstream::error,
                      .next_tries = 2,
                      .connect_timeout = 5s,
                      .read_timeout = 6s,
                      .keep_alive = true,
                      .buffering = false,
                      .cache_ttl = 7s,
                      .one_address = true};
    balancer.backends[1] = {3, 9, 2.5, false};
    EXPECT_EQ(scenario.model.system.balancer, balancer);
}

TEST(ScenarioFile, ReadsEveryKindOfStepAndNamesThoseWithoutAName) {
    const Scenario scenario = read(minimal + R"(
[[route]]
id = "all"
path = "/all/{key}?user={user}"
method = "POST"
personal = true
size = "1kB"
steps = [
  { cpu = { exponential = "5ms" } }, { wait = { uniform = ["10ms", "90ms"] } },
  { wait = { lognormal = { median = "20ms", p99 = "90ms" } } }, { wait = "1ms", id = "bank" },
  { cache = { key = ["path", "user"], steps = [
    { query = "products_by_category" }, { cpu = "1ms" }] } },
  { render = 20 }, { respond = "10kB" }, { write = "product" }, { wait = "uniform 1ms 2ms" },
]
)");
    const Route& route = scenario.model.system.routes.at(1);
    EXPECT_EQ(route.method, Method::post);
    EXPECT_TRUE(route.personal);
    EXPECT_EQ(route.size, Bytes{1000});
    std::vector<std::string> ids;
    for (const Step& step : route.steps) ids.push_back(step.id);
    EXPECT_THAT(ids, ElementsAre("cpu", "wait", "wait2", "bank", "cache", "render", "respond",
                                 "write", "wait3"));
    EXPECT_EQ(route.steps[0].time, Distribution::exponential(5ms));
    EXPECT_EQ(route.steps[1].time, Distribution::uniform(10ms, 90ms));
    EXPECT_EQ(route.steps[2].time, Distribution::lognormal(20ms, 90ms));
    EXPECT_EQ(route.steps[8].time, Distribution::uniform(1ms, 2ms));
    const Step& cache = route.steps[4];
    EXPECT_EQ(cache.key, (KeyRule{true, false, true}));
    EXPECT_EQ(cache.steps[0].query, QueryKind::products_by_category);
    EXPECT_EQ(cache.steps[1].id, "cpu2");
    EXPECT_EQ(route.steps[5].rows, 20);
    EXPECT_EQ(route.steps[6].size, Bytes{10'000});
    EXPECT_EQ(route.steps[7].kind, StepKind::write);
}

TEST(ScenarioFile, ReadsWhatAViewAwaitsAndWhatItBlocks) {
    const Scenario scenario = read(minimal + R"(
[[route]]
id = "page"
path = "/page"
view = "async"
steps = [
  { gather = { copies = 3, steps = [ { wait = "200ms", blocking = true }, { group = [
    { query = "product_by_id", offload = true }, { cpu = "1ms" } ] } ] } },
]
)");
    const Route& route = scenario.model.system.routes.at(1);
    EXPECT_EQ(route.view, View::async);
    const Step& gather = route.steps.at(0);
    EXPECT_EQ(gather.kind, StepKind::gather);
    EXPECT_EQ(gather.copies, 3);
    EXPECT_TRUE(gather.steps.at(0).blocking);
    EXPECT_FALSE(gather.steps.at(0).offload);
    EXPECT_EQ(gather.steps.at(1).kind, StepKind::group);
    EXPECT_TRUE(gather.steps.at(1).steps.at(0).offload);
    Model model = scenario.model;
    ASSERT_TRUE(set_setting_text(model, "route.page.gather", "8"));
    ASSERT_TRUE(set_setting_text(model, "route.page.wait.blocking", "false"));
    ASSERT_TRUE(set_setting_text(model, "route.page.cpu.offload", "true"));
    EXPECT_FALSE(set_setting_text(model, "route.page.cpu.blocking", "true"));
    EXPECT_EQ(model.system.routes[1].steps[0].copies, 8);
    EXPECT_FALSE(model.system.routes[1].steps[0].steps[0].blocking);
}

TEST(ScenarioFile, ReadsWhatAQueryAndAWriteSayMore) {
    const Scenario scenario = read(minimal + R"(
[[route]]
id = "more"
path = "/more/{key}"
steps = [
  { query = "reviews_per_product", times = 20 },
  { share = 0.25, query = "products_under_price" },
  { write = "product", hold = "20ms" },
]
)");
    const std::vector<Step>& steps = scenario.model.system.routes.at(1).steps;
    EXPECT_EQ(steps[0].query, QueryKind::reviews_per_product);
    EXPECT_EQ(steps[0].times, 20);
    EXPECT_EQ(steps[1].share, 0.25);
    EXPECT_EQ(steps[2].time, Distribution::constant(20ms));
    Model model = scenario.model;
    ASSERT_TRUE(set_setting_text(model, "route.more.query.times", "7"));
    ASSERT_TRUE(set_setting_text(model, "route.more.query2.share", "0.5"));
    ASSERT_TRUE(set_setting_text(model, "route.more.write.hold", "exponential 5ms"));
    EXPECT_EQ(model.system.routes.at(1).steps[0].times, 7);
    EXPECT_EQ(model.system.routes.at(1).steps[1].share, 0.5);
    EXPECT_EQ(model.system.routes.at(1).steps[2].time, Distribution::exponential(5ms));
    EXPECT_FALSE(set_setting_text(model, "route.more.query.times", "0"));
    EXPECT_FALSE(set_setting_text(model, "route.more.query.hold", "1ms"));
    EXPECT_FALSE(set_setting_text(model, "route.more.write", "1ms"));
}

TEST(ScenarioFile, TakesAnInlineRouteWithoutSteps) {
    const Scenario scenario =
        read(minimal + "[[route]]\nid = \"ping\"\npath = \"/ping\"\ninline = true\nsteps = []\n");
    EXPECT_TRUE(scenario.model.system.routes[1].inline_answer);
    EXPECT_THAT(scenario.model.system.routes[1].steps, IsEmpty());
}

TEST(ScenarioFile, FillsAKnobFromTheTableOfNames) {
    const Scenario scenario = read(minimal + R"(
[[knob]]
path = "server.workers"
[[knob]]
path = "route.pay.wait"
label = "Payment"
min = "1ms"
max = "200ms"
step = "x2"
key = "p"
[[knob]]
path = "cache.mode"
[[knob]]
path = "database.index"
[[knob]]
path = "load.rate"
step = "+10/s"
group = "Server"
[[knob]]
path = "load.zipf"
step = "+0.5"
)");
    ASSERT_EQ(scenario.knobs.size(), 6u);
    const Knob& workers = scenario.knobs[0];
    EXPECT_EQ(workers.label, "Workers");
    EXPECT_EQ(workers.group, "Server");
    EXPECT_EQ(workers.flask, "gunicorn -w {} app:app");
    EXPECT_EQ(workers.least, 1);
    EXPECT_EQ(workers.most, 256);
    EXPECT_EQ(workers.step, 1);
    EXPECT_FALSE(workers.multiply);
    const Knob& wait = scenario.knobs[1];
    EXPECT_EQ(wait.label, "Payment");
    EXPECT_EQ(wait.group, "Handler");
    EXPECT_EQ(wait.least, 1e6);
    EXPECT_EQ(wait.most, 200e6);
    EXPECT_EQ(wait.step, 2);
    EXPECT_TRUE(wait.multiply);
    EXPECT_EQ(wait.key, "P");
    EXPECT_THAT(scenario.knobs[2].values, ElementsAre("none", "per-worker", "shared", "null"));
    EXPECT_EQ(scenario.knobs[2].most, 4);
    EXPECT_THAT(scenario.knobs[3].values, ElementsAre("false", "true"));
    EXPECT_EQ(scenario.knobs[4].step, 10);
    EXPECT_EQ(scenario.knobs[4].group, "Server");
    EXPECT_EQ(scenario.knobs[5].step, 0.5);
}

TEST(ScenarioFile, ReadsALessonWithItsOptionsAsIntervals) {
    const Scenario scenario = read(minimal + R"(
[run]
for = "5s"
warm_up = "2s"
[[lesson]]
kind = "predict"
ask = "How many?"
measure = "A.p99"
unit = "ms"
options = [{ text = "few", to = 2 }, { text = "some", to = 4.5 }, { text = "many" }]
[[lesson]]
kind = "run"
[lesson.variants.A]
load.rate = "120/s"
"server.workers" = 4
route.pay.wait = { uniform = ["1ms", "2ms"] }
[[lesson]]
kind = "run"
for = "7s"
variants = { A = {}, B = { database.index = false } }
[[lesson]]
kind = "flask"
code = "gunicorn"
)");
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const auto& options = scenario.lesson[0].options;
    ASSERT_EQ(options.size(), 3u);
    EXPECT_EQ(options[0], (PredictOption{"few", -infinity, 2}));
    EXPECT_EQ(options[1], (PredictOption{"some", 2, 4.5}));
    EXPECT_EQ(options[2], (PredictOption{"many", 4.5, infinity}));
    const Overrides expected{
        {"load.rate", "120/s"}, {"route.pay.wait", "uniform 1ms 2ms"}, {"server.workers", "4"}};
    EXPECT_EQ(scenario.lesson[1].variants.at("A"), expected);
    EXPECT_EQ(scenario.lesson[1].length, 5s);
    EXPECT_EQ(scenario.lesson[1].warm_up, 2s);
    EXPECT_EQ(scenario.lesson[2].length, 7s);
    EXPECT_EQ(scenario.lesson[2].variants.at("B").at("database.index"), "false");
    EXPECT_EQ(scenario.lesson[3].code, "gunicorn");
}

TEST(ScenarioFile, DropsTheByteOrderMarkAndWhatReordersText) {
    const std::string text = "\xef\xbb\xbf" + test::replaced(minimal, "Tiny", "Ti\xe2\x80\xaeny");
    EXPECT_EQ(read(text).title, "Tiny");
}

TEST(CleanText, KeepsAtMostEightMarksOnOneCharacter) {
    std::string zalgo = "a";
    for (int i = 0; i < 20; ++i) zalgo += "\xcc\x81";
    EXPECT_EQ(scenario::clean_text(zalgo + "b", scenario::Lines::one)->size(), 1u + 8 * 2 + 1);
    EXPECT_EQ(scenario::clean_text("a\nb", scenario::Lines::one), std::nullopt);
    EXPECT_EQ(scenario::clean_text("a\r\n\tb", scenario::Lines::many), "a\n\tb");
    EXPECT_EQ(scenario::clean_text("a\x1b", scenario::Lines::many), std::nullopt);
}

TEST(WithOverrides, LaysThemOverTheModelAndChecksTheWhole) {
    const Model model = read(minimal).model;
    const auto changed = with_overrides(model, {{"server.workers", "4"}, {"load.rate", "120/s"}});
    ASSERT_TRUE(changed);
    EXPECT_EQ(changed->system.server.workers, 4);
    EXPECT_EQ(changed->load.rate, ArrivalRate::per_second(120));
    EXPECT_EQ(with_overrides(model, {{"server.workers", "no"}}).error().where, "server.workers");
    EXPECT_THAT(
        with_overrides(model, {{"load.model", "closed"}, {"load.users", "5000"}}).error().detail,
        HasSubstr("at most 2,000 in closed loop"));
}

TEST(Placeholders, AreFoundInOrderWithTheirFullNames) {
    const auto found = find_placeholders("From {A.throughput} to {B.p99}.").value();
    EXPECT_THAT(found, ElementsAre(Placeholder{5, 14, "A", "throughput_per_s"},
                                   Placeholder{23, 7, "B", "latency_ms.p99"}));
    EXPECT_THAT(find_placeholders("none").value(), IsEmpty());
    for (const char* wrong : {"{", "}", "{}", "{A}", "{A.p99", "{a.p99}", "{A.p99 / 2}",
                              "{{A.p99}}", "{-A.p99}", "{A.p99 }"}) {
        EXPECT_FALSE(find_placeholders(wrong)) << wrong;
    }
}

/// A folder of its own, removed at the end.
class Catalogue : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "lab-catalogue-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }
    void TearDown() override { fs::remove_all(folder_); }
    void write(const std::string& name, const std::string& text) const {
        fs::create_directories((folder_ / name).parent_path());
        std::ofstream(folder_ / name) << text;
    }
    [[nodiscard]] std::vector<fs::path> folders() const { return {folder_}; }
    static std::string scenario(const std::string& id, const std::string& head) {
        return head + "\n" + test::replaced(minimal, "\"tiny\"", "\"" + id + "\"");
    }

    fs::path folder_;
};

TEST_F(Catalogue, ListsByCourseThenOrderThenTitleAndBrokenFilesLast) {
    write("a.toml", scenario("late", "course = \"zoo\""));
    write("finding/b.toml", scenario("find", "course = \"finding\""));
    write("caching/deep/c.toml", scenario("two", "course = \"caching\"\norder = 20"));
    write("caching/d.toml", scenario("one", "course = \"caching\"\norder = 10"));
    write("broken.toml", "schema = 1\nnonsense\n");
    write("notes.md", "no scenario");
    std::vector<std::string> ids;
    const auto entries = list_scenarios(folders());
    for (const auto& entry : entries) ids.push_back(entry.scenario ? entry.scenario->id : "broken");
    EXPECT_THAT(ids, ElementsAre("one", "two", "find", "late", "broken"));
    EXPECT_THAT(entries.back().problem->where, HasSubstr("broken.toml:2:"));
}

TEST_F(Catalogue, ShowsTheSecondFileWithAnIdAsAProblem) {
    write("a.toml", minimal);
    write("b.toml", minimal);
    const auto entries = list_scenarios(folders());
    ASSERT_EQ(entries.size(), 2u);
    EXPECT_EQ(entries[0].file.filename(), "a.toml");
    ASSERT_TRUE(entries[1].problem);
    EXPECT_THAT(entries[1].problem->message(), HasSubstr("found \"tiny\", which"));
}

TEST_F(Catalogue, OpensByIdOrPathAndAsksWhetherAnotherWasMeant) {
    write("a.toml", minimal);
    write("broken.toml", "schema = 1\nnonsense\n");
    EXPECT_EQ(open_scenario("tiny", folders())->file, folder_ / "a.toml");
    EXPECT_EQ(open_scenario((folder_ / "a.toml").string(), {})->id, "tiny");
    const auto unknown = open_scenario("tinny", folders());
    EXPECT_EQ(unknown.error().code, ErrorCode::not_found);
    EXPECT_EQ(unknown.error().message(), "there is no scenario \"tinny\"; did you mean tiny?");
    EXPECT_EQ(open_scenario("elephants", folders()).error().message(),
              "there is no scenario \"elephants\"; there are tiny (or give the path of a file)");
    EXPECT_THAT(open_scenario("broken", folders()).error().where, HasSubstr("broken.toml:2:"));
    EXPECT_THAT(open_scenario("nowhere.toml", folders()).error().message(),
                HasSubstr("nowhere.toml: No such file or directory"));
}

TEST_F(Catalogue, HasNothingWhereThereIsNoFolder) {
    const std::vector<fs::path> nowhere{folder_ / "none"};
    EXPECT_THAT(list_scenarios(nowhere), IsEmpty());
    EXPECT_THAT(open_scenario("tiny", nowhere).error().message(), HasSubstr("; none in "));
}

TEST_F(Catalogue, DoesNotFollowALoopOfLinks) {
    write("a.toml", minimal);
    fs::create_directory_symlink(folder_, folder_ / "loop");
    EXPECT_EQ(list_scenarios(folders()).size(), 1u);
}

TEST_F(Catalogue, IsLookedForWhereTheEnvironmentSays) {
    ::setenv("LATENCY_LAB_SCENARIOS", (folder_.string() + ":/elsewhere").c_str(), 1);
    EXPECT_THAT(scenario_folders(), ElementsAre(folder_, fs::path("/elsewhere")));
    ::unsetenv("LATENCY_LAB_SCENARIOS");
    ASSERT_EQ(scenario_folders().size(), 1u);
    EXPECT_TRUE(fs::exists(scenario_folders()[0] / "README.md"));
}

}  // namespace
}  // namespace lab
