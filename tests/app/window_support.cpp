// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/window_support.hpp"

#include <QTest>
#include <fstream>

namespace lab::app::testing {

namespace {

class FakeRunner final : public Runner {
  public:
    explicit FakeRunner(FakeEngine* engine) : m_engine(engine) {}
    Result<void> start(RunPlan plan) override {
        if (m_engine->onStart) m_engine->onStart();
        m_engine->plans.push_back(std::move(plan));
        m_engine->events.on_phase(RunPhase::running, "");
        return {};
    }
    Result<std::uint64_t> apply(Model model) override {
        m_engine->applied.push_back(std::move(model));
        return std::uint64_t{m_engine->applied.size()};
    }
    void ask_cache(std::size_t most) override {
        std::vector<CacheContent> contents = m_engine->cache;
        contents.resize(std::min(most, contents.size()));
        m_engine->events.on_cache(std::move(contents));
    }
    void stop() override { ++m_engine->stops; }
    void setPace(Pace pace) override { m_engine->paces.push_back(pace); }
    void step(Duration by) override { m_engine->stepped += by; }

  private:
    FakeEngine* m_engine;
};

void replaceAll(std::string& text, const std::string& from, const std::string& to) {
    for (std::size_t at = text.find(from); at != std::string::npos;
         at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

const char* const pattern = R"(schema = 1
id = "@ID"
title = '@WORD title'
course = "foundations"
topic = '@WORD topic'
minutes = 3
summary = '@WORD summary'

[server]
workers = 1

[[route]]
id = "pay"
path = "/pay"
steps = [{ wait = "50ms" }, { cpu = "1ms" }]

[load]
rate = "30/s"

[[knob]]
path = "server.workers"
min = 1
max = 16
step = "x2"
key = "W"
label = '@WORD workers'
help = '@WORD help'

[[knob]]
path = "server.interpreter_lock"
key = "G"

[[knob]]
path = "cache.mode"

[[lesson]]
kind = "say"
title = '@WORD say'
text = '@WORD text'

[[lesson]]
kind = "predict"
title = '@WORD predict'
ask = '@WORD ask'
measure = "B.throughput / A.throughput"
unit = "times"
options = [
  { text = '@WORD one', to = 1.5 },
  { text = '@WORD two', to = 3 },
  { text = '@WORD four' },
]

[[lesson]]
kind = "run"
for = "10s"
warm_up = "1s"
variants = { A = { "load.rate" = "120/s" }, B = { "load.rate" = "120/s", "server.workers" = 4 } }

[[lesson]]
kind = "explain"
title = '@WORD explain'
text = '@WORD: A gave {A.throughput}, B gave {B.throughput}.'

[[lesson]]
kind = "flask"
text = '@WORD flask'
code = '@WORD code'

[[lesson]]
kind = "play"
title = '@WORD play'
text = '@WORD now'
)";

}  // namespace

RunnerFactory FakeEngine::factory() {
    return [this](ExperimentEvents given) -> Result<std::unique_ptr<Runner>> {
        events = std::move(given);
        return std::unique_ptr<Runner>(new FakeRunner(this));
    };
}

void FakeEngine::frame(double seconds) {
    auto frame = std::make_shared<Frame>();
    frame->since_start = from_seconds(seconds) - frame->length;
    frame->counts.planned = 3;
    events.on_frame(frame);
}

void FakeEngine::finish(double throughput) {
    auto result = std::make_shared<RunResult>();
    const auto count = static_cast<std::uint64_t>(throughput * 10);
    result->length = 10s;
    result->throughput_per_s = throughput;
    result->counts.planned = count;
    result->counts.of(Ending::ok) = count;
    result->inside = result->counts;
    events.on_finished(RunResultPtr(result));
}

void FakeEngine::fail(const std::string& why) {
    events.on_finished(Error{ErrorCode::no_resources, "server", why});
}

std::string scenarioText(const std::string& id, const std::string& word) {
    std::string text = pattern;
    replaceAll(text, "@ID", id);
    replaceAll(text, "@WORD", word);
    return text;
}

ScenarioPtr makeScenario(const std::string& word) {
    auto parsed = parse_scenario(scenarioText("shop", word), "shop.toml");
    if (!parsed) {
        ADD_FAILURE() << parsed.error().message();
        return nullptr;
    }
    return std::make_shared<const Scenario>(std::move(*parsed));
}

Storage::Places Places::storage() const {
    return {{path("scenarios")}, path("data"), folder.filePath(QStringLiteral("window.ini"))};
}

std::filesystem::path Places::path(const std::string& name) const {
    return std::filesystem::path(folder.path().toStdString()) / name;
}

void Places::write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(path(name).parent_path());
    std::ofstream(path(name)) << text;
}

bool turnUntil(const std::function<bool()>& done) { return QTest::qWaitFor(done, 5000); }

}  // namespace lab::app::testing
