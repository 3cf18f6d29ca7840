// SPDX-License-Identifier: GPL-3.0-or-later
// [[claim]] and [prices].
#include <fmt/format.h>

#include "lab/condition.hpp"
#include "lab/text.hpp"
#include "scenario/form.hpp"

namespace lab::scenario {
namespace {

constexpr std::size_t most_claims = 32, most_variants = 8;

/// The variants of the lesson's first run, which a claim has where it gives none.
std::map<std::string, Overrides> lesson_variants(const Scenario& scenario) {
    for (const LessonStep& step : scenario.lesson) {
        if (step.kind == LessonKind::run) return step.variants;
    }
    return {{"A", {}}};
}

void read_variants(Reading& reading, const Form& form, const Node& table, const Scenario& scenario,
                   Claim& claim) {
    claim.variants.clear();
    for (const Member& member : table.members) {
        const std::string path = form.path("variants." + member.key.substr(0, 60));
        const bool letter = member.key.size() == 1 && member.key[0] >= 'A' && member.key[0] <= 'Z';
        if (!letter || claim.variants.size() == most_variants) {
            return reading.fail(member.place, path,
                                fmt::format("found {}; allowed: at most {} variants, each one "
                                            "letter from A to Z",
                                            in_quotes(member.key), most_variants));
        }
        const Overrides overrides = read_overrides(reading, scenario.model, member.value, path);
        if (!reading.ok()) return;
        const auto model = with_overrides(scenario.model, overrides);
        if (!model) {
            const Error& error = model.error();
            return reading.fail(member.value.place, path + "." + error.where, error.detail);
        }
        claim.variants[member.key] = overrides;
    }
}

void read_claim(Reading& reading, const Node& node, std::size_t number, const Scenario& scenario,
                Claim& claim) {
    Form form(reading, node, fmt::format("claim[{}]", number), claim_keys());
    form.title("that", claim.that);
    claim.length = scenario.length;
    claim.warm_up = scenario.warm_up;
    claim.variants = lesson_variants(scenario);
    form.duration("for", 1s, 600s, claim.length);
    form.duration("warm_up", 0s, 60s, claim.warm_up);
    if (const Node* const table = form.table("variants")) {
        read_variants(reading, form, *table, scenario, claim);
    }
    if (!reading.ok()) return;
    const auto condition = Condition::parse(claim.that);
    if (!condition) {
        const Error& error = condition.error();
        return reading.fail(form.place("that"), form.path("that"),
                            fmt::format("{}, {}", error.where, error.detail));
    }
    if (condition->variants().empty()) {
        return form.refuse("that", in_quotes(claim.that),
                           "a condition that names a run, such as A.p99 < 50ms");
    }
    for (const std::string& variant : condition->variants()) {
        if (claim.variants.contains(variant)) continue;
        std::vector<std::string_view> known;
        for (const auto& [name, overrides] : claim.variants) known.push_back(name);
        return form.refuse("that", fmt::format("{}, which is no variant", variant),
                           fmt::format("{}", fmt::join(known, ", ")));
    }
}

}  // namespace

void read_claims(Reading& reading, const Node& root, Scenario& scenario) {
    const auto nodes = tables_of(reading, root, "claim", most_claims);
    for (std::size_t i = 0; i < nodes.size() && reading.ok(); ++i) {
        Claim claim;
        read_claim(reading, *nodes[i], i + 1, scenario, claim);
        scenario.claims.push_back(std::move(claim));
    }
}

void read_prices(Reading& reading, const Node& root, Scenario& scenario) {
    const Member* const member = root.find("prices");
    if (!member) return;
    Form form(reading, member->value, "prices", price_keys());
    if (!reading.ok()) return;
    const std::pair<const char*, double*> fields[] = {{"worker", &scenario.prices.worker},
                                                      {"memory", &scenario.prices.memory},
                                                      {"cpu", &scenario.prices.cpu}};
    for (const auto& [key, value] : fields) {
        form.number(key, *value);
        if (*value >= 0 && *value <= 1e9) continue;
        form.refuse(key, write_number(*value), "a number from 0 to 1,000,000,000");
    }
}

}  // namespace lab::scenario
