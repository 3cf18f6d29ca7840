// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

#include "core/program.hpp"
#include "lab/model.hpp"
#include "lab/units.hpp"

namespace lab::virtual_time {

/// What the effects of a request cost under one set of settings. Threads: any, immutable.
class Prices {
  public:
    Prices(const Costs& costs, const Database& database) : costs_{costs}, database_{database} {}

    [[nodiscard]] const Costs& each() const { return costs_; }
    /// What one round trip of a query finds, passes and costs.
    struct Question {
        std::uint32_t rows = 0;     ///< returned
        std::uint64_t touched = 0;  ///< passed by a scan or found by a search
        Duration cpu{};
    };
    [[nodiscard]] Question question(const core::AskedQuery& asked) const;
    /// A row changed and committed; each index that holds the price changes with it, for which the
    /// price of a query without rows is taken: it is one more descent of a tree.
    [[nodiscard]] Duration update() const {
        return costs_.update + costs_.query * database_.price_indexes;
    }
    [[nodiscard]] Duration render(std::uint32_t rows) const {
        return costs_.render + costs_.render_row * rows;
    }
    [[nodiscard]] Duration body(std::uint64_t bytes) const {
        return costs_.body_kb * static_cast<std::int64_t>(bytes) / 1'000;
    }
    /// Whether the rows are found by passing all of them.
    [[nodiscard]] bool scans(QueryKind kind) const;

  private:
    [[nodiscard]] std::uint32_t found(const core::AskedQuery& asked) const;

    Costs costs_;
    Database database_;
};

}  // namespace lab::virtual_time
