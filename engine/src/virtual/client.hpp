// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/arrival_schedule.hpp"
#include "core/circuit_breaker.hpp"
#include "core/crowd.hpp"
#include "core/hedge_policy.hpp"
#include "core/retry_policy.hpp"
#include "lab/model.hpp"
#include "measure/recorder.hpp"
#include "virtual/event_queue.hpp"
#include "virtual/server.hpp"

namespace lab::virtual_time {

/// The users and their connections, as the live generator has them, but never late itself. What it
/// sees goes into the books of a Recorder.
///
/// client.cpp: requests and connections; client_watched.cpp: requests that are given up early, made
/// again, held back or copied, and visits. Threads: one at a time.
class Client final : private ClientSide {
  public:
    struct Options {
        Load load;
        std::uint64_t seed = 42;
        Instant start{};
        Instant window_from{};
        Instant window_to = Instant::max();
        /// The window ends when so many were due in it.
        std::optional<std::uint64_t> requests;
        Network network;
    };
    Client(Timeline& time, Server& server, measure::Recorder& recorder, Options options);

    /// When the next request is due, while any are; Instant::max() if there is none.
    [[nodiscard]] Instant next_arrival() const { return next_arrival_; }
    /// Releases the one that is due now.
    void release();
    void handle(const Event& event);
    void apply(Load load, const Network& network);
    /// From now on nothing more is planned. What is under way goes on.
    void end_of_plan();
    /// After a stop, or at the end of the patience after the window: as if what is under way had
    /// never been planned.
    void withdraw_all();
    /// The rule `requests` has ended the plan: when.
    [[nodiscard]] std::optional<Instant> window_closed() const { return window_closed_; }
    [[nodiscard]] bool idle() const { return live_count_ == 0; }
    [[nodiscard]] std::size_t waiting() const { return waiting_.count; }
    /// How long the circuit breaker has not been closed, since the last call.
    [[nodiscard]] Duration take_breaker_open();
    /// A hash of every ending so far.
    [[nodiscard]] std::uint64_t trace() const { return trace_; }
    /// How often the same moment has seen a request end.
    [[nodiscard]] std::uint64_t endings_now() const { return endings_now_; }

  private:
    using Place = std::uint32_t;
    struct Links {
        Place before = nobody, after = nobody;
        bool linked = false;
    };
    /// First come first served; anyone may leave.
    struct List {
        Place first = nobody, last = nobody;
        std::size_t count = 0;
    };
    struct Request {
        core::Planned planned;
        Instant assigned{}, sent{}, give_up{};
        Instant retried{};  ///< when the attempt in hand began, if not the first
        Duration deadline{};
        ConnectionId connection = nobody;
        std::uint8_t language = 0;
        bool of_crowd = false;
        bool resent = false;      ///< once more, after the server closed an idle connection
        bool watched = false;     ///< patience, retries, a breaker or copies
        bool leaves = false;      ///< give_up is the end of the user's patience
        bool answered = false;    ///< ended ok
        int attempts = 0;         ///< begun, copies not counted
        Ending last = Ending::ok;  ///< of the attempt before
        std::uint32_t life = 0;  ///< of this place: an alarm of a former request is out of date
        core::CircuitBreaker::Permit permit;  ///< of the attempt in hand
        ConnectionId copy = nobody;           ///< carries the second copy
        Instant copied{}, copy_sent{};
        std::array<std::uint64_t, 4> committed{};
        Links live, waiting;
    };
    struct Connection {
        enum class State : std::uint8_t { closed, connecting, open };
        State state = State::closed;
        std::uint32_t life = 0;
        std::uint32_t knocks = 0;
        Place request = nobody;
        std::uint32_t user = 0;
        SessionRef session;
        Pace pace;
        std::uint32_t generation = 0;  ///< of the pace it was opened with
        bool answered = false;         ///< since it was opened
        Links idle;
    };

    void answered(ConnectionId connection, SessionId session) override;

