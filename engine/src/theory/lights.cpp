// SPDX-License-Identifier: GPL-3.0-or-later
#include "theory/lights.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "lab/text.hpp"

namespace lab::theory {
namespace {

using State = Light::State;

/// Shares of requests above which a thing that should not happen is doubtful, and broken.
constexpr double some = 0.001, many = 0.02;
/// Shares of time that another station is busy.
constexpr double noticed = 0.25, felt = 0.6;

class Lamps {
  public:
    Lamps(const Prediction& prediction, const Evidence& evidence)
        : p_{prediction}, e_{evidence}, load_{evidence.model.load} {}

    std::vector<Light> all() {
        open_load();
        if (p_.law != TheoryLaw::closed) poisson();
        exponential();
        endless();
        stable();
        independent();
        patience();
        one_station();
        known();
        steady();
        return std::move(lights_);
    }

  private:
    const Prediction& p_;
    const Evidence& e_;
    const Load& load_;
    std::vector<Light> lights_;

    void add(Assumption assumption, State state, std::string sentence) {
        lights_.push_back({assumption, state, std::move(sentence)});
    }
    static State by(double value, double doubtful, double broken) {
        return value >= broken ? State::broken : value >= doubtful ? State::doubtful : State::ok;
    }
    static std::string percent(double share) {
        return share < 0.1 ? fmt::format("{:.2g} %", share * 100)
                           : fmt::format("{:.0f} %", share * 100);
    }
    /// Share of the planned requests that ended so in the run, or nothing.
    [[nodiscard]] double measured_share(std::uint64_t ended) const {
        if (!e_.measured || e_.measured->counts.planned == 0) return 0;
        return static_cast<double>(ended) / static_cast<double>(e_.measured->counts.planned);
    }

    void open_load() {
        if (p_.law == TheoryLaw::closed) {
            return add(Assumption::open_load, State::ok,
                       fmt::format("{} users wait for their answers before they ask again, as the "
                                   "closed network has it.",
                                   show_count(load_.users)));
        }
        add(Assumption::open_load, State::ok, "Arrivals do not wait for answers.");
    }

    void poisson() {
        const bool moves = load_.shape.kind != LoadShape::constant;
        if (moves || load_.session > 1) {
            return add(Assumption::poisson_arrivals, State::broken,
                       moves
                           ? "Arrivals are not Poisson: their rate moves in the course of the run."
                           : "Arrivals are not Poisson: a visitor's requests come one after "
                             "the other.");
        }
        if (load_.arrivals == Arrivals::poisson) {
            return add(Assumption::poisson_arrivals, State::ok, "Arrivals are a Poisson process.");
        }
        const bool two_moments = p_.law == TheoryLaw::ggc || p_.law == TheoryLaw::no_queue;
        add(Assumption::poisson_arrivals, two_moments ? State::doubtful : State::broken,
            "Arrivals are not Poisson: they come at even gaps, which makes waits shorter.");
    }

    void exponential() {
        const std::string scatter =
            fmt::format("its squared coefficient of variation is {:.2g}", p_.service_scv);
        switch (p_.law) {
            case TheoryLaw::mm1:
            case TheoryLaw::mmc:
                return add(Assumption::exponential_service, State::ok, "Service is exponential.");
            case TheoryLaw::mmck:
            case TheoryLaw::closed: {
                const bool several = p_.law == TheoryLaw::closed && load_.users <= p_.servers;
                const double off = std::abs(p_.service_scv - 1);
                const State state =
                    several || e_.work.service.is_exponential() ? State::ok : by(off, 0, 0.8);
                return add(Assumption::exponential_service, state,
                           state == State::ok
                               ? std::string(several ? "There is a worker for every user."
                                                     : "Service is exponential.")
                               : fmt::format("Service is not exponential: {}, not 1.", scatter));
            }
            case TheoryLaw::md1:
            case TheoryLaw::mdc:
                return add(Assumption::exponential_service, State::ok,
                           "Service is constant, and this law is about constant service.");
            case TheoryLaw::mg1:
                return add(Assumption::exponential_service, State::ok,
                           fmt::format("Any law of service will do; {}.", scatter));
            case TheoryLaw::ggc:
                return add(Assumption::exponential_service, State::doubtful,
                           fmt::format("Service is not exponential ({}): with several workers this "
                                       "law is an approximation.",
                                       scatter));
            case TheoryLaw::no_queue:
                return;
        }
    }

