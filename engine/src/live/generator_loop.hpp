// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list.hpp>

#include "core/arrival_schedule.hpp"
#include "core/circuit_breaker.hpp"
#include "core/crowd.hpp"
#include "core/hedge_policy.hpp"
#include "core/retry_policy.hpp"
#include "live/client_connection.hpp"
#include "live/generator.hpp"
#include "live/generator_text.hpp"

namespace lab::live {

using ListHook =
    boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// A request from the plan to its end.
struct ClientRequest {
    core::Planned planned;
    Instant released{}, assigned{}, sent{};  ///< zero: has not happened
    Instant retried{};                       ///< when the attempt in hand began, if not the first
    Instant give_up{};
    Duration deadline{};
    ClientConnection* connection = nullptr;  ///< null while it waits in the client
    bool of_crowd = false;                   ///< a user waits for its end
    std::uint8_t language = 0;               ///< asked for
    bool resent = false;       ///< once more, after the server closed an idle connection
    bool watched = false;      ///< patience, retries, a breaker or copies: generator_watched.cpp
    bool leaves = false;       ///< give_up is the end of the user's patience
    bool answered = false;     ///< ended ok
    int attempts = 0;          ///< begun, copies not counted
    Ending last = Ending::ok;  ///< of the attempt before
    std::uint32_t life = 0;    ///< of this storage: an alarm of a former request is out of date
    core::CircuitBreaker::Permit permit;  ///< of the attempt in hand
    ClientConnection* copy = nullptr;     ///< carries the second copy
    Instant copied{}, copy_sent{};
    Versions committed{};  ///< when it was sent
    ListHook live;         ///< all that have begun, oldest intended start first
    ListHook waiting;      ///< those without a connection, first come first served
};

/// What runs on the load thread. generator_loop.cpp: time (timers, phases, settings, the end);
/// generator_dispatch.cpp: requests and connections; generator_watched.cpp: requests that are given
/// up early, made again, held back or copied. Those others cost nothing more for that.
///
/// Threads: the load thread, except apply() and stop(), which may come from any.
class LoadLoop final : private ConnectionOwner {
  public:
    /// Throws where the system gives no descriptors. `start`: of the warm-up.
    LoadLoop(Generator::Options options, Generator::Callbacks callbacks, Instant start);
    ~LoadLoop() override;
    LoadLoop(const LoadLoop&) = delete;
    LoadLoop& operator=(const LoadLoop&) = delete;

    /// Returns after on_done. The thread's whole work.
    void run();
    void apply(Load load, Network network);
    void stop();

  private:
    using Timer =
        boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                          boost::asio::wait_traits<std::chrono::steady_clock>,
                                          boost::asio::io_context::executor_type>;
    enum class Phase : std::uint8_t { warm_up, running, draining, done };
    template <class T, ListHook T::*hook>
    using List = boost::intrusive::list<T, boost::intrusive::member_hook<T, ListHook, hook>,
                                        boost::intrusive::constant_time_size<false>>;

    // Time.
    void begin();
    void tick(Instant now);
    void arm_tick();
    void arm_arrivals();
    void await_due(Instant due);
    bool release_due(Instant until);
    void next_turns(Instant now);
    void restart_schedule(Instant now, Instant origin);
    void enter(Phase phase);
    void advance_phase(Instant now, bool on_beat);
    void cut(Instant end);
    bool seen_alive(Instant now);
    void resume_after_gap(Instant now);
    void give_up_overdue(Instant now);
    void change_load(Load load, Network network, Instant now);
    [[nodiscard]] Instant next_arrival() const;
    void finish(Instant now, bool on_beat);
    [[nodiscard]] bool issuing() const { return phase_ < Phase::draining; }

    // Requests.
    void release_planned(const core::Planned& planned, bool of_crowd, Instant now);
    void dispatch(ClientRequest& request, Instant now);
    void hand_over(ClientConnection& connection, Instant now);
    void end(ClientRequest& request, Ending ending, Instant done, const ReceivedAnswer* answer);
    void judge(const ClientRequest& request, const ReceivedAnswer& answer,
               measure::Sample& sample) const;
    void withdraw_all(Instant now);
    void forget(ClientRequest& request);
    void settle(ClientConnection& connection, Ending ending, Instant now);
    void continue_user(const ClientRequest& ended, Duration pause, Instant now);
    void continue_visit(const ClientRequest& ended, Instant now);
    [[nodiscard]] core::Planned next_of_visits();
    void postpone_visits(Instant now);

