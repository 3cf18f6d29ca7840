// SPDX-License-Identifier: GPL-3.0-or-later
// Connections and requests, as the front end sees them. Effects: server_steps.cpp.
#include "virtual/server.hpp"

#include <algorithm>
#include <utility>

#include "lab/assert.hpp"

namespace lab::virtual_time {

namespace {

constexpr std::size_t most_sessions = 2'100;  ///< as the live front end accepts
constexpr std::size_t events_per_frame = 400;

/// A session that waits for a worker without a request has this in hand.
constexpr core::Effect no_request{};

bool acquires_worker(const core::Effect& effect) {
    return effect.op == core::Op::acquire && effect.resource == core::ResourceId::worker;
}

}  // namespace

Server::Server(Timeline& time, Options options)
    : time_{time},
      options_{std::move(options)},
      data_{options_.system.database.products},
      slots_{{.slots = 0,
              .queue_capacity = options_.system.server.queue,
              .patience = options_.system.server.queue_timeout}},
      cores_{cores_options(options_.system.host)},
      changed_keys_{static_cast<std::uint64_t>(std::max(options_.load.keys, 1)),
                    options_.load.zipf} {
    sampled_.at = options_.start;
    pool_counted_ = options_.start;
    make_generation(options_.system);
    resize();
    arm_changes();
}

// ---------------------------------------------------------------- connections

SessionId Server::make_session(ConnectionId client, std::uint32_t life) {
    if (free_sessions_.empty()) {
        free_sessions_.push_back(static_cast<SessionId>(sessions_.size()));
        sessions_.push_back(std::make_unique<Session>());
    }
    const SessionId id = free_sessions_.back();
    free_sessions_.pop_back();
    Session& s = at(id);
    s.client = client;
    s.client_life = life;
    s.request_here = s.bound = s.refused = s.broken_off = s.computes_next = false;
    s.slot = s.lease = -1;
    s.effect = no_request;
    return id;
}

std::optional<SessionRef> Server::knock(ConnectionId client, std::uint32_t life) {
    const auto room = static_cast<std::size_t>(generation().system.network.backlog);
    if (backlog_.size() > room) return std::nullopt;  // Linux holds one more than asked for
    const SessionId id = make_session(client, life);
    const SessionRef made{id, at(id).life};
    at(id).state = State::in_backlog;
    backlog_.push_back(id);
    accept_more();
    return made;
}

void Server::accept_more() {
    while (!backlog_.empty() && accepting() && open_ < most_sessions) {
        const SessionId id = backlog_.front();
        backlog_.pop_front();
        accept(id);
    }
}

void Server::accept(SessionId id) {
    Session& s = at(id);
    ++open_;
    s.bind_at_accept = rules().bind == BindPoint::accept;
    if (s.client == nobody && !s.request_here) {
        s.state = State::arriving;
        forget(id);
    } else if (s.bind_at_accept) {
        s.state = State::binding;
        enter(id);
    } else if (s.request_here) {
        read_request(id);
    } else {
        become_idle(id);
    }
}

void Server::send(SessionRef session, const core::Planned& planned, bool keeps) {
    const SessionId id = session.place;
    Session& s = at(id);
    if (s.life != session.life) return;  // closed meanwhile: the client is about to hear of it
    s.planned = planned;
    s.keeps = keeps;
    if (s.state == State::idle) {
        leave_idle(id);
        s.state = State::arriving;
    }
    const Duration network = costs().network;
    if (network > Duration{}) {
        time_.in(network, EventKind::request_arrives, id, s.life);
    } else {
        request_here(id);
    }
}

void Server::request_here(SessionId id) {
    Session& s = at(id);
    if (s.state == State::in_backlog || s.state == State::binding) {
        s.request_here = true;
    } else if (s.refused) {
        answer_without_worker(id, 503);
    } else {
        read_request(id);
    }
}

void Server::hang_up(SessionRef session) {
    const SessionId id = session.place;
    Session& s = at(id);
    if (s.life != session.life) return;
    s.client = nobody;
    const Duration network = costs().network;
    if (network > Duration{}) {
        time_.in(network, EventKind::hang_up_arrives, id, s.life);
    } else {
        hung_up(id);
    }
}

/// What is in hand goes on: the server sees only that no more will be asked (RFC 9112 9.6).
void Server::hung_up(SessionId id) {
    if (at(id).state == State::idle) forget(id);
}

/// Closes the connection, or resets it: the client sees it after the network's time.
void Server::cut_off(SessionId id) {
    const Session& s = at(id);
    if (s.client != nobody) {
        time_.in(costs().network, EventKind::cut_off, s.client, s.client_life);
    }
    forget(id);
}

void Server::forget(SessionId id) {
    Session& s = at(id);
    if (s.state == State::idle) leave_idle(id);
    s.state = State::free;
    s.client = nobody;
    ++s.life;
    ++s.token;
    if (s.slot >= 0) let_go(id);
    --open_;
    free_sessions_.push_back(id);
    accept_more();
}

// ---------------------------------------------------------------- idle connections

void Server::become_idle(SessionId id) {
    Session& s = at(id);
    if (s.client == nobody) {
        s.state = State::arriving;
        forget(id);
        return;
    }
    s.state = State::idle;
    s.idle_until = time_.now + rules().keep_alive_timeout;
    s.idle_before = idle_last_;
    s.idle_after = nobody;
    (idle_last_ == nobody ? idle_first_ : at(idle_last_).idle_after) = id;
    idle_last_ = id;
    if (idle_alarm_ != Instant::max()) return;  // it looks again when it rings
    idle_alarm_ = s.idle_until;
    time_.at(idle_alarm_, EventKind::idle_limit, 0);
}

void Server::leave_idle(SessionId id) {
    const Session& s = at(id);
    (s.idle_before == nobody ? idle_first_ : at(s.idle_before).idle_after) = s.idle_after;
    (s.idle_after == nobody ? idle_last_ : at(s.idle_after).idle_before) = s.idle_before;
}

void Server::close_idle() {
    idle_alarm_ = Instant::max();
    while (idle_first_ != nobody && at(idle_first_).idle_until <= time_.now) {
        cut_off(idle_first_);
    }
    if (idle_first_ == nobody || idle_alarm_ != Instant::max()) return;
    idle_alarm_ = at(idle_first_).idle_until;
    time_.at(idle_alarm_, EventKind::idle_limit, 0);
}

// ---------------------------------------------------------------- the front end

/// One thread reads and writes for all connections, first come first served.
void Server::front_end(const Job& job) {
    if (front_end_busy_) {
        jobs_.push_back(job);
        return;
    }
    begin_job(job);
    if (!front_end_busy_ && !jobs_.empty()) next_job();
}

/// It is idle. A job that costs nothing is done at once; what that gives it to do waits meanwhile.
void Server::begin_job(const Job& job) {
    if (!job.answers) at(job.session).reply.received = time_.now;
    front_end_busy_ = true;
    const Duration price = price_of(job);
    if (price > Duration{}) {
        job_ = job;
        cores_.start(0, price, Account::front_end, time_.now);
        cores_changed();
        return;
    }
    do_job(job);
    front_end_busy_ = false;
}

void Server::next_job() {
    front_end_busy_ = false;
    while (!front_end_busy_ && !jobs_.empty()) {
        const Job job = jobs_.front();
        jobs_.pop_front();
        begin_job(job);
    }
}

Duration Server::price_of(const Job& job) const {
    const Session& s = at(job.session);
    const Generation& now = generation();
    if (job.answers) return now.prices.each().answer + now.prices.body(s.body);
    if (!now.programs[s.planned.route].inline_answer) return now.prices.each().parse;
    const Bytes size = now.system.routes[s.planned.route].size;
    return now.prices.each().parse + now.prices.each().answer +
           now.prices.body(static_cast<std::uint64_t>(size.count));
}

void Server::do_job(const Job& job) {
    if (job.answers) {
        write_answer(job.session);
    } else {
        request_read(job.session);
    }
}

void Server::read_request(SessionId id) {
    at(id).state = State::arriving;
    at(id).request_here = false;
    front_end({id, false});
}

void Server::request_read(SessionId id) {
    Session& s = at(id);
    s.body = 0;
    s.read_at = time_.now;
    if (generation().programs[s.planned.route].inline_answer) {
        s.reply.status = 200;
        s.reply.tells_times = false;  // as of a prepared answer
        s.reply.closes = !s.keeps || !rules().keep_alive;
        s.cursor.ended = true;
        write_answer(id);
    } else {
        ask_for_worker(id);
    }
}

bool Server::full() const {
    return rules().when_full == WhenFull::wait && slots_.depth() >= rules().queue &&
           slots_.busy() >= slots_.slots();
}

void Server::ask_for_worker(SessionId id) {
    Session& s = at(id);
    if (s.slot < 0 && !accepting()) {
        s.state = State::held;
        held_.push_back(id);
    } else {
        submit(id);
    }
}

void Server::admit_held() {
    while (!held_.empty() && !full()) {
        const SessionId id = held_.front();
        held_.pop_front();
        if (at(id).effect.op == core::Op::end && at(id).state == State::binding) {
            enter(id);
        } else {
            submit(id);
        }
    }
    accept_more();
}

/// The request is complete. What it waited before a full queue counts as queue, not as parsing.
void Server::submit(SessionId id) {
    Session& s = at(id);
    s.state = State::in_hand;
    s.generation = generations_.back().get();
    s.versions.clear();
    s.marks.clear();
    s.reply.received += time_.now - s.read_at;
    s.read_at = time_.now;
    s.reply.made_for = s.planned.user;
    s.cursor = core::begin(s.generation->programs[s.planned.route], options_.seed, s.planned.id,
                           s.reply.received, time_.now);
    s.effect = core::next(s.cursor, outcome());
    LAB_ASSERT(acquires_worker(s.effect));
    if (s.slot >= 0) {
        put_to_work(id, true);
    } else {
        enter(id);
    }
}

/// Into the queue before the workers, with a request or without one.
void Server::enter(SessionId id) {
    const core::Grant granted = slots_.acquire(id, time_.now);
    switch (granted.admission) {
        case core::Admission::granted:
            grant(id, granted.slot, true);
            return;
        case core::Admission::queued:
            tell(RequestEvent::Kind::queued, at(id));
            if (rules().queue_timeout > Duration{}) set_queue_alarm();
            return;
        case core::Admission::refused:
            turn_away(id);
            return;
    }
}

void Server::turn_away(SessionId id) {
    switch (rules().when_full) {
        case WhenFull::wait:
            at(id).state = acquires_worker(at(id).effect) ? State::held : State::binding;
            held_.push_front(id);
            return;
        case WhenFull::reject:
            refuse(id, core::Fault::refused);
            return;
        case WhenFull::reset:
            cut_off(id);
            return;
    }
}

/// The program says how a fault is answered; without a request there is nothing but the status.
void Server::refuse(SessionId id, core::Fault fault) {
    Session& s = at(id);
    if (acquires_worker(s.effect)) {
        ready(id, outcome(fault));
    } else if (s.request_here) {
        answer_without_worker(id, 503);
    } else {
        s.refused = true;
        s.state = State::arriving;
    }
}

void Server::answer_without_worker(SessionId id, std::uint16_t status) {
    Session& s = at(id);
    s.reply = {};
    s.reply.status = status;
    s.reply.closes = true;
    s.body = 0;
    s.cursor.ended = true;
    s.state = State::answering;
    front_end({id, true});
}

/// A worker waits for what this connection asks.
void Server::worker_bound(SessionId id) {
    Session& s = at(id);
    s.bound = true;
    if (s.request_here) {
        read_request(id);
    } else {
        become_idle(id);
    }
}

// ---------------------------------------------------------------- answers

void Server::respond(SessionId id) {
    Session& s = at(id);
    s.reply.status = s.effect.status;
    s.reply.ready = s.cursor.since;
    s.reply.tells_times = true;
    s.reply.closes = !s.keeps || !rules().keep_alive;
    if (s.effect.status != 200) s.body = 0;
    s.state = State::answering;
    tell(RequestEvent::Kind::answered, s);
    const Duration hand_off = costs().hand_off;
    if (hand_off > Duration{} && !front_end_busy_) {
        time_.in(hand_off, EventKind::answer_posted, id, s.life);
    } else {
        front_end({id, true});
    }
}

void Server::write_answer(SessionId id) {
    Session& s = at(id);
    s.state = State::answering;
    const Duration network = costs().network;
    if (network > Duration{}) {
        time_.in(network, EventKind::answer_arrives, id, s.life);
    } else {
        delivered(id);
    }
}

/// The answer is with the client: the rest of the program runs, and the connection waits for the
/// next request or goes.
void Server::delivered(SessionId id) {
    Session& s = at(id);
    const ConnectionId client = s.client;
    const bool closes = s.reply.closes;
    const bool keeps_worker = !closes && client != nobody && s.bound && s.bind_at_accept &&
                              rules().bind == BindPoint::accept;
    while (!s.cursor.ended) s.effect = core::next(s.cursor, outcome());
    s.effect = no_request;
    if (s.slot >= 0) {
        if (keeps_worker) {
            seats_[static_cast<std::size_t>(s.slot)].request = 0;
        } else {
            s.bound = false;
            let_go(id);
        }
    }
    if (client == nobody) {
        forget(id);
        return;
    }
    if (!closes) become_idle(id);
    client_->answered(client, id);
    if (closes) forget(id);
}

void Server::tell(RequestEvent::Kind kind, const Session& s) {
    if (!options_.tells_events) return;
    if (events_.size() >= events_per_frame) {
        ++events_left_out_;
        return;
    }
    const auto thread = static_cast<std::uint16_t>(std::max(s.slot, 0));
    events_.push_back({s.planned.id, kind, thread, Ending::ok, time_.now});
}

std::vector<RequestEvent> Server::take_events(std::uint64_t& left_out) {
    left_out = std::exchange(events_left_out_, 0);
    return std::exchange(events_, {});
}

// ---------------------------------------------------------------- events

void Server::handle(const Event& event) {
    switch (event.kind()) {
        case EventKind::queue_patience:
            return expire_queue();
        case EventKind::pool_patience:
            return expire_pool(event.who);
        case EventKind::idle_limit:
            return close_idle();
        case EventKind::row_changes:
            if (event.token == changes_token_) change_row();
            return;
        default:
            break;
    }
    Session& s = at(event.who);
    switch (event.kind()) {
        case EventKind::resume:
            if (event.token == s.token) resumed(event.who);
            return;
        case EventKind::lock_ask:
            if (event.token == s.token) lock_asked(event.who);
            return;
        case EventKind::lock_wake:
            if (event.token == s.token) lock_woken(event.who);
            return;
        case EventKind::request_arrives:
            if (event.token == s.life) request_here(event.who);
            return;
        case EventKind::hang_up_arrives:
            if (event.token == s.life) hung_up(event.who);
            return;
        case EventKind::answer_posted:
            if (event.token == s.life) front_end({event.who, true});
            return;
        case EventKind::answer_arrives:
            if (event.token == s.life) delivered(event.who);
            return;
        default:
            LAB_ASSERT(false);
    }
}

void Server::handle_cores() {
    while (const auto thread = cores_.finish(time_.now)) {
        if (*thread > 0) {
            computed(seats_[*thread - 1].session);
            continue;
        }
        do_job(job_);
        next_job();
    }
    cores_changed();
}

void Server::drain_ready() {
    for (std::size_t i = 0; i < ready_.size(); ++i) {
        const Ready next = ready_[i];  // the vector may grow meanwhile
        drive(next.session, next.outcome);
    }
    ready_.clear();
}

}  // namespace lab::virtual_time
