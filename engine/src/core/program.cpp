// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/program.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "core/compile_marks.hpp"
#include "core/keyed_random.hpp"
#include "core/program_parts.hpp"
#include "lab/assert.hpp"

namespace lab::core {

namespace {

/// What is left at `now` of a stall; by the clock alone, so that all workers stand still together.
Duration stall_left(const Program& program, Instant now) {
    const Duration phase = now.time_since_epoch() % program.stall_every;
    const bool stalled = phase >= program.stall_every - program.stall_for;
    return stalled ? program.stall_every - phase : Duration{};
}

constexpr std::uint8_t bit(ResourceId resource) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(resource));
}

/// Time up to `now` counts for the open part. A `now` before the span's beginning counts as no
/// time, so that spans neither overlap nor turn negative and the parts add up whatever two clocks
/// said.
void close_span(Cursor& cursor, Instant now) {
    if (now <= cursor.since) return;
    cursor.parts[static_cast<std::size_t>(cursor.part)] += now - cursor.since;
    cursor.since = now;
}

/// Hands an effect to the executor.
Effect hand_out(Cursor& cursor, const Effect& effect) {
    cursor.in_hand = effect.op;
    cursor.resource = effect.resource;
    cursor.part = part_of(effect, cursor.part);
    if (effect.op == Op::release) {
        cursor.held = static_cast<std::uint8_t>(cursor.held & ~bit(effect.resource));
    }
    if (effect.op == Op::end || effect.op == Op::join) cursor.ended = true;
    return effect;
}

/// What went wrong decides the answer; then everything held is let go. A fault that comes while
/// letting go cannot go back: the end is passed through once, forwards.
void turn_back(Cursor& cursor, Fault fault) {
    cursor.owed = Duration{};
    if (cursor.fault == Fault::none) cursor.fault = fault;
    const bool leaving = cursor.pc > cursor.letting_go;
    if (!leaving) cursor.pc = cursor.letting_go;
    switch (fault) {
        case Fault::none:
            return;
        case Fault::refused:
        case Fault::expired:
            if (!leaving) cursor.status = 503;
            return;
        case Fault::pool_timeout:
        case Fault::lock_timeout:
        case Fault::query_timeout:
        case Fault::failed:
            if (!leaving) cursor.status = 500;
            return;
        case Fault::cancelled:
            cursor.status = 0;
            return;
    }
}

/// Takes in what the executor tells about the effect it had in hand.
void settle(Cursor& cursor, const Outcome& outcome) {
    if (outcome.fault != Fault::none) {
        turn_back(cursor, outcome.fault);
        return;
    }
    switch (cursor.in_hand) {
        case Op::acquire:
            cursor.held = static_cast<std::uint8_t>(cursor.held | bit(cursor.resource));
            return;
        case Op::spend:
            cursor.owed = std::max(outcome.remaining, Duration{});
            return;
        case Op::forward:
            cursor.status = outcome.status;
            return;
        case Op::cache_get:
            if (outcome.hit) {
                cursor.pc = cursor.program->code[cursor.pc - 1U].jump;
            } else if (!outcome.busy) {
                cursor.pc = cursor.program->makes[cursor.program->code[cursor.pc - 1U].arg];
            }
            return;
        case Op::fork:
            cursor.pc = cursor.program->code[cursor.pc - 1U].jump;
            return;
        default:
            return;
    }
}

/// Random bits for a cache step, the same however often it is asked.
std::uint64_t lot_of(const Cursor& cursor, Purpose purpose, std::uint32_t step) {
    return keyed_bits(cursor.seed, cursor.id, static_cast<std::uint32_t>(purpose) + step);
}

/// The next move of a spend that was broken off: the lock goes to whoever asked, comes back, and
/// the rest is spent. Without a lock in hand there was nothing to let go, and the rest follows at
/// once.
Effect resume(Cursor& cursor) {
    const auto lock = ResourceId::interpreter_lock;
    const bool holds_lock = (cursor.held & bit(lock)) != 0;
    if (cursor.in_hand == Op::spend && holds_lock) {
        return hand_out(cursor, {.op = Op::release, .resource = lock});
    }
    if (cursor.in_hand == Op::release) {
        return hand_out(cursor, {.op = Op::acquire, .resource = lock});
    }
    const Duration rest = cursor.owed;
    cursor.owed = Duration{};
    return hand_out(cursor, {.op = Op::spend, .cost = rest});
}

}  // namespace

