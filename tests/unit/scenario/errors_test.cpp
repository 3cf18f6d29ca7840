// SPDX-License-Identifier: GPL-3.0-or-later
// What a person reads who made a mistake in a file: the place, what was found, what is allowed.
#include <gmock/gmock.h>

#include "unit/scenario/minimal.hpp"

namespace lab {
namespace {

using test::error_of;
using test::error_with;
using test::minimal;
using test::replaced;
using testing::HasSubstr;
using testing::StartsWith;

struct Mistake {
    std::string text;     ///< put behind the minimal scenario
    const char* message;  ///< whole
};

void expect_all(const std::vector<Mistake>& mistakes) {
    ASSERT_EQ(error_of(minimal), "no error");
    for (const Mistake& mistake : mistakes) {
        EXPECT_EQ(error_with(mistake.text), mistake.message) << mistake.text;
    }
}

TEST(ScenarioErrors, AskWhetherAnotherKeyWasMeant) {
    expect_all({
        {"[server]\nworker = 4\n",
         "t.toml:10:1: server.worker: there is no key \"worker\" here; did you mean workers?"},
        {"[sever]\nworkers = 4\n",
         "t.toml:9:2: sever: there is no key \"sever\" here; did you mean server?"},
        {"[load]\nrat = \"3/s\"\n",
         "t.toml:10:1: load.rat: there is no key \"rat\" here; did you mean rate?"},
        {"[[route]]\nid = \"b\"\npaht = \"/b\"\nsteps = []\n",
         "t.toml:11:1: route[2].paht: there is no key \"paht\" here; did you mean path?"},
        {"[[route]]\nid = \"b\"\npath = \"/b\"\nsteps = [{ wiat = \"1ms\" }]\n",
         "t.toml:12:12: route.b.steps[1].wiat: there is no key \"wiat\" here; did you mean wait?"},
        {"[[knob]]\npath = \"server.worker\"\n",
         "t.toml:10:8: knob[1].path: there is no setting \"server.worker\"; did you mean "
         "server.workers?"},
        {"[[lesson]]\nkind = \"pridict\"\n",
         "t.toml:10:8: lesson[1].kind: found \"pridict\"; allowed: say, predict, run, explain, "
         "flask, "
         "play; did you mean predict?"},
        {"[run]\nlength = \"3s\"\n",
         "t.toml:10:1: run.length: there is no key \"length\" here; allowed: for, warm_up, seed"},
    });
}

TEST(ScenarioErrors, NameThePresetThatWasMeant) {
    EXPECT_THAT(error_with("[server]\npreset = \"gunicorn-snyc\"\n"),
                HasSubstr("did you mean gunicorn-sync?"));
}

TEST(ScenarioErrors, NameTheSettingItsValueAndItsRange) {
    expect_all({
        {"[server]\nworkers = 300\n",
         "t.toml:10:11: server.workers: found 300; allowed: a whole number from 1 to 256"},
        {"[server]\nworkers = \"4\"\n",
         "t.toml:10:11: server.workers: found \"4\"; allowed: a whole number from 1 to 256"},
        {"[server]\nworkers = 4.5\n",
         "t.toml:10:11: server.workers: found 4.5; allowed: a whole number from 1 to 256"},
        {"[server]\nqueue_timeout = 50\n",
         "t.toml:10:17: server.queue_timeout: found 50; allowed: a duration with its unit from 0s "
         "to "
         "600s, such as \"50ms\""},
        {"[server]\ninterpreter_lock = \"no\"\n",
         "t.toml:10:20: server.interpreter_lock: found \"no\"; allowed: true or false"},
        {"[cache]\nmode = \"share\"\n",
         "t.toml:10:8: cache.mode: found \"share\"; allowed: none, per-worker, shared or null; did "
         "you "
         "mean "
         "shared?"},
        {"[load]\nrate = \"60000/s\"\n",
         "t.toml:10:8: load.rate: found 60000/s; allowed: a rate with its unit from 0/s to "
         "50000/s, "
         "such as \"30/s\""},
        {"[load]\nzipf = nan\n",
         "t.toml:10:8: load.zipf: found nan; allowed: a number from 0 to 5"},
        {"[load]\nthink = { gamma = \"5ms\" }\n",
         "t.toml:10:9: load.think: found a table; allowed: \"50ms\", { uniform = [\"10ms\", "
         "\"90ms\"] "
         "}, { exponential = \"50ms\" } or { lognormal = { median = \"50ms\", p99 = \"200ms\" } }"},
        {"[server]\nbody_limit = \"2MB\"\n",
         "t.toml:10:14: server.body_limit: found 2MB; allowed: a size with its unit from 0B to "
         "1MB, "
         "such as \"10kB\""},
        {"server = 4\n",
         "t.toml:9:1: route[1].server: there is no key \"server\" here; allowed: id, "
         "path, method, view, inline, personal, localised, size, steps"},
        {"[load]\nmix = 3\n",
         "t.toml:10:7: load.mix: found 3; allowed: a table of routes and their shares, such as { "
         "home "
         "= 3, pay = 1 }"},
        {"[load.mix]\npya = 3\n",
         "t.toml:10:1: load.mix.pya: there is no route \"pya\"; did you mean pay?"},
        {"[load.mix]\npay = -3\n",
         "t.toml:10:7: load.mix.pay: found -3; allowed: a number from 0 to 1000"},
    });
}

TEST(ScenarioErrors, SayWhatIsWrongWithAStep) {
    const auto with_steps = [](const std::string& steps) {
        return error_of(replaced(minimal, "[{ wait = \"50ms\" }, { cpu = \"1ms\" }]", steps));
    };
    EXPECT_EQ(
        with_steps("[{ wait = \"50ms\", cpu = \"1ms\" }]"),
        "t.toml:8:27: route.pay.steps[1].cpu: found wait and cpu in one step; allowed: one of "
        "them");
    EXPECT_EQ(with_steps("[{ wait = \"50ms\", times = 2 }]"),
              "t.toml:8:27: route.pay.steps[1].times: found times in a wait step; allowed: no "
              "times here");
    EXPECT_THAT(with_steps("[{ times = 2 }]"), HasSubstr("found a step that does nothing"));
    EXPECT_THAT(with_steps("[{ id = \"x\" }]"), HasSubstr("found a step that does nothing"));
    EXPECT_EQ(with_steps("[{ write = \"user\" }]"),
              "t.toml:8:20: route.pay.steps[1].write: found \"user\"; allowed: \"product\"");
    EXPECT_EQ(with_steps("[{ render = 0 }]"),
              "t.toml:8:21: route.pay.steps[1].render: found 0; allowed: a whole number from 1 to "
              "2,000");
    EXPECT_EQ(
        with_steps("[{ query = \"product_by_sku2\" }]"),
        "t.toml:8:20: route.pay.steps[1].query: found \"product_by_sku2\"; allowed: "
        "product_by_sku, product_by_id, products_by_category, products_under_price, "
        "reviews_per_product, reviews_in_batch or reviews_joined; did you mean product_by_sku?");
    EXPECT_EQ(with_steps("[{ cache = { key = [\"cookie\"], steps = [{ cpu = \"1ms\" }] } }]"),
              "t.toml:8:28: route.pay.steps[1].cache.key: found \"cookie\"; allowed: \"path\", "
              "\"query\", \"user\", \"header\"");
    EXPECT_THAT(
        with_steps("[{ cache = { key = [\"path\"] } }]"),
        HasSubstr("route.pay.steps[1].cache.steps: found nothing; allowed: a list of steps"));
    EXPECT_EQ(with_steps("[{ cache = { steps = [] } }]"),
              "t.toml:8:10: route.pay.cache: found no inner steps; allowed: steps that make the "
              "answer on a miss");
    EXPECT_EQ(with_steps("[\"wait\"]"),
              "t.toml:8:10: route.pay.steps[1]: found \"wait\"; allowed: a table");
    EXPECT_EQ(with_steps("[{ cpu = \"1ms\", id = \"b\" }, { cpu = \"2ms\", id = \"b\" }]"),
              "t.toml:8:10: route.pay.b: two steps of the route have this id; allowed: ids that "
              "differ");
    EXPECT_EQ(with_steps("[{ cpu = \"1ms\", blocking = true }]"),
              "t.toml:8:10: route.pay.cpu: found blocking; allowed: for wait, query and write");
    EXPECT_EQ(with_steps("[{ gather = { steps = [] } }]"),
              "t.toml:8:10: route.pay.gather: found no inner steps; allowed: steps, at least one");
    EXPECT_EQ(with_steps("[{ gather = { copies = 65, steps = [{ cpu = \"1ms\" }] } }]"),
              "t.toml:8:32: route.pay.steps[1].gather.copies: found 65; allowed: a whole number "
              "from 1 to 64");
    EXPECT_EQ(with_steps("[{ wait = \"61s\" }]"),
              "t.toml:8:19: route.pay.steps[1].wait: found 61s; allowed: \"50ms\", \"uniform 10ms "
              "90ms\", \"exponential 50ms\" or \"lognormal 50ms 200ms\", each time from 0s to 60s");
    EXPECT_EQ(with_steps("\"none\""),
              "t.toml:8:9: route[1].steps: found \"none\"; allowed: a list");
}

TEST(ScenarioErrors, SayWhatIsWrongWithARoute) {
    EXPECT_EQ(error_of(replaced(minimal, "\"/pay\"", "\"pay\"")),
              "t.toml:7:8: route.pay.path: found \"pay\"; allowed: a path that begins with '/'");
    EXPECT_EQ(
        error_of(replaced(minimal, "id = \"pay\"", "id = \"Pay!\"")),
        "t.toml:6:6: route[1].id: found the name id \"Pay!\"; allowed: a small letter, then at "
        "most 31 small letters, digits, '_' and '-'");
    EXPECT_EQ(error_of(replaced(minimal, "[[route]]", "[route]")),
              "t.toml:5:2: route: found a table; allowed: tables, each under [[route]]");
    EXPECT_EQ(
        error_of(replaced(minimal, "path = \"/pay\"", "path = \"/pay\"\ninline = true")),
        "t.toml:8:10: route.pay.inline: found true with steps; allowed: steps = [] for an inline "
        "answer");
    EXPECT_EQ(error_with("[[route]]\nid = \"pay\"\npath = \"/b\"\nsteps = []\n"),
              "t.toml:5:1: route.pay: two routes have this id; allowed: ids that differ");
    EXPECT_THAT(error_of("schema = 1\nid = \"x\"\ntitle = \"X\"\n"),
                HasSubstr("route: found nothing; allowed: one table `[[route]]` or more"));
}

TEST(ScenarioErrors, SayWhatIsWrongAtTheTop) {
    EXPECT_EQ(error_of(""), "t.toml:1:1: schema: found nothing; allowed: schema = 1");
    EXPECT_EQ(error_of("schema = 2\nnews = true\n"),
              "t.toml:1:10: schema: found 2; allowed: 1 (the file is for a newer Latency Lab)");
    EXPECT_EQ(error_of("schema = \"1\"\n"), "t.toml:1:10: schema: found \"1\"; allowed: 1");
    EXPECT_EQ(error_of(replaced(minimal, "title = \"Tiny\"\n", "")),
              "t.toml:1:1: title: found nothing; allowed: one line of at most 200 characters");
    EXPECT_EQ(error_of(replaced(minimal, "\"Tiny\"", "\"" + std::string(201, 'x') + "\"")),
              "t.toml:3:9: title: found 201 characters; allowed: one line of text of 1 to 200 "
              "characters");
    EXPECT_EQ(error_of(replaced(minimal, "\"Tiny\"", R"("T\u001b[31m")")),
              "t.toml:3:9: title: found \"T\\x1b[31m\"; allowed: one line of text of 1 to 200 "
              "characters");
    EXPECT_EQ(error_of("minutes = 0\n" + minimal),
              "t.toml:1:11: minutes: found 0; allowed: a whole number from 1 to 120");
    EXPECT_EQ(error_of("covers = [\"S1\", 2]\n" + minimal),
              "t.toml:1:17: covers: found 2; allowed: one line of text of 1 to 200 characters");
    EXPECT_EQ(error_with("[run]\nfor = \"11min\"\n"),
              "t.toml:10:7: run.for: found \"11min\"; allowed: a duration with its unit from 1s to "
              "600s, such as \"12s\"");
    EXPECT_EQ(error_with("[run]\nseed = -1\n"),
              "t.toml:10:8: run.seed: found -1; allowed: a whole number from 0 to "
              "9,223,372,036,854,775,807");
}

TEST(ScenarioErrors, SayWhereTheTextIsNoToml) {
    EXPECT_THAT(error_of("schema = 1\nid = \n"), StartsWith("t.toml:2:6: this is not TOML: "));
    EXPECT_THAT(error_of("schema = 1\nschema = 1\n"), StartsWith("t.toml:2:"));
    EXPECT_THAT(error_of("a = \"open\n"), StartsWith("t.toml:1:"));
    EXPECT_THAT(error_of("a = [1,\n"), HasSubstr("this is not TOML"));
}

TEST(ScenarioErrors, EscapeWhatCouldTrickATerminal) {
    const auto message = parse_scenario("a = \"\x1b[2J\"", "evil\x1b[31m.toml").error().message();
    EXPECT_EQ(message.find('\x1b'), std::string::npos);
    EXPECT_THAT(message, StartsWith("evil\\x1b[31m.toml:1:"));
    const auto key = error_with("[server]\n\"\\u202e\\u0007\" = 1\n");
    EXPECT_THAT(key, HasSubstr("\\u202e\\x07"));
}

TEST(ScenarioErrors, SayWhatIsWrongWithAKnob) {
    const auto with_knob = [](const std::string& lines) {
        return error_with("[[knob]]\n" + lines + "\n");
    };
    EXPECT_EQ(with_knob("min = 1"),
              "t.toml:9:1: knob[1].path: found nothing; allowed: the path of a "
              "setting");
    EXPECT_EQ(with_knob("path = \"server.workers\"\nmin = 0"),
              "t.toml:11:7: knob[1].min: found 0; allowed: a whole number from 1 to 256");
    EXPECT_EQ(with_knob("path = \"server.workers\"\nmax = 1000"),
              "t.toml:11:7: knob[1].max: found 1000; allowed: a whole number from 1 to 256");
    EXPECT_EQ(with_knob("path = \"server.workers\"\nmin = 4\nmax = 4"),
              "t.toml:12:7: knob[1].max: found a range without extent; allowed: max above min");
    EXPECT_EQ(with_knob("path = \"server.workers\"\nmin = 2\nmax = 4"),
              "t.toml:10:8: knob[1].path: found a range without 1, which the scenario starts with; "
              "allowed: a range with it");
    EXPECT_EQ(with_knob("path = \"server.queue\"\nstep = \"x2\""),
              "t.toml:11:8: knob[1].step: found \"x2\"; allowed: an added step, or min above 0: no "
              "factor leads away from 0");
    EXPECT_EQ(with_knob("path = \"server.workers\"\nstep = \"x1\""),
              "t.toml:11:8: knob[1].step: found \"x1\"; allowed: a factor above 1, such as \"x2\"");
    EXPECT_EQ(
        with_knob("path = \"server.workers\"\nstep = 0"),
        "t.toml:11:8: knob[1].step: found 0; allowed: \"x2\", or what is added in the unit of "
        "the setting");
    EXPECT_EQ(
        with_knob("path = \"server.workers\"\nstep = \"+0.5\""),
        "t.toml:11:8: knob[1].step: found \"0.5\"; allowed: a number above 0, such as \"+1\"");
    EXPECT_EQ(with_knob("path = \"cache.mode\"\nmin = 1"),
              "t.toml:11:7: knob[1].min: found a range; allowed: values, as cache.mode is chosen");
    EXPECT_EQ(
        with_knob("path = \"cache.mode\"\nvalues = [\"none\"]"),
        "t.toml:11:10: knob[1].values: found 1 different of 1; allowed: at least 2, each once");
    EXPECT_EQ(
        with_knob("path = \"cache.mode\"\nvalues = [\"shared\", \"per-worker\"]"),
        "t.toml:11:10: knob[1].values: found no none, which the scenario starts with; allowed: "
        "values with it");
    EXPECT_EQ(with_knob("path = \"server.workers\"\nvalues = [1, 2]"),
              "t.toml:11:10: knob[1].values: found values; allowed: min, max and step, as "
              "server.workers has a range");
    EXPECT_EQ(
        with_knob("path = \"route.pay.path\""),
        "t.toml:10:8: knob[1].path: found \"route.pay.path\"; allowed: a setting with a range or "
        "choices");
    EXPECT_EQ(with_knob("path = \"server.workers\"\nkey = \"r\""),
              "t.toml:11:7: knob[1].key: found \"R\"; allowed: one letter but R, which resets");
    EXPECT_EQ(
        with_knob("path = \"server.workers\"\ngroup = \"Kitchen\""),
        "t.toml:11:9: knob[1].group: found \"Kitchen\"; allowed: Load, Server, Handler, Cache, "
        "Database, Network");
    EXPECT_EQ(
        with_knob("path = \"server.workers\"\n[[knob]]\npath = \"server.workers\""),
        "t.toml:11:1: knob[2].path: another knob has server.workers; allowed: one that differs");
    EXPECT_EQ(
        with_knob("path = \"server.workers\"\nkey = \"w\"\n[[knob]]\npath = \"server.queue\"\n"
                  "key = \"W\""),
        "t.toml:12:1: knob[2].key: another knob has W; allowed: one that differs");
}

const std::string bet = R"([[lesson]]
kind = "predict"
ask = "How many?"
measure = "B.throughput / A.throughput"
options = [{ text = "few", to = 2 }, { text = "many" }]
)";
const std::string both = R"([[lesson]]
kind = "run"
variants = { A = {}, B = { "server.workers" = 4 } }
)";

TEST(ScenarioErrors, SayWhatIsWrongWithAPrediction) {
    ASSERT_EQ(error_with(bet + both), "no error");
    const auto spoilt = [](const std::string& what, const std::string& with) {
        return error_with(replaced(bet, what, with) + both);
    };
    EXPECT_EQ(
        spoilt("A.throughput", "A.thruput"),
        "t.toml:12:11: lesson[1].measure: column 16, there is no quantity \"thruput\"; did you "
        "mean throughput?");
    EXPECT_EQ(
        spoilt("B.throughput / A.throughput", "1 + 2"),
        "t.toml:12:11: lesson[1].measure: found \"1 + 2\"; allowed: an expression that names a "
        "run, such as A.p99");
    EXPECT_EQ(
        spoilt("A.throughput", "C.throughput"),
        "t.toml:12:11: lesson[1].measure: found C, which the next run does not run; allowed: A, "
        "B");
    EXPECT_EQ(
        spoilt("{ text = \"many\" }", "{ text = \"many\", to = 9 }"),
        "t.toml:13:60: lesson[1].options[2].to: found an end; allowed: none in the last option, "
        "which is right for all above");
    EXPECT_THAT(
        spoilt(", to = 2", ""),
        HasSubstr("lesson[1].options[1].to: found nothing; allowed: a number: where the option "
                  "ends"));
    EXPECT_EQ(
        spoilt("{ text = \"many\" }", "{ text = \"more\", to = 2 }, { text = \"many\" }"),
        "t.toml:13:60: lesson[1].options[2].to: found 2; allowed: a number above 2, where the "
        "option before ends");
    EXPECT_EQ(spoilt(", { text = \"many\" }", ""),
              "t.toml:13:11: lesson[1].options: found 1 options; allowed: 2 to 6");
    EXPECT_EQ(error_with(bet),
              "t.toml:12:11: lesson[1].measure: found a prediction that no run follows; allowed: a "
              "step of kind run behind it");
    EXPECT_EQ(error_with(both + bet),
              "t.toml:15:11: lesson[2].measure: found a prediction that no run follows; allowed: a "
              "step of kind run behind it");
}

TEST(ScenarioErrors, SayWhatIsWrongWithARunAndItsExplanation) {
    const auto with_variants = [](const std::string& variants) {
        return error_with(replaced(both, "{ A = {}, B = { \"server.workers\" = 4 } }", variants));
    };
    EXPECT_EQ(with_variants("{ B = {} }"),
              "t.toml:11:12: lesson[1].variants: found \"B\"; allowed: A, or A and B");
    EXPECT_EQ(with_variants("{ A = {}, C = {} }"),
              "t.toml:11:12: lesson[1].variants: found \"A, C\"; allowed: A, or A and B");
    EXPECT_EQ(with_variants("{ A = { \"server.wokers\" = 4 } }"),
              "t.toml:11:20: lesson[1].variants.A.server.wokers: there is no setting "
              "\"server.wokers\"; did you mean server.workers?");
    EXPECT_EQ(with_variants("{ A = { \"server.workers\" = 0 } }"),
              "t.toml:11:39: lesson[1].variants.A.server.workers: found 0; allowed: a whole number "
              "from 1 to 256");
    EXPECT_EQ(
        with_variants("{ A = { \"server.workers\" = 256, \"server.threads\" = 64 } }"),
        "t.toml:11:18: lesson[1].variants.A.server.threads: found 256 workers with 64 threads "
        "each; allowed: at most 1,024 threads in all");
    const auto explained = [](const std::string& text) {
        return error_with(both + "[[lesson]]\nkind = \"explain\"\ntext = \"" + text + "\"\n");
    };
    EXPECT_EQ(explained("From {A.throughput} to {B.p99}."), "no error");
    EXPECT_EQ(
        explained("{A.thruput}"),
        "t.toml:14:8: lesson[2].text: at \"{A.thruput}\": there is no quantity \"thruput\"; did "
        "you mean throughput?");
    EXPECT_THAT(explained("{A.p99 / 2}"), HasSubstr("found more than one name"));
    EXPECT_THAT(explained("a } b"),
                HasSubstr("allowed: only round a quantity, as in {A.throughput}"));
    EXPECT_EQ(
        explained("{C.p99}"),
        "t.toml:14:8: lesson[2].text: found {C...}, which no run before it has; allowed: A, B");
    EXPECT_EQ(
        error_with("[[lesson]]\nkind = \"explain\"\ntext = \"{A.p99}\"\n"),
        "t.toml:11:8: lesson[1].text: found {A...}, which no run before it has; allowed: none "
        "before the first run");
    EXPECT_EQ(error_with("[[lesson]]\nkind = \"flask\"\ntext = \"x\"\n"),
              "t.toml:9:1: lesson[1].code: found nothing; allowed: text");
    EXPECT_EQ(
        error_with("[[lesson]]\nkind = \"say\"\ntext = \"x\"\ncode = \"y\"\n"),
        "t.toml:12:1: lesson[1].code: there is no key \"code\" here; allowed: kind, title, text");
}

}  // namespace
}  // namespace lab
