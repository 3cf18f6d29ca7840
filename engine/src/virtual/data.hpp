// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/keyspace.hpp"
#include "lab/model.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace lab::virtual_time {

/// The rows of the database, of which virtual time knows only how often each has changed: the
/// number of the last change of a product, and of a category. Threads: one at a time.
class Data {
  public:
    explicit Data(int products) : keys_{products} {}

    void change(std::uint64_t key) {
        if (products_.empty()) {  // most runs change nothing and need no room for it
            products_.resize(static_cast<std::size_t>(keys_.products()) + 1);
            categories_.resize(static_cast<std::size_t>(keys_.categories()));
        }
        const std::int64_t product = keys_.product_of(key);
        ++last_;
        products_[static_cast<std::size_t>(product)] = last_;
        categories_[static_cast<std::size_t>(keys_.category_of_product(product))] = last_;
    }
    /// What a query for this key would read right now.
    [[nodiscard]] std::uint64_t version(QueryKind query, std::uint64_t key) const {
        if (products_.empty()) return base_;
        const std::uint64_t last =
            query == QueryKind::products_by_category
                ? categories_[static_cast<std::size_t>(keys_.category_of(key))]
                : products_[static_cast<std::size_t>(keys_.product_of(key))];
        return std::max(last, base_);
    }
    /// Another table takes its place: everything in it is newer than anything in the old one.
    void replace(int products) {
        keys_ = core::Keyspace{products};
        products_.clear();
        categories_.clear();
        base_ = ++last_;
    }
    [[nodiscard]] std::uint64_t changes() const { return changes_; }
    void count_change() { ++changes_; }

  private:
    core::Keyspace keys_;
    std::uint64_t base_ = 0;
    std::uint64_t last_ = 0;
    std::uint64_t changes_ = 0;
    std::vector<std::uint64_t> products_;
    std::vector<std::uint64_t> categories_;
};

}  // namespace lab::virtual_time
