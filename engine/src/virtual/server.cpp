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
/// Bytes of the heads of a request and an answer, of which virtual time knows no text.
constexpr std::int64_t request_head = 150, answer_head = 250;
/// What the kernel of a slow reader takes in beforehand.
constexpr std::int64_t slow_buffer = 4'096;

/// How long a slow end takes for so many bytes: a little at once, about ten times a second.
Duration spooned(std::int64_t bytes, std::int64_t rate) {
    if (rate <= 0 || bytes <= 0) return {};
    const std::int64_t spoon = std::max<std::int64_t>(1, rate / 10);
    const Duration every =
        rate >= 10 ? Duration{100ms} : from_seconds(1 / static_cast<double>(rate));
    return every * ((bytes + spoon - 1) / spoon - 1);
}

}  // namespace

Server::Server(Timeline& time, Options options)
    : time_{time},
      options_{std::move(options)},
      data_{options_.system.database.products},
      slots_{options_.system.server, options_.seed},
      lives_{options_.system.server, options_.seed, options_.start},
      cores_{cores_options(options_.system)},
      changed_keys_{static_cast<std::uint64_t>(std::max(options_.load.keys, 1)),
                    options_.load.zipf} {
    sampled_.at = options_.start;
    pool_counted_ = options_.start;
    running_.push_back(nobody);  // thread 0 is the front end's
    make_generation(options_.system);
    data_.set_lag(options_.system.database.replica_lag);
    writers_.set_patience(options_.system.database.lock_timeout);
    resize();
    arm_changes();
    set_lives_alarm();
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
    s.request_here = s.bound = s.refused = s.worker_leaves = s.answered_before = false;
    s.slot = s.served_by = -1;
    s.home = core::WorkerSlots::nowhere;
    s.loop = nobody;
    s.task.session = id;
    s.task.clear();
    s.task.effect = {};  // no request
    return id;
}

