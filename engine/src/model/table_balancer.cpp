// SPDX-License-Identifier: GPL-3.0-or-later
// [balancer] and [backend.N].
#include "model/table_rows.hpp"

namespace lab::names {
namespace {

void add_balancer(std::vector<Row>& t) {
    using enum ValueKind;
    t.push_back(row(
        one_of("balancer.rule", "Balancer",
               {"none", "round-robin", "least-conn", "ip-hash", "random-two", "peak-ewma"},
               {"none", "in turn", "fewest in hand", "by address", "better of two", "peak EWMA"},
               "How a proxy in front chooses a backend; none: the server is asked itself. Whether "
               "there is one is settled when a run begins.",
               "upstream app { least_conn; server 127.0.0.1:8001; ... } in nginx"),
        LAB_FIELD(p.model->system.balancer.rule)));
    t.push_back(row(ranged(count, "balancer.backends", "Backends", 1, most_backends,
                           "Equal copies of the server behind the balancer, each with its own "
                           "queue, workers and caches; they share the database.",
                           "one server line a backend in nginx's upstream block"),
                    LAB_FIELD(p.model->system.balancer.count)));
    t.push_back(row(ranged(count, "balancer.max_fails", "Failures allowed", 0, 100,
                           "Failures after which a backend is left alone for a while; 0: never.",
                           "server 127.0.0.1:8001 max_fails={}; in nginx"),
                    LAB_FIELD(p.model->system.balancer.max_fails)));
    t.push_back(row(ranged(duration, "balancer.fail_timeout", "Left alone for", 10 * ms, 600 * s,
                           "How long a backend that failed is left alone.",
                           "server 127.0.0.1:8001 fail_timeout=SECONDS; in nginx"),
                    LAB_FIELD(p.model->system.balancer.fail_timeout)));
    t.push_back(
        row(one_of("balancer.next_upstream", "Ask the next after",
                   {"off", "error", "timeout", "error+timeout"},
                   {"nothing", "an error", "a time-out", "an error or a time-out"},
                   "After which failures the next backend is asked; what POST sent is not sent "
                   "twice.",
                   "proxy_next_upstream error timeout; in nginx"),
            LAB_FIELD(p.model->system.balancer.next_upstream)));
    t.push_back(row(ranged(count, "balancer.next_tries", "Backends asked", 0, most_backends,
                           "Backends asked for one request at most; 0: all.",
                           "proxy_next_upstream_tries {}; in nginx"),
                    LAB_FIELD(p.model->system.balancer.next_tries)));
}

void add_balancer_limits(std::vector<Row>& t) {
    using enum ValueKind;
    t.push_back(row(ranged(duration, "balancer.connect_timeout", "Longest connecting", 10 * ms,
                           600 * s, "Longest wait for a connection to a backend.",
                           "proxy_connect_timeout SECONDS; in nginx"),
                    LAB_FIELD(p.model->system.balancer.connect_timeout)));
    t.push_back(row(ranged(duration, "balancer.read_timeout", "Longest wait for a backend", 10 * ms,
                           600 * s, "Longest wait for a backend's answer, then 504.",
                           "proxy_read_timeout SECONDS; in nginx"),
                    LAB_FIELD(p.model->system.balancer.read_timeout)));
    t.push_back(row(yes_no("balancer.keep_alive", "Keeps backend connections",
                           "Up to 32 idle connections to the backends are kept (newer nginx); "
                           "otherwise HTTP/1.0 and a connection a request (nginx 1.22).",
                           "keepalive 32; in nginx's upstream block, and proxy_http_version 1.1;"),
                    LAB_FIELD(p.model->system.balancer.keep_alive)));
    t.push_back(row(yes_no("balancer.buffering", "Buffers answers",
                           "The proxy takes an answer from the backend at once, however slowly the "
                           "client reads; otherwise the backend waits for the client.",
                           "proxy_buffering on; in nginx"),
                    LAB_FIELD(p.model->system.balancer.buffering)));
    t.push_back(row(ranged(duration, "balancer.cache_ttl", "Proxy cache keeps for", 0, 600 * s,
                           "The proxy keeps good answers to GET for so long, by address alone, "
                           "whoever asks; 0 s: not at all.",
                           "proxy_cache app; proxy_cache_valid 200 SECONDS; in nginx"),
                    LAB_FIELD(p.model->system.balancer.cache_ttl)));
    t.push_back(row(yes_no("balancer.one_address", "Clients behind one router",
                           "All clients come from one address; otherwise each user has a network "
                           "of their own."),
                    LAB_FIELD(p.model->system.balancer.one_address)));
    t.push_back(row(ranged(count, "backend.*.weight", "Weight", 1, 100,
                           "The backend's share of the requests, beside the others'.",
                           "server 127.0.0.1:8001 weight={}; in nginx"),
                    LAB_FIELD(p.backend->weight)));
    t.push_back(row(ranged(count, "backend.*.max_conns", "Requests at once", 0, 10'000,
                           "Requests that the backend is given at once, at most; 0: no limit.",
                           "server 127.0.0.1:8001 max_conns={}; in nginx"),
                    LAB_FIELD(p.backend->max_conns)));
    t.push_back(row(ranged(number, "backend.*.slowdown", "Slower by", 1, 100,
                           "All the backend's work takes so many times as long."),
                    LAB_FIELD(p.backend->slowdown)));
    t.push_back(row(yes_no("backend.*.up", "Runs",
                           "Whether the backend's process runs; otherwise it is killed, and its "
                           "connections break."),
                    LAB_FIELD(p.backend->up)));
}

}  // namespace

void add_balancer_rows(std::vector<Row>& t) {
    add_balancer(t);
    add_balancer_limits(t);
}

}  // namespace lab::names
