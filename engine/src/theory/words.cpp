// SPDX-License-Identifier: GPL-3.0-or-later
// Names and values of what theory says.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "lab/text.hpp"
#include "lab/theory.hpp"
#include "measure/latency_keys.hpp"

namespace lab {
namespace {

struct LawWords {
    std::string_view name, source;
};
constexpr std::array<LawWords, 9> law_words{{
    {"M/M/1", "Kleinrock, Queueing Systems I (1975), 3.2"},
    {"M/M/c (Erlang C)", "Erlang (1917); Kleinrock, Queueing Systems I (1975), 3.5"},
    {"M/M/c/K", "Kleinrock, Queueing Systems I (1975), 3.6"},
    {"M/D/1", "Crommelin (1932); Franx, Operations Research Letters 29 (2001)"},
    {"M/D/c", "Crommelin (1932); Franx, Operations Research Letters 29 (2001)"},
    {"M/G/1 (Pollaczek-Khinchine)", "Pollaczek (1930), Khinchine (1932)"},
    {"G/G/c (Allen-Cunneen)", "Allen, Probability, Statistics and Queueing Theory (1978), 5.3"},
    {"closed M/M/c (mean value analysis)", "Reiser and Lavenberg, Journal of the ACM 27 (1980)"},
    {"no queue", "no request waits for a worker"},
}};

constexpr std::array<std::string_view, 10> assumption_words{
    "load",          "Poisson arrivals", "exponential service",
    "endless queue", "stable",           "independent service",
    "patience",      "one station",      "known service",
    "steady state"};

constexpr double infinity = std::numeric_limits<double>::infinity();

std::optional<double> value_of(const Prediction& p, std::string_view name) {
    constexpr std::string_view latency = "latency_ms.";
    if (name.starts_with(latency)) {
        return measure::latency_value(p.latency, name.substr(latency.size()));
    }
    if (name == "offered_per_s") return p.offered_per_s;
    if (name == "throughput_per_s") return p.throughput_per_s;
    if (name == "goodput_per_s") return p.goodput_per_s;
    if (name == "service_ms.mean" && p.service_ms > 0) return p.service_ms;
    if (name == "breakdown_ms.queue") return p.wait_ms;
    if (name == "concurrency") return p.concurrency;
    if (name == "cache_hit_ratio") return p.hit_ratio;
    if (name == "utilisation.workers" && p.law != TheoryLaw::no_queue) {
        return std::min(1.0, p.utilisation);
    }
    return std::nullopt;
}

}  // namespace

std::string_view theory_name(TheoryLaw law) {
    return law_words[static_cast<std::size_t>(law)].name;
}
std::string_view theory_source(TheoryLaw law) {
    return law_words[static_cast<std::size_t>(law)].source;
}
std::string_view assumption_name(Assumption assumption) {
    return assumption_words[static_cast<std::size_t>(assumption)];
}
std::string_view light_name(Light::State state) {
    constexpr std::array<std::string_view, 3> names{"ok", "doubtful", "broken"};
    return names[static_cast<std::size_t>(state)];
}

double Asymptotes::knee() const {
    return closed ? capacity_per_s * (service_ms + think_ms) / 1e3 : capacity_per_s;
}

double Asymptotes::throughput_per_s(double load) const {
    const double light = closed ? load / ((service_ms + think_ms) / 1e3) : load;
    return std::min(light, capacity_per_s);
}

double Asymptotes::latency_ms(double load) const {
    if (closed) return std::max(service_ms, load / capacity_per_s * 1e3 - think_ms);
    return load <= capacity_per_s ? service_ms : infinity;
}

const Light& Prediction::light() const {
    static const Light fine{Assumption::known_service, Light::State::ok, "Nothing is waited for."};
    if (lights.empty()) return fine;
    return *std::ranges::max_element(
        lights, [](const Light& a, const Light& b) { return a.state < b.state; });
}

Result<std::optional<double>> quantity(const Prediction& prediction, std::string_view name) {
    const QuantityInfo* const row = find_quantity(name);
    if (row != nullptr) return value_of(prediction, row->name);
    std::vector<std::string_view> known;
    for (const QuantityInfo& each : quantities_table()) {
        known.push_back(each.name);
        known.push_back(each.short_name);
    }
    const std::string_view near = did_you_mean(name, known);
    return Error{ErrorCode::not_found, "",
                 fmt::format("there is no quantity {}{}", quoted(name),
                             near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near))};
}

std::optional<double> little_residual(const RunResult& run) {
    const auto mean = run.latency.mean();
    if (!mean || run.throughput_per_s <= 0 || run.concurrency <= 0) return std::nullopt;
    // Those who gave up were inside as well: the rate is that of the latency samples.
    const double samples = static_cast<double>(run.latency.count());
    const double ok = static_cast<double>(run.counts.of(Ending::ok));
    const double rate = ok > 0 ? run.throughput_per_s * samples / ok : run.throughput_per_s;
    const double product = rate * to_seconds(*mean);
    return std::abs(run.concurrency - product) / std::max(run.concurrency, product);
}

}  // namespace lab
