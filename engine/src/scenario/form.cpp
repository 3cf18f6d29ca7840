// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenario/form.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "lab/text.hpp"
#include "model/rules.hpp"
#include "model/table.hpp"
#include "model/utf8.hpp"

namespace lab::scenario {

void Reading::fail(Place place, std::string_view key, std::string detail) {
    if (error) return;
    error = Error{ErrorCode::invalid_input, where(file, place, key), std::move(detail)};
}

Place Reading::place_of(std::string_view path) const {
    while (!path.empty()) {
        if (const auto at = places.find(path); at != places.end()) return at->second;
        const auto dot = path.rfind('.');
        path = dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
    }
    return {};
}

std::optional<std::string> clean_text(std::string_view text, Lines lines) {
    constexpr int most_marks = 8;
    std::string clean;
    int marks = 0;
    while (!text.empty()) {
        const auto c = utf8::first(text);
        const std::string_view bytes = text.substr(0, c.length);
        text.remove_prefix(c.length);
        if (!c.valid) return std::nullopt;
        if (utf8::is_bidi_control(c.code)) continue;
        if (c.code == '\r' && text.starts_with('\n')) continue;
        const bool allowed = lines == Lines::many && (c.code == '\n' || c.code == '\t');
        if (utf8::is_control(c.code) && !allowed) return std::nullopt;
        marks = utf8::is_combining_mark(c.code) ? marks + 1 : 0;
        if (marks <= most_marks) clean += bytes;
    }
    return clean;
}

Form::Form(Reading& reading, const Node& table, std::string path, std::span<const KeyInfo> known)
    : reading_{reading}, table_{table}, path_{std::move(path)}, known_{known} {
    if (table_.kind != Node::Kind::table) {
        reading_.fail(table_.place, path_,
                      fmt::format("found {}; allowed: a table", describe(table_)));
        return;
    }
    check_keys();
}

void Form::check_keys() {
    std::vector<std::string_view> names;
    for (const KeyInfo& key : known_) names.push_back(key.name);
    for (const Member& member : table_.members) {
        if (std::find(names.begin(), names.end(), member.key) != names.end()) continue;
        std::string detail = fmt::format("there is no key {} here", in_quotes(member.key));
        const auto nearest = did_you_mean(member.key, names);
        if (!nearest.empty()) {
            detail += fmt::format("; did you mean {}?", nearest);
        } else {
            detail += fmt::format("; allowed: {}", fmt::join(names, ", "));
        }
        reading_.fail(member.place, this->path(member.key.substr(0, 60)), std::move(detail));
    }
    for (const KeyInfo& key : known_) {
        if (!key.required || table_.find(key.name)) continue;
        reading_.fail(table_.place, this->path(key.name),
                      fmt::format("found nothing; allowed: {}", key.value));
    }
}

std::string Form::path(std::string_view key) const {
    return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

Place Form::place(std::string_view key) const {
    const Member* const member = table_.find(key);
    return member ? member->value.place : table_.place;
}

void Form::refuse(std::string_view key, std::string_view found, std::string_view allowed) {
    reading_.fail(place(key), path(key), fmt::format("found {}; allowed: {}", found, allowed));
}

const Node* Form::value(std::string_view key, Node::Kind kind, std::string_view allowed) {
    const Member* const member = table_.find(key);
    if (!member) return nullptr;
    if (member->value.kind != kind) {
        refuse(key, describe(member->value), allowed);
        return nullptr;
    }
    return &member->value;
}

void Form::title(std::string_view key, std::string& out) {
    constexpr std::string_view allowed = "one line of text of 1 to 200 characters";
    const Node* const node = value(key, Node::Kind::text, allowed);
    if (!node) return;
    auto clean = clean_text(node->text, Lines::one);
    if (!clean || clean->empty()) return refuse(key, describe(*node), allowed);
    const auto is_lead = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
    const auto characters =
        static_cast<std::size_t>(std::count_if(clean->begin(), clean->end(), is_lead));
    if (characters > most_title_characters) {
        return refuse(key, fmt::format("{} characters", characters), allowed);
    }
    out = std::move(*clean);
}

void Form::text(std::string_view key, std::string& out) {
    constexpr std::string_view allowed = "text without control characters";
    const Node* const node = value(key, Node::Kind::text, allowed);
    if (!node) return;
    auto clean = clean_text(node->text, Lines::many);
    if (!clean) return refuse(key, describe(*node), allowed);
    out = std::move(*clean);
}

void Form::id(std::string_view key, std::string& out) {
    const Node* const node = value(key, Node::Kind::text, "a text");
    if (!node) return;
    if (!is_id(node->text))
        return reading_.fail(node->place, path(key), bad_id("name", node->text));
    out = node->text;
}

void Form::whole(std::string_view key, std::int64_t least, std::int64_t most, std::int64_t& out) {
    const std::string allowed =
        fmt::format("a whole number from {} to {}", show_count(least), show_count(most));
    const Node* const node = value(key, Node::Kind::integer, allowed);
    if (!node) return;
    if (node->integer < least || node->integer > most) return refuse(key, describe(*node), allowed);
    out = node->integer;
}

void Form::number(std::string_view key, double& out) {
    const Member* const member = table_.find(key);
    if (!member) return;
    const Node& node = member->value;
    if (node.kind == Node::Kind::integer) {
        out = static_cast<double>(node.integer);
    } else if (node.kind == Node::Kind::number && std::isfinite(node.number)) {
        out = node.number;
    } else {
        refuse(key, describe(node), "a number");
    }
}

void Form::duration(std::string_view key, Duration least, Duration most, Duration& out) {
    const std::string allowed =
        fmt::format("a duration with its unit from {}s to {}s, such as \"{}\"",
                    std::llround(to_seconds(least)), std::llround(to_seconds(most)), "12s");
    const Node* const node = value(key, Node::Kind::text, allowed);
    if (!node) return;
    const auto parsed = parse_duration(node->text);
    if (!parsed || *parsed < least || *parsed > most) return refuse(key, describe(*node), allowed);
    out = *parsed;
}

const Node* Form::list(std::string_view key, std::size_t most) {
    const Node* const node = value(key, Node::Kind::list, "a list");
    if (node && node->items.size() > most) {
        refuse(key, fmt::format("{} items", node->items.size()), fmt::format("at most {}", most));
        return nullptr;
    }
    return node;
}

const Node* Form::table(std::string_view key) { return value(key, Node::Kind::table, "a table"); }

void Form::titles(std::string_view key, std::size_t most, std::vector<std::string>& out) {
    const Node* const node = list(key, most);
    if (!node) return;
    std::vector<std::string> read;
    for (const Node& item : node->items) {
        const auto clean =
            item.kind == Node::Kind::text ? clean_text(item.text, Lines::one) : std::nullopt;
        if (!clean || clean->empty() || clean->size() > most_title_characters) {
            return reading_.fail(item.place, path(key),
                                 fmt::format("found {}; allowed: one line of text of 1 to 200 "
                                             "characters",
                                             describe(item)));
        }
        read.push_back(*clean);
    }
    out = std::move(read);
}

std::vector<const Node*> tables_of(Reading& reading, const Node& root, std::string_view key,
                                   std::size_t most) {
    std::vector<const Node*> tables;
    const Member* const member = root.find(key);
    if (!member) return tables;
    const Node& node = member->value;
    const auto refuse = [&](Place place, std::string_view found, std::string_view allowed) {
        reading.fail(place, key, fmt::format("found {}; allowed: {}", found, allowed));
    };
    if (node.kind != Node::Kind::list) {
        refuse(member->place, describe(node), fmt::format("tables, each under [[{}]]", key));
        return tables;
    }
    if (node.items.size() > most) {
        refuse(member->place, fmt::format("{} tables", node.items.size()),
               fmt::format("at most {}", most));
        return tables;
    }
    for (const Node& item : node.items) {
        if (item.kind != Node::Kind::table) refuse(item.place, describe(item), "a table");
        tables.push_back(&item);
    }
    return tables;
}

}  // namespace lab::scenario
