// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/model.hpp"
#include "lab/units.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace lab::core {

/// The master process of a server and the lives of its workers: who runs, who boots, who leaves
/// after its number of requests, who is killed because its heart stands still or its memory is
/// full, and how many there are where the server grows and shrinks by itself.
///
/// The master looks round once a cycle, as gunicorn's arbiter and uWSGI's master do: a worker whose
/// heart stands still is killed up to a cycle after its timeout. Sources: gunicorn arbiter.py
/// (murder_workers), workers/base.py (max_requests and its jitter); uWSGI 2.0 master_utils.c
/// (cheaper, the spare algorithm). See SERVERS.md sections 2 and 3.
///
/// Pure: no clock, no lock; `now` never goes back. Threads: one at a time, the owner's lock.
class WorkerLives {
  public:
    static constexpr Duration cycle = 1s;

    enum class State : std::uint8_t {
        off,      ///< does not run
        booting,  ///< started, serves nothing yet
        up,
        leaving,  ///< takes nothing new, ends what it has
    };
    /// What the executor has to do with a worker.
    struct Order {
        enum class What : std::uint8_t {
            kill,   ///< break off all that it has, at once; it boots anew
            leave,  ///< give it nothing new; call left() when it has nothing more
            serve,  ///< it is up
        };
        int worker = 0;
        What what = What::kill;
        friend bool operator==(const Order&, const Order&) = default;
    };
    /// What the executor sees of a worker when the master looks round.
    struct Look {
        /// Since when its heart has not beaten: the beginning of the oldest request that its
        /// threads hold (heartbeat between requests), or of what blocks its loop. None: it beats.
        std::optional<Instant> silent_since;
        bool busy = false;  ///< every thread of it has a request
    };
    struct Counts {
        std::uint64_t kills = 0, restarts = 0, boots = 0;
    };

    /// All workers that always run are up at once.
    WorkerLives(const Server& server, std::uint64_t seed, Instant now);

    /// Other settings. Workers that come boot, where booting takes time; of those that go, the
    /// executor lets go by itself.
    void configure(const Server& server, Instant now);

    /// A request came to a worker's thread. An order where its memory is above the limit.
    [[nodiscard]] std::optional<Order> begun(int worker);
    /// A worker's thread let a request go. An order where that was the last of its life.
    [[nodiscard]] std::optional<Order> ended(int worker, Instant now);
    /// A leaving worker has nothing more: it boots anew, or is off where cheaper sent it away.
    void left(int worker, Instant now);
    /// It was killed: it boots anew, or is off where cheaper had sent it away.
    void killed(int worker, Instant now);
    /// Everything that is due. `looks`: one a worker.
    [[nodiscard]] std::vector<Order> tick(std::span<const Look> looks, Instant now);
    /// When tick() next has something to do; none: never by itself.
    [[nodiscard]] std::optional<Instant> next_tick() const;

    [[nodiscard]] int workers() const { return static_cast<int>(lives_.size()); }
    [[nodiscard]] State state(int worker) const { return life(worker).state; }
    /// Requests that it let go in this life.
    [[nodiscard]] std::uint64_t served(int worker) const { return life(worker).ended; }
    [[nodiscard]] Bytes memory(int worker) const;
    /// Since the beginning.
    [[nodiscard]] const Counts& counts() const { return counts_; }

  private:
    struct Life {
        State state = State::off;
        Instant due{};             ///< booting: is up then; leaving: has to be gone then
        bool sent_away = false;    ///< leaving because cheaper has no need of it
        std::uint64_t number = 0;  ///< of this life, over all workers
        std::uint64_t begun = 0, ended = 0;
    };
    [[nodiscard]] const Life& life(int worker) const;
    [[nodiscard]] Life& life(int worker);
    void boot(Life& life, Instant now);
    void begin(Life& life);
    [[nodiscard]] std::uint64_t last_of(const Life& life) const;
    void send_away(Life& life, bool for_good, Instant now);
    void look_for_the_dead(std::span<const Look> looks, Instant now, std::vector<Order>& orders);
    void count_spare(std::span<const Look> looks, Instant now, std::vector<Order>& orders);
    [[nodiscard]] bool watches() const;
    [[nodiscard]] int running() const;

    Server server_;
    std::uint64_t seed_;
    std::vector<Life> lives_;
    Counts counts_;
    std::uint64_t life_count_ = 0;
    Instant next_cycle_;
    std::uint64_t overload_ = 0;  ///< cycles
    std::uint64_t idle_ = 0;      ///< cycles
};

}  // namespace lab::core
