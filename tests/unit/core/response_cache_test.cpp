// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/response_cache.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/keyed_random.hpp"
#include "support/time.hpp"

namespace lab::core {
namespace {

using test::at;

CachedAnswer answer(std::string body) { return {std::move(body), 1, {1}, {}, 0}; }

/// The body that a look-up finds, if any.
std::optional<std::string> look(ResponseCache& cache, std::string_view key, Instant now) {
    const CachedAnswer* found = cache.get(key, now);
    return found == nullptr ? std::nullopt : std::optional{found->body};
}

TEST(ResponseCache, GivesBackWhatWasPut) {
    ResponseCache cache{{.ttl = 60s, .capacity = 2}};
    EXPECT_EQ(cache.get("/pay", at(0s)), nullptr);
    cache.put("/pay", {"hello", 7, {3, 4}, {}, 2}, at(0s));
    const CachedAnswer* found = cache.get("/pay", at(1s));
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->body, "hello");
    EXPECT_EQ(found->made_for, 7u);
    EXPECT_EQ(found->versions, (std::vector<std::uint64_t>{3, 4}));
    EXPECT_EQ(found->language, 2u);
    ASSERT_EQ(cache.size(), 1u);
    EXPECT_EQ(cache.entries()[0]->hits, 1u);
    EXPECT_EQ(cache.bytes(), 9u) << "key and body";
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

TEST(ResponseCache, KeepsNothingWithoutRoom) {
    ResponseCache no_room{{.ttl = 60s, .capacity = 0}};
    no_room.put("k", answer("v"), at(0s));
    EXPECT_FALSE(look(no_room, "k", at(0s)));
}

TEST(ResponseCache, HoldsAnEntryForEverWhereTheTimeToLiveIsZeroOrEndless) {
    for (const Duration ttl : {Duration{}, Duration::max()}) {
        ResponseCache cache{{.ttl = ttl, .capacity = 1, .ttl_jitter = 0.5}};
        cache.put("k", answer("v"), at(1h));
        EXPECT_TRUE(look(cache, "k", at(24h * 365)));
    }
}

TEST(ResponseCache, ForgetsEverythingButItsCounts) {
    ResponseCache cache{{.ttl = 60s, .capacity = 5}};
    cache.put("k", answer("v"), at(0s));
    EXPECT_TRUE(look(cache, "k", at(0s)));
    cache.clear();
    EXPECT_EQ(cache.size(), 0u);
    EXPECT_EQ(cache.bytes(), 0u);
    EXPECT_FALSE(look(cache, "k", at(0s)));
}

TEST(ResponseCache, WorksOnAfterItWasEmptied) {
    ResponseCache cache{{.ttl = 60s, .capacity = 1}};
    cache.put("k", answer("v"), at(0s));
    cache.put("l", answer("v"), at(0s));
    cache.clear();
    cache.put("k", answer("v"), at(0s));
    EXPECT_EQ(cache.size(), 1u);
    EXPECT_EQ(cache.evictions(), 1u);
}

TEST(ResponseCache, EvictsTheLeastOftenUsed) {
    ResponseCache cache{{.ttl = 60s, .capacity = 2, .eviction = Eviction::lfu}};
    cache.put("often", answer("1"), at(0s));
    cache.put("once", answer("2"), at(0s));
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(look(cache, "often", at(1s)));
    EXPECT_TRUE(look(cache, "once", at(2s)));
    cache.put("new", answer("3"), at(3s));
    EXPECT_FALSE(look(cache, "once", at(3s))) << "used last, and less often";
    EXPECT_TRUE(look(cache, "often", at(3s)));
}

TEST(ResponseCache, EvictsTheOldestHoweverMuchItIsUsed) {
    ResponseCache cache{{.ttl = 60s, .capacity = 2, .eviction = Eviction::fifo}};
    cache.put("a", answer("1"), at(0s));
    cache.put("b", answer("2"), at(0s));
    EXPECT_TRUE(look(cache, "a", at(1s)));
    cache.put("c", answer("3"), at(1s));
    EXPECT_FALSE(look(cache, "a", at(1s)));
    EXPECT_TRUE(look(cache, "b", at(1s)));
}

TEST(ResponseCache, EvictsEachAsLikelyWhereChanceDecides) {
    std::map<std::string, int> survived;
    constexpr int rounds = 3'000;
    for (std::uint64_t lot = 0; lot < rounds; ++lot) {
        ResponseCache cache{{.ttl = 60s, .capacity = 3, .eviction = Eviction::random}};
        for (const char* key : {"a", "b", "c"}) cache.put(key, answer(key), at(0s));
        cache.put("d", answer("d"), at(0s), {}, keyed_bits(42, lot, 1));
        EXPECT_EQ(cache.size(), 3u);
        for (const char* key : {"a", "b", "c"}) survived[key] += look(cache, key, at(0s)) ? 1 : 0;
    }
    for (const char* key : {"a", "b", "c"}) {
        EXPECT_NEAR(survived[key], rounds * 2 / 3, 4 * std::sqrt(rounds * 2 / 9.0)) << key;
    }
}

TEST(ResponseCache, TakesTheSameVictimsForTheSameLots) {
    const auto left = [] {
        ResponseCache cache{{.ttl = 60s, .capacity = 5, .eviction = Eviction::random}};
        for (std::uint64_t i = 0; i < 50; ++i) {
            cache.put(std::to_string(i), answer("v"), at(0s), {}, keyed_bits(7, i, 1));
        }
        std::set<std::string> keys;
        for (const auto* entry : cache.entries()) keys.insert(entry->key);
        return keys;
    };
    EXPECT_EQ(left(), left());
}

TEST(ResponseCache, KeepsWithinItsBytes) {
    ResponseCache cache{{.ttl = 60s, .capacity = 100, .capacity_bytes = 30}};
    cache.put("a", answer(std::string(14, 'x')), at(0s));
    cache.put("b", answer(std::string(14, 'x')), at(0s));
    EXPECT_EQ(cache.bytes(), 30u);
    EXPECT_EQ(cache.evictions(), 0u);
    cache.put("c", answer("x"), at(0s));
    EXPECT_EQ(cache.bytes(), 17u) << "a has gone";
    cache.put("d", answer(std::string(30, 'x')), at(0s));
    EXPECT_FALSE(look(cache, "d", at(0s))) << "too big by itself";
    EXPECT_TRUE(look(cache, "b", at(0s))) << "nobody had to go for it";
    cache.put("b", answer(std::string(40, 'x')), at(0s));
    EXPECT_FALSE(look(cache, "b", at(0s))) << "what it stood for is out of date";
}

TEST(ResponseCache, ShortensLivesByLotWithinTheJitter) {
    ResponseCache cache{{.ttl = 10s, .capacity = 1'000, .ttl_jitter = 0.3}};
    for (std::uint64_t i = 0; i < 500; ++i) {
        cache.put(std::to_string(i), answer("v"), at(0s), {}, keyed_bits(1, i, 2));
    }
    double sum = 0;
    for (const auto* entry : cache.entries()) {
        EXPECT_LE(entry->expires, at(10s));
        EXPECT_GT(entry->expires, at(7s));
        sum += to_seconds(entry->expires - at(0s));
    }
    EXPECT_NEAR(sum / 500, 8.5, 0.15);
}

TEST(ResponseCache, DropsWhatWasMadeFromARow) {
    ResponseCache cache{{.ttl = 60s, .capacity = 10}};
    cache.put("a", {"1", 1, {}, {7}, 0}, at(0s));
    cache.put("b", {"2", 1, {}, {7, 8}, 0}, at(0s));
    cache.put("c", {"3", 1, {}, {8}, 0}, at(0s));
    EXPECT_EQ(cache.drop_made_from(7), 2u);
    EXPECT_FALSE(look(cache, "a", at(0s)));
    EXPECT_TRUE(look(cache, "c", at(0s)));
    EXPECT_EQ(cache.drop_made_from(7), 0u);
    EXPECT_EQ(cache.evictions(), 0u);
}

TEST(ResponseCache, FindsStaleEntriesForAsLongAsTheyAreKept) {
    ResponseCache cache{{.ttl = 10s, .capacity = 10, .keep_stale = 5s}};
    cache.put("k", answer("old"), at(0s));
    EXPECT_FALSE(look(cache, "k", at(12s)));
    ASSERT_NE(cache.peek("k", at(12s)), nullptr);
    EXPECT_FALSE(cache.peek("k", at(12s))->fresh(at(12s)));
    EXPECT_EQ(cache.peek("k", at(15s)), nullptr);
    EXPECT_EQ(cache.size(), 0u);
}

TEST(SimpleCacheRule, PrunesOnTheNextPutAndNotBefore) {
    ResponseCache cache{{.ttl = 60s, .capacity = 2, .eviction = Eviction::soonest_expiry}};
    for (const char* key : {"a", "b", "c"}) cache.put(key, answer(key), at(0s));
    EXPECT_EQ(cache.size(), 3u) << "one more than the threshold, as in cachelib";
    EXPECT_EQ(cache.evictions(), 0u);
    cache.put("d", answer("d"), at(1s));
    EXPECT_EQ(cache.size(), 3u);
    EXPECT_FALSE(look(cache, "a", at(1s))) << "the soonest; of equals the first put";
    cache.configure({.ttl = 60s, .capacity = 1, .eviction = Eviction::soonest_expiry});
    EXPECT_EQ(cache.size(), 3u);
    cache.put("e", answer("e"), at(1s));
    EXPECT_EQ(cache.size(), 2u);
}

TEST(SimpleCacheRule, EvictsWhatNeverExpiresFirst) {
    ResponseCache cache{{.ttl = 0s, .capacity = 3, .eviction = Eviction::soonest_expiry}};
    cache.put("for ever", answer("1"), at(0s));
    cache.configure({.ttl = 10s, .capacity = 3, .eviction = Eviction::soonest_expiry});
    for (const char* key : {"a", "b", "c"}) cache.put(key, answer(key), at(1s));
    EXPECT_TRUE(look(cache, "for ever", at(1s)));
    cache.put("d", answer("d"), at(2s));
    EXPECT_FALSE(look(cache, "for ever", at(2s))) << "its expiry is 0, which has long passed";
    EXPECT_TRUE(look(cache, "a", at(2s)));
    EXPECT_EQ(cache.evictions(), 1u);
}

TEST(SimpleCacheRule, SweepsWhatIsExpiredBeforeAnythingElseGoes) {
    ResponseCache cache{{.ttl = 2s, .capacity = 2, .eviction = Eviction::soonest_expiry}};
    cache.put("a", answer("1"), at(0s));
    cache.put("b", answer("2"), at(0s));
    cache.configure({.ttl = 60s, .capacity = 2, .eviction = Eviction::soonest_expiry});
    cache.put("c", answer("3"), at(1s));
    EXPECT_FALSE(look(cache, "a", at(5s)));
    EXPECT_EQ(cache.size(), 3u) << "a look-up removes nothing";
    cache.put("d", answer("4"), at(5s));
    EXPECT_EQ(cache.size(), 2u) << "both that were expired have gone";
    EXPECT_TRUE(look(cache, "c", at(5s)));
    EXPECT_EQ(cache.evictions(), 0u);
}

TEST(SimpleCacheRule, CountsInWholeSeconds) {
    ResponseCache cache{{.ttl = 2s, .capacity = 2, .eviction = Eviction::soonest_expiry}};
    cache.put("k", answer("v"), at(900ms));
    EXPECT_TRUE(look(cache, "k", at(1999ms)));
    EXPECT_FALSE(look(cache, "k", at(2s))) << "1.1 s old";
}

/// The same rules in their plainest form: a list, and for each policy who goes.
struct PlainCache {
    struct Entry {
        std::string key, body;
        Instant expires;
        int hits = 0, made = 0, used = 0, first = 0;
        [[nodiscard]] std::size_t bytes() const { return key.size() + body.size(); }
    };
    Eviction policy;
    std::size_t capacity, capacity_bytes;
    std::vector<Entry> entries;
    int clock = 0;

    auto find(const std::string& key) {
        return std::find_if(entries.begin(), entries.end(),
                            [&](const Entry& e) { return e.key == key; });
    }
    std::optional<std::string> get(const std::string& key, Instant now) {
        const auto entry = find(key);
        if (entry == entries.end()) return std::nullopt;
        if (entry->expires <= now) {
            entries.erase(entry);
            return std::nullopt;
        }
        ++entry->hits;
        entry->used = ++clock;
        return entry->body;
    }
    [[nodiscard]] std::size_t bytes() const {
        std::size_t sum = 0;
        for (const Entry& entry : entries) sum += entry.bytes();
        return sum;
    }
    void evict() {
        entries.erase(std::min_element(entries.begin(), entries.end(),
                                       [this](const Entry& a, const Entry& b) {
                                           if (policy == Eviction::fifo) return a.made < b.made;
                                           const bool often = policy == Eviction::lfu;
                                           if (often && a.hits != b.hits) return a.hits < b.hits;
                                           return a.used < b.used;
                                       }));
    }
    void put(const std::string& key, const std::string& body, Instant expires) {
        if (capacity == 0) return;
        Entry made{key, body, expires};
        made.made = made.used = ++clock;
        if (const auto old = find(key); old != entries.end()) {
            made.hits = old->hits;
            entries.erase(old);
        }
        if (capacity_bytes > 0 && made.bytes() > capacity_bytes) return;
        while (!entries.empty() &&
               (entries.size() + 1 > capacity ||
                (capacity_bytes > 0 && bytes() + made.bytes() > capacity_bytes))) {
            evict();
        }
        entries.push_back(made);
    }
};

RC_GTEST_PROP(ResponseCache, BehavesAsThePlainListDoesAndStaysWithinItsBounds, ()) {
    const auto capacity = *rc::gen::inRange<std::size_t>(0, 6);
    const auto capacity_bytes = *rc::gen::element<std::size_t>(0, 4, 9, 20);
    const auto policy = *rc::gen::element(Eviction::lru, Eviction::lfu, Eviction::fifo);
    ResponseCache cache{
        {.ttl = 20ms, .capacity = capacity, .capacity_bytes = capacity_bytes, .eviction = policy}};
    PlainCache plain{policy, capacity, capacity_bytes, {}};
    Instant now = at(0ms);
    const auto length = *rc::gen::inRange(0, 200);
    for (int i = 0; i < length; ++i) {
        now += Duration{1ms} * *rc::gen::inRange(0, 8);
        const std::string key(1, static_cast<char>('a' + *rc::gen::inRange(0, 8)));
        if (*rc::gen::arbitrary<bool>()) {
            const std::string body(*rc::gen::inRange<std::size_t>(0, 6), 'x');
            cache.put(key, answer(body), now);
            plain.put(key, body, now + 20ms);
        } else {
            RC_ASSERT(look(cache, key, now) == plain.get(key, now));
        }
        RC_ASSERT(cache.size() == plain.entries.size());
        RC_ASSERT(cache.bytes() == plain.bytes());
        RC_ASSERT(cache.size() <= capacity);
        RC_ASSERT(capacity_bytes == 0 || cache.bytes() <= capacity_bytes);
    }
}

/// cachelib's SimpleCache, line by line: a dictionary in order of insertion.
struct PlainSimpleCache {
    struct Item {
        std::string key;
        std::int64_t expires;  ///< s; 0: never
    };
    std::size_t threshold;
    std::vector<Item> items;

    void set(const std::string& key, std::int64_t timeout, double now) {
        const std::int64_t expires =
            timeout > 0 ? static_cast<std::int64_t>(now) + timeout : timeout;
        const auto over = [this] { return items.size() > threshold; };
        if (over()) {
            std::erase_if(items,
                          [&](const Item& i) { return static_cast<double>(i.expires) < now; });
        }
        while (over()) {
            items.erase(std::min_element(items.begin(), items.end(), [](const auto& a, auto& b) {
                return a.expires < b.expires;
            }));
        }
        for (Item& item : items) {
            if (item.key == key) {
                item.expires = expires;
                return;
            }
        }
        items.push_back({key, expires});
    }
    [[nodiscard]] bool get(const std::string& key, double now) const {
        return std::any_of(items.begin(), items.end(), [&](const Item& i) {
            return i.key == key && (i.expires == 0 || static_cast<double>(i.expires) > now);
        });
    }
};

RC_GTEST_PROP(SimpleCacheRule, BehavesAsSimpleCacheDoes, ()) {
    const auto threshold = *rc::gen::inRange<std::size_t>(1, 5);
    ResponseCache::Options options{.capacity = threshold, .eviction = Eviction::soonest_expiry};
    ResponseCache cache{options};
    PlainSimpleCache plain{threshold, {}};
    Instant now = at(1s);
    const auto length = *rc::gen::inRange(0, 150);
    for (int i = 0; i < length; ++i) {
        now += Duration{1ms} * *rc::gen::inRange(1, 1'500);
        const double now_s = to_seconds(now - at(0s));
        const std::string key(1, static_cast<char>('a' + *rc::gen::inRange(0, 9)));
        if (*rc::gen::arbitrary<bool>()) {
            const auto timeout = *rc::gen::inRange<std::int64_t>(0, 6);
            options.ttl = std::chrono::seconds(timeout);
            cache.configure(options);
            cache.put(key, answer("v"), now);
            plain.set(key, timeout, now_s);
        } else {
            RC_ASSERT(look(cache, key, now).has_value() == plain.get(key, now_s));
        }
        RC_ASSERT(cache.size() == plain.items.size());
        RC_ASSERT(cache.size() <= threshold + 1);
    }
}

RC_GTEST_PROP(ResponseCache, KeepsItsBoundsWhateverPolicyItIsChangedTo, ()) {
    ResponseCache::Options options{.ttl = 20ms, .capacity = 5};
    ResponseCache cache{options};
    Instant now = at(0ms);
    const auto length = *rc::gen::inRange(0, 200);
    for (int i = 0; i < length; ++i) {
        now += Duration{1ms} * *rc::gen::inRange(0, 8);
        const std::string key(1, static_cast<char>('a' + *rc::gen::inRange(0, 12)));
        switch (*rc::gen::inRange(0, 8)) {
            case 0:
                options.eviction = *rc::gen::element(Eviction::lru, Eviction::lfu, Eviction::fifo,
                                                     Eviction::random);
                options.capacity = *rc::gen::inRange<std::size_t>(1, 8);
                options.capacity_bytes = *rc::gen::element<std::uint64_t>(0, 10, 20);
                cache.configure(options);
                break;
            case 1:
                cache.drop_made_from(*rc::gen::inRange<std::uint64_t>(0, 4));
                break;
            case 2:
            case 3:
                static_cast<void>(cache.get(key, now));
                break;
            default:
                cache.put(key, {"body", 1, {}, {*rc::gen::inRange<std::uint64_t>(0, 4)}, 0}, now,
                          {}, static_cast<std::uint64_t>(i));
        }
        RC_ASSERT(cache.size() <= options.capacity);
        RC_ASSERT(options.capacity_bytes == 0 || cache.bytes() <= options.capacity_bytes);
        std::uint64_t sum = 0;
        for (const auto* entry : cache.entries()) sum += entry->bytes();
        RC_ASSERT(sum == cache.bytes());
    }
}

}  // namespace
}  // namespace lab::core
