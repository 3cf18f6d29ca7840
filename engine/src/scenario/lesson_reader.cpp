// SPDX-License-Identifier: GPL-3.0-or-later
// [[lesson]]: the screens of a lesson, and what must hold between them.
#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "lab/expression.hpp"
#include "lab/text.hpp"
#include "scenario/form.hpp"

namespace lab {

Result<std::vector<Placeholder>> find_placeholders(std::string_view text) {
    std::vector<Placeholder> found;
    for (auto at = text.find_first_of("{}"); at != text.npos; at = text.find_first_of("{}", at)) {
        const auto end = text.find('}', at);
        const auto refuse = [&](std::string detail) {
            return Error{ErrorCode::invalid_input, in_quotes(text.substr(at, 24)),
                         std::move(detail)};
        };
        if (text[at] == '}' || end == text.npos) {
            return refuse("found a brace; allowed: only round a quantity, as in {A.throughput}");
        }
        const std::string_view name = text.substr(at + 1, end - at - 1);
        const auto expression = Expression::parse(name);
        if (!expression) return refuse(expression.error().detail);
        const auto dot = name.find('.');
        const QuantityInfo* const info =
            dot == name.npos ? nullptr : find_quantity(name.substr(dot + 1));
        if (!info || dot != 1) {
            return refuse("found more than one name; allowed: one quantity, as in {A.throughput}");
        }
        found.push_back(
            {at, end + 1 - at, std::string(name.substr(0, dot)), std::string(info->name)});
        at = end + 1;
    }
    return found;
}

}  // namespace lab

namespace lab::scenario {
namespace {

constexpr std::size_t most_lesson_steps = 64;
constexpr std::size_t most_variants = 2;
constexpr Duration longest_run = 600s, longest_warm_up = 60s;

class LessonReader {
  public:
    LessonReader(Reading& reading, const Scenario& scenario)
        : reading_{reading}, scenario_{scenario} {}

    void read(const Node& node, std::size_t number, LessonStep& step) {
        const std::string path = fmt::format("lesson[{}]", number);
        if (!read_kind(node, path, step)) return;
        Form form(reading_, node, path, lesson_keys(step.kind));
        form.title("title", step.title);
        form.text("text", step.text);
        switch (step.kind) {
            case LessonKind::predict:
                read_predict(form, step);
                break;
            case LessonKind::run:
                read_run(form, step);
                break;
            case LessonKind::explain:
                read_placeholders(form, step);
                break;
            case LessonKind::flask:
                form.text("code", step.code);
                break;
            case LessonKind::say:
            case LessonKind::play:
                break;
        }
    }

  private:
    Reading& reading_;
    const Scenario& scenario_;
    std::vector<std::string> ran_;  ///< variants of the last run step

    bool read_kind(const Node& node, const std::string& path, LessonStep& step) {
        const Member* const kind = node.find("kind");
        const auto kinds = lesson_kind_names();
        const std::string allowed = fmt::format("{}", fmt::join(kinds, ", "));
        if (!kind) {
            reading_.fail(node.place, path + ".kind", "found nothing; allowed: " + allowed);
            return false;
        }
        for (std::size_t i = 0; i < kinds.size(); ++i) {
            if (kind->value.kind != Node::Kind::text || kind->value.text != kinds[i]) continue;
            step.kind = static_cast<LessonKind>(i);
            return true;
        }
        std::string detail = fmt::format("found {}; allowed: {}", describe(kind->value), allowed);
        const auto nearest = did_you_mean(kind->value.text, kinds);
        if (!nearest.empty()) detail += fmt::format("; did you mean {}?", nearest);
        reading_.fail(kind->value.place, path + ".kind", std::move(detail));
        return false;
    }

    void read_predict(Form& form, LessonStep& step) {
        form.title("ask", step.ask);
        form.title("unit", step.unit);
        form.text("measure", step.measure);
        if (!reading_.ok()) return;
        const auto expression = Expression::parse(step.measure);
        if (!expression) {
            const Error& error = expression.error();
            return reading_.fail(form.place("measure"), form.path("measure"),
                                 fmt::format("{}, {}", error.where, error.detail));
        }
        if (expression->variants().empty()) {
            form.refuse("measure", in_quotes(step.measure),
                        "an expression that names a run, such as A.p99");
        }
        read_options(form, step);
    }

