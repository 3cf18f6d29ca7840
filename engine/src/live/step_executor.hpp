// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/program.hpp"
#include "lab/frame.hpp"
#include "live/cpu_kernel.hpp"
#include "live/exchange.hpp"
#include "live/inbox.hpp"
#include "live/page_template.hpp"
#include "live/worker.hpp"

namespace lab::live {

/// Performs the effects of one request after another for real, on the thread of one slot.
///
/// Threads: the slot's, but for `state`, which anybody may read.
class StepExecutor {
  public:
    /// `slot` is the ticket by which the worker's lock and pool know this thread.
    StepExecutor(int slot, const CpuKernel& kernel, Inbox& parker,
                 const std::atomic<bool>& cancelled)
        : ticket_{static_cast<core::Ticket>(slot)},
          kernel_{kernel},
          parker_{parker},
          cancelled_{cancelled} {}

    void begin(Exchange& exchange, WorkerPtr worker);
    /// Every effect but those of the worker itself, `respond` and `end`.
    [[nodiscard]] core::Outcome perform(const core::Effect& effect);
    /// The request has ended or goes back to the front end: forgets it.
    void end();

    std::atomic<WorkerState> state{WorkerState::idle};

  private:
    /// Where the inner steps of a cache step began.
    struct Mark {
        std::string key;
        std::size_t body = 0;
        std::size_t versions = 0;
    };
    [[nodiscard]] core::Outcome carry_out(const core::Effect& effect);
    [[nodiscard]] core::Fault take(core::ResourceId resource);
    [[nodiscard]] core::Fault take_connection();
    [[nodiscard]] core::Fault begin_write();
    [[nodiscard]] core::Fault let_go(core::ResourceId resource);
    [[nodiscard]] core::Outcome spend(Duration cost);
    [[nodiscard]] core::Fault sleep(Duration time);
    [[nodiscard]] core::Outcome query(const core::AskedQuery& asked);
    [[nodiscard]] core::Fault travel();
    void add_version(const core::AskedQuery& asked, std::uint64_t version);
    [[nodiscard]] const lab::Database& settings() const {
        return exchange_->generation->system.database;
    }
    [[nodiscard]] core::Fault update();
    [[nodiscard]] bool look_up(std::uint32_t step);
    void store();

    core::Ticket ticket_;
    const CpuKernel& kernel_;
    Inbox& parker_;
    const std::atomic<bool>& cancelled_;
    PageTemplate page_;

    Exchange* exchange_ = nullptr;
    WorkerPtr worker_;
    ConnectionPool::Lease lease_;
    std::vector<ProductRow> rows_;
    std::vector<Mark> marks_;  ///< of the cache steps that are open, the innermost last
    bool broken_off_ = false;  ///< the lock is let go because another thread asked for it
};

}  // namespace lab::live
