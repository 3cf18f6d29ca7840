// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "lab/experiment.hpp"
#include "lab/result.hpp"

namespace lab::live {

/// A client's socket. Its executor is the io_context itself: no type erasure on the way of each
/// request.
using ClientSocket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

/// 127.0.0.0/8 or ::1, and nothing else (no v4-mapped address either).
[[nodiscard]] bool is_loopback(const boost::asio::ip::tcp::endpoint& endpoint);

[[nodiscard]] boost::asio::ip::tcp::endpoint endpoint_of(const LoopbackTarget& target);

/// The one place in the program that connects. Checks the address that goes to the kernel: anything
/// but loopback is answered with access_denied, and no packet leaves. Opens the socket
/// (non-blocking, TCP_NODELAY). `done` is called once on the socket's io_context, never from inside
/// this call, also with no_descriptors and the like. It is kept without allocation where it
/// captures at most two words. `receive_buffer`: the kernel's, in bytes; 0 leaves it as it is.
///
/// Threads: the one that runs the io_context.
void loopback_connect(ClientSocket& socket, const boost::asio::ip::tcp::endpoint& endpoint,
                      std::function<void(boost::system::error_code)> done, int receive_buffer = 0);

/// The generator itself has nothing left to connect with: descriptors, memory, ports.
[[nodiscard]] bool is_own_shortage(const boost::system::error_code& error);

/// Whether anybody listens. Waits at most `patience`; a listener whose backlog is full counts as
/// one. Errors: unreachable, no_resources, not_permitted. Threads: any; blocks.
[[nodiscard]] Result<void> check_listener(const LoopbackTarget& target, Duration patience);

}  // namespace lab::live
