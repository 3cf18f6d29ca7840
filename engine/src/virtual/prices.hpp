// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/model.hpp"
#include "lab/units.hpp"

#include <cstdint>

namespace lab::virtual_time {

/// What the effects of a request cost under one set of settings. Threads: any, immutable.
class Prices {
  public:
    Prices(const Costs& costs, const Database& database)
        : costs_{costs}, index_{database.index}, products_{database.products} {}

    [[nodiscard]] const Costs& each() const { return costs_; }
    /// Rows that a query of this kind returns.
    [[nodiscard]] std::uint32_t rows(QueryKind kind) const;
    /// CPU time of a query: it begins, scans where it must, and reads its rows.
    [[nodiscard]] Duration query(QueryKind kind) const;
    [[nodiscard]] Duration render(std::uint32_t rows) const {
        return costs_.render + costs_.render_row * rows;
    }
    [[nodiscard]] Duration body(std::uint64_t bytes) const {
        return costs_.body_kb * static_cast<std::int64_t>(bytes) / 1'000;
    }

  private:
    Costs costs_;
    bool index_;
    int products_;
};

}  // namespace lab::virtual_time
