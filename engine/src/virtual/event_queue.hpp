// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/assert.hpp"
#include "lab/units.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lab::virtual_time {

/// What happens at an event; `who` and `token` mean what the kind says.
enum class EventKind : std::uint8_t {
    // Server.
    resume,           ///< task: the wait or the delay in hand is over
    lock_ask,         ///< task: its interval of waiting for the interpreter lock has passed
    lock_wake,        ///< task: was woken to try the interpreter lock
    query_limit,      ///< task: the query in hand has run for as long as it may
    loop_turn,        ///< loop: somebody's turn has come while it rested
    queue_patience,   ///< somebody has waited too long for a worker
    pool_patience,    ///< pool: somebody has waited too long for a connection
    write_patience,   ///< somebody has waited too long for the database's write lock
    lives,            ///< the master looks after its workers
    request_arrives,  ///< session: the bytes of a request are there
    head_limit,       ///< session: its request takes too long to come
    hang_up_arrives,  ///< session: the client has closed
    answer_posted,    ///< session: the front end hears of its answer
    answer_arrives,   ///< session: the last byte is in the client's kernel
    answer_seen,      ///< session: the client has read it
    idle_limit,       ///< a connection has been idle for long enough
    row_changes,      ///< a row changes behind the application's back
    // Client.
    connected,  ///< connection
    cut_off,    ///< connection: the server has closed it
    knock,      ///< connection: asks again whether it may connect
    give_up,    ///< somebody has waited as long as a client does
    alarm,      ///< a watched request is to be looked at
};

struct Event {
    Instant at{};
    std::uint64_t place = 0;  ///< order of making, and the kind in the lowest 8 bits
    std::uint32_t who = 0;
    std::uint32_t token = 0;

    [[nodiscard]] EventKind kind() const { return static_cast<EventKind>(place & 0xff); }
    /// Of two at one moment the one made earlier goes first.
    [[nodiscard]] bool before(const Event& other) const {
        return at != other.at ? at < other.at : place < other.place;
    }
};

/// What is to come, earliest first: a heap of four children a node, which is half as deep as one of
/// two and touches as many cache lines. Threads: one at a time.
class EventQueue {
  public:
    void push(Instant at, EventKind kind, std::uint32_t who, std::uint32_t token) {
        const Event event{at, made_++ << 8 | static_cast<std::uint64_t>(kind), who, token};
        std::size_t hole = heap_.size();
        heap_.push_back(event);
        Event* const heap = heap_.data();
        while (hole > 0) {
            const std::size_t parent = (hole - 1) / 4;
            if (!event.before(heap[parent])) break;
            heap[hole] = heap[parent];
            hole = parent;
        }
        heap[hole] = event;
    }

    /// When the earliest is due; Instant::max() if there is none.
    [[nodiscard]] Instant next() const { return heap_.empty() ? Instant::max() : heap_.front().at; }
    [[nodiscard]] std::size_t size() const { return heap_.size(); }

    Event pop() {
        LAB_ASSERT(!heap_.empty());
        const Event top = heap_.front();
        const Event last = heap_.back();
        heap_.pop_back();
        if (!heap_.empty()) sink(last);
        return top;
    }

  private:
    /// Puts `event` where the top was taken.
    void sink(const Event& event) {
        Event* const heap = heap_.data();
        const std::size_t size = heap_.size();
        std::size_t hole = 0;
        for (;;) {
            const std::size_t first = hole * 4 + 1;
            if (first >= size) break;
            const std::size_t end = first + 4 < size ? first + 4 : size;
            std::size_t least = first;
            for (std::size_t child = first + 1; child < end; ++child) {
                if (heap[child].before(heap[least])) least = child;
            }
            if (!heap[least].before(event)) break;
            heap[hole] = heap[least];
            hole = least;
        }
        heap[hole] = event;
    }

    std::vector<Event> heap_;
    std::uint64_t made_ = 0;
};

/// The clock of virtual time and what is to come on it. Threads: one at a time.
struct Timeline {
    Instant now{};
    EventQueue events;

    void at(Instant when, EventKind kind, std::uint32_t who, std::uint32_t token = 0) {
        events.push(when, kind, who, token);
    }
    void in(Duration time, EventKind kind, std::uint32_t who, std::uint32_t token = 0) {
        events.push(now + time, kind, who, token);
    }
};

}  // namespace lab::virtual_time
