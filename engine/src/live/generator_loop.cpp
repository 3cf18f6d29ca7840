// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/generator_loop.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/post.hpp>

#include "lab/assert.hpp"
#include "live/platform.hpp"

namespace lab::live {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr Duration beat = 100ms;
/// At most this long before an arrival is waited awake: a tenth of a core at 1,000 a second.
constexpr Duration longest_lead = 100us;
/// How finely time-outs and phases are looked after. No request has a timer of its own.
constexpr Duration tick_length = 10ms;
/// A thread that saw nothing for so long was stopped, or the machine slept: not a measurement.
constexpr Duration longest_silence = 400ms;
/// Arrivals sent before answers are looked at again, when many are overdue.
constexpr int most_in_a_row = 256;

Instant clock_now() { return std::chrono::steady_clock::now(); }

std::vector<RequestTemplate> templates_of(const Generator::Options& options) {
    if (options.routes.empty()) return {url_template(options.target, options.ask_times)};
    return route_templates(options.target, options.routes, options.ask_times);
}

}  // namespace

LoadLoop::LoadLoop(Generator::Options options, Generator::Callbacks callbacks, Instant start)
    : options_{std::move(options)},
      callbacks_{std::move(callbacks)},
      load_{options_.load},
      templates_{templates_of(options_)},
      endpoint_{endpoint_of(options_.target)},
      start_{start},
      window_from_{start + options_.warm_up},
      last_cut_{start},
      last_alive_{start},
      next_tick_{start},
      mix_{load_, core::route_weights(options_.routes, load_), options_.seed},
      schedule_{load_, options_.seed, start},
      crowd_{options_.seed},
      network_{options_.network},
      retry_{load_.retry, options_.seed},
      breaker_{load_.breaker},
      hedge_{load_.hedge},
      shortest_timeout_{load_.timeout} {
    if (options_.length) window_to_ = window_from_ + *options_.length;
    set_watching();
}

LoadLoop::~LoadLoop() {
    live_.clear();
    waiting_.clear();
    idle_.clear();
}

void LoadLoop::run() {
    platform::name_this_thread("load");
    platform::tighten_timer_slack();
    try {
        begin();
        io_.run();
    } catch (const std::exception&) {
        // Memory has run out, or a callback broke its promise: what was measured is still told.
        if (std::exchange(phase_, Phase::done) == Phase::done) return;
        if (callbacks_.on_done) callbacks_.on_done(recorder_.totals());
    }
}

void LoadLoop::apply(Load load, Network network) {
    asio::post(io_, [this, load = std::move(load), network]() mutable {
        if (phase_ == Phase::done) return;
        const Instant now = clock_now();
        seen_alive(now);
        change_load(std::move(load), network, now);
    });
}

void LoadLoop::stop() {
    asio::post(io_, [this] {
        if (phase_ != Phase::done) finish(clock_now(), false);
    });
}

void LoadLoop::begin() {
    recorder_.begin(start_);
    recorder_.set_window(window_from_, options_.length ? std::optional{window_to_} : std::nullopt);
    cpu_at_cut_ = platform::thread_cpu_time();
    last_alive_ = std::max(start_, clock_now());
    enter(options_.warm_up > Duration{} ? Phase::warm_up : Phase::running);
    if (load_.model == LoadModel::closed) {
        crowd_.resize(static_cast<std::size_t>(load_.users), load_.think, start_);
    }
    arm_tick();
    arm_arrivals();
}

void LoadLoop::arm_tick() {
    next_tick_ += tick_length;
    const Instant now = last_alive_;
    // Keeps to the grid of the start, so that every tenth tick is a beat; skips what is past.
    if (next_tick_ <= now) next_tick_ = now + tick_length - (now - start_) % tick_length;
    tick_timer_.expires_at(next_tick_);
    tick_timer_.async_wait([this](error_code error) {
        if (error || phase_ == Phase::done) return;
        tick(clock_now());
        if (phase_ != Phase::done) arm_tick();
    });
}

void LoadLoop::tick(Instant now) {
    seen_alive(now);
    give_up_overdue(now);
    arm_arrivals();
    const Instant boundary = now - (now - start_) % beat;
    // After a silence a cut ends off the beat; no cut is much shorter than the others.
    const bool on_beat = boundary >= last_cut_ + beat / 2;
    if (on_beat) cut(boundary);
    advance_phase(now, on_beat);
}

