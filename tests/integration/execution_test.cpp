// SPDX-License-Identifier: GPL-3.0-or-later
// The execution models over real sockets, held to what the real servers did (SERVERS.md E1, E3, E4,
// E7, E8): ratios and bounds, with every time of the original divided by five.
#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "lab/presets.hpp"
#include "live/server.hpp"
#include "support/http_client.hpp"

namespace lab::live {
namespace {

using lab::test::HttpClient;
using Set = std::vector<std::pair<std::string, std::string>>;

constexpr Duration view = 100ms;

Instant clock_now() { return std::chrono::steady_clock::now(); }

/// A server as its preset has it, with views that wait and one that answers at once.
struct ExecutionTest : ::testing::Test {
    std::unique_ptr<Server> server;

    void open(const std::string& preset, const Set& changes = {}, std::uint64_t seed = 42) {
        Model model;
        const auto route = [&](const char* id, Duration time) {
            Route made;
            made.id = id;
            made.path = std::string{"/"} + id;
            Step wait;
            wait.id = "wait";
            wait.kind = StepKind::wait;
            wait.time = Distribution::constant(time);
            made.steps = {wait};
            model.system.routes.push_back(made);
        };
        route("view", view);
        route("fast", 1us);
        route("long", 3s);
        route("burn", view);
        model.system.routes.back().steps[0].kind = StepKind::cpu;
        ASSERT_TRUE(set_setting_text(model, "server.preset", preset));
        for (const auto& [path, value] : changes) {
            ASSERT_TRUE(set_setting_text(model, path, value)) << path;
        }
        ASSERT_TRUE(validate(model));
        Server::Options options;
        options.system = model.system;
        options.seed = seed;
        auto opened = Server::open(std::move(options));
        ASSERT_TRUE(opened) << opened.error().message();
        server = std::move(*opened);
    }
    /// How long eight views at once take, in views.
    double eight_at_once() {
        std::deque<HttpClient> clients;
        const Instant begun = clock_now();
        for (int i = 0; i < 8; ++i) clients.emplace_back(server->port()).send("/view");
        for (HttpClient& client : clients) EXPECT_EQ(client.receive().status, 200);
        return to_seconds(clock_now() - begun) / to_seconds(view);
    }
    template <class Condition>
    bool comes_true(Condition&& condition) {
        const Instant limit = clock_now() + 10s;
        while (!condition(server->sample())) {
            if (clock_now() > limit) return false;
            std::this_thread::sleep_for(5ms);
        }
        return true;
    }
};

TEST_F(ExecutionTest, TheDevelopmentServerHasAThreadForEachConnection) {  // E1: 0.53 s of 0.5
    open("flask-dev");
    const double waves = eight_at_once();
    EXPECT_GE(waves, 1);
    EXPECT_LT(waves, 1.9);
}

TEST_F(ExecutionTest, WithoutThreadsItDoesOneAfterTheOther) {  // E1: 4.05 s of 0.5
    open("flask-dev-unthreaded");
    const double waves = eight_at_once();
    EXPECT_GE(waves, 8);
    EXPECT_LT(waves, 9.5);
}

TEST_F(ExecutionTest, OneSyncWorkerDoesOneAfterTheOther) {  // E3: 4.06 s
    open("gunicorn-sync");
    const double waves = eight_at_once();
    EXPECT_GE(waves, 8);
    EXPECT_LT(waves, 9.5);
}

TEST_F(ExecutionTest, FourSyncWorkersTakeTwoWaves) {  // E4: 1.11 s
    open("gunicorn-sync", {{"server.workers", "4"}});
    const double waves = eight_at_once();
    EXPECT_GE(waves, 2);
    EXPECT_LT(waves, 2.9);
}

/// Of 20 trials those in which one of four fast requests had to wait behind a slow one.
int trials_that_hurt(Server& server) {
    int hurt = 0;
    for (int trial = 0; trial < 20; ++trial) {
        HttpClient slow{server.port()};
        slow.send("/view");
        const Instant limit = clock_now() + 5s;
        while (server.sample().in_service == 0 && clock_now() < limit) {
            std::this_thread::sleep_for(1ms);
        }
        std::deque<HttpClient> clients;
        const Instant begun = clock_now();
        for (int i = 0; i < 4; ++i) clients.emplace_back(server.port()).send("/fast");
        for (HttpClient& client : clients) EXPECT_EQ(client.receive().status, 200);
        hurt += clock_now() - begun > view * 2 / 5;
        EXPECT_EQ(slow.receive().status, 200);
    }
    return hurt;
}

TEST_F(ExecutionTest, AThreadedWorkerTakesMoreThanItCanServe) {  // E7: 15 of 20
    open("gunicorn-gthread", {{"server.workers", "4"}});
    EXPECT_GE(trials_that_hurt(*server), 12);
}

TEST_F(ExecutionTest, ASyncWorkerTakesOnlyWhatItCanServe) {  // E7: 0 of 20
    open("gunicorn-sync", {{"server.workers", "4"}});
    EXPECT_LE(trials_that_hurt(*server), 1);
}

TEST_F(ExecutionTest, TheTimeoutKillsASyncWorkerInALongRequest) {  // E8: error after 1.7 s
    open("gunicorn-sync", {{"server.worker_timeout", "1s"}, {"server.boot_time", "100ms"}});
    HttpClient client{server->port()};
    const Instant begun = clock_now();
    EXPECT_EQ(client.get("/long").status, 0);
    EXPECT_GT(clock_now() - begun, 1s);
    EXPECT_LT(clock_now() - begun, 2500ms);
    std::uint64_t kills = 0, boots = 0;
    EXPECT_TRUE(comes_true([&](const ServerSample& sample) {
        kills += sample.worker_kills;
        boots += sample.worker_boots;
        return boots == 1;
    }));
    EXPECT_EQ(kills, 1u);
    EXPECT_EQ(HttpClient{server->port()}.get("/fast").status, 200) << "it has booted anew";
}

TEST_F(ExecutionTest, TheTimeoutLetsAThreadedWorkerLive) {  // E8: 200 after 3.0 s
    open("gunicorn-gthread", {{"server.worker_timeout", "1s"}});
    HttpClient client{server->port()};
    EXPECT_EQ(client.get("/long").status, 200);
    EXPECT_EQ(server->sample().worker_kills, 0u);
}

TEST_F(ExecutionTest, AWorkerThatIsKilledTakesAllItsConnectionsWithIt) {
    open("gunicorn-gthread", {{"server.memory", "40MB"},
                              {"server.leak", "10MB"},
                              {"server.memory_limit", "60MB"},
                              {"server.boot_time", "200ms"}});
    HttpClient idle{server->port()};
    EXPECT_EQ(idle.get("/fast").status, 200);
    HttpClient held{server->port()};
    held.send("/view");
    ASSERT_TRUE(comes_true([](const ServerSample& s) { return s.in_service == 1; }));
    HttpClient last{server->port()};
    EXPECT_EQ(last.get("/fast").status, 0) << "the request that does not fit any more";
    EXPECT_EQ(idle.get("/fast").status, 0);
    EXPECT_EQ(held.receive().status, 200) << "it had been answered before: one thread";
    EXPECT_EQ(HttpClient{server->port()}.get("/fast").status, 200);
}

TEST_F(ExecutionTest, WorkersRestartGracefullyAfterTheirRequests) {
    open("gunicorn-sync", {{"server.max_requests", "5"}, {"server.boot_time", "20ms"}});
    static_cast<void>(server->sample());
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(HttpClient{server->port()}.get("/fast").status, 200) << "nobody is cut off";
    }
    std::uint64_t restarts = 0;
    EXPECT_TRUE(comes_true([&](const ServerSample& sample) {
        restarts += sample.worker_restarts;
        return restarts >= 4;
    }));
    EXPECT_EQ(restarts, 4u);
}

/// Two requests that compute for 100 ms each, on two threads or loops without a lock between them.
double two_that_compute(Server& server) {
    std::deque<HttpClient> clients;
    const Instant begun = clock_now();
    for (int i = 0; i < 2; ++i) clients.emplace_back(server.port()).send("/burn");
    for (HttpClient& client : clients) EXPECT_EQ(client.receive().status, 200);
    return to_seconds(clock_now() - begun) / to_seconds(view);
}

TEST_F(ExecutionTest, ThreadsOnOneCoreComputeOneAfterTheOther) {
    open("flask-dev", {{"server.interpreter_lock", "false"}, {"server.cores", "1"}});
    EXPECT_EQ(server->sample().cores, 1U);
    EXPECT_GE(two_that_compute(*server), 1.95);
}

TEST_F(ExecutionTest, LoopsOnOneCoreComputeOneAfterTheOther) {
    open("node", {{"server.workers", "2"}, {"server.cores", "1"}});
    EXPECT_EQ(server->sample().cores, 1U);
    EXPECT_GE(two_that_compute(*server), 1.95);
}

TEST_F(ExecutionTest, ChangesTheWayOfDispatchWithoutLosingARequest) {
    open("gunicorn-sync", {{"server.workers", "2"}});
    std::deque<HttpClient> clients;
    for (int i = 0; i < 6; ++i) clients.emplace_back(server->port()).send("/view");
    ASSERT_TRUE(comes_true([](const ServerSample& s) { return s.in_service == 2; }));
    Model model;
    model.system = System{};
    Route route;
    for (const char* id : {"view", "fast", "long"}) {
        Step wait;
        wait.id = "wait";
        wait.kind = StepKind::wait;
        wait.time = Distribution::constant(view);
        route.id = id;
        route.path = std::string{"/"} + id;
        route.steps = {wait};
        model.system.routes.push_back(route);
    }
    for (const char* preset : {"gunicorn-gthread", "flask-dev", "uwsgi-cheaper", "gunicorn-sync"}) {
        ASSERT_TRUE(set_setting_text(model, "server.preset", preset));
        server->apply(model.system);
        clients.emplace_back(server->port()).send("/view");
    }
    for (HttpClient& client : clients) EXPECT_EQ(client.receive().status, 200);
}

}  // namespace
}  // namespace lab::live
