// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/program.hpp"

#include <gtest/gtest.h>

#include "support/routes.hpp"
#include "support/time.hpp"

namespace lab::core {
namespace {

using test::at;
using test::cpu;
using test::query;
using test::route;

Duration part(const Cursor& cursor, Part which) {
    return cursor.parts[static_cast<std::size_t>(which)];
}

TEST(ProxyProgram, ForwardsThenRespondsWithWhatCameBack) {
    const Program program = compile_proxy(route({cpu(2ms), query()}));
    Cursor cursor = begin(program, 7, 3, at(0ms), at(1ms));
    EXPECT_EQ(next(cursor, {.now = at(1ms)}).op, Op::forward);
    const Effect effect = next(cursor, {.now = at(21ms), .status = 503});
    EXPECT_EQ(effect.op, Op::respond);
    EXPECT_EQ(effect.status, 503);
    EXPECT_EQ(part(cursor, Part::proxy), 20ms);
    EXPECT_EQ(next(cursor, {.now = at(21ms)}).op, Op::end);
}

TEST(ProxyProgram, LeavesToTheBackendWhatItTellsOfItsTime) {
    const Program program = compile_proxy(route({cpu(2ms)}));
    PartTimes told{};
    told[static_cast<std::size_t>(Part::queue)] = 4ms;
    told[static_cast<std::size_t>(Part::cpu)] = 10ms;
    Cursor cursor = begin(program, 7, 3, at(0ms), at(0ms));
    static_cast<void>(next(cursor, {.now = at(0ms)}));
    static_cast<void>(next(cursor, {.now = at(20ms), .told = &told}));
    EXPECT_EQ(part(cursor, Part::queue), 4ms);
    EXPECT_EQ(part(cursor, Part::cpu), 10ms);
    EXPECT_EQ(part(cursor, Part::proxy), 6ms);
}

/// Two clocks that differ: never more than the span, and nothing negative.
TEST(ProxyProgram, AddsUpWhateverTheBackendTells) {
    const Program program = compile_proxy(route({cpu(2ms)}));
    PartTimes told{};
    told[static_cast<std::size_t>(Part::queue)] = -4ms;
    told[static_cast<std::size_t>(Part::cpu)] = 30ms;
    Cursor cursor = begin(program, 7, 3, at(0ms), at(0ms));
    static_cast<void>(next(cursor, {.now = at(0ms)}));
    static_cast<void>(next(cursor, {.now = at(20ms), .told = &told}));
    EXPECT_EQ(part(cursor, Part::queue), 0ms);
    EXPECT_EQ(part(cursor, Part::cpu), 20ms);
    EXPECT_EQ(part(cursor, Part::proxy), 0ms);
}

TEST(ProxyProgram, AnswersNothingAfterACancellation) {
    const Program program = compile_proxy(route({}));
    Cursor cursor = begin(program, 7, 3, at(0ms), at(0ms));
    static_cast<void>(next(cursor, {.now = at(0ms)}));
    EXPECT_EQ(next(cursor, {.now = at(1ms), .fault = Fault::cancelled}).op, Op::end);
}

}  // namespace
}  // namespace lab::core
