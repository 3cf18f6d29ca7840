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
#include "live/task_loop.hpp"
#include "live/worker_parts.hpp"
#include "live/workers.hpp"

namespace lab::live {

/// Workers that are event loops, or threads of greenlets: one thread each, and beside it the
/// worker's pool of threads. server.worker_connections requests are in hand of each at once; more
/// wait in its queue of server.queue places, and what comes then finds that queue full.
///
/// A connection belongs to a loop from its first request on, as a process that has accepted it
/// keeps it: the loop that has the fewest requests in hand then. While that loop is blocked, the
/// connection waits, whatever the others do. HTTP is read and written by the front end.
///
/// Threads: as Workers says.
class LoopPool final : public Workers, private WorkerParts {
  public:
    /// Errors: no_resources where not even one loop can be started.
    [[nodiscard]] static Result<std::unique_ptr<LoopPool>> start(Options options);
    ~LoopPool() override;
    LoopPool(const LoopPool&) = delete;
    LoopPool& operator=(const LoopPool&) = delete;

    [[nodiscard]] GenerationPtr generation() const override;
    void opened(Exchange&) override {}  // a connection comes to a loop with its first request
    void closed(Exchange&) override {}
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
    struct Loop {
        Loop(int its_number, const Server& server, const CpuKernel& kernel,
             const std::atomic<bool>& cancelled);
        const int number;
        Inbox inbox;
        TaskLoop tasks;
        std::thread thread;

        // Under the pool's mutex.
        core::SlotPool places;
        std::deque<Exchange*> outside;  ///< when_full is wait: first come first served
        bool draining = false;          ///< no new connections; leaves when it has nothing in hand
        int clock = -1;
        unsigned cores = 0;  ///< that its thread is restricted to; 0: all
    };

    explicit LoopPool(Options options);

    // Every function below but those of the threads expects mutex_ to be held.
    [[nodiscard]] Loop& loop_of(Exchange& exchange);
    void enter(Exchange& exchange, Instant now);
    void turn_away(Loop& loop, Exchange& exchange, Instant now);
    void wait_in_queue(Exchange& exchange, Instant now);
    void grant(Loop& loop, Exchange& exchange, int place, Instant now);
    void put_to_work(Loop& loop, Exchange& exchange, Instant now);
    void let_go(Exchange& exchange, Instant now);
    void admit_from_outside(Loop& loop, Instant now);
    void update_accepting();
    void set_alarm();
    void expire(Instant now);
    void resize(Instant now);
    void restrict_threads();
    void sample_loops(ServerSample& out, Instant now);

    // The loops' threads' own.
    void run(Loop& loop);
    void answered(Loop& loop, Exchange& exchange, bool lets_go);

    CompletionQueue& completions_;
    CpuKernel kernel_;
    std::atomic<bool> cancelled_{false};
    std::atomic<bool> accepting_{true};
    EventRing events_;

    mutable std::mutex generation_mutex_;
    GenerationPtr newest_;  ///< under generation_mutex_

    mutable std::mutex mutex_;
    std::vector<std::unique_ptr<Loop>> loops_;
    std::size_t turn_ = 0;  ///< who is looked at first for a new connection
    std::function<void()> on_accepting_;
    Instant alarm_ = Instant::max();
    std::string remark_;

    // Of the last sample.
    Instant sampled_at_{};
    Duration departed_cpu_{};  ///< CPU time of loops that have left
    Duration sampled_cpu_{};
};

}  // namespace lab::live
