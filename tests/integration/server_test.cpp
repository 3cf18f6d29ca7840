// SPDX-License-Identifier: GPL-3.0-or-later
// The whole server over real sockets. Times are only compared by direction and bound.
#include "live/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "live/wire.hpp"
#include "support/http_client.hpp"
#include "unit/live/temporary_folder.hpp"

namespace lab::live {
namespace {

using lab::test::HttpClient;
using ::testing::HasSubstr;

Instant clock_now() { return std::chrono::steady_clock::now(); }

/// Looks again and again, for ten seconds at most.
template <class Condition>
bool comes_true(Condition&& condition) {
    const Instant limit = clock_now() + 10s;
    while (!condition()) {
        if (clock_now() > limit) return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

Step step(StepKind kind, Duration time = {}) {
    Step made;
    made.kind = kind;
    made.id = "step";
    made.time = Distribution::constant(time);
    return made;
}

struct ServerTest : ::testing::Test {
    lab::test::TemporaryFolder folder;
    System system;
    std::unique_ptr<live::Server> server;

    void route(std::string path, std::vector<Step> steps) {
        Route made;
        made.id = path.substr(1);
        made.path = std::move(path);
        made.steps = std::move(steps);
        system.routes.push_back(std::move(made));
    }
    void open() {
        Server::Options options;
        options.system = system;
        options.load.keys = 50;
        options.data_folder = folder.path();
        auto opened = live::Server::open(std::move(options));
        ASSERT_TRUE(opened) << opened.error().message();
        server = std::move(opened.value());
    }
    /// One request on each of `count` connections at once; how long until the last answer.
    Duration ask_at_once(int count, const std::string& target) {
        std::deque<HttpClient> clients;
        for (int i = 0; i < count; ++i) clients.emplace_back(server->port());
        const Instant begun = clock_now();
        for (HttpClient& client : clients) client.send(target);
        for (HttpClient& client : clients) EXPECT_EQ(client.receive().status, 200);
        return clock_now() - begun;
    }
};

TEST_F(ServerTest, AnswersThroughAWorker) {
    Step fill = step(StepKind::respond);
    fill.size = Bytes{1'234};
    route("/page", {fill});
    open();
    HttpClient client{server->port()};
    for (int i = 0; i < 3; ++i) {
        const auto answer = client.get("/page");
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.body.size(), 1'234U);
    }
}

TEST_F(ServerTest, FinishesWaitsSoonerWithMoreWorkers) {
    route("/pay", {step(StepKind::wait, 50ms)});
    open();
    const Duration alone = ask_at_once(8, "/pay");
    EXPECT_GE(alone, 400ms);
    system.server.workers = 4;
    const auto number = server->apply(system);
    ASSERT_TRUE(comes_true([&] { return server->generation() == number; }));
    const Duration together = ask_at_once(8, "/pay");
    EXPECT_GE(together, 100ms);
    EXPECT_LT(together, alone / 2);
}

TEST_F(ServerTest, TellsWhoAsksWhereTheTimeWent) {
    route("/pay", {step(StepKind::wait, 20ms)});
    open();
    HttpClient client{server->port()};
    const auto answer = client.get("/pay", "X-Lab-Request: 77\r\n");
    const auto times = read_times(answer.field(std::string{times_field}));
    ASSERT_TRUE(times);
    EXPECT_GE(times->parts[static_cast<std::size_t>(Part::io_wait)], 20ms);
    EXPECT_GE(times->ready - times->received, 20ms);
    EXPECT_EQ(client.get("/pay").field(std::string{times_field}), "");
}

TEST_F(ServerTest, TurnsAwayWhatFindsTheQueueFull) {
    system.server.queue = 1;
    route("/pay", {step(StepKind::wait, 200ms)});
    open();
    std::deque<HttpClient> clients;
    int answered = 0;
    int refused = 0;
    for (int i = 0; i < 4; ++i) clients.emplace_back(server->port()).send("/pay");
    for (HttpClient& client : clients) {
        const int status = client.receive().status;
        answered += status == 200 ? 1 : 0;
        refused += status == 503 ? 1 : 0;
    }
    EXPECT_EQ(answered, 2);
    EXPECT_EQ(refused, 2);
}

TEST_F(ServerTest, ResetsWhatFindsTheQueueFullWhenItIsToldTo) {
    system.server.queue = 1;
    system.server.when_full = WhenFull::reset;
    route("/pay", {step(StepKind::wait, 200ms)});
    open();
    std::deque<HttpClient> clients;
    int answered = 0;
    int broken = 0;
    for (int i = 0; i < 4; ++i) clients.emplace_back(server->port()).send("/pay");
    for (HttpClient& client : clients) {
        const int status = client.receive().status;
        answered += status == 200 ? 1 : 0;
        broken += status == 0 ? 1 : 0;
    }
    EXPECT_EQ(answered, 2);
    EXPECT_EQ(broken, 2);
}

TEST_F(ServerTest, AnswersEveryoneWhenAFullQueueMakesThemWait) {
    system.server.queue = 1;
    system.server.when_full = WhenFull::wait;
    route("/pay", {step(StepKind::wait, 10ms)});
    open();
    EXPECT_GE(ask_at_once(10, "/pay"), 100ms);
}

TEST_F(ServerTest, BindsAWorkerToEachConnection) {
    system.server.bind = BindPoint::accept;
    system.server.workers = 2;
    route("/page", {step(StepKind::respond)});
    open();
    auto first = std::make_unique<HttpClient>(server->port());
    HttpClient second{server->port()};
    EXPECT_EQ(first->get("/page").status, 200);
    EXPECT_EQ(second.get("/page").status, 200);
    EXPECT_EQ(first->get("/page").status, 200);
    HttpClient third{server->port()};
    third.send("/page");
    ASSERT_TRUE(comes_true([&] { return server->sample().queue_depth == 1; }));
    first.reset();
    EXPECT_EQ(third.receive().status, 200);
}

TEST_F(ServerTest, LetsADrainedWorkerGo) {
    system.server.release = ReleasePoint::drained;
    Step fill = step(StepKind::respond);
    fill.size = Bytes{200'000};
    route("/page", {fill});
    open();
    HttpClient client{server->port()};
    for (int i = 0; i < 5; ++i) EXPECT_EQ(client.get("/page").body.size(), 200'000U);
    EXPECT_TRUE(comes_true([&] { return server->sample().in_service == 0; }));
}

TEST_F(ServerTest, SaysWhatItIsDoing) {
    system.server.threads = 2;
    route("/pay", {step(StepKind::wait, 100ms)});
    open();
    static_cast<void>(server->sample());
    std::deque<HttpClient> clients;
    for (int i = 0; i < 3; ++i) clients.emplace_back(server->port()).send("/pay");
    ServerSample sample;
    ASSERT_TRUE(comes_true([&] {
        sample = server->sample();
        return sample.queue_depth == 1;
    }));
    EXPECT_EQ(sample.in_service, 2U);
    EXPECT_EQ(sample.connections, 3U);
    ASSERT_EQ(sample.threads.size(), 2U);
    for (HttpClient& client : clients) EXPECT_EQ(client.receive().status, 200);
    std::uint64_t left_out = 0;
    const auto events = server->take_events(400, left_out);
    EXPECT_EQ(events.size(), 7U);  // three started, three answered, one queued
}

TEST_F(ServerTest, StopsWithinASecondWhateverItIsDoing) {
    system.server.workers = 2;
    system.database.products = 2'000;
    route("/wait", {step(StepKind::wait, 60s)});
    route("/cpu", {step(StepKind::cpu, 60s)});
    open();
    HttpClient waiting{server->port()};
    HttpClient computing{server->port()};
    HttpClient queued{server->port()};
    waiting.send("/wait");
    computing.send("/cpu");
    ASSERT_TRUE(comes_true([&] { return server->sample().in_service == 2; }));
    queued.send("/cpu");
    const Instant begun = clock_now();
    server->stop();
    EXPECT_LT(clock_now() - begun, 1s);
    EXPECT_EQ(waiting.receive().status, 0);
}

struct DatabaseServerTest : ServerTest {
    DatabaseServerTest() {
        system.database.products = 20'000;
        system.database.index = false;
        Step look_up = step(StepKind::query);
        look_up.query = QueryKind::product_by_sku;
        Step render = step(StepKind::render);
        Step cached = step(StepKind::cache);
        cached.steps = {look_up};
        cached.id = "cache";
        route("/product/{key}", {look_up, render});
        route("/cached/{key}", {cached});
        system.routes[0].id = "product";
        system.routes[1].id = "cached";
    }
};

TEST_F(DatabaseServerTest, ChangesItsPlanWhenTheIndexComes) {
    open();
    ASSERT_EQ(server->plans().size(), 1U);
    EXPECT_EQ(server->plans()[0], "SCAN product");
    HttpClient client{server->port()};
    EXPECT_EQ(client.get("/product/3").status, 200);
    system.database.index = true;
    const auto number = server->apply(system);
    // It goes on answering while the index is made.
    ASSERT_TRUE(comes_true([&] {
        EXPECT_EQ(client.get("/product/4").status, 200);
        return server->generation() == number;
    }));
    EXPECT_THAT(server->sample().plan, HasSubstr("SEARCH product USING INDEX"));
    EXPECT_EQ(server->sample().progress, "");
    EXPECT_EQ(client.get("/product/5").status, 200);
}

TEST_F(DatabaseServerTest, AnswersFasterByIndexThanByScan) {
    open();
    HttpClient client{server->port()};
    const auto time_in_database = [&] {
        Duration sum{};
        for (int i = 0; i < 20; ++i) {
            const auto answer = client.get("/product/" + std::to_string(i), "X-Lab-Request: 1\r\n");
            const auto times = read_times(answer.field(std::string{times_field}));
            sum += times ? times->parts[static_cast<std::size_t>(Part::database)] : 1h;
        }
        return sum;
    };
    const Duration by_scan = time_in_database();
    system.database.index = true;
    const auto number = server->apply(system);
    ASSERT_TRUE(comes_true([&] { return server->generation() == number; }));
    EXPECT_LT(time_in_database() * 5, by_scan);
}

TEST_F(DatabaseServerTest, ServesOldVersionsFromTheCacheAndKnowsIt) {
    system.cache.mode = CacheMode::shared;
    system.database.index = true;
    system.database.updates = ArrivalRate::per_second(500);
    open();
    HttpClient client{server->port()};
    const std::string asked = "X-Lab-Request: 1\r\n";
    const auto version_in = [](const HttpClient::Answer& answer) {
        return std::stoull(answer.field(std::string{version_field}));
    };
    const auto first = version_in(client.get("/cached/7", asked));
    const auto truth = [&] { return server->truth().committed({QueryKind::product_by_sku}, 7); };
    ASSERT_TRUE(comes_true([&] { return truth() > first; }));
    EXPECT_EQ(version_in(client.get("/cached/7", asked)), first) << "from the cache";
    const auto promised = truth();
    EXPECT_GE(version_in(client.get("/product/7", asked)), promised) << "from the database";
    const auto sample = server->sample();
    EXPECT_GT(sample.updates, 0U);
    EXPECT_EQ(sample.cache_hits, 1U);
    EXPECT_EQ(sample.cache_misses, 1U);
}

TEST_F(DatabaseServerTest, MovesToADatabaseOfAnotherSizeWithoutLosingARequest) {
    open();
    HttpClient client{server->port()};
    const auto before = server->truth().committed({QueryKind::product_by_sku}, 3);
    system.database.products = 4'000;
    const auto number = server->apply(system);
    ASSERT_TRUE(comes_true([&] {
        EXPECT_EQ(client.get("/product/3").status, 200);
        return server->generation() == number;
    }));
    const auto promised = server->truth().committed({QueryKind::product_by_sku}, 3);
    EXPECT_GT(promised, before);
    const auto answer = client.get("/product/3", "X-Lab-Request: 1\r\n");
    EXPECT_GE(std::stoull(answer.field(std::string{version_field})), promised);
}

TEST_F(DatabaseServerTest, StopsWithinASecondWhileItScans) {
    system.database.products = 200'000;
    system.server.workers = 2;
    system.server.threads = 4;
    open();
    std::deque<HttpClient> clients;
    for (int i = 0; i < 30; ++i) clients.emplace_back(server->port()).send("/product/1");
    ASSERT_TRUE(comes_true([&] { return server->sample().queue_depth > 0; }));
    const Instant begun = clock_now();
    server->stop();
    EXPECT_LT(clock_now() - begun, 1s);
}

TEST(ServerOpening, GivesUpWhenItIsCancelledWhileTheDatabaseIsMade) {
    lab::test::TemporaryFolder folder;
    live::Server::Options options;
    Step look_up = step(StepKind::query);
    Route route;
    route.id = "product";
    route.path = "/product";
    route.steps = {look_up};
    options.system.routes = {route};
    options.data_folder = folder.path();
    options.cancelled = [] { return true; };
    const auto server = live::Server::open(std::move(options));
    ASSERT_FALSE(server);
    EXPECT_EQ(server.error().code, ErrorCode::interrupted);
}

TEST(ServerOpening, NamesThePortThatIsTaken) {
    Route route;
    route.id = "page";
    route.path = "/page";
    live::Server::Options options;
    options.system.routes = {route};
    const auto first = live::Server::open(options);
    ASSERT_TRUE(first);
    options.port = (*first)->port();
    const auto second = live::Server::open(options);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::port_in_use);
    EXPECT_THAT(second.error().message(), HasSubstr(std::to_string(options.port)));
}

}  // namespace
}  // namespace lab::live
