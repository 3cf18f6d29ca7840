// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "live/generator.hpp"

namespace lab::test {

/// A generator that is run to its end, with everything it told. Threads: the test's.
class GeneratorRun {
  public:
    using Options = live::Generator::Options;

    explicit GeneratorRun(Options options, std::function<void(std::size_t)> on_cut = {}) {
        auto started = live::Generator::start(
            std::move(options),
            {.on_cut =
                 [this, on_cut = std::move(on_cut)](std::unique_ptr<measure::IntervalCut> cut) {
                     std::size_t number = 0;
                     {
                         const std::lock_guard lock{mutex_};
                         cuts_.push_back(std::move(*cut));
                         number = cuts_.size();
                     }
                     changed_.notify_all();
                     if (on_cut) on_cut(number);
                 },
             .on_phase =
                 [this](RunPhase phase) {
                     const std::lock_guard lock{mutex_};
                     phases_.push_back(phase);
                     changed_.notify_all();
                 },
             .on_done =
                 [this](std::unique_ptr<measure::WindowTotals> totals) {
                     const std::lock_guard lock{mutex_};
                     ++times_done_;
                     totals_ = std::move(totals);
                     changed_.notify_all();
                 }});
        if (started) {
            generator_ = std::move(*started);
        } else {
            error_ = started.error();
        }
    }

    [[nodiscard]] live::Generator& generator() { return *generator_; }
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }

    /// Until it has told its totals. Null where it did not within the time.
    const measure::WindowTotals* wait(Duration patience = 20s) {
        std::unique_lock lock{mutex_};
        changed_.wait_for(lock, patience, [this] { return totals_ != nullptr; });
        return totals_.get();
    }
    void wait_for_cuts(std::size_t count, Duration patience = 20s) {
        std::unique_lock lock{mutex_};
        changed_.wait_for(lock, patience, [&] { return cuts_.size() >= count; });
    }
    void wait_for_phase(RunPhase phase, Duration patience = 20s) {
        std::unique_lock lock{mutex_};
        changed_.wait_for(lock, patience, [&] {
            return std::find(phases_.begin(), phases_.end(), phase) != phases_.end();
        });
    }
    /// Ends the thread; nothing is told afterwards.
    void destroy() { generator_.reset(); }

    [[nodiscard]] std::vector<measure::IntervalCut> cuts() const {
        const std::lock_guard lock{mutex_};
        return cuts_;
    }
    [[nodiscard]] std::vector<RunPhase> phases() const {
        const std::lock_guard lock{mutex_};
        return phases_;
    }
    /// The load thread was never held up for long. Where it was, the run counts as interrupted,
    /// rightly, and what a test expects of undisturbed time does not hold.
    [[nodiscard]] bool calm() const {
        const std::lock_guard lock{mutex_};
        return std::all_of(cuts_.begin(), cuts_.end(),
                           [](const auto& cut) { return cut.end - cut.start < 300ms; });
    }
    [[nodiscard]] int times_done() const {
        const std::lock_guard lock{mutex_};
        return times_done_;
    }

  private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<measure::IntervalCut> cuts_;
    std::vector<RunPhase> phases_;
    std::unique_ptr<measure::WindowTotals> totals_;
    int times_done_ = 0;
    std::optional<Error> error_;
    std::unique_ptr<live::Generator> generator_;  ///< last: its thread ends before the rest goes
};

/// Options for a server on this port: open loop, constant arrivals, a window of this length.
inline GeneratorRun::Options open_loop(std::uint16_t port, double per_second, Duration length) {
    GeneratorRun::Options options;
    options.target.port = port;
    options.target.host = "127.0.0.1:" + std::to_string(port);
    options.target.target = "/";
    options.load.model = LoadModel::open;
    options.load.arrivals = Arrivals::constant;
    options.load.rate = ArrivalRate::per_second(per_second);
    options.load.timeout = 5s;
    options.length = length;
    return options;
}

inline GeneratorRun::Options closed_loop(std::uint16_t port, int users, Duration length) {
    auto options = open_loop(port, 0, length);
    options.load.model = LoadModel::closed;
    options.load.users = users;
    options.load.connections = users;
    return options;
}

inline Route plain_route(std::string path, Method method = Method::get) {
    Route route;
    route.id = "route";
    route.path = std::move(path);
    route.method = method;
    return route;
}

inline std::uint64_t sum_of_endings(const Counts& counts) {
    std::uint64_t sum = 0;
    for (const auto n : counts.ended) sum += n;
    return sum;
}

/// For what holds on a machine with time for us only. What must hold always is expected before it.
#define LAB_SKIP_UNLESS_CALM(run) \
    if (!(run).calm()) GTEST_SKIP() << "the machine is too busy to judge"

}  // namespace lab::test
