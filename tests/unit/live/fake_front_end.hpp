// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "core/program.hpp"
#include "live/completion_queue.hpp"
#include "live/exchange.hpp"

namespace lab::live::test {

inline Instant clock_now() { return std::chrono::steady_clock::now(); }

inline GenerationPtr generation_of(System system, std::uint64_t number = 1) {
    auto made = std::make_shared<Generation>();
    made->number = number;
    for (const Route& route : system.routes) {
        made->programs.push_back(core::compile(route, system.server, system.cache));
    }
    made->system = std::move(system);
    return made;
}

inline Step step(StepKind kind, Duration time = {}) {
    Step made;
    made.kind = kind;
    made.id = "step";
    made.time = Distribution::constant(time);
    return made;
}

inline Step fill(int bytes) {
    Step made = step(StepKind::respond);
    made.size = Bytes{bytes};
    return made;
}

inline Route route_of(std::vector<Step> steps) {
    Route made;
    made.id = "route";
    made.path = "/route";
    made.steps = std::move(steps);
    return made;
}

/// A request as a session has it, that only remembers what happened to it.
class FakeExchange final : public Exchange {
  public:
    FakeExchange(const GenerationPtr& settings, core::RequestId id) : id_{id} { begin(settings); }

    void begin(const GenerationPtr& settings) {
        generation = settings;
        const Instant at = clock_now();
        cursor = core::begin(settings->programs[0], 42, id_, at, at);
        target = "/route";
        answered = bound = false;
    }
    void on_bound() override { bound = true; }
    void on_answer() override {
        answered = true;
        answered_at = clock_now();
    }
    void on_worker_gone(bool was_killed) override {
        gone = true;
        killed = was_killed;
    }
    [[nodiscard]] Duration part(Part which) const {
        return cursor.parts[static_cast<std::size_t>(which)];
    }

    bool bound = false;
    bool answered = false;
    bool gone = false, killed = false;
    Instant answered_at{};

  private:
    core::RequestId id_;
};

/// The front end's thread is the test's: it sleeps until a worker wakes it, and drains.
class FakeFrontEnd {
  public:
    FakeFrontEnd() {
        completions.attach(
            [this] {
                const std::lock_guard hold{mutex_};
                woken_ = true;
                wake_.notify_one();
            },
            [this](Instant when) { alarm_ = when; });
    }

    /// False where that has not come true within ten seconds.
    template <class Condition>
    [[nodiscard]] bool run_until(Condition&& condition) {
        const Instant limit = clock_now() + 10s;
        while (!condition()) {
            {
                std::unique_lock hold{mutex_};
                wake_.wait_until(hold, std::min(limit, alarm_), [this] { return woken_; });
                woken_ = false;
            }
            completions.drain(clock_now());
            if (clock_now() > limit) return condition();
        }
        return true;
    }

    CompletionQueue completions;

  private:
    std::mutex mutex_;
    std::condition_variable wake_;
    bool woken_ = false;
    Instant alarm_ = Instant::max();
};

}  // namespace lab::live::test
