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
}  // namespace

ClientConnection::ClientConnection(asio::io_context& io, ConnectionOwner& owner)
    : owner_{&owner}, socket_{io} {}

void ClientConnection::open(const asio::ip::tcp::endpoint& endpoint) {
    LAB_ASSERT(state_ == State::closed);
    state_ = State::connecting;
    reading_ = false;
    answers_ = 0;
    filled_ = 0;
    unsent_ = {};
    if (buffer_.empty()) buffer_.resize(first_buffer);
    loopback_connect(socket_, endpoint, [this, life = life_](error_code error) {
        if (life == life_) connected(error);
    });
}

void ClientConnection::connected(error_code error) {
    const Instant now = clock_now();
    if (error) {
        broken(is_own_shortage(error) ? Breakage::own_shortage : Breakage::refused, now);
        return;
    }
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
    error_code error;
    const std::size_t sent = socket_.write_some(asio::buffer(bytes), error);
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
    socket_.async_read_some(asio::buffer(buffer_.data() + filled_, buffer_.size() - filled_),
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
            awaiting_ = false;
            ++answers_;
            close();
            owner_->on_answer(*this, now);
            return;
        }
    }
    if (error) {
        broken(Breakage::closed, now);
        return;
    }
    const auto life = life_;
    parse(now);
    if (life == life_ && state_ == State::open && !paused_) read();
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
    awaiting_ = false;
    ++answers_;
    // What follows the answer belongs to no request; a request not wholly sent cannot be followed
    // by one.
    if (!reader_.answer().keep_alive || filled_ > 0 || !unsent_.empty()) close();
    owner_->on_answer(*this, now);
}

void ClientConnection::close() {
    if (state_ == State::closed) return;
    state_ = State::closed;
    ++life_;
    reading_ = false;
    awaiting_ = paused_ = false;
    unsent_ = {};
    error_code ignored;
    socket_.close(ignored);
}

void ClientConnection::broken(Breakage cause, Instant now) {
    const bool begun = awaiting_ && reader_.begun();
    close();
    owner_->on_broken(*this, cause, begun, now);
}

}  // namespace lab::live
