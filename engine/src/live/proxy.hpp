// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/balancer.hpp"
#include "core/response_cache.hpp"
#include "lab/frame.hpp"
#include "lab/result.hpp"
#include "live/client_connection.hpp"
#include "live/completion_queue.hpp"
#include "live/exchange.hpp"

namespace lab::live {

/// The reverse proxy behind a front end: gives each request to a backend by core::Balancer's rule,
/// over a real connection, and asks the next one where that fails. As nginx does: an error is a
/// connection that cannot be made or breaks before the answer is whole; it answers 502 (504 after a
/// time-out) where nobody is left to ask; a kept connection that turns out to be closed costs no
/// try; a client that goes away takes its request with it.
///
/// Keeps at most 32 idle connections (a thousand requests each) where balancer.keep_alive is on.
/// A good answer to GET is kept for balancer.cache_ttl, by its target alone: nginx's default key
/// knows nothing of cookies. Without balancer.buffering a good answer is handed on in pieces, each
/// when the client has taken the one before, and is not kept (nor does nginx).
///
/// The time it takes counts as Part::proxy, what a backend tells of its own time as that; the way
/// from here to the backend's first look at the request counts as queue.
///
/// Order of life: the completion queue outlives this; stop() after the front end has stopped.
/// Threads: one of its own for connections; the front end's for Dispatcher's calls; any for the
/// others, sample() by one.
class Proxy final : public Dispatcher, private ConnectionOwner {
  public:
    struct Options {
        GenerationPtr generation;  ///< see proxy_generation()
        CompletionQueue* completions = nullptr;
        std::array<std::uint16_t, most_backends> ports{};  ///< of the backends
        std::uint64_t seed = 42;
    };
    /// Errors: no_resources.
    [[nodiscard]] static Result<std::unique_ptr<Proxy>> start(Options options);
    ~Proxy() override;
    Proxy(const Proxy&) = delete;
    Proxy& operator=(const Proxy&) = delete;

    [[nodiscard]] GenerationPtr generation() const override;
    void opened(Exchange&) override {}
    void closed(Exchange&) override {}
    void bind(Exchange& exchange) override;
    void submit(Exchange& exchange) override;
    void more(Exchange& exchange) override;
    void finish(Exchange& exchange, bool keep_worker) override;
    bool withdraw(Exchange& exchange) override;
    [[nodiscard]] bool accepting() const override { return true; }
    void set_on_accepting(std::function<void()>) override {}
    [[nodiscard]] std::string cache_page() const override {
        return "Each backend has caches of its own; the window shows what they hold.\n";
    }

    /// New rule, limits, weights and number of backends, for each request from now on.
    void apply(GenerationPtr generation);
    /// What is in hand comes back through the completion queue, with effect `end`; so does
    /// everything that is submitted afterwards.
    void cancel();
    /// cancel(), then joins the thread.
    void stop();
    /// Fills what the proxy knows of the backends (all but `up`, queue and threads), and `proxy`:
    /// levels now, counts since the last call.
    void sample(ServerSample& out);

  private:
    struct Flight;
    /// A connection to a backend.
    struct Upstream : ClientConnection {
        Upstream(boost::asio::io_context& io, ConnectionOwner& owner)
            : ClientConnection{io, owner} {}
        Flight* flight = nullptr;
        int peer = 0;
    };
    /// A request on its way through the backends.
    struct Flight {
        Exchange* exchange = nullptr;
        Upstream* upstream = nullptr;
        core::Balancer::Way way;
        GenerationPtr generation;
        Method method = Method::get;
        int peer = -1;
        int asked = 0;
        bool sent = false;
        bool in_pieces = false;  ///< a piece of its answer has been handed on
        bool paused = false;     ///< the client has a piece: the exchange is not in hand
        Instant begun{};         ///< given to this backend
        Instant sent_at{};
        Instant limit{};  ///< of connecting, then of the answer
        std::string body;
    };
    struct Counts {
        std::array<std::uint64_t, most_backends> requests{};
        std::array<std::uint64_t, most_backends> failures{};
        ProxySample proxy;
    };

    explicit Proxy(Options options);
    void run();

    // The thread's own.
    void begin(Exchange& exchange);
    bool answer_from_cache(Flight& flight, Instant now);
    void ask_one(Flight& flight, Instant now);
    void send(Flight& flight, Instant now);
    void failed(Flight& flight, core::ForwardFailure failure, Instant now);
    void give_back(Flight& flight, const core::Outcome& outcome);
    void answer_alone(Flight& flight, int status, Instant now);
    [[nodiscard]] core::Outcome take_answer(Flight& flight, PartTimes& told, Instant now);
    void go_on(Exchange& exchange);
    void drop(Exchange& exchange);
    void forget(Flight& flight);
    void abandon(Exchange& exchange);
    void abandon_all();
    void done(Flight& flight, bool failed, Instant now);
    void let_go(Flight& flight);
    [[nodiscard]] Upstream& take_closed();
    void keep(Upstream& upstream);
    void watch_limits();
    void on_connected(ClientConnection& connection, Instant now) override;
    void on_piece(ClientConnection& connection, Instant now) override;
    void on_answer(ClientConnection& connection, Instant now) override;
    void on_broken(ClientConnection& connection, Breakage cause, bool answer_begun,
                   Instant now) override;

    CompletionQueue& completions_;
    const std::array<std::uint16_t, most_backends> ports_;
    const std::uint64_t seed_;
    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    boost::asio::basic_waitable_timer<std::chrono::steady_clock> limits_{io_};
    bool limits_run_ = false;
    std::atomic<bool> cancelled_{false};

    std::deque<Flight> flights_;
    std::vector<Flight*> free_flights_;
    std::unordered_map<Exchange*, Flight*> in_hand_;
    std::deque<Upstream> upstreams_;
    std::vector<Upstream*> closed_;
    std::array<std::vector<Upstream*>, most_backends> idle_;  ///< last used at the end
    std::size_t idle_count_ = 0;
    core::ResponseCache cache_;

    mutable std::mutex mutex_;
    GenerationPtr newest_;  ///< under mutex_, as is all below
    core::Balancer balancer_;
    Counts counts_;
    std::thread thread_;
};

}  // namespace lab::live