    // Requests.
    void look_ahead();
    void release_planned(const core::Planned& planned, bool of_crowd);
    void dispatch(Place place);
    void hand_over(ConnectionId id);
    void settle(ConnectionId id, Ending ending, std::optional<SessionId> answer);
    void end(Place place, Ending ending, std::optional<SessionId> answer);
    void judge(const Request& request, SessionId session, measure::Sample& sample) const;
    void forget(Place place);
    void continue_user(const Request& ended, Duration pause);
    void give_up_overdue();
    void arm_give_up(Instant when);

    // Watched requests.
    enum class Alarm : std::uint8_t { give_up, attempt, again, copy };
    struct Due {
        Instant at;
        std::uint64_t order;
        Place request;
        std::uint32_t life;
        int attempt;  ///< 0: whichever
        Alarm what;
    };
    void set_watching();
    void watch(Place place);
    void begin_attempt(Place place);
    void settle_watched(ConnectionId id, Ending ending, std::optional<SessionId> answer);
    void win(ConnectionId id, Ending ending, std::optional<SessionId> answer);
    void fail_attempt(Place place, Ending ending, std::optional<SessionId> answer);
    [[nodiscard]] bool try_again(Place place, Ending ending);
    void give_up(Place place);
    void end_watched(Place place, Ending ending, Duration pause);
    void leave_connections(Place place, ConnectionId answered);
    void send_copy(Place place);
    void set_alarm(Instant at, Place place, Alarm what, bool of_attempt);
    void arm_alarm();
    void ring();
    void continue_visit(const Request& ended);
    [[nodiscard]] core::Planned next_of_visits();

    // Connections.
    [[nodiscard]] ConnectionId take_idle(const Request& request);
    [[nodiscard]] ConnectionId take_closed();
    void attach(ConnectionId id, Place place);
    void open(ConnectionId id);
    void connected(ConnectionId id);
    void close(ConnectionId id);
    void cut_off(ConnectionId id);
    void connection_free(ConnectionId id);
    void close_idle(std::size_t keep_open);
    void open_for_waiting();
    void leave_waiting(Place place);

    template <Links Request::*links>
    void append(List& list, Place place);
    template <Links Request::*links>
    void remove(List& list, Place place);
    void idle_front(ConnectionId id);
    void idle_remove(ConnectionId id);

    Timeline& time_;
    Server& server_;
    measure::Recorder& recorder_;
    Options options_;
    Load load_;
    core::RequestMix mix_;
    core::ArrivalSchedule schedule_;
    core::RequestId schedule_base_ = 0;
    core::RequestId last_id_ = 0;
    core::Crowd crowd_;
    std::vector<core::Planned> visits_;  ///< open loop: the next requests of visitors, a heap
    Network network_;
    core::RetryPolicy retry_;
    core::CircuitBreaker breaker_;
    core::HedgePolicy hedge_;
    bool watching_ = false;    ///< requests from now on are watched
    std::vector<Due> alarms_;  ///< a heap, the earliest on top
    std::uint64_t alarms_made_ = 0;
    Instant alarm_set_ = Instant::max();
    Duration breaker_open_told_{};
    std::uint64_t openings_ = 0;         ///< of connections: some are slow
    std::uint32_t pace_generation_ = 0;  ///< one opened before is not used for another request
    Instant next_arrival_ = Instant::max();
    bool issuing_ = true;
    std::uint64_t due_in_window_ = 0;
    std::optional<Instant> window_closed_;

    std::vector<Request> requests_;
    std::vector<Place> free_requests_;
    List live_;  ///< in the order of their intended starts
    List waiting_;
    std::size_t live_count_ = 0;
    Duration shortest_timeout_{};
    Instant give_up_alarm_ = Instant::max();

    std::vector<Connection> connections_;
    std::vector<ConnectionId> closed_;
    ConnectionId idle_first_ = nobody, idle_last_ = nobody;  ///< last used in front
    std::size_t open_ = 0;
    std::vector<ConnectionId> connection_of_user_;

    std::uint64_t trace_ = 0;
    std::uint64_t endings_now_ = 0;
    Instant last_ending_{};
};

}  // namespace lab::virtual_time
