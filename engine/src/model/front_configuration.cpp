// SPDX-License-Identifier: GPL-3.0-or-later
// The balancer in force as a person would write it for nginx.
#include "lab/presets.hpp"

#include <fmt/format.h>

namespace lab {
namespace {

constexpr int first_backend_port = 8001;

/// nginx takes "10s", "1500ms".
std::string time_of(Duration d) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
    return ms % 1000 == 0 ? fmt::format("{}s", ms / 1000) : fmt::format("{}ms", ms);
}

std::string_view rule_line(BalancerRule rule) {
    switch (rule) {
        case BalancerRule::none:
        case BalancerRule::round_robin:
            return "";  // what nginx does unless told
        case BalancerRule::least_conn:
            return "    least_conn;\n";
        case BalancerRule::ip_hash:
            return "    ip_hash;\n";
        case BalancerRule::random_two:
            return "    random two least_conn;\n";
        case BalancerRule::peak_ewma:
            return "    # peak EWMA is Finagle's, not nginx's\n";
    }
    return "";
}

std::string backend_line(const Balancer& balancer, int index) {
    const Backend& backend = balancer.backends[static_cast<std::size_t>(index)];
    const Balancer usual;
    std::string line = fmt::format("    server 127.0.0.1:{}", first_backend_port + index);
    if (backend.weight != 1) line += fmt::format(" weight={}", backend.weight);
    if (backend.max_conns != 0) line += fmt::format(" max_conns={}", backend.max_conns);
    if (balancer.max_fails != usual.max_fails) {
        line += fmt::format(" max_fails={}", balancer.max_fails);
    }
    if (balancer.fail_timeout != usual.fail_timeout) {
        line += fmt::format(" fail_timeout={}", time_of(balancer.fail_timeout));
    }
    return line + ";\n";
}

std::string next_upstream_words(NextUpstream next) {
    switch (next) {
        case NextUpstream::off:
            return "off";
        case NextUpstream::error:
            return "error";
        case NextUpstream::timeout:
            return "timeout";
        case NextUpstream::error_timeout:
            return "error timeout";
    }
    return "";
}

/// Only what differs from nginx's defaults, which are ours.
std::string proxy_lines(const Balancer& balancer) {
    const Balancer usual;
    std::string text;
    const auto line = [&text](bool wanted, const std::string& directive) {
        if (wanted) text += "    " + directive + ";\n";
    };
    line(balancer.keep_alive, "proxy_http_version 1.1");
    line(balancer.keep_alive, "proxy_set_header Connection \"\"");
    line(balancer.next_upstream != usual.next_upstream,
         "proxy_next_upstream " + next_upstream_words(balancer.next_upstream));
    line(balancer.next_tries != usual.next_tries,
         fmt::format("proxy_next_upstream_tries {}", balancer.next_tries));
    line(balancer.connect_timeout != usual.connect_timeout,
         "proxy_connect_timeout " + time_of(balancer.connect_timeout));
    line(balancer.read_timeout != usual.read_timeout,
         "proxy_read_timeout " + time_of(balancer.read_timeout));
    line(!balancer.buffering, "proxy_buffering off");
    line(balancer.cache_ttl > Duration{}, "proxy_cache app");
    line(balancer.cache_ttl > Duration{}, "proxy_cache_valid 200 " + time_of(balancer.cache_ttl));
    return text;
}

}  // namespace

std::string front_configuration(const Model& model) {
    const Balancer& balancer = model.system.balancer;
    if (balancer.rule == BalancerRule::none) return {};
    std::string text = "upstream app {\n";
    text += rule_line(balancer.rule);
    for (int i = 0; i < balancer.count; ++i) text += backend_line(balancer, i);
    if (balancer.keep_alive) text += "    keepalive 32;\n";
    text += "}\nlocation / {\n    proxy_pass http://app;\n" + proxy_lines(balancer) + "}\n";
    for (const Route& route : model.system.routes) {
        if (!route.static_file) continue;
        text += fmt::format("location {} {{ root /srv/app; }}\n", route.path);
    }
    return text;
}

}  // namespace lab