std::optional<SessionRef> Server::knock(ConnectionId client, std::uint32_t life,
                                        const Pace& pace) {
    const auto room = static_cast<std::size_t>(generation().system.network.backlog);
    if (backlog_.size() > room) return std::nullopt;  // Linux holds one more than asked for
    const SessionId id = make_session(client, life);
    const SessionRef made{id, at(id).life};
    at(id).state = State::in_backlog;
    at(id).pace = pace;
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
    if (!on_loops() && !changing_) s.home = slots_.open();
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

void Server::send(SessionRef session, const core::Planned& planned, std::uint8_t language,
                  bool keeps) {
    const SessionId id = session.place;
    Session& s = at(id);
    if (s.life != session.life) return;  // closed meanwhile: the client is about to hear of it
    s.planned = planned;
    s.language = language;
    s.keeps = keeps;
    s.first_byte = Instant{};
    if (s.state == State::idle) {
        leave_idle(id);
        s.state = State::arriving;
    }
    Duration takes = network_time();
    if (s.pace.send_rate > 0) {
        s.first_byte = time_.now + takes;
        const Duration slow = spooned(request_head, s.pace.send_rate);
        if (slow > rules().head_timeout && rules().head_timeout > Duration{}) {
            time_.in(takes + rules().head_timeout, EventKind::head_limit, id, s.life);
            return;
        }
        takes += slow;
    }
    if (takes > Duration{}) {
        time_.in(takes, EventKind::request_arrives, id, s.life);
    } else {
        request_here(id);
    }
}

/// Its head took longer than it may.
void Server::slow_request(SessionId id) {
    Session& s = at(id);
    if (s.state == State::in_backlog || s.state == State::binding) return;  // nobody reads yet
    answer_without_worker(id, s.refused ? 503 : 408);
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
    ++s.task.token;
    count_end(s);
    if (s.slot >= 0) let_go(id);
    slots_.close(std::exchange(s.home, core::WorkerSlots::nowhere));
    --open_;
    free_sessions_.push_back(id);
    if (held_.empty()) {
        accept_more();
    } else {
        admit_held();  // a worker that accepts ahead has room again
    }
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
void Server::front_end(SessionId id, bool answers) {
    const Job job{id, answers, at(id).life};
    if (front_end_busy_) {
        jobs_.push_back(job);
        return;
    }
    begin_job(job);
    if (!front_end_busy_ && !jobs_.empty()) next_job();
}

/// It is idle. A job that costs nothing is done at once; what that gives it to do waits meanwhile.
void Server::begin_job(const Job& job) {
    Session& s = at(job.session);
    if (!job.answers && s.life == job.life) {
        s.reply.received = s.first_byte == Instant{} ? time_.now : s.first_byte;
    }
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
    if (s.life != job.life) return {};
    const Generation& now = generation();
    if (job.answers) return now.prices.each().answer + now.prices.body(s.task.body);
    if (!now.programs[s.planned.route].inline_answer) return now.prices.each().parse;
    const Bytes size = now.system.routes[s.planned.route].size;
    return now.prices.each().parse + now.prices.each().answer +
           now.prices.body(static_cast<std::uint64_t>(size.count));
}

void Server::do_job(const Job& job) {
    if (at(job.session).life != job.life) return;  // gone with its worker
    if (job.answers) {
        write_answer(job.session);
    } else {
        request_read(job.session);
    }
}

void Server::read_request(SessionId id) {
    at(id).state = State::arriving;
    at(id).request_here = false;
    front_end(id, false);
}

void Server::request_read(SessionId id) {
    Session& s = at(id);
    s.task.body = 0;
    s.read_at = time_.now;
    if (generation().programs[s.planned.route].inline_answer) {
        s.reply.status = 200;
        s.reply.tells_times = false;  // as of a prepared answer
        s.reply.closes = !s.keeps || !rules().keep_alive || s.worker_leaves;
        s.reply.made_for = s.planned.user;
        s.reply.language = s.language;
        s.task.cursor.ended = true;
        s.task.versions.clear();
        write_answer(id);
    } else {
        ask_for_worker(id);
    }
}

void Server::answer_without_worker(SessionId id, std::uint16_t status) {
    Session& s = at(id);
    s.reply = {};
    s.reply.status = status;
    s.reply.closes = true;
    s.task.body = 0;
    s.task.cursor.ended = true;
    s.task.versions.clear();
    s.state = State::answering;
    front_end(id, true);
}

// ---------------------------------------------------------------- answers

void Server::respond(SessionId id) {
    Session& s = at(id);
    Task& t = s.task;
    s.reply.status = t.effect.status;
    s.reply.ready = t.cursor.since;
    s.reply.tells_times = true;
    s.reply.made_for = t.made_for;
    s.reply.language = t.language;
    s.reply.closes = !s.keeps || !rules().keep_alive || s.worker_leaves;
    if (t.effect.status != 200) t.body = 0;
    s.state = State::answering;
    finish_task(t, id);
    tell(RequestEvent::Kind::answered, s);
    const Duration hand_off = costs().hand_off;
    if (hand_off > Duration{} && !front_end_busy_) {
        time_.in(hand_off, EventKind::answer_posted, id, s.life);
    } else {
        front_end(id, true);
    }
}

/// How long a slow reader takes for the answer: until the rest is in its kernel, or all is read.
Duration Server::reading_time(const Session& s, bool in_kernel) const {
    if (s.pace.read_rate <= 0) return {};
    const auto bytes = answer_head + static_cast<std::int64_t>(s.task.body);
    return spooned(in_kernel ? bytes - slow_buffer : bytes, s.pace.read_rate);
}

void Server::write_answer(SessionId id) {
    Session& s = at(id);
    s.state = State::answering;
    const Duration takes = costs().network + reading_time(s, true);
    if (takes > Duration{}) {
        time_.in(takes, EventKind::answer_arrives, id, s.life);
    } else {
        delivered(id);
    }
}

/// The answer has left the server: the rest of the program runs.
void Server::delivered(SessionId id) {
    Session& s = at(id);
    const bool keeps_worker = !s.reply.closes && s.client != nobody && s.bound &&
                              s.bind_at_accept && rules().bind == BindPoint::accept;
    core::Cursor& cursor = s.task.cursor;
    while (!cursor.ended) s.task.effect = core::next(cursor, outcome());
    s.task.effect = {};  // no request
    s.answered_before = true;
    count_end(s);
    if (s.slot >= 0) {
        if (keeps_worker) {
            if (!on_loops()) seat(s.slot).request = 0;
        } else {
            s.bound = false;
            let_go(id);
        }
    }
    const Duration rest = generation().system.network.delay + reading_time(s, false) -
                          reading_time(s, true);
    if (rest > Duration{} && s.client != nobody) {
        time_.in(rest, EventKind::answer_seen, id, s.life);
    } else {
        seen(id);
    }
}

/// The answer is with the client: the connection waits for the next request or goes.
void Server::seen(SessionId id) {
    Session& s = at(id);
    const ConnectionId client = s.client;
    const bool closes = s.reply.closes;
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
        case EventKind::write_patience:
            return expire_writers();
        case EventKind::lives:
            return look_after_workers();
        case EventKind::idle_limit:
            return close_idle();
        case EventKind::row_changes:
            if (event.token == changes_token_) change_row();
            return;
        case EventKind::loop_turn:
            if (event.token == loop(event.who).token) {
                loop(event.who).wakes = Instant::max();
                run_loop(event.who);
            }
            return;
        case EventKind::resume:
            if (event.token == task(event.who).token) resumed(event.who);
            return;
        case EventKind::lock_ask:
            if (event.token == task(event.who).token) lock_asked(event.who);
            return;
        case EventKind::lock_wake:
            if (event.token == task(event.who).token) lock_woken(event.who);
            return;
        case EventKind::query_limit:
            if (event.token == task(event.who).token) query_over(event.who);
            return;
        default:
            break;
    }
    if (event.token == at(event.who).life) handle_session(event);
}

void Server::handle_session(const Event& event) {
    const SessionId id = event.who;
    switch (event.kind()) {
        case EventKind::request_arrives:
            return request_here(id);
        case EventKind::head_limit:
            return slow_request(id);
        case EventKind::hang_up_arrives:
            return hung_up(id);
        case EventKind::answer_posted:
            return front_end(id, true);
        case EventKind::answer_arrives:
            return delivered(id);
        case EventKind::answer_seen:
            return seen(id);
        default:
            LAB_ASSERT(false);
    }
}

void Server::handle_cores() {
    while (const auto thread = cores_.finish(time_.now)) {
        if (*thread > 0) {
            computed(*thread);
            continue;
        }
        do_job(job_);
        next_job();
    }
    cores_changed();
}

void Server::drain_ready() {
    while (!ready_.empty() || !loops_due_.empty() || !doomed_.empty()) {
        if (!doomed_.empty()) kill_doomed();
        for (std::size_t i = 0; i < ready_.size(); ++i) {
            const Ready next = ready_[i];  // the vector may grow meanwhile
            drive(next.task, next.outcome);
        }
        ready_.clear();
        for (std::size_t i = 0; i < loops_due_.size(); ++i) run_loop(loops_due_[i]);
        loops_due_.clear();
    }
}

}  // namespace lab::virtual_time
