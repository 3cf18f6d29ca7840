// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/program.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "core/keyed_random.hpp"
#include "lab/assert.hpp"

namespace lab::core {

namespace {

constexpr std::uint8_t bit(ResourceId resource) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(resource));
}

/// Keys the draws of a step by its id, so that a step added elsewhere in the route moves none of
/// them. FNV-1a, 31 bits: Purpose::step can be added.
std::uint32_t ordinal_of(std::string_view id) {
    std::uint32_t hash = 2166136261U;
    for (const char c : id) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    }
    return hash & 0x7fff'ffffU;
}

/// Writes the code of one route. What the code of a request looks like:
///
///     acquire worker               always; a session that holds one already is answered at once
///     acquire interpreter lock     where the server has one
///     ... steps ...
///     release write lock           from here on: letting go. A fault jumps here, and a release of
///     release connection           what is not held is passed over, so that the good end and every
///     release interpreter lock     bad one are the same code
///     release worker | respond
///     respond | release worker
///     end
///
/// Left: the worker is let go when the answer is buffered; right: when it is drained.
class Compiler {
  public:
    Compiler(const Server& server, const Cache& cache) : server_{server}, cache_{cache} {}

    Program run(const Route& route) {
        program_.route = route.id;
        program_.inline_answer = route.inline_answer;
        if (route.inline_answer) {
            emit(Op::respond);
            emit(Op::end);
            return std::move(program_);
        }
        acquire(ResourceId::worker);
        take_lock();
        steps(route.steps);
        end_of_request();
        return std::move(program_);
    }

  private:
    void emit(Op op, std::uint32_t arg = 0, ResourceId resource = ResourceId::worker) {
        LAB_ASSERT(program_.code.size() < std::numeric_limits<std::uint16_t>::max());
        program_.code.push_back({op, static_cast<std::uint8_t>(resource), 0, arg});
    }
    [[nodiscard]] std::uint16_t here() const {
        return static_cast<std::uint16_t>(program_.code.size());
    }
    void acquire(ResourceId resource) { emit(Op::acquire, 0, resource); }
    void release(ResourceId resource) { emit(Op::release, 0, resource); }
    void take_lock() {
        if (server_.interpreter_lock) acquire(ResourceId::interpreter_lock);
    }
    void drop_lock() {
        if (server_.interpreter_lock) release(ResourceId::interpreter_lock);
    }

    void steps(const std::vector<Step>& list) {
        for (const Step& step : list) {
            compile_step(step);
        }
    }

    void compile_step(const Step& step) {
        switch (step.kind) {
            case StepKind::cpu:
                emit(Op::spend, draw(step));
                return;
            case StepKind::wait:
                drop_lock();
                emit(Op::sleep, draw(step));
                take_lock();
                return;
            case StepKind::query:
                questions(step);
                return;
            case StepKind::write:
                transaction(step);
                return;
            case StepKind::render:
                emit(Op::render, static_cast<std::uint32_t>(step.rows));
                return;
            case StepKind::respond:
                emit(Op::fill, size_of(step));
                return;
            case StepKind::cache:
                cached(step);
                return;
        }
    }

    /// The lock is let go before the wait for a connection: that wait blocks on a condition, as a
    /// pool's. The connection is kept from the first question to the last, as a session keeps it;
    /// between two of them the handler computes, so the lock is taken and let go again.
    void questions(const Step& step) {
        AskedQuery asked = asked_by(step);
        program_.queries.push_back(asked);
        const std::uint32_t trips = round_trips(asked.kind, asked.times);
        drop_lock();
        acquire(ResourceId::connection);
        for (; asked.trip < trips; ++asked.trip) {
            if (asked.trip > 0) {
                take_lock();
                drop_lock();
            }
            emit(Op::query, asked.packed());
        }
        release(ResourceId::connection);
        take_lock();
        uses_database_ = true;
    }

    /// Only one transaction writes at a time; a held one sleeps with the write lock in hand.
    void transaction(const Step& step) {
        drop_lock();
        acquire(ResourceId::connection);
        acquire(ResourceId::write_lock);
        emit(Op::update);
        if (step.time != Distribution{}) emit(Op::sleep, draw(step));
        release(ResourceId::write_lock);
        release(ResourceId::connection);
        take_lock();
        uses_database_ = true;
        writes_ = true;
    }

    void cached(const Step& step) {
        if (cache_.mode == CacheMode::none) {
            steps(step.steps);
            return;
        }
        const auto key = static_cast<std::uint32_t>(program_.keys.size());
        program_.keys.push_back(step.key);
        const std::uint16_t get = here();
        emit(Op::cache_get, key);
        steps(step.steps);
        emit(Op::cache_put, key);
        program_.code[get].jump = here();
    }

