// SPDX-License-Identifier: GPL-3.0-or-later
// From a scenario to the law that fits it.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include <fmt/format.h>

#include "lab/settings.hpp"
#include "lab/theory.hpp"
#include "theory/closed_network.hpp"
#include "theory/lights.hpp"
#include "theory/queues.hpp"
#include "theory/workload.hpp"

namespace lab {
namespace theory {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
/// A queue that turns away fewer than this is taken as endless.
constexpr double hardly_refused = 1e-4;
/// Above it, the roots of M/D/c cost more than they teach.
constexpr int most_exact_servers = 128;
constexpr double least_rate = 1e-9;

class Predictor {
  public:
    Predictor(const Model& model, const TheoryOptions& options)
        : model_{model}, options_{options}, server_{model.system.server} {}

    Result<Prediction> predict() {
        const bool closed = model_.load.model == LoadModel::closed;
        const double think = closed ? mean_of(model_.load.think) : 0;
        // How often a cache is asked depends on how fast it answers: in closed loop, two rounds.
        double rate = closed ? first_rate(think) : model_.load.rate.per_second();
        work_ = workload_of(model_, options_, rate);
        p_.servers = work_.servers;
        if (work_.share <= 0) return without_queue(rate, think);
        if (work_.service.mean() <= 0) return unknown();
        set_service(closed, think);
        if (closed) {
            close(think);
            if (work_.hit_ratio && !work_.measured) {
                work_ = workload_of(model_, options_, p_.offered_per_s);
                set_service(closed, think);
                close(think);
            }
        } else {
            open(std::max(rate, least_rate));
        }
        p_.lights = lights_of(p_, {model_, work_, options_.measured, tail_, stable_});
        return p_;
    }

  private:
    const Model& model_;
    const TheoryOptions& options_;
    const Server& server_;
    Workload work_;
    Prediction p_;
    std::function<double(double)> tail_;  ///< of all requests, those without a worker too
    bool stable_ = true;

    [[nodiscard]] double first_rate(double think) const {
        const Workload cold = workload_of(model_, options_, 0);
        const double round = think + cold.share * cold.service.mean();
        return round > 0 ? model_.load.users / round : 0;
    }

    Result<Prediction> unknown() const {
        return Error{ErrorCode::no_samples, "theory",
                     work_.unstated.empty()
                         ? std::string("the steps take no time: there is nothing to wait for")
                         : fmt::format("the time of {} is not stated; a run measures it",
                                       fmt::join(work_.unstated, ", "))};
    }

    Result<Prediction> without_queue(double rate, double think) {
        p_.law = TheoryLaw::no_queue;
        p_.asymptotes = {model_.load.model == LoadModel::closed, 0, think * 1e3, infinity};
        if (!p_.asymptotes.closed) {
            p_.offered_per_s = rate;
            p_.throughput_per_s = rate;
        }
        p_.lights = lights_of(p_, {model_, work_, options_.measured, {}, true});
        return p_;
    }

    void set_service(bool closed, double think) {
        const double mean = work_.service.mean();
        p_.service_ms = mean * 1e3;
        p_.service_scv = work_.service.scv();
        p_.hit_ratio = work_.hit_ratio;
        double capacity = p_.servers / mean;
        for (const Shared& other : work_.shared) {
            if (other.demand > 0) capacity = std::min(capacity, other.servers / other.demand);
        }
        const double least = work_.share * (mean + work_.delay);
        p_.asymptotes = {closed, least * 1e3, think * 1e3, capacity / work_.share};
    }

    /// Places that turn somebody away when they are taken, or nothing.
    [[nodiscard]] std::optional<int> finite_places() const {
        if (server_.when_full == WhenFull::wait) return std::nullopt;
        const int in_hand = server_.execution == Execution::threads
                                ? p_.servers
                                : server_.workers * server_.worker_connections;
        const int places = in_hand + server_.queue;
        // The client has no more connections than that: it waits with the rest.
        if (model_.load.connections <= places) return std::nullopt;
        return places;
    }

