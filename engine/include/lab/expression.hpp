// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/result.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lab {

struct ExpressionNode;

/// Arithmetic over the results of named variants: "B.throughput / A.throughput", "A.p99 - B.p99",
/// "A.counts.rejected". Operators + - * /, parentheses, numbers; names from the table of
/// quantities.
///
/// No code, no functions, at most 256 characters and 32 levels. Threads: any, immutable.
class Expression {
  public:
    /// The value of a quantity (a name or short name of the table) of a variant ("A").
    using Lookup =
        std::function<Result<double>(const std::string& variant, const std::string& quantity)>;

    /// Errors: invalid_input, with the column in `where`; unknown quantities with "did you mean".
    [[nodiscard]] static Result<Expression> parse(std::string_view text);
    /// Errors: those of `lookup`; no_samples where a divisor is 0.
    [[nodiscard]] Result<double> evaluate(const Lookup& lookup) const;
    /// The variants it names, sorted: {"A", "B"}.
    [[nodiscard]] std::vector<std::string> variants() const;

  private:
    std::shared_ptr<const ExpressionNode> root_;
};

}  // namespace lab
