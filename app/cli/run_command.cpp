// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"
#include "cli/interrupts.hpp"
#include "cli/live_run.hpp"
#include "cli/run_report.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "lab/report.hpp"
#include "lab/text.hpp"

namespace lab::cli {

RunReport::RunReport(Terminal& terminal, std::string json, std::string csv, Duration expected)
    : terminal_{terminal}, json_{std::move(json)}, csv_{std::move(csv)}, expected_{expected} {}

bool RunReport::can_be_written() {
    for (const auto& file : {json_, csv_}) {
        if (file.empty() || file == "-") continue;
        const auto folder = std::filesystem::absolute(file).parent_path();
        std::error_code ignored;
        if (std::filesystem::is_directory(folder, ignored)) continue;
        terminal_.error(escaped(file) + ": there is no folder " + escaped(folder.string()));
        return false;
    }
    return true;
}

void RunReport::on_progress(const std::string& text) {
    const std::lock_guard lock{mutex_};
    if (live_line_wanted() && !text.empty()) terminal_.live(escaped(text));
}

void RunReport::on_frame(const FramePtr& frame) {
    const std::lock_guard lock{mutex_};
    const Frame& newest = *frame;
    ++frames_;
    if (!csv_.empty()) rows_ += to_csv_row(newest);
    if (!live_line_wanted()) return;
    // A terminal is redrawn five times a second; a file or pipe gets a line a second.
    const std::size_t every = terminal_.out_is_terminal() ? 2 : 10;
    if (frames_ % every != 0) return;
    // In virtual time frames come as fast as they can be made.
    const Instant now = std::chrono::steady_clock::now();
    if (now - shown_ < 90ms) return;
    shown_ = now;
    const double elapsed = to_seconds(newest.since_start + newest.length);
    const double total = to_seconds(expected_);
    const double share = total > 0 ? std::clamp(elapsed / total, 0.0, 1.0) : 1.0;
    constexpr double width = 12;
    auto progress =
        fmt::format("[{:-<{}}]", std::string(static_cast<std::size_t>(share * width), '='),
                    static_cast<int>(width));
    // After the window nothing new is sent; what is in flight comes to its end.
    if (total > 0 && elapsed > total + 0.15) progress += " finishing";
    const auto columns = terminal_.columns();
    const auto room =
        columns > progress.size() + 3 ? columns - progress.size() - 3 : std::size_t{20};
    terminal_.live(progress + "  " + to_live_line(newest, room));
}

void RunReport::write_report(const std::string& file, const std::string& text, bool& failed) {
    if (file.empty()) return;
    if (file == "-") {
        terminal_.out(text);
        return;
    }
    if (auto written = write_text_file(file, text); !written) {
        terminal_.error(written.error().message());
        failed = true;
    }
}

int RunReport::finish(const Result<RunResultPtr>& result) {
    const std::lock_guard lock{mutex_};
    terminal_.end_live();
    bool failed = false;
    if (!csv_.empty()) write_report(csv_, csv_header() + rows_, failed);
    if (!result) {
        terminal_.error(result.error().message());
        return exit_code_for(result.error());
    }
    write_report(json_, to_json(**result) + "\n", failed);
    if (live_line_wanted()) terminal_.out(to_text(**result));
    return failed ? exit_failed : exit_ok;
}

int run_command(Terminal& terminal, const RunArguments& arguments) {
    const auto scenario = open_or_explain(terminal, arguments.scenario);
    if (!scenario) return exit_wrong_use;
    auto model = model_with(terminal, *scenario, arguments.set);
    if (!model) return exit_wrong_use;
    if (arguments.json == "-" && arguments.csv == "-") {
        terminal.error("--json - and --csv - both want standard output: give one of them a file");
        return exit_wrong_use;
    }
    RunPlan plan;
    plan.mode = arguments.mode == "virtual" ? RunMode::virtual_time : RunMode::live;
    plan.requests = arguments.requests;
    if (plan.requests && plan.mode == RunMode::live) {
        terminal.error(
            "--requests: a live run lasts as long as --for says; allowed with --mode "
            "virtual");
        return exit_wrong_use;
    }
    plan.scenario = scenario->id;
    plan.model = std::move(*model);
    plan.seed = arguments.seed.value_or(scenario->seed);
    plan.warm_up = arguments.warm_up.value_or(scenario->warm_up);
    plan.length = arguments.length.value_or(scenario->length);
    if (plan.requests) plan.length = arguments.length;  // without --for as long as they take

    Interrupts interrupts{{}};
    const Duration expected = plan.length ? plan.warm_up + *plan.length : Duration{};
    RunReport report{terminal, arguments.json, arguments.csv, expected};
    if (!report.can_be_written()) return exit_failed;
    const auto on_frame = [&](const FramePtr& frame) { report.on_frame(frame); };
    const auto stop = [&] { return interrupts.signal() != 0; };
    if (plan.mode == RunMode::virtual_time) {
        plan.costs = stored_costs();
        return interrupts.exit_code(report.finish(run_virtual(plan, stop, on_frame)));
    }
    auto result =
        run_live(std::move(plan),
                 {on_frame, [&](const std::string& text) { report.on_progress(text); }, stop});
    return interrupts.exit_code(report.finish(result));
}

}  // namespace lab::cli
