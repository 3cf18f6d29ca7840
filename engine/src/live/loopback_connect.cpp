// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/loopback_connect.hpp"

#include <exception>
#include <optional>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

namespace lab::live {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

bool is_loopback(const tcp::endpoint& endpoint) {
    const auto address = endpoint.address();
    return address.is_v4() ? address.to_v4().to_uint() >> 24 == 127
                           : address.to_v6() == asio::ip::address_v6::loopback();
}

tcp::endpoint endpoint_of(const LoopbackTarget& target) {
    if (target.v6) return {asio::ip::address_v6::loopback(), target.port};
    return {asio::ip::address_v4{target.v4}, target.port};
}

void loopback_connect(ClientSocket& socket, const tcp::endpoint& endpoint,
                      std::function<void(error_code)> done, int receive_buffer) {
    error_code error;
    if (!is_loopback(endpoint)) error = asio::error::access_denied;
    if (!error) socket.open(endpoint.protocol(), error);
    if (!error) socket.non_blocking(true, error);
    if (!error) socket.set_option(tcp::no_delay{true}, error);
    if (!error && receive_buffer > 0) {
        socket.set_option(asio::socket_base::receive_buffer_size{receive_buffer}, error);
    }
    if (error) {
        asio::post(socket.get_executor(), [error, done = std::move(done)] { done(error); });
        return;
    }
    socket.async_connect(endpoint, std::move(done));
}

bool is_own_shortage(const error_code& error) {
    return error == boost::system::errc::too_many_files_open ||
           error == boost::system::errc::too_many_files_open_in_system ||
           error == boost::system::errc::not_enough_memory ||
           error == boost::system::errc::no_buffer_space ||
           error == boost::system::errc::address_not_available;
}

Result<void> check_listener(const LoopbackTarget& target, Duration patience) {
    try {
        asio::io_context io{1};
        ClientSocket socket{io};
        std::optional<error_code> outcome;
        loopback_connect(socket, endpoint_of(target), [&](error_code error) { outcome = error; });
        io.run_for(patience);
        error_code ignored;
        socket.close(ignored);
        io.run();  // lets the cancelled attempt end before its captures go
        if (!outcome || !*outcome || *outcome == asio::error::operation_aborted) return {};
        if (*outcome == asio::error::access_denied) {
            return Error{ErrorCode::not_permitted, target.host, "not an address of this computer"};
        }
        if (is_own_shortage(*outcome)) {
            return Error{ErrorCode::no_resources, target.host, outcome->message()};
        }
        return Error{ErrorCode::unreachable, target.host,
                     "nobody listens there (" + outcome->message() + ")"};
    } catch (const std::exception& reason) {
        return Error{ErrorCode::no_resources, target.host, reason.what()};
    }
}

}  // namespace lab::live
