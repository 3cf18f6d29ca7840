// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/program.hpp"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include "core/keyed_random.hpp"
#include "lab/assert.hpp"

namespace lab::core {

namespace {

/// In Instr::resource of a query.
constexpr std::uint8_t travelled = 1;

/// In place of a draw: a sleep until the end of the server's stall.
constexpr std::uint32_t stall = std::numeric_limits<std::uint32_t>::max();

/// What is left at `now` of a stall; by the clock alone, so that all workers stand still together.
Duration stall_left(const Program& program, Instant now) {
    const Duration phase = now.time_since_epoch() % program.stall_every;
    const bool stalled = phase >= program.stall_every - program.stall_for;
    return stalled ? program.stall_every - phase : Duration{};
}

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
///     acquire loop                 where the worker is one
///     acquire interpreter lock     where the server has one
///     ... steps ...
///     release connection           from here on: letting go. A fault jumps here, and a release of
///     release interpreter lock     what is not held is passed over, so that the good end and every
///     release token, loop          bad one are the same code
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
        const bool async =
            route.view == View::async || (route.view == View::server && server_.async_views);
        const bool is_loop = server_.execution == Execution::loop;
        on_loop_ = server_.execution != Execution::threads;
        may_fork_ = on_loop_ || async;
        program_.own_loop = !on_loop_;
        acquire(ResourceId::worker);
        wait_out_stall();
        take_turn();
        if (async && !is_loop) start_private_loop();
        if (is_loop && !async) {
            in_pool([&] { steps(route.steps); }, false);
        } else {
            steps(route.steps);
        }
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

    /// The right to run code: a turn on the loop where there is one, then the lock.
    void take_turn() {
        if (on_loop_) acquire(ResourceId::loop);
        uses_loop_ = uses_loop_ || on_loop_;
        take_lock();
    }
    void leave_turn() {
        drop_lock();
        if (on_loop_) release(ResourceId::loop);
    }

    /// What asyncio.run() in a thread of its own costs before the view begins.
    void start_private_loop() {
        // No id that a step can have.
        emit(Op::spend, draw("async view", Distribution::constant(server_.async_cost)));
    }

    /// Runs on a thread of the pool what `compile` emits. `then_lock`: more code follows.
    template <class Compile>
    void in_pool(Compile&& compile, bool then_lock) {
        leave_turn();
        acquire(ResourceId::token);
        uses_token_ = true;
        const bool forks = std::exchange(may_fork_, false);
        on_loop_ = false;
        take_lock();
        compile();
        drop_lock();
        on_loop_ = true;
        may_fork_ = forks;
        release(ResourceId::token);
        acquire(ResourceId::loop);
        if (then_lock) take_lock();
    }

    void wait_out_stall() {
        if (server_.stall_every <= Duration{} || server_.stall_for <= Duration{}) return;
        program_.stall_every = server_.stall_every;
        program_.stall_for = std::min(server_.stall_for, server_.stall_every);
        emit(Op::sleep, stall);
    }

    void steps(const std::vector<Step>& list) {
        for (const Step& step : list) {
            if (step.offload && on_loop_) {
                in_pool([&] { compile_step(step); }, true);
            } else {
                compile_step(step);
            }
        }
    }

