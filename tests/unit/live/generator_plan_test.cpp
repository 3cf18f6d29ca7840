// SPDX-License-Identifier: GPL-3.0-or-later
// What the generator asks for and when, without a socket.
#include <gtest/gtest.h>

#include <set>

#include "core/crowd.hpp"
#include "live/generator_text.hpp"
#include "live/language.hpp"

namespace lab::live {
namespace {

constexpr std::uint64_t seed = 42;

Instant at(Duration since) { return Instant{1000s} + since; }

LoopbackTarget target_of(std::string path) {
    LoopbackTarget target;
    target.host = "127.0.0.1:8000";
    target.target = std::move(path);
    return target;
}

core::Planned planned(std::uint64_t id, std::uint64_t key, std::uint32_t user) {
    core::Planned made;
    made.id = id;
    made.key = key;
    made.user = user;
    return made;
}

TEST(RequestText, OfAUrlSaysNoMoreThanItMust) {
    const auto request = url_template(target_of("/a?b={key}"), false);
    std::string room;
    EXPECT_EQ(write_request(request, planned(1, 2, 3), true, room),
              "GET /a?b={key} HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n");
    EXPECT_EQ(write_request(request, planned(1, 2, 3), false, room),
              "GET /a?b={key} HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(room.empty()) << "the finished bytes are sent as they stand";
}

TEST(RequestText, OfARouteNamesKeyUserAndNumber) {
    Route route;
    route.id = "item";
    route.path = "/item/{key}?who={user}&x=1";
    const auto requests = route_templates(target_of("/"), {route}, true);
    std::string room = "left over";
    EXPECT_EQ(write_request(requests.at(0), planned(4711, 17, 9), true, room),
              "GET /item/17?who=9&x=1 HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nCookie: user=9\r\n"
              "X-Lab-Request: 4711\r\n\r\n");
}

TEST(RequestText, AsksInTheLanguageOfTheUserWhereThereIsMoreThanOne) {
    Route route;
    route.path = "/me";
    const auto requests = route_templates(target_of("/"), {route}, false);
    std::string room;
    const auto text = [&](std::uint32_t user, int languages) {
        return std::string{
            write_request(requests.at(0), planned(1, 0, user), true, room, languages)};
    };
    EXPECT_EQ(text(5, 1).find("Accept-Language"), std::string::npos);
    EXPECT_NE(text(5, 2).find("Cookie: user=5\r\nAccept-Language: de\r\n\r\n"), std::string::npos);
    EXPECT_NE(text(4, 2).find("Accept-Language: en\r\n"), std::string::npos);
}

TEST(Language, IsReadFromWhatBrowsersSend) {
    EXPECT_EQ(language_name(read_language("de-AT,de;q=0.9,en;q=0.8")), "de");
    EXPECT_EQ(language_name(read_language("fr")), "fr");
    EXPECT_EQ(language_name(read_language("*")), "en");
    EXPECT_EQ(language_name(read_language("")), "en");
    EXPECT_EQ(language_name(200), "en");
    EXPECT_EQ(language_of(9, 8), 1u);
    EXPECT_EQ(language_of(9, 1), 0u);
}

TEST(RequestText, OfAPostHasALengthAndIsNotRepeated) {
    Route route;
    route.path = "/buy";
    route.method = Method::post;
    const auto requests = route_templates(target_of("/"), {route}, false);
    std::string room;
    EXPECT_EQ(
        write_request(requests.at(0), planned(1, 0, 0), false, room),
        "POST /buy HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nContent-Length: 0\r\nCookie: user=0\r\n"
        "Connection: close\r\n\r\n");
    EXPECT_FALSE(requests.at(0).safe_to_repeat);
}

TEST(RequestText, KnowsTheFirstFourQueriesInTheOrderOfTheSteps) {
    const auto query = [](QueryKind kind) {
        Step step;
        step.kind = StepKind::query;
        step.query = kind;
        return step;
    };
    Step cache;
    cache.kind = StepKind::cache;
    cache.steps = {query(QueryKind::product_by_id), query(QueryKind::products_by_category)};
    Route route;
    route.path = "/";
    route.personal = true;
    route.steps = {query(QueryKind::product_by_sku), cache, query(QueryKind::product_by_sku),
                   query(QueryKind::product_by_id)};
    const auto requests = route_templates(target_of("/"), {route}, false);
    EXPECT_EQ(requests.at(0).queries,
              (std::vector<core::AskedQuery>{{QueryKind::product_by_sku},
                                             {QueryKind::product_by_id},
                                             {QueryKind::products_by_category},
                                             {QueryKind::product_by_sku}}));
    EXPECT_TRUE(requests.at(0).personal);
}

std::vector<core::Crowd::Turn> take_all(core::Crowd& crowd, Instant now) {
    std::vector<core::Crowd::Turn> turns;
    while (const auto turn = crowd.take(now)) turns.push_back(*turn);
    return turns;
}

TEST(Crowd, StartsAtOnceWhereNobodyThinks) {
    core::Crowd crowd{seed};
    crowd.resize(3, Distribution{}, at(0s));
    const auto turns = take_all(crowd, at(0s));
    ASSERT_EQ(turns.size(), 3u);
    for (std::uint32_t user = 0; user < 3; ++user) {
        EXPECT_EQ(turns[user].user, user);
        EXPECT_EQ(turns[user].id, user + 1u);
        EXPECT_EQ(turns[user].intended, at(0s));
    }
    EXPECT_EQ(crowd.next_due(), Instant::max()) << "each has one request out";
}

TEST(Crowd, StartsSpreadOverThePauseSoThatUsersDoNotMarchInStep) {
    core::Crowd crowd{seed};
    crowd.resize(100, Distribution::constant(1s), at(0s));
    const auto early = take_all(crowd, at(500ms)).size();
    EXPECT_GT(early, 30u);
    EXPECT_LT(early, 70u);
    EXPECT_EQ(early + take_all(crowd, at(1s)).size(), 100u);
}

TEST(Crowd, ThinksFromTheAnswerToTheNextIntendedStart) {
    core::Crowd crowd{seed};
    crowd.resize(1, Distribution{}, at(0s));
    ASSERT_TRUE(crowd.take(at(0s)));
    crowd.finished(0, Distribution::constant(200ms), 0ms, at(1s));
    EXPECT_EQ(crowd.next_due(), at(1200ms));
    EXPECT_FALSE(crowd.take(at(1200ms - 1ns)));
    const auto turn = crowd.take(at(5s));
    ASSERT_TRUE(turn);
    EXPECT_EQ(turn->intended, at(1200ms)) << "not when it was taken up";
}

TEST(Crowd, WaitsAfterAFailureThoughNobodyThinks) {
    core::Crowd crowd{seed};
    crowd.resize(1, Distribution{}, at(0s));
    ASSERT_TRUE(crowd.take(at(0s)));
    crowd.finished(0, Distribution{}, 10ms, at(1s));
    EXPECT_EQ(crowd.next_due(), at(1010ms));
}

TEST(Crowd, GivesAUsersNthRequestTheSameNumberWhateverTheOthersDo) {
    core::Crowd busy{seed}, lonely{seed};
    busy.resize(10, Distribution{}, at(0s));
    lonely.resize(3, Distribution{}, at(0s));
    std::vector<core::RequestId> of_busy, of_lonely;
    for (int round = 0; round < 5; ++round) {
        for (const auto& turn : take_all(busy, at(1s * round))) {
            if (turn.user == 2) of_busy.push_back(turn.id);
            busy.finished(turn.user, Distribution{}, 0ms, at(1s * round + 1ms * turn.user));
        }
        for (const auto& turn : take_all(lonely, at(1s * round))) {
            if (turn.user == 2) of_lonely.push_back(turn.id);
            lonely.finished(turn.user, Distribution{}, 0ms, at(1s * round));
        }
    }
    EXPECT_GE(of_busy.size(), 4u);
    of_busy.resize(4);
    of_lonely.resize(4);
    EXPECT_EQ(of_busy, of_lonely);
}

TEST(Crowd, LetsWhoIsTooManyLeaveAfterHisRequestAndWelcomesNewOnes) {
    core::Crowd crowd{seed};
    crowd.resize(4, Distribution{}, at(0s));
    ASSERT_EQ(take_all(crowd, at(0s)).size(), 4u);
    crowd.resize(2, Distribution{}, at(1s));
    for (std::uint32_t user = 0; user < 4; ++user)
        crowd.finished(user, Distribution{}, 0ms, at(1s));
    EXPECT_EQ(take_all(crowd, at(2s)).size(), 2u);
    crowd.resize(5, Distribution{}, at(3s));
    const auto joined = take_all(crowd, at(3s));
    ASSERT_EQ(joined.size(), 3u) << "two have a request out";
    EXPECT_EQ(joined[0].user, 2u);
    EXPECT_EQ(joined[2].user, 4u);
}

TEST(Crowd, NeverGivesANumberTwice) {
    core::Crowd crowd{seed};
    std::set<core::RequestId> ids;
    core::RequestId last = 0;
    for (int round = 0; round < 3; ++round) {
        crowd.resize(4, Distribution{}, at(1s * round));
        for (const auto& turn : take_all(crowd, at(1s * round))) {
            EXPECT_TRUE(ids.insert(turn.id).second);
            last = std::max(last, turn.id);
        }
        for (std::uint32_t user = 0; user < 4; ++user) {
            crowd.dismiss(last + 1000);
            crowd.finished(user, Distribution{}, 0ms, at(1s * round));
        }
        EXPECT_EQ(crowd.next_due(), Instant::max());
    }
    EXPECT_EQ(ids.size(), 12u);
    EXPECT_GT(*ids.rbegin(), 2000u);
}

TEST(Crowd, IsNotBehindAfterASilence) {
    core::Crowd crowd{seed};
    crowd.resize(2, Distribution::constant(1s), at(0s));
    crowd.postpone(at(60s));
    const auto turns = take_all(crowd, at(60s));
    ASSERT_EQ(turns.size(), 2u);
    EXPECT_EQ(turns[0].intended, at(60s));
    EXPECT_EQ(turns[1].intended, at(60s));
}

}  // namespace
}  // namespace lab::live
