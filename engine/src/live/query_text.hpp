// SPDX-License-Identifier: GPL-3.0-or-later
// The questions of query steps as SQL, and what is in their rows.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/keyspace.hpp"
#include "core/program.hpp"
#include "lab/model.hpp"

namespace lab::live {

/// Indexes on the price that there can be.
inline constexpr int most_price_indexes = 8;

/// Which indexes a database has.
struct Indexes {
    bool look_up = false;  ///< product_sku and product_category
    int price = 0;         ///< product_price_1 .. product_price_8: how many of them
    friend bool operator==(const Indexes&, const Indexes&) = default;
};

/// Statements that create the indexes that are wanted and drop the others, whichever are there.
[[nodiscard]] std::string index_statements(const Indexes& wanted);

struct ProductRow {
    std::int64_t id = 0;
    std::string name;
    std::int64_t price = 0;  ///< cents
    std::int32_t category = 0;
    std::int32_t reviews = 0;  ///< that were read with it
    std::int32_t stars = 0;    ///< their sum
};

/// The statement for one round trip. Where `access` asks for an index that is not there, as the
/// planner chooses.
[[nodiscard]] std::string sql_of(const core::AskedQuery& asked, Access access, const Indexes& has);
/// Two round trips with the same number share a prepared statement.
[[nodiscard]] std::uint64_t statement_id(const core::AskedQuery& asked, Access access,
                                         const Indexes& has);
/// `rows`: of the round trips before, for those that ask about them.
void bind_question(sqlite3_stmt* statement, const core::AskedQuery& asked, std::uint64_t key,
                   const core::Keyspace& keys, const std::vector<ProductRow>& rows);

/// Takes the rows of one round trip in, one after another. `rows` is overwritten by a question for
/// products, and added to by one for their reviews.
class RowReader {
  public:
    RowReader(const core::AskedQuery& asked, std::vector<ProductRow>& rows)
        : asked_{asked}, rows_{rows} {}

    void take(sqlite3_stmt* statement);
    /// After the last row. `scanned`: rows that SQLite passed in scans.
    void finish(std::uint64_t scanned);

    /// The highest version among the products read.
    [[nodiscard]] std::uint64_t version() const { return version_; }
    /// Rows that were passed in a scan, or else found by a search.
    [[nodiscard]] std::uint64_t touched() const { return touched_; }

  private:
    [[nodiscard]] bool asks_for_reviews() const;
    void take_product(sqlite3_stmt* statement);
    void take_sum(sqlite3_stmt* statement);
    void take_review(sqlite3_stmt* statement);

    const core::AskedQuery asked_;
    std::vector<ProductRow>& rows_;
    std::size_t count_ = 0;  ///< of products
    std::uint64_t found_ = 0;
    std::uint64_t version_ = 0;
    std::uint64_t touched_ = 0;
};

}  // namespace lab::live
