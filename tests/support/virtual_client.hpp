// SPDX-License-Identifier: GPL-3.0-or-later
// The client's policies of core against a pool of workers with a queue, in virtual time: patience,
// attempts that are broken off, retries, a circuit breaker, copies. The server does what servers
// do: it works on a request whose client has gone.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <queue>
#include <vector>

#include "core/arrival_schedule.hpp"
#include "core/circuit_breaker.hpp"
#include "core/hedge_policy.hpp"
#include "core/keyed_random.hpp"
#include "core/retry_policy.hpp"
#include "core/slot_pool.hpp"
#include "lab/frame.hpp"
#include "lab/model.hpp"

namespace lab::test {

class VirtualClient {
  public:
    struct Setup {
        Load load;  ///< open loop
        int workers = 4;
        int queue = 1'000;
        Duration queue_timeout{};
        Distribution service = Distribution::constant(50ms);
        std::uint64_t seed = 42;
    };
    struct Ended {
        core::Planned planned;
        Instant at{};
        Ending ending = Ending::ok;
        bool late = false;
    };

    explicit VirtualClient(Setup setup)
        : setup_{std::move(setup)},
          schedule_{setup_.load, setup_.seed, Instant{}},
          retry_{setup_.load.retry, setup_.seed},
          breaker_{setup_.load.breaker},
          hedge_{setup_.load.hedge},
          pool_{{.slots = setup_.workers,
                 .queue_capacity = setup_.queue,
                 .patience = setup_.queue_timeout}} {}

    std::function<void(const Ended&)> on_end;
    Counts counts;

    void run_until(Instant end) {
        for (;;) {
            const Instant event = events_.empty() ? Instant::max() : events_.top().at;
            const Instant next = std::min(schedule_.peek(), event);
            if (next > end) break;
            now_ = next;
            if (schedule_.peek() <= event) {
                arrive();
            } else {
                const Event due = events_.top();
                events_.pop();
                happen(due);
            }
        }
        now_ = end;
    }
    void change(const Load& load) {
        setup_.load = load;
        schedule_.change(load, now_);
        retry_.change(load.retry);
        breaker_.change(load.breaker, now_);
        hedge_.change(load.hedge);
    }
    [[nodiscard]] Duration breaker_open() const { return breaker_.not_closed(now_); }

  private:
    enum class Kind : std::uint8_t { served, expired, attempt_over, again, copy, gives_up };
    struct Event {
        Instant at;
        std::uint64_t order = 0;
        Kind kind = Kind::served;
        std::uint64_t what = 0;  ///< attempt (served, expired) or request
        int attempt = 0;
        int slot = -1;
        [[nodiscard]] bool operator>(const Event& other) const {
            return at != other.at ? at > other.at : order > other.order;
        }
    };
    struct Request {
        core::Planned planned;
        core::GiveUp give_up;
        core::CircuitBreaker::Permit permit;
        int attempts = 0;
        int under_way = 0;
        Instant sent{};
        Ending last = Ending::ok;
    };
    struct Attempt {
        core::RequestId request = 0;
        int number = 0;
    };

    void later(Instant at, Kind kind, std::uint64_t what, int attempt = 0, int slot = -1) {
        events_.push({at, order_++, kind, what, attempt, slot});
    }

    void arrive() {
        Request request;
        request.planned.intended = schedule_.peek();
        request.planned.id = schedule_.take();
        request.give_up = core::give_up_at(setup_.load, setup_.seed, request.planned);
        const auto id = request.planned.id;
        later(request.give_up.at, Kind::gives_up, id);
        requests_.emplace(id, request);
        ++counts.planned;
        retry_.begun();
        begin_attempt(id);
    }

    void begin_attempt(core::RequestId id) {
        Request& request = requests_.at(id);
        request.permit = breaker_.admit(now_);
        if (!request.permit.granted) {
            counts.held_back += request.attempts == 0 ? 1 : 0;
            return end(id, request.attempts == 0 ? Ending::not_sent : request.last);
        }
        ++request.attempts;
        request.sent = now_;
        const Duration limit = setup_.load.retry.attempt_timeout;
        if (limit > Duration{}) {
            later(now_ + limit, Kind::attempt_over, id, request.attempts);
        }
        if (const auto delay = hedge_.delay()) {
            later(now_ + *delay, Kind::copy, id, request.attempts);
        }
        counts.retries += request.attempts > 1 ? 1 : 0;
        send(id);
    }

