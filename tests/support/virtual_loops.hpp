// SPDX-License-Identifier: GPL-3.0-or-later
// Workers of event loops, greenlets or threads in virtual time, without an interpreter lock: turns,
// tokens and forks of core's programs on an event queue. Cores are without number.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <queue>
#include <vector>

#include "core/program.hpp"
#include "core/slot_pool.hpp"
#include "core/turn_queue.hpp"
#include "lab/model.hpp"

namespace lab::test {

/// A request that comes at a moment.
struct Asked {
    Instant at{};
    std::uint32_t route = 0;
};

struct Served {
    Duration latency{};
    std::uint16_t status = 0;
    PartTimes parts{};
    [[nodiscard]] Duration part(Part p) const { return parts[static_cast<std::size_t>(p)]; }
};

class VirtualLoops {
  public:
    /// Request i goes to worker i modulo workers, as its connection would.
    VirtualLoops(System system, std::vector<Asked> asked, Duration query_time = 1ms);

    /// To the end of all. In the order in which they were asked.
    [[nodiscard]] std::vector<Served> run();
    [[nodiscard]] Duration longest_lag() const { return longest_lag_; }
    [[nodiscard]] int most_waiting_for_a_token() const { return most_waiting_; }

  private:
    struct Loop {
        core::TurnQueue turns;
        bool taken = false;
    };
    struct Task {
        core::Cursor cursor;
        core::Effect effect;
        std::size_t request = 0;  ///< place in asked_
        Task* parent = nullptr;
        Loop* loop = nullptr;
        std::unique_ptr<Loop> own_loop;
        int slot = -1, token = -1, connection = -1, write_lock = -1;
        std::uint32_t running = 0;  ///< branches that have not ended
        core::Fault fault = core::Fault::none;
    };
    struct Worker {
        Loop loop;
        core::SlotPool tokens, connections;
    };
    struct Event {
        Instant at;
        std::uint64_t order = 0;
        Task* task = nullptr;  ///< null: the next request comes
        [[nodiscard]] bool operator>(const Event& other) const {
            return at != other.at ? at > other.at : order > other.order;
        }
    };

    void arrive();
    void drive(Task& task, core::Outcome outcome);
    [[nodiscard]] std::optional<core::Outcome> perform(Task& task);
    [[nodiscard]] bool acquire(Task& task);
    void release(Task& task);
    void let_next_run(Loop& loop);
    void fork(Task& parent);
    void join(Task& branch);
    void later(Instant at, Task* task) { events_.push({at, order_++, task}); }
    [[nodiscard]] Worker& worker_of(const Task& task);

    System system_;
    std::vector<Asked> asked_;
    Duration query_time_;
    std::vector<core::Program> programs_;
    core::SlotPool write_lock_{{1, 1'000'000, {}}};
    std::vector<std::unique_ptr<Worker>> workers_;
    core::SlotPool threads_;
    std::deque<Task> tasks_;
    std::vector<Served> served_;
    std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
    Instant now_{};
    std::uint64_t order_ = 0;
    std::size_t next_ = 0;
    Duration longest_lag_{};
    int most_waiting_ = 0;
};

}  // namespace lab::test
