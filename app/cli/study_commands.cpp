// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/study_commands.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/interrupts.hpp"
#include "cli/live_run.hpp"
#include "lab/judgement.hpp"
#include "lab/report.hpp"
#include "lab/study.hpp"
#include "lab/text.hpp"

namespace lab::cli {
namespace {

/// One study from its arguments: scenario, model, runner, progress, reports.
class Study {
  public:
    Study(Terminal& terminal, const StudyArguments& arguments, int runs)
        : terminal_{terminal}, arguments_{arguments}, interrupts_{{}} {
        options_.runs = arguments.runs > 0 ? arguments.runs : runs;
    }

    /// False with a message where something does not fit.
    bool open() {
        auto scenario = open_or_explain(terminal_, arguments_.scenario);
        if (!scenario) return false;
        const auto model = model_with(terminal_, *scenario, arguments_.set);
        if (!model) return false;
        scenario_ = std::move(*scenario);
        scenario_.length = arguments_.length.value_or(scenario_.length);
        scenario_.warm_up = arguments_.warm_up.value_or(scenario_.warm_up);
        scenario_.seed = arguments_.seed.value_or(scenario_.seed);
        for (Claim& claim : scenario_.claims) {
            claim.length = arguments_.length.value_or(claim.length);
            claim.warm_up = arguments_.warm_up.value_or(claim.warm_up);
        }
        // Changes after --set lie under what a claim or a study changes.
        model_ = *model;
        scenario_.model = *model;
        if (arguments_.json == "-" && arguments_.csv == "-") {
            terminal_.error("--json - and --csv - both want standard output: give one a file");
            return false;
        }
        if (arguments_.requests && arguments_.mode == "live") {
            terminal_.error(
                "--requests: a live run lasts as long as --for says; allowed with --mode virtual");
            return false;
        }
        options_.stop = [this] { return interrupts_.signal() != 0; };
        options_.progress = [this](std::size_t done, std::size_t all) {
            if (arguments_.json == "-" || arguments_.csv == "-") return;
            terminal_.live(fmt::format("{} of {} runs", done, all));
        };
        choose_runner(arguments_.mode, options_);
        return true;
    }

    void choose_runner(const std::string& mode, StudyOptions& options) {
        using OnFrame = std::function<void(FramePtr)>;
        options.mode = mode;
        if (mode == "live") {
            options.threads = 1;  // a second run would take the cores of the first
            options.run = [stop = options.stop](const RunPlan& plan, const OnFrame& on_frame) {
                return run_live(plan, {on_frame, {}, stop});
            };
            return;
        }
        options.threads = std::max(1U, std::thread::hardware_concurrency());
        options.run = [requests = arguments_.requests, length = arguments_.length,
                       costs = calibrated_ ? stored_costs() : std::nullopt,
                       stop = options.stop](const RunPlan& asked, const OnFrame& on_frame) {
            RunPlan plan = asked;
            plan.mode = RunMode::virtual_time;
            plan.costs = costs;
            plan.requests = requests;
            if (requests && !length) plan.length.reset();  // as long as they take
            return run_virtual(plan, stop, on_frame);
        };
    }

    std::optional<std::vector<Vary>> vary() {
        std::vector<Vary> all;
        for (const std::string& text : arguments_.vary) {
            const auto read = parse_vary(model_, text);
            if (!read) return fail<std::vector<Vary>>(read.error());
            all.push_back(*read);
        }
        return all;
    }

    template <class T>
    std::optional<T> fail(const Error& error) {
        terminal_.end_live();
        terminal_.error(error.message());
        code_ = exit_code_for(error);
        return std::nullopt;
    }

    /// Writes what was asked for.
    template <class T>
    int report(const Result<T>& result) {
        terminal_.end_live();
        if (!result) {
            terminal_.error(result.error().message());
            return interrupts_.exit_code(exit_code_for(result.error()));
        }
        write(arguments_.json, to_json(*result));
        write(arguments_.csv, to_csv(*result));
        if (arguments_.json != "-" && arguments_.csv != "-") terminal_.out(to_text(*result));
        return interrupts_.exit_code(code_);
    }

    void write(const std::string& file, const std::string& text) {
        if (file.empty()) return;
        if (const auto written = write_text_file(file, text); !written) {
            terminal_.error(written.error().message());
            code_ = exit_failed;
        }
    }

