// SPDX-License-Identifier: GPL-3.0-or-later
// What the rows of the table of names are made with. For the files of the table alone.
#pragma once

#include "model/table.hpp"

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace lab::names {

using Words = std::vector<std::string_view>;

inline constexpr double us = 1e3, ms = 1e6, s = 1e9;

inline SettingValue value_of(const SettingInfo&, bool v) { return v; }
inline SettingValue value_of(const SettingInfo&, int v) { return std::int64_t{v}; }
inline SettingValue value_of(const SettingInfo&, double v) { return v; }
inline SettingValue value_of(const SettingInfo&, Duration v) { return v; }
inline SettingValue value_of(const SettingInfo&, ArrivalRate v) { return v; }
inline SettingValue value_of(const SettingInfo&, Bytes v) { return v; }
inline SettingValue value_of(const SettingInfo&, const Distribution& v) { return v; }
inline SettingValue value_of(const SettingInfo&, const std::string& v) { return v; }
inline SettingValue value_of(const SettingInfo&, const KeyRule& v) {
    if (v.function == KeyFunction::constant) return std::string("constant");
    if (v.function == KeyFunction::throws) return std::string("throws");
    std::string text;
    for (const auto& [part, name] : {std::pair{v.path, "path"}, std::pair{v.query, "query"},
                                     std::pair{v.user, "user"}, std::pair{v.header, "header"}}) {
        if (part) text += (text.empty() ? "" : "+") + std::string(name);
    }
    return text;
}
template <class E>
requires std::is_enum_v<E> SettingValue value_of(const SettingInfo& info, E v) {
    return std::string(info.choices[static_cast<std::size_t>(v)]);
}

template <class T>
requires(!std::is_enum_v<T>) void assign(const SettingInfo&, T& field, const SettingValue& v) {
    field = std::get<T>(v);
}
inline void assign(const SettingInfo&, int& field, const SettingValue& v) {
    field = static_cast<int>(std::get<std::int64_t>(v));
}
inline void assign(const SettingInfo&, KeyRule& field, const SettingValue& v) {
    const auto& text = std::get<std::string>(v);
    const auto names_it = [&](std::string_view part) { return text.find(part) != text.npos; };
    const KeyFunction function = text == "constant" ? KeyFunction::constant
                                 : text == "throws" ? KeyFunction::throws
                                                    : KeyFunction::parts;
    field = {names_it("path"), names_it("query"), names_it("user"), names_it("header"), function};
}
template <class E>
requires std::is_enum_v<E>
void assign(const SettingInfo& info, E& field, const SettingValue& v) {
    for (std::size_t i = 0; i < info.choices.size(); ++i) {
        if (info.choices[i] == std::get<std::string>(v)) field = static_cast<E>(i);
    }
}

/// `Access` takes a place and gives the field by reference; it captures nothing.
template <class Access>
Row row(SettingInfo info, Access) {
    return {std::move(info),
            [](const SettingInfo& i, const ConstPlace& p) { return value_of(i, Access{}(p)); },
            [](const SettingInfo& i, const Place& p, const SettingValue& v) {
                assign(i, Access{}(p), v);
            }};
}

[[nodiscard]] inline SettingInfo yes_no(std::string_view path, std::string_view label,
                                        std::string_view meaning, std::string_view flask = {}) {
    return {path, label, ValueKind::flag, 0, 0, {}, {}, meaning, flask};
}
[[nodiscard]] inline SettingInfo ranged(ValueKind kind, std::string_view path,
                                        std::string_view label, double least, double most,
                                        std::string_view meaning, std::string_view flask = {}) {
    return {path, label, kind, least, most, {}, {}, meaning, flask};
}
[[nodiscard]] inline SettingInfo one_of(std::string_view path, std::string_view label,
                                        Words choices, Words labels, std::string_view meaning,
                                        std::string_view flask = {}) {
    return {path,    label, ValueKind::choice, 0, 0, std::move(choices), std::move(labels),
            meaning, flask};
}
[[nodiscard]] inline SettingInfo words(std::string_view path, std::string_view label, double most,
                                       std::string_view meaning, std::string_view flask = {}) {
    return {path, label, ValueKind::text, 1, most, {}, {}, meaning, flask};
}

#define LAB_FIELD(expression) \
    [](const auto& p) -> auto& { return expression; }

/// The rows of the sections that have a file of their own.
void add_database(std::vector<Row>& t);
void add_host(std::vector<Row>& t);
void add_costs(std::vector<Row>& t);
void add_load_section(std::vector<Row>& t);
void add_balancer_rows(std::vector<Row>& t);

}  // namespace lab::names
