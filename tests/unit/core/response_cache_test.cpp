// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/response_cache.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "support/time.hpp"

namespace lab::core {
namespace {

using test::at;

CachedAnswer answer(std::string body) { return {std::move(body), 1, {1}}; }

/// The body that a look-up finds, if any.
std::optional<std::string> look(ResponseCache& cache, std::string_view key, Instant now) {
    const CachedAnswer* found = cache.get(key, now);
    return found == nullptr ? std::nullopt : std::optional{found->body};
}

TEST(ResponseCache, GivesBackWhatWasPut) {
    ResponseCache cache{{.ttl = 60s, .capacity = 2}};
    EXPECT_EQ(cache.get("/pay", at(0s)), nullptr);
    cache.put("/pay", {"hello", 7, {3, 4}}, at(0s));
    const CachedAnswer* found = cache.get("/pay", at(1s));
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->body, "hello");
    EXPECT_EQ(found->made_for, 7u);
    EXPECT_EQ(found->versions, (std::vector<std::uint64_t>{3, 4}));
    EXPECT_EQ(cache.hits(), 1u);
    EXPECT_EQ(cache.misses(), 1u);
}

TEST(ResponseCache, DropsAnEntryWhenItsTimeIsOver) {
    ResponseCache cache{{.ttl = 50ms, .capacity = 2}};
    cache.put("k", answer("v"), at(0ms));
    EXPECT_TRUE(look(cache, "k", at(50ms - 1ns)));
    EXPECT_FALSE(look(cache, "k", at(50ms)));
    EXPECT_EQ(cache.size(), 0u);
    EXPECT_EQ(cache.evictions(), 0u);
}

TEST(ResponseCache, IsNotKeptFreshByBeingRead) {
    ResponseCache cache{{.ttl = 50ms, .capacity = 2}};
    cache.put("k", answer("v"), at(0ms));
    EXPECT_TRUE(look(cache, "k", at(40ms)));
    EXPECT_FALSE(look(cache, "k", at(60ms)));
}

TEST(ResponseCache, EvictsTheLeastRecentlyUsed) {
    ResponseCache cache{{.ttl = 60s, .capacity = 2}};
    cache.put("a", answer("1"), at(0s));
    cache.put("b", answer("2"), at(0s));
    EXPECT_TRUE(look(cache, "a", at(1s)));
    cache.put("c", answer("3"), at(1s));
    EXPECT_FALSE(look(cache, "b", at(1s)));
    EXPECT_TRUE(look(cache, "a", at(1s)));
    EXPECT_TRUE(look(cache, "c", at(1s)));
    EXPECT_EQ(cache.evictions(), 1u);
}

TEST(ResponseCache, ReplacesAnEntryWithoutEvictingAnother) {
    ResponseCache cache{{.ttl = 50ms, .capacity = 2}};
    cache.put("a", answer("old"), at(0ms));
    cache.put("b", answer("2"), at(0ms));
    cache.put("a", answer("new"), at(30ms));
    EXPECT_EQ(cache.evictions(), 0u);
    EXPECT_EQ(look(cache, "b", at(40ms)), "2");
    EXPECT_EQ(look(cache, "a", at(70ms)), "new") << "its time began anew";
}

TEST(ResponseCache, EvictsAtOnceWhenItIsMadeSmaller) {
    ResponseCache cache{{.ttl = 60s, .capacity = 3}};
    for (const char* key : {"a", "b", "c"}) cache.put(key, answer(key), at(0s));
    cache.configure({.ttl = 60s, .capacity = 1});
    EXPECT_EQ(cache.size(), 1u);
    EXPECT_EQ(look(cache, "c", at(1s)), "c");
    EXPECT_EQ(cache.evictions(), 2u);
}

TEST(ResponseCache, AppliesANewTimeToLiveToWhatIsPutFromNowOn) {
    ResponseCache cache{{.ttl = 10s, .capacity = 3}};
    cache.put("old", answer("1"), at(0s));
    cache.configure({.ttl = 1s, .capacity = 3});
    cache.put("new", answer("2"), at(0s));
    EXPECT_TRUE(look(cache, "old", at(5s)));
    EXPECT_FALSE(look(cache, "new", at(5s)));
}

TEST(ResponseCache, KeepsNothingWithoutRoomOrTime) {
    ResponseCache no_room{{.ttl = 60s, .capacity = 0}};
    no_room.put("k", answer("v"), at(0s));
    EXPECT_FALSE(look(no_room, "k", at(0s)));
    ResponseCache no_time{{.ttl = 0s, .capacity = 5}};
    no_time.put("k", answer("v"), at(0s));
    EXPECT_FALSE(look(no_time, "k", at(0s)));
}

TEST(ResponseCache, HoldsAnEntryForEverWhereTheTimeToLiveIsEndless) {
    ResponseCache cache{{.ttl = Duration::max(), .capacity = 1}};
    cache.put("k", answer("v"), at(1h));
    EXPECT_TRUE(look(cache, "k", at(24h * 365)));
}

TEST(ResponseCache, ForgetsEverythingButItsCounts) {
    ResponseCache cache{{.ttl = 60s, .capacity = 5}};
    cache.put("k", answer("v"), at(0s));
    EXPECT_TRUE(look(cache, "k", at(0s)));
    cache.clear();
    EXPECT_EQ(cache.size(), 0u);
    EXPECT_EQ(cache.hits(), 1u);
    EXPECT_FALSE(look(cache, "k", at(0s)));
}

/// The same rules in their plainest form: a list from the most recently used to the least.
struct PlainCache {
    struct Entry {
        std::string key, body;
        Instant expires;
    };
    std::vector<Entry> entries;
    std::size_t capacity;

    std::optional<std::string> get(const std::string& key, Instant now) {
        const auto at_key = std::find_if(entries.begin(), entries.end(),
                                         [&](const Entry& e) { return e.key == key; });
        if (at_key == entries.end()) return std::nullopt;
        const Entry entry = *at_key;
        entries.erase(at_key);
        if (entry.expires <= now) return std::nullopt;
        entries.insert(entries.begin(), entry);
        return entry.body;
    }
    void put(const std::string& key, const std::string& body, Instant expires) {
        std::erase_if(entries, [&](const Entry& e) { return e.key == key; });
        entries.insert(entries.begin(), {key, body, expires});
        if (entries.size() > capacity) entries.resize(capacity);
    }
};

RC_GTEST_PROP(ResponseCache, BehavesAsThePlainListDoesAndStaysWithinItsBound, ()) {
    const auto capacity = *rc::gen::inRange<std::size_t>(0, 6);
    ResponseCache cache{{.ttl = 20ms, .capacity = capacity}};
    PlainCache plain{{}, capacity};
    Instant now = at(0ms);
    const auto length = *rc::gen::inRange(0, 200);
    for (int i = 0; i < length; ++i) {
        now += Duration{1ms} * *rc::gen::inRange(0, 8);
        const std::string key(1, static_cast<char>('a' + *rc::gen::inRange(0, 8)));
        if (*rc::gen::arbitrary<bool>()) {
            const std::string body = std::to_string(i);
            cache.put(key, answer(body), now);
            plain.put(key, body, now + 20ms);
        } else {
            RC_ASSERT(look(cache, key, now) == plain.get(key, now));
        }
        RC_ASSERT(cache.size() == plain.entries.size());
        RC_ASSERT(cache.size() <= capacity);
    }
}

}  // namespace
}  // namespace lab::core