    /// The chance that a queue is full, for a law of two moments: the queue is as good as one that
    /// is longer by 2 / (ca + cs) with exponential times.
    [[nodiscard]] double refused(double rate, int places, double arrival_scv) const {
        const double scatter = std::max(0.05, (arrival_scv + p_.service_scv) / 2);
        const double longer = std::min(20'000.0, (places - p_.servers) / scatter);
        return mmck(rate, work_.service.mean(), p_.servers, p_.servers + static_cast<int>(longer))
            .refused;
    }

    void open(double all) {
        const double rate = all * work_.share, mean = work_.service.mean();
        const double arrival_scv = model_.load.arrivals == Arrivals::poisson ? 1 : 0;
        p_.offered_per_s = all;
        p_.utilisation = rate * mean / p_.servers;
        // Something behind the threads that is too slow for all of this: no law of one station.
        const bool throttled = all > p_.asymptotes.capacity_per_s && p_.utilisation < 1;
        const auto places = finite_places();
        if (places && !throttled &&
            (p_.utilisation >= 1 || refused(rate, *places, arrival_scv) > hardly_refused)) {
            p_.law = TheoryLaw::mmck;
            p_.places = places;
            return take(mmck(rate, mean, p_.servers, *places), all);
        }
        choose(arrival_scv);
        if (p_.utilisation >= 1 || throttled) {
            stable_ = false;
            p_.throughput_per_s = p_.asymptotes.capacity_per_s;
            return;
        }
        switch (p_.law) {
            case TheoryLaw::mm1:
                return take(mm1(rate, mean), all);
            case TheoryLaw::mmc:
                return take(mmc(rate, mean, p_.servers), all);
            case TheoryLaw::md1:
            case TheoryLaw::mdc:
                return take(mdc(rate, mean, p_.servers), all);
            case TheoryLaw::mg1:
                return take(mg1(rate, work_.service), all);
            default:
                return take(ggc(rate, arrival_scv, work_.service, p_.servers), all);
        }
    }

    void choose(double arrival_scv) {
        const bool one = p_.servers == 1;
        if (arrival_scv < 1) {
            p_.law = TheoryLaw::ggc;
        } else if (work_.service.is_exponential()) {
            p_.law = one ? TheoryLaw::mm1 : TheoryLaw::mmc;
        } else if (work_.service.is_constant() && p_.servers <= most_exact_servers) {
            p_.law = one ? TheoryLaw::md1 : TheoryLaw::mdc;
        } else {
            p_.law = one ? TheoryLaw::mg1 : TheoryLaw::ggc;
        }
    }

    /// The figures of the queue for all requests: those answered without a worker take no time.
    void take(const Queue& queue, double all) {
        const double share = work_.share;
        p_.refused = queue.refused * share;
        p_.throughput_per_s = all * (1 - *p_.refused);
        const double working = queue.throughput / *p_.throughput_per_s;
        const double delay = work_.delay;
        tail_ = [tail = queue.tail, working, delay](double t) {
            return t < delay ? working : working * tail(t - delay);
        };
        const double latency = working * (queue.latency + delay);
        p_.wait_ms = working * queue.wait * 1e3;
        p_.latency.mean = latency * 1e3;
        p_.concurrency = queue.number + queue.throughput * delay;
        set_percentiles(latency);
    }

    void set_percentiles(double latency) {
        Queue whole;
        whole.latency = latency;
        whole.tail = tail_;
        const auto at = [&](double percent) { return percentile(whole, percent / 100) * 1e3; };
        p_.latency.p50 = at(50);
        p_.latency.p90 = at(90);
        p_.latency.p95 = at(95);
        p_.latency.p99 = at(99);
        p_.latency.p999 = at(99.9);
        p_.goodput_per_s = *p_.throughput_per_s * (1 - tail_(to_seconds(model_.load.deadline)));
    }

    void close(double think) {
        p_.law = TheoryLaw::closed;
        p_.users = model_.load.users;
        const double mean = work_.service.mean(), share = work_.share, delay = work_.delay;
        const double away = think + share * delay;  // from the server, for whatever reason
        const ClosedFigures figures =
            mean_value_analysis({{{share * mean, p_.servers}}, away}, p_.users);
        const double rate = std::min(figures.throughput, p_.asymptotes.capacity_per_s);
        p_.offered_per_s = rate;
        p_.throughput_per_s = rate;
        p_.refused = 0;
        p_.utilisation = rate * share * mean / p_.servers;
        // Little's law over a round: with a slower station behind the threads too.
        const double latency = p_.users / rate - think;
        p_.latency.mean = latency * 1e3;
        p_.wait_ms = std::max(0.0, latency - share * (mean + delay)) * 1e3;
        p_.concurrency = rate * latency;
        const auto seen = std::make_shared<std::vector<double>>(
            machine_repair(p_.users - 1, away / share, mean, p_.servers));
        tail_ = [seen, share, mean, delay, servers = p_.servers](double t) {
            return share * (t < delay ? 1 : sojourn_tail(*seen, mean, servers, t - delay));
        };
        set_percentiles(latency);
    }
};

}  // namespace
}  // namespace theory

Result<Prediction> predict(const Model& model, const TheoryOptions& options) {
    if (const auto fit = validate(model); !fit) return fit.error();
    return theory::Predictor(model, options).predict();
}

}  // namespace lab
