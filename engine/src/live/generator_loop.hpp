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
#include "live/client_connection.hpp"
#include "live/generator.hpp"
#include "live/generator_crowd.hpp"
#include "live/generator_text.hpp"

namespace lab::live {

using ListHook =
    boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// A request from the plan to its end.
struct ClientRequest {
    core::Planned planned;
    Instant released{}, assigned{}, sent{};  ///< zero: has not happened
    Instant give_up{};
    Duration deadline{};
    ClientConnection* connection = nullptr;  ///< null while it waits in the client
    bool of_crowd = false;                   ///< a user waits for its end
    bool retried = false;
    std::uint8_t language = 0;  ///< asked for
    Versions committed{};  ///< when it was sent
    ListHook live;         ///< all that have begun, oldest intended start first
    ListHook waiting;      ///< those without a connection, first come first served
};

/// What runs on the load thread. generator_loop.cpp: time (timers, phases, settings, the end);
/// generator_dispatch.cpp: requests and connections.
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
    void apply(Load load);
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
    void restart_schedule(Instant now);
    void enter(Phase phase);
    void advance_phase(Instant now, bool on_beat);
    void cut(Instant end);
    bool seen_alive(Instant now);
    void resume_after_gap(Instant now);
    void give_up_overdue(Instant now);
    void change_load(Load load, Instant now);
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

    // Connections.
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
    Crowd crowd_;
    Duration shortest_timeout_{};  ///< of the requests that live

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
