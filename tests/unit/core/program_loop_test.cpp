// SPDX-License-Identifier: GPL-3.0-or-later
// Programs of event loops, greenlets and async views: turns, tokens, forks.
#include "core/program.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

#include "support/listing.hpp"
#include "support/routes.hpp"
#include "support/time.hpp"

namespace lab::core {
namespace {

using test::async;
using test::at;
using test::blocking;
using test::cpu;
using test::gather;
using test::group;
using test::listing;
using test::offload;
using test::query;
using test::route;
using test::show;
using test::wait;

Server worker_of(Execution execution, bool lock = false) {
    Server server;
    server.execution = execution;
    server.interpreter_lock = lock;
    return server;
}
Server loop() { return worker_of(Execution::loop); }
Server threads() { return worker_of(Execution::threads); }

std::string listed(const Route& route, const Server& server) {
    return listing(compile(route, server, {}));
}
Duration total(const Cursor& cursor) {
    return std::accumulate(cursor.parts.begin(), cursor.parts.end(), Duration{});
}
Duration part(const Cursor& cursor, Part which) {
    return cursor.parts[static_cast<std::size_t>(which)];
}

TEST(LoopProgram, LetsItsTurnGoRoundWhatItAwaits) {
    EXPECT_EQ(listed(async(route({wait(50ms), cpu(1ms)})), loop()),
              "acquire worker, acquire loop, release loop, sleep, acquire loop, spend, "
              "release loop, release worker, respond, end");
}

TEST(LoopProgram, KeepsItsTurnThroughAWaitThatBlocks) {
    EXPECT_EQ(listed(async(route({blocking(wait(50ms))})), loop()),
              "acquire worker, acquire loop, sleep, release loop, release worker, respond, end");
}

TEST(LoopProgram, TakesTheLockInsideItsTurn) {
    EXPECT_EQ(listed(async(route({wait(50ms)})), worker_of(Execution::loop, true)),
              "acquire worker, acquire loop, acquire lock, release lock, release loop, sleep, "
              "acquire loop, acquire lock, release lock, release loop, release worker, respond, "
              "end");
}

TEST(LoopProgram, AwaitsTheRoundTripAndBlocksForTheQuery) {
    EXPECT_EQ(listed(async(route({query()})), loop()),
              "acquire worker, acquire loop, release loop, acquire connection, travel, "
              "acquire loop, query, release connection, release connection, release loop, "
              "release worker, respond, end");
    const Program awaits = compile(async(route({query()})), loop(), {});
    Cursor cursor = begin(awaits, 1, 1, at(0ms), at(0ms));
    Effect effect;
    do effect = next(cursor, {.now = at(1ms)});
    while (effect.op != Op::query);
    EXPECT_TRUE(effect.travelled);
}

TEST(LoopProgram, BlocksForTheRoundTripTooWhereTheQueryIsBlocking) {
    EXPECT_EQ(listed(async(route({blocking(query())})), loop()),
              "acquire worker, acquire loop, release loop, acquire connection, acquire loop, "
              "query, release connection, release connection, release loop, release worker, "
              "respond, end");
}

TEST(LoopProgram, RunsASyncViewOnAThreadOfThePoolAndAnswersFromTheLoop) {
    EXPECT_EQ(listed(route({wait(5ms), cpu(1ms)}), loop()),
              "acquire worker, acquire loop, release loop, acquire token, sleep, spend, "
              "release token, acquire loop, release token, release loop, release worker, respond, "
              "end");
}

TEST(LoopProgram, OffloadsOneStep) {
    EXPECT_EQ(listed(async(route({offload(cpu(9ms)), cpu(1ms)})), worker_of(Execution::loop, true)),
              "acquire worker, acquire loop, acquire lock, "
              "release lock, release loop, acquire token, acquire lock, spend, release lock, "
              "release token, acquire loop, acquire lock, spend, "
              "release lock, release token, release loop, release worker, respond, end");
}

TEST(LoopProgram, HasNoPoolWhereEachRequestHasAThread) {
    EXPECT_EQ(listed(route({offload(blocking(wait(9ms)))}), threads()),
              "acquire worker, sleep, release worker, respond, end");
}

TEST(LoopProgram, ForksAGatherOnALoop) {
    EXPECT_EQ(listed(async(route({gather({wait(1ms)}, 2)})), loop()),
              "acquire worker, acquire loop, release loop, fork ->16, "
              "acquire loop, release loop, sleep, acquire loop, release loop, join, "
              "acquire loop, release loop, sleep, acquire loop, release loop, join, "
              "acquire loop, release loop, release worker, respond, end");
}

TEST(LoopProgram, FollowsTheBranchesInTurnInASyncView) {
    EXPECT_EQ(listed(route({gather({wait(1ms), group({cpu(1ms), wait(2ms)})})}), threads()),
              "acquire worker, sleep, spend, sleep, release worker, respond, end");
    EXPECT_EQ(listed(route({gather({wait(1ms)}, 2)}), loop()),
              "acquire worker, acquire loop, release loop, acquire token, sleep, sleep, "
              "release token, acquire loop, release token, release loop, release worker, respond, "
              "end");
}

TEST(LoopProgram, GivesAnAsyncViewOnAThreadALoopOfItsOwnAndItsCost) {
    const Program program = compile(async(route({gather({wait(1ms)})})), threads(), {});
    EXPECT_EQ(listing(program),
              "acquire worker, spend, fork ->9, "
              "acquire loop, release loop, sleep, acquire loop, release loop, join, "
              "release loop, release worker, respond, end");
    EXPECT_TRUE(program.own_loop);
    EXPECT_EQ(program.draws[0].law, Distribution::constant(threads().async_cost));
    Server flask_async = threads();
    flask_async.async_views = true;
    EXPECT_EQ(listed(route({wait(1ms)}), flask_async),
              "acquire worker, spend, sleep, release worker, respond, end");
    Route one = route({wait(1ms)});
    one.view = View::sync;
    EXPECT_EQ(listed(one, flask_async), "acquire worker, sleep, release worker, respond, end");
}

TEST(LoopProgram, GivesEachCopyOfABranchItsOwnLuck) {
    const Program program =
        compile(async(route({gather({wait(Distribution::exponential(5ms))}, 3)})), loop(), {});
    ASSERT_EQ(program.draws.size(), 3U);
    EXPECT_NE(program.draws[0].ordinal, program.draws[1].ordinal);
    EXPECT_NE(program.draws[1].ordinal, program.draws[2].ordinal);
}

/// Walks to the fork: at 1 ms.
Cursor at_fork(const Program& program) {
    Cursor cursor = begin(program, 42, 1, at(0ms), at(0ms));
    while (next(cursor, {.now = at(1ms)}).op != Op::fork) {
    }
    return cursor;
}

/// Walks a branch to its end, `each` for every effect, `fault` at the one that says so.
Cursor walked(Cursor branch, Duration each, Op fault_at = Op::end) {
    Outcome outcome{.now = branch.since};
    for (;;) {
        const Effect effect = next(branch, outcome);
        if (effect.op == Op::join) return branch;
        outcome = {.now = outcome.now + each};
        if (effect.op == fault_at) outcome.fault = Fault::failed;
    }
}

TEST(Fork, AddsUpAlongTheBranchThatEndedLast) {
    const Program program = compile(async(route({gather({wait(1ms)}, 3), cpu(1ms)})), loop(), {});
    Cursor parent = at_fork(program);
    EXPECT_EQ(branches(parent), 3U);
    const Cursor slow = walked(branch(parent, 1), 7ms);
    EXPECT_EQ(slow.held, 0);
    EXPECT_EQ(walked(branch(parent, 0), 2ms).since, at(11ms));
    EXPECT_EQ(slow.since, at(36ms));
    join(parent, slow);
    EXPECT_EQ(show(next(parent, {.now = at(37ms)})), "acquire loop");
    EXPECT_EQ(total(parent), 37ms);
    EXPECT_EQ(part(parent, Part::io_wait), 7ms);
    EXPECT_EQ(part(parent, Part::loop_wait), 29ms);  // two turns, the release after each; 1 ms
}

TEST(Fork, CarriesTheFaultOfABranchToTheAnswer) {
    const Program program = compile(async(route({gather({query(), wait(1ms)})})), loop(), {});
    Cursor parent = at_fork(program);
    const Cursor failed = walked(branch(parent, 0), 1ms, Op::query);
    EXPECT_EQ(failed.fault, Fault::failed);
    EXPECT_EQ(failed.held, 0) << "the connection and the turn were let go";
    join(parent, failed);
    std::vector<std::string> rest;
    Outcome outcome{.now = failed.since, .fault = failed.fault};
    while (!parent.ended) {
        rest.push_back(show(next(parent, outcome)));
        outcome = {.now = outcome.now};
    }
    EXPECT_EQ(rest, (std::vector<std::string>{"release worker", "respond 500", "end"}));
    EXPECT_EQ(total(parent), failed.since - at(0ms));
}

TEST(Fork, ForksInsideABranch) {
    const Program program =
        compile(async(route({gather({group({cpu(1ms), gather({wait(5ms)}, 2)})}, 2)})), loop(), {});
    Cursor parent = at_fork(program);
    ASSERT_EQ(branches(parent), 2U);
    Cursor outer = branch(parent, 1);
    Outcome outcome{.now = at(1ms)};
    Effect effect;
    while ((effect = next(outer, outcome)).op != Op::fork) outcome.now += 1ms;
    ASSERT_EQ(branches(outer), 2U);
    const Cursor inner = walked(branch(outer, 1), 3ms);
    join(outer, inner);
    outcome.now = inner.since;
    while ((effect = next(outer, outcome)).op != Op::join) outcome.now += 1ms;
    join(parent, outer);
    static_cast<void>(next(parent, {.now = outer.since}));
    EXPECT_EQ(total(parent), outer.since - at(0ms));
}

}  // namespace
}  // namespace lab::core
