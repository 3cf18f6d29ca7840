// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/expression.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "lab/settings.hpp"
#include "lab/text.hpp"

namespace lab {

struct Expression::Node {
    char op = 'n';  ///< 'n' number, 'q' quantity, '~' sign change, else the operator
    double number = 0;
    std::string variant, quantity;
    std::shared_ptr<const Node> left, right;
};

namespace {

constexpr std::size_t longest_text = 256;
constexpr int deepest = 32;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_variant(std::string_view name) {
    return name.size() == 1 && name[0] >= 'A' && name[0] <= 'Z';
}

/// Recursive descent: sum = product (('+' | '-') product)*, product = sign (('*' | '/') sign)*,
/// sign = '-' sign | number | name | '(' sum ')'. `N` is the node, which is private to Expression.
template <class N>
class Parser {
  public:
    using Ptr = std::shared_ptr<const N>;
    explicit Parser(std::string_view text) : text_{text} {}

    Result<Ptr> parse() {
        auto whole = sum(0);
        if (!whole) return whole;
        skip_blanks();
        if (at_ < text_.size()) return refuse("the end, or one of + - * /");
        return whole;
    }

  private:
    std::string_view text_;
    std::size_t at_ = 0;

    void skip_blanks() {
        while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    }
    char peek() {
        skip_blanks();
        return at_ < text_.size() ? text_[at_] : '\0';
    }
    Error fault(std::string detail) const {
        return {ErrorCode::invalid_input, fmt::format("column {}", at_ + 1), std::move(detail)};
    }
    Error refuse(std::string_view allowed) const {
        const auto found =
            at_ < text_.size() ? in_quotes(text_.substr(at_, 1)) : std::string("the end");
        return fault(fmt::format("found {}; allowed: {}", found, allowed));
    }

    static Ptr binary(char op, Ptr left, Ptr right) {
        N node;
        node.op = op;
        node.left = std::move(left);
        node.right = std::move(right);
        return std::make_shared<const N>(std::move(node));
    }

    Result<Ptr> chain(char first, char second, Result<Ptr> (Parser::*operand)(int), int depth) {
        auto left = (this->*operand)(depth);
        while (left) {
            const char op = peek();
            if (op != first && op != second) break;
            ++at_;
            auto right = (this->*operand)(depth);
            if (!right) return right;
            left = binary(op, *left, *right);
        }
        return left;
    }
    Result<Ptr> sum(int depth) { return chain('+', '-', &Parser::product, depth); }
    Result<Ptr> product(int depth) { return chain('*', '/', &Parser::sign, depth); }

    Result<Ptr> sign(int depth) {
        if (depth > deepest) {
            return fault(fmt::format("nested more than {0} deep; allowed: {0}", deepest));
        }
        const char c = peek();
        if (c == '-') {
            ++at_;
            auto operand = sign(depth + 1);
            if (!operand) return operand;
            return binary('~', *operand, nullptr);
        }
        if (c == '(') {
            ++at_;
            auto inner = sum(depth + 1);
            if (!inner) return inner;
            if (peek() != ')') return refuse("\")\"");
            ++at_;
            return inner;
        }
        if (is_digit(c)) return number();
        if (is_letter(c)) return name();
        return refuse("a number, a name such as B.throughput, \"-\" or \"(\"");
    }

    Result<Ptr> number() {
        N node;
        const char* const begin = text_.data() + at_;
        const auto [rest, problem] = std::from_chars(begin, text_.data() + text_.size(),
                                                     node.number, std::chars_format::fixed);
        if (problem != std::errc{} || !std::isfinite(node.number)) return refuse("a number");
        at_ += static_cast<std::size_t>(rest - begin);
        if (at_ < text_.size() && (is_letter(text_[at_]) || text_[at_] == '.')) {
            return refuse("an operator behind a number");
        }
        return std::make_shared<const N>(std::move(node));
    }

    Result<Ptr> name() {
        std::size_t end = at_;
        while (end < text_.size() &&
               (is_letter(text_[end]) || is_digit(text_[end]) || text_[end] == '.')) {
            ++end;
        }
        const std::string_view word = text_.substr(at_, end - at_);
        const auto dot = word.find('.');
        if (dot == std::string_view::npos || !is_variant(word.substr(0, dot))) {
            return fault(
                fmt::format("found {}; allowed: a run's letter, a dot and a quantity, such "
                            "as B.throughput",
                            in_quotes(word)));
        }
        const std::string_view wanted = word.substr(dot + 1);
        const QuantityInfo* const info = find_quantity(wanted);
        if (!info) return unknown(wanted);
        N node;
        node.op = 'q';
        node.variant = std::string(word.substr(0, dot));
        node.quantity = std::string(info->name);
        at_ = end;
        return std::make_shared<const N>(std::move(node));
    }

    Error unknown(std::string_view wanted) const {
        std::vector<std::string_view> known;
        for (const QuantityInfo& row : quantities_table()) {
            known.push_back(row.short_name);
            if (row.name != row.short_name) known.push_back(row.name);
        }
        std::string detail = fmt::format("there is no quantity {}", in_quotes(wanted));
        const auto nearest = did_you_mean(wanted, known);
        if (!nearest.empty()) detail += fmt::format("; did you mean {}?", nearest);
        return fault(std::move(detail));
    }
};

template <class N>
Result<double> value_of(const N& node, const Expression::Lookup& lookup) {
    if (node.op == 'n') return node.number;
    if (node.op == 'q') return lookup(node.variant, node.quantity);
    const auto left = value_of(*node.left, lookup);
    if (!left) return left;
    if (node.op == '~') return -*left;
    const auto right = value_of(*node.right, lookup);
    if (!right) return right;
    switch (node.op) {
        case '+':
            return *left + *right;
        case '-':
            return *left - *right;
        case '*':
            return *left * *right;
        default:
            break;
    }
    if (*right == 0) return Error{ErrorCode::no_samples, "", "the divisor is 0"};
    return *left / *right;
}

template <class N>
void collect(const N& node, std::set<std::string>& names) {
    if (node.op == 'q') names.insert(node.variant);
    if (node.left) collect(*node.left, names);
    if (node.right) collect(*node.right, names);
}

}  // namespace

Result<Expression> Expression::parse(std::string_view text) {
    if (text.size() > longest_text) {
        return Error{ErrorCode::invalid_input, fmt::format("column {}", longest_text + 1),
                     fmt::format("found {} characters; allowed: {}", text.size(), longest_text)};
    }
    auto root = Parser<Node>(text).parse();
    if (!root) return root.error();
    Expression expression;
    expression.root_ = *root;
    return expression;
}

Result<double> Expression::evaluate(const Lookup& lookup) const {
    if (!root_) return Error{ErrorCode::invalid_input, "", "the expression is empty"};
    return value_of(*root_, lookup);
}

std::vector<std::string> Expression::variants() const {
    std::set<std::string> names;
    if (root_) collect(*root_, names);
    return {names.begin(), names.end()};
}

}  // namespace lab