    void endless() {
        const double measured = e_.measured
                                    ? measured_share(e_.measured->counts.of(Ending::rejected) +
                                                     e_.measured->counts.of(Ending::not_sent))
                                    : 0;
        if (p_.law == TheoryLaw::mmck) {
            return add(Assumption::endless_queue, State::ok,
                       fmt::format("The queue is finite, as this law has it: it turns {} away.",
                                   percent(p_.refused.value_or(0))));
        }
        const Server& server = e_.model.system.server;
        const bool by_thread = server.execution == Execution::threads;
        const int places =
            server.queue + (by_thread ? p_.servers : server.workers * server.worker_connections);
        if (p_.law == TheoryLaw::closed && server.when_full != WhenFull::wait &&
            load_.users > places) {
            return add(Assumption::endless_queue, State::broken,
                       fmt::format("The queue is finite: {} users do not fit into {} places, and "
                                   "some are turned away.",
                                   show_count(load_.users), show_count(places)));
        }
        const State state = by(measured, some, many);
        add(Assumption::endless_queue, state,
            state == State::ok
                ? std::string("The queue is never full to speak of.")
                : fmt::format("The queue is finite: the run turned {} away.", percent(measured)));
    }

    void stable() {
        if (p_.law == TheoryLaw::no_queue) return;
        if (!e_.stable) {
            return add(Assumption::stable, State::broken,
                       fmt::format("Overload: {:.4g} a second arrive and {:.4g} can be answered, "
                                   "so the queue grows without end.",
                                   p_.offered_per_s, p_.asymptotes.capacity_per_s));
        }
        const bool bounded = p_.law == TheoryLaw::mmck || p_.law == TheoryLaw::closed;
        const State state = bounded ? State::ok : by(p_.utilisation, 0.95, 1);
        add(Assumption::stable, state,
            state == State::ok
                ? std::string("What arrives can be answered.")
                : fmt::format("At {} busy a steady state takes longer than most runs last.",
                              percent(p_.utilisation)));
    }

    void independent() {
        const Server& server = e_.model.system.server;
        if (server.bind == BindPoint::accept && server.keep_alive && load_.keep_alive) {
            return add(Assumption::independent_service, State::broken,
                       "A worker belongs to a connection until it closes, so who is served next "
                       "is not who came first.");
        }
        if (server.stall_every > Duration{}) {
            return add(Assumption::independent_service, State::broken,
                       "The server stands still from time to time, for all requests at once.");
        }
        if (load_.slow.readers > 0 || load_.slow.senders > 0) {
            return add(Assumption::independent_service, State::broken,
                       "Slow clients keep a worker for as long as their line takes.");
        }
        const Cache& cache = e_.model.system.cache;
        const bool plain = cache.eviction == Eviction::lru && cache.stampede == Stampede::none &&
                           cache.capacity_bytes.count == 0 && !cache.invalidate_on_write;
        if (p_.hit_ratio && !plain) {
            return add(Assumption::independent_service, State::broken,
                       "The hit ratio is that of a cache that drops the least recently used and "
                       "lets each request make what it misses: this one has other rules.");
        }
        if (p_.hit_ratio) {
            return add(Assumption::independent_service, State::doubtful,
                       "Service times depend on each other: a miss makes the hits after it.");
        }
        add(Assumption::independent_service, State::ok,
            "How long one request takes says nothing about the next.");
    }

