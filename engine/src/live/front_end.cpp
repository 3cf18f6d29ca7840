// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/front_end.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "lab/assert.hpp"
#include "live/platform.hpp"
#include "live/route_table.hpp"
#include "live/session.hpp"

namespace lab::live {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, asio::io_context::executor_type>;

/// Requests without a number of a plan are counted from here on, away from any plan's.
constexpr std::uint64_t first_unplanned_id = std::uint64_t{1} << 48U;
/// How long accept() rests when descriptors or memory have run out.
constexpr Duration no_resources_pause = 100ms;

Instant now() { return std::chrono::steady_clock::now(); }

bool out_of_resources(const error_code& ec) {
    return ec == asio::error::no_descriptors || ec == asio::error::no_memory ||
           ec == asio::error::no_buffer_space ||
           ec == boost::system::errc::too_many_files_open_in_system;
}

class LiveFrontEnd final : public FrontEnd, public SessionHost {
  public:
    explicit LiveFrontEnd(Options options)
        : options_{std::move(options)},
          acceptor_{io_},
          beat_timer_{io_},
          pause_timer_{io_},
          alarm_timer_{io_},
          work_{asio::make_work_guard(io_)} {
        dispatcher = options_.dispatcher;
        completions = options_.completions;
        seed = options_.seed;
        next_id = first_unplanned_id;
        coarse_now = now();
        scratch.reserve(1'024);
        take_generation(options_.generation);
    }
    ~LiveFrontEnd() override { stop(); }
    LiveFrontEnd(const LiveFrontEnd&) = delete;
    LiveFrontEnd& operator=(const LiveFrontEnd&) = delete;

    std::optional<Error> listen();
    void run();

    [[nodiscard]] std::uint16_t port() const override { return port_; }
    void apply(GenerationPtr next) override;
    [[nodiscard]] std::uint32_t connections() const override {
        return connections_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint32_t backlog() const override;
    void close() override;
    void stop() override;

  private:
    void settled(Session& session) override;
    void hold(Session& session) override { held_.push_back(&session); }
    void drop_held(Session& session) override { std::erase(held_, &session); }
    [[nodiscard]] bool must_hold() const override {
        return !held_.empty() || !dispatcher->accepting();
    }

    void take_generation(GenerationPtr next);
    void accept_next();
    void on_accept(const error_code& ec, FrontSocket socket);
    void on_accepting_again();
    void start_beat();
    void on_beat();
    void set_alarm(Instant when);
    void begin_closing();
    void end_when_empty();

    Options options_;
    // Sockets and timers are used on one thread only: Asio need not lock for them.
    asio::io_context io_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
    Acceptor acceptor_;
    asio::basic_waitable_timer<std::chrono::steady_clock> beat_timer_;
    asio::basic_waitable_timer<std::chrono::steady_clock> pause_timer_;
    asio::basic_waitable_timer<std::chrono::steady_clock> alarm_timer_;
    std::optional<RouteTable> table_;
    std::vector<std::unique_ptr<Session>> sessions_;
    std::deque<Session*> held_;
    std::atomic<std::uint32_t> connections_{0};
    mutable std::mutex listener_mutex_;  ///< the listener's descriptor against backlog()
    int listener_ = -1;
    std::uint16_t port_ = 0;
    bool accepting_ = false;  ///< an accept is under way
    bool closing_ = false;
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::thread thread_;
};

std::optional<Error> LiveFrontEnd::listen() {
    const asio::ip::tcp::endpoint endpoint{asio::ip::address_v4::loopback(), options_.port};
    error_code ec;
    const auto failed = [&](ErrorCode code, std::string what) {
        return Error{code, "server.port", std::move(what)};
    };
    const auto name = "port " + std::to_string(options_.port) + " of 127.0.0.1";
    acceptor_.open(endpoint.protocol(), ec);
    if (ec) return failed(ErrorCode::no_resources, "no socket to listen with: " + ec.message());
    acceptor_.set_option(asio::socket_base::reuse_address{true}, ec);
    if (!ec) acceptor_.bind(endpoint, ec);
    if (!ec) acceptor_.listen(generation->system.network.backlog, ec);
    if (ec == asio::error::address_in_use) {
        return failed(ErrorCode::port_in_use, name + " is in use by another program");
    }
    if (ec == asio::error::access_denied) {
        return failed(ErrorCode::not_permitted, name + " may be used by the system only");
    }
    if (!ec) port_ = acceptor_.local_endpoint(ec).port();
    if (ec) return failed(ErrorCode::no_resources, name + " cannot be used: " + ec.message());
    listener_ = acceptor_.native_handle();
    return std::nullopt;
}

void LiveFrontEnd::run() {
    completions->attach([this] { asio::post(io_, [this] { completions->drain(now()); }); },
                        [this](Instant when) { set_alarm(when); });
    asio::post(io_, [this] {
        dispatcher->set_on_accepting([this] { on_accepting_again(); });
        accept_next();
    });
    thread_ = std::thread{[this] {
        platform::name_this_thread("front end");
        for (;;) {
            try {
                io_.run();
                return;
            } catch (const std::exception&) {
                // Memory ran out in one session: its time limit ends it, the others go on.
            }
        }
    }};
}

void LiveFrontEnd::take_generation(GenerationPtr next) {
    generation = std::move(next);
    table_.emplace(generation->system, options_.title);
    routes = &*table_;
}

void LiveFrontEnd::apply(GenerationPtr next) {
    LAB_ASSERT(next != nullptr);
    completions->post([this, next = std::move(next)] {
        const auto network = generation->system.network;
        take_generation(next);
        if (closing_) return;
        const auto& changed = generation->system.network;
        if (changed.backlog != network.backlog) {
            error_code ec;
            acceptor_.listen(changed.backlog, ec);  // Linux takes a new length at any time
        }
        if (changed.no_delay == network.no_delay) return;
        for (const auto& session : sessions_) session->set_no_delay(changed.no_delay);
    });
}

std::uint32_t LiveFrontEnd::backlog() const {
    const std::lock_guard lock{listener_mutex_};
    if (listener_ < 0) return 0;
    return platform::listen_backlog(listener_).value_or(0);
}

void LiveFrontEnd::accept_next() {
    if (accepting_ || closing_ || sessions_.size() >= options_.most_connections) return;
    if (must_hold()) return;  // on_accepting_again() goes on; the kernel's backlog fills meanwhile
    accepting_ = true;
    acceptor_.async_accept([this](const error_code& ec, FrontSocket socket) {
        accepting_ = false;
        on_accept(ec, std::move(socket));
    });
}

void LiveFrontEnd::on_accept(const error_code& ec, FrontSocket socket) {
    if (closing_) return;
    if (out_of_resources(ec)) {
        accepting_ = true;  // it rests: trying at once would spin
        pause_timer_.expires_after(no_resources_pause);
        pause_timer_.async_wait([this](const error_code&) {
            accepting_ = false;
            accept_next();
        });
        return;
    }
    if (!ec) {
        if (sessions_.empty()) start_beat();
        sessions_.push_back(std::make_unique<Session>(*this, std::move(socket)));
        auto& session = *sessions_.back();
        session.place = sessions_.size() - 1;
        connections_.store(static_cast<std::uint32_t>(sessions_.size()), std::memory_order_relaxed);
        session.start();
    }
    accept_next();
}

void LiveFrontEnd::on_accepting_again() {
    while (!held_.empty() && dispatcher->accepting()) {
        Session& session = *held_.front();
        held_.pop_front();
        session.unhold();
    }
    accept_next();
}

void LiveFrontEnd::settled(Session& session) {
    const auto place = session.place;
    if (place + 1 != sessions_.size()) {
        std::swap(sessions_[place], sessions_.back());
        sessions_[place]->place = place;
    }
    sessions_.pop_back();
    connections_.store(static_cast<std::uint32_t>(sessions_.size()), std::memory_order_relaxed);
    if (closing_) {
        end_when_empty();
    } else {
        accept_next();
    }
}

void LiveFrontEnd::start_beat() {
    coarse_now = now();
    date.refresh();
    beat_timer_.expires_after(beat);
    beat_timer_.async_wait([this](const error_code& ec) {
        if (!ec) on_beat();
    });
}

/// The one timer of all sessions. Rests while there are none.
void LiveFrontEnd::on_beat() {
    coarse_now = now();
    date.refresh();
    // From the end: a session that goes is replaced by one that has had its turn.
    for (auto i = sessions_.size(); i-- > 0;) sessions_[i]->check_deadline(coarse_now);
    if (!sessions_.empty()) start_beat();
}

void LiveFrontEnd::set_alarm(Instant when) {
    if (when == Instant::max()) {
        alarm_timer_.cancel();
        return;
    }
    alarm_timer_.expires_at(when);
    alarm_timer_.async_wait([this](const error_code& ec) {
        if (!ec) completions->drain(now());
    });
}

void LiveFrontEnd::close() {
    completions->post([this] { begin_closing(); });
}

void LiveFrontEnd::begin_closing() {
    if (closing_) return;
    closing_ = true;
    dispatcher->set_on_accepting({});
    {
        const std::lock_guard lock{listener_mutex_};
        error_code ec;
        listener_ = -1;
        acceptor_.close(ec);
    }
    pause_timer_.cancel();
    for (auto i = sessions_.size(); i-- > 0;) sessions_[i]->shut_down();
    end_when_empty();
}

/// Each exchange that a worker has in hand is waited for.
void LiveFrontEnd::end_when_empty() {
    if (!sessions_.empty()) return;
    beat_timer_.cancel();
    alarm_timer_.cancel();
    work_.reset();
}

void LiveFrontEnd::stop() {
    if (!thread_.joinable()) return;
    close();
    thread_.join();
    completions->detach();
}

}  // namespace

Result<std::unique_ptr<FrontEnd>> FrontEnd::open(Options options) {
    LAB_ASSERT(options.generation != nullptr);
    LAB_ASSERT(options.dispatcher != nullptr);
    LAB_ASSERT(options.completions != nullptr);
    try {
        auto front_end = std::make_unique<LiveFrontEnd>(std::move(options));
        if (auto error = front_end->listen()) return std::move(*error);
        front_end->run();
        return std::unique_ptr<FrontEnd>{std::move(front_end)};
    } catch (const std::system_error& error) {
        return Error{ErrorCode::no_resources, "server",
                     std::string{"the server cannot start: "} + error.what()};
    }
}

}  // namespace lab::live
