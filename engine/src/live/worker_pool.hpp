// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/slot_pool.hpp"
#include "lab/frame.hpp"
#include "lab/result.hpp"
#include "live/completion_queue.hpp"
#include "live/cpu_kernel.hpp"
#include "live/event_ring.hpp"
#include "live/exchange.hpp"
#include "live/step_executor.hpp"
#include "live/worker.hpp"

namespace lab::live {

/// The admission queue and the workers behind it: workers x threads slots, each with a thread of
/// its own. Slot s belongs to worker s / threads. A slot that lets go takes the next waiting
/// request itself, without a thread being put to sleep or woken.
///
/// A full queue: `reject` ends in 503; `reset` in effect `end` with status 0, for which the front
/// end resets the connection; `wait` holds the request outside the queue until there is room, and
/// accepting() is false meanwhile.
///
/// Order of life: the completion queue outlives this; stop() after the front end has stopped.
/// Threads: the front end's for Dispatcher's calls; any for the others, sample() and take_events()
/// by one.
class WorkerPool final : public Dispatcher {
  public:
    struct Options {
        GenerationPtr generation;
        CompletionQueue* completions = nullptr;
        std::shared_ptr<Database> database;  ///< null where no route needs one
    };
    /// Errors: no_resources where not even one thread can be started.
    [[nodiscard]] static Result<std::unique_ptr<WorkerPool>> start(Options options);
    ~WorkerPool() override;
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    [[nodiscard]] GenerationPtr generation() const override;
    void bind(Exchange& exchange) override;
    void submit(Exchange& exchange) override;
    void finish(Exchange& exchange, bool keep_worker) override;
    bool withdraw(Exchange& exchange) override;
    [[nodiscard]] bool accepting() const override { return accepting_.load(); }
    void set_on_accepting(std::function<void()> on_change) override;

    /// New settings from the next request on. Slots that are added work at once; those taken away
    /// finish what they have in hand.
    void apply(GenerationPtr generation);
    /// Another database from the next request on.
    void set_database(std::shared_ptr<Database> database);

    /// What is in hand comes back through the completion queue, with effect `end`, within
    /// milliseconds; so does everything that is submitted afterwards. What waits in the queue is
    /// left to the front end to withdraw.
    void cancel();
    /// cancel(), then joins every thread. Whatever is still out has come back through the queue.
    void stop();

    /// Fills what the workers know: levels now, times and counts since the last call.
    void sample(ServerSample& out);
    [[nodiscard]] std::vector<RequestEvent> take_events(std::size_t most, std::uint64_t& left_out) {
        return events_.take(most, left_out);
    }
    /// "only 37 of 64 worker threads could be started", or empty.
    [[nodiscard]] std::string remark() const;

  private:
    /// One thread and what is known of it.
    struct Seat {
        Seat(int number, const CpuKernel& kernel, const std::atomic<bool>& cancelled)
            : slot{number}, executor{number, kernel, inbox, cancelled} {}
        const int slot;
        Inbox inbox;
        StepExecutor executor;
        std::thread thread;
        std::atomic<bool> left{false};  ///< the thread is about to return

        // Under the pool's mutex.
        Exchange* holder = nullptr;  ///< who holds the slot
        WorkerPtr worker;            ///< for the exchange that is given next
        std::uint64_t request = 0;
        Instant held_since{};
        Duration held_time{};
        Duration sampled_held_time{};
        int clock = -1;
    };

    explicit WorkerPool(Options options);

    // Every function below but those of the threads expects mutex_ to be held.
    [[nodiscard]] Seat* enter(Exchange& exchange, Instant now);
    void refuse(Exchange& exchange, core::Fault fault, Instant now);
    void turn_away(Exchange& exchange, Instant now);
    void reset(Exchange& exchange);
    [[nodiscard]] Seat* grant(Exchange& exchange, int slot, Instant now);
    void grant_and_give(const core::Wake& wake, Instant now);
    [[nodiscard]] Seat* let_go(Exchange& exchange, Instant now);
    void put_to_work(Seat& seat, Exchange& exchange, Instant now);
    void admit_from_outside(Instant now);
    void update_accepting();
    void set_alarm();
    void expire(Instant now);
    void leave(int slot);
    void resize(Instant now);
    [[nodiscard]] int start_threads(int wanted);
    void rebuild_workers();
    [[nodiscard]] WorkerPtr make_worker(const Worker* old);
    void sample_seats(ServerSample& out, Instant now);
    void sample_workers(ServerSample& out);
    [[nodiscard]] Seat& seat(int slot) { return *seats_[static_cast<std::size_t>(slot)]; }

    // The threads' own.
    void run(Seat& seat);
    [[nodiscard]] Exchange* serve(Seat& seat, Exchange& exchange);
    void join_those_that_left();

    CompletionQueue& completions_;
    CpuKernel kernel_;
    std::atomic<bool> cancelled_{false};
    std::atomic<bool> accepting_{true};
    EventRing events_;
    std::shared_ptr<StoreCounts> store_counts_ = std::make_shared<StoreCounts>();
    std::shared_ptr<DatabaseMeters> meters_ = std::make_shared<DatabaseMeters>();

    mutable std::mutex generation_mutex_;
    GenerationPtr newest_;  ///< under generation_mutex_

    mutable std::mutex mutex_;
    GenerationPtr in_force_;  ///< what slots and workers were made for
    core::SlotPool slots_;
    std::deque<Exchange*> outside_;               ///< when_full is wait: first come first served
    std::vector<std::unique_ptr<Seat>> seats_;    ///< by slot; null: no thread
    std::vector<std::unique_ptr<Seat>> leaving_;  ///< threads that will return soon
    std::vector<WorkerPtr> workers_;
    std::shared_ptr<ResponseStore> shared_store_;
    std::shared_ptr<Database> database_;
    std::function<void()> on_accepting_;
    Instant alarm_ = Instant::max();
    std::string remark_;

    // Of the last sample.
    Instant sampled_at_{};
    Duration departed_cpu_{};  ///< CPU time of threads that have left
    Duration sampled_cpu_{};
    Duration retired_pool_time_{};  ///< of pools that are gone
    Duration sampled_pool_time_{};
    DatabaseCounts sampled_database_;
    std::uint64_t sampled_hits_ = 0, sampled_misses_ = 0, sampled_evictions_ = 0;
};

}  // namespace lab::live
