// SPDX-License-Identifier: GPL-3.0-or-later
// Questions that one run does not answer: how much load it takes, which of two is better, what
// would help most, whether a claim holds. Each is many runs of one runner.
#pragma once

#include "lab/condition.hpp"
#include "lab/experiment.hpp"
#include "lab/frame.hpp"
#include "lab/result.hpp"
#include "lab/scenario.hpp"
#include "lab/theory.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lab {

/// Makes one run of a plan and hands out its frames as they come (or none). Where several threads
/// are asked for it is called on several at once.
using StudyRunner = std::function<Result<RunResultPtr>(
    const RunPlan&, const std::function<void(FramePtr)>& on_frame)>;

struct StudyOptions {
    StudyRunner run;
    std::string mode = "live";  ///< what the runner is: "live" or "virtual"
    int runs = 5;               ///< replications of each system, on seeds that all systems share
    unsigned threads = 1;       ///< runs at once; 1 for the live engine
    std::function<void(std::size_t done, std::size_t all)> progress;  ///< one call at a time
    std::function<bool()> stop;                                       ///< polled between runs
};

/// A mean over replications and the half width of its 95 % interval.
struct Interval {
    double mean = 0;
    double half_width = 0;  ///< infinite with one replication
    std::size_t count = 0;
    [[nodiscard]] double low() const { return mean - half_width; }
    [[nodiscard]] double high() const { return mean + half_width; }
    [[nodiscard]] bool holds_zero() const { return low() <= 0 && high() >= 0; }
    friend bool operator==(const Interval&, const Interval&) = default;
};
/// By Student's t with n - 1 degrees of freedom; replications are independent of each other.
/// Source: Student, "The probable error of a mean", Biometrika 6 (1908); Law, Simulation Modeling
/// and Analysis (2015), 9.5. Threads: any.
[[nodiscard]] Interval confidence(std::span<const double> values, double level = 0.95);

/// How many values of a series belong to its warm-up, a multiple of five: the cut at which the
/// standard error of the rest is least (MSER over means of five). At most half of the series.
/// Source: K. P. White, "An effective truncation heuristic for bias reduction in simulation
/// output", Simulation 69 (1997). Threads: any.
[[nodiscard]] std::size_t mser5(std::span<const double> series);

/// One system under study.
struct StudyPoint {
    Overrides overrides;  ///< laid over the scenario
    Duration warm_up{};   ///< found by MSER-5 in a run of its own, at least the scenario's
    std::vector<RunResultPtr> runs;

    /// Mean over the runs, and for a percentile that of all runs merged. Empty where a run has no
    /// samples. Errors: not_found with "did you mean".
    [[nodiscard]] Result<std::optional<Interval>> figure(std::string_view quantity) const;
};

/// What is varied: values as after --set.
struct Vary {
    std::string path;
    std::vector<std::string> values;
    friend bool operator==(const Vary&, const Vary&) = default;
};
/// "server.workers=1..8:1", "load.rate=10/s..200/s" (eight values), "server.workers=1..16:x2",
/// "cache.mode=none,shared". Errors: not_found, invalid_input. At most 1,000 values.
[[nodiscard]] Result<Vary> parse_vary(const Model& model, std::string_view text);
/// "server.workers=4,load.rate=50/s", or nothing. Errors: not_found, invalid_input.
[[nodiscard]] Result<Overrides> parse_overrides(const Model& model, std::string_view text);

struct Sweep {
    std::string scenario, mode;
    std::vector<Vary> vary;
    std::vector<StudyPoint> points;                 ///< the last of `vary` moves fastest
    std::vector<std::optional<Prediction>> theory;  ///< one a point
    /// Named where the only thing varied is the load (rate or users), in its unit.
    ///
    /// Capacity: the greatest throughput that any point reached, per second.
    std::optional<double> capacity;
    /// Saturation: the least load at which throughput lags behind: by 5 % of what was offered, or
    /// in closed loop of what the users of the point before would have let it grow to.
    std::optional<double> saturation;
    /// Knee: where power, throughput over mean latency, is greatest. Source: L. Kleinrock, "Power
    /// and deterministic rules of thumb for probabilistic problems in computer communications",
    /// ICC (1979).
    std::optional<double> knee;
};
/// Errors: those of the runner; interrupted; invalid_input (too many points, a value that does not
/// fit the model).
[[nodiscard]] Result<Sweep> run_sweep(const Scenario& scenario, const Model& base,
                                      const std::vector<Vary>& vary, const StudyOptions& options);

