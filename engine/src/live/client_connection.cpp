// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/client_connection.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include "lab/assert.hpp"

namespace lab::live {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

Instant clock_now() { return std::chrono::steady_clock::now(); }

/// The kernel's receive buffer of a slow reader, in bytes: a large one would read for it.
constexpr int slow_buffer = 4096;

/// How much at a time, and how often, comes to so many bytes a second.
struct Spoon {
    std::size_t bytes;
    Duration every;
    explicit Spoon(std::int64_t rate)
        : bytes{static_cast<std::size_t>(std::max<std::int64_t>(1, rate / 10))},
          every{rate >= 10
                    ? Duration{100ms}
                    : from_seconds(1 / static_cast<double>(std::max<std::int64_t>(1, rate)))} {}
};

}  // namespace

ClientConnection::ClientConnection(asio::io_context& io, ConnectionOwner& owner)
    : owner_{&owner}, socket_{io}, io_{&io} {}

void ClientConnection::open(const asio::ip::tcp::endpoint& endpoint, const Pace& pace) {
    LAB_ASSERT(state_ == State::closed);
    state_ = State::connecting;
    reading_ = false;
    answers_ = 0;
    filled_ = 0;
    unsent_ = {};
    paced_ = pace != Pace{};
    if (paced_) {
        if (!slow_) slow_ = std::make_unique<Slow>(*io_);
        slow_->pace = pace;
        slow_->delivering = false;
    }
    if (buffer_.empty()) buffer_.resize(first_buffer);
    const auto done = [this, life = life_](error_code error) {
        if (life == life_) connected(error);
    };
    loopback_connect(socket_, endpoint, done, paced_ && pace.read_rate > 0 ? slow_buffer : 0);
}

void ClientConnection::connected(error_code error) {
    const Instant now = clock_now();
    if (error) {
        broken(is_own_shortage(error) ? Breakage::own_shortage : Breakage::refused, now);
        return;
    }
    if (paced_ && slow_->pace.delay > Duration{}) {
        // The handshake takes a round trip: over loopback it took none.
        after(slow_->in, 2 * slow_->pace.delay, [this] { established(clock_now()); });
        return;
    }
    established(now);
}

void ClientConnection::established(Instant now) {
    state_ = State::open;
    owner_->on_connected(*this, now);
    if (state_ == State::open) read();
}

void ClientConnection::send(std::string_view bytes, std::string* body) {
    LAB_ASSERT(state_ == State::open);
    LAB_ASSERT(!awaiting_);
    reader_.reset(body);
    pieces_ = nullptr;
    paused_ = false;
    awaiting_ = true;
    unsent_ = bytes;
    if (!paced_) {
        write_now();
        return;
    }
    const auto write = [this] { slow_->pace.send_rate > 0 ? write_slowly() : write_now(); };
    if (slow_->pace.delay > Duration{}) {
        after(slow_->out, slow_->pace.delay, write);
    } else {
        write();
    }
}

void ClientConnection::write_now() {
    error_code error;
    const std::size_t sent = socket_.write_some(asio::buffer(unsent_), error);
    // A real failure shows at the read that is pending or follows: what the server said before it
    // closed is still read that way.
    if (!error) unsent_.remove_prefix(sent);
    if (!unsent_.empty() && (!error || error == asio::error::would_block)) write_rest();
}

void ClientConnection::send_for_pieces(std::string_view bytes, std::string& body) {
    send(bytes, &body);
    pieces_ = &body;
}

void ClientConnection::resume() {
    if (state_ != State::open || !std::exchange(paused_, false)) return;
    read();
}

/// A little at a time, about ten times a second.
void ClientConnection::write_slowly() {
    const Spoon spoon{slow_->pace.send_rate};
    error_code error;
    const std::string_view some = unsent_.substr(0, spoon.bytes);
    const std::size_t sent = socket_.write_some(asio::buffer(some), error);
    if (!error) unsent_.remove_prefix(sent);
    if (error && error != asio::error::would_block) return;  // shows at the read
    if (!unsent_.empty()) after(slow_->out, spoon.every, [this] { write_slowly(); });
}

