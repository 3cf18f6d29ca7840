// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/expression.hpp"
#include "lab/condition.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "lab/settings.hpp"
#include "lab/text.hpp"

namespace lab {

struct ExpressionNode {
    /// 'n' number, 'q' quantity, '~' sign change, '<' '>' '{' '}' comparisons (the braces
    /// with equality), '&' and, '|' or, else the
    /// operator.
    char op = 'n';
    double number = 0;
    std::string variant, quantity;
    std::shared_ptr<const ExpressionNode> left, right;
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
/// sign = '-' sign | number | name | '(' sum ')'. And for conditions: either = both ('or' both)*,
/// both = relation ('and' relation)*, relation = '(' either ')' | sum ('<' | '<=' | '>' | '>=') sum
/// | sum 'in' sum '..' sum.
class Parser {
  public:
    using N = ExpressionNode;
    using Ptr = std::shared_ptr<const N>;
    /// `variant`: of names without a letter. `units`: numbers may carry one.
    explicit Parser(std::string_view text, std::string_view variant = {}, bool units = false)
        : text_{text}, variant_{variant}, units_{units} {}

    Result<Ptr> parse_condition() {
        auto whole = either(0);
        if (!whole) return whole;
        skip_blanks();
        if (at_ < text_.size()) return refuse("the end, \"and\" or \"or\"");
        return whole;
    }

    Result<Ptr> parse() {
        auto whole = sum(0);
        if (!whole) return whole;
        skip_blanks();
        if (at_ < text_.size()) return refuse("the end, or one of + - * /");
        return whole;
    }

  private:
    std::string_view text_;
    std::string_view variant_;
    bool units_ = false;
    std::size_t at_ = 0;

