// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include "lab/assert.hpp"
#include "live/generator_loop.hpp"
#include "live/language.hpp"

namespace lab::live {

namespace {

/// A user whose request could not be made tries again after this: a broken server must not make a
/// spin.
constexpr Duration pause_after_failure = 10ms;

Ending ending_of(int status) {
    if (status < 400) return Ending::ok;
    if (status < 500) return Ending::http_4xx;
    return status == 503 ? Ending::rejected : Ending::http_5xx;
}

}  // namespace

void LoadLoop::release_planned(const core::Planned& planned, bool of_crowd, Instant now) {
    ClientRequest* request = nullptr;
    if (free_requests_.empty()) {
        request = &requests_.emplace_back();
    } else {
        request = free_requests_.back();
        free_requests_.pop_back();
    }
    request->planned = planned;
    request->released = now;
    request->assigned = request->sent = Instant{};
    request->give_up = planned.intended + load_.timeout;
    request->deadline = load_.deadline;
    request->connection = nullptr;
    request->of_crowd = of_crowd;
    request->resent = request->answered = false;
    request->watched = watching_;
    request->attempts = 0;
    request->retried = Instant{};
    last_id_ = std::max(last_id_, core::visit_of(planned.id));
    live_.push_back(*request);
    recorder_.planned(planned.id, planned.intended);
    if (watching_) {
        watch(*request, now);
    } else {
        dispatch(*request, now);
    }
}

/// An idle connection, else a new one, else the backlog, where its clock runs on.
void LoadLoop::dispatch(ClientRequest& request, Instant now) {
    if (ClientConnection* idle = take_idle(request)) {
        attach(*idle, request, now);
        hand_over(*idle, now);
    } else if (open_ < static_cast<std::size_t>(load_.connections)) {
        ClientConnection* connection = take_closed();
        ++open_;
        attach(*connection, request, now);
        open(*connection);
    } else if (request.of_crowd || waiting_count_ < static_cast<std::size_t>(load_.backlog)) {
        waiting_.push_back(request);  // users are few: each has one request at most
        ++waiting_count_;
    } else {
        if (request.watched) {
            breaker_.called_off(request.permit);
            end_watched(request, Ending::not_sent, now, pause_after_failure, now);
            return;
        }
        end(request, Ending::not_sent, now, nullptr);
        continue_user(request, pause_after_failure, now);
        forget(request);
    }
}

/// Every opening of a connection goes this way: some connections are slow, each network too.
void LoadLoop::open(ClientConnection& connection) {
    const std::uint64_t n = openings_++;
    Pace pace;
    pace.delay = network_.delay;
    if (core::in_share(n, load_.slow.readers)) pace.read_rate = load_.slow.read_rate.count;
    if (core::in_share(n, load_.slow.senders)) pace.send_rate = load_.slow.send_rate.count;
    connection.generation = pace_generation_;
    connection.open(endpoint_, pace);
}

void LoadLoop::hand_over(ClientConnection& connection, Instant now) {
    ClientRequest& request = *connection.request;
    const RequestTemplate& wording = templates_[request.planned.route];
    const bool is_copy = request.copy == &connection && request.watched;
    if (is_copy) {
        request.copy_sent = now;
    } else {
        request.sent = now;
    }
    if (options_.truth != nullptr && !is_copy) {
        for (std::size_t i = 0; i < wording.queries.size(); ++i) {
            request.committed[i] =
                options_.truth->committed(wording.queries[i], request.planned.key);
        }
    }
    // Before the write: the server may have it before the call returns.
    recorder_.sent(request.planned.id, request.planned.intended, now,
                   is_copy                ? measure::Attempt::hedge
                   : request.attempts > 1 ? measure::Attempt::retry
                                          : measure::Attempt::first);
    if (request.watched && !is_copy) attempt_sent(request, now);
    request.language = language_of(request.planned.user, load_.languages);
    connection.send(write_request(wording, request.planned, load_.keep_alive, connection.text(),
                                  load_.languages));
}

/// The last step of every request: it leaves the lists and enters the books. `request` is still
/// readable.
void LoadLoop::end(ClientRequest& request, Ending ending, Instant done,
                   const ReceivedAnswer* answer) {
    measure::Sample sample;
    sample.id = request.planned.id;
    sample.intended = request.planned.intended;
    sample.released = request.released;
    sample.retried = request.retried;
    sample.assigned = request.assigned;
    sample.sent = request.sent;
    sample.done = done;
    sample.ending = ending;
    sample.network = 2 * network_.delay;
    request.answered = ending == Ending::ok;
    if (request.watched) {
        sample.abandoned = ending == Ending::timed_out && request.leaves && done == request.give_up;
        sample.held_back = ending == Ending::not_sent && !request.permit.granted;
    }
    if (answer != nullptr) judge(request, *answer, sample);
    if (request.connection != nullptr) request.connection->request = nullptr;
    if (request.waiting.is_linked()) {
        request.waiting.unlink();
        --waiting_count_;
    }
    request.live.unlink();
    recorder_.ended(sample);
}

void LoadLoop::judge(const ClientRequest& request, const ReceivedAnswer& answer,
                     measure::Sample& sample) const {
    sample.server = answer.times;
    if (sample.ending != Ending::ok) return;
    sample.late = sample.done - sample.intended > request.deadline;
    if (options_.truth == nullptr) return;
    const RequestTemplate& wording = templates_[request.planned.route];
    sample.wrong_user =
        wording.personal && answer.made_for && *answer.made_for != request.planned.user;
    if (wording.localised && answer.language && *answer.language != request.language) {
        sample.wrong_user = true;
    }
    const std::size_t known = std::min(wording.queries.size(), answer.version_count);
    for (std::size_t i = 0; i < known; ++i) {
        sample.stale = sample.stale || answer.versions[i] < request.committed[i];
    }
}

void LoadLoop::forget(ClientRequest& request) {
    ++request.life;
    free_requests_.push_back(&request);
}

/// After a stop, or when the program was stopped: as if they had never been planned.
void LoadLoop::withdraw_all(Instant now) {
    std::vector<ClientConnection*> freed;
    std::vector<ClientRequest*> gone;
    waiting_.clear();
    waiting_count_ = 0;
    while (!live_.empty()) {
        ClientRequest& request = live_.front();
        live_.pop_front();
        recorder_.withdrawn(request.planned.id, request.planned.intended);
        for (ClientConnection* connection : {request.connection, request.copy}) {
            if (connection == nullptr) continue;
            connection->request = nullptr;
            connection->close();
            freed.push_back(connection);
        }
        request.copy = nullptr;
        if (request.watched) breaker_.called_off(request.permit);
        gone.push_back(&request);
    }
    for (ClientConnection* connection : freed) connection_free(*connection, now);
    for (ClientRequest* request : gone) {
        continue_user(*request, Duration{}, now);
        forget(*request);
    }
}

/// In closed loop the one who asked goes on. `pause`: the least he waits.
void LoadLoop::continue_user(const ClientRequest& ended, Duration pause, Instant now) {
    if (!ended.of_crowd) {
        if (load_.session > 1 && ended.answered) continue_visit(ended, now);
        return;
    }
    crowd_.finished(ended.planned.user, load_.think, pause, now);
}

ClientConnection* LoadLoop::take_idle(const ClientRequest& request) {
    if (idle_.empty() || !load_.keep_alive) return nullptr;
    ClientConnection* found = &idle_.front();
    if (request.of_crowd) {
        // Each user has a connection of his own while there are enough of them.
        const auto user = request.planned.user;
        ClientConnection* own =
            user < connection_of_user_.size() ? connection_of_user_[user] : nullptr;
        if (own != nullptr && own->user == user && own->idle.is_linked()) {
            found = own;
        } else if (open_ < static_cast<std::size_t>(load_.connections)) {
            return nullptr;
        }
    }
    found->idle.unlink();
    return found;
}

ClientConnection* LoadLoop::take_closed() {
    if (closed_connections_.empty()) {
        ConnectionOwner& owner = *this;
        connections_.push_back(std::make_unique<ClientConnection>(io_, owner));
        return connections_.back().get();
    }
    ClientConnection* connection = closed_connections_.back();
    closed_connections_.pop_back();
    return connection;
}

void LoadLoop::attach(ClientConnection& connection, ClientRequest& request, Instant now) {
    connection.request = &request;
    request.connection = &connection;
    request.assigned = now;
    if (!request.of_crowd) return;
    const auto user = request.planned.user;
    connection.user = user;
    if (connection_of_user_.size() <= user) connection_of_user_.resize(user + 1);
    connection_of_user_[user] = &connection;
}

/// The request that it carried has ended. Whoever waits longest gets it, opened anew where it was
/// closed.
void LoadLoop::connection_free(ClientConnection& connection, Instant now) {
    const bool too_many = open_ > static_cast<std::size_t>(load_.connections);
    const bool outdated = connection.generation != pace_generation_;
    if (!connection.is_closed() && (too_many || outdated || !load_.keep_alive)) {
        connection.close();
    }
    if (waiting_.empty() || too_many) {
        if (connection.is_closed()) {
            --open_;
            closed_connections_.push_back(&connection);
        } else {
            idle_.push_front(connection);
        }
        return;
    }
    ClientRequest& next = waiting_.front();
    waiting_.pop_front();
    --waiting_count_;
    attach(connection, next, now);
    if (connection.is_closed()) {
        open(connection);
    } else {
        hand_over(connection, now);
    }
}

/// Closes idle connections, the longest idle first, until at most `keep_open` are open.
void LoadLoop::close_idle(std::size_t keep_open) {
    while (open_ > keep_open && !idle_.empty()) {
        ClientConnection& oldest = idle_.back();
        idle_.pop_back();
        oldest.close();
        --open_;
        closed_connections_.push_back(&oldest);
    }
}

/// More connections are allowed than before.
void LoadLoop::open_for_waiting(Instant now) {
    while (!waiting_.empty() && open_ < static_cast<std::size_t>(load_.connections)) {
        ClientRequest& next = waiting_.front();
        waiting_.pop_front();
        --waiting_count_;
        ClientConnection* connection = take_closed();
        ++open_;
        attach(*connection, next, now);
        open(*connection);
    }
}

void LoadLoop::on_connected(ClientConnection& connection, Instant now) {
    if (seen_alive(now)) return;
    LAB_ASSERT(connection.request != nullptr);
    hand_over(connection, now);
}

void LoadLoop::on_answer(ClientConnection& connection, Instant now) {
    if (seen_alive(now)) return;
    LAB_ASSERT(connection.request != nullptr);
    settle(connection, ending_of(connection.answer().status), now);
}

/// Ends the request that the connection carries, and goes on with both.
void LoadLoop::settle(ClientConnection& connection, Ending ending, Instant now) {
    ClientRequest& request = *connection.request;
    if (request.watched) {
        settle_watched(connection, ending, now);
        return;
    }
    const bool answered = ending != Ending::reset && ending != Ending::not_sent;
    if (now >= request.give_up) {
        // Too late by less than a tick: who gives up does not take an answer after it.
        connection.close();
        end(request, Ending::timed_out, request.give_up, nullptr);
    } else {
        end(request, ending, now, answered ? &connection.answer() : nullptr);
    }
    connection_free(connection, now);
    continue_user(request, answered ? Duration{} : pause_after_failure, now);
    forget(request);
    next_turns(now);
}

void LoadLoop::on_broken(ClientConnection& connection, Breakage cause, bool answer_begun,
                         Instant now) {
    if (connection.request == nullptr) {  // closed while idle, as servers do
        connection.idle.unlink();
        --open_;
        closed_connections_.push_back(&connection);
        seen_alive(now);
        return;
    }
    if (seen_alive(now)) return;
    ClientRequest& request = *connection.request;
    const bool closing_race = cause == Breakage::closed && !answer_begun &&
                              connection.answers() > 0 && !request.resent &&
                              templates_[request.planned.route].safe_to_repeat;
    if (closing_race) {
        // It crossed with the server's closing an idle connection (RFC 9112 9.3.1): once more, its
        // clock running on.
        request.resent = true;
        open(connection);
        return;
    }
    settle(connection, cause == Breakage::own_shortage ? Ending::not_sent : Ending::reset, now);
}

}  // namespace lab::live
