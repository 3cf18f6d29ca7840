// SPDX-License-Identifier: GPL-3.0-or-later
// Which row a request's key means. One rule for the workers, the updates and the truth.
#pragma once

#include <algorithm>
#include <cstdint>

#include "lab/model.hpp"

namespace lab::core {

/// Rows of one category (a little more where the products do not divide by it).
inline constexpr int rows_of_category = 400;

/// Keys are spread over the table: neighbours in popularity are no neighbours on a page. Different
/// keys mean different products as long as there are no more keys than products, because the
/// multiplier is a prime above every allowed number of products.
///
/// Products are numbered from 1. Threads: any, immutable.
class Keyspace {
  public:
    explicit Keyspace(int products) : products_{static_cast<std::uint64_t>(products)} {}

    [[nodiscard]] std::int64_t product_of(std::uint64_t key) const {
        return static_cast<std::int64_t>((key % products_) * 2'654'435'761U % products_) + 1;
    }
    /// The category of the product with this key: an update of a key's product changes the key's
    /// category too. Different keys mean different categories as long as there are no more keys
    /// than categories and the products are a multiple of the categories (200,000 products, 500
    /// categories: they are).
    [[nodiscard]] std::int32_t category_of(std::uint64_t key) const {
        return category_of_product(product_of(key));
    }
    /// A category's rows lie scattered over the table, as rows that were added over the years do.
    [[nodiscard]] std::int32_t category_of_product(std::int64_t product) const {
        return static_cast<std::int32_t>((static_cast<std::uint64_t>(product) - 1) %
                                         static_cast<std::uint64_t>(categories()));
    }
    /// A product's row, or a category's rows, as what an answer was made from.
    [[nodiscard]] std::uint64_t row_of(QueryKind query, std::uint64_t key) const {
        constexpr std::uint64_t category = std::uint64_t{1} << 63U;
        if (query != QueryKind::products_by_category) {
            return static_cast<std::uint64_t>(product_of(key));
        }
        return category | static_cast<std::uint64_t>(category_of(key));
    }
    /// Any row of the table, as what an answer was made from.
    [[nodiscard]] static constexpr std::uint64_t whole_table() { return std::uint64_t{1} << 62U; }
    [[nodiscard]] std::int32_t categories() const {
        const auto whole = products_ / static_cast<std::uint64_t>(rows_of_category);
        return whole == 0 ? 1 : static_cast<std::int32_t>(whole);
    }
    /// The first product of a page of so many: the key's, or one before it at the table's end.
    [[nodiscard]] std::int64_t page_of(std::uint64_t key, std::uint32_t rows) const {
        const auto last = static_cast<std::int64_t>(products_) - rows + 1;
        return std::min(product_of(key), std::max<std::int64_t>(1, last));
    }
    [[nodiscard]] int products() const { return static_cast<int>(products_); }

  private:
    std::uint64_t products_;
};

}  // namespace lab::core
