// SPDX-License-Identifier: GPL-3.0-or-later
// Frames as a run makes them, without a run: a queue with a place for each request and workers that
// take a fixed time, worked out request by request. For tests and pictures of the window.
#pragma once

#include "lab/frame.hpp"
#include "lab/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace lab::test {

/// What the synthetic system is. Times in seconds of the run.
struct SyntheticPlan {
    double rate = 80;                 ///< Poisson arrivals a second
    Duration wait = 50ms, cpu = 1ms;  ///< of each request
    std::uint32_t queue = 64;
    int workers = 1, laterWorkers = 4;
    double changeAt = 12;  ///< workers become laterWorkers; beyond the end: never
    double warmUp = 1;
    double length = 34;
    std::uint64_t seed = 42;
    bool database = false;         ///< the wait is a query instead
    std::size_t mostEvents = 400;  ///< told a frame
};

/// Simulates the plan and cuts it into frames of 100 ms.
class SyntheticRun {
  public:
    explicit SyntheticRun(SyntheticPlan plan) : plan_{plan} {}

    [[nodiscard]] std::vector<FramePtr> frames() {
        arrive();
        serve();
        const auto count = static_cast<std::size_t>(plan_.length * 10 + 0.5);
        std::vector<FramePtr> all;
        for (std::size_t i = 0; i < count; ++i) all.push_back(cut(i));
        return all;
    }

  private:
    struct Request {
        double arrived = 0, started = -1, done = -1;
        std::uint16_t thread = 0;
        bool rejected = false;
    };

