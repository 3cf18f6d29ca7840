// SPDX-License-Identifier: GPL-3.0-or-later
// What queueing theory says about a scenario, and which of its assumptions is broken right now.
#pragma once

#include "lab/frame.hpp"
#include "lab/model.hpp"
#include "lab/result.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lab {

/// The closed form that fits a scenario best.
enum class TheoryLaw : std::uint8_t {
    mm1,       ///< Poisson arrivals, exponential service, one worker thread
    mmc,       ///< the same with several: Erlang's C formula
    mmck,      ///< the same with a queue that can be full
    md1,       ///< Poisson arrivals, constant service, one worker thread
    mdc,       ///< the same with several
    mg1,       ///< Poisson arrivals, any law of service, one worker thread: Pollaczek-Khinchine
    ggc,       ///< anything else in open loop: the Allen-Cunneen approximation
    closed,    ///< users who think: exact mean value analysis
    no_queue,  ///< every answer is given without a worker: nothing waits
};
/// "M/M/c (Erlang C)" and where it is from, for a legend and a tooltip. Threads: any.
[[nodiscard]] std::string_view theory_name(TheoryLaw);
[[nodiscard]] std::string_view theory_source(TheoryLaw);

/// What a closed form takes for granted.
enum class Assumption : std::uint8_t {
    open_load,            ///< arrivals do not wait for answers (closed: that they do)
    poisson_arrivals,     ///< gaps between arrivals are exponential
    exponential_service,  ///< the time at the worker is exponential
    endless_queue,        ///< nobody is turned away
    stable,               ///< less work arrives than can be done
    independent_service,  ///< how long one request takes says nothing about the next
    patience,             ///< nobody gives up
    one_station,          ///< the worker threads are the only thing that is waited for
    known_service,        ///< how long a request takes is known
    steady_state,         ///< what comes in goes out: Little's law holds in what was measured
};
[[nodiscard]] std::string_view assumption_name(Assumption);

/// One lamp of the validity light.
struct Light {
    enum class State : std::uint8_t { ok, doubtful, broken };
    Assumption assumption = Assumption::open_load;
    State state = State::ok;
    std::string sentence;  ///< with its full stop, for a person
    friend bool operator==(const Light&, const Light&) = default;
};
[[nodiscard]] std::string_view light_name(Light::State);

/// The two straight lines that no system of this kind crosses, drawn before anything else.
///
/// Open loop: throughput is at most the load and at most the capacity; latency is at least the
/// service time. Closed loop with N users, think time Z, service time S and capacity X: throughput
/// at most min(N / (S + Z), X), latency at least max(S, N / X - Z).
/// Source: Denning and Buzen, "The operational analysis of queueing network models", Computing
/// Surveys 10 (1978); Lazowska et al., Quantitative System Performance (1984), chapter 5.
struct Asymptotes {
    bool closed = false;
    double service_ms = 0;      ///< S
    double think_ms = 0;        ///< Z; closed loop
    double capacity_per_s = 0;  ///< of the busiest station; infinite where nothing is waited for

    /// Where the two lines meet: a rate per second, or in closed loop a number of users.
    [[nodiscard]] double knee() const;
    /// `load`: arrivals per second, or users.
    [[nodiscard]] double throughput_per_s(double load) const;
    [[nodiscard]] double latency_ms(double load) const;
    friend bool operator==(const Asymptotes&, const Asymptotes&) = default;
};

/// What theory says about one scenario. Empty where there is no steady state to speak of.
struct Prediction {
    TheoryLaw law = TheoryLaw::mm1;
    double offered_per_s = 0;   ///< closed loop: the throughput
    double service_ms = 0;      ///< mean time that a request keeps a worker thread
    double service_scv = 0;     ///< its squared coefficient of variation
    int servers = 1;            ///< worker threads
    std::optional<int> places;  ///< servers and queue; none: endless
    int users = 0;              ///< closed loop
    double utilisation = 0;     ///< of the worker threads, as offered: may pass 1 in open loop
    std::optional<double> throughput_per_s, goodput_per_s;
    std::optional<double> refused;      ///< share of the arrivals that are turned away
    std::optional<double> wait_ms;      ///< mean, in the queue
    LatencySummary latency;             ///< without max; of those who are served
    std::optional<double> concurrency;  ///< Little: throughput x latency
    std::optional<double> hit_ratio;    ///< of the cache, where there is one
    Asymptotes asymptotes;
    std::vector<Light> lights;  ///< one an assumption of the law

    /// The worst of them; of several equally bad the first.
    [[nodiscard]] const Light& light() const;
};

/// What else is known.
struct TheoryOptions {
    /// A run of the same model: its service times stand in for steps whose time the scenario does
    /// not state (queries, rendering), and it is held against the assumptions.
    const RunResult* measured = nullptr;
    /// Mean time of a step whose time the scenario does not state, or nothing.
    std::function<std::optional<Duration>(const Model&, const Step&)> step_cost;
};

/// The fitting formula for a scenario, its figures and its light.
///
/// Errors:  invalid_input where the model is none; no_samples where no time of a request is known.
/// Cost:    up to some 50 ms. Threads: any.
[[nodiscard]] Result<Prediction> predict(const Model& model, const TheoryOptions& options = {});

/// The prediction's value of a quantity by name or short name of the one table, in its unit; empty
/// where theory says nothing about it. Errors: not_found with "did you mean".
[[nodiscard]] Result<std::optional<double>> quantity(const Prediction&, std::string_view name);

/// Little's law: how far apart L and X x W lie, as a share of the greater; nothing where either is
/// not known. Source: Little, "A proof for the queuing formula L = lambda W", Operations Research 9
/// (1961).
[[nodiscard]] std::optional<double> little_residual(const RunResult&);

/// How many times as fast n workers are when a share of the work can be divided among them.
/// `parallel` in 0..1, n >= 1. Source: Amdahl, AFIPS Spring Joint Computer Conference (1967).
[[nodiscard]] double amdahl_speedup(double parallel, double n);

/// The universal scalability law: X(n) = g n / (1 + a (n - 1) + b n (n - 1)).
/// Source: Gunther, "A general theory of computational scalability based on rational functions"
/// (2008).
struct ScalabilityLaw {
    double rate = 1;        ///< g: of one
    double contention = 0;  ///< a: share that cannot be done side by side; b = 0 is Amdahl's law
    double coherency = 0;   ///< b: cost of agreeing, for each pair
    double residual = 0;    ///< of a fit: root mean square, as a share of the mean throughput

    [[nodiscard]] double throughput(double n) const;
    /// Where it is greatest; infinite where it never falls.
    [[nodiscard]] double peak() const;
};
struct ScalabilityPoint {
    double n = 1;           ///< workers, users, threads: what is scaled
    double throughput = 0;  ///< per second
};
/// Least squares over the points: no coefficient below zero, deviations in throughput.
/// Errors: no_samples with fewer than three different n, or a throughput that is not above 0.
[[nodiscard]] Result<ScalabilityLaw> fit_scalability(std::span<const ScalabilityPoint> points);

}  // namespace lab
