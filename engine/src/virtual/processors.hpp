// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/model.hpp"
#include "lab/units.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace lab::virtual_time {

/// For whom CPU time is spent.
enum class Account : std::uint8_t { workers, front_end };

/// The cores of one host and the threads that compute on them. No thread computes on two cores.
///
/// `shared`: n threads on c cores each get min(1, c/n) of a core, all at once. `slices`: a thread
/// runs for at most a slice while others wait, in the order in which they came; a core that goes to
/// another thread loses the cost of a switch.
/// Pure: no clock; `now` never goes back, and every finish() is taken before anything later begins.
/// Threads: one at a time.
class Processors {
  public:
    struct Options {
        int cores = 1;
        Scheduling scheduling = Scheduling::shared;
        Duration slice = 4ms;
        Duration switch_cost{};
    };
    explicit Processors(Options options);

    /// The thread, which computes nothing now, begins to: `cost` more than nothing.
    void start(std::uint32_t thread, Duration cost, Account account, Instant now);
    /// Breaks off what the thread computes. Returns what is left of it: more than nothing.
    Duration stop(std::uint32_t thread, Instant now);
    [[nodiscard]] bool computes(std::uint32_t thread) const {
        return thread < tasks_.size() && tasks_[thread].active;
    }
    /// When something is done or a turn is over; Instant::max() where nobody computes.
    [[nodiscard]] Instant next();
    /// A thread that is done at `now`, or nothing where there is no other.
    std::optional<std::uint32_t> finish(Instant now);
    /// What has been spent until `now`, since the beginning.
    [[nodiscard]] Duration used(Account account, Instant now);
    /// Another number of cores or another rule; what is in hand goes on under it.
    void configure(Options options, Instant now);
    [[nodiscard]] int cores() const { return options_.cores; }

  private:
    struct Task {
        bool active = false;
        Account account = Account::workers;
        std::uint32_t token = 0;
        std::int64_t ends = 0;  ///< shared: in shared work time, ns
        Duration left{};        ///< slices: when its turn began
    };
    struct Ending {
        std::int64_t ends = 0;
        std::uint64_t order = 0;
        std::uint32_t thread = 0;
        std::uint32_t token = 0;
    };
    struct Core {
        std::int64_t thread = -1;
        std::int64_t last = -1;  ///< ran before
        Instant began{}, ends{};
    };
    static constexpr auto later = [](const Ending& a, const Ending& b) {
        return a.ends != b.ends ? a.ends > b.ends : a.order > b.order;
    };
    [[nodiscard]] bool shares() const { return options_.scheduling == Scheduling::shared; }
    void advance(Instant now);
    void drop_stale();
    void give_turn(Core& core, Instant now);
    void end_turn(Core& core, Instant now);
    std::optional<std::uint32_t> finish_shared(Instant now);
    std::optional<std::uint32_t> finish_turn(Instant now);
    [[nodiscard]] Duration& spent(Account account) {
        return used_[static_cast<std::size_t>(account)];
    }

    Options options_;
    std::vector<Task> tasks_;  ///< by thread
    std::array<std::int64_t, 2> active_of_{};
    std::int64_t active_ = 0;
    std::array<Duration, 2> used_{};

    // Shared: work time runs at the rate of one thread.
    Instant at_{};
    std::int64_t work_ = 0;
    std::int64_t rest_ = 0;  ///< of the division, in 1/active_ ns
    std::uint64_t order_ = 0;
    std::vector<Ending> endings_;  ///< heap, earliest on top; some are stale

    // Slices.
    std::vector<Core> cores_;
    std::deque<std::uint32_t> waiting_;
};

}  // namespace lab::virtual_time