    void end_of_request() {
        program_.letting_go = here();
        if (writes_) release(ResourceId::write_lock);
        if (uses_database_) release(ResourceId::connection);
        drop_lock();
        if (server_.release == ReleasePoint::buffered) {
            release(ResourceId::worker);
            emit(Op::respond);
        } else {
            emit(Op::respond);
            release(ResourceId::worker);
        }
        emit(Op::end);
    }

    std::uint32_t draw(const Step& step) {
        std::uint32_t ordinal = ordinal_of(step.id);
        const auto taken = [this](std::uint32_t wanted) {
            return std::any_of(program_.draws.begin(), program_.draws.end(),
                               [wanted](const Draw& d) { return d.ordinal == wanted; });
        };
        while (taken(ordinal)) {  // two steps never share their luck, whatever their ids
            ordinal = (ordinal + 1) & 0x7fff'ffffU;
        }
        program_.draws.push_back({step.time, ordinal});
        return static_cast<std::uint32_t>(program_.draws.size() - 1);
    }

    static std::uint32_t size_of(const Step& step) {
        constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
        return static_cast<std::uint32_t>(std::clamp<std::int64_t>(step.size.count, 0, most));
    }

    const Server& server_;
    const Cache& cache_;
    Program program_;
    bool uses_database_ = false;
    bool writes_ = false;
};

/// The part in which the time of an effect counts. Making the body is rendering, whether from a
/// template or as so many bytes. `release` and `end` take no time of their own: the open span goes
/// on.
Part part_of(const Effect& effect, Part open) {
    switch (effect.op) {
        case Op::acquire:
            switch (effect.resource) {
                case ResourceId::worker:
                    return Part::queue;
                case ResourceId::interpreter_lock:
                    return Part::lock_wait;
                case ResourceId::connection:
                    return Part::pool_wait;
                case ResourceId::write_lock:
                    return Part::write_wait;
            }
            return open;
        case Op::spend:
            return Part::cpu;
        case Op::sleep:
            return Part::io_wait;
        case Op::query:
        case Op::update:
            return Part::database;
        case Op::render:
        case Op::fill:
            return Part::render;
        case Op::cache_get:
        case Op::cache_put:
            return Part::cache;
        case Op::respond:
            return Part::write;
        case Op::release:
        case Op::end:
            return open;
    }
    return open;
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
    if (effect.op == Op::end) cursor.ended = true;
    return effect;
}

/// What went wrong decides the answer; then everything held is let go. A fault that comes while
/// letting go cannot go back: the end is passed through once, forwards.
void turn_back(Cursor& cursor, Fault fault) {
    cursor.owed = Duration{};
    const bool leaving = cursor.pc > cursor.program->letting_go;
    if (!leaving) cursor.pc = cursor.program->letting_go;
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
        case Op::cache_get:
            if (outcome.hit) cursor.pc = cursor.program->code[cursor.pc - 1U].jump;
            return;
        default:
            return;
    }
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

AskedQuery asked_by(const Step& step) {
    return {step.query, static_cast<std::uint32_t>(step.times),
            static_cast<std::uint32_t>(std::lround(step.share * 1'000)), 0};
}

std::uint32_t round_trips(QueryKind kind, std::uint32_t times) {
    switch (kind) {
        case QueryKind::reviews_per_product:
            return 1 + times;
        case QueryKind::reviews_in_batch:
            return 2;
        case QueryKind::reviews_joined:
            return 1;
        default:
            return times;
    }
}

bool repeats(QueryKind kind) {
    return kind != QueryKind::reviews_per_product && kind != QueryKind::reviews_in_batch;
}

Program compile(const Route& route, const Server& server, const Cache& cache) {
    return Compiler{server, cache}.run(route);
}

Cursor begin(const Program& program, std::uint64_t seed, RequestId id, Instant received,
             Instant parsed) {
    LAB_ASSERT(!program.code.empty());
    Cursor cursor;
    cursor.program = &program;
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
    close_span(cursor, outcome.now);
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
            case Op::spend:
            case Op::sleep: {
                const Draw& draw = program.draws[instr.arg];
                effect.cost =
                    keyed_duration(draw.law, cursor.seed, cursor.id,
                                   static_cast<std::uint32_t>(Purpose::step) + draw.ordinal);
                break;
            }
            default:
                break;
        }
        return hand_out(cursor, effect);
    }
}

Duration service_time(const PartTimes& parts) {
    Duration sum{};
    for (const Part part : {Part::lock_wait, Part::cpu, Part::io_wait, Part::pool_wait,
                            Part::write_wait, Part::database, Part::cache, Part::render}) {
        sum += parts[static_cast<std::size_t>(part)];
    }
    return sum;
}

}  // namespace lab::core