    void send(core::RequestId id) {
        Request& request = requests_.at(id);
        ++counts.attempts;
        ++request.under_way;
        const std::uint64_t ticket = ++tickets_;
        attempts_[ticket] = {id, request.attempts};
        const core::Grant grant = pool_.acquire(ticket, now_);
        if (grant.admission == core::Admission::refused) return answered(ticket, Ending::rejected);
        if (grant.admission == core::Admission::granted) return serve(ticket, grant.slot);
        if (setup_.queue_timeout > Duration{}) later(now_ + setup_.queue_timeout, Kind::expired, 0);
    }

    void serve(std::uint64_t ticket, int slot) {
        const Duration time = core::keyed_duration(setup_.service, setup_.seed, ticket, 1);
        later(now_ + time, Kind::served, ticket, 0, slot);
    }

    /// Nobody may be waiting for it any more.
    void answered(std::uint64_t ticket, Ending ending) {
        const Attempt attempt = attempts_.at(ticket);
        attempts_.erase(ticket);
        const auto found = requests_.find(attempt.request);
        if (found == requests_.end() || found->second.attempts != attempt.number) return;
        Request& request = found->second;
        if (!request.permit.granted) return;  // between two attempts
        --request.under_way;
        if (ending == Ending::ok) {
            breaker_.ended(request.permit, false, now_);
            hedge_.answered(now_ - request.sent);
            return end(attempt.request, ending);
        }
        if (request.under_way == 0) fail(attempt.request, ending);
    }

    void fail(core::RequestId id, Ending ending) {
        Request& request = requests_.at(id);
        breaker_.ended(request.permit, true, now_);
        const auto pause = retry_.next(id, request.attempts, ending);
        if (!pause || now_ + *pause >= request.give_up.at) return end(id, ending);
        request.permit = {};
        request.under_way = 0;
        request.last = ending;
        later(now_ + *pause, Kind::again, id, request.attempts);
    }

    void end(core::RequestId id, Ending ending) {
        const Request request = requests_.at(id);
        requests_.erase(id);
        const Ended ended{request.planned, now_, ending,
                          now_ - request.planned.intended > setup_.load.deadline};
        ++counts.of(ending);
        if (ending == Ending::ok) {
            counts.late += ended.late ? 1 : 0;
            counts.good += ended.late ? 0 : 1;
        }
        if (on_end) on_end(ended);
    }

    void happen(const Event& due) {
        if (due.kind == Kind::served) {
            const auto wake = pool_.release(due.slot, now_);
            if (wake) serve(wake->ticket, wake->slot);
            return answered(due.what, Ending::ok);
        }
        if (due.kind == Kind::expired) {
            for (const auto late : pool_.expire(now_)) answered(late, Ending::rejected);
            return;
        }
        const auto found = requests_.find(due.what);
        if (found == requests_.end()) return;
        Request& request = found->second;
        if (due.kind == Kind::gives_up) {
            counts.abandoned += request.give_up.leaves ? 1 : 0;
            if (request.give_up.leaves) {
                breaker_.called_off(request.permit);
            } else {
                breaker_.ended(request.permit, true, now_);
            }
            return end(due.what, Ending::timed_out);
        }
        if (request.attempts != due.attempt) return;
        if (due.kind == Kind::again) return begin_attempt(due.what);
        if (!request.permit.granted) return;
        if (due.kind == Kind::attempt_over) return fail(due.what, Ending::timed_out);
        ++counts.hedges;
        send(due.what);
    }

    Setup setup_;
    core::ArrivalSchedule schedule_;
    core::RetryPolicy retry_;
    core::CircuitBreaker breaker_;
    core::HedgePolicy hedge_;
    core::SlotPool pool_;
    std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
    std::map<core::RequestId, Request> requests_;
    std::map<std::uint64_t, Attempt> attempts_;
    Instant now_{};
    std::uint64_t order_ = 0;
    std::uint64_t tickets_ = 0;
};

}  // namespace lab::test
