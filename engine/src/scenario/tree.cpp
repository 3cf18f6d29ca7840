// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenario/tree.hpp"

#include <algorithm>
#include <exception>
#include <optional>

#include <fmt/format.h>

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_WINDOWS_COMPAT 0
#include <toml++/toml.h>

#include "lab/text.hpp"
#include "scenario/big_stack.hpp"

namespace lab::scenario {
namespace {

Place place_of(const toml::source_region& region) {
    return {std::max<std::uint32_t>(1, region.begin.line),
            std::max<std::uint32_t>(1, region.begin.column)};
}

/// Copies the parser's tree into ours, and holds it against the limits on the way.
class Copy {
  public:
    explicit Copy(const std::string& file) : file_{file} {}

    Result<Node> node(const toml::node& from, int depth) {
        Node to;
        to.place = place_of(from.source());
        if (depth > most_depth) {
            return refuse(to, fmt::format("found values nested more than {0} deep; allowed: {0}",
                                          most_depth));
        }
        if (++nodes_ > most_nodes) {
            return refuse(to, fmt::format("found more than {0} values; allowed: {0}",
                                          show_count(most_nodes)));
        }
        if (const auto* table = from.as_table()) return members(std::move(to), *table, depth);
        if (const auto* array = from.as_array()) return items(std::move(to), *array, depth);
        return scalar(std::move(to), from);
    }

  private:
    const std::string& file_;
    std::size_t nodes_ = 0;

    Error refuse(const Node& at, std::string detail) const {
        return {ErrorCode::invalid_input, where(file_, at.place), std::move(detail)};
    }

    Result<Node> members(Node to, const toml::table& from, int depth) {
        to.kind = Node::Kind::table;
        for (const auto& [key, value] : from) {
            auto copy = node(value, depth + 1);
            if (!copy) return copy;
            to.members.push_back(
                {std::string(key.str()), place_of(key.source()), std::move(copy.value())});
        }
        std::stable_sort(to.members.begin(), to.members.end(),
                         [](const Member& a, const Member& b) { return a.place < b.place; });
        return to;
    }

    Result<Node> items(Node to, const toml::array& from, int depth) {
        to.kind = Node::Kind::list;
        if (from.size() > most_list_items) {
            return refuse(to, fmt::format("found a list of {} items; allowed: {}",
                                          show_count(static_cast<std::int64_t>(from.size())),
                                          show_count(most_list_items)));
        }
        for (const auto& value : from) {
            auto copy = node(value, depth + 1);
            if (!copy) return copy;
            to.items.push_back(std::move(copy.value()));
        }
        return to;
    }

    Result<Node> scalar(Node to, const toml::node& from) const {
        if (const auto* text = from.as_string()) {
            to.kind = Node::Kind::text;
            if (text->get().size() > most_text_bytes) {
                return refuse(to,
                              fmt::format("found a text of {} bytes; allowed: {} (64 KiB)",
                                          show_count(static_cast<std::int64_t>(text->get().size())),
                                          show_count(most_text_bytes)));
            }
            to.text = text->get();
        } else if (const auto* integer = from.as_integer()) {
            to.kind = Node::Kind::integer;
            to.integer = integer->get();
        } else if (const auto* number = from.as_floating_point()) {
            to.kind = Node::Kind::number;
            to.number = number->get();
        } else if (const auto* boolean = from.as_boolean()) {
            to.kind = Node::Kind::boolean;
            to.boolean = boolean->get();
        } else {
            to.kind = Node::Kind::date;
        }
        return to;
    }
};

Result<Node> parse_here(std::string_view text, const std::string& file) {
    const toml::parse_result parsed = toml::parse(text);
    if (!parsed) {
        const toml::parse_error& error = parsed.error();
        return Error{ErrorCode::invalid_input, where(file, place_of(error.source())),
                     fmt::format("this is not TOML: {}", escaped(error.description()))};
    }
    return Copy(file).node(parsed.table(), 0);
}

}  // namespace

const Member* Node::find(std::string_view key) const {
    for (const Member& member : members) {
        if (member.key == key) return &member;
    }
    return nullptr;
}

std::string describe(const Node& node) {
    switch (node.kind) {
        case Node::Kind::boolean:
            return node.boolean ? "true" : "false";
        case Node::Kind::integer:
            return fmt::format("{}", node.integer);
        case Node::Kind::number:
            return write_number(node.number);
        case Node::Kind::text:
            return in_quotes(node.text);
        case Node::Kind::date:
            return "a date";
        case Node::Kind::list:
            return "a list";
        case Node::Kind::table:
            break;
    }
    return "a table";
}

std::string where(const std::string& file, Place place, std::string_view key) {
    std::string text = fmt::format("{}:{}:{}", escaped(file), place.line, place.column);
    if (!key.empty()) text += fmt::format(": {}", escaped(key));
    return text;
}

Result<Node> parse_tree(std::string_view text, const std::string& file) {
    if (const auto fit = prescan(text, file); !fit) return fit.error();
    std::optional<Result<Node>> tree;
    const auto ran = on_big_stack([&] {
        try {
            tree = parse_here(text, file);
        } catch (
            const std::exception& problem) {  // memory has run out: the parser itself throws not
            tree = Error{ErrorCode::no_resources, escaped(file), problem.what()};
        }
    });
    if (!ran) return ran.error();
    return std::move(*tree);
}

}  // namespace lab::scenario