    void read_options(Form& form, LessonStep& step) {
        const Node* const list = form.list("options", 6);
        if (!list) return;
        if (list->items.size() < 2) {
            return form.refuse("options", fmt::format("{} options", list->items.size()), "2 to 6");
        }
        constexpr double infinity = std::numeric_limits<double>::infinity();
        double from = -infinity;
        for (std::size_t i = 0; i < list->items.size() && reading_.ok(); ++i) {
            const bool last = i + 1 == list->items.size();
            const std::string path = form.path(fmt::format("options[{}]", i + 1));
            Form each(reading_, list->items[i], path, option_keys());
            PredictOption option{"", from, infinity};
            each.title("text", option.text);
            each.number("to", option.to);
            if (!reading_.ok()) return;
            if (last && each.find("to")) {
                each.refuse("to", "an end",
                            "none in the last option, which is right for all above");
            } else if (!last && !each.find("to")) {
                each.refuse("to", "nothing", "a number: where the option ends and the next begins");
            } else if (!last && option.to <= from) {
                each.refuse("to", write_number(option.to),
                            fmt::format("a number above {}, where the option before ends",
                                        write_number(from)));
            }
            from = option.to;
            step.options.push_back(std::move(option));
        }
    }

    void read_run(Form& form, LessonStep& step) {
        step.length = scenario_.length;
        step.warm_up = scenario_.warm_up;
        form.duration("for", 1s, longest_run, step.length);
        form.duration("warm_up", 0s, longest_warm_up, step.warm_up);
        const Node* const variants = form.table("variants");
        if (!variants) return;
        if (!variants->find("A") || variants->members.size() > most_variants ||
            (variants->members.size() == most_variants && !variants->find("B"))) {
            std::vector<std::string_view> names;
            for (const Member& member : variants->members) names.push_back(member.key);
            return form.refuse("variants", in_quotes(fmt::format("{}", fmt::join(names, ", "))),
                               "A, or A and B");
        }
        ran_.clear();
        for (const Member& member : variants->members) {
            const std::string path = form.path("variants." + member.key);
            const Overrides overrides =
                read_overrides(reading_, scenario_.model, member.value, path);
            if (!reading_.ok()) return;
            const auto model = with_overrides(scenario_.model, overrides, scenario_file());
            if (!model) {
                const Error& error = model.error();
                return reading_.fail(member.value.place, path + "." + error.where, error.detail);
            }
            step.variants[member.key] = overrides;
            ran_.push_back(member.key);
        }
    }

    /// Empty for a text from memory.
    [[nodiscard]] std::filesystem::path scenario_file() const {
        return reading_.folder ? *reading_.folder / "scenario" : std::filesystem::path{};
    }

    void read_placeholders(Form& form, const LessonStep& step) {
        const auto found = find_placeholders(step.text);
        if (!found) {
            return reading_.fail(
                form.place("text"), form.path("text"),
                fmt::format("at {}: {}", found.error().where, found.error().detail));
        }
        for (const Placeholder& each : *found) {
            if (std::ranges::find(ran_, each.variant) != ran_.end()) continue;
            form.refuse("text", fmt::format("{{{}...}}, which no run before it has", each.variant),
                        ran_.empty() ? std::string("none before the first run")
                                     : fmt::format("{}", fmt::join(ran_, ", ")));
        }
    }
};

/// Each prediction is followed by a run of what it is about.
void check_predictions(Reading& reading, const std::vector<const Node*>& nodes,
                       const std::vector<LessonStep>& lesson) {
    for (std::size_t i = 0; i < lesson.size(); ++i) {
        if (lesson[i].kind != LessonKind::predict) continue;
        const Member* const measure = nodes[i]->find("measure");
        const Place place = measure ? measure->value.place : nodes[i]->place;
        const std::string key = fmt::format("lesson[{}].measure", i + 1);
        std::size_t run = i + 1;
        while (run < lesson.size() && lesson[run].kind != LessonKind::run) ++run;
        if (run == lesson.size()) {
            return reading.fail(place, key,
                                "found a prediction that no run follows; allowed: a step of "
                                "kind run behind it");
        }
        const auto expression = Expression::parse(lesson[i].measure);
        if (!expression) return;
        for (const std::string& variant : expression->variants()) {
            if (lesson[run].variants.contains(variant)) continue;
            return reading.fail(
                place, key,
                fmt::format("found {}, which the next run does not run; allowed: {}", variant,
                            lesson[run].variants.size() > 1 ? "A, B" : "A"));
        }
    }
}

}  // namespace

void read_lesson(Reading& reading, const Node& root, Scenario& scenario) {
    const auto nodes = tables_of(reading, root, "lesson", most_lesson_steps);
    LessonReader reader(reading, scenario);
    for (std::size_t i = 0; i < nodes.size() && reading.ok(); ++i) {
        LessonStep step;
        reader.read(*nodes[i], i + 1, step);
        scenario.lesson.push_back(std::move(step));
    }
    if (reading.ok()) check_predictions(reading, nodes, scenario.lesson);
}

}  // namespace lab::scenario
