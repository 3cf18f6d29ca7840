// SPDX-License-Identifier: GPL-3.0-or-later
// What steps do: cache, database, page; and the parts they stand on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <memory>
#include <thread>

#include "live/cpu_kernel.hpp"
#include "live/event_ring.hpp"
#include "live/page_template.hpp"
#include "live/platform.hpp"
#include "live/response_store.hpp"
#include "live/threaded_lock.hpp"
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

struct StepTest : ::testing::Test {
    lab::test::TemporaryFolder folder;
    System system;
    test::FakeFrontEnd front_end;
    GenerationPtr settings;
    std::deque<test::FakeExchange> exchanges;
    std::shared_ptr<Database> database;
    std::unique_ptr<WorkerPool> pool;

    ~StepTest() override {
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
    test::FakeExchange& submit(std::uint32_t user = 0, std::uint64_t key = 0) {
        auto& made = exchanges.emplace_back(settings, exchanges.size() + 1);
        made.user = user;
        made.key = key;
        pool->submit(made);
        return made;
    }
    test::FakeExchange& ask(std::uint32_t user = 0, std::uint64_t key = 0) {
        auto& made = submit(user, key);
        EXPECT_TRUE(front_end.run_until([&] { return made.answered; }));
        pool->finish(made, false);
        return made;
    }
    [[nodiscard]] ServerSample sample() {
        ServerSample made;
        pool->sample(made);
        return made;
    }
};

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

TEST_F(StepTest, CacheAnswersTheSecondRequestWithoutTheInnerSteps) {
    system.cache.mode = CacheMode::shared;
    start({cached({step(StepKind::wait, 5ms), fill(50)}), fill(7)});
    const auto& first = ask();
    const auto& second = ask();
    EXPECT_EQ(first.answer.body.size(), 57U);
    EXPECT_EQ(second.answer.body, first.answer.body);
    EXPECT_GE(first.part(Part::io_wait), 5ms);
    EXPECT_EQ(second.part(Part::io_wait), Duration{});
    const auto levels = sample();
    EXPECT_EQ(levels.cache_hits, 1U);
    EXPECT_EQ(levels.cache_misses, 1U);
    EXPECT_EQ(levels.cache_entries, 1U);
}

TEST_F(StepTest, CacheOfEachWorkerHasToBeFilledByEachWorker) {
    system.cache.mode = CacheMode::per_worker;
    system.server.workers = 2;
    start({cached({fill(50)})});
    for (int i = 0; i < 6; ++i) ask();  // the longest idle worker is next: they take turns
    EXPECT_EQ(sample().cache_misses, 2U);
    EXPECT_EQ(sample().cache_entries, 2U);
}

TEST_F(StepTest, CacheWithAWrongKeyRuleServesAnothersAnswer) {
    system.cache.mode = CacheMode::shared;
    start({cached({fill(50)}, {.path = true, .user = false})});
    EXPECT_EQ(ask(7).answer.made_for, 7U);
    EXPECT_EQ(ask(8).answer.made_for, 7U);
}

TEST_F(StepTest, CacheWithTheUserInItsKeyServesEachTheirOwn) {
    system.cache.mode = CacheMode::shared;
    start({cached({fill(50)}, {.path = true, .user = true})});
    EXPECT_EQ(ask(7).answer.made_for, 7U);
    EXPECT_EQ(ask(8).answer.made_for, 8U);
}

TEST_F(StepTest, CacheThatIsSwitchedOffForgetsAndTheRunGoesOn) {
    system.cache.mode = CacheMode::shared;
    start({cached({fill(50)})});
    ask();
    system.cache.mode = CacheMode::none;
    settings = generation_of(system, 2);
    pool->apply(settings);
    EXPECT_EQ(ask().answer.body.size(), 50U);
    EXPECT_EQ(sample().cache_entries, 0U);
}

TEST_F(StepTest, CachedAnswerCarriesTheVersionThatItWasMadeFrom) {
    open_database();
    system.cache.mode = CacheMode::shared;
    start({cached({query(QueryKind::product_by_sku), fill(5)})});
    ask(0, 3);
    ASSERT_TRUE((*database->connect())->change(3));
    const auto& stale = ask(0, 3);
    ASSERT_EQ(stale.answer.versions.size(), 1U);
    EXPECT_EQ(stale.answer.versions[0], 0U);
    EXPECT_EQ(database->versions().of({QueryKind::product_by_sku}, 3), 1U);
}

TEST_F(StepTest, QueryCountsAsDatabaseAndTellsTheVersion) {
    open_database();
    system.database.round_trip = 2ms;
    start({query(QueryKind::product_by_id)});
    ASSERT_TRUE((*database->connect())->change(3));
    const auto& exchange = ask(0, 3);
    EXPECT_EQ(exchange.effect.status, 200);
    EXPECT_GE(exchange.part(Part::database), 2ms);
    ASSERT_EQ(exchange.answer.versions.size(), 1U);
    EXPECT_EQ(exchange.answer.versions[0], 1U);
}

TEST_F(StepTest, WriteChangesTheRowOfTheKey) {
    open_database();
    start({step(StepKind::write)});
    EXPECT_EQ(ask(0, 9).effect.status, 200);
    EXPECT_EQ(database->versions().of({QueryKind::product_by_id}, 9), 1U);
}

TEST_F(StepTest, RenderShowsTheRowsThatWereRead) {
    open_database();
    Step render = step(StepKind::render);
    render.rows = 3;
    start({query(QueryKind::product_by_sku), render});
    const std::string name = name_of(database->keys().product_of(4));
    const auto& exchange = ask(0, 4);
    const auto first = exchange.answer.body.find(name);
    ASSERT_NE(first, std::string::npos);
    EXPECT_NE(exchange.answer.body.find(name, first + 1), std::string::npos);
    EXPECT_GT(exchange.part(Part::render), Duration{});
}

TEST_F(StepTest, QueryWithoutADatabaseFails) {
    start({query(QueryKind::product_by_sku)});
    EXPECT_EQ(ask().effect.status, 500);
}

TEST_F(StepTest, QueryFailsWhenNoConnectionComesFree) {
    open_database();
    system.server.threads = 2;
    system.database.pool = 1;
    system.database.overflow = 0;
    system.database.pool_timeout = 5ms;
    system.database.round_trip = 100ms;
    start({query(QueryKind::product_by_id)});
    auto& first = submit();
    auto& second = submit();
    ASSERT_TRUE(front_end.run_until([&] { return first.answered && second.answered; }));
    const bool first_failed = first.effect.status == 500;
    auto& failed = first_failed ? first : second;
    auto& served = first_failed ? second : first;
    EXPECT_EQ(failed.effect.status, 500);
    EXPECT_GE(failed.part(Part::pool_wait), 5ms);
    EXPECT_EQ(served.effect.status, 200);
}

TEST_F(StepTest, PoolIsMeasuredAndMayGrowWhileRequestsWait) {
    open_database();
    system.server.threads = 3;
    system.database.pool = 1;
    system.database.overflow = 0;
    system.database.round_trip = 100ms;
    start({query(QueryKind::product_by_id)});
    for (int i = 0; i < 3; ++i) submit();
    const auto settled = [&] {
        front_end.completions.post([] {});
        return sample().pool_waiting == 2;
    };
    ASSERT_TRUE(front_end.run_until(settled));
    EXPECT_EQ(sample().pool_in_use, 1U);
    EXPECT_EQ(sample().pool_size, 1U);
    system.database.pool = 3;
    system.database.overflow = 0;
    pool->apply(generation_of(system, 2));
    EXPECT_EQ(sample().pool_in_use, 3U);
    EXPECT_EQ(sample().pool_waiting, 0U);
    ASSERT_TRUE(front_end.run_until([&] { return exchanges[2].answered; }));
}

TEST_F(StepTest, EveryWaitForAConnectionEndsWhenItIsCancelled) {
    open_database();
    system.server.threads = 2;
    system.database.pool = 1;
    system.database.overflow = 0;
    system.database.round_trip = 60s;
    start({query(QueryKind::product_by_id)});
    submit();
    submit();
    const Instant begun = clock_now();
    pool->cancel();
    ASSERT_TRUE(
        front_end.run_until([&] { return exchanges[0].answered && exchanges[1].answered; }));
    EXPECT_LT(clock_now() - begun, 1s);
    EXPECT_EQ(exchanges[0].effect.op, core::Op::end);
}

TEST(CpuKernel, BurnsTheStatedCpuTime) {
    const CpuKernel kernel = CpuKernel::calibrated();
    const Duration begun = platform::thread_cpu_time();
    EXPECT_EQ(kernel.burn(10ms, [] { return false; }), Duration{});
    const Duration spent = platform::thread_cpu_time() - begun;
    EXPECT_GE(spent, 10ms);
    EXPECT_LT(spent, 12ms);
}

TEST(CpuKernel, ReturnsWhatIsLeftWhenItIsStopped) {
    const CpuKernel kernel = CpuKernel::calibrated();
    int asked = 0;
    const Duration left = kernel.burn(10ms, [&] { return ++asked > 3; });
    EXPECT_GT(left, 5ms);
    EXPECT_LT(left, 10ms);
}

TEST(ThreadedLock, LetsOneInAtATime) {
    ThreadedLock lock{1ms};
    std::atomic<int> inside{0};
    std::atomic<int> clashes{0};
    const auto work = [&](core::Ticket who) {
        for (int i = 0; i < 500; ++i) {
            ASSERT_TRUE(lock.acquire(who));
            if (inside.fetch_add(1) != 0) ++clashes;
            inside.fetch_sub(1);
            lock.release(who, false);
        }
    };
    std::thread one{work, 1};
    std::thread two{work, 2};
    work(3);
    one.join();
    two.join();
    EXPECT_EQ(clashes, 0);
}

TEST(ThreadedLock, AsksTheHolderToLetGoAfterTheSwitchInterval) {
    ThreadedLock lock{1ms};
    ASSERT_TRUE(lock.acquire(1));
    std::thread waiter{[&] {
        ASSERT_TRUE(lock.acquire(2));
        lock.release(2, false);
    }};
    while (!lock.drop_requested()) std::this_thread::yield();
    lock.release(1, true);
    ASSERT_TRUE(lock.acquire(1)) << "only after the other had it";
    EXPECT_GE(lock.switches(), 2U);
    lock.release(1, false);
    waiter.join();
}

TEST(ThreadedLock, EndsEveryWaitWhenItIsCancelled) {
    ThreadedLock lock{60s};
    ASSERT_TRUE(lock.acquire(1));
    bool taken = true;
    std::thread waiter{[&] { taken = lock.acquire(2); }};
    lock.cancel();
    waiter.join();
    EXPECT_FALSE(taken);
}

TEST(CacheKey, FollowsItsRule) {
    System system;
    system.cache.mode = CacheMode::shared;
    const auto key = [&](KeyRule rule, std::string_view target, std::uint32_t user) {
        system.routes = {route_of({cached({fill(1)}, rule)})};
        test::FakeExchange exchange{generation_of(system), 1};
        exchange.target = target;
        exchange.user = user;
        std::string made;
        write_cache_key(made, exchange, 0);
        return made;
    };
    EXPECT_EQ(key({}, "/a?x=1", 1), key({}, "/a?x=2", 2));
    EXPECT_NE(key({}, "/a", 1), key({}, "/b", 1));
    const KeyRule with_query{.query = true};
    EXPECT_NE(key(with_query, "/a?x=1", 1), key(with_query, "/a?x=2", 1));
    EXPECT_EQ(key(with_query, "/a?x=1", 1), key(with_query, "/a?x=1", 2));
    const KeyRule with_user{.user = true};
    EXPECT_NE(key(with_user, "/a", 1), key(with_user, "/a", 2));
    const KeyRule nothing{.path = false};
    EXPECT_EQ(key(nothing, "/a", 1), key(nothing, "/b", 2));
}

TEST(PageTemplate, ShowsGeneratedRowsWhereNoneWereRead) {
    PageTemplate page;
    std::string body;
    page.render({}, 2, body);
    EXPECT_THAT(body, HasSubstr(name_of(1)));
    EXPECT_THAT(body, HasSubstr(name_of(2)));
    EXPECT_THAT(body, HasSubstr("</table>"));
}

TEST(PageTemplate, EscapesWhatARowHolds) {
    PageTemplate page;
    std::string body;
    page.render({{1, "<b>", 105, 0}}, 1, body);
    EXPECT_THAT(body, HasSubstr("&lt;b&gt;"));
    EXPECT_THAT(body, HasSubstr("<td>1.05</td>"));
}

TEST(EventRing, CountsWhatItHasNoRoomFor) {
    EventRing ring;
    std::uint64_t left_out = 0;
    static_cast<void>(ring.take(2, left_out));
    for (std::uint64_t id = 1; id <= 5; ++id) ring.tell({.request = id});
    const auto events = ring.take(2, left_out);
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0].request, 1U);
    EXPECT_EQ(left_out, 3U);
}

}  // namespace
}  // namespace lab::live
