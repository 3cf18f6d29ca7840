// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "lab/units.hpp"
#include "live/answer_writer.hpp"
#include "live/chunk_check.hpp"
#include "live/completion_queue.hpp"
#include "live/exchange.hpp"
#include "live/head_check.hpp"
#include "live/http_parser.hpp"
#include "live/read_buffer.hpp"
#include "live/route_table.hpp"

namespace lab::live {

/// The executor by its own type: a polymorphic one would cost a call at each completion.
using FrontSocket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

class Session;

/// What the sessions of one front end share. Threads: the front end's alone.
class SessionHost {
  public:
    virtual ~SessionHost() = default;
    /// The session holds nothing any more: destroy it.
    virtual void settled(Session& session) = 0;
    /// The queue is full and arrivals wait unread: calls session.unhold() when it is its turn.
    virtual void hold(Session& session) = 0;
    virtual void drop_held(Session& session) = 0;
    /// Whether an arrival has to be held.
    [[nodiscard]] virtual bool must_hold() const = 0;

    Dispatcher* dispatcher = nullptr;
    CompletionQueue* completions = nullptr;
    GenerationPtr generation;
    RouteTable* routes = nullptr;
    DateText date;
    Instant coarse_now{};  ///< the time at the last beat, at most `beat` old
    static constexpr Duration beat = 100ms;
    std::uint64_t seed = 0;
    std::uint64_t next_id = 0;  ///< for requests without a number of a plan
    std::string scratch;        ///< heads are built here
};

/// One connection: reads requests one after the other, has each answered, and keeps what has come
/// early.
///
/// Per request: one read, one write, no timer call. A read is always under way while there is room,
/// so a connection that breaks is noticed; one that is only half closed still gets its answer (RFC
/// 9112 9.6).
/// Threads: the front end's alone.
class Session final : public Exchange {
  public:
    Session(SessionHost& host, FrontSocket socket);
    ~Session() override = default;

    void start();
    /// Once a beat: has a time limit passed?
    void check_deadline(Instant now);
    /// It may go to the workers now.
    void unhold();
    /// The front end closes.
    void shut_down();
    void set_no_delay(bool on);

    void on_bound() override;
    void on_answer() override;
    void on_worker_gone(bool killed) override;

    std::size_t place = 0;  ///< in the host's list

  private:
    enum class State : std::uint8_t {
        binding,  ///< waits for a worker; nothing is read or submitted
        held,     ///< waits outside the full queue
        head,     ///< idle, or reading a head
        body,
        in_hand,  ///< with the workers
        writing,
        draining,   ///< written, and not yet all with the client's kernel
        lingering,  ///< answered for the last time; what still comes is thrown away
    };
    struct Request {
        RouteMatch match;
        Persistence persistence = Persistence::close;
        bool head_only = false;  ///< HEAD
        bool http_1_1 = true;
        bool chunked = false;
        bool expects_continue = false;
        bool complete = false;  ///< all of it has come
        bool asked = false;     ///< X-Lab-Request was there: tell the times
        std::uint8_t language = 0;
        std::uint64_t planned = 0;
        std::uint64_t body_left = 0;
        Instant
            received{};  ///< first byte; moved by the time it waited for a worker, which is queue
    };

    // Reading.
    void read();
    void on_read(const boost::system::error_code& ec, std::size_t bytes);
    void proceed();
    bool read_head();
    void take_head(const HeadFacts& facts);
    void begin_body();
    bool read_body();
    void send_continue();
    // Answering.
    void complete();
    void ask_dispatcher();
    void ask_now();
    void submit_request();
    void answer_refusal(const RouteMatch& match);
    void answer_page(std::uint16_t status, std::string_view page, std::string_view allow);
    void refuse(int status);
    void answer_prepared();
    void answer_exchange();
    void answer_piece();
    void append_lab_fields(std::string& head);
    void write(std::string_view head, std::string_view body, bool body_stays);
    void write_rest();
    void on_written();
    void on_drained();
    void wait_until_drained();
    void finish_exchange();
    void next_request();
    // Ending.
    void let_worker_go();
    void linger();
    void close();
    void abort();
    void settle();
    void set_deadline(Duration from_now);
    void limit_passed();
    [[nodiscard]] const Server& server() const { return host_.generation->system.server; }
    [[nodiscard]] bool may_read() const;
    [[nodiscard]] bool has_unread_bytes() const;

    SessionHost& host_;
    FrontSocket socket_;
    ReadBuffer buffer_;
    HeadCheck check_;
    ChunkCheck chunks_;
    RequestParser parser_;
    Request request_;
    Instant deadline_ = Instant::max();
    Instant last_read_{};
    Instant waits_since_{};  ///< held, or waiting for a worker to be bound: counts as queue
    std::string target_;
    std::string rest_;  ///< of an answer that the kernel did not take at once
    std::string_view body_rest_;
    std::size_t rest_sent_ = 0;
    std::uint64_t linger_left_ = 0;
    State state_ = State::head;
    bool reading_ = false;  ///< an asynchronous operation is under way
    bool writing_ = false;
    bool with_dispatcher_ = false;  ///< bind or submit was called, and no callback has come
    bool bound_ = false;            ///< a worker is held for it
    bool owes_finish_ = false;      ///< on_answer came, finish was not called
    bool in_pieces_ = false;        ///< the head and a piece of an answer have gone, more comes
    bool half_closed_ = false;      ///< the client sends no more
    bool closed_ = false;
    bool bind_at_accept_ = false;
    bool begun_ = false;            ///< a byte of the request has come
    bool answered_before_ = false;  ///< this is not the connection's first request
    bool worker_leaves_ = false;    ///< its worker goes: the next answer is the last
    bool head_limit_set_ = false;   ///< the time limit of its head runs
};

}  // namespace lab::live
