// SPDX-License-Identifier: GPL-3.0-or-later
#include "virtual/prices.hpp"

#include <algorithm>

#include "core/keyspace.hpp"

namespace lab::virtual_time {

std::uint32_t Prices::rows(QueryKind kind) const {
    if (kind != QueryKind::products_by_category) return 1;
    return static_cast<std::uint32_t>(products_ / core::Keyspace{products_}.categories());
}

Duration Prices::query(QueryKind kind) const {
    const bool scans = !index_ && kind != QueryKind::product_by_id;
    const Duration scan = scans ? costs_.scan_row * products_ : Duration{};
    return costs_.query + scan + costs_.read_row * rows(kind);
}

}  // namespace lab::virtual_time
