// SPDX-License-Identifier: GPL-3.0-or-later
// A small server in virtual time: the policies and the request program of core on an event queue,
// held against closed forms. Cores are without number; making and writing a body takes no time.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "core/arrival_schedule.hpp"
#include "core/cache_desk.hpp"
#include "core/interpreter_lock.hpp"
#include "core/program.hpp"
#include "core/queue_pool.hpp"
#include "core/slot_pool.hpp"
#include "lab/model.hpp"

namespace lab::test {

/// How one request ended.
struct Done {
    core::Planned planned;
    Instant at{};
    std::uint16_t status = 0;  ///< 0: cancelled
    PartTimes parts{};
    std::uint32_t made_for = 0;  ///< user

    [[nodiscard]] Duration latency() const { return at - planned.intended; }
    [[nodiscard]] Duration part(Part p) const { return parts[static_cast<std::size_t>(p)]; }
    friend bool operator==(const Done&, const Done&);
};

class VirtualBench {
  public:
    struct Setup {
        System system;
        Load load;  ///< open loop
        std::uint64_t seed = 42;
        Duration query_time = 1ms;  ///< besides the database's round trip
    };
    /// Requests come as the load says.
    explicit VirtualBench(Setup setup);
    /// Requests come as planned here, in order of time; each must name its route.
    VirtualBench(Setup setup, std::vector<core::Planned> plan);

    /// Called at the end of every request.
    std::function<void(const Done&)> on_done;
    /// Called with each length of the admission queue that is new.
    std::function<void(Instant, int)> on_depth;

    /// Everything that happens up to this moment and at it.
    void run_until(Instant end);
    /// No more arrivals; whoever is inside comes to an end.
    void finish();
    void set_workers(int workers);
    /// Cancels every request inside, whatever it waits for or does.
    void cancel_all();

    [[nodiscard]] int queue_depth() const { return threads_.depth(); }
    [[nodiscard]] int busy_threads() const { return threads_.busy(); }
    [[nodiscard]] int connections_in_use() const;
    /// In use or idle, over all workers.
    [[nodiscard]] int connections_open() const;
    [[nodiscard]] int locks_held() const;
    [[nodiscard]] std::uint64_t in_flight() const { return inside_; }
    [[nodiscard]] std::uint64_t planned() const { return planned_; }
    /// Request-seconds spent inside until now: the integral of in_flight().
    [[nodiscard]] double request_seconds() const { return request_seconds_; }
    /// Of the caches of all workers, or of the shared one.
    [[nodiscard]] core::CacheDesk::Counts cache_counts() const;
    /// Of every effect of every request with its moment.
    [[nodiscard]] std::uint64_t trace_hash() const { return trace_; }

  private:
    enum class Kind : std::uint8_t {
        resume,
        too_long,
        ask,
        wake,
        queue_patience,
        pool_patience,
        lock_patience
    };
    struct Event {
        Instant at;
        std::uint64_t order = 0;  ///< of two at one moment the earlier made goes first
        Kind kind = Kind::resume;
        std::uint32_t request = 0;  ///< place in requests_
        std::uint32_t token =
            0;  ///< the request's when the event was made; another now: out of date
        [[nodiscard]] bool operator>(const Event& other) const {
            return at != other.at ? at > other.at : order > other.order;
        }
    };
    struct Mark {
        std::string key;
        Instant since{};
        bool uncached = false;
    };
    struct Request {
        core::Planned planned;
        core::Cursor cursor;
        core::Effect effect;
        std::uint32_t token = 0;
        int slot = -1;
        int connection = -1;
        std::vector<Mark> marks;  ///< cache steps that are open
        std::string awaited;      ///< key of the entry that another makes
        std::uint32_t made_for = 0;
        int write_lock = -1;
        Instant ends{};           ///< of the spend in hand
        bool broken_off = false;  ///< because the interpreter lock was asked for
        bool inside = false;
    };
    struct Worker {
        core::InterpreterLock lock;
        core::QueuePool connections;
        core::CacheDesk cache;
    };
    using Answer = std::optional<core::Outcome>;

    [[nodiscard]] Instant next_arrival() const;
    void arrive();
    void handle(const Event& event);
    void pass_to(Instant moment);
    void later(Instant at, Kind kind, std::uint32_t request);
    void ready(std::uint32_t request, core::Outcome outcome);
    void run_ready();
    void drive(std::uint32_t request, core::Outcome outcome);
    void end_of(std::uint32_t request);
    Answer perform(std::uint32_t request, const core::Effect& effect);
    Answer acquire(std::uint32_t request, core::ResourceId resource);
    Answer acquire_connection(std::uint32_t request);
    Answer acquire_slot(std::uint32_t request, core::SlotPool& pool, int& slot, Kind patience);
    Answer run_query(std::uint32_t request, core::Op op);
    void release(std::uint32_t request, core::ResourceId resource);
    core::CacheDesk& cache_of(const Request& request);
    Answer look_up(std::uint32_t request, const core::Effect& effect);
    void store(Request& request, const core::Effect& effect);
    void leave_cache(Request& request);
    void wake_all(const std::vector<core::Ticket>& tickets);
    void ask_for_lock(std::uint32_t request);
    void withdraw(std::uint32_t request);
    void serve_threads(const std::vector<core::Wake>& woken);
    void make_workers();
    Worker& worker_of(const Request& request);
    [[nodiscard]] core::Outcome fault(core::Fault what) const;

    Setup setup_;
    std::vector<core::Program> programs_;
    core::ArrivalSchedule schedule_;
    core::RequestMix mix_;
    std::optional<std::deque<core::Planned>> plan_;
    bool arrivals_over_ = false;

    core::SlotPool threads_;
    core::SlotPool write_lock_;
    std::vector<std::unique_ptr<Worker>> workers_;
    core::CacheDesk shared_cache_;

    std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
    std::deque<std::pair<std::uint32_t, core::Outcome>> ready_;
    std::vector<Request> requests_;
    std::vector<std::uint32_t> free_;
    Instant now_{};
    std::uint64_t order_ = 0;
    std::uint64_t wakes_ = 0;
    std::uint64_t planned_ = 0;
    std::uint64_t inside_ = 0;
    std::uint64_t trace_ = 0;
    double request_seconds_ = 0;
    int last_depth_ = 0;
};

}  // namespace lab::test
