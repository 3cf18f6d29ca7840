// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "core/program.hpp"
#include "core/turn_queue.hpp"
#include "lab/frame.hpp"
#include "live/cpu_kernel.hpp"
#include "live/exchange.hpp"
#include "live/inbox.hpp"
#include "live/step_executor.hpp"
#include "live/token_pool.hpp"
#include "live/worker.hpp"

namespace lab::live {

/// An event loop on one thread: runs tasks (requests, and branches of a gather), each until it
/// awaits something. Turns go by core::TurnQueue. What a task does without awaiting is done on the
/// spot, and everybody else waits: a blocked loop is really blocked. What holds a token of the
/// worker's pool runs on a thread of that pool meanwhile.
///
/// A worker of event loops has one that runs for good; a worker thread has one on which the
/// branches of an async view run, while the thread waits for them.
/// Threads: one, the loop's, but for start(), leave(), wake() and look().
class TaskLoop {
  public:
    /// `ticket`: by which a worker's lock knows this thread. `inbox`: where it rests and blocks.
    TaskLoop(core::Ticket ticket, const CpuKernel& kernel, Inbox& inbox,
             const std::atomic<bool>& cancelled)
        : ticket_{ticket}, kernel_{kernel}, inbox_{inbox}, cancelled_{cancelled} {}
    TaskLoop(const TaskLoop&) = delete;
    TaskLoop& operator=(const TaskLoop&) = delete;

    /// Called on the loop's thread when a request has come to `respond` or `end` (its effect), and
    /// whether it has let its worker go. The exchange is then the receiver's.
    std::function<void(Exchange& exchange, bool lets_go)> on_end;

    /// A request that has its place at the worker: its effect is to acquire that. Any thread.
    void start(Exchange& exchange, WorkerPtr worker, Instant at);
    /// Until leave() was called and every task has ended.
    void run();
    /// No task will be started any more. Any thread.
    void leave();

    /// The branches of the fork that an exchange has in hand, which runs elsewhere: on this thread,
    /// to the end of the last. `root` performs the steps of the exchange itself.
    [[nodiscard]] core::Outcome run_branches(Exchange& exchange, const WorkerPtr& worker,
                                             StepExecutor& root);

    struct Look {
        WorkerState state = WorkerState::idle;
        std::uint64_t request = 0;
        std::uint32_t ready = 0;     ///< due, and waiting for a turn
        Duration busy{};             ///< in which it did not rest, since the last look
        std::vector<Duration> lags;  ///< of turns since the last look; at most `most_lags`
    };
    static constexpr std::size_t most_lags = 20'000;
    /// What it does now, and did since the last look. Any thread.
    [[nodiscard]] Look look();

  private:
    enum class Waits : std::uint8_t { nothing, turn, connection, token, branches };
    struct Task final : TokenPool::Job {
        explicit Task(TaskLoop& its_loop);
        void run_on(core::Ticket thread, Inbox& parker) override;
        void find_no_thread() override;

        TaskLoop& loop;
        StepExecutor executor;
        Exchange* exchange = nullptr;
        WorkerPtr worker;
        core::Cursor branch;  ///< of a branch; a request's own is in its exchange
        core::Cursor* cursor = nullptr;
        Answer made;          ///< of a branch
        core::Effect effect;  ///< in hand
        Task* parent = nullptr;
        std::vector<Task*> branches;            ///< in hand; those that have ended too
        std::size_t running = 0;                ///< of them
        core::Fault fault = core::Fault::none;  ///< the first of them
        Waits waits = Waits::nothing;
        bool ended = false;
        bool abandoned = false;  ///< a branch beside it failed
        bool lets_go = false;
        bool elsewhere = false;  ///< its own steps are not run by this loop
        // Under the loop's mutex.
        bool timed = false;        ///< it has a turn that is due
        std::uint64_t number = 0;  ///< of its next wake; older ones are out of date
        core::Fault woken_with = core::Fault::none;
    };

    [[nodiscard]] Task& new_task(Exchange& exchange, WorkerPtr worker);
    void recycle(Task& task);
    /// Its next turn is due at `due`, unless it was woken since `number`. Any thread.
    void wake(Task& task, std::uint64_t number, Instant due, core::Fault fault);
    void wake(Task& task, core::Fault fault);
    /// Makes a turn due. What wakes it sooner takes its place.
    std::uint64_t await(Task& task, Waits what, Instant due);
    /// The run stops, or the worker was killed whose branches these are.
    [[nodiscard]] bool ends() const { return cancelled_.load() || (killed_ && killed_->load()); }
    [[nodiscard]] bool take_turn();
    void rest();
    void resume(Task& task, Instant due, core::Fault fault);
    void drive(Task& task, core::Outcome outcome);
    /// False: the task waits, or has ended.
    [[nodiscard]] bool step(Task& task, core::Outcome& outcome);
    [[nodiscard]] bool acquire(Task& task, core::Outcome& outcome);
    [[nodiscard]] bool sleeps(Task& task);
    [[nodiscard]] bool wait_for_entry(Task& task, core::Outcome& outcome);
    void forget_wait(Task& task);
    void perform(Task& task, core::Outcome& outcome);
    void give_back(Task& task);
    void start_branches(Task& parent);
    void end_branch(Task& branch);
    void abandon(Task& task);
    [[nodiscard]] core::Fault collect_branches(Task& parent, StepExecutor& into);
    void end_request(Task& task);
    void publish(WorkerState state, const Task* task);

    const core::Ticket ticket_;
    const CpuKernel& kernel_;
    Inbox& inbox_;
    const std::atomic<bool>& cancelled_;
    std::shared_ptr<const std::atomic<bool>> killed_;  ///< of the worker of run_branches()
    std::atomic<WorkerState> state_{WorkerState::idle};
    std::atomic<std::uint64_t> request_{0};

    std::mutex mutex_;
    core::TurnQueue turns_;
    std::deque<Task> tasks_;  ///< never moved; those in free_ have no exchange
    std::vector<Task*> free_;
    std::size_t out_ = 0;  ///< tasks that have not ended
    bool leaving_ = false;
    bool resting_ = true;
    Instant busy_since_{};
    Duration busy_{};
    std::vector<Duration> lags_;
};

}  // namespace lab::live