    Terminal& terminal_;
    const StudyArguments& arguments_;
    Interrupts interrupts_;
    Scenario scenario_;
    Model model_;
    StudyOptions options_;
    bool calibrated_ = true;  ///< virtual time at what was measured on this computer
    int code_ = exit_ok;
};

std::optional<Condition> target_of(Study& study) {
    const auto target = Condition::parse(study.arguments_.target, "A");
    if (!target) {
        Error error = target.error();
        error.where = "--target, " + error.where;
        return study.fail<Condition>(error);
    }
    return *target;
}

/// The best step that a person can take, on real sockets: what it promised and what it did.
int apply_best(Study& study, const AdviceList& list) {
    const Advice* best = nullptr;
    for (const Advice& advice : list.advice) {
        if (!best && !advice.stage && !advice.no_change) best = &advice;
    }
    if (!best) {
        study.terminal_.out("nothing to apply: no step makes a difference beyond the noise\n");
        return exit_ok;
    }
    StudyOptions live = study.options_;
    study.choose_runner("live", live);
    const auto real = run_comparison(study.scenario_, study.model_, {}, best->overrides, live);
    study.terminal_.end_live();
    if (!real) {
        study.terminal_.error(real.error().message());
        return exit_code_for(real.error());
    }
    const auto before = real->a.figure(list.quantity).value();
    const auto after = real->b.figure(list.quantity).value();
    if (!before || !after || before->mean == 0) {
        study.terminal_.error("the live engine measured nothing to compare");
        return exit_failed;
    }
    const double realised = after->mean / before->mean - 1;
    study.terminal_.out(
        fmt::format("{}: {} promised {:+.1f} %, real {:+.1f} % ({} to {}); off by {:.1f} points\n",
                    escaped(best->label), list.quantity, best->share * 100, realised * 100,
                    show_number(before->mean), show_number(after->mean),
                    std::abs(best->share - realised) * 100));
    return exit_ok;
}

}  // namespace

int sweep_command(Terminal& terminal, const StudyArguments& arguments) {
    Study study{terminal, arguments, 5};
    if (!study.open()) return exit_wrong_use;
    const auto vary = study.vary();
    if (!vary) return study.code_;
    return study.report(run_sweep(study.scenario_, study.model_, *vary, study.options_));
}

int compare_command(Terminal& terminal, const StudyArguments& arguments) {
    Study study{terminal, arguments, 10};
    if (!study.open()) return exit_wrong_use;
    const auto a = parse_overrides(study.model_, arguments.a);
    const auto b = parse_overrides(study.model_, arguments.b);
    if (!a || !b) {
        terminal.error((a ? "--b: " + b.error().message() : "--a: " + a.error().message()));
        return exit_wrong_use;
    }
    return study.report(run_comparison(study.scenario_, study.model_, *a, *b, study.options_));
}

int advise_command(Terminal& terminal, const StudyArguments& arguments) {
    Study study{terminal, arguments, 5};
    if (!study.open()) return exit_wrong_use;
    std::optional<Condition> target;
    std::string quantity = arguments.quantity;
    if (!arguments.target.empty()) {
        target = target_of(study);
        if (!target) return study.code_;
        if (quantity.empty() && !target->quantities().empty()) {
            quantity = target->quantities().front();
        }
    }
    if (quantity.empty()) quantity = "p99";
    const auto list = run_advice(study.scenario_, study.model_, quantity, target, study.options_);
    const int code = study.report(list);
    if (!list || !arguments.apply || code != exit_ok) return code;
    return study.interrupts_.exit_code(apply_best(study, *list));
}

int frontier_command(Terminal& terminal, const StudyArguments& arguments) {
    Study study{terminal, arguments, 5};
    if (!study.open()) return exit_wrong_use;
    const auto vary = study.vary();
    if (!vary) return study.code_;
    const auto target = target_of(study);
    if (!target) return study.code_;
    return study.report(
        run_frontier(study.scenario_, study.model_, *target, *vary, study.options_));
}

int check_command(Terminal& terminal, const StudyArguments& arguments) {
    Study study{terminal, arguments, 20};
    study.calibrated_ = false;  // what a scenario promises is the same on every computer
    if (!study.open()) return exit_wrong_use;
    if (study.scenario_.claims.empty()) {
        terminal.out(escaped(study.scenario_.id) + " makes no claim\n");
        return exit_ok;
    }
    const auto checks = check_claims(study.scenario_, study.scenario_.seed, study.options_);
    terminal.end_live();
    if (!checks) {
        terminal.error(checks.error().message());
        return study.interrupts_.exit_code(exit_code_for(checks.error()));
    }
    study.write(arguments.json, to_json(*checks, study.scenario_.id));
    if (arguments.json != "-") terminal.out(to_text(*checks));
    for (const ClaimCheck& check : *checks) {
        if (!check.holds) study.code_ = exit_failed;
    }
    return study.interrupts_.exit_code(study.code_);
}

}  // namespace lab::cli
