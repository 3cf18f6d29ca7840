// SPDX-License-Identifier: GPL-3.0-or-later
// The way of a request to a worker: held back, into a queue, to a thread or a loop, and off again.
#include <algorithm>
#include <limits>
#include <utility>

#include "lab/assert.hpp"
#include "virtual/server.hpp"

namespace lab::virtual_time {

namespace {

bool acquires_worker(const core::Effect& effect) {
    return effect.op == core::Op::acquire && effect.resource == core::ResourceId::worker;
}

}  // namespace

/// Whether what comes now has to wait unread.
bool Server::full() const {
    if (changing_) return true;
    const bool waits = rules().when_full == WhenFull::wait;
    if (!on_loops()) {
        // A worker that accepts ahead and has no room leaves the rest to the kernel, whatever is
        // set.
        return (waits || rules().dispatch == Dispatch::ahead) && slots_.full();
    }
    return waits && std::none_of(loops_.begin(), loops_.end(), [this](const auto& loop) {
               return !loop->draining && loop->outside.empty() &&
                      (loop->places.depth() < rules().queue ||
                       loop->places.busy() < loop->places.slots());
           });
}

void Server::ask_for_worker(SessionId id) {
    const Session& s = at(id);
    if (s.slot < 0 && s.home < 0 && !accepting()) {
        hold(id, false);
    } else {
        submit(id);
    }
}

void Server::hold(SessionId id, bool in_front) {
    Session& s = at(id);
    if (s.state != State::binding) s.state = State::held;
    if (in_front) {
        held_.push_front(id);
    } else {
        held_.push_back(id);
    }
}

void Server::admit_held() {
    while (!held_.empty() && !full()) {
        const SessionId id = held_.front();
        held_.pop_front();
        if (at(id).task.effect.op == core::Op::end && at(id).state == State::binding) {
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
    Task& t = s.task;
    s.state = State::in_hand;
    t.clear();
    t.generation = generations_.back().get();
    t.made_for = s.planned.user;
    t.language = s.language;
    s.reply.received += time_.now - s.read_at;
    s.read_at = time_.now;
    t.cursor = core::begin(t.generation->programs[s.planned.route], options_.seed, s.planned.id,
                           s.reply.received, time_.now);
    t.effect = core::next(t.cursor, outcome());
    LAB_ASSERT(acquires_worker(t.effect));
    if (s.slot >= 0) {
        put_to_work(id, true);
    } else {
        enter(id);
    }
}

/// Into the queue before the workers, with a request or without one.
void Server::enter(SessionId id) {
    if (on_loops()) return enter_loop(id);
    Session& s = at(id);
    if (changing_ || !find_home(s)) {
        hold(id, false);
        return;
    }
    const core::Grant granted = slots_.acquire(id, s.home, time_.now);
    switch (granted.admission) {
        case core::Admission::granted:
            grant(id, granted.slot, true);
            return;
        case core::Admission::queued:
            tell(RequestEvent::Kind::queued, s);
            if (rules().queue_timeout > Duration{}) set_queue_alarm();
            return;
        case core::Admission::refused:
            turn_away(id);
            return;
    }
}

/// False: it belongs to a worker, and none has room for it.
bool Server::find_home(Session& s) {
    if (rules().dispatch == Dispatch::shared || s.home >= 0) return true;
    s.home = slots_.open();
    return s.home >= 0;
}

/// The loop of its connection; a new one where it has none, or where that is to go.
LoopId Server::loop_of(Session& s) {
    if (s.loop < loops_.size() && !loop(s.loop).draining) return s.loop;
    std::size_t best = 0;
    int least = std::numeric_limits<int>::max();
    for (std::size_t i = 0; i < loops_.size(); ++i) {
        const std::size_t place = (loop_turn_ + i) % loops_.size();
        const Loop& one = *loops_[place];
        const int load = one.places.busy() + one.places.depth();
        if (one.draining || load >= least) continue;
        best = place;
        least = load;
    }
    loop_turn_ = best + 1;
    s.loop = static_cast<LoopId>(best);
    return s.loop;
}

void Server::enter_loop(SessionId id) {
    Session& s = at(id);
    Loop& own = loop(loop_of(s));
    if (rules().when_full == WhenFull::wait && !own.outside.empty()) {
        own.outside.push_back(id);
        return;
    }
    const core::Grant granted = own.places.acquire(id, time_.now);
    switch (granted.admission) {
        case core::Admission::granted:
            grant(id, granted.slot, true);
            return;
        case core::Admission::queued:
            tell(RequestEvent::Kind::queued, s);
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
            if (on_loops()) {
                loop(at(id).loop).outside.push_back(id);
            } else {
                hold(id, true);
            }
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
    if (acquires_worker(s.task.effect)) {
        ready(id, outcome(fault));
    } else if (s.request_here) {
        answer_without_worker(id, 503);
    } else {
        s.refused = true;
        s.state = State::arriving;
    }
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

void Server::grant(SessionId id, int slot, bool thread_sleeps) {
    Session& s = at(id);
    s.slot = slot;
    if (!on_loops()) {
        while (seats_.size() <= static_cast<std::size_t>(slot)) {  // a thread for each that comes
            seats_.emplace_back();
            seats_.back().thread = take_thread();
        }
        Seat& own = seat(slot);
        own.session = id;
        own.held_since = time_.now;
        if (workers_.size() <= static_cast<std::size_t>(slots_.worker_of(slot))) rebuild_workers();
    }
    if (s.state == State::in_hand) {
        put_to_work(id, thread_sleeps);
    } else {
        worker_bound(id);
    }
}

void Server::take_worker(Task& t, Worker* worker) {
    t.worker = worker;
    ++worker->users;
}

void Server::leave_worker(Task& t) {
    if (t.worker != nullptr) --t.worker->users;
    t.worker = nullptr;
}

void Server::put_to_work(SessionId id, bool thread_sleeps) {
    Session& s = at(id);
    Task& t = s.task;
    if (on_loops()) {
        take_worker(t, workers_[s.loop].get());
        tell(RequestEvent::Kind::started, s);
        start_on_loop(id);
        return;
    }
    Seat& own = seat(s.slot);
    own.request = s.planned.id;
    t.thread = own.thread;
    const int worker = slots_.worker_of(s.slot);
    take_worker(t, workers_[static_cast<std::size_t>(worker)].get());
    s.served_by = worker;
    tell(RequestEvent::Kind::started, s);
    const bool doomed = worker < lives_.workers() && lives_.begun(worker).has_value();
    const Duration hand_off = costs().hand_off;
    if (thread_sleeps && hand_off > Duration{}) {
        time_.in(hand_off, EventKind::resume, id, ++t.token);
    } else {
        ready(id, outcome());
    }
    if (doomed) doomed_.push_back(worker);  // what has it in hand may be on the way here
}

/// The thread takes the next waiting request itself, without being put to sleep and woken.
void Server::let_go(SessionId id) {
    if (on_loops()) return leave_place(id);
    Session& s = at(id);
    const int slot = std::exchange(s.slot, -1);
    Seat& own = seat(slot);
    own.session = nobody;
    own.request = 0;
    own.held_time += time_.now - own.held_since;
    const bool drains = slots_.draining(slot);
    const int worker = slots_.worker_of(slot);
    if (const auto wake = slots_.release(slot, time_.now)) {
        grant(static_cast<SessionId>(wake->ticket), wake->slot, false);
    } else if (drains) {
        rebuild_workers();
    } else {
        look_whether_left(worker);
    }
    if (changing_ && slots_.busy() == 0) end_change();
    if (!held_.empty() || !backlog_.empty()) admit_held();
}

void Server::leave_place(SessionId id) {
    Session& s = at(id);
    const int place = std::exchange(s.slot, -1);
    if (const auto wake = loop(s.loop).places.release(place, time_.now)) {
        grant(static_cast<SessionId>(wake->ticket), wake->slot, false);
    }
    admit_from_outside(s.loop);
    if (!held_.empty() || !backlog_.empty()) admit_held();
}

void Server::admit_from_outside(LoopId id) {
    Loop& own = loop(id);
    while (!own.outside.empty()) {
        const SessionId first = own.outside.front();
        const core::Grant granted = own.places.acquire(first, time_.now);
        if (granted.admission == core::Admission::refused) return;
        own.outside.pop_front();
        if (granted.admission == core::Admission::granted) {
            grant(first, granted.slot, true);
        } else {
            tell(RequestEvent::Kind::queued, at(first));
            if (rules().queue_timeout > Duration{}) set_queue_alarm();
        }
    }
}

void Server::expire_queue() {
    queue_alarm_ = Instant::max();
    for (const core::Ticket late : slots_.expire(time_.now)) {
        refuse(static_cast<SessionId>(late), core::Fault::expired);
    }
    for (LoopId id = 0; on_loops() && id < loops_.size(); ++id) {
        for (const core::Ticket late : loop(id).places.expire(time_.now)) {
            refuse(static_cast<SessionId>(late), core::Fault::expired);
        }
        admit_from_outside(id);
    }
    admit_held();
    set_queue_alarm();
}

void Server::set_queue_alarm() {
    // One that rings too early is set anew: cheaper than moving it with the queue's head.
    Instant next = slots_.next_expiry().value_or(Instant::max());
    if (on_loops()) {
        for (const auto& one : loops_) {
            next = std::min(next, one->places.next_expiry().value_or(Instant::max()));
        }
    }
    if (next >= queue_alarm_) return;
    queue_alarm_ = next;
    time_.at(next, EventKind::queue_patience, 0);
}

}  // namespace lab::virtual_time
