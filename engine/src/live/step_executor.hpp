// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/program.hpp"
#include "lab/frame.hpp"
#include "live/cpu_kernel.hpp"
#include "live/exchange.hpp"
#include "live/inbox.hpp"
#include "live/page_template.hpp"
#include "live/worker.hpp"

namespace lab::live {

/// Performs the effects of one request after another for real, on the thread of one slot; of a
/// request on an event loop, on the loop's thread and on those of its pool.
///
/// Threads: the slot's, or that which it was moved to, but for `state`, which anybody may read.
class StepExecutor {
  public:
    /// `ticket`: by which the worker's pool, and its lock until move_to(), know who this is.
    StepExecutor(core::Ticket ticket, const CpuKernel& kernel, Inbox& parker,
                 const std::atomic<bool>& cancelled)
        : ticket_{ticket},
          lock_ticket_{ticket},
          kernel_{kernel},
          parker_{&parker},
          cancelled_{cancelled} {}

    void begin(Exchange& exchange, WorkerPtr worker) {
        begin(exchange, exchange.answer, std::move(worker));
    }
    /// A branch makes a part of the answer.
    void begin(Exchange& exchange, Answer& answer, WorkerPtr worker);
    /// It goes on on another thread, which the worker's lock knows by this ticket.
    void move_to(core::Ticket thread, Inbox& parker) {
        lock_ticket_ = thread;
        parker_ = &parker;
    }
    /// A connection without waiting on the spot. Nothing: there is none yet; `on_end` is called
    /// once, by any thread, and then collect_connection() says what came of it. See ConnectionPool.
    [[nodiscard]] std::optional<core::Fault> ask_for_connection(std::function<void()> on_end);
    [[nodiscard]] core::Fault collect_connection();
    /// For cache_wait without waiting on the spot. True: `wake` is called once, by any thread, when
    /// whoever makes the entry has done. False: nobody makes it any more.
    [[nodiscard]] bool await_entry(std::function<void()> wake);
    /// What a branch read and made is added to this one's.
    void take_in(StepExecutor& branch);
    /// Every effect but those of the worker itself, `respond` and `end`.
    [[nodiscard]] core::Outcome perform(const core::Effect& effect);
    /// The request has ended or goes back to the front end: forgets it.
    void end();

    std::atomic<WorkerState> state{WorkerState::idle};

  private:
    /// Where the inner steps of a cache step began.
    struct Mark {
        std::string key;
        Instant since{};
        std::size_t body = 0;
        std::size_t versions = 0;
        std::size_t rows = 0;
        bool uncached = false;  ///< the cache was of no use: nothing is stored
    };
    /// The run stops, or the worker was killed.
    [[nodiscard]] bool ends() const {
        return cancelled_.load(std::memory_order_relaxed) ||
               worker_->killed->load(std::memory_order_relaxed);
    }
    [[nodiscard]] core::Outcome carry_out(const core::Effect& effect);
    [[nodiscard]] core::Fault draw_out(const core::Effect& effect, Instant begun);
    [[nodiscard]] core::Fault take(core::ResourceId resource);
    [[nodiscard]] core::Fault take_connection();
    [[nodiscard]] core::Fault counted(core::Fault fault);
    [[nodiscard]] core::Fault begin_write();
    [[nodiscard]] core::Fault let_go(core::ResourceId resource);
    [[nodiscard]] core::Outcome spend(Duration cost);
    [[nodiscard]] core::Fault sleep(Duration time);
    [[nodiscard]] core::Outcome query(const core::Effect& effect);
    [[nodiscard]] core::Fault update(const core::Effect& effect);
    [[nodiscard]] core::Fault travel(const core::Effect& effect);
    void add_version(const core::AskedQuery& asked, std::uint64_t version);
    void note_rows(const core::AskedQuery& asked);
    [[nodiscard]] const lab::Database& settings() const {
        return exchange_->generation->system.database;
    }
    [[nodiscard]] core::Outcome look_up(const core::Effect& effect);
    [[nodiscard]] core::Fault wait_for_entry();
    void store(std::uint64_t lot);
    void drop_entries();

    core::Ticket ticket_;
    core::Ticket lock_ticket_;
    const CpuKernel& kernel_;
    Inbox* parker_;
    const std::atomic<bool>& cancelled_;
    std::optional<PageTemplate> page_;  ///< parsed when it is first needed

    Exchange* exchange_ = nullptr;
    Answer* answer_ = nullptr;
    WorkerPtr worker_;
    ConnectionPool::Lease lease_;
    std::vector<ProductRow> rows_;
    std::vector<Mark> marks_;  ///< of the cache steps that are open, the innermost last
    std::string awaited_;      ///< key of the entry that somebody else makes, while this waits
    bool broken_off_ = false;  ///< the lock is let go because another thread asked for it
};

}  // namespace lab::live
