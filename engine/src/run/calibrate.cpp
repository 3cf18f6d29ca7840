// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/calibration.hpp"

#include <algorithm>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "lab/experiment.hpp"
#include "lab/settings.hpp"
#include "lab/text.hpp"

namespace lab {

namespace {

constexpr Duration length_of_run = 600ms;
constexpr Duration warm_up_of_run = 200ms;
constexpr int products = 20'000;
constexpr int category_rows = 400;
constexpr std::int64_t big_body_kb = 200;
constexpr int many_rows = 200;
constexpr Duration slept = 2ms;

Step step_of(StepKind kind) {
    Step step;
    step.id = "step";
    step.kind = kind;
    return step;
}

/// One route for one user who asks again at once: nothing waits for anything.
Model specimen(std::vector<Step> steps) {
    Model model;
    Route route;
    route.id = "x";
    route.path = "/x";
    route.steps = std::move(steps);
    model.system.routes = {route};
    model.system.server.interpreter_lock = false;
    model.system.database.products = products;
    model.load.model = LoadModel::closed;
    model.load.users = 1;
    model.load.keys = 100;
    return model;
}

class Calibrator {
  public:
    Calibrator(const std::function<void(const std::string&)>& progress,
               const std::function<bool()>& stop)
        : progress_{progress}, stop_{stop} {}

    Result<Costs> run() {
        connections();
        database();
        pages();
        if (problem_) return *problem_;
        return costs_;
    }

  private:
    /// Front end, network and threads, from routes that do next to nothing.
    void connections() {
        Model inlined = specimen({});
        inlined.system.routes[0].inline_answer = true;
        const RunResultPtr direct = measure("answers without a worker", inlined);
        const RunResultPtr worked = measure("answers by a worker", specimen({}));
        Model fresh = inlined;
        fresh.load.keep_alive = false;
        const RunResultPtr opened = measure("new connections", fresh);
        Model busy = inlined;
        busy.load.users = 16;
        const RunResultPtr crowd = measure("many answers at once", busy);
        if (problem_) return;
        // With many at once the front end never rests: its whole time is parsing and answering.
        const Duration each = from_seconds(1.0 / std::max(1.0, crowd->throughput_per_s));
        const Duration front_end = std::min(each, latency(direct) / 2);
        costs_.parse = front_end * 2 / 5;
        costs_.answer = front_end - costs_.parse;
        costs_.network = (latency(direct) - front_end) / 2;
        costs_.hand_off = std::max(Duration{}, latency(worked) - latency(direct)) / 2;
        costs_.connect = std::max(Duration{}, latency(opened) - latency(direct));
    }

    void database() {
        Step step = step_of(StepKind::query);
        step.query = QueryKind::product_by_id;
        const RunResultPtr one = measure("a query for one row", specimen({step}));
        step.query = QueryKind::products_by_category;
        const RunResultPtr many = measure("a query for many rows", specimen({step}));
        step.query = QueryKind::product_by_sku;
        Model unindexed = specimen({step});
        unindexed.system.database.index = false;
        const RunResultPtr scan = measure("a scan", unindexed);
        const RunResultPtr write =
            measure("a change of a row", specimen({step_of(StepKind::write)}));
        if (problem_) return;
        costs_.read_row = std::max(Duration{}, service(many) - service(one)) / (category_rows - 1);
        costs_.query = std::max(Duration{}, service(one) - costs_.read_row);
        costs_.scan_row = std::max(Duration{}, service(scan) - service(one)) / products;
        costs_.update = service(write);
    }