/// One quantity of two systems on identical arrivals and work.
struct Difference {
    std::string quantity;  ///< full name of the table
    Interval a, b;
    Interval change;  ///< B - A, paired run by run (common random numbers)
    std::string sentence;
};
struct Comparison {
    std::string scenario, mode;
    StudyPoint a, b;
    std::vector<Difference> differences;
};
/// The difference in plain words: "B's p99 is lower by 41 to 58 ms", "no difference beyond the
/// noise", "exactly the same".
[[nodiscard]] std::string difference_sentence(const Difference&);
/// Errors: as run_sweep.
[[nodiscard]] Result<Comparison> run_comparison(const Scenario& scenario, const Model& base,
                                                const Overrides& a, const Overrides& b,
                                                const StudyOptions& options);

/// One step of one knob, or a stage made faster, and what it does.
struct Advice {
    std::string path;    ///< of the setting
    std::string label;   ///< "Workers 1 -> 2", "database.round_trip 40 % faster"
    bool stage = false;  ///< a virtual speed-up: no knob of the scenario does this
    Overrides overrides;
    Interval value;          ///< of the figure, with the step
    Interval change;         ///< against the base, paired
    double share = 0;        ///< change over the base
    bool no_change = false;  ///< within the noise
    bool meets = false;      ///< the target
};
struct AdviceList {
    std::string scenario, mode, quantity;
    bool less_is_better = true;
    StudyPoint base;
    Interval value;
    std::vector<Advice> advice;         ///< best first
    std::vector<std::string> left_out;  ///< steps that could not be run, with the reason
};
/// Errors: as run_sweep; not_found for the quantity.
[[nodiscard]] Result<AdviceList> run_advice(const Scenario& scenario, const Model& base,
                                            const std::string& quantity,
                                            const std::optional<Condition>& target,
                                            const StudyOptions& options);

/// What a system costs at the scenario's prices: its workers, the places of its caches by the
/// thousand, and the processors that its runs kept busy on average.
[[nodiscard]] double cost_of(const Model& model, const Prices& prices, const StudyPoint& point);
struct FrontierPoint {
    StudyPoint point;
    double cost = 0;
    bool meets = false;
    double margin = 0;      ///< of the target; below zero: missed
    bool cheapest = false;  ///< meets, and nothing that meets costs less
    bool on_front = false;  ///< nothing costs no more and has a better margin
};
struct Frontier {
    std::string scenario, mode, target;
    std::vector<FrontierPoint> points;  ///< the cheapest first
};
/// Errors: as run_sweep.
[[nodiscard]] Result<Frontier> run_frontier(const Scenario& scenario, const Model& base,
                                            const Condition& target, const std::vector<Vary>& vary,
                                            const StudyOptions& options);

/// One claim of a scenario, on every seed.
struct ClaimCheck {
    std::string that;
    bool holds = false;            ///< on every seed
    double worst_margin = 0;       ///< share of the compared values; below zero: broken
    std::uint64_t worst_seed = 0;  ///< `--seed` that shows it again
    std::string problem;           ///< why it could not be judged
};
/// Each claim on `options.runs` seeds from `seed` on; in virtual time on two cores where the
/// scenario names no other number, so that with a runner that takes no measured costs the verdict
/// is the same on every computer. Errors: interrupted; those of the runner.
[[nodiscard]] Result<std::vector<ClaimCheck>> check_claims(const Scenario& scenario,
                                                           std::uint64_t seed,
                                                           const StudyOptions& options);

}  // namespace lab
