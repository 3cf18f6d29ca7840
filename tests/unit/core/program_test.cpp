// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/program.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "support/listing.hpp"
#include "support/routes.hpp"
#include "support/time.hpp"

namespace lab::core {
namespace {

using test::at;
using test::cached;
using test::cpu;
using test::inline_route;
using test::listing;
using test::query;
using test::render;
using test::respond;
using test::route;
using test::show;
using test::wait;
using test::write_row;

Server with_lock() { return {}; }
Server without_lock() {
    Server server;
    server.interpreter_lock = false;
    return server;
}
Server drained(Server server) {
    server.release = ReleasePoint::drained;
    return server;
}
Cache caching() {
    Cache cache;
    cache.mode = CacheMode::shared;
    return cache;
}

/// Performs effects by taking 1 ms for each; `answer` may alter what the executor tells.
using Answer = std::function<void(const Effect&, Outcome&)>;

struct Walk {
    std::vector<std::string> effects;
    Cursor cursor;
};

Walk walk(const Program& program, const Answer& answer = {}) {
    Walk walked{{}, begin(program, 42, 1, at(0ms), at(1ms))};
    Outcome outcome{.now = at(1ms)};
    for (int i = 0; i < 100; ++i) {
        const Effect effect = next(walked.cursor, outcome);
        walked.effects.push_back(show(effect));
        if (effect.op == Op::end) return walked;
        outcome = Outcome{.now = outcome.now + 1ms};
        if (answer) answer(effect, outcome);
    }
    ADD_FAILURE() << "the program does not end";
    return walked;
}

Answer fault_at(Op op, ResourceId resource, Fault fault) {
    return [=](const Effect& effect, Outcome& outcome) {
        if (effect.op == op && effect.resource == resource) outcome.fault = fault;
    };
}
Answer fault_at(Op op, Fault fault) { return fault_at(op, ResourceId::worker, fault); }

Duration part(const Cursor& cursor, Part which) {
    return cursor.parts[static_cast<std::size_t>(which)];
}
Duration total(const Cursor& cursor) {
    return std::accumulate(cursor.parts.begin(), cursor.parts.end(), Duration{});
}

TEST(Compile, AnswersAnInlineRouteOnTheFrontEnd) {
    const Program program = compile(inline_route(), with_lock(), caching());
    EXPECT_EQ(listing(program), "respond, end");
    EXPECT_TRUE(program.inline_answer);
    EXPECT_EQ(program.route, "ping");
}

TEST(Compile, BindsAWorkerEvenWhereThereIsNothingToDo) {
    EXPECT_EQ(listing(compile(route({}), without_lock(), {})),
              "acquire worker, release worker, respond, end");
}

TEST(Compile, LetsTheLockGoRoundAWaitAndAQuery) {
    EXPECT_EQ(listing(compile(route({wait(50ms), cpu(1ms)}), with_lock(), {})),
              "acquire worker, acquire lock, "
              "release lock, sleep, acquire lock, "
              "spend, "
              "release lock, release worker, respond, end");
    EXPECT_EQ(listing(compile(route({query(), write_row()}), with_lock(), {})),
              "acquire worker, acquire lock, "
              "release lock, acquire connection, query, release connection, acquire lock, "
              "release lock, acquire connection, acquire write lock, update, release write lock, "
              "release connection, acquire lock, "
              "release write lock, release connection, release lock, release worker, respond, end");
}

TEST(Compile, LeavesTheLockOutWhereThereIsNone) {
    EXPECT_EQ(
        listing(compile(route({wait(50ms), query(), render(3), respond(900)}), without_lock(), {})),
        "acquire worker, sleep, acquire connection, query, release connection, "
        "render 3, fill 900, "
        "release connection, release worker, respond, end");
}

TEST(Compile, KeepsTheWorkerUntilTheAnswerIsDrainedWhereTheServerSaysSo) {
    EXPECT_EQ(listing(compile(route({cpu(1ms)}), drained(with_lock()), {})),
              "acquire worker, acquire lock, spend, release lock, respond, release worker, end");
}

TEST(Compile, DropsCacheStepsWhereThereIsNoCache) {
    const Program program = compile(route({cached({cpu(1ms)})}), without_lock(), {});
    EXPECT_EQ(listing(program), "acquire worker, spend, release worker, respond, end");
    EXPECT_TRUE(program.keys.empty());
}

TEST(Compile, JumpsBehindTheStepsThatAHitMakesNeedless) {
    const KeyRule by_user{.path = true, .query = false, .user = true};
    const Program program = compile(
        route({cached({cpu(1ms, "outer"), cached({cpu(2ms, "inner")}, by_user)}), render()}),
        without_lock(), caching());
    EXPECT_EQ(listing(program),
              "acquire worker, cache_get ->7, spend, cache_get ->6, spend, cache_put, cache_put, "
              "render 1, release worker, respond, end");
    EXPECT_EQ(program.keys, (std::vector<KeyRule>{{}, by_user}));
    EXPECT_EQ(program.code[1].arg, 0u);
    EXPECT_EQ(program.code[3].arg, 1u);
    EXPECT_EQ(program.code[5].arg, 1u);
    EXPECT_EQ(program.code[6].arg, 0u);
}

TEST(Compile, ListsTheQueriesInTheOrderOfTheSteps) {
    const Program program = compile(route({cached({query(QueryKind::product_by_id)}), query()}),
                                    with_lock(), caching());
    EXPECT_EQ(program.queries,
              (std::vector<AskedQuery>{{QueryKind::product_by_id}, {QueryKind::product_by_sku}}));
}

Step reviews(QueryKind kind, int products) {
    Step step = query(kind);
    step.times = products;
    return step;
}

TEST(Compile, AsksForReviewsOneProductAtATimeInABatchOrJoined) {
    const auto of = [](QueryKind kind) {
        return listing(compile(route({reviews(kind, 3)}), without_lock(), {}));
    };
    EXPECT_EQ(of(QueryKind::reviews_per_product),
              "acquire worker, acquire connection, query, query, query, query, "
              "release connection, release connection, release worker, respond, end");
    EXPECT_EQ(of(QueryKind::reviews_in_batch),
              "acquire worker, acquire connection, query, query, "
              "release connection, release connection, release worker, respond, end");
    EXPECT_EQ(of(QueryKind::reviews_joined),
              "acquire worker, acquire connection, query, "
              "release connection, release connection, release worker, respond, end");
    EXPECT_EQ(of(QueryKind::product_by_id),
              "acquire worker, acquire connection, query, query, query, "
              "release connection, release connection, release worker, respond, end");
}

TEST(Compile, KeepsTheConnectionButNotTheLockBetweenTwoQuestions) {
    EXPECT_EQ(listing(compile(route({reviews(QueryKind::reviews_in_batch, 20)}), with_lock(), {})),
              "acquire worker, acquire lock, "
              "release lock, acquire connection, query, acquire lock, release lock, query, "
              "release connection, acquire lock, "
              "release connection, release lock, release worker, respond, end");
}

TEST(Compile, HoldsTheWriteLockAsLongAsTheTransactionIsOpen) {
    Step held = write_row();
    held.time = Distribution::constant(20ms);
    EXPECT_EQ(listing(compile(route({held}), without_lock(), {})),
              "acquire worker, acquire connection, acquire write lock, update, sleep, "
              "release write lock, release connection, "
              "release write lock, release connection, release worker, respond, end");
}

TEST(AskedQuery, IsTheSameAfterTheWayThroughAnInstruction) {
    for (const AskedQuery asked : {AskedQuery{QueryKind::product_by_sku, 1, 0, 0},
                                   AskedQuery{QueryKind::reviews_joined, 200, 1'000, 200},
                                   AskedQuery{QueryKind::products_under_price, 7, 999, 3}}) {
        EXPECT_EQ(AskedQuery::unpacked(asked.packed()), asked);
    }
}

TEST(Compile, GivesTwoStepsDifferentLuckEvenUnderOneId) {
    const Program program =
        compile(route({cpu(1ms, "same"), cpu(1ms, "same")}), without_lock(), {});
    ASSERT_EQ(program.draws.size(), 2u);
    EXPECT_NE(program.draws[0].ordinal, program.draws[1].ordinal);
}

TEST(Compile, MovesNoDrawWhenAStepIsAddedElsewhere) {
    const Distribution law = Distribution::exponential(5ms);
    const Program before = compile(route({cpu(law, "work")}), without_lock(), {});
    const Program after = compile(route({wait(law, "call"), cpu(law, "work")}), without_lock(), {});
    EXPECT_EQ(before.draws[0].ordinal, after.draws[1].ordinal);
    EXPECT_NE(after.draws[0].ordinal, after.draws[1].ordinal);
}

TEST(Next, WalksTheProgramToItsEnd) {
    const Program program = compile(route({cpu(7ms), query(), render(2)}), with_lock(), {});
    const Walk walked = walk(program);
    EXPECT_EQ(walked.effects,
              (std::vector<std::string>{"acquire worker", "acquire lock", "spend 7ms",
                                        "release lock", "acquire connection", "query",
                                        "release connection", "acquire lock", "render",
                                        "release lock", "release worker", "respond 200", "end"}));
    EXPECT_TRUE(walked.cursor.ended);
    EXPECT_EQ(walked.cursor.held, 0);
}

TEST(Next, StaysAtTheEndOnceItIsThere) {
    const Program program = compile(inline_route(), with_lock(), {});
    Cursor cursor = walk(program).cursor;
    const PartTimes before = cursor.parts;
    EXPECT_EQ(next(cursor, {.now = at(1s)}).op, Op::end);
    EXPECT_EQ(cursor.parts, before);
}

TEST(Next, SortsTheTimeOfEachEffectIntoItsPart) {
    const Program program =
        compile(route({wait(1ms), cpu(1ms), cached({query()}), write_row(), render(), respond(10)}),
                with_lock(), caching());
    const Cursor cursor = walk(program).cursor;
    EXPECT_EQ(part(cursor, Part::parse), 1ms);
    EXPECT_EQ(part(cursor, Part::queue), 1ms);
    EXPECT_EQ(part(cursor, Part::lock_wait), 4ms + 1ms);  // four takes; a release after the first
    EXPECT_EQ(part(cursor, Part::io_wait), 1ms);
    EXPECT_EQ(part(cursor, Part::cpu), 1ms);
    EXPECT_EQ(part(cursor, Part::pool_wait), 2ms);
    EXPECT_EQ(part(cursor, Part::write_wait), 1ms);
    EXPECT_EQ(part(cursor, Part::database), 2ms + 3ms);  // and letting connections and lock go
    EXPECT_EQ(part(cursor, Part::cache), 2ms + 2ms);  // and letting the lock go for query and write
    EXPECT_EQ(part(cursor, Part::render), 2ms + 2ms);  // and letting lock and worker go
    EXPECT_EQ(part(cursor, Part::write), 1ms);
    EXPECT_EQ(part(cursor, Part::unexplained), 0ms);
}

TEST(Next, MakesThePartsAddUpToTheWholeTime) {
    const Program program = compile(route({wait(1ms), cached({query(), render()}), cpu(3ms)}),
                                    drained(with_lock()), caching());
    Instant last{};
    const Walk walked = walk(program, [&](const Effect& effect, Outcome& outcome) {
        outcome.now += Duration{static_cast<int>(effect.op) * 12'345};
        last = outcome.now;
    });
    EXPECT_EQ(total(walked.cursor), last - at(0ms));
}

TEST(Next, CountsTheTimeBeforeTheFirstEffectAsQueue) {
    const Program program = compile(route({}), without_lock(), {});
    Cursor cursor = begin(program, 1, 1, at(10ms), at(12ms));
    static_cast<void>(next(cursor, {.now = at(15ms)}));
    EXPECT_EQ(part(cursor, Part::parse), 2ms);
    EXPECT_EQ(part(cursor, Part::queue), 3ms);
}

TEST(Next, TakesAClockThatWentBackForNoTime) {
    const Program program = compile(route({cpu(1ms)}), without_lock(), {});
    Cursor cursor = begin(program, 1, 1, at(10ms), at(9ms));
    static_cast<void>(next(cursor, {.now = at(8ms)}));
    EXPECT_EQ(total(cursor), 0ms);
    static_cast<void>(next(cursor, {.now = at(13ms)}));
    EXPECT_EQ(total(cursor), 3ms);
}

TEST(Next, JumpsOverTheInnerStepsOnAHit) {
    const Program program =
        compile(route({cached({cpu(5ms)}), render()}), without_lock(), caching());
    const Walk hit = walk(program, [](const Effect& effect, Outcome& outcome) {
        outcome.hit = effect.op == Op::cache_get;
    });
    EXPECT_EQ(hit.effects, (std::vector<std::string>{"acquire worker", "cache_get", "render",
                                                     "release worker", "respond 200", "end"}));
    EXPECT_EQ(walk(program).effects,
              (std::vector<std::string>{"acquire worker", "cache_get", "spend 5ms", "cache_put",
                                        "render", "release worker", "respond 200", "end"}));
}

TEST(Compile, WaitsForTheWayToASharedCacheWithoutTheLock) {
    Cache cache = caching();
    cache.hop = Distribution::constant(2ms);
    cache.invalidate_on_write = true;
    const Route asked = route({cached({cpu(5ms)}), write_row()});
    const std::string hop = "release lock, sleep, acquire lock, ";
    EXPECT_EQ(listing(compile(asked, with_lock(), cache)),
              "acquire worker, acquire lock, " + hop + "cache_get ->11, spend, " + hop +
                  "cache_put, release lock, acquire connection, acquire write lock, update, "
                  "release write lock, release connection, acquire lock, " +
                  hop +
                  "cache_drop, release write lock, release connection, release lock, "
                  "release worker, respond, end");
    cache.mode = CacheMode::per_worker;
    EXPECT_EQ(listing(compile(asked, without_lock(), cache)),
              "acquire worker, cache_get ->4, spend, cache_put, acquire connection, "
              "acquire write lock, update, release write lock, release connection, cache_drop, "
              "release write lock, release connection, release worker, respond, end");
}

TEST(Compile, HasAWayRoundTheKeyFunctionThatThrows) {
    Cache cache = caching();
    cache.hop = Distribution::constant(2ms);
    cache.stampede = Stampede::lock;
    const KeyRule throws{.function = KeyFunction::throws};
    EXPECT_EQ(listing(compile(route({cached({cpu(5ms)}, throws)}), without_lock(), cache)),
              "acquire worker, cache_get ->4, spend, cache_put, release worker, respond, end")
        << "it never gets as far as the cache";
}

TEST(Compile, NullLooksUpAndStores) {
    Cache cache;
    cache.mode = CacheMode::null;
    cache.hop = Distribution::constant(2ms);
    cache.stampede = Stampede::lock;
    EXPECT_EQ(listing(compile(route({cached({cpu(5ms)})}), without_lock(), cache)),
              "acquire worker, cache_get ->4, spend, cache_put, release worker, respond, end");
}

TEST(Next, WaitsForWhoeverMakesTheEntryAndAsksAgain) {
    Cache cache = caching();
    cache.stampede = Stampede::lock;
    const Program program = compile(route({cached({cpu(5ms)})}), with_lock(), cache);
    int asked = 0;
    const Walk waits = walk(program, [&](const Effect& effect, Outcome& outcome) {
        if (effect.op != Op::cache_get) return;
        ++asked;
        outcome.busy = asked == 1;
        outcome.hit = asked == 2;
    });
    EXPECT_EQ(waits.effects,
              (std::vector<std::string>{"acquire worker", "acquire lock", "cache_get",
                                        "release lock", "cache_wait", "acquire lock", "cache_get",
                                        "release lock", "release worker", "respond 200", "end"}));
    EXPECT_EQ(waits.cursor.parts[static_cast<std::size_t>(Part::cache)], 6ms)
        << "look-up, letting go, the wait, look-up, letting go of lock and worker";
    const Walk misses = walk(program);
    EXPECT_EQ(misses.effects,
              (std::vector<std::string>{"acquire worker", "acquire lock", "cache_get", "spend 5ms",
                                        "cache_put", "release lock", "release worker",
                                        "respond 200", "end"}));
}

TEST(Next, DrawsTheSameLotHoweverOftenItAsks) {
    Cache cache = caching();
    cache.stampede = Stampede::lock;
    const Program program =
        compile(route({cached({cpu(5ms), cached({cpu(1ms, "inner")})})}), without_lock(), cache);
    std::vector<std::uint64_t> lots;
    int asked = 0;
    static_cast<void>(walk(program, [&](const Effect& effect, Outcome& outcome) {
        const bool cache_step = effect.op == Op::cache_get || effect.op == Op::cache_put;
        if (cache_step) lots.push_back(effect.lot);
        if (effect.op == Op::cache_get) outcome.busy = ++asked == 1;
    }));
    ASSERT_EQ(lots.size(), 5u);
    EXPECT_EQ(lots[0], lots[1]);
    EXPECT_EQ((std::set<std::uint64_t>(lots.begin(), lots.end()).size()), 4u);
}

TEST(Next, HandsTheLockOnWhenASpendIsBrokenOff) {
    const Program program = compile(route({cpu(12ms)}), with_lock(), {});
    int spends = 0;
    const Walk walked = walk(program, [&](const Effect& effect, Outcome& outcome) {
        if (effect.op == Op::spend && spends++ < 2) outcome.remaining = effect.cost - 5ms;
    });
    EXPECT_EQ(walked.effects,
              (std::vector<std::string>{"acquire worker", "acquire lock", "spend 12ms",
                                        "release lock", "acquire lock", "spend 7ms", "release lock",
                                        "acquire lock", "spend 2ms", "release lock",
                                        "release worker", "respond 200", "end"}));
}

TEST(Next, GoesOnAtOnceWithABrokenSpendWhereThereIsNoLock) {
    const Program program = compile(route({cpu(12ms)}), without_lock(), {});
    int spends = 0;
    const Walk walked = walk(program, [&](const Effect& effect, Outcome& outcome) {
        if (effect.op == Op::spend && spends++ == 0) outcome.remaining = 4ms;
    });
    EXPECT_EQ(walked.effects, (std::vector<std::string>{"acquire worker", "spend 12ms", "spend 4ms",
                                                        "release worker", "respond 200", "end"}));
}

TEST(Next, ForgetsTheRestOfASpendWhenTheRequestIsCancelled) {
    const Program program = compile(route({cpu(12ms)}), with_lock(), {});
    const Walk walked = walk(program, [](const Effect& effect, Outcome& outcome) {
        if (effect.op != Op::spend) return;
        outcome.remaining = 4ms;
        outcome.fault = Fault::cancelled;
    });
    EXPECT_EQ(walked.effects,
              (std::vector<std::string>{"acquire worker", "acquire lock", "spend 12ms",
                                        "release lock", "release worker", "end"}));
}

TEST(Next, ForgetsTheRestOfASpendThatIsCancelledOnItsWayBackToTheLock) {
    const Program program = compile(route({cpu(12ms)}), with_lock(), {});
    int takes = 0;
    const Walk walked = walk(program, [&](const Effect& effect, Outcome& outcome) {
        if (effect.op == Op::spend) outcome.remaining = 4ms;
        if (effect.op == Op::acquire && ++takes == 3) outcome.fault = Fault::cancelled;
    });
    EXPECT_EQ(walked.effects,
              (std::vector<std::string>{"acquire worker", "acquire lock", "spend 12ms",
                                        "release lock", "acquire lock", "release worker", "end"}));
}

TEST(Next, Answers503WhereTheQueueWasFullOrTheWaitTooLong) {
    const Program program = compile(route({cpu(1ms), query()}), with_lock(), {});
    for (const Fault fault : {Fault::refused, Fault::expired}) {
        EXPECT_EQ(walk(program, fault_at(Op::acquire, fault)).effects,
                  (std::vector<std::string>{"acquire worker", "respond 503", "end"}));
    }
}

TEST(Next, Answers500AndLetsTheWorkerGoWhereNoConnectionCame) {
    const Program program = compile(route({query()}), with_lock(), {});
    EXPECT_EQ(
        walk(program, fault_at(Op::acquire, ResourceId::connection, Fault::pool_timeout)).effects,
        (std::vector<std::string>{"acquire worker", "acquire lock", "release lock",
                                  "acquire connection", "release worker", "respond 500", "end"}));
}

TEST(Next, LetsConnectionLockAndWorkerGoInThatOrderAfterAFault) {
    EXPECT_EQ(walk(compile(route({query()}), with_lock(), {}), fault_at(Op::query, Fault::failed))
                  .effects,
              (std::vector<std::string>{"acquire worker", "acquire lock", "release lock",
                                        "acquire connection", "query", "release connection",
                                        "release worker", "respond 500", "end"}));
    EXPECT_EQ(walk(compile(route({query(), render()}), drained(with_lock()), {}),
                   fault_at(Op::render, Fault::failed))
                  .effects,
              (std::vector<std::string>{"acquire worker", "acquire lock", "release lock",
                                        "acquire connection", "query", "release connection",
                                        "acquire lock", "render", "release lock", "respond 500",
                                        "release worker", "end"}));
}

TEST(Next, LetsTheWriteLockGoFirstAfterAFault) {
    const Program program = compile(route({write_row()}), without_lock(), {});
    EXPECT_EQ(
        walk(program, fault_at(Op::update, Fault::query_timeout)).effects,
        (std::vector<std::string>{"acquire worker", "acquire connection", "acquire write lock",
                                  "update", "release write lock", "release connection",
                                  "release worker", "respond 500", "end"}));
    EXPECT_EQ(
        walk(program, fault_at(Op::acquire, ResourceId::write_lock, Fault::lock_timeout)).effects,
        (std::vector<std::string>{"acquire worker", "acquire connection", "acquire write lock",
                                  "release connection", "release worker", "respond 500", "end"}));
}

TEST(Next, AnswersThatItFailedWhereTheTransactionCannotBeCommitted) {
    const Program program = compile(route({write_row(), render()}), without_lock(), {});
    EXPECT_EQ(
        walk(program, fault_at(Op::release, ResourceId::write_lock, Fault::failed)).effects,
        (std::vector<std::string>{"acquire worker", "acquire connection", "acquire write lock",
                                  "update", "release write lock", "release connection",
                                  "release worker", "respond 500", "end"}));
}

TEST(Next, CancelledAnywhereLetsEverythingGoAndGivesNoAnswer) {
    for (const Server& server : {with_lock(), without_lock(), drained(with_lock())}) {
        const Program program =
            compile(route({wait(1ms), cached({query(), cpu(1ms)}), write_row(), render()}), server,
                    caching());
        const std::size_t length = walk(program).effects.size();
        for (std::size_t victim = 0; victim + 1 < length; ++victim) {
            std::size_t count = 0;
            int holding = 0;
            bool respond_after = false;
            const Walk walked = walk(program, [&](const Effect& effect, Outcome& outcome) {
                const bool struck = count++ == victim;
                if (struck) outcome.fault = Fault::cancelled;
                if (effect.op == Op::acquire && !struck) ++holding;
                if (effect.op == Op::release) --holding;
                if (effect.op == Op::respond && count > victim + 1) respond_after = true;
            });
            EXPECT_EQ(holding, 0) << "cancelled at effect " << victim;
            EXPECT_FALSE(respond_after) << "cancelled at effect " << victim;
            EXPECT_EQ(walked.cursor.held, 0);
        }
    }
}

TEST(Next, EndsEvenIfEveryEffectFails) {
    for (const Fault fault : {Fault::failed, Fault::cancelled, Fault::pool_timeout}) {
        const Program program = compile(route({query()}), drained(with_lock()), {});
        const Walk walked = walk(program, [&](const Effect& effect, Outcome& outcome) {
            if (effect.op != Op::acquire || effect.resource == ResourceId::connection) {
                outcome.fault = fault;
            }
        });
        EXPECT_TRUE(walked.cursor.ended);
        EXPECT_EQ(walked.cursor.held, 0);
    }
}

TEST(Next, AnswersOnceEvenIfTheAnswerCannotBeWritten) {
    const Program program = compile(route({cpu(1ms)}), drained(without_lock()), {});
    EXPECT_EQ(walk(program, fault_at(Op::respond, Fault::failed)).effects,
              (std::vector<std::string>{"acquire worker", "spend 1ms", "respond 200",
                                        "release worker", "end"}));
}

TEST(Next, DrawsTheSameCostForTheSameRequestWhateverWentBefore) {
    const Distribution law = Distribution::lognormal(5ms, 50ms);
    const Program alone = compile(route({cpu(law, "work")}), without_lock(), {});
    const Program after = compile(route({wait(law, "call"), cpu(law, "work")}), with_lock(), {});
    const auto cost_of_spend = [](const Program& program) {
        Duration cost{};
        static_cast<void>(walk(program, [&](const Effect& effect, Outcome&) {
            if (effect.op == Op::spend) cost = effect.cost;
        }));
        return cost;
    };
    EXPECT_GT(cost_of_spend(alone), 0ms);
    EXPECT_EQ(cost_of_spend(alone), cost_of_spend(after));
}

TEST(Next, RewindsByCopyingTheCursor) {
    const Program program = compile(route({cpu(2ms), query()}), with_lock(), {});
    Cursor cursor = begin(program, 7, 3, at(0ms), at(0ms));
    static_cast<void>(next(cursor, {.now = at(1ms)}));
    const Cursor kept = cursor;
    const Effect once = next(cursor, {.now = at(2ms)});
    cursor = kept;
    const Effect again = next(cursor, {.now = at(2ms)});
    EXPECT_EQ(show(once), show(again));
    EXPECT_EQ(once.cost, again.cost);
}

TEST(ServiceTime, IsWhatAWorkerGaveToThisRequestAlone) {
    PartTimes parts{};
    for (std::size_t i = 0; i < part_count; ++i) {
        parts[i] = Duration{std::int64_t{1} << i};
    }
    const auto bit = [](Part part) { return std::int64_t{1} << static_cast<int>(part); };
    const std::int64_t lock_wait_to_render = 2 * bit(Part::render) - bit(Part::lock_wait);
    EXPECT_EQ(service_time(parts).count(), lock_wait_to_render);
}

}  // namespace
}  // namespace lab::core
