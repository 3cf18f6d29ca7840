// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "lab/text.hpp"
#include "model/table.hpp"
#include "study/points.hpp"

namespace lab {
namespace {

/// What a stage that is 40 % faster takes of its time.
constexpr double faster = 0.6;

struct Move {
    std::string path, label;
    Overrides overrides;
    bool stage = false;
};

class Moves {
  public:
    Moves(const Scenario& scenario, const Model& base) : scenario_{scenario}, base_{base} {}

    std::vector<Move> all() {
        for (const Knob& knob : scenario_.knobs) {
            // Fewer arrivals help everything: that is no advice.
            if (knob.path.starts_with("load.")) continue;
            if (knob.values.empty()) {
                up_and_down(knob);
            } else {
                for (const std::string& value : knob.values) other_value(knob, value);
            }
        }
        stages();
        return std::move(moves_);
    }

  private:
    const Scenario& scenario_;
    const Model& base_;
    std::vector<Move> moves_;

    void add(const std::string& path, const std::string& label, const Model& changed, bool stage) {
        const SettingInfo* const info = find_setting(base_.system, path);
        const SettingValue from = get_setting(base_, path).value();
        const SettingValue to = get_setting(changed, path).value();
        if (from == to || !validate(changed)) return;
        Move move;
        move.path = path;
        move.stage = stage;
        move.label = stage ? fmt::format("{} {:.0f} % faster", label, (1 - faster) * 100)
                           : fmt::format("{} {} -> {}", label, show_value(*info, from),
                                         show_value(*info, to));
        move.overrides[path] = write_value(to);
        moves_.push_back(std::move(move));
    }

    void other_value(const Knob& knob, const std::string& value) {
        Model changed = base_;
        if (set_setting_text(changed, knob.path, value)) {
            add(knob.path, knob.label, changed, false);
        }
    }

    void up_and_down(const Knob& knob) {
        const double now = names::base_units(get_setting(base_, knob.path).value());
        const double up = knob.multiply ? now * knob.step : now + knob.step;
        const double down = knob.multiply ? now / knob.step : now - knob.step;
        for (const double at : {up, down}) {
            if (at < knob.least || at > knob.most) continue;
            move_to(knob.path, knob.label, at, false);
        }
    }

    void move_to(const std::string& path, const std::string& label, double at, bool stage) {
        const SettingInfo* const info = find_setting(base_.system, path);
        const auto whole = static_cast<std::int64_t>(std::llround(at));
        SettingValue value = Duration{whole};
        if (info->kind == ValueKind::count) value = whole;
        if (info->kind == ValueKind::number) value = at;
        if (info->kind == ValueKind::rate) value = ArrivalRate::per_second(at);
        if (info->kind == ValueKind::bytes) value = Bytes{whole};
        Model changed = base_;
        if (set_setting(changed, path, value)) add(path, label, changed, stage);
    }

    /// Every time that a request spends, each in turn.
    void stages() {
        for (const std::string& path : names::concrete_paths(base_.system)) {
            const SettingInfo* const info = find_setting(base_.system, path);
            const bool step = path.starts_with("route.") && info->kind == ValueKind::distribution;
            if (!step && path != "database.round_trip") continue;
            const double now = names::base_units(get_setting(base_, path).value());
            if (now > 0) move_to(path, path, now * faster, true);
        }
    }
};

bool less_is_better(std::string_view name) {
    return !name.starts_with("throughput") && !name.starts_with("goodput") &&
           name != "cache_hit_ratio";
}

}  // namespace

Result<AdviceList> run_advice(const Scenario& scenario, const Model& base,
                              const std::string& quantity, const std::optional<Condition>& target,
                              const StudyOptions& options) {
    const QuantityInfo* const info = find_quantity(quantity);
    if (!info)
        return Error{ErrorCode::not_found, "", "there is no quantity " + in_quotes(quantity)};
    AdviceList list;
    list.scenario = scenario.id;
    list.mode = options.mode;
    list.quantity = info->name;
    list.less_is_better = less_is_better(info->name);
    const std::vector<Move> moves = Moves(scenario, base).all();
    std::vector<StudyPoint> points(moves.size() + 1);
    for (std::size_t i = 0; i < moves.size(); ++i) points[i + 1].overrides = moves[i].overrides;
    study::Refusals refusals;
    if (auto ran = study::run_points(scenario, base, points, options, &refusals); !ran) {
        return ran.error();
    }
    if (const auto refused = refusals.find(0); refused != refusals.end()) return refused->second;
    const auto now = points[0].figure(info->name).value();
    if (!now) {
        return Error{ErrorCode::no_samples, std::string(info->name),
                     "the scenario as it is has no samples of it"};
    }
    list.value = *now;
    for (std::size_t i = 0; i < moves.size(); ++i) {
        if (const auto refused = refusals.find(i + 1); refused != refusals.end()) {
            list.left_out.push_back(moves[i].label + ": " + refused->second.message());
            continue;
        }
        const StudyPoint& point = points[i + 1];
        const auto value = point.figure(info->name).value();
        const auto change = study::paired(points[0], point, info->name);
        if (!value || !change) {
            list.left_out.push_back(moves[i].label + ": no samples");
            continue;
        }
        Advice advice;
        advice.path = moves[i].path;
        advice.label = moves[i].label;
        advice.stage = moves[i].stage;
        advice.overrides = moves[i].overrides;
        advice.value = *value;
        advice.change = *change;
        advice.share = now->mean != 0 ? change->mean / now->mean : 0;
        advice.no_change = change->holds_zero();
        const auto verdict = target ? study::verdict_of(*target, point)
                                    : Result<Condition::Verdict>(Condition::Verdict{});
        advice.meets = verdict && verdict->holds;
        list.advice.push_back(std::move(advice));
    }
    list.base = std::move(points[0]);
    const double sign = list.less_is_better ? 1 : -1;
    std::ranges::stable_sort(list.advice, {}, [sign](const Advice& a) {
        return a.no_change ? 0.0 : sign * a.change.mean;
    });
    return list;
}

}  // namespace lab
