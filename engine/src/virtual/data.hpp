// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <vector>

#include "core/keyspace.hpp"
#include "core/program.hpp"
#include "lab/model.hpp"
#include "lab/units.hpp"

namespace lab::virtual_time {

/// The rows of the database, of which virtual time knows only how often each has changed: the
/// number of the last change of a product, and of a category; and how far a replica has come.
/// Threads: one at a time.
class Data {
  public:
    explicit Data(int products) : keys_{products} {}

    [[nodiscard]] const core::Keyspace& keys() const { return keys_; }

    void change(std::uint64_t key, Instant now) {
        if (products_.empty()) {  // most runs change nothing and need no room for it
            products_.resize(static_cast<std::size_t>(keys_.products()) + 1);
            categories_.resize(static_cast<std::size_t>(keys_.categories()));
        }
        const std::int64_t product = keys_.product_of(key);
        ++last_;
        products_[static_cast<std::size_t>(product)] = last_;
        categories_[static_cast<std::size_t>(keys_.category_of_product(product))] = last_;
        if (lag_ > Duration{}) on_their_way_.push_back({now, last_});
    }
    /// Which change the answer to this question should at least have seen.
    [[nodiscard]] std::uint64_t committed(const core::AskedQuery& asked, std::uint64_t key) const {
        if (products_.empty()) return base_;
        switch (asked.kind) {
            case QueryKind::product_by_sku:
            case QueryKind::product_by_id:
                return newest(products_[static_cast<std::size_t>(keys_.product_of(key))]);
            case QueryKind::products_by_category:
                return newest(categories_[static_cast<std::size_t>(keys_.category_of(key))]);
            case QueryKind::products_under_price:
                return last_;
            case QueryKind::reviews_per_product:
            case QueryKind::reviews_in_batch:
            case QueryKind::reviews_joined:
                break;
        }
        return newest_on_page(key, asked.times);
    }
    /// The last change that is surely seen by who reads now: of the replica, where there is one.
    [[nodiscard]] std::uint64_t seen(Instant now) {
        if (lag_ <= Duration{}) return last_;
        while (!on_their_way_.empty() && on_their_way_.front().at + lag_ <= now) {
            applied_ = on_their_way_.front().number;
            on_their_way_.pop_front();
        }
        return applied_;
    }
    /// A replica that is so far behind is read; 0: none. A new one is a copy of what there is.
    void set_lag(Duration lag) {
        if (lag_ <= Duration{}) applied_ = last_;
        if (lag <= Duration{}) on_their_way_.clear();
        lag_ = lag;
    }
    /// Another table takes its place: everything in it is newer than anything in the old one.
    void replace(int products) {
        keys_ = core::Keyspace{products};
        products_.clear();
        categories_.clear();
        on_their_way_.clear();
        base_ = applied_ = ++last_;
    }
    [[nodiscard]] std::uint64_t changes() const { return changes_; }
    void count_change() { ++changes_; }

  private:
    struct Change {
        Instant at{};
        std::uint64_t number = 0;
    };
    [[nodiscard]] std::uint64_t newest(std::uint64_t change) const {
        return std::max(change, base_);
    }
    [[nodiscard]] std::uint64_t newest_on_page(std::uint64_t key, std::uint32_t rows) const {
        const auto first = static_cast<std::size_t>(keys_.page_of(key, rows));
        std::uint64_t last = base_;
        for (std::size_t row = first; row < first + rows && row < products_.size(); ++row) {
            last = std::max(last, products_[row]);
        }
        return last;
    }

    core::Keyspace keys_;
    std::uint64_t base_ = 0;
    std::uint64_t last_ = 0;
    std::uint64_t changes_ = 0;
    std::vector<std::uint64_t> products_;
    std::vector<std::uint64_t> categories_;
    Duration lag_{};
    std::uint64_t applied_ = 0;
    std::deque<Change> on_their_way_;
};

}  // namespace lab::virtual_time