    void compile_step(const Step& step) {
        switch (step.kind) {
            case StepKind::cpu:
                emit(Op::spend, draw(step.id, step.time));
                return;
            case StepKind::wait:
                wait(step.id, step.time, step.blocking);
                return;
            case StepKind::query:
                program_.queries.push_back(step.query);
                database(Op::query, static_cast<std::uint32_t>(step.query), step.blocking);
                return;
            case StepKind::write:
                database(Op::update, 0, step.blocking);
                if (cache_.invalidate_on_write && keeps_entries()) {
                    hop(step, ".drop");
                    emit(Op::cache_drop);
                }
                return;
            case StepKind::gather:
                gather(step);
                return;
            case StepKind::group:
                steps(step.steps);
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

    void wait(std::string_view id, const Distribution& time, bool blocking) {
        if (on_loop_ && !blocking) {
            leave_turn();
            emit(Op::sleep, draw(id, time));
            take_turn();
            return;
        }
        drop_lock();
        emit(Op::sleep, draw(id, time));
        take_lock();
    }

    /// The lock is let go before the wait for a connection: that wait blocks on a condition, as a
    /// pool's; on a loop it is awaited.
    void database(Op op, std::uint32_t arg, bool blocking) {
        leave_turn();
        acquire(ResourceId::connection);
        const bool awaits = on_loop_ && !blocking;
        if (awaits) emit(Op::travel);
        if (on_loop_) acquire(ResourceId::loop);
        emit(op, arg);
        program_.code.back().resource = awaits ? travelled : 0;
        release(ResourceId::connection);
        take_lock();
        uses_database_ = true;
    }

    /// Each branch begins by waiting for its turn and ends by letting it go.
    void gather(const Step& step) {
        if (!may_fork_) {
            for (int i = 0; i < step.copies; ++i) steps(step.steps);
            return;
        }
        leave_turn();
        const auto number = program_.forks.size();
        program_.forks.emplace_back();
        const std::uint16_t at = here();
        emit(Op::fork, static_cast<std::uint32_t>(number));
        Fork fork;
        const bool was_on_loop = std::exchange(on_loop_, true);
        for (int i = 0; i < step.copies; ++i) {
            for (const Step& one : step.steps) fork.branches.push_back(branch(one));
        }
        on_loop_ = was_on_loop;
        program_.forks[number] = std::move(fork);
        program_.code[at].jump = here();
        take_turn();
    }

    Fork::Branch branch(const Step& step) {
        Fork::Branch made{here(), 0};
        take_turn();
        steps({step});
        made.letting_go = here();
        let_go();
        emit(Op::join);
        return made;
    }

    void let_go() {
        if (uses_database_) release(ResourceId::connection);
        drop_lock();
        if (uses_token_) release(ResourceId::token);
        if (uses_loop_) release(ResourceId::loop);
    }

    void cached(const Step& step) {
        if (cache_.mode == CacheMode::none) {
            steps(step.steps);
            return;
        }
        const auto key = static_cast<std::uint32_t>(program_.keys.size());
        program_.keys.push_back(step.key);
        program_.key_names.push_back(program_.route + "." + step.id);
        program_.makes.push_back(0);
        const bool throws = step.key.function == KeyFunction::throws;
        const std::uint16_t look = here();
        if (!throws) hop(step, ".get");
        const std::uint16_t get = here();
        emit(Op::cache_get, key);
        if (cache_.stampede == Stampede::lock && keeps_entries() && !throws) {
            leave_turn();  // whoever makes the entry may need it
            emit(Op::cache_wait, key);
            take_turn();
            emit(Op::jump);
            program_.code.back().jump = look;
        }
        program_.makes[key] = here();
        steps(step.steps);
        if (!throws && !cache_.failing) hop(step, ".put");
        emit(Op::cache_put, key);
        program_.code[get].jump = here();
    }

    [[nodiscard]] bool keeps_entries() const {
        return cache_.mode == CacheMode::per_worker || cache_.mode == CacheMode::shared;
    }

    /// To a cache server and back. No id of a step has a dot in it.
    void hop(const Step& step, std::string_view why) {
        const bool far = cache_.hop.a > Duration{} || cache_.hop.b > Duration{};
        if (cache_.mode != CacheMode::shared || !far) return;
        wait(step.id + std::string{why}, cache_.hop, step.blocking);
    }

    void end_of_request() {
        program_.letting_go = here();
        let_go();
        if (server_.release == ReleasePoint::buffered) {
            release(ResourceId::worker);
            emit(Op::respond);
        } else {
            emit(Op::respond);
            release(ResourceId::worker);
        }
        emit(Op::end);
    }

    std::uint32_t draw(std::string_view id, const Distribution& law) {
        std::uint32_t ordinal = ordinal_of(id);
        const auto taken = [this](std::uint32_t wanted) {
            return std::any_of(program_.draws.begin(), program_.draws.end(),
                               [wanted](const Draw& d) { return d.ordinal == wanted; });
        };
        while (taken(ordinal)) {  // two steps never share their luck, whatever their ids
            ordinal = (ordinal + 1) & 0x7fff'ffffU;
        }
        program_.draws.push_back({law, ordinal});
        return static_cast<std::uint32_t>(program_.draws.size() - 1);
    }

    static std::uint32_t size_of(const Step& step) {
        constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
        return static_cast<std::uint32_t>(std::clamp<std::int64_t>(step.size.count, 0, most));
    }

    const Server& server_;
    const Cache& cache_;
    Program program_;
    bool on_loop_ = false;   ///< what is emitted runs on an event loop
    bool may_fork_ = false;  ///< there are turns that branches can take
    bool uses_database_ = false;
    bool uses_loop_ = false;
    bool uses_token_ = false;
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
                case ResourceId::loop:
                    return Part::loop_wait;
                case ResourceId::token:
                    return Part::token_wait;
            }
            return open;
        case Op::spend:
            return Part::cpu;
        case Op::sleep:
            return Part::io_wait;
        case Op::query:
        case Op::update:
        case Op::travel:
            return Part::database;
        case Op::fork:
            return Part::loop_wait;
        case Op::render:
        case Op::fill:
            return Part::render;
        case Op::cache_get:
        case Op::cache_put:
        case Op::cache_wait:
        case Op::cache_drop:
            return Part::cache;
        case Op::respond:
            return Part::write;
        case Op::release:
        case Op::join:
        case Op::jump:
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

Program compile(const Route& route, const Server& server, const Cache& cache) {
    return Compiler{server, cache}.run(route);
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

Duration service_time(const PartTimes& parts) {
    Duration sum{};
    for (const Part part :
         {Part::lock_wait, Part::loop_wait, Part::token_wait, Part::cpu, Part::io_wait,
          Part::pool_wait, Part::database, Part::cache, Part::render}) {
        sum += parts[static_cast<std::size_t>(part)];
    }
    return sum;
}

}  // namespace lab::core
