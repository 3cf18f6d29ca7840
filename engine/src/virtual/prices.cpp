// SPDX-License-Identifier: GPL-3.0-or-later
#include "virtual/prices.hpp"

#include <algorithm>

#include "core/keyspace.hpp"

namespace lab::virtual_time {

namespace {

/// The generated products have 1, 2 or 3 reviews, each as likely.
constexpr std::uint32_t reviews_of_product = 2;

}  // namespace

bool Prices::scans(QueryKind kind) const {
    switch (kind) {
        case QueryKind::product_by_sku:
        case QueryKind::products_by_category:
            return !database_.index || database_.access == Access::scan;
        case QueryKind::products_under_price:
            // The planner takes an index wherever there is one: it does not know how many rows
            // match.
            return database_.price_indexes == 0 || database_.access == Access::scan;
        case QueryKind::product_by_id:
        case QueryKind::reviews_per_product:
        case QueryKind::reviews_in_batch:
        case QueryKind::reviews_joined:
            break;
    }
    return false;
}

/// Rows that match.
std::uint32_t Prices::found(const core::AskedQuery& asked) const {
    const auto products = static_cast<std::uint32_t>(database_.products);
    const std::uint32_t page = std::min(asked.times, products);
    switch (asked.kind) {
        case QueryKind::product_by_sku:
        case QueryKind::product_by_id:
            return 1;
        case QueryKind::products_by_category:
            return products /
                   static_cast<std::uint32_t>(core::Keyspace{database_.products}.categories());
        case QueryKind::products_under_price:
            return static_cast<std::uint32_t>(std::uint64_t{products} * asked.share / 1'000);
        case QueryKind::reviews_per_product:
            return asked.trip == 0 ? page : reviews_of_product;
        case QueryKind::reviews_in_batch:
            return asked.trip == 0 ? page : page * reviews_of_product;
        case QueryKind::reviews_joined:
            return page * reviews_of_product;
    }
    return 1;
}

Prices::Question Prices::question(const core::AskedQuery& asked) const {
    Question made;
    const std::uint32_t matching = found(asked);
    const bool sums = asked.kind == QueryKind::products_under_price;
    made.rows = sums ? 1 : matching;
    made.cpu = costs_.query;
    if (scans(asked.kind)) {
        made.touched = static_cast<std::uint64_t>(database_.products);
        made.cpu += costs_.scan_row * database_.products;
        // What a scan sums up it has in hand already; what it returns is still to be read.
        if (!sums) made.cpu += costs_.read_row * matching;
    } else {
        made.touched = matching;
        made.cpu += costs_.read_row * matching;
    }
    return made;
}

}  // namespace lab::virtual_time