Program compile_proxy(const Route& route) {
    Program program;
    program.route = route.id;
    program.inline_answer = route.inline_answer;
    if (!route.inline_answer) program.code.push_back({.op = Op::forward});
    program.letting_go = static_cast<std::uint16_t>(program.code.size());
    program.code.push_back({.op = Op::respond});
    program.code.push_back({.op = Op::end});
    return program;
}

Cursor begin(const Program& program, std::uint64_t seed, RequestId id, Instant received,
             Instant parsed) {
    LAB_ASSERT(!program.code.empty());
    Cursor cursor;
    cursor.program = &program;
    cursor.letting_go = program.letting_go;
    cursor.seed = seed;
    cursor.id = id;
    cursor.part = Part::parse;
    cursor.since = received;
    close_span(cursor, parsed);
    cursor.part = Part::queue;
    return cursor;
}

Effect next(Cursor& cursor, const Outcome& outcome) {
    if (cursor.ended) return {};
    const Instant opened = cursor.since;
    close_span(cursor, outcome.now);
    if (cursor.in_hand == Op::forward && outcome.told != nullptr) {
        attribute(cursor, cursor.since - opened, *outcome.told);
    }
    settle(cursor, outcome);
    if (cursor.owed > Duration{}) return resume(cursor);

    const Program& program = *cursor.program;
    for (;;) {
        LAB_ASSERT(cursor.pc < program.code.size());
        const Instr& instr = program.code[cursor.pc++];
        Effect effect{
            .op = instr.op, .resource = static_cast<ResourceId>(instr.resource), .arg = instr.arg};
        switch (instr.op) {
            case Op::release:
                if ((cursor.held & bit(effect.resource)) == 0) continue;
                break;
            case Op::respond:
                if (cursor.status == 0) continue;
                effect.status = cursor.status;
                break;
            case Op::query:
            case Op::update:
                effect.resource = ResourceId::worker;
                effect.travelled = instr.resource == travelled;
                break;
            case Op::spend:
            case Op::sleep: {
                if (instr.arg == stall) {
                    effect.cost = stall_left(program, outcome.now);
                    break;
                }
                const Draw& draw = program.draws[instr.arg];
                effect.cost =
                    keyed_duration(draw.law, cursor.seed, cursor.id,
                                   static_cast<std::uint32_t>(Purpose::step) + draw.ordinal);
                break;
            }
            case Op::jump:
                cursor.pc = instr.jump;
                continue;
            case Op::cache_get:
                effect.lot = lot_of(cursor, Purpose::cache_look, instr.arg);
                break;
            case Op::cache_put:
                effect.lot = lot_of(cursor, Purpose::cache_store, instr.arg);
                break;
            default:
                break;
        }
        return hand_out(cursor, effect);
    }
}

namespace {

const Fork& fork_of(const Cursor& parent) {
    LAB_ASSERT(parent.in_hand == Op::fork);
    return parent.program->forks[parent.program->code[parent.pc - 1U].arg];
}

}  // namespace

std::uint32_t branches(const Cursor& parent) {
    return static_cast<std::uint32_t>(fork_of(parent).branches.size());
}

Cursor branch(const Cursor& parent, std::uint32_t index) {
    const Fork& fork = fork_of(parent);
    LAB_ASSERT(index < fork.branches.size());
    Cursor cursor;
    cursor.program = parent.program;
    cursor.seed = parent.seed;
    cursor.id = parent.id;
    cursor.pc = fork.branches[index].begin;
    cursor.letting_go = fork.branches[index].letting_go;
    cursor.part = Part::loop_wait;
    cursor.since = parent.since;
    return cursor;
}

void join(Cursor& parent, const Cursor& branch) {
    LAB_ASSERT(parent.in_hand == Op::fork && branch.ended);
    for (std::size_t i = 0; i < parent.parts.size(); ++i) parent.parts[i] += branch.parts[i];
    parent.since = std::max(parent.since, branch.since);
}

}  // namespace lab::core
