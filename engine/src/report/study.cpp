// SPDX-License-Identifier: GPL-3.0-or-later
// Studies as text, JSON and CSV.
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "lab/judgement.hpp"
#include "lab/report.hpp"
#include "lab/text.hpp"
#include "report/json_object.hpp"
#include "report/numbers.hpp"

namespace lab {
namespace {

using report::Object;
using report::plain;

/// What a study tells of each system, in this order.
constexpr std::array<std::string_view, 11> told{
    "offered_per_s",  "throughput_per_s", "goodput_per_s",      "latency_ms.mean",
    "latency_ms.p50", "latency_ms.p90",   "latency_ms.p95",     "latency_ms.p99",
    "errors",         "cache_hit_ratio",  "utilisation.workers"};

std::optional<Interval> figure_of(const StudyPoint& point, std::string_view name) {
    const auto figure = point.figure(name);
    return figure ? *figure : std::nullopt;
}

/// An interval without an end is null: one run has none.
std::string interval_json(const std::optional<Interval>& interval) {
    if (!interval) return "null";
    Object o;
    o.number("mean", interval->mean);
    o.number("half_width", interval->half_width);
    return o.on_one_line();
}

std::string overrides_json(const Overrides& overrides) {
    Object o;
    for (const auto& [path, value] : overrides) o.text(path, value);
    return o.on_one_line();
}

std::string overrides_text(const Overrides& overrides) {
    std::string text;
    for (const auto& [path, value] : overrides) {
        text += fmt::format("{}{}={}", text.empty() ? "" : " ", path, value);
    }
    return text.empty() ? "as it is" : escaped(text);
}

Object point_object(const StudyPoint& point) {
    Object o;
    o.raw("settings", overrides_json(point.overrides));
    o.number("warm_up_s", to_seconds(point.warm_up));
    o.count("runs", point.runs.size());
    for (const std::string_view name : told) o.raw(name, interval_json(figure_of(point, name)));
    return o;
}

template <class List, class Make>
std::string list_json(const List& list, Make make) {
    std::string out;
    for (const auto& each : list) out += (out.empty() ? "\n    " : ",\n    ") + make(each);
    return "[" + out + "]";
}

std::string person(const std::optional<Interval>& interval) {
    if (!interval) return "-";
    if (!std::isfinite(interval->half_width)) return show_number(interval->mean);
    return fmt::format("{} +- {}", show_number(interval->mean), show_number(interval->half_width));
}

std::string figures_csv(const StudyPoint& point) {
    std::string row;
    for (const std::string_view name : told) {
        const auto figure = figure_of(point, name);
        row += "," + (figure ? plain(figure->mean) : std::string());
        row += "," + (figure && std::isfinite(figure->half_width) ? plain(figure->half_width)
                                                                  : std::string());
    }
    return row;
}

std::string figures_header() {
    std::string row;
    for (const std::string_view name : told) row += fmt::format(",{0},{0}.half_width", name);
    return row;
}

std::string table_head() {
    return fmt::format("{:34} {:>18} {:>18} {:>20} {:>20}\n", "", "throughput /s", "goodput /s",
                       "p50 ms", "p99 ms");
}
std::string table_row(const std::string& name, const StudyPoint& point) {
    return fmt::format("{:34} {:>18} {:>18} {:>20} {:>20}\n", name,
                       person(figure_of(point, "throughput")), person(figure_of(point, "goodput")),
                       person(figure_of(point, "p50")), person(figure_of(point, "p99")));
}

std::string named(const char* name, const std::optional<double>& at) {
    return at ? fmt::format("{} {}\n", name, show_number(*at)) : std::string();
}

Object head(std::string_view scenario, std::string_view mode) {
    Object o;
    o.count("schema", 1);
    o.text("scenario", scenario);
    o.text("mode", mode);
    return o;
}

}  // namespace

std::string to_json(const Sweep& sweep) {
    Object o = head(sweep.scenario, sweep.mode);
    o.number("capacity_per_s", sweep.capacity);
    o.number("saturation", sweep.saturation);
    o.number("knee", sweep.knee);
    std::size_t i = 0;
    o.raw("points", list_json(sweep.points, [&](const StudyPoint& point) {
              Object each = point_object(point);
              const auto& theory = sweep.theory[i++];
              each.raw("theory", theory ? [&] {
                  Object t;
                  t.text("law", theory_name(theory->law));
                  t.text("light", light_name(theory->light().state));
                  t.text("sentence", theory->light().sentence);
                  t.number("throughput_per_s", theory->throughput_per_s);
                  t.number("latency_ms.mean", theory->latency.mean);
                  t.number("latency_ms.p99", theory->latency.p99);
                  return t.on_one_line();
              }() : std::string("null"));
              return each.on_one_line();
          }));
    return o.on_many_lines("") + "\n";
}

std::string to_csv(const Sweep& sweep) {
    std::string out;
    for (const Vary& vary : sweep.vary) out += csv_cell(vary.path) + ",";
    out += "warm_up_s,runs" + figures_header() + "\r\n";
    for (const StudyPoint& point : sweep.points) {
        for (const Vary& vary : sweep.vary) out += csv_cell(point.overrides.at(vary.path)) + ",";
        out += plain(to_seconds(point.warm_up)) + fmt::format(",{}", point.runs.size());
        out += figures_csv(point) + "\r\n";
    }
    return out;
}

std::string to_text(const Sweep& sweep) {
    std::string text = table_head();
    for (const StudyPoint& point : sweep.points) {
        text += table_row(overrides_text(point.overrides), point);
    }
    return text + named("capacity   ", sweep.capacity) + named("saturation ", sweep.saturation) +
           named("knee       ", sweep.knee);
}

std::string to_json(const Comparison& comparison) {
    Object o = head(comparison.scenario, comparison.mode);
    o.raw("A", point_object(comparison.a).on_one_line());
    o.raw("B", point_object(comparison.b).on_one_line());
    o.raw("differences", list_json(comparison.differences, [](const Difference& d) {
              Object each;
              each.text("quantity", d.quantity);
              each.raw("A", interval_json(d.a));
              each.raw("B", interval_json(d.b));
              each.raw("change", interval_json(d.change));
              each.text("sentence", d.sentence);
              return each.on_one_line();
          }));
    return o.on_many_lines("") + "\n";
}

std::string to_csv(const Comparison& comparison) {
    std::string out = "quantity,A,A.half_width,B,B.half_width,change,change.half_width\r\n";
    for (const Difference& d : comparison.differences) {
        out += csv_cell(d.quantity);
        for (const Interval* interval : {&d.a, &d.b, &d.change}) {
            out += "," + plain(interval->mean) + ",";
            if (std::isfinite(interval->half_width)) out += plain(interval->half_width);
        }
        out += "\r\n";
    }
    return out;
}

std::string to_text(const Comparison& comparison) {
    std::string text = table_head();
    text += table_row("A " + overrides_text(comparison.a.overrides), comparison.a);
    text += table_row("B " + overrides_text(comparison.b.overrides), comparison.b) + "\n";
    for (const Difference& d : comparison.differences) text += d.sentence + "\n";
    return text;
}

std::string to_json(const AdviceList& list) {
    Object o = head(list.scenario, list.mode);
    o.text("quantity", list.quantity);
    o.raw("now", interval_json(list.value));
    o.raw("advice", list_json(list.advice, [](const Advice& a) {
              Object each;
              each.text("path", a.path);
              each.text("label", a.label);
              each.flag("virtual_speed_up", a.stage);
              each.raw("settings", overrides_json(a.overrides));
              each.raw("value", interval_json(a.value));
              each.raw("change", interval_json(a.change));
              each.number("share", a.share);
              each.flag("no_change", a.no_change);
              each.flag("meets_target", a.meets);
              return each.on_one_line();
          }));
    o.raw("left_out", report::list_of(list.left_out));
    return o.on_many_lines("") + "\n";
}

std::string to_csv(const AdviceList& list) {
    std::string out =
        "path,label,virtual_speed_up,value,value.half_width,change,change.half_width,share,"
        "no_change,meets_target\r\n";
    for (const Advice& a : list.advice) {
        out += fmt::format("{},{},{},", csv_cell(a.path), csv_cell(a.label), a.stage ? 1 : 0);
        for (const Interval* interval : {&a.value, &a.change}) {
            out += plain(interval->mean) + ",";
            if (std::isfinite(interval->half_width)) out += plain(interval->half_width);
            out += ",";
        }
        out += fmt::format("{},{},{}\r\n", plain(a.share), a.no_change ? 1 : 0, a.meets ? 1 : 0);
    }
    return out;
}

std::string to_text(const AdviceList& list) {
    std::string text = fmt::format("{} now: {}\n", list.quantity, person(list.value));
    for (const Advice& a : list.advice) {
        const std::string what =
            a.no_change ? "no change"
                        : fmt::format("{:+.3g} % to {}", a.share * 100, person(a.value));
        text += fmt::format("{:44} {}{}\n", escaped(a.label), what,
                            a.meets ? ", meets the target" : "");
    }
    for (const std::string& line : list.left_out) text += escaped(line) + "\n";
    return text;
}

std::string to_json(const Frontier& frontier) {
    Object o = head(frontier.scenario, frontier.mode);
    o.text("target", frontier.target);
    o.raw("systems", list_json(frontier.points, [](const FrontierPoint& p) {
              Object each = point_object(p.point);
              each.number("cost", p.cost);
              each.flag("meets_target", p.meets);
              each.number("margin", p.margin);
              each.flag("cheapest", p.cheapest);
              each.flag("on_front", p.on_front);
              return each.on_one_line();
          }));
    return o.on_many_lines("") + "\n";
}

std::string to_csv(const Frontier& frontier) {
    std::string out =
        "settings,cost,meets_target,margin,cheapest,on_front" + figures_header() + "\r\n";
    for (const FrontierPoint& p : frontier.points) {
        out += fmt::format("{},{},{},{},{},{}", csv_cell(overrides_text(p.point.overrides)),
                           plain(p.cost), p.meets ? 1 : 0, plain(p.margin), p.cheapest ? 1 : 0,
                           p.on_front ? 1 : 0);
        out += figures_csv(p.point) + "\r\n";
    }
    return out;
}

std::string to_text(const Frontier& frontier) {
    std::string text = table_head();
    bool any = false;
    for (const FrontierPoint& p : frontier.points) {
        any = any || p.meets;
        text += table_row(fmt::format("{}{} at {}",
                                      p.cheapest   ? "* "
                                      : p.on_front ? "+ "
                                                   : "  ",
                                      overrides_text(p.point.overrides), show_number(p.cost)),
                          p.point);
    }
    return text + (any ? "* is the cheapest that meets the target; + would be better for more "
                         "money, or worse for less\n"
                       : "none of them meets the target\n");
}

std::string to_json(const std::vector<ClaimCheck>& checks, std::string_view scenario) {
    Object o;
    o.count("schema", 1);
    o.text("scenario", scenario);
    o.raw("claims", list_json(checks, [](const ClaimCheck& c) {
              Object each;
              each.text("that", c.that);
              each.flag("holds", c.holds);
              each.number("worst_margin", c.worst_margin);
              each.count("worst_seed", c.worst_seed);
              each.text("problem", c.problem);
              return each.on_one_line();
          }));
    return o.on_many_lines("") + "\n";
}

std::string to_text(const std::vector<ClaimCheck>& checks) {
    std::string text;
    for (const ClaimCheck& c : checks) {
        const std::string why = c.problem.empty() ? fmt::format("worst margin {:+.2g} %, seed {}",
                                                                c.worst_margin * 100, c.worst_seed)
                                                  : escaped(c.problem);
        text += fmt::format("{:6} {}  ({})\n", c.holds ? "holds" : "BROKEN", escaped(c.that), why);
    }
    return text;
}

}  // namespace lab
