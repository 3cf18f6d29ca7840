// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/query_text.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "live/database_template.hpp"

namespace lab::live {

namespace {

constexpr std::string_view columns = "id, name, price, category, version";

/// All begin with the price: none of them can serve a look-up by another column.
constexpr std::array<std::string_view, most_price_indexes> price_index_columns{
    "price",
    "price, name",
    "price, category",
    "price, sku",
    "price, sku, category",
    "price, name, category",
    "price, category, name",
    "price, description"};

std::string_view index_of(QueryKind query, const Indexes& has) {
    switch (query) {
        case QueryKind::product_by_sku:
            return has.look_up ? "product_sku" : "";
        case QueryKind::products_by_category:
            return has.look_up ? "product_category" : "";
        case QueryKind::products_under_price:
            return has.price > 0 ? "product_price_1" : "";
        default:
            return "";
    }
}

/// " INDEXED BY product_sku", " NOT INDEXED", or nothing.
std::string hint(QueryKind query, Access access, const Indexes& has) {
    const std::string_view index = index_of(query, has);
    if (index.empty() || access == Access::planner) return {};
    return access == Access::scan ? " NOT INDEXED" : fmt::format(" INDEXED BY {}", index);
}

std::string reviews_of_many(std::uint32_t products) {
    std::string sql = "SELECT product, stars FROM review WHERE product IN (";
    for (std::uint32_t i = 1; i <= products; ++i) sql += fmt::format("{}?{}", i > 1 ? "," : "", i);
    return sql + ")";
}

void bind_text(sqlite3_stmt* statement, const std::string& text) {
    sqlite3_bind_text(statement, 1, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

}  // namespace

std::string index_statements(const Indexes& wanted) {
    std::string sql;
    const auto one = [&sql](bool there, std::string_view name, std::string_view on) {
        sql += there ? fmt::format("CREATE INDEX IF NOT EXISTS {} ON product({});", name, on)
                     : fmt::format("DROP INDEX IF EXISTS {};", name);
    };
    one(wanted.look_up, "product_sku", "sku");
    one(wanted.look_up, "product_category", "category");
    for (int i = 0; i < most_price_indexes; ++i) {
        one(i < wanted.price, fmt::format("product_price_{}", i + 1),
            price_index_columns[static_cast<std::size_t>(i)]);
    }
    return sql;
}

std::string sql_of(const core::AskedQuery& asked, Access access, const Indexes& has) {
    // No LIMIT: without the index a look-up reads the whole table, wherever its row lies.
    const std::string how = hint(asked.kind, access, has);
    switch (asked.kind) {
        case QueryKind::product_by_sku:
            return fmt::format("SELECT {} FROM product{} WHERE sku = ?1", columns, how);
        case QueryKind::product_by_id:
            return fmt::format("SELECT {} FROM product WHERE id = ?1", columns);
        case QueryKind::products_by_category:
            return fmt::format("SELECT {} FROM product{} WHERE category = ?1", columns, how);
        case QueryKind::products_under_price:
            return fmt::format(
                "SELECT count(*), avg(price), max(version) FROM product{} WHERE price < ?1", how);
        case QueryKind::reviews_joined:
            return "SELECT p.id, p.name, p.price, p.category, p.version, r.stars FROM product p "
                   "LEFT JOIN review r ON r.product = p.id WHERE p.id >= ?1 AND p.id < ?2 "
                   "ORDER BY p.id";
        case QueryKind::reviews_per_product:
            if (asked.trip > 0) return "SELECT product, stars FROM review WHERE product = ?1";
            break;
        case QueryKind::reviews_in_batch:
            if (asked.trip > 0) return reviews_of_many(asked.times);
            break;
    }
    return fmt::format("SELECT {} FROM product WHERE id >= ?1 AND id < ?2 ORDER BY id", columns);
}

std::uint64_t statement_id(const core::AskedQuery& asked, Access access, const Indexes& has) {
    const bool hinted = !index_of(asked.kind, has).empty() && access != Access::planner;
    const bool batch = asked.kind == QueryKind::reviews_in_batch && asked.trip > 0;
    return static_cast<std::uint64_t>(asked.kind) |
           (hinted ? static_cast<std::uint64_t>(access) : 0U) << 4 |
           static_cast<std::uint64_t>(asked.trip > 0) << 6 |
           static_cast<std::uint64_t>(batch ? asked.times : 0U) << 7;
}

void bind_question(sqlite3_stmt* statement, const core::AskedQuery& asked, std::uint64_t key,
                   const core::Keyspace& keys, const std::vector<ProductRow>& rows) {
    const auto product_at = [&rows](std::size_t i) { return i < rows.size() ? rows[i].id : 0; };
    switch (asked.kind) {
        case QueryKind::product_by_sku:
            return bind_text(statement, sku_of(keys.product_of(key)));
        case QueryKind::product_by_id:
            sqlite3_bind_int64(statement, 1, keys.product_of(key));
            return;
        case QueryKind::products_by_category:
            sqlite3_bind_int(statement, 1, keys.category_of(key));
            return;
        case QueryKind::products_under_price:
            sqlite3_bind_int64(statement, 1, least_price + price_range * asked.share / 1'000);
            return;
        case QueryKind::reviews_per_product:
            if (asked.trip == 0) break;
            sqlite3_bind_int64(statement, 1, product_at(asked.trip - 1));
            return;
        case QueryKind::reviews_in_batch:
            if (asked.trip == 0) break;
            for (std::uint32_t i = 0; i < asked.times; ++i) {
                sqlite3_bind_int64(statement, static_cast<int>(i) + 1, product_at(i));
            }
            return;
        case QueryKind::reviews_joined:
            break;
    }
    const std::int64_t first = keys.page_of(key, asked.times);
    sqlite3_bind_int64(statement, 1, first);
    sqlite3_bind_int64(statement, 2, first + asked.times);
}

bool RowReader::asks_for_reviews() const {
    return asked_.trip > 0 && (asked_.kind == QueryKind::reviews_per_product ||
                               asked_.kind == QueryKind::reviews_in_batch);
}

void RowReader::take(sqlite3_stmt* statement) {
    ++found_;
    if (asked_.kind == QueryKind::products_under_price) return take_sum(statement);
    if (asks_for_reviews()) return take_review(statement);
    take_product(statement);
}

void RowReader::take_product(sqlite3_stmt* statement) {
    constexpr int name = 1, price = 2, category = 3, version = 4, stars = 5;
    const std::int64_t id = sqlite3_column_int64(statement, 0);
    const bool joined = asked_.kind == QueryKind::reviews_joined;
    if (!joined || count_ == 0 || rows_[count_ - 1].id != id) {
        if (rows_.size() == count_) rows_.emplace_back();
        ProductRow& row = rows_[count_++];
        row.id = id;
        const auto* const text =
            reinterpret_cast<const char*>(sqlite3_column_text(statement, name));
        row.name.assign(text == nullptr ? "" : text);
        row.price = sqlite3_column_int64(statement, price);
        row.category = sqlite3_column_int(statement, category);
        row.reviews = row.stars = 0;
    }
    version_ =
        std::max(version_, static_cast<std::uint64_t>(sqlite3_column_int64(statement, version)));
    if (!joined || sqlite3_column_type(statement, stars) == SQLITE_NULL) return;
    ++rows_[count_ - 1].reviews;
    rows_[count_ - 1].stars += sqlite3_column_int(statement, stars);
}

/// One row: how many, their mean price, the last change.
void RowReader::take_sum(sqlite3_stmt* statement) {
    rows_.assign(1, {});
    count_ = 1;
    rows_[0].id = sqlite3_column_int64(statement, 0);
    rows_[0].name = "products under the price";
    rows_[0].price = sqlite3_column_int64(statement, 1);
    found_ = static_cast<std::uint64_t>(rows_[0].id);
    version_ = static_cast<std::uint64_t>(sqlite3_column_int64(statement, 2));
}

void RowReader::take_review(sqlite3_stmt* statement) {
    const std::int64_t id = sqlite3_column_int64(statement, 0);
    const auto row = std::lower_bound(rows_.begin(), rows_.end(), id,
                                      [](const ProductRow& r, std::int64_t i) { return r.id < i; });
    if (row == rows_.end() || row->id != id) return;
    ++row->reviews;
    row->stars += sqlite3_column_int(statement, 1);
}

void RowReader::finish(std::uint64_t scanned) {
    touched_ = scanned > 0 ? scanned : found_;
    if (!asks_for_reviews()) rows_.resize(count_);
}

}  // namespace lab::live
