// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/study_flags.hpp"

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"

namespace lab::cli {
namespace {

CLI::App* add_study(CLI::App& app, StudyFlags& flags, const char* name, const char* what) {
    auto* study = app.add_subcommand(name, what);
    auto& to = flags.arguments;
    study->add_option("scenario", to.scenario, "id or file")->required();
    study->add_option("--set", to.set, "path=value; may be repeated")->allow_extra_args(false);
    study
        ->add_option("--mode", to.mode,
                     "virtual: as fast as it can, on all cores; live: real sockets and threads")
        ->capture_default_str()
        ->check(CLI::IsMember({"live", "virtual"}));
    study->add_option("--runs", to.runs, "replications, or seeds")->check(CLI::Range(1, 10'000));
    study->add_option("--for", flags.length, "length of each run after warm-up");
    study
        ->add_option("--requests", to.requests,
                     "virtual: measure this many requests in each run, however long they take")
        ->check(CLI::Range(1, 100'000'000));
    study->add_option("--warm-up", flags.warm_up, "at least: 1s");
    study->add_option("--seed", to.seed, "of the first run")->check(not_negative);
    study->add_option("--json", to.json, "a file, or - for standard output");
    return study;
}

void add_csv(CLI::App* study, StudyArguments& to) {
    study->add_option("--csv", to.csv, "one row a system: a file, or -");
}

void add_vary(CLI::App* study, StudyArguments& to) {
    study
        ->add_option("--vary", to.vary,
                     "path=A..B, path=A..B:STEP, path=A..B:xN or path=a,b,c; may be repeated")
        ->allow_extra_args(false)
        ->required();
}

}  // namespace

void add_studies(CLI::App& app, StudyFlags& flags) {
    auto& to = flags.arguments;
    auto* sweep = add_study(app, flags, "sweep", "Throughput and latency against any setting");
    add_vary(sweep, to);
    add_csv(sweep, to);
    auto* compare = add_study(app, flags, "compare", "Two systems on identical arrivals");
    compare->add_option("--a", to.a, "path=value,... of A; nothing: as it is");
    compare->add_option("--b", to.b, "path=value,... of B")->required();
    add_csv(compare, to);
    auto* advise = add_study(app, flags, "advise", "What one step of each knob would do");
    advise->add_option("--target", to.target, "such as \"p99 < 50ms\"");
    advise->add_option("--quantity", to.quantity, "what is ranked by; p99, or that of the target");
    advise->add_flag("--apply", to.apply, "run the best step for real and score the promise");
    add_csv(advise, to);
    auto* frontier = add_study(app, flags, "frontier", "The cheapest that meets a target");
    add_vary(frontier, to);
    frontier->add_option("--target", to.target, "such as \"p99 < 50ms\"")->required();
    add_csv(frontier, to);
    add_study(app, flags, "check", "Hold a scenario's claims against runs on many seeds");
}

}  // namespace lab::cli
