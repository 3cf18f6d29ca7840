// SPDX-License-Identifier: GPL-3.0-or-later
// A proxy in front of real servers over real sockets. Times are only compared by direction and
// bound.
#include "live/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "live/wire.hpp"
#include "support/http_client.hpp"
#include "support/raw_client.hpp"
#include "support/routes.hpp"
#include "unit/live/temporary_folder.hpp"

namespace lab::live {
namespace {

using lab::test::HttpClient;
using ::testing::ElementsAre;

Instant clock_now() { return std::chrono::steady_clock::now(); }

template <class Condition>
bool comes_true(Condition&& condition) {
    const Instant limit = clock_now() + 10s;
    while (!condition()) {
        if (clock_now() > limit) return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

struct BalancedServerTest : ::testing::Test {
    lab::test::TemporaryFolder folder;
    System system;
    std::unique_ptr<live::Server> server;

    BalancedServerTest() {
        system.balancer.rule = BalancerRule::round_robin;
        system.balancer.count = 3;
    }
    Backend& backend(std::size_t number) { return system.balancer.backends[number - 1]; }

    void open() {
        Server::Options options;
        options.system = system;
        options.load.keys = 50;
        options.data_folder = folder.path();
        auto opened = live::Server::open(std::move(options));
        ASSERT_TRUE(opened) << opened.error().message();
        server = std::move(opened.value());
    }
    void apply() {
        const auto number = server->apply(system);
        ASSERT_TRUE(comes_true([&] { return server->generation() >= number; }));
    }
    /// On one connection; how many had each status.
    std::vector<int> ask(const std::string& target, int times, const std::string& fields = {}) {
        HttpClient client{server->port()};
        std::vector<int> statuses;
        for (int i = 0; i < times; ++i) statuses.push_back(client.get(target, fields).status);
        return statuses;
    }
    static long good(const std::vector<int>& statuses) {
        return std::count(statuses.begin(), statuses.end(), 200);
    }
    /// Requests given to each backend since the last call.
    std::vector<std::uint64_t> given() {
        std::vector<std::uint64_t> all;
        for (const BackendSample& sample : server->sample().backends)
            all.push_back(sample.requests);
        return all;
    }
};

TEST_F(BalancedServerTest, GivesToItsBackendsInTurn) {
    system.routes = {test::route({test::respond(1'234)}, "page")};
    open();
    HttpClient client{server->port()};
    for (int i = 0; i < 9; ++i) {
        const auto answer = client.get("/page");
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.body.size(), 1'234U);
    }
    EXPECT_THAT(given(), ElementsAre(3, 3, 3));
}

TEST_F(BalancedServerTest, GivesByWeight) {
    system.routes = {test::route({}, "page")};
    backend(1).weight = 5;
    open();
    EXPECT_EQ(good(ask("/page", 14)), 14);
    EXPECT_THAT(given(), ElementsAre(10, 2, 2));
    backend(1).weight = 1;
    apply();
    EXPECT_EQ(good(ask("/page", 9)), 9);
    EXPECT_THAT(given(), ElementsAre(3, 3, 3));
}

TEST_F(BalancedServerTest, KeepsConnectionsToItsBackendsOrNot) {
    system.routes = {test::route({}, "page")};
    system.balancer.keep_alive = true;
    open();
    EXPECT_EQ(good(ask("/page", 30)), 30);
    system.balancer.keep_alive = false;
    apply();
    EXPECT_EQ(good(ask("/page", 30)), 30);
    EXPECT_EQ(server->sample().proxy.retries, 0U);
}

/// The proxy's own time is a part of its own, and the backend's parts come through.
TEST_F(BalancedServerTest, TellsWhereTheTimeWentBehindTheProxy) {
    system.routes = {test::route({test::wait(20ms)})};
    open();
    HttpClient client{server->port()};
    const auto answer = client.get("/pay", "X-Lab-Request: 77\r\n");
    const auto times = read_times(answer.field(std::string{times_field}));
    ASSERT_TRUE(times);
    const auto part = [&](Part which) { return times->parts[static_cast<std::size_t>(which)]; };
    EXPECT_GE(part(Part::io_wait), 20ms);
    EXPECT_GT(part(Part::proxy), Duration{});
    const Duration sum = std::accumulate(times->parts.begin(), times->parts.end(), Duration{});
    EXPECT_LE(sum, times->ready - times->received);
    EXPECT_GE(sum, (times->ready - times->received) * 9 / 10);
    EXPECT_EQ(client.get("/pay").field(std::string{times_field}), "");
}

TEST_F(BalancedServerTest, PassesUsersVersionsAndStatusesOn) {
    Route personal = test::route({test::query(QueryKind::product_by_id)}, "me");
    personal.personal = true;
    system.routes = {personal};
    system.database.products = 2'000;
    open();
    HttpClient client{server->port()};
    const auto answer = client.get("/me", "Cookie: user=7\r\nX-Lab-Request: 1\r\n");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.field(std::string{user_field}), "7");
    EXPECT_NE(answer.field(std::string{version_field}), "");
    EXPECT_EQ(client.get("/nowhere").status, 404);
}

TEST_F(BalancedServerTest, SlowsOneBackendDown) {
    system.routes = {test::route({test::wait(10ms)})};
    backend(2).slowdown = 20;
    open();
    HttpClient client{server->port()};
    std::vector<Duration> took;
    for (int i = 0; i < 3; ++i) {
        const Instant begun = clock_now();
        EXPECT_EQ(client.get("/pay").status, 200);
        took.push_back(clock_now() - begun);
    }
    EXPECT_LT(took[0], 150ms);
    EXPECT_GE(took[1], 200ms);
    EXPECT_LT(took[2], 150ms);
    backend(2).slowdown = 1;
    apply();
    for (int i = 0; i < 3; ++i) {
        const Instant begun = clock_now();
        EXPECT_EQ(client.get("/pay").status, 200);
        EXPECT_LT(clock_now() - begun, 150ms);
    }
}

TEST_F(BalancedServerTest, LosesNothingThatCanBeAskedAgainWhenABackendDies) {
    system.routes = {test::route({test::wait(30ms)})};
    system.server.workers = 4;
    system.balancer.fail_timeout = 500ms;
    open();
    std::deque<HttpClient> clients;
    for (int i = 0; i < 6; ++i) clients.emplace_back(server->port());
    for (HttpClient& client : clients) client.send("/pay");
    backend(1).up = false;  // with two of them in hand
    apply();
    for (HttpClient& client : clients) EXPECT_EQ(client.receive().status, 200);
    EXPECT_EQ(good(ask("/pay", 9)), 9);
    ServerSample sample = server->sample();
    EXPECT_FALSE(sample.backends[0].up);
    EXPECT_TRUE(sample.backends[1].up);
    EXPECT_GE(sample.backends[0].failures, 1U);
    EXPECT_GE(sample.proxy.retries, 1U);
    EXPECT_EQ(sample.proxy.lost, 0U);

    backend(1).up = true;
    apply();
    EXPECT_TRUE(comes_true([&] {
        static_cast<void>(ask("/pay", 3));
        return given()[0] > 0;
    }));
    EXPECT_EQ(good(ask("/pay", 9)), 9);
    EXPECT_EQ(server->sample().backends[0].fails, 0U);
}

TEST_F(BalancedServerTest, SaysBadGatewayWhereNobodyIsLeft) {
    system.routes = {test::route({}, "page")};
    for (std::size_t i = 1; i <= 3; ++i) backend(i).up = false;
    open();
    EXPECT_THAT(ask("/page", 2), ElementsAre(502, 502));
    EXPECT_EQ(server->sample().proxy.lost, 2U);
}

TEST_F(BalancedServerTest, AsksNobodyElseWhereItIsTold) {
    system.routes = {test::route({}, "page")};
    system.balancer.next_upstream = NextUpstream::off;
    system.balancer.max_fails = 0;
    backend(1).up = false;
    open();
    EXPECT_THAT(ask("/page", 6), ElementsAre(502, 200, 200, 502, 200, 200));
}

TEST_F(BalancedServerTest, SendsNoPostTwice) {
    Route post = test::route({test::wait(300ms)});
    post.method = Method::post;
    system.routes = {post};
    system.balancer.read_timeout = 100ms;
    open();
    testing::RawClient client{server->port()};
    client.send("POST /pay HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 504);
    const ServerSample sample = server->sample();
    EXPECT_EQ(sample.proxy.retries, 0U);
    EXPECT_EQ(sample.backends[0].requests + sample.backends[1].requests, 1U);
}

/// GET is asked of the next; two are slow, the third is not.
TEST_F(BalancedServerTest, AsksTheNextAfterATimeout) {
    system.routes = {test::route({test::wait(20ms)})};
    system.balancer.read_timeout = 200ms;
    backend(1).slowdown = backend(2).slowdown = 50;
    open();
    EXPECT_THAT(ask("/pay", 1), ElementsAre(200));
    EXPECT_EQ(server->sample().proxy.retries, 2U);
}

TEST_F(BalancedServerTest, KeepsAClientWithItsBackendByAddress) {
    system.routes = {test::route({}, "page")};
    system.balancer.rule = BalancerRule::ip_hash;
    open();
    int used = 0;
    std::vector<std::uint64_t> users(3);
    for (int user = 0; user < 30; ++user) {
        EXPECT_EQ(good(ask("/page", 4, "Cookie: user=" + std::to_string(user) + "\r\n")), 4);
        const auto shares = given();
        EXPECT_EQ(std::count(shares.begin(), shares.end(), 4), 1) << user;
        for (std::size_t i = 0; i < 3; ++i) users[i] += shares[i];
    }
    for (const auto share : users) used += share > 0 ? 1 : 0;
    EXPECT_EQ(used, 3);
    system.balancer.one_address = true;  // as behind one router
    apply();
    for (int user = 0; user < 10; ++user) {
        ask("/page", 1, "Cookie: user=" + std::to_string(user) + "\r\n");
    }
    const auto shares = given();
    EXPECT_EQ(std::count(shares.begin(), shares.end(), 10), 1);
}

TEST_F(BalancedServerTest, AnswersStaticFilesByItself) {
    Route file = test::route({test::wait(20ms)}, "logo");
    file.static_file = true;
    file.size = Bytes{5'000};
    system.routes = {file, test::route({}, "page")};
    open();
    HttpClient client{server->port()};
    EXPECT_EQ(client.get("/logo").body.size(), 5'000U);
    EXPECT_THAT(given(), ElementsAre(0, 0, 0));
    for (std::size_t i = 1; i <= 3; ++i) backend(i).up = false;
    apply();
    EXPECT_EQ(client.get("/logo").status, 200);
    EXPECT_EQ(client.get("/page").status, 502);
}

/// nginx's default key is the address alone: another user gets the first one's page.
TEST_F(BalancedServerTest, KeepsAnswersByAddressWhoeverAsks) {
    Route personal = test::route({test::respond(100)}, "me");
    personal.personal = true;
    system.routes = {personal};
    system.balancer.cache_ttl = 60s;
    open();
    HttpClient client{server->port()};
    EXPECT_EQ(
        client.get("/me", "Cookie: user=1\r\nX-Lab-Request: 1\r\n").field(std::string{user_field}),
        "1");
    EXPECT_EQ(
        client.get("/me", "Cookie: user=2\r\nX-Lab-Request: 2\r\n").field(std::string{user_field}),
        "1");
    const ServerSample sample = server->sample();
    EXPECT_EQ(sample.proxy.cache_hits, 1U);
    EXPECT_EQ(sample.proxy.cache_misses, 1U);
    EXPECT_EQ(sample.backends[0].requests, 1U);
}

/// A slow client's answer waits in the proxy, or holds the backend's worker.
TEST_F(BalancedServerTest, FreesTheWorkerOfASlowClientWhereItBuffers) {
    system.routes = {test::route({test::respond(900'000)}, "page")};
    system.server.release = ReleasePoint::drained;
    system.balancer.count = 1;
    open();
    for (const bool buffering : {true, false}) {
        system.balancer.buffering = buffering;
        apply();
        testing::RawClient slow{server->port()};
        slow.shrink_receive_buffer(32'768);
        slow.send("GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n");
        ASSERT_TRUE(comes_true([&] { return given()[0] > 0; }));
        if (buffering) {
            EXPECT_TRUE(comes_true([&] { return server->sample().in_service == 0; }));
        } else {
            ASSERT_TRUE(comes_true([&] { return server->sample().in_service == 1; }));
            std::this_thread::sleep_for(300ms);
            EXPECT_EQ(server->sample().in_service, 1U);
        }
        const auto answer = slow.read_answer();
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->status, 200);
        EXPECT_EQ(answer->body.size(), 900'000U);
        EXPECT_TRUE(comes_true([&] { return server->sample().in_service == 0; }));
    }
}

TEST_F(BalancedServerTest, HandsOnWholeAnswersInPieces) {
    const std::vector<std::int64_t> sizes{0, 1, 100, 16'384, 40'000, 500'000};
    for (const auto size : sizes) {
        system.routes.push_back(test::route({test::respond(size)}, "p" + std::to_string(size)));
    }
    system.balancer.buffering = false;
    for (const bool keep : {false, true}) {
        system.balancer.keep_alive = keep;
        if (server) {
            apply();
        } else {
            open();
        }
        HttpClient client{server->port()};
        for (const auto size : sizes) {
            const auto answer = client.get("/p" + std::to_string(size), "X-Lab-Request: 3\r\n");
            EXPECT_EQ(answer.status, 200);
            EXPECT_EQ(answer.body, std::string(static_cast<std::size_t>(size), 'x'));
        }
        testing::RawClient raw{server->port()};
        raw.send("HEAD /p500000 HTTP/1.1\r\nHost: localhost\r\n\r\n");
        const auto head = raw.read_answer(true);
        ASSERT_TRUE(head);
        EXPECT_NE(head->head.find("Content-Length: 500000"), std::string::npos);
        raw.send("GET /p100 HTTP/1.1\r\nHost: localhost\r\n\r\n");
        const auto next = raw.read_answer();
        ASSERT_TRUE(next);
        EXPECT_EQ(next->body.size(), 100U);
    }
}

TEST_F(BalancedServerTest, LetsTheBackendGoWhoseClientLeavesBetweenTwoPieces) {
    system.routes = {test::route({test::respond(900'000)}, "page")};
    system.server.release = ReleasePoint::drained;
    system.balancer.count = 1;
    system.balancer.buffering = false;
    open();
    {
        testing::RawClient slow{server->port()};
        slow.shrink_receive_buffer(32'768);
        slow.send("GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n");
        ASSERT_TRUE(comes_true([&] { return server->sample().in_service == 1; }));
        slow.reset();
    }
    EXPECT_TRUE(comes_true([&] { return server->sample().in_service == 0; }));
    EXPECT_TRUE(comes_true([&] { return server->sample().backends[0].in_flight == 0; }));
    EXPECT_EQ(good(ask("/page", 2)), 2);
}

TEST_F(BalancedServerTest, GoesOnWithMoreBackendsAndWithFewer) {
    system.routes = {test::route({}, "page")};
    system.balancer.count = 1;
    open();
    EXPECT_EQ(good(ask("/page", 4)), 4);
    system.balancer.count = 4;
    apply();
    EXPECT_EQ(good(ask("/page", 8)), 8);
    ServerSample sample = server->sample();
    ASSERT_EQ(sample.backends.size(), 4U);
    EXPECT_EQ(sample.threads.size(), 4U);
    system.balancer.count = 2;
    apply();
    static_cast<void>(server->sample());
    EXPECT_EQ(good(ask("/page", 8)), 8);
    EXPECT_THAT(given(), ElementsAre(4, 4));
}

TEST_F(BalancedServerTest, StopsAtOnceWithRequestsInHand) {
    system.routes = {test::route({test::wait(30s)})};
    open();
    std::deque<HttpClient> clients;
    for (int i = 0; i < 6; ++i) clients.emplace_back(server->port());
    for (HttpClient& client : clients) client.send("/pay");
    ASSERT_TRUE(comes_true([&] { return server->sample().in_service == 3; }));
    const Instant begun = clock_now();
    server->stop();
    EXPECT_LT(clock_now() - begun, 1s);
}

/// The client has gone: its request is not carried on with.
TEST_F(BalancedServerTest, ForgetsARequestWhoseClientHasGone) {
    system.routes = {test::route({test::wait(30s)})};
    open();
    {
        HttpClient client{server->port()};
        client.send("/pay");
        ASSERT_TRUE(comes_true([&] { return server->sample().backends[0].in_flight == 1; }));
    }
    // A half-closed connection may still want its answer; a reset one does not.
    testing::RawClient raw{server->port()};
    raw.send("GET /pay HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_TRUE(comes_true([&] { return server->sample().backends[1].in_flight == 1; }));
    raw.reset();
    EXPECT_TRUE(comes_true([&] { return server->sample().backends[1].in_flight == 0; }));
}

}  // namespace
}  // namespace lab::live
