// SPDX-License-Identifier: GPL-3.0-or-later
// What queries, indexes, locks and a replica cost, over real sockets: direction and bounds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <thread>

#include "live/server.hpp"
#include "live/wire.hpp"
#include "support/http_client.hpp"
#include "support/routes.hpp"
#include "unit/live/temporary_folder.hpp"

namespace lab::live {
namespace {

using lab::test::HttpClient;
using ::testing::HasSubstr;

struct DatabaseCosts : ::testing::Test {
    lab::test::TemporaryFolder folder;
    System system;
    std::unique_ptr<live::Server> server;
    std::unique_ptr<HttpClient> client;

    DatabaseCosts() { system.database.products = 20'000; }
    void add(const std::string& id, Step step) {
        system.routes.push_back(lab::test::route({std::move(step)}, id));
        system.routes.back().path += "/{key}";
    }
    void add_reviews(const std::string& id, QueryKind kind) {
        Step step = lab::test::query(kind);
        step.times = 20;
        add(id, step);
    }
    void open() {
        Server::Options options;
        options.system = system;
        options.data_folder = folder.path();
        auto opened = Server::open(options);
        ASSERT_TRUE(opened) << opened.error().message();
        server = std::move(opened.value());
        client = std::make_unique<HttpClient>(server->port());
    }
    void apply() {
        const auto number = server->apply(system);
        const auto limit = std::chrono::steady_clock::now() + 20s;
        while (server->generation() != number) {
            ASSERT_LT(std::chrono::steady_clock::now(), limit);
            std::this_thread::sleep_for(1ms);
        }
    }
    static Duration part_of(const HttpClient::Answer& answer, Part part) {
        const auto times = read_times(answer.field(std::string{times_field}));
        return times ? times->parts[static_cast<std::size_t>(part)] : 1h;
    }
    /// The least of several answers: a busy machine only ever adds.
    Duration time_in(const std::string& path, Part part = Part::database) {
        Duration least = 1h;
        for (int key = 0; key < 10; ++key) {
            const auto answer =
                client->get(path + "/" + std::to_string(key), "X-Lab-Request: 1\r\n");
            EXPECT_EQ(answer.status, 200);
            least = std::min(least, part_of(answer, part));
        }
        return least;
    }
};

TEST_F(DatabaseCosts, OneQuestionForEachRowPaysTheRoundTripForEachRow) {
    add_reviews("lazy", QueryKind::reviews_per_product);
    add_reviews("batch", QueryKind::reviews_in_batch);
    add_reviews("joined", QueryKind::reviews_joined);
    system.database.round_trip = 1ms;
    open();
    static_cast<void>(server->sample());
    const Duration lazy = time_in("/lazy");
    EXPECT_EQ(server->sample().database.queries, 210U);
    const Duration batch = time_in("/batch");
    EXPECT_EQ(server->sample().database.queries, 20U);
    const Duration joined = time_in("/joined");
    EXPECT_EQ(server->sample().database.queries, 10U);
    EXPECT_GE(lazy, 21ms);
    EXPECT_GE(batch, 2ms);
    EXPECT_GE(joined, 1ms);
    EXPECT_GT(lazy, 4 * joined);
    EXPECT_GT(lazy, 3 * batch);
    EXPECT_EQ(server->plans().size(), 3U);
    EXPECT_THAT(server->plans()[0], HasSubstr("then 20 x SEARCH review"));
}

TEST_F(DatabaseCosts, AnIndexLosesToTheScanWhereMuchOfTheTableMatches) {
    add("report", lab::test::query(QueryKind::products_under_price));
    system.database.products = 200'000;
    open();
    const Duration by_scan = time_in("/report");
    system.database.price_indexes = 1;
    apply();
    EXPECT_THAT(server->sample().plan, HasSubstr("SEARCH product USING INDEX product_price_1"));
    const Duration by_index = time_in("/report");
    EXPECT_GT(to_ms(by_index), 1.5 * to_ms(by_scan));
    system.database.access = Access::scan;
    apply();
    EXPECT_EQ(server->sample().plan, "SCAN product");
    EXPECT_LT(to_ms(time_in("/report")), to_ms(by_index) / 1.5);
    system.database.access = Access::planner;
    system.routes[0].steps[0].share = 0.001;
    apply();
    EXPECT_LT(time_in("/report") * 3, by_scan) << "and wins where little matches";
}

TEST_F(DatabaseCosts, ATransactionThatIsHeldOpenMakesTheNextWriterWait) {
    Step write = lab::test::write_row();
    write.time = Distribution::constant(300ms);
    add("edit", write);
    add("read", lab::test::query(QueryKind::product_by_id));
    system.server.workers = 3;
    open();
    std::deque<HttpClient> writers;
    for (int i = 0; i < 2; ++i) {
        writers.emplace_back(server->port()).send("/edit/1", "X-Lab-Request: 1\r\n");
    }
    // Readers do not wait: the log keeps the old version for them.
    EXPECT_LT(time_in("/read"), 200ms);
    Duration waited{};
    for (HttpClient& writer : writers) {
        const auto answer = writer.receive();
        EXPECT_EQ(answer.status, 200);
        waited = std::max(waited, part_of(answer, Part::write_wait));
    }
    EXPECT_GE(waited, 200ms);
    EXPECT_EQ(server->sample().updates, 2U);
}

TEST_F(DatabaseCosts, LimitsOfTimeEndInAnErrorAndAreCounted) {
    Step write = lab::test::write_row();
    write.time = Distribution::constant(500ms);
    add("edit", write);
    add("look", lab::test::query(QueryKind::product_by_sku));
    system.server.workers = 2;
    system.database.index = false;
    system.database.lock_timeout = 1ns;
    system.database.query_timeout = 1ns;
    open();
    HttpClient holder{server->port()}, late{server->port()};
    holder.send("/edit/1");
    late.send("/edit/1");
    const int first = holder.receive().status, second = late.receive().status;
    EXPECT_EQ(first + second, 200 + 500);
    EXPECT_EQ(client->get("/look/1").status, 500);
    const auto counts = server->sample().database;
    EXPECT_EQ(counts.lock_timeouts, 1U);
    EXPECT_EQ(counts.query_timeouts, 1U);
}

TEST_F(DatabaseCosts, AReplicaAnswersWithWhatWasTrueBefore) {
    add("edit", lab::test::write_row());
    add("look", lab::test::query(QueryKind::product_by_id));
    system.database.replica_lag = 60s;
    open();
    EXPECT_EQ(client->get("/edit/7").status, 200);
    const auto truth = server->truth().committed({QueryKind::product_by_id}, 7);
    EXPECT_EQ(truth, 1U);
    const auto version = [&] {
        const auto answer = client->get("/look/7", "X-Lab-Request: 1\r\n");
        return std::stoull(answer.field(std::string{version_field}));
    };
    EXPECT_LT(version(), truth) << "stale";
    system.database.replica_lag = {};
    apply();
    EXPECT_GE(version(), truth);
}

}  // namespace
}  // namespace lab::live