    void patience() {
        const Duration limit = e_.model.system.server.queue_timeout;
        const double seconds = to_seconds(load_.timeout);
        double gone = e_.tail ? e_.tail(seconds) : e_.stable ? 0 : 1;
        if (e_.tail && limit > Duration{}) {
            gone = std::max(gone, e_.tail(to_seconds(limit) + p_.service_ms / 1e3));
        }
        const double leaves = mean_of(load_.patience);
        if (e_.tail && leaves > 0) gone = std::max(gone, e_.tail(leaves));
        if (load_.retry.most > 0 || load_.breaker.share > 0 || load_.hedge.after > Duration{} ||
            load_.hedge.percentile > 0) {
            const bool rare = e_.stable && gone < some && p_.refused.value_or(0) < some;
            return add(Assumption::patience, rare ? State::doubtful : State::broken,
                       "Clients ask again: what is sent depends on what was answered.");
        }
        if (e_.measured) gone = measured_share(e_.measured->counts.of(Ending::timed_out));
        const State state = by(gone, some, many);
        add(Assumption::patience, state,
            state == State::ok
                ? std::string("Next to nobody gives up.")
                : fmt::format("Time-outs: {} of the requests are given up, and who gives up "
                              "shortens the queue.",
                              percent(std::min(1.0, gone))));
    }

    void one_station() {
        const Balancer& balancer = e_.model.system.balancer;
        if (balancer.rule != BalancerRule::none) {
            return add(Assumption::one_station, State::broken,
                       fmt::format("A balancer and {} backends, each with a queue of its own: the "
                                   "formula knows one server.",
                                   balancer.count));
        }
        const Shared* busiest = nullptr;
        double most = 0;
        const double working = p_.throughput_per_s.value_or(p_.offered_per_s) * e_.work.share;
        for (const Shared& other : e_.work.shared) {
            const double busy = working * other.demand / other.servers;
            if (busy <= most) continue;
            most = busy;
            busiest = &other;
        }
        const double cores = working * e_.work.computing;
        if (e_.measured && e_.measured->truth_known && e_.measured->utilisation_cpu > most &&
            e_.measured->utilisation_cpu >= noticed) {
            most = e_.measured->utilisation_cpu;
            return add(Assumption::one_station, by(most, noticed, felt),
                       fmt::format("Several stations: the processors are {} busy, and computing "
                                   "waits for them as well.",
                                   percent(most)));
        }
        if (busiest && most >= noticed) {
            return add(Assumption::one_station, by(most, noticed, felt),
                       fmt::format("Several stations: {} is {} busy, and is waited for as well.",
                                   busiest->name, percent(std::min(most, 1.0))));
        }
        if (e_.work.cooperative) {
            return add(Assumption::one_station, State::doubtful,
                       "A worker serves its requests in pieces, between their waits: the law takes "
                       "each request's computing as one piece.");
        }
        if (!e_.measured && cores >= 0.8) {
            return add(Assumption::one_station, State::doubtful,
                       fmt::format("Computing keeps {:.2g} processors busy: with no more than "
                                   "that it waits for them.",
                                   cores));
        }
        add(Assumption::one_station, State::ok, "Only the worker threads are waited for.");
    }

    void known() {
        if (e_.work.unstated.empty()) {
            return add(Assumption::known_service, State::ok,
                       "How long a request takes follows from its steps.");
        }
        if (e_.work.measured) {
            return add(Assumption::known_service, State::ok,
                       "How long a request takes is what the run has measured.");
        }
        add(Assumption::known_service, State::broken,
            fmt::format("The time of {} is not stated and was left out; a run measures it.",
                        fmt::join(e_.work.unstated, ", ")));
    }

    void steady() {
        if (!e_.measured) return;
        const auto residual = little_residual(*e_.measured);
        if (!residual) return;
        const State state = e_.measured->interrupted ? State::broken : by(*residual, 0.03, 0.1);
        add(Assumption::steady_state, state,
            e_.measured->interrupted
                ? std::string("The run was not one steady run: it was interrupted or changed.")
                : fmt::format("Little's law holds within {}: {} in flight, throughput x latency.",
                              percent(*residual), fmt::format("{:.3g}", e_.measured->concurrency)));
    }
};

}  // namespace

std::vector<Light> lights_of(const Prediction& prediction, const Evidence& evidence) {
    return Lamps(prediction, evidence).all();
}

}  // namespace lab::theory
