// SPDX-License-Identifier: GPL-3.0-or-later
// The table of raw requests, each against the real front end over a real socket; after each of them the
// server still answers a good request.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "http_rows/row.hpp"
#include "live/backend_view.hpp"
#include "live/front_end.hpp"
#include "live/proxy.hpp"
#include "support/fake_dispatcher.hpp"
#include "support/raw_client.hpp"

namespace lab::http_rows {

/// What GoogleTest shows of a row that fails.
inline void PrintTo(const Row& row, std::ostream* out) {
    *out << row.name << " (" << row.clause << ")";
}

namespace {

std::vector<Row> all_rows() {
    std::vector<Row> all;
    for (const auto& part : {request_line_rows(), target_rows(), field_rows(), framing_rows(),
                             chunk_rows(), connection_rows(), meaning_rows()}) {
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}

/// What the usual server is asked, asked of a proxy in front of it: the front end is the same
/// strict one, and what it lets through comes out the same.
std::vector<Row> proxied_rows() {
    std::vector<Row> rows;
    for (Row& row : all_rows()) {
        if (row.peer != Peer::usual) continue;
        row.peer = Peer::proxied;
        rows.push_back(row);
    }
    return rows;
}

Route route(const char* id, const char* path, Method method = Method::get) {
    Route made;
    made.id = id;
    made.path = path;
    made.method = method;
    return made;
}

System shop(Peer peer) {
    System system;
    system.routes = {route("ok", "/ok"), route("fast", "/fast"), route("item", "/item/{key}"),
                     route("search", "/search?key={key}&user={user}"),
                     route("pay", "/pay", Method::post)};
    system.routes[1].inline_answer = true;
    system.server.body_limit = Bytes{body_limit};
    if (peer == Peer::hasty) {
        system.server.head_timeout = system.server.body_timeout = 200ms;
        system.server.keep_alive_timeout = 300ms;
    }
    system.server.keep_alive = peer != Peer::closing;
    return system;
}

/// A front end whose workers answer at once.
struct Site {
    explicit Site(Peer peer)
        : generation{testing::make_generation(shop(peer))}, dispatcher{completions, generation} {
        auto opened = live::FrontEnd::open({.title = "a shop",
                                            .generation = generation,
                                            .dispatcher = &dispatcher,
                                            .completions = &completions});
        if (opened) front_end = std::move(*opened);
    }
    live::CompletionQueue completions;
    live::GenerationPtr generation;
    testing::FakeDispatcher dispatcher;
    std::unique_ptr<live::FrontEnd> front_end;
};

/// The same behind a proxy.
struct ProxiedSite {
    explicit ProxiedSite(std::uint16_t backend) {
        System system = shop(Peer::usual);
        system.balancer.rule = BalancerRule::round_robin;
        const auto generation = live::proxy_generation(system, 1);
        auto started = live::Proxy::start({generation, &completions, {backend}});
        if (!started) return;
        proxy = std::move(*started);
        auto opened = live::FrontEnd::open({.title = "a shop",
                                            .generation = generation,
                                            .dispatcher = proxy.get(),
                                            .completions = &completions});
        if (opened) front_end = std::move(*opened);
    }
    ~ProxiedSite() {
        if (front_end) front_end->close();
        if (proxy) proxy->cancel();
        front_end.reset();
    }
    live::CompletionQueue completions;
    std::unique_ptr<live::Proxy> proxy;
    std::unique_ptr<live::FrontEnd> front_end;
};

class HttpTable : public ::testing::TestWithParam<Row> {
  protected:
    static void SetUpTestSuite() {
        for (const auto peer : {Peer::usual, Peer::hasty, Peer::closing}) {
            sites().push_back(std::make_unique<Site>(peer));
            ASSERT_NE(sites().back()->front_end, nullptr);
        }
        proxied() = std::make_unique<ProxiedSite>(port(Peer::usual));
        ASSERT_NE(proxied()->front_end, nullptr);
    }
    static void TearDownTestSuite() {
        proxied().reset();
        sites().clear();
    }
    static std::unique_ptr<ProxiedSite>& proxied() {
        static std::unique_ptr<ProxiedSite> site;
        return site;
    }
    /// Requests that have come through to the workers.
    static std::size_t counted() {
        const auto notes = sites().front()->dispatcher.notes();
        return static_cast<std::size_t>(std::count(notes.begin(), notes.end(), "submit"));
    }
    static std::vector<std::unique_ptr<Site>>& sites() {
        static std::vector<std::unique_ptr<Site>> all;
        return all;
    }
    static std::uint16_t port(Peer peer) {
        if (peer == Peer::proxied) return proxied()->front_end->port();
        return sites()[static_cast<std::size_t>(peer)]->front_end->port();
    }
};

void expect_good(testing::RawClient& client) {
    ASSERT_TRUE(client.send(get("Cookie: user=31\r\n")));
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "key=0 user=31 target=/ok");
}

void play(const Row& row, testing::RawClient& client) {
    // A server that refuses early may close before everything is sent; what counts is what it says.
    if (row.step > 0) {
        client.send_in_steps(row.bytes, row.step);
    } else {
        client.send(row.bytes);
    }
    if (row.half_close) client.half_close();
    std::string all;
    for (std::size_t i = 0; i < row.answers.size(); ++i) {
        const auto answer = client.read_answer(i < 31 && i < 31 && (row.heads >> i & 1) != 0);
        ASSERT_TRUE(answer) << "answer " << i << " did not come";
        ASSERT_EQ(answer->status, row.answers[i]) << "answer " << i;
        if (answer->status != 100) {
            EXPECT_NE(answer->head.find("\r\nDate: "), std::string::npos);
        }
        EXPECT_EQ(answer->head.find("\r\nServer:"), std::string::npos);
        EXPECT_EQ(answer->head.find("\r\nAccess-Control"), std::string::npos);
        all += answer->head + answer->body;
        if (i == 0 && !row.then.empty()) {
            ASSERT_TRUE(client.send(row.then));
        }
    }
    EXPECT_NE(all.find(row.holds), std::string::npos) << all;
    if (row.after == After::open) {
        expect_good(client);
        return;
    }
    std::string surplus;
    EXPECT_EQ(client.read_end(&surplus), testing::RawClient::End::closed);
    EXPECT_EQ(surplus, "");
}

TEST_P(HttpTable, ComesOutAsItsRowSays) {
    const auto& row = GetParam();
    {
        testing::RawClient client{port(row.peer)};
        ASSERT_TRUE(client.connected());
        play(row, client);
    }
    testing::RawClient next{port(row.peer)};
    ASSERT_TRUE(next.connected());
    expect_good(next);
}

class ProxiedTable : public HttpTable {};

TEST_P(ProxiedTable, CountsAsManyRequestsAsTheServerAlone) {
    const auto& row = GetParam();
    const std::size_t before = counted();
    {
        testing::RawClient client{port(Peer::proxied)};
        ASSERT_TRUE(client.connected());
        play(row, client);
    }
    const std::size_t proxied = counted() - before;
    {
        testing::RawClient client{port(Peer::usual)};
        ASSERT_TRUE(client.connected());
        play(row, client);
    }
    EXPECT_EQ(counted() - before - proxied, proxied);
}

INSTANTIATE_TEST_SUITE_P(Rows, ProxiedTable, ::testing::ValuesIn(proxied_rows()),
                         [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(Rows, HttpTable, ::testing::ValuesIn(all_rows()),
                         [](const auto& row) { return row.param.name; });

TEST(HttpTableItself, HasEnoughRowsEachWithANameOfItsOwnAndAClause) {
    std::set<std::string> names;
    for (const auto& row : all_rows()) {
        EXPECT_TRUE(names.insert(row.name).second) << row.name;
        EXPECT_FALSE(row.clause.empty()) << row.name;
    }
    EXPECT_GE(names.size(), 300u);
}

}  // namespace
}  // namespace lab::http_rows
