// SPDX-License-Identifier: GPL-3.0-or-later
// The rows of the table of names, with the way from each to the field of the model that it names.
#pragma once

#include "lab/settings.hpp"

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lab::names {

/// Where in a model a row finds its field. Only what the row's path goes through is set.
template <class M, class R, class S, class B>
struct BasicPlace {
    M* model = nullptr;
    R* route = nullptr;
    S* step = nullptr;
    B* backend = nullptr;
};
using Place = BasicPlace<Model, Route, Step, Backend>;
using ConstPlace = BasicPlace<const Model, const Route, const Step, const Backend>;

struct Row {
    SettingInfo info;
    SettingValue (*get)(const SettingInfo&, const ConstPlace&);
    void (*set)(const SettingInfo&, const Place&,
                const SettingValue&);  ///< a value already checked
};

/// Every row, in the order of lab::settings_table(). Threads: any, immutable.
[[nodiscard]] std::span<const Row> rows();

/// A value as a result, made where it stays: g++ 12 under sanitizers takes the move of a variant
/// for a read of what was never set.
template <class T>
[[nodiscard]] Result<SettingValue> in_place(T&& value) {
    return Result<SettingValue>(boost::system::in_place_value, std::forward<T>(value));
}

/// What a person may give for a setting: "1 to 256", "a duration with its unit from 0 s to 60 s
/// ...".
[[nodiscard]] std::string allowed_text(const SettingInfo&);

/// "found ...; allowed: ...", after a blank for the value.
[[nodiscard]] Error not_allowed(std::string_view path, const SettingInfo&, std::string_view found);

/// The value, converted to the kind of the setting where that loses nothing, and within its range.
/// Errors: invalid_input.
[[nodiscard]] Result<SettingValue> checked(std::string_view path, const SettingInfo&,
                                           const SettingValue&);

/// The value of a setting from text. Errors: invalid_input.
[[nodiscard]] Result<SettingValue> from_text(std::string_view path, const SettingInfo&,
                                             std::string_view text);

/// A value as `least` and `most` of its setting have it; the first time of a distribution; NaN for
/// a flag, choice or text.
[[nodiscard]] double base_units(const SettingValue&);

/// Each concrete path of a model: "server.workers", "route.pay.wait", "load.mix.pay". In table
/// order; routes and steps in theirs.
[[nodiscard]] std::vector<std::string> concrete_paths(const System&);

/// "wait" of the file for a step's kind; and the row's path for it ("route.*.wait"), empty for
/// none.
[[nodiscard]] std::string_view step_kind_name(StepKind);
[[nodiscard]] std::string_view step_row_path(StepKind);
/// Settings of a step beside its main value: "times" of a query, at "route.ROUTE.STEP.times", whose
/// row is "route.*.query.times".
[[nodiscard]] std::span<const std::string_view> step_details(StepKind);

/// Whether a step of this kind may be `blocking`, and `offload`.
[[nodiscard]] bool may_block(StepKind);
[[nodiscard]] bool may_offload(StepKind);

/// not_found with "did you mean" for a path that names no setting of this system.
[[nodiscard]] Error unknown_setting(const System&, std::string_view path);

}  // namespace lab::names

namespace lab {

/// The same law with another time: constant, mean, median or least; a second time keeps its ratio
/// to it.
[[nodiscard]] Distribution with_time(const Distribution& law, Duration time);

}  // namespace lab