    /// Takes a word that stands alone.
    bool word(std::string_view wanted) {
        skip_blanks();
        if (!text_.substr(at_).starts_with(wanted)) return false;
        const std::size_t end = at_ + wanted.size();
        if (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]))) return false;
        at_ = end;
        return true;
    }
    Result<Ptr> either(int depth) { return words("or", '|', &Parser::both, depth); }
    Result<Ptr> both(int depth) { return words("and", '&', &Parser::relation, depth); }
    Result<Ptr> words(std::string_view joint, char op, Result<Ptr> (Parser::*operand)(int),
                      int depth) {
        auto left = (this->*operand)(depth);
        while (left && word(joint)) {
            auto right = (this->*operand)(depth);
            if (!right) return right;
            left = binary(op, *left, *right);
        }
        return left;
    }
    Result<Ptr> relation(int depth) {
        if (depth > deepest) {
            return fault(fmt::format("nested more than {0} deep; allowed: {0}", deepest));
        }
        if (peek() == '(') {  // round a condition; or round a sum, which is read below
            const std::size_t before = at_;
            ++at_;
            auto inner = either(depth + 1);
            if (inner && peek() == ')') {
                ++at_;
                return inner;
            }
            at_ = before;
        }
        auto left = sum(depth);
        if (!left) return left;
        char op = peek();
        if (op == '<' || op == '>') {
            const bool equal = text_.substr(at_ + 1).starts_with('=');
            at_ += equal ? 2 : 1;
            if (equal) op = op == '<' ? '{' : '}';
            auto right = sum(depth);
            return right ? Result<Ptr>(binary(op, *left, *right)) : right;
        }
        if (!word("in")) return refuse("one of < <= > >=, or \"in\"");
        auto least = sum(depth);
        if (!least) return least;
        if (peek() != '.' || !text_.substr(at_).starts_with("..")) return refuse("\"..\"");
        at_ += 2;
        auto most = sum(depth);
        if (!most) return most;
        return binary('&', binary('}', *left, *least), binary('{', *left, *most));
    }
    /// The unit behind a number, as a factor to the unit of the table (ms, per second, share).
    double unit() {
        using Unit = std::pair<std::string_view, double>;
        constexpr std::array<Unit, 7> known{Unit{"min", 60'000}, Unit{"ms", 1},    Unit{"us", 1e-3},
                                            Unit{"ns", 1e-6},    Unit{"s", 1'000}, Unit{"/s", 1},
                                            Unit{"%", 0.01}};
        for (const auto& [name, factor] : known) {
            if (!text_.substr(at_).starts_with(name)) continue;
            const std::size_t end = at_ + name.size();
            if (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]))) continue;
            at_ = end;
            return factor;
        }
        return 1;
    }

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
        const auto dots = [&] { return text_.substr(at_).starts_with(".."); };
        if (units_ && text_[at_ - 1] == '.' && !dots() && text_.substr(at_).starts_with('.')) --at_;
        if (units_) node.number *= unit();
        if (units_ && dots()) return std::make_shared<const N>(std::move(node));
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
        if (const QuantityInfo* const bare = variant_.empty() ? nullptr : find_quantity(word)) {
            at_ = end;
            return named(variant_, *bare);
        }
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
        at_ = end;
        return named(word.substr(0, dot), *info);
    }

    static Ptr named(std::string_view variant, const QuantityInfo& info) {
        N node;
        node.op = 'q';
        node.variant = std::string(variant);
        node.quantity = std::string(info.name);
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

Result<double> value_of(const ExpressionNode& node, const Expression::Lookup& lookup) {
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

/// Distance from turning over: positive where it holds.
Result<double> margin_of(const ExpressionNode& node, const Expression::Lookup& lookup) {
    if (node.op == '&' || node.op == '|') {
        const auto left = margin_of(*node.left, lookup);
        if (!left) return left;
        const auto right = margin_of(*node.right, lookup);
        if (!right) return right;
        return node.op == '&' ? std::min(*left, *right) : std::max(*left, *right);
    }
    const auto left = value_of(*node.left, lookup);
    if (!left) return left;
    const auto right = value_of(*node.right, lookup);
    if (!right) return right;
    const bool less = node.op == '<' || node.op == '{', strict = node.op == '<' || node.op == '>';
    const double apart = less ? *right - *left : *left - *right;
    if (strict && apart == 0) return -std::numeric_limits<double>::min();
    const double size = std::max(std::abs(*left), std::abs(*right));
    return size > 0 ? apart / size : 0.0;
}

void list_quantities(const ExpressionNode& node, std::vector<std::string>& names) {
    if (node.op == 'q' && std::ranges::find(names, node.quantity) == names.end())
        names.push_back(node.quantity);
    if (node.left) list_quantities(*node.left, names);
    if (node.right) list_quantities(*node.right, names);
}

void collect(const ExpressionNode& node, std::set<std::string>& names) {
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
    auto root = Parser(text).parse();
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

Result<Condition> Condition::parse(std::string_view text, std::string_view variant) {
    if (text.size() > longest_text) {
        return Error{ErrorCode::invalid_input, fmt::format("column {}", longest_text + 1),
                     fmt::format("found {} characters; allowed: {}", text.size(), longest_text)};
    }
    auto root = Parser(text, variant, true).parse_condition();
    if (!root) return root.error();
    Condition condition;
    condition.root_ = *root;
    condition.text_ = std::string(text);
    return condition;
}

Result<Condition::Verdict> Condition::evaluate(const Expression::Lookup& lookup) const {
    if (!root_) return Error{ErrorCode::invalid_input, "", "the condition is empty"};
    const auto margin = margin_of(*root_, lookup);
    if (!margin) return margin.error();
    return Verdict{*margin >= 0, *margin};
}

std::vector<std::string> Condition::variants() const {
    std::set<std::string> names;
    if (root_) collect(*root_, names);
    return {names.begin(), names.end()};
}

std::vector<std::string> Condition::quantities() const {
    std::vector<std::string> names;
    if (root_) list_quantities(*root_, names);
    return names;
}

}  // namespace lab
