// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/cache_desk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "core/keyed_random.hpp"
#include "support/time.hpp"

namespace lab::core {
namespace {

using test::at;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Verdict = CacheDesk::Verdict;

CachedAnswer answer(std::string body = "v") { return {std::move(body), 1, {1}, {}, 0}; }

CacheDesk desk_with(Stampede stampede, Duration ttl = 10s, Duration stale_for = 60s) {
    Cache cache;
    cache.mode = CacheMode::shared;
    cache.ttl = ttl;
    cache.stampede = stampede;
    cache.stale_for = stale_for;
    return CacheDesk{CacheDesk::options_of(cache)};
}

/// Who finds the entry being made waits for it.
Verdict ask(CacheDesk& desk, Ticket who, Instant now, std::uint64_t lot = 0) {
    const Verdict verdict = desk.look_up("k", now, lot).verdict;
    if (verdict == Verdict::busy) {
        EXPECT_TRUE(desk.await("k", who));
    }
    return verdict;
}

TEST(CacheDesk, CountsWhoMakesWhatAnotherIsMaking) {
    CacheDesk desk = desk_with(Stampede::none);
    for (Ticket who = 1; who <= 4; ++who) EXPECT_EQ(ask(desk, who, at(0s)), Verdict::miss);
    EXPECT_EQ(desk.counts().misses, 4u);
    EXPECT_EQ(desk.counts().duplicates, 3u);
    for (int i = 0; i < 4; ++i) EXPECT_THAT(desk.put("k", answer(), at(1s), 1s, 0), IsEmpty());
    EXPECT_EQ(ask(desk, 5, at(1s)), Verdict::hit);
    EXPECT_EQ(desk.counts().hits, 1u);
    EXPECT_EQ(desk.look_up("other", at(1s), 0).verdict, Verdict::miss);
    EXPECT_EQ(desk.counts().duplicates, 3u) << "another entry";
}

TEST(CacheDesk, LetsOneMakeTheEntryAndWakesThoseThatWaited) {
    CacheDesk desk = desk_with(Stampede::lock);
    EXPECT_EQ(ask(desk, 1, at(0s)), Verdict::miss);
    EXPECT_EQ(ask(desk, 2, at(0s)), Verdict::busy);
    EXPECT_EQ(ask(desk, 3, at(0s)), Verdict::busy);
    EXPECT_THAT(desk.put("k", answer(), at(1s), 1s, 0), ElementsAre(2, 3));
    EXPECT_EQ(ask(desk, 2, at(1s)), Verdict::hit);
    EXPECT_EQ(ask(desk, 3, at(1s)), Verdict::hit);
    EXPECT_EQ(desk.counts().misses, 1u);
    EXPECT_EQ(desk.counts().hits, 2u);
    EXPECT_EQ(desk.counts().duplicates, 0u);
}

TEST(CacheDesk, LetsNobodyWaitForWhatNobodyMakes) {
    CacheDesk desk = desk_with(Stampede::lock);
    EXPECT_FALSE(desk.await("k", 1));
    EXPECT_EQ(desk.look_up("k", at(0s), 0).verdict, Verdict::miss);
    EXPECT_EQ(desk.look_up("k", at(0s), 0).verdict, Verdict::busy);
    EXPECT_THAT(desk.put("k", answer(), at(1s), 1s, 0), IsEmpty());
    EXPECT_FALSE(desk.await("k", 2)) << "made between the look-up and the wait";
}

TEST(CacheDesk, LetsTheNextMakeItWhereTheFirstCouldNot) {
    CacheDesk desk = desk_with(Stampede::lock);
    EXPECT_EQ(ask(desk, 1, at(0s)), Verdict::miss);
    EXPECT_EQ(ask(desk, 2, at(0s)), Verdict::busy);
    EXPECT_EQ(ask(desk, 3, at(0s)), Verdict::busy);
    desk.withdraw("k", 3);
    EXPECT_THAT(desk.give_up("k"), ElementsAre(2));
    EXPECT_EQ(ask(desk, 2, at(1s)), Verdict::miss);
    EXPECT_EQ(ask(desk, 4, at(1s)), Verdict::busy);
}

TEST(CacheDesk, GivesTheOldEntryWhileOneMakesTheNew) {
    CacheDesk desk = desk_with(Stampede::stale_while_revalidate, 10s, 5s);
    EXPECT_EQ(ask(desk, 1, at(0s)), Verdict::miss);
    static_cast<void>(desk.put("k", answer("old"), at(0s), 1s, 0));
    EXPECT_EQ(ask(desk, 2, at(11s)), Verdict::miss) << "the first after its time makes it";
    const auto look = desk.look_up("k", at(11s), 0);
    ASSERT_EQ(look.verdict, Verdict::hit);
    EXPECT_EQ(look.entry->answer.body, "old");
    static_cast<void>(desk.put("k", answer("new"), at(12s), 1s, 0));
    EXPECT_EQ(desk.look_up("k", at(12s), 0).entry->answer.body, "new");
    EXPECT_EQ(desk.counts().duplicates, 0u);
    EXPECT_EQ(ask(desk, 5, at(22s)), Verdict::miss);
    EXPECT_EQ(ask(desk, 6, at(27s)), Verdict::miss) << "too old to be given";
    EXPECT_EQ(desk.counts().duplicates, 1u);
}

TEST(CacheDesk, NullKeepsNothingAndLetsNobodyWait) {
    Cache cache;
    cache.mode = CacheMode::null;
    cache.stampede = Stampede::lock;
    CacheDesk desk{CacheDesk::options_of(cache)};
    for (Ticket who = 1; who <= 3; ++who) EXPECT_EQ(ask(desk, who, at(0s)), Verdict::miss);
    for (int i = 0; i < 3; ++i) EXPECT_THAT(desk.put("k", answer(), at(0s), 1s, 0), IsEmpty());
    EXPECT_EQ(desk.store().size(), 0u);
    EXPECT_EQ(desk.counts().hits, 0u);
    EXPECT_EQ(desk.counts().misses, 3u);
    EXPECT_EQ(desk.counts().errors, 0u);
}

TEST(CacheDesk, SwallowsTheErrorsOfAFailingBackend) {
    Cache cache;
    cache.mode = CacheMode::shared;
    CacheDesk desk{CacheDesk::options_of(cache)};
    EXPECT_EQ(ask(desk, 1, at(0s)), Verdict::miss);
    static_cast<void>(desk.put("k", answer(), at(0s), 1s, 0));
    cache.failing = true;
    desk.configure(CacheDesk::options_of(cache));
    EXPECT_EQ(ask(desk, 2, at(1s)), Verdict::failed);
    EXPECT_EQ(desk.counts().errors, 1u);
    cache.failing = false;
    desk.configure(CacheDesk::options_of(cache));
    EXPECT_EQ(ask(desk, 3, at(2s)), Verdict::hit) << "it came back with what it held";
}

TEST(CacheDesk, AFailingServerIsNoMatterOfACacheInTheWorker) {
    Cache cache;
    cache.mode = CacheMode::per_worker;
    cache.failing = true;
    EXPECT_FALSE(CacheDesk::options_of(cache).failing);
}

TEST(EarlyExpiry, HoldsToTheFormula) {
    // ln(e^-2) = -2: 2 x 3 s ahead.
    const double rand = 0.1353352832366127;
    EXPECT_FALSE(due_early(at(0s), at(6001ms), 3s, 1, rand));
    EXPECT_TRUE(due_early(at(0s), at(5999ms), 3s, 1, rand));
    EXPECT_TRUE(due_early(at(0s), at(11s), 3s, 2, rand));
    EXPECT_FALSE(due_early(at(0s), at(1ns), 3s, 1, 1.0)) << "ln(1) = 0";
    EXPECT_FALSE(due_early(at(0s), Instant::max(), 3s, 100, 1e-300)) << "never expires";
    EXPECT_FALSE(due_early(at(0s), at(1ns), 3s, 0, 0.5)) << "beta 0: never early";
}

TEST(EarlyExpiry, MakesItEarlyWithTheChanceOfVattani) {
    // P(early at t before expiry) = P(-ln(rand) >= t / (delta beta)) = exp(-t / (delta beta)).
    CacheDesk desk = desk_with(Stampede::early, 10s);
    static_cast<void>(ask(desk, 1, at(0s)));
    static_cast<void>(desk.put("k", answer(), at(0s), 500ms, 0));
    for (const auto& [before, chance] :
         std::map<Duration, double>{{2s, 0.0183}, {1s, 0.1353}, {500ms, 0.3679}, {100ms, 0.8187}}) {
        int early = 0;
        constexpr int asked = 4'000;
        for (std::uint64_t i = 0; i < asked; ++i) {
            if (ask(desk, 2, at(10s) - before, keyed_bits(42, i, 1)) != Verdict::miss) continue;
            ++early;
            static_cast<void>(desk.give_up("k"));
        }
        EXPECT_NEAR(early, asked * chance, 4 * std::sqrt(asked * chance)) << before.count();
    }
}

RC_GTEST_PROP(CacheDesk, NeverLetsTwoMakeOneEntryUnderALock, ()) {
    CacheDesk desk = desk_with(Stampede::lock, 20ms);
    Instant now = at(0s);
    std::map<std::string, int> makers;
    std::map<Ticket, std::string> waiting;
    Ticket next = 1;
    const auto woken = [&](const std::vector<Ticket>& tickets) {
        for (const Ticket ticket : tickets) RC_ASSERT(waiting.erase(ticket) == 1u);
    };
    const auto length = *rc::gen::inRange(0, 200);
    for (int i = 0; i < length; ++i) {
        now += Duration{1ms} * *rc::gen::inRange(0, 6);
        const std::string key(1, static_cast<char>('a' + *rc::gen::inRange(0, 3)));
        const int what = *rc::gen::inRange(0, 6);
        if (what > 1) {
            const auto verdict = desk.look_up(key, now, 0).verdict;
            if (verdict == Verdict::miss) {
                RC_ASSERT(++makers[key] == 1);
            }
            if (verdict == Verdict::busy) {
                RC_ASSERT(makers[key] == 1);
                RC_ASSERT(desk.await(key, next));
                waiting[next] = key;
            }
            ++next;
        } else if (makers[key] > 0) {
            --makers[key];
            woken(what == 0 ? desk.put(key, answer(), now, 1ms, 0) : desk.give_up(key));
            for (const auto& [ticket, of] : waiting) RC_ASSERT(of != key);
        }
        RC_ASSERT(desk.counts().duplicates == 0u);
    }
}

}  // namespace
}  // namespace lab::core