void LoadLoop::cut(Instant end) {
    recorder_.set_client_backlog(waiting_count_);
    auto cut = recorder_.cut(end);
    const Duration cpu = platform::thread_cpu_time();
    cut->generator_cpu = cpu - cpu_at_cut_;
    cpu_at_cut_ = cpu;
    const Duration open = breaker_.not_closed(std::max(end, last_alive_));
    cut->breaker_open = std::exchange(breaker_open_at_cut_, open);
    cut->breaker_open = open - cut->breaker_open;
    last_cut_ = end;
    if (callbacks_.on_cut) callbacks_.on_cut(std::move(cut));
}

void LoadLoop::enter(Phase phase) {
    phase_ = phase;
    if (phase == Phase::running) cpu_at_window_ = platform::thread_cpu_time();
    if (phase == Phase::draining) cpu_in_window_ = platform::thread_cpu_time() - cpu_at_window_;
    if (!callbacks_.on_phase) return;
    if (phase == Phase::warm_up) callbacks_.on_phase(RunPhase::warm_up);
    if (phase == Phase::running) callbacks_.on_phase(RunPhase::running);
    if (phase == Phase::draining) callbacks_.on_phase(RunPhase::draining);
}

/// The end waits for a beat, so that the last frame is as long as the others.
void LoadLoop::advance_phase(Instant now, bool on_beat) {
    if (phase_ == Phase::warm_up && now >= window_from_) enter(Phase::running);
    if (phase_ == Phase::running && now >= window_to_) {
        while (release_due(window_to_ - 1ns)) {
        }
        drain_until_ = window_to_ + options_.drain;
        enter(Phase::draining);
    }
    if (phase_ == Phase::draining && on_beat && (live_.empty() || now >= drain_until_)) {
        finish(now, true);
    }
}

/// True: nothing had run for so long that what is under way measures the silence, not the server.
bool LoadLoop::seen_alive(Instant now) {
    const bool gap = now - last_alive_ > longest_silence;
    last_alive_ = std::max(last_alive_, now);
    if (gap) resume_after_gap(now);
    return gap;
}

/// No catch-up burst: what was due meanwhile never was, and what was under way is withdrawn. One
/// cut spans the silence to its end, so that its length tells of it.
void LoadLoop::resume_after_gap(Instant now) {
    withdraw_all(now);
    cut(now);
    restart_schedule(now, schedule_.origin());
    crowd_.postpone(now);
    postpone_visits(now);
    arm_arrivals();
}

void LoadLoop::arm_arrivals() {
    if (!issuing()) return;
    const Instant due = load_.model == LoadModel::open ? next_arrival() : crowd_.next_due();
    if (due == armed_for_ || due >= window_to_) return;
    armed_for_ = due;
    // A sleep wakes late, by some 80 us here: it aims that much before, and waits the rest awake.
    const Instant aim = due - lead_;
    const bool sleeps = aim > clock_now();
    arrival_timer_.expires_at(aim);
    arrival_timer_.async_wait([this, due, aim, sleeps](error_code error) {
        if (error) return;
        if (sleeps) lead_ += (std::clamp(clock_now() - aim, Duration{}, longest_lead) - lead_) / 16;
        await_due(due);
    });
}

/// The last few microseconds before a request is due. Answers are still read meanwhile.
void LoadLoop::await_due(Instant due) {
    if (!issuing() || due != armed_for_) return;  // armed anew meanwhile
    const Instant now = clock_now();
    if (now < due) {
        asio::post(io_, [this, due] { await_due(due); });
        return;
    }
    armed_for_ = Instant::max();
    if (!seen_alive(now)) release_due(std::min(now, window_to_ - 1ns));
    arm_arrivals();
}

