// SPDX-License-Identifier: GPL-3.0-or-later
// One model of a balanced system, as the proxy and as each backend has it.
#pragma once

#include "lab/model.hpp"
#include "live/exchange.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace lab::live {

/// The settings of the proxy's own front end. It keeps its clients' connections whatever the
/// servers do, never turns anybody away, takes whole requests, answers static routes by itself,
/// and forwards the rest.
[[nodiscard]] GenerationPtr proxy_generation(const System& system, std::uint64_t number);

/// The settings of one backend: its steps take `slowdown` times as long as the model says.
[[nodiscard]] System backend_system(System system, double slowdown);

/// What the proxy says to a backend.
struct ForwardedRequest {
    Method method = Method::get;
    std::string_view target;  ///< path and query as the client sent them
    std::uint16_t port = 0;   ///< of the backend
    std::uint32_t user = 0;
    std::uint64_t request = 0;  ///< keys the draws
    std::uint32_t client = 0;   ///< the client's address
    std::uint8_t language = 0;  ///< that the client asks for
    bool keep_alive = false;    ///< HTTP/1.1; otherwise HTTP/1.0 and close
};
/// Replaces `out`. A request's body is not passed on: no step reads it.
void write_forwarded(std::string& out, const ForwardedRequest& request);

}  // namespace lab::live
