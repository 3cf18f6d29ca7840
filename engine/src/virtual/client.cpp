// SPDX-License-Identifier: GPL-3.0-or-later
#include "virtual/client.hpp"

#include <algorithm>
#include <utility>

#include "core/language.hpp"
#include "lab/assert.hpp"

namespace lab::virtual_time {

namespace {

/// A user whose request could not be made tries again after this, as in the live generator.
constexpr Duration pause_after_failure = 10ms;
/// An unheard knock is repeated after 1 s, then twice as long each time (Linux, tcp_retries).
constexpr Duration first_knock_again = 1s;
constexpr std::uint32_t most_knocks = 7;
constexpr std::uint64_t trace_factor = 0x9e37'79b9'7f4a'7c15U;

Ending ending_of(int status) {
    if (status < 400) return Ending::ok;
    if (status < 500) return Ending::http_4xx;
    return status == 503 ? Ending::rejected : Ending::http_5xx;
}

}  // namespace

Client::Client(Timeline& time, Server& server, measure::Recorder& recorder, Options options)
    : time_{time},
      server_{server},
      recorder_{recorder},
      options_{std::move(options)},
      load_{options_.load},
      mix_{load_, core::route_weights(server.generation().system.routes, load_), options_.seed},
      schedule_{load_, options_.seed, options_.start},
      crowd_{options_.seed},
      network_{options_.network},
      retry_{load_.retry, options_.seed},
      breaker_{load_.breaker},
      hedge_{load_.hedge},
      shortest_timeout_{load_.timeout} {
    server_.set_client(*this);
    set_watching();
    if (load_.model == LoadModel::closed) {
        crowd_.resize(static_cast<std::size_t>(load_.users), load_.think, options_.start);
    }
    look_ahead();
}

// ---------------------------------------------------------------- the plan

void Client::look_ahead() {
    if (!issuing_) {
        next_arrival_ = Instant::max();
        return;
    }
    next_arrival_ = load_.model == LoadModel::open ? schedule_.peek() : crowd_.next_due();
    if (!visits_.empty()) next_arrival_ = std::min(next_arrival_, visits_.front().intended);
    if (next_arrival_ >= options_.window_to) next_arrival_ = Instant::max();
}

void Client::release() {
    core::Planned planned;
    const bool closed = load_.model == LoadModel::closed;
    if (closed) {
        const auto turn = crowd_.take(time_.now);
        LAB_ASSERT(turn.has_value());
        planned.id = turn->id;
        planned.intended = turn->intended;
        mix_.describe(planned);
        planned.user = turn->user;
    } else if (!visits_.empty() && visits_.front().intended < schedule_.peek()) {
        planned = next_of_visits();
        const auto user = planned.user;
        mix_.describe(planned);
        planned.user = user;
    } else {
        planned.intended = schedule_.peek();
        planned.id = schedule_base_ + schedule_.take();
        mix_.describe(planned);
    }
    release_planned(planned, closed);
    if (options_.requests && planned.intended >= options_.window_from &&
        ++due_in_window_ >= *options_.requests) {
        window_closed_ = planned.intended + 1ns;
        end_of_plan();
    }
    look_ahead();
}

void Client::end_of_plan() {
    issuing_ = false;
    look_ahead();
}

void Client::release_planned(const core::Planned& planned, bool of_crowd) {
    if (free_requests_.empty()) {
        free_requests_.push_back(static_cast<Place>(requests_.size()));
        requests_.emplace_back();
    }
    const Place place = free_requests_.back();
    free_requests_.pop_back();
    Request& request = requests_.data()[place];
    request.planned = planned;
    request.assigned = request.sent = Instant{};
    request.give_up = planned.intended + load_.timeout;
    request.deadline = load_.deadline;
    request.connection = nobody;
    request.of_crowd = of_crowd;
    request.resent = request.answered = request.leaves = false;
    request.watched = watching_;
    request.attempts = 0;
    request.retried = Instant{};
    last_id_ = std::max(last_id_, core::visit_of(planned.id));
    append<&Request::live>(live_, place);
    ++live_count_;
    arm_give_up(request.give_up);
    recorder_.planned(planned.id, planned.intended);
    if (watching_) {
        watch(place);
    } else {
        dispatch(place);
    }
}

/// An idle connection, else a new one, else the backlog, where its clock runs on.
void Client::dispatch(Place place) {
    Request& request = requests_.data()[place];
    if (const ConnectionId idle = take_idle(request); idle != nobody) {
        attach(idle, place);
        hand_over(idle);
    } else if (open_ < static_cast<std::size_t>(load_.connections)) {
        const ConnectionId fresh = take_closed();
        ++open_;
        attach(fresh, place);
        open(fresh);
    } else if (request.of_crowd || waiting_.count < static_cast<std::size_t>(load_.backlog)) {
        append<&Request::waiting>(waiting_, place);
    } else if (request.watched) {
        breaker_.called_off(request.permit);
        end_watched(place, Ending::not_sent, pause_after_failure);
    } else {
        end(place, Ending::not_sent, {});
        continue_user(request, pause_after_failure);
        forget(place);
    }
}

void Client::hand_over(ConnectionId id) {
    const Connection& connection = connections_.data()[id];
    const Place place = connection.request;
    Request& request = requests_.data()[place];
    const bool is_copy = request.watched && request.copy == id;
    if (is_copy) {
        request.copy_sent = time_.now;
    } else {
        request.sent = time_.now;
        const auto& queries = server_.generation().programs[request.planned.route].queries;
        const std::size_t checked = std::min(queries.size(), request.committed.size());
        for (std::size_t i = 0; i < checked; ++i) {
            request.committed[i] = server_.committed(queries[i], request.planned.key);
        }
    }
    recorder_.sent(request.planned.id, request.planned.intended, time_.now,
                   is_copy                ? measure::Attempt::hedge
                   : request.attempts > 1 ? measure::Attempt::retry
                                          : measure::Attempt::first);
    if (request.watched && !is_copy) {
        // On its way: after a while a second copy may follow.
        if (const auto delay = hedge_.delay()) {
            set_alarm(time_.now + *delay, place, Alarm::copy, true);
        }
    }
    request.language = core::language_of(request.planned.user, load_.languages);
    server_.send(connection.session, request.planned, request.language, load_.keep_alive);
}

/// The last step of every request: it leaves the lists and enters the books.
void Client::end(Place place, Ending ending, std::optional<SessionId> answer) {
    Request& request = requests_.data()[place];
    measure::Sample sample;
    sample.id = request.planned.id;
    sample.intended = request.planned.intended;
    sample.released = request.planned.intended;
    sample.retried = request.retried;
    sample.assigned = request.assigned;
    sample.sent = request.sent;
    sample.done = time_.now;
    sample.ending = ending;
    sample.network = 2 * network_.delay;
    request.answered = ending == Ending::ok;
    if (request.watched) {
        const bool over = time_.now >= request.give_up;
        sample.abandoned = ending == Ending::timed_out && request.leaves && over;
        sample.held_back = ending == Ending::not_sent && !request.permit.granted;
    }
    if (answer) judge(request, *answer, sample);
    if (request.connection != nobody) connections_.data()[request.connection].request = nobody;
    if (request.waiting.linked) remove<&Request::waiting>(waiting_, place);
    remove<&Request::live>(live_, place);
    --live_count_;
    recorder_.ended(sample);
    trace_ = (trace_ ^ sample.id) * trace_factor;
    trace_ = (trace_ ^ (trace_ >> 29) ^ static_cast<std::uint64_t>(ending) ^
              static_cast<std::uint64_t>(sample.done.time_since_epoch().count())) *
             trace_factor;
    endings_now_ = last_ending_ == time_.now ? endings_now_ + 1 : 0;
    last_ending_ = time_.now;
}

void Client::judge(const Request& request, SessionId session, measure::Sample& sample) const {
    const Reply& reply = server_.reply(session);
    if (reply.tells_times) {
        const core::Cursor& cursor = server_.cursor(session);
        auto& times = sample.server.emplace();
        times.received = reply.received;
        times.ready = reply.ready;
        times.parts = cursor.parts;
        times.service = core::service_time(cursor.parts);
    }
    if (sample.ending != Ending::ok) return;
    sample.late = sample.done - sample.intended > request.deadline;
    const Route& route = server_.generation().system.routes[request.planned.route];
    sample.wrong_user = (route.personal && reply.made_for != request.planned.user) ||
                        (route.localised && reply.language != request.language);
    const auto& versions = server_.versions(session);
    const std::size_t known = std::min(versions.size(), request.committed.size());
    for (std::size_t i = 0; i < known; ++i) {
        sample.stale = sample.stale || versions[i] < request.committed[i];
    }
}

void Client::withdraw_all() {
    while (live_.first != nobody) {
        const Place place = live_.first;
        Request& request = requests_.data()[place];
        recorder_.withdrawn(request.planned.id, request.planned.intended);
        if (request.waiting.linked) remove<&Request::waiting>(waiting_, place);
        remove<&Request::live>(live_, place);
        --live_count_;
    }
}

void Client::forget(Place place) {
    ++requests_.data()[place].life;
    free_requests_.push_back(place);
}

/// In closed loop the one who asked goes on. `pause`: the least he waits.
void Client::continue_user(const Request& ended, Duration pause) {
    if (!ended.of_crowd) {
        if (load_.session > 1 && ended.answered) continue_visit(ended);
        return;
    }
    crowd_.finished(ended.planned.user, load_.think, pause, time_.now);
    look_ahead();
}

// ---------------------------------------------------------------- giving up

/// One alarm for all: the list is in the order of intended starts.
void Client::arm_give_up(Instant when) {
    if (when >= give_up_alarm_) return;
    give_up_alarm_ = when;
    time_.at(when, EventKind::give_up, 0);
}

void Client::give_up_overdue() {
    if (time_.now < give_up_alarm_) return;  // an alarm that was set anew for earlier
    give_up_alarm_ = Instant::max();
    Instant next = Instant::max();
    for (Place place = live_.first; place != nobody;) {
        const Request& request = requests_.data()[place];
        if (request.planned.intended + shortest_timeout_ > time_.now) {
            next = std::min(next, request.planned.intended + shortest_timeout_);
            break;
        }
        if (request.give_up > time_.now) {
            next = std::min(next, request.give_up);
            place = request.live.after;
            continue;
        }
        if (request.watched) {
            give_up(place);
        } else {
            const ConnectionId connection = request.connection;
            if (connection != nobody) close(connection);
            end(place, Ending::timed_out, {});
            if (connection != nobody) connection_free(connection);
            continue_user(requests_.data()[place], Duration{});
            forget(place);
        }
        place = live_.first;  // others may have ended with it
    }
    if (live_.first == nobody) shortest_timeout_ = load_.timeout;
    if (next != Instant::max()) arm_give_up(next);
}

// ---------------------------------------------------------------- connections

ConnectionId Client::take_idle(const Request& request) {
    if (idle_first_ == nobody || !load_.keep_alive) return nobody;
    ConnectionId found = idle_first_;
    if (request.of_crowd) {
        // Each user has a connection of his own while there are enough of them.
        const auto user = request.planned.user;
        const ConnectionId own =
            user < connection_of_user_.size() ? connection_of_user_[user] : nobody;
        if (own != nobody && connections_.data()[own].user == user &&
            connections_.data()[own].idle.linked) {
            found = own;
        } else if (open_ < static_cast<std::size_t>(load_.connections)) {
            return nobody;
        }
    }
    idle_remove(found);
    return found;
}

ConnectionId Client::take_closed() {
    if (closed_.empty()) {
        connections_.emplace_back();
        return static_cast<ConnectionId>(connections_.size() - 1);
    }
    const ConnectionId id = closed_.back();
    closed_.pop_back();
    return id;
}

void Client::attach(ConnectionId id, Place place) {
    Request& request = requests_.data()[place];
    connections_.data()[id].request = place;
    request.connection = id;
    request.assigned = time_.now;
    if (!request.of_crowd) return;
    const auto user = request.planned.user;
    connections_.data()[id].user = user;
    if (connection_of_user_.size() <= user) connection_of_user_.resize(user + 1, nobody);
    connection_of_user_[user] = id;
}

void Client::open(ConnectionId id) {
    Connection& connection = connections_.data()[id];
    connection.state = Connection::State::connecting;
    ++connection.life;
    connection.answered = false;
    if (connection.knocks == 0) {
        const std::uint64_t n = openings_++;
        const SlowClients& slow = load_.slow;
        connection.pace.read_rate = core::in_share(n, slow.readers) ? slow.read_rate.count : 0;
        connection.pace.send_rate = core::in_share(n, slow.senders) ? slow.send_rate.count : 0;
        connection.generation = pace_generation_;
    }
    const auto session = server_.knock(id, connection.life, connection.pace);
    if (!session) {
        const Duration pause = first_knock_again * (1 << std::min(connection.knocks, most_knocks));
        ++connection.knocks;
        time_.in(pause, EventKind::knock, id, connection.life);
        return;
    }
    connection.knocks = 0;
    connection.session = *session;
    // The handshake takes a round trip.
    const Duration takes = server_.generation().prices.each().connect + 2 * network_.delay;
    if (takes > Duration{}) {
        time_.in(takes, EventKind::connected, id, connection.life);
    } else {
        connected(id);
    }
}

void Client::connected(ConnectionId id) {
    connections_.data()[id].state = Connection::State::open;
    hand_over(id);
}

void Client::close(ConnectionId id) {
    Connection& connection = connections_.data()[id];
    ++connection.life;
    connection.knocks = 0;
    connection.state = Connection::State::closed;
    const SessionRef session = std::exchange(connection.session, SessionRef{});
    if (session.place != nobody) server_.hang_up(session);
}

/// The request that it carried has ended. Whoever waits longest gets it, opened anew where it was
/// closed.
void Client::connection_free(ConnectionId id) {
    const bool too_many = open_ > static_cast<std::size_t>(load_.connections);
    const auto is_closed = [&] {
        return connections_.data()[id].state == Connection::State::closed;
    };
    const bool outdated = connections_.data()[id].generation != pace_generation_;
    if (!is_closed() && (too_many || outdated || !load_.keep_alive)) close(id);
    if (waiting_.first == nobody || too_many) {
        if (is_closed()) {
            --open_;
            closed_.push_back(id);
        } else {
            idle_front(id);
        }
        return;
    }
    const Place next = waiting_.first;
    remove<&Request::waiting>(waiting_, next);
    attach(id, next);
    if (is_closed()) {
        open(id);
    } else {
        hand_over(id);
    }
}

/// Closes idle connections, the longest idle first, until at most `keep_open` are open.
void Client::close_idle(std::size_t keep_open) {
    while (open_ > keep_open && idle_last_ != nobody) {
        const ConnectionId oldest = idle_last_;
        idle_remove(oldest);
        close(oldest);
        --open_;
        closed_.push_back(oldest);
    }
}

/// More connections are allowed than before.
void Client::open_for_waiting() {
    while (waiting_.first != nobody && open_ < static_cast<std::size_t>(load_.connections)) {
        const Place next = waiting_.first;
        remove<&Request::waiting>(waiting_, next);
        const ConnectionId fresh = take_closed();
        ++open_;
        attach(fresh, next);
        open(fresh);
    }
}

void Client::answered(ConnectionId id, SessionId session) {
    Connection& connection = connections_.data()[id];
    LAB_ASSERT(connection.request != nobody);
    const Reply& reply = server_.reply(session);
    connection.answered = true;
    if (reply.closes) {  // the server forgets it by itself
        connection.session = {};
        connection.state = Connection::State::closed;
        ++connection.life;
    }
    settle(id, ending_of(reply.status), session);
}

/// Ends the request that the connection carries, and goes on with both.
void Client::settle(ConnectionId id, Ending ending, std::optional<SessionId> answer) {
    const Place place = connections_.data()[id].request;
    const Request& request = requests_.data()[place];
    if (request.watched) return settle_watched(id, ending, answer);
    if (time_.now >= request.give_up) {
        close(id);
        end(place, Ending::timed_out, {});
    } else {
        end(place, ending, answer);
    }
    connection_free(id);
    continue_user(requests_.data()[place], answer ? Duration{} : pause_after_failure);
    forget(place);
}

void Client::cut_off(ConnectionId id) {
    Connection& connection = connections_.data()[id];
    connection.session = {};
    connection.state = Connection::State::closed;
    ++connection.life;
    if (connection.request == nobody) {  // closed while idle, as servers do
        idle_remove(id);
        --open_;
        closed_.push_back(id);
        return;
    }
    Request& request = requests_.data()[connection.request];
    const Route& route = server_.generation().system.routes[request.planned.route];
    if (connection.answered && !request.resent && route.method == Method::get) {
        // It crossed with the server's closing an idle connection (RFC 9112 9.3.1): once more, its
        // clock running on.
        request.resent = true;
        open(id);
        return;
    }
    settle(id, Ending::reset, {});
}

// ---------------------------------------------------------------- events, settings

void Client::handle(const Event& event) {
    if (event.kind() == EventKind::give_up) return give_up_overdue();
    if (event.kind() == EventKind::alarm) return ring();
    const Connection& connection = connections_.data()[event.who];
    if (connection.life != event.token) return;
    if (event.kind() == EventKind::connected) {
        connected(event.who);
    } else if (event.kind() == EventKind::cut_off) {
        cut_off(event.who);
    } else if (event.kind() == EventKind::knock) {
        open(event.who);
    }
}

void Client::apply(Load load, const Network& network) {
    const Load before = std::exchange(load_, std::move(load));
    if (network_ != network || before.slow != load_.slow) {
        ++pace_generation_;
        close_idle(0);
    }
    network_ = network;
    retry_.change(load_.retry);
    breaker_.change(load_.breaker, time_.now);
    hedge_.change(load_.hedge);
    set_watching();
    mix_ = core::RequestMix{load_, core::route_weights(server_.generation().system.routes, load_),
                            options_.seed};
    if (load_.timeout < shortest_timeout_) {
        shortest_timeout_ = load_.timeout;
        if (live_.first != nobody) {
            arm_give_up(std::max(
                time_.now, requests_.data()[live_.first].planned.intended + shortest_timeout_));
        }
    }
    if (load_.model == LoadModel::open) {
        if (before.model == LoadModel::closed) {
            crowd_.dismiss(last_id_);
            const bool same_shape = before.shape.kind == load_.shape.kind;
            schedule_ = core::ArrivalSchedule{load_, options_.seed, time_.now,
                                              same_shape ? schedule_.origin() : time_.now};
            schedule_base_ = last_id_;
        } else {
            schedule_.change(load_, time_.now);
        }
    } else {
        visits_.clear();
        if (before.model == LoadModel::open) crowd_.dismiss(last_id_);
        crowd_.resize(static_cast<std::size_t>(load_.users), load_.think, time_.now);
    }
    close_idle(load_.keep_alive ? static_cast<std::size_t>(load_.connections) : 0);
    open_for_waiting();
    look_ahead();
}

// ---------------------------------------------------------------- lists

void Client::leave_waiting(Place place) { remove<&Request::waiting>(waiting_, place); }

template <Client::Links Client::Request::*links>
void Client::append(List& list, Place place) {
    Links& own = requests_.data()[place].*links;
    own = {list.last, nobody, true};
    (list.last == nobody ? list.first : (requests_.data()[list.last].*links).after) = place;
    list.last = place;
    ++list.count;
}

template <Client::Links Client::Request::*links>
void Client::remove(List& list, Place place) {
    Links& own = requests_.data()[place].*links;
    (own.before == nobody ? list.first : (requests_.data()[own.before].*links).after) = own.after;
    (own.after == nobody ? list.last : (requests_.data()[own.after].*links).before) = own.before;
    own.linked = false;
    --list.count;
}

void Client::idle_front(ConnectionId id) {
    connections_.data()[id].idle = {nobody, idle_first_, true};
    (idle_first_ == nobody ? idle_last_ : connections_.data()[idle_first_].idle.before) = id;
    idle_first_ = id;
}

void Client::idle_remove(ConnectionId id) {
    Links& own = connections_.data()[id].idle;
    (own.before == nobody ? idle_first_ : connections_.data()[own.before].idle.after) = own.after;
    (own.after == nobody ? idle_last_ : connections_.data()[own.after].idle.before) = own.before;
    own.linked = false;
}

}  // namespace lab::virtual_time
