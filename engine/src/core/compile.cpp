// SPDX-License-Identifier: GPL-3.0-or-later
// Routes into programs.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "core/compile_marks.hpp"
#include "core/program.hpp"
#include "lab/assert.hpp"

namespace lab::core {

namespace {

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
///     release write lock           from here on: letting go. A fault jumps here, and a release of
///     release connection           what is not held is passed over, so that the good end and every
///     release interpreter lock     bad one are the same code
///     release token, loop
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
                questions(step);
                return;
            case StepKind::write:
                transaction(step);
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
    /// pool's; on a loop it is awaited. The connection is kept from the first question to the last,
    /// as a session keeps it; between two of them the handler computes, so the lock is taken and
    /// let go again, and so is the loop's turn where the next question is awaited.
    void questions(const Step& step) {
        AskedQuery asked = asked_by(step);
        program_.queries.push_back(asked);
        const std::uint32_t trips = round_trips(asked.kind, asked.times);
        const bool awaits = on_loop_ && !step.blocking;
        leave_turn();
        acquire(ResourceId::connection);
        for (; asked.trip < trips; ++asked.trip) {
            if (asked.trip > 0) {
                take_lock();
                drop_lock();
                if (awaits) release(ResourceId::loop);
            }
            if (awaits) emit(Op::travel);
            if (awaits || (on_loop_ && asked.trip == 0)) acquire(ResourceId::loop);
            emit(Op::query, asked.packed());
            program_.code.back().resource = awaits ? travelled : 0;
        }
        release(ResourceId::connection);
        take_lock();
        uses_database_ = true;
    }

    /// Only one transaction writes at a time; a held one sleeps with the write lock in hand, and on
    /// a loop with its turn in hand too: another task of the loop that wanted the write lock would
    /// else keep the one that has it from ever letting it go.
    void transaction(const Step& step) {
        const bool awaits = on_loop_ && !step.blocking;
        leave_turn();
        acquire(ResourceId::connection);
        if (awaits) emit(Op::travel);
        if (on_loop_) acquire(ResourceId::loop);
        acquire(ResourceId::write_lock);
        emit(Op::update);
        program_.code.back().resource = awaits ? travelled : 0;
        if (step.time != Distribution{}) emit(Op::sleep, draw(step.id, step.time));
        release(ResourceId::write_lock);
        release(ResourceId::connection);
        take_lock();
        uses_database_ = true;
        writes_ = true;
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
        if (writes_) release(ResourceId::write_lock);
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
    bool writes_ = false;
    bool uses_loop_ = false;
    bool uses_token_ = false;
};

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

}  // namespace lab::core