    // Watched requests.
    enum class Alarm : std::uint8_t { give_up, attempt, again, copy };
    struct Due {
        Instant at;
        ClientRequest* request;
        std::uint32_t life;
        int attempt;  ///< 0: whichever
        Alarm what;
    };
    void watch(ClientRequest& request, Instant now);
    void begin_attempt(ClientRequest& request, Instant now);
    void attempt_sent(ClientRequest& request, Instant now);
    void settle_watched(ClientConnection& connection, Ending ending, Instant now);
    bool try_again(ClientRequest& request, Ending ending, Instant now);
    void fail_attempt(ClientRequest& request, Ending ending, Instant done, Instant now);
    void give_up(ClientRequest& request, Instant now);
    void send_copy(ClientRequest& request, Instant now);
    void leave_connections(ClientRequest& request, const ClientConnection* answered, Instant now);
    void end_watched(ClientRequest& request, Ending ending, Instant done, Duration pause,
                     Instant now);
    void set_alarm(Instant at, ClientRequest& request, Alarm what, bool of_attempt);
    void arm_alarm();
    void ring(Instant now);
    void set_watching();

    // Connections.
    void open(ClientConnection& connection);
    ClientConnection* take_idle(const ClientRequest& request);
    ClientConnection* take_closed();
    void attach(ClientConnection& connection, ClientRequest& request, Instant now);
    void connection_free(ClientConnection& connection, Instant now);
    void close_idle(std::size_t keep_open);
    void open_for_waiting(Instant now);
    void on_connected(ClientConnection& connection, Instant now) override;
    void on_answer(ClientConnection& connection, Instant now) override;
    void on_broken(ClientConnection& connection, Breakage cause, bool answer_begun,
                   Instant now) override;

    boost::asio::io_context io_{1};
    Generator::Options options_;
    Generator::Callbacks callbacks_;
    Load load_;
    std::vector<RequestTemplate> templates_;
    boost::asio::ip::tcp::endpoint endpoint_;
    measure::Recorder recorder_;

    Instant start_;
    Instant window_from_;
    Instant window_to_ = Instant::max();
    Instant drain_until_ = Instant::max();
    Instant last_cut_;
    Instant last_alive_;
    Instant next_tick_;
    Instant armed_for_ = Instant::max();
    Duration lead_{};  ///< how late sleeps have been waking: the timer aims that much earlier
    Phase phase_ = Phase::warm_up;
    Timer tick_timer_{io_};
    Timer arrival_timer_{io_};
    Duration cpu_at_cut_{};
    Duration cpu_at_window_{};
    Duration cpu_in_window_{};

    core::RequestMix mix_;
    core::ArrivalSchedule schedule_;
    core::RequestId schedule_base_ = 0;  ///< added to the schedule's numbers
    core::RequestId last_id_ = 0;
    core::Crowd crowd_;
    std::vector<core::Planned> visits_;  ///< open loop: the next requests of visitors, a heap

    Network network_;
    core::RetryPolicy retry_;
    core::CircuitBreaker breaker_;
    core::HedgePolicy hedge_;
    bool watching_ = false;    ///< requests from now on are watched
    std::vector<Due> alarms_;  ///< a heap, the earliest on top
    Timer alarm_timer_{io_};
    Instant alarm_set_ = Instant::max();
    Duration breaker_open_at_cut_{};
    std::uint64_t openings_ = 0;         ///< of connections: some are slow
    std::uint32_t pace_generation_ = 0;  ///< one opened before is not used for another request
    Duration shortest_timeout_{};        ///< of the requests that live

    std::deque<ClientRequest> requests_;  ///< storage; grows to the most that were alive at once
    std::vector<ClientRequest*> free_requests_;
    List<ClientRequest, &ClientRequest::live> live_;
    List<ClientRequest, &ClientRequest::waiting> waiting_;
    std::size_t waiting_count_ = 0;

    std::deque<std::unique_ptr<ClientConnection>> connections_;
    std::vector<ClientConnection*> closed_connections_;
    List<ClientConnection, &ClientConnection::idle> idle_;  ///< last used in front
    std::size_t open_ = 0;                                  ///< open or being opened
    std::vector<ClientConnection*> connection_of_user_;
};

}  // namespace lab::live
