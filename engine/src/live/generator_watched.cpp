// SPDX-License-Identifier: GPL-3.0-or-later
// Requests that may be given up early, made again, held back or sent twice, and visits of several
// requests. Alarms are kept in one heap with one timer; each knows the life and the attempt that it
// was set for, so that none is ever taken out.
#include <algorithm>

#include "live/generator_loop.hpp"

namespace lab::live {

namespace {

/// A user whose request failed asks again no sooner than this in closed loop.
constexpr Duration pause_after_failure = 10ms;
/// Visitors who think at the same time, at most: who would be one more leaves.
constexpr std::size_t most_visits = 100'000;
constexpr std::size_t many_alarms = 50'000;

constexpr auto later_alarm = [](const auto& a, const auto& b) { return a.at > b.at; };
constexpr auto later_visit = [](const core::Planned& a, const core::Planned& b) {
    return a.intended != b.intended ? a.intended > b.intended : a.id > b.id;
};

bool is_failure(Ending ending) {
    return ending != Ending::ok && ending != Ending::http_4xx && ending != Ending::not_sent;
}

}  // namespace

/// What costs something only where it is asked for.
void LoadLoop::set_watching() {
    const bool patience = load_.patience.a > Duration{} || load_.patience.b > Duration{};
    const bool attempts = load_.retry.most > 0 || load_.retry.attempt_timeout > Duration{};
    const bool copies = load_.hedge.after > Duration{} || load_.hedge.percentile > 0;
    watching_ = patience || attempts || copies || load_.breaker.share > 0;
}

void LoadLoop::watch(ClientRequest& request, Instant now) {
    const core::GiveUp end = core::give_up_at(load_, options_.seed, request.planned);
    request.give_up = end.at;
    request.leaves = end.leaves;
    request.copy = nullptr;
    retry_.begun();
    if (end.leaves) set_alarm(end.at, request, Alarm::give_up, false);
    begin_attempt(request, now);
}

void LoadLoop::begin_attempt(ClientRequest& request, Instant now) {
    request.permit = breaker_.admit(now);
    if (!request.permit.granted) {
        // Held back, or, after an attempt that failed, ended as that one did.
        const Ending ending = request.attempts == 0 ? Ending::not_sent : request.last;
        end_watched(request, ending, now, pause_after_failure, now);
        return;
    }
    ++request.attempts;
    if (request.attempts > 1) request.retried = now;
    const Duration limit = load_.retry.attempt_timeout;
    if (limit > Duration{}) set_alarm(now + limit, request, Alarm::attempt, true);
    dispatch(request, now);
}

/// The attempt is on its way: after a while a second copy may follow.
void LoadLoop::attempt_sent(ClientRequest& request, Instant now) {
    if (const auto delay = hedge_.delay()) set_alarm(now + *delay, request, Alarm::copy, true);
}

/// A connection has an answer, or has broken.
void LoadLoop::settle_watched(ClientConnection& connection, Ending ending, Instant now) {
    ClientRequest& request = *connection.request;
    const bool is_copy = &connection == request.copy;
    ClientConnection* const other = is_copy ? request.connection : request.copy;
    if (now >= request.give_up) {
        give_up(request, now);
    } else if ((is_failure(ending) || ending == Ending::not_sent) && other != nullptr) {
        // The other copy may still be answered.
        request.connection = other;
        request.copy = nullptr;
        if (!is_copy) {
            request.retried = request.assigned = request.copied;
            request.sent = request.copy_sent;
        }
        connection.request = nullptr;
        connection_free(connection, now);
    } else if (is_failure(ending)) {
        fail_attempt(request, ending, now, now);
    } else {
        if (ending == Ending::not_sent) {
            breaker_.called_off(request.permit);
        } else {
            breaker_.ended(request.permit, false, now);
        }
        if (ending == Ending::ok) hedge_.answered(now - request.sent);
        if (is_copy) {  // what came before it was another attempt, as far as its parts go
            request.retried = request.assigned = request.copied;
            request.sent = request.copy_sent;
        }
        const bool answered = ending != Ending::not_sent;
        end(request, ending, now, answered ? &connection.answer() : nullptr);
        leave_connections(request, &connection, now);
        continue_user(request, answered ? Duration{} : pause_after_failure, now);
        forget(request);
    }
    next_turns(now);
}

/// The attempt in hand has failed at `done`: another one follows, or the request ends so.
void LoadLoop::fail_attempt(ClientRequest& request, Ending ending, Instant done, Instant now) {
    breaker_.ended(request.permit, true, now);
    if (try_again(request, ending, now)) return;
    const bool answered = ending != Ending::timed_out && ending != Ending::reset;
    const ClientConnection* const keep = answered ? request.connection : nullptr;
    if (answered) {
        end(request, ending, done, &request.connection->answer());
    } else {
        end(request, ending, done, nullptr);
    }
    leave_connections(request, keep, now);
    continue_user(request, answered ? Duration{} : pause_after_failure, now);
    forget(request);
}

/// False: no more attempts for it.
bool LoadLoop::try_again(ClientRequest& request, Ending ending, Instant now) {
    if (!templates_[request.planned.route].safe_to_repeat) return false;
    const auto pause = retry_.next(request.planned.id, request.attempts, ending);
    if (!pause || now + *pause >= request.give_up) return false;
    const bool answered = ending != Ending::timed_out && ending != Ending::reset;
    if (request.waiting.is_linked()) {
        request.waiting.unlink();
        --waiting_count_;
    }
    leave_connections(request, answered ? request.connection : nullptr, now);
    request.permit = {};
    request.last = ending;
    set_alarm(now + *pause, request, Alarm::again, true);
    return true;
}

/// The time limit, or the user's patience, is over.
void LoadLoop::give_up(ClientRequest& request, Instant now) {
    if (request.leaves) {
        breaker_.called_off(request.permit);
    } else {
        breaker_.ended(request.permit, true, now);
    }
    end_watched(request, Ending::timed_out, request.give_up, Duration{}, now);
}

/// The end of a request that has no answer.
void LoadLoop::end_watched(ClientRequest& request, Ending ending, Instant done, Duration pause,
                           Instant now) {
    end(request, ending, done, nullptr);
    leave_connections(request, nullptr, now);
    continue_user(request, pause, now);
    forget(request);
}

/// Takes the request off its connections. All are closed but the one with a whole answer: what is
/// still to come on the others belongs to nobody.
void LoadLoop::leave_connections(ClientRequest& request, const ClientConnection* answered,
                                 Instant now) {
    ClientConnection* const held[] = {request.connection, request.copy};
    request.connection = request.copy = nullptr;
    for (ClientConnection* connection : held) {
        if (connection == nullptr) continue;
        connection->request = nullptr;
        if (connection != answered) connection->close();
        connection_free(*connection, now);
    }
}

/// Beside the first: on a connection that is free, or a new one; where there is none, not at all.
void LoadLoop::send_copy(ClientRequest& request, Instant now) {
    const bool under_way = request.connection != nullptr && request.sent != Instant{};
    if (!under_way || request.copy != nullptr || !waiting_.empty()) return;
    if (!templates_[request.planned.route].safe_to_repeat) return;
    ClientConnection* connection = take_idle(request);
    const bool fresh = connection == nullptr;
    if (fresh) {
        if (open_ >= static_cast<std::size_t>(load_.connections)) return;
        connection = take_closed();
        ++open_;
    }
    connection->request = &request;
    request.copy = connection;
    request.copied = now;
    if (fresh) {
        open(*connection);
    } else {
        hand_over(*connection, now);
    }
}

void LoadLoop::set_alarm(Instant at, ClientRequest& request, Alarm what, bool of_attempt) {
    if (alarms_.size() > std::max(many_alarms, 8 * requests_.size())) {  // most are out of date
        std::erase_if(alarms_, [](const Due& due) { return due.request->life != due.life; });
        std::make_heap(alarms_.begin(), alarms_.end(), later_alarm);
    }
    alarms_.push_back({at, &request, request.life, of_attempt ? request.attempts : 0, what});
    std::push_heap(alarms_.begin(), alarms_.end(), later_alarm);
    if (at < alarm_set_) arm_alarm();
}

void LoadLoop::arm_alarm() {
    if (alarms_.empty() || phase_ == Phase::done) return;
    alarm_set_ = alarms_.front().at;
    alarm_timer_.expires_at(alarm_set_);
    alarm_timer_.async_wait([this](boost::system::error_code error) {
        if (error || phase_ == Phase::done) return;
        alarm_set_ = Instant::max();
        const Instant now = std::chrono::steady_clock::now();
        seen_alive(now);
        ring(now);
        next_turns(now);
        arm_alarm();
    });
}

void LoadLoop::ring(Instant now) {
    while (!alarms_.empty() && alarms_.front().at <= now) {
        std::pop_heap(alarms_.begin(), alarms_.end(), later_alarm);
        const Due due = alarms_.back();
        alarms_.pop_back();
        ClientRequest& request = *due.request;
        if (request.life != due.life) continue;
        if (due.attempt != 0 && request.attempts != due.attempt) continue;
        switch (due.what) {
            case Alarm::give_up:
                give_up(request, now);
                break;
            case Alarm::attempt:
                if (request.permit.granted) fail_attempt(request, Ending::timed_out, due.at, now);
                break;
            case Alarm::again:
                begin_attempt(request, now);
                break;
            case Alarm::copy:
                if (request.permit.granted) send_copy(request, now);
                break;
        }
    }
}

/// Open loop: a visitor who was answered thinks, and asks again or leaves.
void LoadLoop::continue_visit(const ClientRequest& ended, Instant now) {
    if (!issuing() || load_.model != LoadModel::open || visits_.size() >= most_visits) return;
    const auto next = core::next_of_visit(load_, options_.seed, ended.planned, now);
    if (!next) return;
    visits_.push_back(*next);
    std::push_heap(visits_.begin(), visits_.end(), later_visit);
    arm_arrivals();
}

core::Planned LoadLoop::next_of_visits() {
    std::pop_heap(visits_.begin(), visits_.end(), later_visit);
    const core::Planned next = visits_.back();
    visits_.pop_back();
    return next;
}

void LoadLoop::postpone_visits(Instant now) {
    for (core::Planned& visit : visits_) visit.intended = std::max(visit.intended, now);
    std::make_heap(visits_.begin(), visits_.end(), later_visit);
}

}  // namespace lab::live