    [[nodiscard]] double uniform(std::uint64_t n) const {
        std::uint64_t z = plan_.seed * 0x9e3779b97f4a7c15ULL + n * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return static_cast<double>((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
    }
    [[nodiscard]] int workersAt(double t) const {
        return t < plan_.changeAt ? plan_.workers : plan_.laterWorkers;
    }

    void arrive() {
        double t = 0;
        for (std::uint64_t n = 0;; ++n) {
            t += -std::log(1 - uniform(2 * n)) / plan_.rate;
            if (t >= plan_.length) return;
            requests_.push_back({.arrived = t});
        }
    }

    /// First come, first served, by the earliest free worker; an arrival that finds the queue full
    /// leaves.
    void serve() {
        const auto most = static_cast<std::size_t>(std::max(plan_.workers, plan_.laterWorkers));
        std::vector<double> freeAt(most, 0);
        for (std::size_t w = static_cast<std::size_t>(plan_.workers); w < most; ++w) {
            freeAt[w] = plan_.changeAt;
        }
        const double mean = to_seconds(plan_.wait + plan_.cpu);
        std::deque<double> starts;  // of those that waited, ascending
        for (std::size_t i = 0; i < requests_.size(); ++i) {
            Request& r = requests_[i];
            while (!starts.empty() && starts.front() <= r.arrived) starts.pop_front();
            if (starts.size() >= plan_.queue) {
                r.rejected = true;
                r.done = r.arrived + 0.0004;
                continue;
            }
            const auto next = std::min_element(freeAt.begin(), freeAt.end());
            r.started = std::max(r.arrived, *next);
            r.thread = static_cast<std::uint16_t>(next - freeAt.begin());
            const double jitter = 0.9 + 0.35 * uniform(2 * i + 1) * uniform(7 * i + 3);
            r.done = r.started + mean * jitter;
            *next = r.done;
            if (r.started > r.arrived) starts.push_back(r.started);
        }
    }

    [[nodiscard]] static Instant at(double t) { return Instant{} + from_seconds(1000 + t); }

    [[nodiscard]] FramePtr cut(std::size_t number) const {
        auto frame = std::make_shared<Frame>();
        const double from = 0.1 * static_cast<double>(number), to = from + 0.1;
        frame->number = number;
        frame->start = at(from);
        frame->since_start = from_seconds(from);
        frame->warm_up = from < plan_.warmUp - 1e-9;
        frame->generation = from + 1e-9 >= plan_.changeAt ? 2 : 1;
        if (std::abs(from - plan_.changeAt) < 0.05) {
            frame->changes.push_back({"server.workers", "Workers", std::to_string(plan_.workers),
                                      std::to_string(plan_.laterWorkers)});
        }
        ServerSample& server = frame->server;
        server.queue_capacity = plan_.queue;
        server.threads.resize(static_cast<std::size_t>(workersAt(from + 1e-9)));
        Histogram latency, service;
        for (std::size_t i = 0; i < requests_.size(); ++i) {
            if (requests_[i].arrived < to && requests_[i].done >= from) {
                count(*frame, latency, service, i, from, to);
            }
        }
        frame->latency = latency.sparse();
        frame->since_send = frame->latency;
        frame->service = service.sparse();
        if (plan_.database) {
            server.pool_size = static_cast<std::uint32_t>(5 * server.threads.size());
            server.plan = "SEARCH product USING INDEX product_sku (sku=?)";
        }
        tell(*frame);
        return frame;
    }

    void count(Frame& frame, Histogram& latency, Histogram& service, std::size_t i, double from,
               double to) const {
        const Request& r = requests_[i];
        const auto inside = [&](double t) { return t >= from && t < to; };
        using Kind = RequestEvent::Kind;
        const auto say = [&](Kind kind, double t, Ending ending = Ending::ok) {
            if (inside(t)) frame.events.push_back({i + 1, kind, r.thread, ending, at(t)});
        };
        if (inside(r.arrived)) ++frame.counts.planned;
        if (r.done >= to) ++frame.in_flight;
        say(Kind::sent, r.arrived);
        if (r.rejected) {
            if (inside(r.done)) ++frame.counts.of(Ending::rejected);
            say(Kind::done, r.done, Ending::rejected);
            return;
        }
        say(Kind::queued, r.arrived + 0.0002);
        say(Kind::started, r.started);
        say(Kind::answered, r.done - 0.0002);
        say(Kind::done, r.done);
        if (r.arrived < to && r.started >= to) ++frame.server.queue_depth;
        hold(frame, r, i, from, to);
        if (!inside(r.done)) return;
        ++frame.counts.of(Ending::ok);
        const Duration all = from_seconds(r.done - r.arrived);
        all > 1s ? ++frame.counts.late : ++frame.counts.good;
        latency.record(all);
        const Duration held = from_seconds(r.done - r.started);
        service.record(held);
        ++frame.parts_of;
        const auto part = [&](Part p) -> Duration& { return frame.parts[std::size_t(p)]; };
        part(Part::queue) += from_seconds(r.started - r.arrived);
        part(Part::cpu) += plan_.cpu;
        part(Part::parse) += 40us;
        part(Part::write) += 60us;
        part(plan_.database ? Part::database : Part::io_wait) += held - plan_.cpu - 100us;
    }

    /// The worker that has the request in hand in this frame.
    void hold(Frame& frame, const Request& r, std::size_t i, double from, double to) const {
        if (r.started >= to || r.thread >= frame.server.threads.size()) return;
        WorkerSample& worker = frame.server.threads[r.thread];
        const double held = std::min(r.done, to) - std::max(r.started, from);
        if (held > 0) {
            worker.busy = std::min(1.0, worker.busy + held / 0.1);
            frame.server.busy_time += from_seconds(held);
        }
        if (r.done < to) return;
        worker.request = i + 1;
        ++frame.server.in_service;
        const bool computing = to - r.started < to_seconds(plan_.cpu) + 0.004;
        worker.state = computing        ? WorkerState::computing
                       : plan_.database ? WorkerState::database
                                        : WorkerState::io_wait;
        if (plan_.database && !computing) ++frame.server.pool_in_use;
    }

    void tell(Frame& frame) const {
        std::stable_sort(frame.events.begin(), frame.events.end(),
                         [](const RequestEvent& a, const RequestEvent& b) { return a.at < b.at; });
        if (frame.events.size() > plan_.mostEvents) {
            frame.events_left_out = frame.events.size() - plan_.mostEvents;
            frame.events.resize(plan_.mostEvents);
        }
    }

    SyntheticPlan plan_;
    std::vector<Request> requests_;
};

}  // namespace lab::test
