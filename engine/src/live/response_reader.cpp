// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/response_reader.hpp"

#include <charconv>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "live/language.hpp"
#include "live/wire.hpp"

namespace lab::live {

namespace beast = boost::beast;
namespace http = beast::http;
using beast::error_code;

namespace {

/// Whether these are the first octets of what may be the end of a chunked body. Beast 1.81 asserts
/// that it is given all of the shortest one, "0\r\n\r\n", once it has seen the last chunk's size.
bool may_be_cut_end(std::string_view bytes) {
    constexpr std::size_t shortest_end = 5;
    if (bytes.size() >= shortest_end) return false;
    if (bytes.starts_with("\r\n")) bytes.remove_prefix(2);
    return bytes.starts_with('0');
}

/// "X-Lab-" and a length tell our fields from the rest before any comparison.
bool is_field(beast::string_view name, std::string_view wanted) {
    return name.size() == wanted.size() && beast::iequals(name, {wanted.data(), wanted.size()});
}

}  // namespace

/// Beast's grammar with callbacks that store only what is counted by.
struct ResponseReader::Parser final : http::basic_parser<false> {
    Parser(ReceivedAnswer& answer, std::string* body) : answer_{answer}, body_{body} {
        header_limit(head_limit);
        basic_parser::body_limit(ResponseReader::body_limit);
        eager(true);
    }

  private:
    void on_request_impl(http::verb, beast::string_view, beast::string_view, int,
                         error_code&) override {}

    void on_response_impl(int status, beast::string_view, int, error_code& error) override {
        answer_.status = status;
        if (status < 100 || status > 599 || status == 101) error = http::error::bad_status;
    }

    void on_field_impl(http::field name, beast::string_view name_text, beast::string_view value,
                       error_code&) override {
        if (name == http::field::content_language && !is_header_done()) {
            answer_.language = read_language({value.data(), value.size()});
        }
        if (name != http::field::unknown || is_header_done()) return;
        if (name_text.size() < 6 || name_text[5] != '-') return;
        const std::string_view text{value.data(), value.size()};
        if (is_field(name_text, times_field)) {
            answer_.times = read_times(text);
        } else if (is_field(name_text, user_field)) {
            std::uint32_t user = 0;
            const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), user);
            if (bad == std::errc{} && end == text.data() + text.size()) answer_.made_for = user;
        } else if (is_field(name_text, version_field)) {
            answer_.version_count =
                read_versions(text, answer_.versions.data(), answer_.versions.size());
        }
    }

    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) override {
        if (length) answer_.length = *length;
    }

    std::size_t on_body_impl(beast::string_view body, error_code&) override {
        take(body);
        return body.size();
    }

    void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}

    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, error_code&) override {
        take(body);
        return body.size();
    }

    void on_finish_impl(error_code&) override {}

    void take(beast::string_view body) {
        answer_.body_bytes += body.size();
        if (body_ != nullptr) body_->append(body.data(), body.size());
    }

    ReceivedAnswer& answer_;
    std::string* body_;
};

struct ResponseReader::Impl {
    ReceivedAnswer answer;
    std::optional<Parser> parser;
    std::string* body = nullptr;

    void begin() {
        answer.made_for.reset();
        answer.language.reset();
        answer.times.reset();
        answer.version_count = 0;
        answer.body_bytes = 0;
        answer.length.reset();
        answer.keep_alive = false;
        parser.emplace(answer, body);
    }
};

ResponseReader::ResponseReader() : impl_{std::make_unique<Impl>()} { impl_->begin(); }
ResponseReader::~ResponseReader() = default;

const ReceivedAnswer& ResponseReader::answer() const { return impl_->answer; }

void ResponseReader::reset(std::string* body) {
    impl_->body = body;
    impl_->begin();
    state_ = State::reading;
    begun_ = false;
}

std::size_t ResponseReader::put(std::string_view bytes) {
    std::size_t used = 0;
    while (state_ == State::reading && used < bytes.size()) {
        begun_ = true;
        error_code error;
        Parser& parser = *impl_->parser;
        const bool in_chunks = parser.is_header_done() && parser.chunked();
        if (in_chunks && may_be_cut_end(bytes.substr(used))) break;
        used += parser.put(boost::asio::buffer(bytes.data() + used, bytes.size() - used), error);
        if (error == http::error::need_more) break;
        if (error) {
            state_ = State::broken;
        } else if (parser.is_done() && impl_->answer.status < 200) {
            impl_->begin();  // an interim answer: the real one follows
        } else if (parser.is_done()) {
            impl_->answer.keep_alive = parser.keep_alive();
            state_ = State::complete;
        }
    }
    return used;
}

void ResponseReader::put_end() {
    if (state_ != State::reading) return;
    error_code error = http::error::end_of_stream;
    if (impl_->parser->got_some() && impl_->parser->is_header_done()) impl_->parser->put_eof(error);
    state_ = !error && impl_->answer.status >= 200 ? State::complete : State::broken;
}

}  // namespace lab::live
