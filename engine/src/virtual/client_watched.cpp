// SPDX-License-Identifier: GPL-3.0-or-later
// Requests that may be given up early, made again, held back or sent twice, and visits of several
// requests, as the live generator has them. Alarms are kept in one heap; each knows the life and
// the attempt that it was set for, so that none is ever taken out.
#include <algorithm>
#include <utility>

#include "virtual/client.hpp"

namespace lab::virtual_time {

namespace {

/// A user whose request failed asks again no sooner than this in closed loop.
constexpr Duration pause_after_failure = 10ms;
/// Visitors who think at the same time, at most: who would be one more leaves.
constexpr std::size_t most_visits = 100'000;
constexpr std::size_t many_alarms = 50'000;

constexpr auto later_alarm = [](const auto& a, const auto& b) {
    return a.at != b.at ? a.at > b.at : a.order > b.order;
};
constexpr auto later_visit = [](const core::Planned& a, const core::Planned& b) {
    return a.intended != b.intended ? a.intended > b.intended : a.id > b.id;
};

bool is_failure(Ending ending) {
    return ending != Ending::ok && ending != Ending::http_4xx && ending != Ending::not_sent;
}

}  // namespace

/// What costs something only where it is asked for.
void Client::set_watching() {
    const bool patience = load_.patience.a > Duration{} || load_.patience.b > Duration{};
    const bool attempts = load_.retry.most > 0 || load_.retry.attempt_timeout > Duration{};
    const bool copies = load_.hedge.after > Duration{} || load_.hedge.percentile > 0;
    watching_ = patience || attempts || copies || load_.breaker.share > 0;
}

void Client::watch(Place place) {
    Request& request = requests_.data()[place];
    const core::GiveUp end = core::give_up_at(load_, options_.seed, request.planned);
    request.give_up = end.at;
    request.leaves = end.leaves;
    request.copy = nobody;
    request.permit = {};
    retry_.begun();
    if (end.leaves) set_alarm(end.at, place, Alarm::give_up, false);
    begin_attempt(place);
}

void Client::begin_attempt(Place place) {
    Request& request = requests_.data()[place];
    request.permit = breaker_.admit(time_.now);
    if (!request.permit.granted) {
        // Held back, or, after an attempt that failed, ended as that one did.
        end_watched(place, request.attempts == 0 ? Ending::not_sent : request.last,
                    pause_after_failure);
        return;
    }
    ++request.attempts;
    if (request.attempts > 1) request.retried = time_.now;
    const Duration limit = load_.retry.attempt_timeout;
    if (limit > Duration{}) set_alarm(time_.now + limit, place, Alarm::attempt, true);
    dispatch(place);
}

/// A connection has an answer, or has broken.
void Client::settle_watched(ConnectionId id, Ending ending, std::optional<SessionId> answer) {
    const Place place = connections_.data()[id].request;
    Request& request = requests_.data()[place];
    const bool is_copy = id == request.copy;
    const ConnectionId other = is_copy ? request.connection : request.copy;
    if (time_.now >= request.give_up) {
        give_up(place);
    } else if (is_failure(ending) && other != nobody) {
        // The other copy may still be answered.
        request.connection = other;
        request.copy = nobody;
        if (!is_copy) {
            request.retried = request.assigned = request.copied;
            request.sent = request.copy_sent;
        }
        connections_.data()[id].request = nobody;
        connection_free(id);
    } else if (is_failure(ending)) {
        fail_attempt(place, ending, answer);
    } else {
        win(id, ending, answer);
    }
}

/// The request is answered.
void Client::win(ConnectionId id, Ending ending, std::optional<SessionId> answer) {
    const Place place = connections_.data()[id].request;
    Request& request = requests_.data()[place];
    breaker_.ended(request.permit, false, time_.now);
    if (ending == Ending::ok) hedge_.answered(time_.now - request.sent);
    if (id == request.copy) {  // what came before it was another attempt, as far as its parts go
        request.retried = request.assigned = request.copied;
        request.sent = request.copy_sent;
    }
    end(place, ending, answer);
    leave_connections(place, id);
    continue_user(requests_.data()[place], Duration{});
    forget(place);
}

/// The attempt in hand has failed: another one follows, or the request ends so.
void Client::fail_attempt(Place place, Ending ending, std::optional<SessionId> answer) {
    breaker_.ended(requests_.data()[place].permit, true, time_.now);
    if (try_again(place, ending)) return;
    const ConnectionId keep = answer ? requests_.data()[place].connection : nobody;
    end(place, ending, answer);
    leave_connections(place, keep);
    continue_user(requests_.data()[place], answer ? Duration{} : pause_after_failure);
    forget(place);
}

/// False: no more attempts for it.
bool Client::try_again(Place place, Ending ending) {
    Request& request = requests_.data()[place];
    const Route& route = server_.generation().system.routes[request.planned.route];
    if (route.method != Method::get) return false;
    const auto pause = retry_.next(request.planned.id, request.attempts, ending);
    if (!pause || time_.now + *pause >= request.give_up) return false;
    const bool answered = ending != Ending::timed_out && ending != Ending::reset;
    if (request.waiting.linked) leave_waiting(place);
    leave_connections(place, answered ? request.connection : nobody);
    Request& same = requests_.data()[place];
    same.permit = {};
    same.last = ending;
    set_alarm(time_.now + *pause, place, Alarm::again, true);
    return true;
}

/// The time limit, or the user's patience, is over.
void Client::give_up(Place place) {
    const Request& request = requests_.data()[place];
    if (request.leaves) {
        breaker_.called_off(request.permit);
    } else {
        breaker_.ended(request.permit, true, time_.now);
    }
    end_watched(place, Ending::timed_out, Duration{});
}

/// The end of a request that has no answer.
void Client::end_watched(Place place, Ending ending, Duration pause) {
    end(place, ending, {});
    leave_connections(place, nobody);
    continue_user(requests_.data()[place], pause);
    forget(place);
}

/// Takes the request off its connections. All are closed but the one with a whole answer: what is
/// still to come on the others belongs to nobody.
void Client::leave_connections(Place place, ConnectionId answered) {
    Request& request = requests_.data()[place];
    const ConnectionId held[] = {std::exchange(request.connection, nobody),
                                 std::exchange(request.copy, nobody)};
    for (const ConnectionId id : held) {
        if (id != nobody) connections_.data()[id].request = nobody;
    }
    for (const ConnectionId id : held) {
        if (id == nobody) continue;
        if (id != answered) close(id);
        connection_free(id);
    }
}

/// Beside the first: on a connection that is free, or a new one; where there is none, not at all.
void Client::send_copy(Place place) {
    Request& request = requests_.data()[place];
    const bool under_way = request.connection != nobody && request.sent != Instant{};
    if (!under_way || request.copy != nobody || waiting_.first != nobody) return;
    const Route& route = server_.generation().system.routes[request.planned.route];
    if (route.method != Method::get) return;
    ConnectionId id = take_idle(request);
    const bool fresh = id == nobody;
    if (fresh) {
        if (open_ >= static_cast<std::size_t>(load_.connections)) return;
        id = take_closed();
        ++open_;
    }
    connections_.data()[id].request = place;
    request.copy = id;
    request.copied = time_.now;
    if (fresh) {
        open(id);
    } else {
        hand_over(id);
    }
}

// ---------------------------------------------------------------- alarms

void Client::set_alarm(Instant at, Place place, Alarm what, bool of_attempt) {
    if (alarms_.size() > std::max(many_alarms, 8 * requests_.size())) {  // most are out of date
        std::erase_if(alarms_, [this](const Due& due) {
            return requests_.data()[due.request].life != due.life;
        });
        std::make_heap(alarms_.begin(), alarms_.end(), later_alarm);
    }
    const Request& request = requests_.data()[place];
    alarms_.push_back(
        {at, alarms_made_++, place, request.life, of_attempt ? request.attempts : 0, what});
    std::push_heap(alarms_.begin(), alarms_.end(), later_alarm);
    arm_alarm();
}

void Client::arm_alarm() {
    if (alarms_.empty() || alarms_.front().at >= alarm_set_) return;
    alarm_set_ = alarms_.front().at;
    time_.at(alarm_set_, EventKind::alarm, 0);
}

void Client::ring() {
    if (time_.now < alarm_set_) return;  // one that was set anew for earlier
    while (!alarms_.empty() && alarms_.front().at <= time_.now) {
        std::pop_heap(alarms_.begin(), alarms_.end(), later_alarm);
        const Due due = alarms_.back();
        alarms_.pop_back();
        const Request& request = requests_.data()[due.request];
        if (request.life != due.life) continue;
        if (due.attempt != 0 && request.attempts != due.attempt) continue;
        switch (due.what) {
            case Alarm::give_up:
                give_up(due.request);
                break;
            case Alarm::attempt:
                if (request.permit.granted) fail_attempt(due.request, Ending::timed_out, {});
                break;
            case Alarm::again:
                begin_attempt(due.request);
                break;
            case Alarm::copy:
                if (request.permit.granted) send_copy(due.request);
                break;
        }
    }
    alarm_set_ = Instant::max();
    arm_alarm();
}

Duration Client::take_breaker_open() {
    const Duration open = breaker_.not_closed(time_.now);
    return open - std::exchange(breaker_open_told_, open);
}

// ---------------------------------------------------------------- visits

/// Open loop: a visitor who was answered thinks, and asks again or leaves.
void Client::continue_visit(const Request& ended) {
    if (!issuing_ || load_.model != LoadModel::open || visits_.size() >= most_visits) return;
    const auto next = core::next_of_visit(load_, options_.seed, ended.planned, time_.now);
    if (!next) return;
    visits_.push_back(*next);
    std::push_heap(visits_.begin(), visits_.end(), later_visit);
    look_ahead();
}

core::Planned Client::next_of_visits() {
    std::pop_heap(visits_.begin(), visits_.end(), later_visit);
    const core::Planned next = visits_.back();
    visits_.pop_back();
    return next;
}

}  // namespace lab::virtual_time
