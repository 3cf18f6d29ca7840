// SPDX-License-Identifier: GPL-3.0-or-later
// A connection's answering side: from a complete request to the last byte of its answer.
#include <algorithm>
#include <array>
#include <chrono>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include "lab/assert.hpp"
#include "live/language.hpp"
#include "live/platform.hpp"
#include "live/session.hpp"
#include "live/wire.hpp"

namespace lab::live {
namespace {

/// An idle connection keeps no more than this of the last answer's memory.
constexpr std::size_t kept_body = 12'000;
/// A body that costs less to copy behind its head than to be gathered with it.
constexpr std::size_t joined_body = 2'048;

boost::asio::const_buffer as_buffer(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

/// The whole request is there.
void Session::complete() {
    request_.complete = true;
    switch (request_.match.kind) {
        case RouteMatch::Kind::prepared:
            answer_prepared();
            return;
        case RouteMatch::Kind::refusal:
            answer_refusal(request_.match);
            return;
        case RouteMatch::Kind::cache_page:
            answer_page(200, host_.dispatcher->cache_page(), {});
            return;
        case RouteMatch::Kind::handler:
            waits_since_ = std::chrono::steady_clock::now();
            ask_dispatcher();
            return;
    }
}

void Session::ask_dispatcher() {
    deadline_ = Instant::max();
    if (!bound_ && home < 0 && host_.must_hold()) {
        state_ = State::held;
        host_.hold(*this);
        return;
    }
    ask_now();
}

void Session::ask_now() {
    generation = host_.dispatcher->generation();
    with_dispatcher_ = true;
    if (request_.complete) {
        submit_request();
        return;
    }
    state_ = State::binding;
    host_.dispatcher->bind(*this);
}

void Session::submit_request() {
    const auto now = Instant{std::chrono::steady_clock::now()};
    LAB_ASSERT(request_.match.route < generation->programs.size());
    state_ = State::in_hand;
    route = request_.match.route;
    key = request_.match.key;
    user = request_.match.user;
    language = request_.language;
    target = target_;
    answer.clear();
    effect = {};
    whole_length.reset();
    more = in_pieces_ = false;
    const auto id = request_.asked ? request_.planned : ++host_.next_id;
    cursor = core::begin(generation->programs[route], host_.seed, id, request_.received, now);
    host_.dispatcher->submit(*this);
}

void Session::unhold() {
    if (request_.complete) {
        // As if it had waited unread in the kernel: queue, not parse.
        request_.received += std::chrono::steady_clock::now() - waits_since_;
    }
    ask_now();
    settle();
}

void Session::on_bound() {
    with_dispatcher_ = false;
    bound_ = true;
    if (begun_) {
        request_.received += std::chrono::steady_clock::now() - waits_since_;
        begin_body();
    } else {
        state_ = State::head;
        set_deadline(server().keep_alive_timeout);
    }
    proceed();
    settle();
}

void Session::on_answer() {
    with_dispatcher_ = false;
    owes_finish_ = true;
    if (closed_ || state_ == State::lingering) {
        finish_exchange();
    } else if (effect.op != core::Op::respond) {
        abort();
    } else if (in_pieces_) {
        answer_piece();
    } else {
        answer_exchange();
    }
    proceed();
    settle();
}

void Session::answer_refusal(const RouteMatch& match) {
    // What cannot be understood or done ends the connection; what is merely not here does not.
    if (match.status == 400 || match.status == 501) request_.persistence = Persistence::close;
    answer_page(match.status, match.status == 204 ? std::string_view{} : refusal_page(match.status),
                match.allow);
}

void Session::answer_page(std::uint16_t status, std::string_view page, std::string_view allow) {
    auto& head = host_.scratch;
    head.clear();
    begin_head(head,
               {.status = status,
                .length = page.size(),
                .persistence = request_.persistence,
                .allow = allow},
               host_.date);
    end_head(head);
    if (!request_.head_only) head += page;
    write(head, {}, true);
}

void Session::refuse(int status) {
    request_.persistence = Persistence::close;
    RouteMatch match;
    match.status = static_cast<std::uint16_t>(status);
    answer_refusal(match);
}

void Session::answer_prepared() {
    auto& prepared = host_.routes->prepared(request_.match);
    const auto parts = prepared.parts(request_.persistence, request_.head_only, host_.date);
    // The table may be replaced while a slow client still reads.
    write(parts.first, parts.second, false);
}

void Session::answer_exchange() {
    const bool good = effect.status == 200;
    // Refused before it was read, or by a worker that leaves.
    if (!request_.complete || worker_leaves_) request_.persistence = Persistence::close;
    const std::string_view body =
        good ? std::string_view{answer.body} : refusal_page(effect.status);
    auto& head = host_.scratch;
    head.clear();
    begin_head(head,
               {.status = effect.status,
                .content_type = good ? host_.routes->content_type(route) : plain_text,
                .length = good ? whole_length.value_or(body.size()) : body.size(),
                .persistence = request_.persistence,
                .allow = {}},
               host_.date);
    in_pieces_ = more;
    if (request_.asked && request_.complete) append_lab_fields(head);
    end_head(head);
    if (request_.head_only) {
        write(head, {}, true);
    } else if (body.size() <= joined_body) {
        head += body;
        write(head, {}, true);
    } else {
        write(head, body, true);
    }
}

/// The next piece of an answer whose head has gone.
void Session::answer_piece() {
    if (request_.head_only || answer.body.empty()) {
        on_written();
    } else {
        write(answer.body, {}, false);
    }
}

/// For a client that asked with X-Lab-Request.
void Session::append_lab_fields(std::string& head) {
    if (effect.status == 200) {
        if (generation->system.routes[route].personal) {
            head.append(user_field)
                .append(": ")
                .append(std::to_string(answer.made_for))
                .append("\r\n");
        }
        if (generation->system.routes[route].localised) {
            head.append(language_field)
                .append(": ")
                .append(language_name(answer.language))
                .append("\r\n");
        }
        if (!answer.versions.empty()) {
            head.append(version_field).append(": ");
            write_versions(head, answer.versions);
            head.append("\r\n");
        }
    }
    measure::ServerTimes times;
    times.received = request_.received;
    times.ready = cursor.since;
    times.parts = cursor.parts;
    head.append(times_field).append(": ");
    write_times(head, times);
    head.append("\r\n");
}

/// One gathered write, at once; what the kernel does not take goes out as it can. `body_stays`: the
/// body's memory lasts until the answer is written.
void Session::write(std::string_view head, std::string_view body, bool body_stays) {
    state_ = State::writing;
    const std::array<boost::asio::const_buffer, 2> both{as_buffer(head), as_buffer(body)};
    boost::system::error_code ec;
    auto sent = body.empty() ? socket_.write_some(both[0], ec) : socket_.write_some(both, ec);
    if (ec == boost::asio::error::would_block || ec == boost::asio::error::try_again) {
        sent = 0;
    } else if (ec) {
        close();
        return;
    }
    if (sent == head.size() + body.size()) {
        on_written();
        return;
    }
    const auto of_head = std::min(sent, head.size());
    rest_.assign(head.substr(of_head));
    rest_sent_ = 0;
    body_rest_ = body.substr(sent - of_head);
    if (!body_stays) {
        rest_.append(body_rest_);
        body_rest_ = {};
    }
    write_rest();
}

void Session::write_rest() {
    const auto rest = std::string_view{rest_}.substr(rest_sent_);
    const std::array<boost::asio::const_buffer, 2> both{as_buffer(rest), as_buffer(body_rest_)};
    set_deadline(server().body_timeout);  // anew with each piece that the client takes
    writing_ = true;
    socket_.async_write_some(both, [this](const boost::system::error_code& ec, std::size_t sent) {
        writing_ = false;
        const auto of_head = std::min(sent, rest_.size() - rest_sent_);
        rest_sent_ += of_head;
        body_rest_.remove_prefix(std::min(sent - of_head, body_rest_.size()));
        if (closed_) {
            // The cancellation of close().
        } else if (ec) {
            close();
        } else if (rest_sent_ == rest_.size() && body_rest_.empty()) {
            std::string{}.swap(rest_);
            rest_sent_ = 0;
            on_written();
            proceed();
        } else {
            write_rest();
        }
        settle();
    });
}

void Session::on_written() {
    if (owes_finish_) {
        // A piece counts as taken when the client's kernel has it: our own buffers would hold it
        // all.
        const bool drained = more || generation->system.server.release == ReleasePoint::drained;
        if (drained && platform::unsent_bytes(socket_.native_handle()) > 0) {
            platform::report_writable_when_sent(socket_.native_handle(), true);
            wait_until_drained();
            return;
        }
    }
    on_drained();
}

/// The answer, or a piece of it, has gone as far as it has to.
void Session::on_drained() {
    if (owes_finish_ && more) {
        state_ = State::in_hand;
        deadline_ = Instant::max();
        owes_finish_ = false;
        with_dispatcher_ = true;
        host_.dispatcher->more(*this);
        return;
    }
    if (owes_finish_) finish_exchange();
    next_request();
}

/// The worker stays with a slow client until its kernel has the whole answer.
void Session::wait_until_drained() {
    state_ = State::draining;
    set_deadline(server().body_timeout);
    writing_ = true;
    socket_.async_wait(FrontSocket::wait_write, [this](const boost::system::error_code& ec) {
        writing_ = false;
        if (closed_) {
            // The cancellation of close().
        } else if (ec) {
            close();
        } else if (platform::unsent_bytes(socket_.native_handle()) > 0) {
            wait_until_drained();
        } else {
            platform::report_writable_when_sent(socket_.native_handle(), false);
            on_drained();
            proceed();
        }
        settle();
    });
}

void Session::finish_exchange() {
    owes_finish_ = false;
    const bool stays = !closed_ && request_.persistence != Persistence::close && !half_closed_;
    // Only a worker that was bound to the connection stays with it.
    const bool keep_worker =
        stays && bound_ && bind_at_accept_ && server().bind == BindPoint::accept;
    bound_ = keep_worker;
    host_.dispatcher->finish(*this, keep_worker);
    if (answer.body.capacity() > kept_body) std::string{}.swap(answer.body);
}

void Session::next_request() {
    if (request_.persistence == Persistence::close) {
        linger();  // nothing that came after it is looked at: RFC 9112 9.3
        return;
    }
    answered_before_ = true;
    request_ = {};
    check_.restart();
    begun_ = head_limit_set_ = false;
    state_ = State::head;
    set_deadline(server().keep_alive_timeout);
}

}  // namespace lab::live
