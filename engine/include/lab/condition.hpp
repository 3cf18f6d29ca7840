// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/expression.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lab {

/// A statement over the results of named variants that is true or not: what a claim says and what a
/// target asks for. "B.throughput / A.throughput in 3.9 .. 4.1", "A.p99 < 50ms and A.errors < 1".
///
/// Comparisons < <= > >= of two expressions, `in a .. b`, and `and` before `or`; parentheses.
/// Numbers may carry the unit of the quantity they stand beside: 50ms, 2s, 20/s, 5%. Limits as for
/// Expression. Threads: any, immutable.
class Condition {
  public:
    struct Verdict {
        bool holds = false;
        /// How far from turning over, as a share of the greater side; below zero where it is false.
        double margin = 0;
    };
    /// `variant` stands before names without a letter: "p99 < 50ms" of a target.
    /// Errors: invalid_input, with the column in `where`.
    [[nodiscard]] static Result<Condition> parse(std::string_view text,
                                                 std::string_view variant = {});
    /// Errors: those of `lookup`; no_samples where a divisor is 0.
    [[nodiscard]] Result<Verdict> evaluate(const Expression::Lookup& lookup) const;
    /// The variants it names, sorted.
    [[nodiscard]] std::vector<std::string> variants() const;
    /// The quantities it names, by full name, in order, each once.
    [[nodiscard]] std::vector<std::string> quantities() const;
    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    std::shared_ptr<const ExpressionNode> root_;
    std::string text_;
};

}  // namespace lab
