// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/intrusive/list_hook.hpp>

#include "lab/units.hpp"
#include "live/loopback_connect.hpp"
#include "live/response_reader.hpp"

namespace lab::live {

class ClientConnection;
struct ClientRequest;

/// Why a connection can no longer be used.
enum class Breakage : std::uint8_t {
    own_shortage,  ///< no descriptor, memory or port for it: nothing was sent
    refused,       ///< it could not be made
    closed,        ///< ended or reset by the server
    garbage,       ///< what came is no HTTP answer, or too long a one
};

/// How a connection is slower than the loopback is: the way of each message, and what its end
/// reads or sends a second. All zero: not at all.
struct Pace {
    Duration delay{};            ///< one way; a new connection takes a round trip more
    std::int64_t read_rate = 0;  ///< bytes a second; 0: no limit
    std::int64_t send_rate = 0;
    friend bool operator==(const Pace&, const Pace&) = default;
};

/// Who is told. Each call may open, send on or close the connection that it is about.
class ConnectionOwner {
  public:
    virtual ~ConnectionOwner() = default;
    virtual void on_connected(ClientConnection& connection, Instant now) = 0;
    /// All of an answer is there: connection.answer(). An answer that says so ends the connection:
    /// it is closed before this call.
    virtual void on_answer(ClientConnection& connection, Instant now) = 0;
    /// A piece of a body that was asked for in pieces is there, and more will come:
    /// connection.answer() has the head. Nothing is read until resume().
    virtual void on_piece(ClientConnection&, Instant) {}
    /// It is closed. `answer_begun`: bytes of the answer that is waited for had come.
    virtual void on_broken(ClientConnection& connection, Breakage cause, bool answer_begun,
                           Instant now) = 0;
};

/// One client connection: connects, writes a request, reads its answer; used again and again, also
/// after it was closed. One write and one read a request; no timer; no allocation once its buffers
/// have grown. A read is always pending while it is open, so that a server that closes an idle
/// connection is noticed.
///
/// Threads: the load thread. Outlives its handlers: destroy it after the io_context has run out.
class ClientConnection {
  public:
    ClientConnection(boost::asio::io_context& io, ConnectionOwner& owner);

    /// Closed before. on_connected or on_broken follows, not from inside the call.
    void open(const boost::asio::ip::tcp::endpoint& endpoint, const Pace& pace = {});
    /// Connected and without a request in hand. `bytes` stay valid until the answer or the end of
    /// the connection. A failure is told later, as on_broken. The answer's body is appended to
    /// `body`, which stays valid as long; null: it is only counted.
    void send(std::string_view bytes, std::string* body = nullptr);
    /// Likewise, and tells of each piece of the body as it comes.
    void send_for_pieces(std::string_view bytes, std::string& body);
    /// After on_piece: goes on reading.
    void resume();
    /// Drops everything; nothing is told.
    void close();

    [[nodiscard]] bool is_open() const { return state_ == State::open; }
    [[nodiscard]] bool is_closed() const { return state_ == State::closed; }
    [[nodiscard]] const ReceivedAnswer& answer() const { return reader_.answer(); }
    /// Answers that came on it since it was opened.
    [[nodiscard]] std::uint64_t answers() const { return answers_; }
    /// Room in which its requests may be written; keeps its capacity.
    [[nodiscard]] std::string& text() { return text_; }

    // For its owner.
    ClientRequest* request = nullptr;  ///< in hand
    std::uint32_t user = 0;            ///< closed loop: whose connection it is
    std::uint32_t generation = 0;      ///< of the settings it was opened under
    boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>
        idle;  ///< linked while it is open and has nothing to do

  private:
    enum class State : std::uint8_t { closed, connecting, open };

    using Timer =
        boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                          boost::asio::wait_traits<std::chrono::steady_clock>,
                                          boost::asio::io_context::executor_type>;
    /// What only a connection with a pace needs.
    struct Slow {
        explicit Slow(boost::asio::io_context& io) : out{io}, in{io} {}
        Timer out, in;  ///< one for each direction
        Pace pace;
        bool delivering = false;  ///< an answer is complete and on its way to the owner
    };

    void connected(boost::system::error_code error);
    void established(Instant now);
    void write_now();
    void write_rest();
    void write_slowly();
    void read();
    void read_on();
    void complete(bool closing, Instant now);
    template <class Work>
    void after(Timer& timer, Duration time, Work work);
    void received(boost::system::error_code error, std::size_t bytes);
    void parse(Instant now);
    void broken(Breakage cause, Instant now);

    static constexpr std::size_t first_buffer = 16 * 1024;
    static constexpr std::size_t largest_buffer = 128 * 1024;

    ConnectionOwner* owner_;
    ClientSocket socket_;
    ResponseReader reader_;
    State state_ = State::closed;
    bool reading_ = false;
    std::string* pieces_ = nullptr;  ///< where the pieces go, if it was asked for pieces
    bool paused_ = false;            ///< a piece was told, and resume() has not come
    bool awaiting_ = false;          ///< a request was sent and its answer is not complete
    std::uint32_t life_ = 0;         ///< counts openings; a handler of a former one is ignored
    std::uint64_t answers_ = 0;
    std::string_view unsent_;
    std::vector<char> buffer_;
    std::size_t filled_ = 0;
    std::string text_;
    boost::asio::io_context* io_;
    std::unique_ptr<Slow> slow_;  ///< made when it is first opened with a pace
    bool paced_ = false;
};

}  // namespace lab::live
