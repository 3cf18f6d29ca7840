// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <vector>

#include "core/slot_pool.hpp"
#include "lab/units.hpp"

namespace lab::core {

/// Which database connections a worker has, by the rule of SQLAlchemy's QueuePool: `kept` of them
/// stay open when nobody uses them, `overflow` more may be open at once and are closed when they
/// come back and nobody waits. Who finds all of them in use waits, first come first served.
///
/// Says who gets one and whether it is to be opened or closed; the connections themselves are the
/// owner's. A slot here is a permission to hold a connection.
///
/// Source: SQLAlchemy 2.0, sqlalchemy/pool/impl.py, QueuePool; defaults 5, 10 and 30 s.
/// Pure: no clock, no lock; `now` never goes back. Threads: one at a time, the owner's lock.
class QueuePool {
  public:
    struct Options {
        int kept = 5;
        int overflow = 10;
        Duration patience = 30s;  ///< longest wait; 0 means no limit
    };
    explicit QueuePool(Options options);

    /// granted: `opens` says that no idle connection was left, so that one has to be opened.
    struct Taken {
        Grant grant;
        bool opens = false;
    };
    Taken acquire(Ticket ticket, Instant now);

    /// What becomes of a connection that has come back: it goes to `wake`, or it is closed, or it
    /// stays, idle.
    struct Returned {
        std::optional<Wake> wake;
        bool closes = false;
        bool opens = false;  ///< `wake` has to open one: what came back was broken
    };
    /// `broken`: there is no connection (it could not be opened), only the permission comes back.
    Returned release(int slot, Instant now, bool broken = false);

    /// Takes a waiting ticket out. False if it does not wait.
    bool withdraw(Ticket ticket) { return slots_.withdraw(ticket); }
    /// Takes out every ticket whose patience has ended.
    std::vector<Ticket> expire(Instant now) { return slots_.expire(now); }
    /// When expire() would next find somebody.
    [[nodiscard]] std::optional<Instant> next_expiry() const { return slots_.next_expiry(); }

    /// Other settings: `closes` idle ones go, then whom there is room for now is woken.
    struct Woken {
        Wake wake;
        bool opens = false;
    };
    struct Changed {
        std::vector<Woken> woken;
        int closes = 0;
    };
    Changed configure(Options options, Instant now);

    [[nodiscard]] int kept() const { return kept_; }
    [[nodiscard]] int in_use() const { return slots_.busy(); }
    [[nodiscard]] int idle() const { return idle_; }
    /// In use or idle: at most kept + overflow, but for those in use when that became less.
    [[nodiscard]] int open() const { return in_use() + idle_; }
    [[nodiscard]] int waiting() const { return slots_.depth(); }

  private:
    SlotPool slots_;
    int kept_;
    int idle_ = 0;
};

}  // namespace lab::core
