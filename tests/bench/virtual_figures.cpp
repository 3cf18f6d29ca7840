// SPDX-License-Identifier: GPL-3.0-or-later
// The figures of virtual time, for tests/bench/virtual.bench:
//   virtual_figures forms [REPLICATIONS REQUESTS]   simulation against closed forms, as a table
//   virtual_figures speed FILE REQUESTS             requests a second of CPU time, and memory
#include <sys/resource.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "lab/experiment.hpp"
#include "lab/scenario.hpp"
#include "lab/theory.hpp"
#include "support/virtual_model.hpp"

namespace lab::bench {
namespace {

constexpr double z99 = 2.861;  // Student's t, 19 degrees of freedom

struct Case {
    const char* name;
    int servers;
    Distribution service;
    double mean_s;
};

Model model_of(const Case& c, double utilisation) {
    Model model;
    Step step;
    step.id = "wait";
    step.kind = StepKind::wait;
    step.time = c.service;
    Route route;
    route.id = "x";
    route.path = "/x";
    route.steps = {step};
    model.system.routes = {route};
    model.system.server.workers = c.servers;
    model.system.server.queue = 10'000;
    model.system.server.interpreter_lock = false;
    model.system.costs = test::nothing_costs();
    model.load.rate = ArrivalRate::per_second(utilisation * c.servers / c.mean_s);
    model.load.keys = model.load.users = 1;
    model.load.connections = 2'000;
    model.load.timeout = 600s;
    model.load.deadline = 600s;
    return model;
}

struct Sample {
    double wait = 0, p50 = 0, p90 = 0, p99 = 0;
};

Sample measure(const Model& model, std::uint64_t seed, std::uint64_t requests) {
    RunPlan plan;
    plan.scenario = "figures";
    plan.model = model;
    plan.seed = seed;
    plan.mode = RunMode::virtual_time;
    plan.warm_up = from_seconds(20'000 / model.load.rate.per_second());
    plan.requests = requests;
    const auto result = run_virtual(plan);
    if (!result) {
        std::cerr << result.error().message() << '\n';
        std::exit(1);
    }
    const RunResult& r = **result;
    const auto queue = r.parts[static_cast<std::size_t>(Part::queue)];
    return {to_ms(queue) / static_cast<double>(r.parts_of), to_ms(*r.latency.percentile(50)),
            to_ms(*r.latency.percentile(90)), to_ms(*r.latency.percentile(99))};
}

std::vector<Sample> replicate(const Model& model, int replications, std::uint64_t requests) {
    std::vector<Sample> samples(static_cast<std::size_t>(replications));
    std::atomic<std::size_t> next{0};
    std::vector<std::thread> threads;
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    for (unsigned i = 0; i < cores; ++i) {
        threads.emplace_back([&] {
            for (std::size_t n = next++; n < samples.size(); n = next++) {
                samples[n] = measure(model, 1'000 + n, requests);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    return samples;
}

/// One figure: its mean over replications against the exact one. Returns whether it is met.
bool compare(const char* name, const std::vector<Sample>& samples, double Sample::*field,
             std::optional<double> exact, double within) {
    if (!exact) return true;
    double mean = 0, squares = 0;
    const auto n = static_cast<double>(samples.size());
    for (const Sample& sample : samples) mean += sample.*field / n;
    for (const Sample& sample : samples) squares += std::pow(sample.*field - mean, 2);
    const double half = n > 1 ? z99 * std::sqrt(squares / (n - 1) / n) : 0;
    const double off = mean / *exact - 1;
    // A percentile is told to 0.1 %, the width of a bucket.
    const bool inside = std::abs(mean - *exact) <= half + 0.001 * *exact;
    std::cout << fmt::format("  {} {:+.2f} %{}", name, off * 100, inside ? "" : " (outside)");
    return std::abs(off) <= within;
}

int forms(int replications, std::uint64_t requests) {
    const Case cases[] = {
        {"M/M/1", 1, Distribution::exponential(10ms), 0.010},
        {"M/M/2", 2, Distribution::exponential(10ms), 0.010},
        {"M/M/4", 4, Distribution::exponential(10ms), 0.010},
        {"M/M/8", 8, Distribution::exponential(10ms), 0.010},
        {"M/D/1", 1, Distribution::constant(10ms), 0.010},
        {"M/G/1", 1, Distribution::uniform(2ms, 18ms), 0.010},
    };
    bool all = true;
    for (const Case& c : cases) {
        for (const double utilisation : {0.5, 0.6, 0.7, 0.8, 0.9, 0.95}) {
            const Model model = model_of(c, utilisation);
            const auto exact = predict(model);
            if (!exact) {
                std::cerr << exact.error().message() << '\n';
                return 1;
            }
            const auto samples = replicate(model, replications, requests);
            const double within = utilisation < 0.85 ? 0.01 : utilisation < 0.93 ? 0.02 : 0.03;
            std::cout << fmt::format("{} at {:.2f}:", c.name, utilisation);
            bool met = compare("wait", samples, &Sample::wait, exact->wait_ms, within);
            met = compare("p50", samples, &Sample::p50, exact->latency.p50, within) && met;
            met = compare("p90", samples, &Sample::p90, exact->latency.p90, within) && met;
            met = compare("p99", samples, &Sample::p99, exact->latency.p99, within) && met;
            std::cout << (met ? "" : "  MISSED") << '\n' << std::flush;
            all = all && met;
        }
    }
    return all ? 0 : 1;
}

double thread_cpu() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

int speed(const std::string& file, std::uint64_t requests) {
    const auto scenario = open_scenario(file, scenario_folders());
    if (!scenario) {
        std::cerr << scenario.error().message() << '\n';
        return 1;
    }
    RunPlan plan;
    plan.scenario = scenario->id;
    plan.model = scenario->model;
    plan.mode = RunMode::virtual_time;
    plan.requests = requests;
    const double before = thread_cpu();
    const auto result = run_virtual(plan);
    const double took = thread_cpu() - before;
    if (!result) {
        std::cerr << result.error().message() << '\n';
        return 1;
    }
    const double virtual_s = to_seconds((*result)->length + (*result)->warm_up);
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::cout << fmt::format("{:.3f} {:.0f} {:.0f}\n",
                             static_cast<double>((*result)->counts.planned) / took / 1e6,
                             virtual_s / took, static_cast<double>(usage.ru_maxrss) / 1024);
    return 0;
}

}  // namespace
}  // namespace lab::bench

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    const auto number = [&](std::size_t i, std::uint64_t otherwise) {
        return i < words.size() ? std::strtoull(words[i].c_str(), nullptr, 10) : otherwise;
    };
    if (!words.empty() && words[0] == "forms") {
        return lab::bench::forms(static_cast<int>(number(1, 20)), number(2, 1'000'000));
    }
    if (words.size() == 3 && words[0] == "speed") return lab::bench::speed(words[1], number(2, 0));
    std::cerr << "usage: virtual_figures forms [REPLICATIONS REQUESTS] | speed FILE REQUESTS\n";
    return 2;
}
