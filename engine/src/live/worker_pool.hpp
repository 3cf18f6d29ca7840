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
#include "live/cpu_kernel.hpp"
#include "live/event_ring.hpp"
#include "live/exchange.hpp"
#include "live/step_executor.hpp"
#include "live/task_loop.hpp"
#include "live/worker_parts.hpp"
#include "live/workers.hpp"

namespace lab::live {

/// The admission queue and the workers behind it: workers x threads slots, each with a thread of
/// its own. Slot s belongs to worker s / threads. A slot that lets go takes the next waiting
/// request itself, without a thread being put to sleep or woken.
///
/// A full queue: `reject` ends in 503; `reset` in effect `end` with status 0, for which the front
/// end resets the connection; `wait` holds the request outside the queue until there is room, and
/// accepting() is false meanwhile.
///
/// Threads: as Workers says.
class WorkerPool final : public Workers, private WorkerParts {
  public:
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

    void apply(GenerationPtr generation) override;
    void set_database(std::shared_ptr<Database> database) override;
    void cancel() override;
    void stop() override;
    void sample(ServerSample& out) override;
    [[nodiscard]] std::vector<RequestEvent> take_events(std::size_t most,
                                                        std::uint64_t& left_out) override {
        return events_.take(most, left_out);
    }
    [[nodiscard]] std::vector<CacheContent> cache_contents(std::size_t most) const override;
    [[nodiscard]] std::string cache_page() const override;
    [[nodiscard]] std::string remark() const override;

  private:
    /// One thread and what is known of it.
    struct Seat {
        Seat(int number, const CpuKernel& kernel, const std::atomic<bool>& cancelled)
            : slot{number},
              executor{static_cast<core::Ticket>(number), kernel, inbox, cancelled},
              branches{static_cast<core::Ticket>(number), kernel, inbox, cancelled} {}
        const int slot;
        Inbox inbox;
        StepExecutor executor;
        TaskLoop branches;  ///< the loop that an async view has to itself
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
    void turn_away(Exchange& exchange, Instant now);
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
    void sample_seats(ServerSample& out, Instant now);
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

    mutable std::mutex generation_mutex_;
    GenerationPtr newest_;  ///< under generation_mutex_

    mutable std::mutex mutex_;
    core::SlotPool slots_;
    std::deque<Exchange*> outside_;               ///< when_full is wait: first come first served
    std::vector<std::unique_ptr<Seat>> seats_;    ///< by slot; null: no thread
    std::vector<std::unique_ptr<Seat>> leaving_;  ///< threads that will return soon
    std::function<void()> on_accepting_;
    Instant alarm_ = Instant::max();
    std::string remark_;

    // Of the last sample.
    Instant sampled_at_{};
    Duration departed_cpu_{};  ///< CPU time of threads that have left
    Duration sampled_cpu_{};
};

}  // namespace lab::live
