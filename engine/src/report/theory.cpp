// SPDX-License-Identifier: GPL-3.0-or-later
// What theory says, as text and JSON. Only values of lab/theory.hpp are read: nothing is computed.
#include <cmath>

#include <fmt/format.h>

#include "lab/report.hpp"
#include "report/json_object.hpp"
#include "report/numbers.hpp"

namespace lab {
namespace {

using report::add_percentiles;
using report::for_person_ms;
using report::for_person_rate;
using report::Object;

std::string latency_of(const LatencySummary& s) {
    Object o;
    add_percentiles(o, s);
    return o.on_one_line();
}

std::string asymptotes_of(const Asymptotes& a) {
    Object o;
    o.flag("closed", a.closed);
    o.number("service_ms", a.service_ms);
    o.number("think_ms", a.think_ms);
    o.number("capacity_per_s", a.capacity_per_s);
    o.number("knee", a.knee());
    return o.on_one_line();
}

std::string lights_of(const std::vector<Light>& lights) {
    std::string out;
    for (const Light& light : lights) {
        Object o;
        o.text("assumption", assumption_name(light.assumption));
        o.text("state", light_name(light.state));
        o.text("sentence", light.sentence);
        out += (out.empty() ? "\n    " : ",\n    ") + o.on_one_line();
    }
    return "[" + out + "]";
}

std::string rate_of(const std::optional<double>& rate) {
    return rate ? for_person_rate(*rate) + "/s" : "-";
}

std::string asymptotes_text(const Prediction& p) {
    const Asymptotes& a = p.asymptotes;
    if (!std::isfinite(a.capacity_per_s)) return "bounds      none: nothing is waited for\n";
    const std::string knee =
        a.closed ? fmt::format("{:.3g} users", a.knee()) : for_person_rate(a.knee()) + "/s";
    return fmt::format(
        "bounds      throughput at most {}, latency at least {}; the two meet at {}\n",
        a.closed ? fmt::format("users / {} and {}", for_person_ms(a.service_ms + a.think_ms),
                               rate_of(a.capacity_per_s))
                 : fmt::format("the load and {}", rate_of(a.capacity_per_s)),
        a.closed ? fmt::format("{} and users / {} - {}", for_person_ms(a.service_ms),
                               rate_of(a.capacity_per_s), for_person_ms(a.think_ms))
                 : for_person_ms(a.service_ms),
        knee);
}

}  // namespace

std::string to_json(const Prediction& p, std::string_view scenario) {
    Object o;
    o.count("schema", 1);
    o.text("scenario", scenario);
    o.text("law", theory_name(p.law));
    o.text("source", theory_source(p.law));
    o.number("offered_per_s", p.offered_per_s);
    o.number("service_ms", p.service_ms);
    o.number("service_scv", p.service_scv);
    o.count("servers", static_cast<std::uint64_t>(p.servers));
    o.raw("places", p.places ? fmt::format("{}", *p.places) : "null");
    o.raw("users", p.users > 0 ? fmt::format("{}", p.users) : "null");
    o.number("utilisation", p.utilisation);
    o.number("throughput_per_s", p.throughput_per_s);
    o.number("goodput_per_s", p.goodput_per_s);
    o.number("refused", p.refused);
    o.number("wait_ms", p.wait_ms);
    o.raw("latency_ms", latency_of(p.latency));
    o.number("concurrency", p.concurrency);
    o.number("cache_hit_ratio", p.hit_ratio);
    o.raw("asymptotes", asymptotes_of(p.asymptotes));
    o.text("light", light_name(p.light().state));
    o.raw("lights", lights_of(p.lights));
    return o.on_many_lines("") + "\n";
}

std::string to_text(const Prediction& p) {
    std::string text =
        fmt::format("law         {}  [{}]\n", theory_name(p.law), theory_source(p.law));
    if (p.law != TheoryLaw::no_queue) {
        text += fmt::format(
            "service     {} mean, squared coefficient of variation {:.3g}; {} "
            "worker thread{}, {:.0f} % busy\n",
            for_person_ms(p.service_ms), p.service_scv, p.servers, p.servers == 1 ? "" : "s",
            p.utilisation * 100);
    }
    if (p.hit_ratio) text += fmt::format("hit ratio   {:.0f} %\n", *p.hit_ratio * 100);
    text += asymptotes_text(p);
    text += fmt::format("throughput  {} of {} offered, goodput {}, turned away {:.2g} %\n",
                        rate_of(p.throughput_per_s), rate_of(p.offered_per_s),
                        rate_of(p.goodput_per_s), p.refused.value_or(0) * 100);
    const LatencySummary& s = p.latency;
    text += s.mean ? fmt::format(
                         "latency     mean {} of which {} in the queue; p50 {}, p90 {}, "
                         "p99 {}, p99.9 {}\n",
                         for_person_ms(s.mean), for_person_ms(p.wait_ms), for_person_ms(s.p50),
                         for_person_ms(s.p90), for_person_ms(s.p99), for_person_ms(s.p999))
                   : std::string("latency     -\n");
    text += fmt::format("light       {}: {}\n", light_name(p.light().state), p.light().sentence);
    for (const Light& light : p.lights) {
        if (light.state == Light::State::ok || light == p.light()) continue;
        text += fmt::format("            {}: {}\n", light_name(light.state), light.sentence);
    }
    return text;
}

}  // namespace lab
