// SPDX-License-Identifier: GPL-3.0-or-later
// A learner's own SELECT, and what a hostile one would try.
#include "live/sql_sandbox.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "live/database.hpp"
#include "unit/live/temporary_folder.hpp"

namespace lab::live {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct SandboxTest : ::testing::Test {
    test::TemporaryFolder folder;
    std::shared_ptr<Database> database;
    std::unique_ptr<SqlSandbox> sandbox;

    SandboxTest() {
        Database::Options options;
        options.products = 2'000;
        options.data_folder = folder.path() / "kept";
        options.work_folder = folder.path();
        database = Database::open(options, {}).value();
        sandbox = SqlSandbox::open(database->file()).value();
    }
    SqlAnswer ask(const std::string& sql) {
        auto answer = sandbox->ask(sql, {});
        EXPECT_TRUE(answer) << sql << ": " << answer.error().message();
        return answer ? answer.value() : SqlAnswer{};
    }
    std::string refusal(const std::string& sql, ErrorCode code = ErrorCode::invalid_input) {
        const auto answer = sandbox->ask(sql, {});
        EXPECT_FALSE(answer) << sql;
        if (answer) return {};
        EXPECT_EQ(answer.error().code, code) << answer.error().message();
        return answer.error().message();
    }
};

TEST_F(SandboxTest, GivesColumnsRowsPlanAndCost) {
    const SqlAnswer answer =
        ask("SELECT id, name AS what, NULL FROM product WHERE id <= 2 ORDER BY id");
    EXPECT_THAT(answer.columns, ElementsAre("id", "what", "NULL"));
    ASSERT_EQ(answer.rows.size(), 2U);
    EXPECT_EQ(answer.rows[0][0], "1");
    EXPECT_EQ(answer.rows[0][1], name_of(1));
    EXPECT_EQ(answer.rows[0][2], std::nullopt);
    EXPECT_EQ(answer.row_count, 2U);
    EXPECT_THAT(answer.plan.at(0), HasSubstr("USING INTEGER PRIMARY KEY"));
    EXPECT_EQ(answer.rows_scanned, 0U);
    EXPECT_GT(answer.steps, 5U);
    EXPECT_GT(answer.time, Duration{});
}

TEST_F(SandboxTest, TellsAScanFromASearchWithTheIndexAndWithout) {
    const std::string sql = "SELECT * FROM product WHERE sku = '" + sku_of(77) + "'";
    EXPECT_THAT(ask(sql).plan.at(0), HasSubstr("product_sku"));
    EXPECT_EQ(ask(sql).rows_scanned, 0U);
    ASSERT_TRUE(database->set_indexes({}));
    EXPECT_THAT(ask(sql).plan, ElementsAre("SCAN product"));
    EXPECT_GE(ask(sql).rows_scanned, 1'999U);
}

TEST_F(SandboxTest, AllowsWhatLearnersWrite) {
    for (const char* const sql : {
             "select count(*) from product",
             "SELECT category, avg(price), max(name) FROM product GROUP BY category HAVING "
             "count(*) > 1 ORDER BY 2 DESC LIMIT 3",
             "SELECT p.name, r.stars FROM product p JOIN review r ON r.product = p.id WHERE "
             "p.id IN (SELECT product FROM review WHERE stars = 5) LIMIT 9",
             "WITH cheap AS (SELECT * FROM product WHERE price < 300) SELECT count(*) FROM cheap",
             "SELECT id, rank() OVER (ORDER BY price) FROM product LIMIT 3",
             "SELECT upper(substr(name, 1, 3)) || '!' FROM product LIMIT 1; -- a comment",
             "SELECT name FROM sqlite_master WHERE type = 'index'",
             "SELECT 1 UNION SELECT 2",
             "SELECT name FROM product WHERE name LIKE 'Quiet%' LIMIT 2;  ",
         }) {
        ask(sql);
    }
}

TEST_F(SandboxTest, RefusesEverythingButOneSelect) {
    const auto other = folder.path() / "other.sqlite";
    std::ofstream{other} << "";
    EXPECT_THAT(refusal("ATTACH '" + other.string() + "' AS other"), HasSubstr("found ATTACH"));
    EXPECT_THAT(refusal("DETACH main"), HasSubstr("found ATTACH"));
    EXPECT_THAT(refusal("PRAGMA journal_mode = DELETE"), HasSubstr("found PRAGMA"));
    EXPECT_THAT(refusal("SELECT * FROM pragma_table_info('product')"), HasSubstr("allowed: one"));
    EXPECT_THAT(refusal("SELECT load_extension('/tmp/x.so')"), HasSubstr("load_extension"));
    EXPECT_THAT(refusal("SELECT fts3_tokenizer('simple')"), HasSubstr("fts3_tokenizer"));
    for (const char* const sql :
         {"UPDATE product SET price = 0", "DELETE FROM product", "DROP TABLE product",
          "INSERT INTO review VALUES(1, 9, 5, 'x')", "CREATE TABLE mine(a)",
          "CREATE TEMP TABLE mine(a)", "CREATE VIEW v AS SELECT 1", "VACUUM",
          "VACUUM INTO '/tmp/v'", "REINDEX", "ANALYZE", "CREATE VIRTUAL TABLE t USING fts5(a)",
          "CREATE TRIGGER t AFTER UPDATE ON product BEGIN SELECT 1; END"}) {
        EXPECT_THAT(refusal(sql), HasSubstr("allowed: one SELECT")) << sql;
    }
    for (const char* const sql : {"BEGIN", "COMMIT", "SAVEPOINT s", "RELEASE s"}) {
        EXPECT_THAT(refusal(sql), HasSubstr("allowed: one SELECT")) << sql;
    }
    EXPECT_THAT(refusal("EXPLAIN SELECT 1"), HasSubstr("EXPLAIN"));
    EXPECT_THAT(refusal("EXPLAIN QUERY PLAN SELECT 1"), HasSubstr("EXPLAIN"));
    EXPECT_EQ(ask("SELECT count(*) FROM product").rows.at(0).at(0), "2000");
}

TEST_F(SandboxTest, RefusesMoreThanOneStatement) {
    for (const char* const sql : {"SELECT 1; SELECT 2", "SELECT 1; DROP TABLE product",
                                  "SELECT 1;;; /* hidden */ PRAGMA writable_schema = 1",
                                  "SELECT 1; garbage", "SELECT 1; SELECT"}) {
        EXPECT_THAT(refusal(sql), HasSubstr("more than one statement")) << sql;
    }
    EXPECT_THAT(refusal(""), HasSubstr("no statement"));
    EXPECT_THAT(refusal(" -- nothing"), HasSubstr("no statement"));
    EXPECT_THAT(refusal(std::string("SELECT 1\0; DROP TABLE product", 29)), HasSubstr("NUL"));
}

TEST_F(SandboxTest, RefusesTablesAndFunctionsThatItDoesNotKnow) {
    for (const char* const sql :
         {"SELECT * FROM json_each('[1]')", "SELECT value FROM json_tree('{}')",
          "SELECT * FROM dbstat", "SELECT sql FROM sqlite_stmt", "SELECT * FROM sqlite_temp_master",
          "SELECT zeroblob(100)", "SELECT randomblob(100)", "SELECT sqlite_compileoption_get(1)",
          "SELECT readfile('/etc/passwd')", "SELECT writefile('/tmp/x', 'y')",
          "SELECT highlight(product, 0, '', '') FROM product"}) {
        EXPECT_FALSE(refusal(sql).empty()) << sql;
    }
}

TEST_F(SandboxTest, EndsWhatNeverWouldByItself) {
    EXPECT_THAT(refusal("WITH RECURSIVE bomb(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM bomb) "
                        "SELECT count(*) FROM bomb"),
                HasSubstr("refers to itself"));
    SqlLimits soon;
    soon.time = 20ms;
    const auto endless =
        sandbox->ask("SELECT count(*) FROM product a, product b, product c, product d", soon);
    ASSERT_FALSE(endless);
    EXPECT_EQ(endless.error().code, ErrorCode::timed_out);
    EXPECT_THAT(endless.error().message(), HasSubstr("20ms"));
    EXPECT_EQ(ask("SELECT 1").row_count, 1U) << "the next one is served";
}

TEST_F(SandboxTest, BoundsEveryValueAndEveryAnswer) {
    SqlLimits limits;
    limits.rows = 10;
    limits.cell_bytes = 7;
    const auto many = sandbox->ask("SELECT 'sch\u00f6n \u00e4hnlich' FROM product", limits);
    ASSERT_TRUE(many);
    EXPECT_EQ(many->rows.size(), 10U);
    EXPECT_EQ(many->row_count, 2'000U);
    EXPECT_EQ(many->rows[0][0], "sch\u00f6n ...") << "never half a character";
    EXPECT_EQ(ask("SELECT x'00ff'").rows.at(0).at(0), "a blob of 2 bytes");
    for (const char* const sql :
         {"SELECT hex(printf('%900000d', 1))",
          "SELECT length(group_concat(printf('%9000d', id))) FROM product",
          "SELECT replace(printf('%100000d', 1), ' ', printf('%100d', 1))"}) {
        EXPECT_THAT(refusal(sql), HasSubstr("too big")) << sql;
    }
    EXPECT_FALSE(
        refusal("SELECT " + std::string(9'000, '(') + "1" + std::string(900, ')')).empty());
    EXPECT_THAT(refusal("SELECT '" + std::string(20'000, 'x') + "'"), HasSubstr("bytes of text"));
    std::string wide = "SELECT 1";
    for (int i = 0; i < 100; ++i) wide += ", 1";
    EXPECT_THAT(refusal(wide), HasSubstr("too many columns"));
    EXPECT_FALSE(refusal("SELECT ?1").empty()) << "there is nothing to bind";
}

TEST_F(SandboxTest, SaysWhatSqliteSaysOfAMistake) {
    EXPECT_THAT(refusal("SELEC 1"), HasSubstr("syntax error"));
    EXPECT_THAT(refusal("SELECT missing FROM product"), HasSubstr("no such column: missing"));
    EXPECT_THAT(refusal("SELECT 1 FROM prodcut"), HasSubstr("no such table: prodcut"));
    EXPECT_THAT(refusal("SELECT '\x1b[31m' FROM nowhere\x1b"), ::testing::Not(HasSubstr("\x1b")));
}

TEST_F(SandboxTest, StopsWhenItIsCancelled) {
    sandbox->cancel();
    EXPECT_THAT(refusal("SELECT 1", ErrorCode::interrupted), HasSubstr("stopped"));
}

}  // namespace
}  // namespace lab::live
