// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/port_reservation.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace lab::live {

namespace asio = boost::asio;
using asio::ip::tcp;

/// Bound, and never listening: with SO_REUSEADDR on both sides Linux lets a listener share the
/// port, and gives it to nobody who asks for any free one.
struct PortReservation::Socket {
    asio::io_context io{1};
    tcp::socket socket{io};
    std::uint16_t port = 0;
};

PortReservation::PortReservation(std::unique_ptr<Socket> socket) : socket_{std::move(socket)} {}
PortReservation::~PortReservation() = default;

std::uint16_t PortReservation::port() const { return socket_->port; }

Result<std::unique_ptr<PortReservation>> PortReservation::make() {
    auto made = std::make_unique<Socket>();
    boost::system::error_code ec;
    made->socket.open(tcp::v4(), ec);
    if (!ec) made->socket.set_option(asio::socket_base::reuse_address{true}, ec);
    if (!ec) made->socket.bind({asio::ip::address_v4::loopback(), 0}, ec);
    if (!ec) made->port = made->socket.local_endpoint(ec).port();
    if (ec) {
        return Error{ErrorCode::no_resources, "balancer.backends",
                     "no port for a backend: " + ec.message()};
    }
    return std::unique_ptr<PortReservation>{new PortReservation{std::move(made)}};
}

}  // namespace lab::live
