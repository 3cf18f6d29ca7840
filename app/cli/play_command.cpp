// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"
#include "cli/interrupts.hpp"
#include "cli/live_run.hpp"
#include "cli/run_report.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>

#include "lab/judgement.hpp"
#include "lab/report.hpp"
#include "lab/text.hpp"

namespace lab::cli {

namespace {

using Variants = std::map<std::string, RunResultPtr>;

/// A lesson without a window: the same steps, one after the other, in a terminal.
class Player {
  public:
    Player(Terminal& terminal, const Scenario& scenario, const Interrupts& interrupts)
        : terminal_{terminal}, scenario_{scenario}, interrupts_{interrupts} {}

    int play() {
        terminal_.out(fmt::format("{}\n\n", escaped(scenario_.title)));
        for (const auto& step : scenario_.lesson) {
            const int code = play_step(step);
            if (code != exit_ok || interrupts_.signal() != 0) return code;
        }
        return exit_ok;
    }

  private:
    int play_step(const LessonStep& step) {
        switch (step.kind) {
            case LessonKind::say:
                say(step.text);
                return exit_ok;
            case LessonKind::predict:
                predict(step);
                return exit_ok;
            case LessonKind::run:
                return run(step);
            case LessonKind::explain:
                explain(step);
                return exit_ok;
            case LessonKind::flask:
                say(step.text);
                terminal_.out("In Flask you would write\n\n" + escaped_lines(step.code, "    ") +
                              "\n\n");
                return exit_ok;
            case LessonKind::play:
                say(step.text);
                terminal_.out(fmt::format("Move a knob yourself: latency-lab run {} --set ...\n",
                                          escaped(scenario_.id)));
                knobs();
                return exit_ok;
        }
        return exit_ok;
    }

    void say(const std::string& text) {
        if (text.empty()) return;
        terminal_.out(escaped_lines(fill_placeholders(text, variants_)) + "\n\n");
    }

    void knobs() {
        for (const auto& knob : scenario_.knobs) {
            terminal_.out(
                fmt::format("  --set {}=...  {}\n", escaped(knob.path), escaped(knob.help)));
        }
    }

    void predict(const LessonStep& step) {
        prediction_ = &step;
        chosen_ = -1;
        say(step.text);
        terminal_.out(escaped(step.ask) + "\n");
        for (std::size_t i = 0; i < step.options.size(); ++i) {
            terminal_.out(fmt::format("  {}  {}\n", i + 1, escaped(step.options[i].text)));
        }
        if (!terminal_.in_is_terminal()) {
            terminal_.out("(nobody to ask here: on with the run)\n\n");
            return;
        }
        while (interrupts_.signal() == 0) {
            const auto line =
                terminal_.ask(fmt::format("Your prediction, 1 to {}: ", step.options.size()));
            if (line.empty()) break;
            int number = 0;
            std::from_chars(line.data(), line.data() + line.size(), number);
            if (number < 1 || number > static_cast<int>(step.options.size())) continue;
            chosen_ = number - 1;
            break;
        }
        terminal_.out("\n");
    }

    int run(const LessonStep& step) {
        for (const auto& [name, overrides] : step.variants) {
            auto model = with_overrides(scenario_.model, overrides, scenario_.file);
            if (!model) {
                terminal_.error(model.error().message());
                return exit_wrong_use;
            }
            std::string what;
            for (const auto& [path, value] : overrides) what += " " + path + "=" + value;
            terminal_.out(fmt::format("Run {}:{}\n", name, escaped(what)));
            RunPlan plan;
            plan.scenario = scenario_.id;
            plan.model = std::move(*model);
            plan.seed = scenario_.seed;
            plan.warm_up = step.warm_up;
            plan.length = step.length;
            RunReport report{terminal_, {}, {}, plan.warm_up + step.length};
            auto result = run_live(std::move(plan),
                                   {[&](FramePtr frame) { report.on_frame(std::move(frame)); },
                                    [&](const std::string& text) { report.on_progress(text); },
                                    [&] { return interrupts_.signal() != 0; }});
            const int code = report.finish(result);
            if (code != exit_ok || interrupts_.signal() != 0) return code;
            variants_[name] = *result;
        }
        judge_prediction();
        return exit_ok;
    }

    void judge_prediction() {
        if (prediction_ == nullptr) return;
        // Where nobody chose, what was measured and which answer held is said all the same.
        const auto verdict = judge(*prediction_, std::max(chosen_, 0), variants_);
        terminal_.out("\n" + escaped(judgement_sentence(*prediction_, chosen_, verdict)) + "\n\n");
        prediction_ = nullptr;
    }

    void explain(const LessonStep& step) { say(step.text); }

    Terminal& terminal_;
    const Scenario& scenario_;
    const Interrupts& interrupts_;
    Variants variants_;
    const LessonStep* prediction_ = nullptr;
    int chosen_ = -1;
};

}  // namespace

int play_command(Terminal& terminal, const std::string& name) {
    const auto scenario = open_or_explain(terminal, name);
    if (!scenario) return exit_wrong_use;
    const Interrupts interrupts{{}};
    Player player{terminal, *scenario, interrupts};
    return interrupts.exit_code(player.play());
}

}  // namespace lab::cli
