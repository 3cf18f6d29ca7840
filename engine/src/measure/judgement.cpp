// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/judgement.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "lab/expression.hpp"
#include "measure/precision.hpp"

namespace lab {
namespace {

/// What no interval is narrower than: the machine is never quieter.
constexpr double least_share = 0.01;
/// A value is not lowered to or through zero: it may be a divisor.
constexpr double lowest_share = 0.01;

using Variants = std::map<std::string, RunResultPtr>;

/// One quantity of one run in the expression.
struct Leaf {
    std::string variant, quantity;
    double value = 0;
    double half_width = 0;
};

Judgement cannot(std::string why) {
    Judgement j;
    j.why = std::move(why);
    return j;
}

/// Why nothing may be concluded from this run, or empty.
std::string unfit(const std::string& name, const RunResult& run) {
    if (run.interrupted)
        return fmt::format("Run {} was interrupted, so it cannot be judged. Run it again.", name);
    if (run.generator_limited)
        return fmt::format(
            "In run {} the generator, not the server, was the limit: the machine is too busy to "
            "judge. "
            "Run it again.",
            name);
    return {};
}

Result<double> look_up(const Variants& variants, const std::string& variant,
                       const std::string& name) {
    const auto run = variants.find(variant);
    if (run == variants.end() || !run->second)
        return Error{ErrorCode::not_found, variant, "there is no such run"};
    const auto found = quantity(*run->second, name);
    if (!found) return found.error();
    if (!*found) return Error{ErrorCode::no_samples, variant + "." + name, "there are no samples"};
    return **found;
}

/// Every quantity that the expression looks up, once.
std::vector<Leaf> leaves_of(const Expression& expression, const Variants& variants) {
    std::vector<Leaf> leaves;
    const auto collect = [&](const std::string& variant, const std::string& name) {
        const auto value = look_up(variants, variant, name);
        const bool known = std::any_of(leaves.begin(), leaves.end(), [&](const Leaf& leaf) {
            return leaf.variant == variant && leaf.quantity == name;
        });
        if (value && !known)
            leaves.push_back(
                {variant, name, *value, measure::half_width(*variants.at(variant), name, *value)});
        return value;
    };
    (void)expression.evaluate(collect);
    return leaves;
}

/// The runs scatter independently: the effects of moving one quantity at a time add up in squares.
double uncertainty_of(const Expression& expression, const Variants& variants, double measured) {
    double squares = 0;
    for (const Leaf& moved : leaves_of(expression, variants)) {
        double effect = 0;
        for (const double sign : {-1.0, 1.0}) {
            const double nearest_zero = moved.value * lowest_share;
            double value = moved.value + sign * moved.half_width;
            if (moved.value > 0) value = std::max(value, nearest_zero);
            const auto with_moved = expression.evaluate(
                [&](const std::string& variant, const std::string& name) -> Result<double> {
                    if (variant == moved.variant && name == moved.quantity) return value;
                    return look_up(variants, variant, name);
                });
            effect = std::max(effect, with_moved ? std::abs(*with_moved - measured) : 0.0);
        }
        squares += effect * effect;
    }
    return std::max(std::sqrt(squares), least_share * std::abs(measured));
}

void decide(Judgement& j, const LessonStep& predict, int chosen) {
    const double low = j.measured - j.uncertainty, high = j.measured + j.uncertainty;
    int holds_value = -1, touched = 0;
    for (std::size_t i = 0; i < predict.options.size(); ++i) {
        const PredictOption& option = predict.options[i];
        if (low < option.to && high >= option.from) ++touched;
        if (holds_value < 0 && j.measured >= option.from && j.measured < option.to)
            holds_value = static_cast<int>(i);
    }
    if (holds_value < 0) {
        j.why = fmt::format("{:.3g} lies in none of the answers.", j.measured);
        return;
    }
    if (touched > 1) {
        j.verdict = Judgement::Verdict::too_close;
        j.why = fmt::format(
            "Between {:.3g} and {:.3g}: that spans more than one answer. A longer run would tell.",
            low, high);
        return;
    }
    j.right_option = holds_value;
    j.verdict = holds_value == chosen ? Judgement::Verdict::right : Judgement::Verdict::wrong;
}

}  // namespace

Judgement judge(const LessonStep& predict, int chosen,
                const std::map<std::string, RunResultPtr>& variants) {
    if (predict.kind != LessonKind::predict) return cannot("This step asks for no prediction.");
    if (chosen < 0 || chosen >= static_cast<int>(predict.options.size()))
        return cannot("No prediction was made.");
    const auto expression = Expression::parse(predict.measure);
    if (!expression)
        return cannot(
            fmt::format("The question cannot be measured ({}).", expression.error().message()));

    const auto measured =
        expression->evaluate([&variants](const std::string& variant, const std::string& name) {
            return look_up(variants, variant, name);
        });
    if (!measured || !std::isfinite(*measured))
        return cannot(fmt::format("Nothing to compare was measured ({}).",
                                  measured ? "no finite number" : measured.error().message()));
    Judgement j;
    j.measured = *measured;
    j.uncertainty = uncertainty_of(*expression, variants, *measured);
    for (const std::string& name : expression->variants()) {
        j.why = unfit(name, *variants.at(name));
        if (!j.why.empty()) return j;
    }
    decide(j, predict, chosen);
    return j;
}

}  // namespace lab
