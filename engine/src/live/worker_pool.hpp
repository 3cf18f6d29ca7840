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
#include <unordered_set>
#include <vector>

#include "core/worker_lives.hpp"
#include "core/worker_slots.hpp"
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

/// The queue before or inside the workers, and the workers: workers x threads slots, each with a
/// thread of its own (core::WorkerSlots says who gets which). A slot that lets go takes the next
/// waiting request itself, without a thread being put to sleep or woken.
///
/// Workers live as core::WorkerLives says: they leave after their number of requests, are killed,
/// and boot anew; the threads stay. What a killed worker has comes back with effect `end`.
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
    void opened(Exchange& exchange) override;
    void closed(Exchange& exchange) override;
    void bind(Exchange& exchange) override;
    void submit(Exchange& exchange) override;
    void finish(Exchange& exchange, bool keep_worker) override;
    bool withdraw(Exchange& exchange) override;
    [[nodiscard]] bool accepting() const override { return accepting_.load(); }
    void set_on_accepting(std::function<void()> on_change) override;

    /// New settings from the next request on. Where work comes to the workers in another way, all
    /// that is in hand ends first, idle connections are closed, and what arrives meanwhile waits.
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

        int cores = 0;  ///< the thread's own: what it is restricted to

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
    [[nodiscard]] bool find_home(Exchange& exchange);
    void update_accepting();
    void set_alarm();
    void on_alarm(Instant now);
    void expire(Instant now);
    void leave(int slot);
    void resize(Instant now);
    void begin_change(Instant now);
    void end_change(Instant now);
    [[nodiscard]] int start_threads(int wanted);
    [[nodiscard]] bool start_thread(int slot);
    void trim(Instant now);
    // The lives of workers.
    void carry_out(const std::vector<core::WorkerLives::Order>& orders, Instant now);
    void kill(int worker, Instant now);
    void send_away(int worker, Instant now);
    void serve_again(int worker, Instant now);
    void look_whether_left(int worker, Instant now);
    void renew(int worker);
    void count_end(Exchange& exchange, Instant now);
    [[nodiscard]] std::vector<core::WorkerLives::Look> looks() const;
    [[nodiscard]] std::vector<bool> stopped_workers() const;
    [[nodiscard]] WorkerState state_without_request(int worker) const;
    void sample_lives(ServerSample& out);
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
    std::uint64_t seed_;
    std::unique_ptr<core::WorkerSlots> slots_;
    core::WorkerLives lives_;
    bool changing_ = false;                     ///< slots_ is made anew as soon as nobody holds one
    std::deque<Exchange*> outside_;             ///< before the queues: first come first served
    std::unordered_set<Exchange*> connected_;   ///< opened and not closed
    std::vector<std::unique_ptr<Seat>> seats_;  ///< by slot; null: no thread
    std::vector<std::unique_ptr<Seat>> leaving_;  ///< threads that will return soon
    std::function<void()> on_accepting_;
    Instant alarm_ = Instant::max();
    std::string remark_;

    // Of the last sample.
    Instant sampled_at_{};
    Duration departed_cpu_{};  ///< CPU time of threads that have left
    Duration sampled_cpu_{};
    core::WorkerLives::Counts sampled_lives_;
};

}  // namespace lab::live