/// Everything that is due is released at once; the plan waits for no answer. True: there may be
/// more.
bool LoadLoop::release_due(Instant until) {
    const bool closed = load_.model == LoadModel::closed;
    const bool described = !options_.routes.empty();  // a URL has no key and no user
    for (int n = 0; n < most_in_a_row; ++n) {
        core::Planned planned;
        if (closed) {
            const auto turn = crowd_.take(until);
            if (!turn) return false;
            planned.id = turn->id;
            planned.intended = turn->intended;
            if (described) mix_.describe(planned);
            planned.user = turn->user;
        } else {
            if (next_arrival() > until) return false;
            if (!visits_.empty() && visits_.front().intended < schedule_.peek()) {
                planned = next_of_visits();
                const auto user = planned.user;
                if (described) mix_.describe(planned);
                planned.user = user;
            } else {
                planned.intended = schedule_.peek();
                planned.id = schedule_base_ + schedule_.take();
                if (described) mix_.describe(planned);
            }
        }
        release_planned(planned, closed, clock_now());
    }
    return true;
}

Instant LoadLoop::next_arrival() const {
    const Instant fresh = schedule_.peek();
    return visits_.empty() ? fresh : std::min(fresh, visits_.front().intended);
}

/// In closed loop, after an answer: whoever does not think goes on at once.
void LoadLoop::next_turns(Instant now) {
    if (load_.model != LoadModel::closed || !issuing()) return;
    if (crowd_.next_due() <= now) release_due(std::min(now, window_to_ - 1ns));
    arm_arrivals();
}

/// Arrivals count anew from `now`; their numbers go on.
void LoadLoop::restart_schedule(Instant now, Instant origin) {
    schedule_ = core::ArrivalSchedule{load_, options_.seed, now, origin};
    schedule_base_ = last_id_;
}

/// Oldest first. The list is in the order of intended starts, so the walk ends early.
void LoadLoop::give_up_overdue(Instant now) {
    for (auto it = live_.begin(); it != live_.end();) {
        ClientRequest& request = *it++;
        if (request.planned.intended + shortest_timeout_ > now) break;
        if (request.give_up > now) continue;
        if (request.watched) {
            give_up(request, now);
            continue;
        }
        ClientConnection* connection = request.connection;
        if (connection != nullptr) connection->close();
        end(request, Ending::timed_out, request.give_up, nullptr);
        if (connection != nullptr) connection_free(*connection, now);
        continue_user(request, Duration{}, now);
        forget(request);
    }
    if (live_.empty()) shortest_timeout_ = load_.timeout;
}

void LoadLoop::change_load(Load load, Network network, Instant now) {
    const Load before = std::exchange(load_, std::move(load));
    if (network_ != network || before.slow != load_.slow) {
        ++pace_generation_;
        close_idle(0);
    }
    network_ = network;
    retry_.change(load_.retry);
    breaker_.change(load_.breaker, now);
    hedge_.change(load_.hedge);
    set_watching();
    mix_ = core::RequestMix{load_, core::route_weights(options_.routes, load_), options_.seed};
    shortest_timeout_ = std::min(shortest_timeout_, load_.timeout);
    if (load_.model == LoadModel::open) {
        if (before.model == LoadModel::closed) {
            crowd_.dismiss(last_id_);
            const bool same_shape = before.shape.kind == load_.shape.kind;
            restart_schedule(now, same_shape ? schedule_.origin() : now);
        } else {
            schedule_.change(load_, now);
        }
    } else {
        visits_.clear();
        if (before.model == LoadModel::open) crowd_.dismiss(last_id_);
        crowd_.resize(static_cast<std::size_t>(load_.users), load_.think, now);
    }
    close_idle(load_.keep_alive ? static_cast<std::size_t>(load_.connections) : 0);
    open_for_waiting(now);
    arm_arrivals();
}

void LoadLoop::finish(Instant now, bool on_beat) {
    if (phase_ < Phase::draining) {
        recorder_.close_window(now);
        cpu_in_window_ =
            phase_ == Phase::running ? platform::thread_cpu_time() - cpu_at_window_ : Duration{};
    }
    phase_ = Phase::done;
    withdraw_all(now);
    if (!on_beat) cut(now);
    for (auto& connection : connections_) connection->close();
    idle_.clear();
    tick_timer_.cancel();
    arrival_timer_.cancel();
    alarm_timer_.cancel();
    auto totals = recorder_.totals();
    totals->generator_cpu = cpu_in_window_;
    if (callbacks_.on_done) callbacks_.on_done(std::move(totals));
}

}  // namespace lab::live
