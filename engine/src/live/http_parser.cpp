// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/http_parser.hpp"

#include <limits>
#include <memory>
#include <new>

#include <boost/beast/http/basic_parser.hpp>

#include "live/http_text.hpp"
#include "live/language.hpp"
#include "live/wire.hpp"

namespace lab::live {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;

std::string_view plain(boost::beast::string_view text) { return {text.data(), text.size()}; }

/// "a=1; user=7": RFC 6265 4.2.
std::optional<std::uint32_t> find_user(std::string_view cookie) {
    while (!cookie.empty()) {
        const auto end = cookie.find(';');
        const auto pair = trim_blanks(cookie.substr(0, end));
        if (pair.substr(0, 5) == "user=") {
            const auto number = read_number(pair.substr(5));
            if (!number || *number > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
            return static_cast<std::uint32_t>(*number);
        }
        if (end == std::string_view::npos) break;
        cookie.remove_prefix(end + 1);
    }
    return std::nullopt;
}

bool lists_close(std::string_view value) {
    while (true) {
        const auto comma = value.find(',');
        if (equal_fold(trim_blanks(value.substr(0, comma)), "close")) return true;
        if (comma == std::string_view::npos) return false;
        value.remove_prefix(comma + 1);
    }
}

}  // namespace

class RequestParser::Beast final : public http::basic_parser<true> {
  public:
    Seen seen;
    bool head_only = true;  ///< trailers are fields too, and are dropped
    bool closes = false;

  private:
    void on_request_impl(http::verb, boost::beast::string_view method,
                         boost::beast::string_view target, int version, error_code& ec) override {
        ec = {};
        seen.method = plain(method);
        seen.target = plain(target);
        seen.http_1_1 = version == 11;
    }
    void on_response_impl(int, boost::beast::string_view, int, error_code& ec) override { ec = {}; }
    void on_field_impl(http::field field, boost::beast::string_view name,
                       boost::beast::string_view value, error_code& ec) override {
        ec = {};
        if (!head_only) return;
        if (field == http::field::cookie) {
            if (!seen.user) seen.user = find_user(plain(value));
        } else if (field == http::field::accept_language) {
            seen.language = read_language(plain(value));
        } else if (field == http::field::connection) {
            closes = closes || lists_close(plain(value));
        } else if (field == http::field::unknown && name.size() == request_field.size() &&
                   boost::beast::iequals(name, {request_field.data(), request_field.size()})) {
            seen.planned = read_number(plain(value));
        }
    }
    void on_header_impl(error_code& ec) override {
        ec = {};
        head_only = false;
    }
    void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code& ec) override {
        ec = {};
    }
    std::size_t on_body_impl(boost::beast::string_view body, error_code& ec) override {
        ec = {};
        return body.size();
    }
    void on_chunk_header_impl(std::uint64_t, boost::beast::string_view, error_code& ec) override {
        ec = {};
    }
    std::size_t on_chunk_body_impl(std::uint64_t, boost::beast::string_view body,
                                   error_code& ec) override {
        ec = {};
        return body.size();
    }
    void on_finish_impl(error_code& ec) override { ec = {}; }
};

RequestParser::RequestParser() {
    static_assert(sizeof(Beast) <= room);
    static_assert(alignof(Beast) <= alignof(std::max_align_t));
    beast_ = std::construct_at(reinterpret_cast<Beast*>(storage_));
}

RequestParser::~RequestParser() { std::destroy_at(beast_); }

bool RequestParser::read_head(std::string_view head, std::uint64_t body_limit) {
    std::destroy_at(beast_);
    beast_ = std::construct_at(reinterpret_cast<Beast*>(storage_));
    beast_->header_limit(static_cast<std::uint32_t>(head.size()));
    beast_->body_limit(body_limit);
    error_code ec;
    const auto used = beast_->put(boost::asio::const_buffer{head.data(), head.size()}, ec);
    if (ec || used != head.size() || !beast_->is_header_done()) return false;
    auto& seen = beast_->seen;
    seen.keep_alive = beast_->keep_alive() && !beast_->closes;
    seen.chunked = beast_->chunked();
    if (const auto length = beast_->content_length()) seen.content_length = *length;
    beast_->eager(true);
    return true;
}

bool RequestParser::read_body(std::string_view octets) {
    while (!octets.empty()) {
        error_code ec;
        const auto used = beast_->put(boost::asio::const_buffer{octets.data(), octets.size()}, ec);
        if (ec || used == 0) return false;
        octets.remove_prefix(used);
    }
    return true;
}

bool RequestParser::done() const { return beast_->is_done(); }

const RequestParser::Seen& RequestParser::seen() const { return beast_->seen; }

}  // namespace lab::live
