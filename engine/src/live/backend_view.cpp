// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/backend_view.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "live/language.hpp"
#include "live/wire.hpp"

namespace lab::live {

namespace {

/// nginx: NGX_LISTEN_BACKLOG.
constexpr int proxy_backlog = 511;
/// nginx: keepalive_timeout.
constexpr Duration client_keep_alive = 75s;

Duration scaled(Duration time, double by) {
    constexpr double most = static_cast<double>(std::numeric_limits<std::int64_t>::max() / 2);
    return Duration{
        static_cast<std::int64_t>(std::clamp(static_cast<double>(time.count()) * by, 0.0, most))};
}

void slow_down(std::vector<Step>& steps, double by) {
    for (Step& step : steps) {
        step.time.a = scaled(step.time.a, by);
        step.time.b = scaled(step.time.b, by);
        slow_down(step.steps, by);
    }
}

}  // namespace

GenerationPtr proxy_generation(const System& system, std::uint64_t number) {
    auto made = std::make_shared<Generation>();
    made->number = number;
    made->system = system;
    Server& server = made->system.server;
    server.bind = BindPoint::request;
    server.release = ReleasePoint::buffered;
    server.keep_alive = true;
    server.keep_alive_timeout = client_keep_alive;
    server.when_full = WhenFull::wait;
    made->system.network.backlog = proxy_backlog;
    for (Route& route : made->system.routes) {
        if (route.static_file) {
            route.inline_answer = true;
            route.steps.clear();
        }
        made->programs.push_back(core::compile_proxy(route));
    }
    return made;
}

System backend_system(System system, double slowdown) {
    if (slowdown <= 1) return system;
    for (Route& route : system.routes) slow_down(route.steps, slowdown);
    return system;
}

void write_forwarded(std::string& out, const ForwardedRequest& request) {
    const bool get = request.method == Method::get;
    const std::string_view version = request.keep_alive ? "1.1" : "1.0";
    out.clear();
    auto to = std::back_inserter(out);
    fmt::format_to(to, "{} {} HTTP/{}\r\nHost: 127.0.0.1:{}\r\n", get ? "GET" : "POST",
                   request.target, version, request.port);
    if (!request.keep_alive) out += "Connection: close\r\n";
    if (!get) out += "Content-Length: 0\r\n";
    fmt::format_to(to, "X-Forwarded-For: {}.{}.{}.{}\r\n", request.client >> 24U,
                   request.client >> 16U & 0xffU, request.client >> 8U & 0xffU,
                   request.client & 0xffU);
    fmt::format_to(to, "{}: {}\r\n", accept_language_field, language_name(request.language));
    fmt::format_to(to, "{}: user={}\r\n{}: {}\r\n\r\n", cookie_field, request.user, request_field,
                   request.request);
}

}  // namespace lab::live
