// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/route_table.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace lab::live {
namespace {

using Kind = RouteMatch::Kind;

Route route(std::string id, std::string path, Method method = Method::get) {
    Route made;
    made.id = std::move(id);
    made.path = std::move(path);
    made.method = method;
    return made;
}

System shop() {
    System system;
    system.routes = {route("product", "/product/{key}"),
                     route("page", "/page/{key}.html"),
                     route("search", "/search?key={key}&user={user}"),
                     route("new", "/list?order=new"),
                     route("old", "/list?order=old"),
                     route("pay", "/pay"),
                     route("buy", "/pay", Method::post),
                     route("tea", "/green%20tea")};
    system.routes.push_back(route("fast", "/fast"));
    system.routes.back().inline_answer = true;
    system.routes.back().size = Bytes{123};
    system.routes[0].steps.resize(1);
    system.routes[0].steps[0].kind = StepKind::cache;
    system.routes[0].steps[0].steps.resize(1);
    system.routes[0].steps[0].steps[0].kind = StepKind::render;
    return system;
}

RouteMatch match(const char* method, const char* path) {
    static RouteTable table{shop(), "a shop"};
    const auto verb = read_verb(method);
    return table.match(verb, split_target(path, verb == Verb::connect, verb == Verb::options));
}

TEST(RouteTable, FindsARouteAndTheKeyInItsPath) {
    const auto found = match("GET", "/product/4711");
    EXPECT_EQ(found.kind, Kind::handler);
    EXPECT_EQ(found.route, 0u);
    EXPECT_EQ(found.key, 4711u);
    EXPECT_EQ(match("HEAD", "/product/0").kind, Kind::handler);
    EXPECT_EQ(match("GET", "/page/17.html?from=home").key, 17u);
    EXPECT_EQ(match("GET", "/pro%64uct/%31").key, 1u);
    EXPECT_EQ(match("GET", "/green%20tea").route, 7u);
}

TEST(RouteTable, ShowsTheCacheWhereThereMayBeOne) {
    EXPECT_EQ(match("GET", "/lab/cache").kind, Kind::cache_page);
    EXPECT_EQ(match("HEAD", "/lab/cache").kind, Kind::cache_page);
    EXPECT_EQ(match("POST", "/lab/cache").status, 405);
    System without = shop();
    without.routes.erase(without.routes.begin());
    RouteTable table{without, "no cache"};
    EXPECT_EQ(table.match(Verb::get, split_target("/lab/cache", false, false)).status, 404);
    without.routes.push_back(route("own", "/lab/cache"));
    RouteTable own{without, "its own"};
    EXPECT_EQ(own.match(Verb::get, split_target("/lab/cache", false, false)).kind, Kind::handler);
}

TEST(RouteTable, HasNoRouteForAKeyThatIsNoNumber) {
    for (const char* path : {"/product/", "/product/x", "/product/-1", "/product/1/", "/product/1x",
                             "/product/18446744073709551616", "/page/17", "/page/.html", "/product",
                             "/Product/1", "//product/1", "/product%2F1", "/x/../pay", "/pay/"}) {
        EXPECT_EQ(match("GET", path).status, 404) << path;
    }
}

TEST(RouteTable, FindsKeyAndUserInTheQueryInAnyOrder) {
    const auto found = match("GET", "/search?user=7&extra=1&key=%34%32");
    EXPECT_EQ(found.kind, Kind::handler);
    EXPECT_EQ(found.route, 2u);
    EXPECT_EQ(found.key, 42u);
    EXPECT_EQ(found.user, 7u);
    EXPECT_TRUE(found.has_user);
    EXPECT_FALSE(match("GET", "/search?key=1").has_user);
}

TEST(RouteTable, RefusesAQueryWithoutItsKeyOrWithABrokenOne) {
    for (const char* path : {"/search", "/search?key=", "/search?key=x", "/search?key=1&user=",
                             "/search?key=1&user=4294967296", "/search?key=%00"}) {
        EXPECT_EQ(match("GET", path).status, 400) << path;
    }
}

TEST(RouteTable, TellsRoutesApartByTheirQuery) {
    EXPECT_EQ(match("GET", "/list?order=new").route, 3u);
    EXPECT_EQ(match("GET", "/list?a&order=old").route, 4u);
    EXPECT_EQ(match("GET", "/list?order=other").status, 404);
}

TEST(RouteTable, TellsRoutesApartByTheirMethodAndSaysWhichThereAre) {
    EXPECT_EQ(match("GET", "/pay").route, 5u);
    EXPECT_EQ(match("POST", "/pay").route, 6u);
    EXPECT_EQ(match("PUT", "/pay").status, 405);
    EXPECT_EQ(match("PUT", "/pay").allow, "GET, HEAD, POST, OPTIONS");
    EXPECT_EQ(match("POST", "/fast").status, 405);
    EXPECT_EQ(match("POST", "/fast").allow, "GET, HEAD, OPTIONS");
    EXPECT_EQ(match("OPTIONS", "/fast").status, 204);
    EXPECT_EQ(match("OPTIONS", "*").status, 204);
    EXPECT_EQ(match("OPTIONS", "/nowhere").status, 404);
    EXPECT_EQ(match("TRACE", "/nowhere").status, 405);
    EXPECT_EQ(match("CONNECT", "localhost:80").status, 405);
    EXPECT_EQ(match("get", "/pay").status, 501);
    EXPECT_EQ(match("PROPFIND", "/pay").status, 501);
}

TEST(RouteTable, AnswersInlineRoutesAndThePageItself) {
    RouteTable table{shop(), "a shop"};
    const auto fast = table.match(Verb::get, split_target("/fast", false, false));
    ASSERT_EQ(fast.kind, Kind::prepared);
    EXPECT_EQ(table.prepared(fast).body().size(), 123u);
    const auto page = table.match(Verb::get, split_target("/", false, false));
    ASSERT_EQ(page.kind, Kind::prepared);
    EXPECT_EQ(table.prepared(page).body(), index_page(shop(), "a shop"));
}

TEST(RouteTable, LeavesThePageToARouteThatHasItsPath) {
    System system;
    system.routes = {route("home", "/")};
    RouteTable table{system, ""};
    const auto found = table.match(Verb::get, split_target("/", false, false));
    EXPECT_EQ(found.kind, Kind::handler);
    EXPECT_EQ(found.route, 0u);
}

TEST(RouteTable, CallsWhatIsRenderedHtmlAndTheRestText) {
    const RouteTable table{shop(), ""};
    EXPECT_EQ(table.content_type(0), html_text);
    EXPECT_EQ(table.content_type(5), plain_text);
}

TEST(IndexPage, ListsEveryRouteWhileThereIsRoomAndNeverPasses500Octets) {
    EXPECT_NE(index_page(shop(), "t").find("POST /pay\n"), std::string::npos);
    System system;
    for (int i = 0; i < 1'000; ++i)
        system.routes.push_back(route("r", "/a/long/path/number/" + std::to_string(i)));
    const auto page = index_page(system, std::string(300, 'm') + "\x1b[2J");
    EXPECT_LE(page.size(), 500u);
    EXPECT_NE(page.find(" more\n"), std::string::npos);
    EXPECT_EQ(page.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace lab::live
