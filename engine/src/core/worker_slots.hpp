// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/slot_pool.hpp"
#include "lab/model.hpp"
#include "lab/units.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace lab::core {

/// How work comes to the threads of workers: server.dispatch.
///
/// shared: one queue before all threads; whichever is free takes the first (late binding, as a sync
/// worker that accepts only when it is free). With server.threads = 0 there is a thread for each
/// that comes, up to most_slots.
///
/// ahead: a connection belongs to the worker that accepted it, which one the kernel wakes first: by
/// chance among those that have room, not by who is free (SERVERS.md section 2, E7). Its requests
/// queue inside that worker, behind a busy thread while another worker idles.
///
/// Slots are numbered worker by worker: of worker w the slots w * threads and on; without bound
/// slot s is worker s % workers. Pure: no clock, no lock; `now` never goes back. Threads: one at a
/// time, the owner's lock.
class WorkerSlots {
  public:
    static constexpr int nowhere = -1;
    static constexpr int most_slots = 1'024;

    /// Reads workers, threads, dispatch, queue, queue_timeout and worker_connections.
    WorkerSlots(const Server& server, std::uint64_t seed);

    /// Whether other settings can be taken up while slots are held: not where requests would have
    /// to change the worker. If not, make a new one when busy() is 0.
    [[nodiscard]] bool fits(const Server& server) const;
    /// Takes up settings that fit, with so many slots (fewer than workers x threads where threads
    /// are not to be had). `stopped`: the workers that serve nothing now. Who waits may be served
    /// at once. A new object has no slot before the first call.
    std::vector<Wake> configure(const Server& server, int slots, const std::vector<bool>& stopped,
                                Instant now);

    /// A connection has come: the worker that accepts it, or nowhere. ahead: nowhere means that
    /// none has room; the connection then has no home and opens again later.
    [[nodiscard]] int open();
    void close(int home);
    /// Whether open() would find a worker.
    [[nodiscard]] bool has_room() const;

    /// A slot for a ticket; of its home where it has one. Tickets are unique among those inside.
    Grant acquire(Ticket ticket, int home, Instant now);
    /// Lets a slot go; says whom to wake with it.
    std::optional<Wake> release(int slot, Instant now);
    bool withdraw(Ticket ticket);
    std::vector<Ticket> expire(Instant now);
    [[nodiscard]] std::optional<Instant> next_expiry() const;
    /// Takes out everything that waits, in its order.
    std::vector<Ticket> take_waiting();

    /// A worker takes nothing new. What has come to it (ahead: what waits inside) it still serves.
    void leave(int worker);
    /// A worker serves nothing. Held slots stay held. Returns what waited inside it.
    std::vector<Ticket> stop(int worker);
    /// A worker serves again. Who waits may be served at once.
    std::vector<Wake> serve(int worker, Instant now);

    /// Without bound: idle slots at the end go. Returns how many slots are left.
    int trim(Instant now);

    [[nodiscard]] bool unbounded() const { return server_.threads == 0; }
    [[nodiscard]] int worker_of(int slot) const;
    [[nodiscard]] int slots() const;  ///< not draining
    [[nodiscard]] int busy() const;
    [[nodiscard]] int depth() const;  ///< waiting, in all queues
    /// Whether a ticket would be refused now (shared).
    [[nodiscard]] bool full() const;
    [[nodiscard]] int busy_of(int worker) const;
    [[nodiscard]] int slots_of(int worker) const;
    [[nodiscard]] int depth_of(int worker) const;  ///< ahead: waiting inside it
    [[nodiscard]] int connections_of(int worker) const;
    [[nodiscard]] bool draining(int slot) const;

  private:
    /// One queue with its slots; `first` is the number of its slot 0.
    struct Part {
        SlotPool pool;
        int first = 0;
        int connections = 0;
        bool door_open = true;
    };
    [[nodiscard]] bool ahead() const { return server_.dispatch == Dispatch::ahead; }
    [[nodiscard]] Part& part_of_slot(int slot);
    [[nodiscard]] const Part& part_of_slot(int slot) const;
    [[nodiscard]] Part& part_of_worker(int worker);
    void grow(Instant now);
    template <class Self, class Act>
    static void each_slot(Self& self, int worker, Act&& act);

    Server server_;
    std::uint64_t seed_;
    std::vector<Part> parts_;    ///< shared: one; ahead: one a worker
    std::vector<bool> stopped_;  ///< by worker: gives out nothing
    std::uint64_t opened_ = 0;
};

}  // namespace lab::core
