// SPDX-License-Identifier: GPL-3.0-or-later
// Cache steps with real threads: whose answer, how fresh, who waits, and what goes wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "core/keyed_random.hpp"
#include "live/response_store.hpp"
#include "live/worker_pool.hpp"
#include "unit/live/fake_front_end.hpp"
#include "unit/live/temporary_folder.hpp"

namespace lab::live {
namespace {

using test::clock_now;
using test::fill;
using test::generation_of;
using test::route_of;
using test::step;
using ::testing::HasSubstr;

Step cached(std::vector<Step> inner, KeyRule rule = {}) {
    Step made = step(StepKind::cache);
    made.key = rule;
    made.steps = std::move(inner);
    return made;
}

Step query(QueryKind kind) {
    Step made = step(StepKind::query);
    made.query = kind;
    return made;
}

struct CacheStepTest : ::testing::Test {
    lab::test::TemporaryFolder folder;
    System system;
    test::FakeFrontEnd front_end;
    GenerationPtr settings;
    std::deque<test::FakeExchange> exchanges;
    std::deque<std::string> targets;
    std::shared_ptr<Database> database;
    std::unique_ptr<WorkerPool> pool;

    CacheStepTest() { system.cache.mode = CacheMode::shared; }
    ~CacheStepTest() override {
        if (pool) pool->stop();
    }
    void open_database() {
        Database::Options options;
        options.products = system.database.products = 2'000;
        options.data_folder = folder.path();
        options.work_folder = folder.path();
        database = Database::open(options, {}).value();
    }
    void start(std::vector<Step> steps) {
        system.routes = {route_of(std::move(steps))};
        settings = generation_of(system);
        pool = WorkerPool::start({settings, &front_end.completions, database}).value();
    }
    /// The settings as they stand, from the next request on.
    void apply() {
        settings = generation_of(system, settings->number + 1);
        pool->apply(settings);
    }
    test::FakeExchange& submit(std::uint32_t user = 0, std::uint64_t key = 0,
                               std::uint8_t language = 0) {
        auto& made = exchanges.emplace_back(settings, exchanges.size() + 1);
        targets.push_back("/page/" + std::to_string(key));
        made.target = targets.back();
        made.user = user;
        made.key = key;
        made.language = language;
        pool->submit(made);
        return made;
    }
    test::FakeExchange& finish(test::FakeExchange& exchange) {
        EXPECT_TRUE(front_end.run_until([&] { return exchange.answered; }));
        pool->finish(exchange, false);
        return exchange;
    }
    test::FakeExchange& ask(std::uint32_t user = 0, std::uint64_t key = 0,
                            std::uint8_t language = 0) {
        return finish(submit(user, key, language));
    }
    [[nodiscard]] ServerSample sample() {
        ServerSample made;
        pool->sample(made);
        return made;
    }
};

TEST_F(CacheStepTest, AMisKeyServesExactlyTheExpectedNumberOfWrongUsers) {
    system.cache.ttl = 0s;
    start({cached({fill(10)})});
    constexpr std::uint64_t asked = 600;
    std::map<std::uint64_t, std::uint32_t> first_user;
    int expected = 0, wrong = 0;
    for (std::uint64_t i = 0; i < asked; ++i) {
        const auto user = static_cast<std::uint32_t>(core::keyed_below(42, i, 1, 7));
        const auto key = core::keyed_below(42, i, 2, 40);
        expected += first_user.emplace(key, user).first->second != user ? 1 : 0;
        wrong += ask(user, key).answer.made_for != user ? 1 : 0;
    }
    EXPECT_EQ(wrong, expected);
    EXPECT_GT(expected, 300);
    system.routes[0].steps[0].key.user = true;
    apply();
    for (std::uint64_t i = 0; i < asked; ++i) {
        const auto user = static_cast<std::uint32_t>(core::keyed_below(42, i, 1, 7));
        ASSERT_EQ(ask(user, core::keyed_below(42, i, 2, 40)).answer.made_for, user);
    }
}

TEST_F(CacheStepTest, StaleAnswersAreExactlyThoseFromBeforeAWrite) {
    open_database();
    system.cache.ttl = 0s;
    start({cached({query(QueryKind::product_by_sku), fill(5)})});
    const auto stale_of = [&](std::uint64_t salt) {
        int stale = 0;
        for (std::uint64_t i = 0; i < 300; ++i) {
            const auto key = core::keyed_below(salt, i, 2, 10);
            if (core::keyed_below(salt, i, 3, 4) == 0) {
                EXPECT_TRUE((*database->connect())->change(key));
                continue;
            }
            const auto& versions = ask(0, key).answer.versions;
            const auto now = database->versions().of({QueryKind::product_by_sku}, key);
            stale += versions.at(0) < now ? 1 : 0;
        }
        return stale;
    };
    std::map<std::uint64_t, bool> held;  // whether what is held is old
    int expected = 0;
    for (std::uint64_t i = 0; i < 300; ++i) {
        const auto key = core::keyed_below(9, i, 2, 10);
        if (core::keyed_below(9, i, 3, 4) == 0) {
            if (held.contains(key)) held[key] = true;
        } else {
            expected += held.emplace(key, false).first->second ? 1 : 0;
        }
    }
    EXPECT_EQ(stale_of(9), expected);
    EXPECT_GT(expected, 100);
    system.cache.mode = CacheMode::null;
    apply();
    EXPECT_EQ(stale_of(9), 0);
}

TEST_F(CacheStepTest, AWriteStepDropsTheEntriesOfItsRow) {
    open_database();
    system.cache.invalidate_on_write = true;
    Step add = step(StepKind::write);
    start({cached({query(QueryKind::products_by_category), fill(5)})});
    Route write = route_of({add});
    write.id = "write";
    system.routes.push_back(write);
    apply();
    ask(0, 3);
    ask(0, 4);
    EXPECT_EQ(sample().cache_entries, 2U);
    auto& changed = exchanges.emplace_back(settings, 999);
    changed.cursor = core::begin(settings->programs[1], 42, 999, clock_now(), clock_now());
    changed.route = 1;
    changed.key = 3;
    pool->submit(changed);
    finish(changed);
    EXPECT_EQ(sample().cache_entries, 1U);
    EXPECT_EQ(ask(0, 3).answer.versions.at(0),
              database->versions().of({QueryKind::products_by_category}, 3));
}

TEST_F(CacheStepTest, NullMissesEveryTimeAndSaysSo) {
    system.cache.mode = CacheMode::null;
    start({cached({fill(5)})});
    for (int i = 0; i < 4; ++i) EXPECT_EQ(ask().answer.body.size(), 5U);
    const auto levels = sample();
    EXPECT_EQ(levels.cache_hits, 0U);
    EXPECT_EQ(levels.cache_misses, 4U);
    EXPECT_EQ(levels.cache_errors, 0U);
    EXPECT_EQ(levels.cache_entries, 0U);
}

TEST_F(CacheStepTest, AKeyFunctionThatThrowsIsSwallowedAndNeverCaches) {
    start({cached({fill(5)}, {.function = KeyFunction::throws})});
    for (std::uint32_t i = 0; i < 4; ++i) EXPECT_EQ(ask(i).answer.made_for, i);
    const auto levels = sample();
    EXPECT_EQ(levels.cache_hits, 0U);
    EXPECT_EQ(levels.cache_misses, 4U) << "four requests, four views";
    EXPECT_EQ(levels.cache_errors, 4U) << "and four errors that nobody saw";
    EXPECT_EQ(levels.cache_entries, 0U);
}

TEST_F(CacheStepTest, AFailingServerCostsTheHopAndTheView) {
    system.cache.failing = true;
    system.cache.hop = Distribution::constant(5ms);
    start({cached({step(StepKind::wait, 2ms), fill(5)})});
    EXPECT_GE(ask().part(Part::io_wait), 7ms);
    EXPECT_EQ(sample().cache_errors, 1U);
    system.cache.failing = false;
    apply();
    ask();
    const auto& hit = ask();
    EXPECT_GE(hit.part(Part::io_wait), 5ms);
    EXPECT_EQ(sample().cache_hits, 1U);
}

TEST_F(CacheStepTest, OneKeyForAllServesTheFirstPageToEverybody) {
    start({cached({fill(5)}, {.function = KeyFunction::constant})});
    EXPECT_EQ(ask(1, 1).answer.made_for, 1U);
    EXPECT_EQ(ask(2, 2).answer.made_for, 1U);
    EXPECT_EQ(sample().cache_entries, 1U);
}

TEST_F(CacheStepTest, TheLanguageOfAnAnswerIsThatOfWhoeverHadItMade) {
    start({cached({fill(5)})});
    EXPECT_EQ(ask(1, 1, 2).answer.language, 2U);
    EXPECT_EQ(ask(2, 1, 3).answer.language, 2U) << "the key does not vary with it";
    system.routes[0].steps[0].key.header = true;
    apply();
    EXPECT_EQ(ask(1, 1, 2).answer.language, 2U);
    EXPECT_EQ(ask(2, 1, 3).answer.language, 3U);
}

TEST_F(CacheStepTest, UnderALockOneMakesTheEntryWhileOthersWait) {
    system.cache.stampede = Stampede::lock;
    system.server.threads = 4;  // one worker: they share its interpreter lock
    start({cached({step(StepKind::wait, 60ms), fill(50)})});
    for (int i = 0; i < 4; ++i) submit();
    for (auto& exchange : exchanges) finish(exchange);
    int made = 0, waited = 0;
    for (const auto& exchange : exchanges) {
        EXPECT_EQ(exchange.answer.body.size(), 50U);
        made += exchange.part(Part::io_wait) >= 60ms ? 1 : 0;
        waited += exchange.part(Part::cache) >= 20ms ? 1 : 0;
    }
    EXPECT_EQ(made, 1);
    EXPECT_EQ(waited, 3);
    EXPECT_EQ(sample().cache_misses, 1U);
}

TEST_F(CacheStepTest, WithoutOneTheyAllMakeItAndItIsCounted) {
    system.server.workers = 4;
    start({cached({step(StepKind::wait, 60ms), fill(50)})});
    for (int i = 0; i < 4; ++i) submit();
    for (auto& exchange : exchanges) finish(exchange);
    const auto levels = sample();
    EXPECT_EQ(levels.cache_misses, 4U);
    EXPECT_EQ(levels.cache_duplicates, 3U);
}

TEST_F(CacheStepTest, WhoWaitsMakesItWhereTheMakerFailed) {
    system.cache.stampede = Stampede::lock;
    system.server.workers = 2;
    start({cached({step(StepKind::wait, 30ms), query(QueryKind::product_by_sku)})});
    auto& first = submit();
    auto& second = submit();
    finish(first);
    finish(second);
    EXPECT_EQ(first.effect.status, 500) << "there is no database";
    EXPECT_EQ(second.effect.status, 500) << "it tried for itself";
    EXPECT_EQ(sample().cache_misses, 2U);
    EXPECT_EQ(sample().cache_duplicates, 0U);
}

TEST_F(CacheStepTest, EveryWaitForAnEntryEndsWhenItIsCancelled) {
    system.cache.stampede = Stampede::lock;
    system.server.workers = 3;
    start({cached({step(StepKind::wait, 60s)})});
    for (int i = 0; i < 3; ++i) submit();
    const Instant begun = clock_now();
    pool->cancel();
    ASSERT_TRUE(front_end.run_until(
        [&] { return exchanges[0].answered && exchanges[1].answered && exchanges[2].answered; }));
    EXPECT_LT(clock_now() - begun, 1s);
}

TEST_F(CacheStepTest, ShowsWhatItHoldsTheMostUsedFirst) {
    system.cache.mode = CacheMode::per_worker;
    system.cache.ttl = 30s;
    system.server.workers = 2;
    start({cached({fill(100)}, {.path = true, .user = true})});
    for (int i = 0; i < 6; ++i) ask(7, 1);  // the workers take turns: each has its own
    ask(8, 2);
    const auto contents = pool->cache_contents(50);
    ASSERT_EQ(contents.size(), 3U);
    EXPECT_EQ(contents[0].hits, 2U);
    EXPECT_EQ(contents[0].key, "route.step /page/1 @7");
    EXPECT_EQ(contents[0].worker, 0);
    EXPECT_EQ(contents[1].worker, 1);
    EXPECT_EQ(contents[0].made_for, 7U);
    EXPECT_GT(contents[0].size.count, 100);
    EXPECT_GE(contents[0].age, Duration{});
    ASSERT_TRUE(contents[0].left.has_value());
    EXPECT_LE(*contents[0].left, 30s);
    EXPECT_EQ(pool->cache_contents(2).size(), 2U);
    EXPECT_EQ(sample().cache_bytes, 3 * (100 + std::string("route.step /page/1 @7").size()));
    EXPECT_THAT(pool->cache_page(), HasSubstr("route.step /page/1 @7"));
    EXPECT_THAT(pool->cache_page(), HasSubstr("4 hits, 3 misses"));
}

}  // namespace
}  // namespace lab::live