    void pages() {
        Step render = step_of(StepKind::render);
        const RunResultPtr row = measure("a page", specimen({render}));
        render.rows = many_rows;
        const RunResultPtr rows = measure("a long page", specimen({render}));
        Step body = step_of(StepKind::respond);
        body.size = Bytes{big_body_kb * 1'000};
        const RunResultPtr big = measure("a big body", specimen({body}));
        body.size = Bytes{};
        const RunResultPtr small = measure("a small body", specimen({body}));
        Step cached = step_of(StepKind::cache);
        cached.steps = {body};
        cached.steps[0].id = "inner";
        Model hits = specimen({cached});
        hits.system.cache.mode = CacheMode::per_worker;
        const RunResultPtr hit = measure("the cache", hits);
        Step wait = step_of(StepKind::wait);
        wait.time = Distribution::constant(slept);
        const RunResultPtr late = measure("a sleep", specimen({wait}));
        if (problem_) return;
        costs_.render_row = std::max(Duration{}, service(rows) - service(row)) / (many_rows - 1);
        costs_.render = std::max(Duration{}, service(row) - costs_.render_row);
        // Made on the worker, written on the front end: it is paid for twice.
        costs_.body_kb = std::max(Duration{}, latency(big) - latency(small)) / (2 * big_body_kb);
        costs_.cache = service(hit);
        costs_.wake = std::max(Duration{}, service(late) - slept);
    }

    static Duration latency(const RunResultPtr& result) {
        return result->since_send.percentile(50).value();
    }
    static Duration service(const RunResultPtr& result) {
        return result->service.percentile(50).value();
    }

    /// Null after a problem, and ever after.
    RunResultPtr measure(const std::string& what, Model model) {
        if (problem_) return nullptr;
        if (progress_) progress_(what);
        RunPlan plan;
        plan.scenario = "calibration";
        plan.model = std::move(model);
        plan.warm_up = warm_up_of_run;
        plan.length = length_of_run;
        auto result = run_live(std::move(plan));
        if (!result) {
            problem_ = result.error();
            return nullptr;
        }
        if (stop_ && stop_()) {
            problem_ = Error{ErrorCode::interrupted, {}, "stopped"};
        } else if ((*result)->since_send.count() == 0) {
            problem_ = Error{ErrorCode::failed, what, "nothing was answered"};
        }
        return problem_ ? nullptr : *result;
    }

    Result<RunResultPtr> run_live(RunPlan plan) {
        std::mutex mutex;
        std::condition_variable changed;
        std::optional<Result<RunResultPtr>> result;
        auto experiment = Experiment::create({{}, {}, [&](Result<RunResultPtr> finished) {
                                                  const std::lock_guard hold{mutex};
                                                  result = std::move(finished);
                                                  changed.notify_all();
                                              }});
        if (!experiment) return experiment.error();
        if (auto started = (*experiment)->start(std::move(plan)); !started) return started.error();
        {
            std::unique_lock hold{mutex};
            while (!changed.wait_for(hold, 100ms, [&] { return result.has_value(); })) {
                if (stop_ && stop_()) (*experiment)->stop();
            }
        }
        experiment->reset();  // joins: nothing calls back from here on
        return std::move(*result);
    }

    const std::function<void(const std::string&)>& progress_;
    const std::function<bool()>& stop_;
    Costs costs_;
    std::optional<Error> problem_;
};

constexpr std::string_view prefix = "costs.";

}  // namespace

Result<Costs> calibrate(const std::function<void(const std::string&)>& progress,
                        const std::function<bool()>& stop) {
    return Calibrator{progress, stop}.run();
}

std::string write_costs(const Costs& costs) {
    Model model;
    model.system.costs = costs;
    std::string text;
    for (const SettingInfo& info : settings_table()) {
        if (!info.path.starts_with(prefix) || info.kind != ValueKind::duration) continue;
        const auto value = get_setting(model, info.path);
        if (!value) continue;
        text += text.empty() ? "" : " ";
        text += info.path.substr(prefix.size());
        text += "=" + write_value(*value);
    }
    return text;
}

Result<MeasuredCosts> measured_costs(const StoredCalibration& stored) {
    auto costs = read_costs(stored.costs);
    if (!costs) return costs.error();
    const auto seconds = static_cast<std::time_t>(stored.at_unix_ms / 1000);
    std::tm day{};
    localtime_r(&seconds, &day);
    return MeasuredCosts{*costs,
                         fmt::format("measured on {:04}-{:02}-{:02} on {}", day.tm_year + 1900,
                                     day.tm_mon + 1, day.tm_mday, escaped(stored.machine))};
}

Result<Costs> read_costs(const std::string& text) {
    Model model;
    for (std::size_t from = 0; from < text.size();) {
        const std::size_t end = std::min(text.find(' ', from), text.size());
        const std::string word = text.substr(from, end - from);
        from = end + 1;
        const std::size_t equals = word.find('=');
        if (equals == std::string::npos) {
            return Error{ErrorCode::invalid_input, "costs",
                         "found " + escaped(word) + "; allowed: name=duration"};
        }
        const std::string path = std::string{prefix} + word.substr(0, equals);
        auto set = set_setting_text(model, path, word.substr(equals + 1));
        if (!set) return set.error();
    }
    return model.system.costs;
}

}  // namespace lab
