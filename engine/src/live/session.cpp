// SPDX-License-Identifier: GPL-3.0-or-later
// A connection's reading side: from bytes to a complete request. The answering side is in
// session_answer.cpp.
#include "live/session.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

namespace lab::live {

Session::Session(SessionHost& host, FrontSocket socket) : host_{host}, socket_{std::move(socket)} {}

void Session::start() {
    boost::system::error_code ec;
    socket_.non_blocking(true, ec);
    host_.dispatcher->opened(*this);
    set_no_delay(host_.generation->system.network.no_delay);
    bind_at_accept_ = server().bind == BindPoint::accept;
    if (ec) {
        close();
    } else if (bind_at_accept_) {
        waits_since_ = std::chrono::steady_clock::now();
        ask_dispatcher();
    } else {
        set_deadline(server().keep_alive_timeout);
        read();
    }
    settle();
}

void Session::set_no_delay(bool on) {
    boost::system::error_code ec;
    socket_.set_option(boost::asio::ip::tcp::no_delay{on}, ec);  // a lost option is no lost request
}

/// Where the worker is bound before the request is there, what the client sends waits in the
/// kernel.
bool Session::may_read() const {
    if (closed_ || half_closed_ || reading_ || state_ == State::binding) return false;
    return state_ != State::held || request_.complete;
}

void Session::read() {
    if (!may_read()) return;
    if (state_ != State::body) buffer_.shrink();
    char* const to = buffer_.free_space();
    if (buffer_.free_size() == 0) return;  // enough has come early; goes on when some of it is used
    reading_ = true;
    socket_.async_read_some(
        boost::asio::buffer(to, buffer_.free_size()),
        [this](const boost::system::error_code& ec, std::size_t bytes) { on_read(ec, bytes); });
}

void Session::on_read(const boost::system::error_code& ec, std::size_t bytes) {
    reading_ = false;
    if (closed_) {
        settle();
        return;
    }
    if (ec == boost::asio::error::eof) {
        half_closed_ = true;  // RFC 9112 9.6: it may still read
        if (state_ == State::lingering) close();
    } else if (ec) {
        close();
    } else if (state_ == State::lingering) {
        linger_left_ -= std::min<std::uint64_t>(linger_left_, bytes);
        if (linger_left_ == 0) close();
    } else {
        last_read_ = std::chrono::steady_clock::now();
        buffer_.commit(bytes);
    }
    proceed();
    settle();
}

/// Goes on as far as what has come allows, then sees to it that more comes.
void Session::proceed() {
    while (!closed_) {
        if (state_ == State::head) {
            if (!read_head()) break;
        } else if (state_ == State::body) {
            if (!read_body()) break;
        } else {
            break;
        }
    }
    read();
}

/// False: more bytes are needed.
bool Session::read_head() {
    const auto bytes = buffer_.view();
    if (bytes.empty()) {
        if (half_closed_) close();
        return false;
    }
    if (!begun_) {
        begun_ = true;
        request_.received = last_read_;
    }
    switch (check_.scan(bytes, static_cast<std::uint64_t>(server().body_limit.count))) {
        case Scan::complete:
            take_head(check_.facts());
            return true;
        case Scan::refused:
            request_.head_only = bytes.substr(check_.facts().skipped).starts_with("HEAD ");
            refuse(check_.status());
            return true;
        case Scan::more:
            break;
    }
    if (half_closed_) {
        if (check_.begun(bytes)) {
            refuse(400);  // RFC 9112 8: incomplete
        } else {
            close();
        }
        return true;
    }
    if (!head_limit_set_) {
        head_limit_set_ = true;  // from the first byte, whatever comes after it
        set_deadline(server().head_timeout);
    }
    if (buffer_.full() && !reading_) buffer_.grow();
    return false;
}

/// The head is there and holds to the rules: what is asked for, and how does its body come?
void Session::take_head(const HeadFacts& facts) {
    const auto bytes = buffer_.view();
    const auto limit = static_cast<std::uint64_t>(server().body_limit.count);
    const bool parsed =
        parser_.read_head(bytes.substr(facts.skipped, facts.length - facts.skipped), limit);
    const auto& seen = parser_.seen();
    // Two readings of one head that differ are what smuggling is made of.
    if (!parsed || seen.chunked != facts.chunked || seen.method != facts.method ||
        seen.http_1_1 != facts.http_1_1 || seen.content_length.has_value() != facts.has_length ||
        seen.content_length.value_or(0) != facts.content_length) {
        refuse(400);
        return;
    }
    const auto verb = read_verb(facts.method);
    request_.head_only = verb == Verb::head;
    request_.http_1_1 = facts.http_1_1;
    request_.chunked = facts.chunked;
    request_.body_left = facts.content_length;
    request_.expects_continue = facts.expects_continue;
    request_.asked = seen.planned.has_value();
    request_.planned = seen.planned.value_or(0);
    request_.language = seen.language;
    if (seen.keep_alive && server().keep_alive) {
        request_.persistence = facts.http_1_1 ? Persistence::keep : Persistence::keep_1_0;
    }
    auto& match = request_.match;
    match = host_.routes->match(verb, facts.target);
    if (!match.has_user) match.user = seen.user.value_or(0);
    if (match.kind == RouteMatch::Kind::handler) target_.assign(facts.target.path_query);
    buffer_.consume(facts.length);
    if (!facts.chunked && facts.content_length == 0) {
        complete();
    } else if (match.kind == RouteMatch::Kind::refusal) {
        request_.persistence = Persistence::close;  // its body is not read
        complete();
    } else if (match.kind == RouteMatch::Kind::handler && server().bind == BindPoint::head &&
               !bound_) {
        waits_since_ = std::chrono::steady_clock::now();
        ask_dispatcher();
    } else {
        begin_body();
    }
}

void Session::begin_body() {
    state_ = State::body;
    chunks_.restart(static_cast<std::uint64_t>(server().body_limit.count));
    set_deadline(server().body_timeout);
    if (!reading_ && request_.body_left > buffer_.view().size() + ReadBuffer::small_size)
        buffer_.grow();
    // RFC 9110 10.1.1: no need to ask for what is on its way already.
    if (request_.expects_continue && buffer_.empty()) send_continue();
}

void Session::send_continue() {
    boost::system::error_code ec;
    const auto sent =
        socket_.write_some(boost::asio::buffer(continue_line.data(), continue_line.size()), ec);
    // Nothing else is on its way out, so that it is taken whole or the connection is broken.
    if (ec || sent != continue_line.size()) close();
}

/// False: more bytes are needed.
bool Session::read_body() {
    const auto bytes = buffer_.view();
    std::size_t octets = 0;
    auto verdict = Scan::more;
    if (request_.chunked) {
        verdict = chunks_.scan(bytes, octets);
    } else {
        octets =
            static_cast<std::size_t>(std::min<std::uint64_t>(request_.body_left, bytes.size()));
        request_.body_left -= octets;
        if (request_.body_left == 0) verdict = Scan::complete;
    }
    if (verdict != Scan::refused && !parser_.read_body(bytes.substr(0, octets))) {
        refuse(400);
        return true;
    }
    buffer_.consume(octets);
    if (verdict == Scan::complete) {
        if (parser_.done()) {
            complete();
        } else {
            refuse(400);
        }
        return true;
    }
    if (verdict == Scan::refused || half_closed_) {
        refuse(verdict == Scan::refused ? chunks_.status() : 400);  // RFC 9112 8: incomplete
        return true;
    }
    if (buffer_.full() && !reading_) buffer_.grow();
    return false;
}

void Session::set_deadline(Duration from_now) {
    // The coarse clock may be a beat behind, and beats come late: never early.
    deadline_ = host_.coarse_now + from_now + SessionHost::beat;
}

void Session::check_deadline(Instant now) {
    if (now < deadline_ || closed_) return;
    deadline_ = Instant::max();
    limit_passed();
    proceed();
    settle();
}

void Session::limit_passed() {
    switch (state_) {
        case State::head:
            if (begun_ && check_.begun(buffer_.view())) {
                refuse(408);
            } else {
                close();
            }
            return;
        case State::body:
            refuse(408);
            return;
        case State::writing:
        case State::draining:
            abort();
            return;
        case State::lingering:
            close();
            return;
        case State::binding:
        case State::held:
        case State::in_hand:
            return;  // the workers have limits of their own
    }
}

void Session::let_worker_go() {
    if (!with_dispatcher_ && !bound_) return;
    if (host_.dispatcher->withdraw(*this)) {
        host_.completions->forget(*this);
        with_dispatcher_ = bound_ = false;
    } else {
        with_dispatcher_ = true;  // on_answer() comes, and is waited for
    }
}

/// Says that no more is sent and hears the client out for a while, so that it can read the answer
/// before a reset would take it away: RFC 9112 9.6.
void Session::linger() {
    let_worker_go();
    boost::system::error_code ec;
    socket_.shutdown(FrontSocket::shutdown_send, ec);
    if (ec || half_closed_) {
        close();
        return;
    }
    constexpr std::uint64_t linger_limit = 4'000'000;
    constexpr Duration linger_time = 2s;
    linger_left_ = linger_limit;
    state_ = State::lingering;
    buffer_.consume(buffer_.view().size());
    set_deadline(linger_time);
}

void Session::close() {
    if (closed_) return;
    closed_ = true;
    if (state_ == State::held) host_.drop_held(*this);
    if (owes_finish_) {
        finish_exchange();
    } else {
        let_worker_go();
    }
    host_.dispatcher->closed(*this);
    boost::system::error_code ec;
    socket_.close(ec);
}

/// The client gets a reset.
void Session::abort() {
    boost::system::error_code ec;
    socket_.set_option(boost::asio::socket_base::linger{true, 0}, ec);
    close();
}

/// A close over unread bytes would reach the client as a reset.
bool Session::has_unread_bytes() const {
    boost::system::error_code ec;
    return !buffer_.empty() || socket_.available(ec) > 0;
}

void Session::on_worker_gone(bool killed) {
    if (closed_ || with_dispatcher_) {
        worker_leaves_ = !killed;  // what waits or is in hand comes back by itself
    } else if (killed) {
        abort();
    } else if (state_ == State::head && !begun_ && answered_before_ && !has_unread_bytes()) {
        close();
    } else {
        worker_leaves_ = true;
    }
    settle();
}

void Session::shut_down() {
    close();
    settle();
}

/// Last of all in every call from outside: may destroy this.
void Session::settle() {
    if (closed_ && !reading_ && !writing_ && !with_dispatcher_) host_.settled(*this);
}

}  // namespace lab::live