template <class Work>
void ClientConnection::after(Timer& timer, Duration time, Work work) {
    timer.expires_after(time);
    timer.async_wait([this, life = life_, work](error_code error) {
        if (!error && life == life_) work();
    });
}

/// The kernel's buffer was full: rare, since requests are small.
void ClientConnection::write_rest() {
    socket_.async_write_some(asio::buffer(unsent_),
                             [this, life = life_](error_code error, std::size_t sent) {
                                 if (life != life_ || error) return;
                                 unsent_.remove_prefix(std::min(sent, unsent_.size()));
                                 if (!unsent_.empty()) write_rest();
                             });
}

void ClientConnection::read() {
    if (reading_) return;
    reading_ = true;
    std::size_t room = buffer_.size() - filled_;
    if (paced_ && slow_->pace.read_rate > 0) {
        room = std::min(room, Spoon{slow_->pace.read_rate}.bytes);
    }
    socket_.async_read_some(asio::buffer(buffer_.data() + filled_, room),
                            [this, life = life_](error_code error, std::size_t bytes) {
                                if (life == life_) received(error, bytes);
                            });
}

void ClientConnection::received(error_code error, std::size_t bytes) {
    const Instant now = clock_now();
    reading_ = false;
    filled_ += bytes;
    if (error == asio::error::eof && awaiting_) {
        reader_.put_end();
        if (reader_.state() == ResponseReader::State::complete) {
            complete(true, now);
            return;
        }
    }
    if (error) {
        broken(Breakage::closed, now);
        return;
    }
    const auto life = life_;
    parse(now);
    if (life == life_ && state_ == State::open && !paused_) read_on();
}

/// A slow reader pauses between two spoonfuls of an answer.
void ClientConnection::read_on() {
    if (paced_) {
        if (slow_->delivering) return;
        const auto rate = slow_->pace.read_rate;
        if (rate > 0 && awaiting_) {
            after(slow_->in, Spoon{rate}.every, [this] { read(); });
            return;
        }
    }
    read();
}

/// An answer is there. `closing`: the connection ends with it.
void ClientConnection::complete(bool closing, Instant now) {
    awaiting_ = false;
    ++answers_;
    if (!paced_ || slow_->pace.delay <= Duration{}) {
        if (closing) close();
        owner_->on_answer(*this, now);
        return;
    }
    slow_->delivering = true;
    after(slow_->in, slow_->pace.delay, [this, closing] {
        slow_->delivering = false;
        if (closing) close();
        const auto life = life_;
        owner_->on_answer(*this, clock_now());
        if (life == life_ && state_ == State::open) read_on();
    });
}

void ClientConnection::parse(Instant now) {
    if (!awaiting_) {
        broken(Breakage::garbage, now);  // bytes that nobody asked for
        return;
    }
    const std::size_t used = reader_.put({buffer_.data(), filled_});
    filled_ -= used;
    if (filled_ > 0 && used > 0) std::memmove(buffer_.data(), buffer_.data() + used, filled_);
    switch (reader_.state()) {
        case ResponseReader::State::broken:
            broken(Breakage::garbage, now);
            return;
        case ResponseReader::State::reading:
            if (pieces_ != nullptr && !pieces_->empty()) {
                paused_ = true;
                owner_->on_piece(*this, now);
                return;
            }
            if (filled_ < buffer_.size()) return;
            if (buffer_.size() >= largest_buffer) {
                broken(Breakage::garbage, now);
            } else {
                buffer_.resize(buffer_.size() * 2);
            }
            return;
        case ResponseReader::State::complete:
            break;
    }
    // What follows the answer belongs to no request; a request not wholly sent cannot be followed
    // by one.
    complete(!reader_.answer().keep_alive || filled_ > 0 || !unsent_.empty(), now);
}

void ClientConnection::close() {
    if (state_ == State::closed) return;
    state_ = State::closed;
    ++life_;
    reading_ = false;
    awaiting_ = paused_ = false;
    unsent_ = {};
    if (paced_) {
        slow_->out.cancel();
        slow_->in.cancel();
    }
    error_code ignored;
    socket_.close(ignored);
}

void ClientConnection::broken(Breakage cause, Instant now) {
    const bool begun = awaiting_ && reader_.begun();
    close();
    owner_->on_broken(*this, cause, begun, now);
}

}  // namespace lab::live
