// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <numeric>

#include "measure/recorder.hpp"

namespace lab::measure {
namespace {

constexpr std::size_t at(Part part) { return static_cast<std::size_t>(part); }

/// From `begin` to `end`, never negative.
Duration between(Instant begin, Instant end) { return std::max(Duration{}, end - begin); }

/// The moments of the client in order, each at or after the one before and none after `done`. One
/// that did not happen (zero) falls on the next that did.
struct Timeline {
    Instant released, assigned, sent;
};

Timeline in_order(const Sample& s) {
    const auto given = [](Instant t) { return t != Instant{}; };
    Timeline t;
    Instant sent = given(s.sent) ? s.sent : s.done;
    if (s.server && given(s.server->received)) sent = std::min(sent, s.server->received);
    t.released = std::clamp(given(s.released) ? s.released : s.done, s.intended,
                            std::max(s.intended, s.done));
    t.assigned = std::clamp(given(s.assigned) ? s.assigned : s.done, t.released,
                            std::max(t.released, s.done));
    t.sent = std::clamp(sent, t.assigned, std::max(t.assigned, s.done));
    return t;
}

/// Takes what the parts have too much off the largest, then the next.
void take_off(PartTimes& parts, Duration excess) {
    while (excess > Duration{}) {
        auto largest = std::max_element(parts.begin(), parts.end());
        const Duration taken = std::min(*largest, excess);
        if (taken <= Duration{}) return;
        *largest -= taken;
        excess -= taken;
    }
}

/// The delay was added on the way there, which looks like queueing, and half of it on the way back.
void add_network(PartTimes& parts, Duration network) {
    for (const Part where : {Part::queue, Part::write}) {
        const Duration taken = std::min(parts[at(where)], network / 2);
        parts[at(where)] -= taken;
        parts[at(Part::network)] += taken;
    }
}

}  // namespace

PartTimes decompose(const Sample& s) {
    PartTimes parts{};
    const Duration latency = between(s.intended, s.done);
    const Timeline t = in_order(s);
    parts[at(Part::schedule_slip)] = t.released - s.intended;
    // What came before the last attempt is neither waiting for a connection nor the server's.
    const Instant begun = std::clamp(s.retried, t.released, t.assigned);
    parts[at(Part::retry)] = begun - t.released;
    parts[at(Part::client_wait)] = t.assigned - begun;
    parts[at(Part::connect)] = t.sent - t.assigned;
    if (s.server) {
        const ServerTimes& server = *s.server;
        for (std::size_t i = at(Part::proxy); i <= at(Part::render); ++i)
            parts[i] = std::max(Duration{}, server.parts[i]);
        parts[at(Part::queue)] += between(t.sent, server.received);
        parts[at(Part::write)] = between(server.ready, s.done);
        add_network(parts, s.network);
    }
    const Duration told = std::accumulate(parts.begin(), parts.end(), Duration{});
    if (told <= latency)
        parts[at(Part::unexplained)] = latency - told;
    else
        take_off(parts, told - latency);
    return parts;
}

}  // namespace lab::measure
