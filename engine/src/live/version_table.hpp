// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

#include "core/keyspace.hpp"
#include "core/program.hpp"

namespace lab::live {

/// The number of the last commit that changed a product, and a category. Set right after COMMIT, so
/// that it never exceeds what a reader who begins now would see.
///
/// Threads: any (atomics).
class VersionTable {
  public:
    /// `base`: the version of a row that nobody has changed yet. A database that takes another's
    /// place while the run goes on begins where that one had come to.
    VersionTable(const core::Keyspace& keys, std::uint64_t base)
        : keys_{keys},
          base_{base},
          last_{base},
          committed_{base},
          products_(static_cast<std::size_t>(keys.products()) + 1),
          categories_(static_cast<std::size_t>(keys.categories())) {}

    /// The number for a change that is about to be committed. Call it inside the write transaction,
    /// so that numbers and commits have the same order.
    [[nodiscard]] std::uint64_t take_next() { return last_.fetch_add(1) + 1; }
    /// The change `version` of `product` has been committed.
    void set(std::int64_t product, std::uint64_t version) {
        raise(committed_, version);
        raise(products_[static_cast<std::size_t>(product)], version - base_);
        raise(categories_[static_cast<std::size_t>(keys_.category_of_product(product))],
              version - base_);
    }
    [[nodiscard]] std::uint64_t of(const core::AskedQuery& asked, std::uint64_t key) const {
        switch (asked.kind) {
            case QueryKind::product_by_sku:
            case QueryKind::product_by_id:
                return base_ + products_[static_cast<std::size_t>(keys_.product_of(key))].load();
            case QueryKind::products_by_category:
                return base_ + categories_[static_cast<std::size_t>(keys_.category_of(key))].load();
            case QueryKind::products_under_price:
                return committed_.load();
            case QueryKind::reviews_per_product:
            case QueryKind::reviews_in_batch:
            case QueryKind::reviews_joined:
                break;
        }
        return base_ + newest_on_page(key, asked.times);
    }
    /// Of the last change that is surely seen by who begins to read now.
    [[nodiscard]] std::uint64_t committed() const { return committed_.load(); }
    [[nodiscard]] std::uint64_t base() const { return base_; }
    [[nodiscard]] std::uint64_t last() const { return last_.load(); }

  private:
    /// Two writers may arrive here in the other order than that in which they committed.
    static void raise(std::atomic<std::uint64_t>& cell, std::uint64_t value) {
        std::uint64_t seen = cell.load();
        while (seen < value && !cell.compare_exchange_weak(seen, value)) {
        }
    }

    [[nodiscard]] std::uint64_t newest_on_page(std::uint64_t key, std::uint32_t rows) const {
        const auto first = static_cast<std::size_t>(keys_.page_of(key, rows));
        std::uint64_t newest = 0;
        for (std::size_t row = first; row < first + rows && row < products_.size(); ++row) {
            newest = std::max(newest, products_[row].load());
        }
        return newest;
    }

    core::Keyspace keys_;
    std::uint64_t base_;
    std::atomic<std::uint64_t> last_;
    std::atomic<std::uint64_t> committed_;
    std::vector<std::atomic<std::uint64_t>> products_;
    std::vector<std::atomic<std::uint64_t>> categories_;
};

}  // namespace lab::live
