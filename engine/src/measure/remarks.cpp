// SPDX-License-Identifier: GPL-3.0-or-later
#include "measure/remarks.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

namespace lab::measure {
namespace {

constexpr Duration tolerated_slip_p99 = 10ms;
constexpr Duration tolerated_slip_mean = 1ms;
constexpr double tolerated_slip_share = 0.1;
constexpr double tolerated_generator_share = 0.9;
constexpr double tolerated_not_sent = 0.001;
constexpr double drowned = 0.9;
constexpr double notable_client_wait = 0.1;
constexpr double tolerated_unexplained = 0.05;
constexpr Duration notable_unexplained = 300us;

Duration part(const RunResult& r, Part p) { return r.parts[static_cast<std::size_t>(p)]; }

void look_at_slip(RunResult& r) {
    const auto slip_p99 = r.slip.percentile(99), slip_mean = r.slip.mean();
    const auto p99 = r.latency.percentile(99), mean = r.latency.mean();
    if (!slip_p99 || !p99) return;
    const auto over = [](Duration slip, Duration tolerated, Duration latency) {
        return slip > tolerated && to_ms(slip) > tolerated_slip_share * to_ms(latency);
    };
    if (!over(*slip_p99, tolerated_slip_p99, *p99) && !over(*slip_mean, tolerated_slip_mean, *mean))
        return;
    r.generator_limited = true;
    r.remarks.push_back(
        fmt::format("The generator was late itself: it released requests {:.1f} ms after their "
                    "time on average, "
                    "1 % of them more than {:.1f} ms, and that is part of the latency. The machine "
                    "is too busy.",
                    to_ms(*slip_mean), to_ms(*slip_p99)));
}

void look_at_generator_cpu(RunResult& r, double share) {
    if (share <= tolerated_generator_share) return;
    r.generator_limited = true;
    r.remarks.push_back(
        fmt::format("The generator used {:.0f} % of a core: it could hardly have asked for more.",
                    share * 100));
}

void look_at_not_sent(RunResult& r) {
    // What the circuit breaker held back was not meant to be sent.
    const std::uint64_t not_sent = r.counts.of(Ending::not_sent) - r.counts.held_back;
    const double share = static_cast<double>(not_sent) /
                         static_cast<double>(std::max<std::uint64_t>(1, r.counts.planned));
    if (share <= tolerated_not_sent) return;
    const bool server_was_full = r.truth_known && r.utilisation_workers >= drowned;
    r.generator_limited = r.generator_limited || !server_was_full;
    r.remarks.push_back(fmt::format(
        "{} of {} planned requests ({:.1f} %) could not be sent: {}.", not_sent, r.counts.planned,
        share * 100,
        server_was_full ? "the client's backlog was full of requests that waited for this server"
                        : "the client had no room or no connection for them"));
}

void look_at_client_wait(RunResult& r) {
    const Duration all = std::accumulate(r.parts.begin(), r.parts.end(), Duration{});
    if (r.parts_of == 0 || all <= Duration{}) return;
    const double share = to_ms(part(r, Part::client_wait)) / to_ms(all);
    if (share <= notable_client_wait || r.utilisation_workers >= drowned) return;
    r.remarks.push_back(fmt::format(
        "{:.0f} % of the latency was waiting for a free connection in the client, which had {} "
        "(load.connections), while the workers were {:.0f} % busy.",
        share * 100, r.model.load.connections, r.utilisation_workers * 100));
}

void look_at_unexplained(RunResult& r) {
    const Duration all = std::accumulate(r.parts.begin(), r.parts.end(), Duration{});
    if (r.parts_of == 0 || all <= Duration{}) return;
    const Duration unexplained = part(r, Part::unexplained);
    const double share = to_ms(unexplained) / to_ms(all);
    const double mean_ms = to_ms(unexplained) / static_cast<double>(r.parts_of);
    if (share <= tolerated_unexplained || mean_ms <= to_ms(notable_unexplained)) return;
    r.remarks.push_back(fmt::format(
        "{:.0f} % of the mean latency ({:.2f} ms) belongs to no part: the machine was busy with "
        "something else.",
        share * 100, mean_ms));
}

void look_at_interruptions(RunResult& r, const Circumstances& seen) {
    if (seen.stopped_early) {
        r.interrupted = true;
        r.remarks.push_back(
            r.length > Duration{}
                ? fmt::format("Stopped after {:.1f} s of measuring.", to_seconds(r.length))
                : std::string("Stopped before the measuring began: there is nothing to show."));
    }
    if (seen.longest_gap > Duration{}) {
        r.interrupted = true;
        r.remarks.push_back(fmt::format(
            "Interrupted: the program did not run for {:.1f} s (it was stopped, or the machine "
            "asleep or overloaded), so these figures are no measurement.",
            to_seconds(seen.longest_gap)));
    }
    if (!seen.changes.empty()) {
        r.interrupted = true;
        const SettingChange& first = seen.changes.front();
        r.remarks.push_back(fmt::format(
            "Not one steady run: settings moved while it ran ({} from {} to {}{}).", first.label,
            first.from, first.to,
            seen.changes.size() > 1 ? fmt::format(", and {} more", seen.changes.size() - 1) : ""));
    }
}

/// Flask-Caching logs them and goes on; so does nobody notice.
void look_at_swallowed_errors(RunResult& r) {
    if (r.cache_errors == 0) return;
    r.remarks.push_back(fmt::format(
        "{} errors of the cache or its key function were swallowed: each time the view was called "
        "as if there were no cache.",
        r.cache_errors));
}

/// What was withdrawn at the end was the slowest: without it the tail looks better than it was.
void look_at_withdrawn(RunResult& r, const Circumstances& seen) {
    if (r.inside.planned <= r.counts.planned || seen.stopped_early) return;
    r.remarks.push_back(fmt::format(
        "{} of {} requests were still unanswered when the run ended and are in no figure: the tail "
        "is longer than shown.",
        r.inside.planned - r.counts.planned, r.inside.planned));
}

}  // namespace

void judge_run(RunResult& r, const Circumstances& seen) {
    look_at_interruptions(r, seen);
    look_at_withdrawn(r, seen);
    look_at_swallowed_errors(r);
    look_at_slip(r);
    look_at_generator_cpu(r, seen.generator_share);
    look_at_not_sent(r);
    look_at_client_wait(r);
    look_at_unexplained(r);
}

}  // namespace lab::measure
