// SPDX-License-Identifier: GPL-3.0-or-later
// [load], but for the mix.
#include "model/table_rows.hpp"

namespace lab::names {
namespace {

void add_load(std::vector<Row>& t) {
    using enum ValueKind;
    t.push_back(row(one_of("load.model", "Load model", {"open", "closed"}, {"open", "closed"},
                           "Open: arrivals ignore answers. Closed: each user waits for the answer "
                           "before asking again."),
                    LAB_FIELD(p.model->load.model)));
    t.push_back(row(
        ranged(rate, "load.rate", "Arrivals", 0, 50'000, "Open loop: requests planned per second."),
        LAB_FIELD(p.model->load.rate)));
    t.push_back(row(one_of("load.arrivals", "Arrival pattern", {"constant", "poisson"},
                           {"evenly spaced", "at random (Poisson)"},
                           "Open loop: evenly spaced, or at random as independent people come."),
                    LAB_FIELD(p.model->load.arrivals)));
    t.push_back(row(ranged(count, "load.users", "Users", 1, 1'000'000,
                           "How many different people ask; in closed loop also how many at once."),
                    LAB_FIELD(p.model->load.users)));
    t.push_back(row(ranged(count, "load.languages", "Languages", 1, 8,
                           "How many languages the users speak; above 1 each sends its "
                           "Accept-Language."),
                    LAB_FIELD(p.model->load.languages)));
    t.push_back(row(ranged(distribution, "load.think", "Think time", 0, 600 * s,
                           "Closed loop: pause between an answer and the next request."),
                    LAB_FIELD(p.model->load.think)));
    t.push_back(row(ranged(count, "load.connections", "Client connections", 1, 2'000,
                           "At most this many at once; closed loop uses one a user."),
                    LAB_FIELD(p.model->load.connections)));
    t.push_back(row(yes_no("load.keep_alive", "Client keeps connections",
                           "The client keeps connections; otherwise each request opens a new one."),
                    LAB_FIELD(p.model->load.keep_alive)));
    t.push_back(row(ranged(duration, "load.timeout", "Client gives up after", 1 * ms, 600 * s,
                           "The client gives up, counted from the intended start.",
                           "requests.get(url, timeout=SECONDS)"),
                    LAB_FIELD(p.model->load.timeout)));
    t.push_back(row(ranged(duration, "load.deadline", "Deadline", 1 * ms, 600 * s,
                           "An answer after this is late and counts for no goodput."),
                    LAB_FIELD(p.model->load.deadline)));
    t.push_back(row(ranged(count, "load.backlog", "Client backlog", 0, 100'000,
                           "Overdue requests held for a free connection; the rest is not sent."),
                    LAB_FIELD(p.model->load.backlog)));
    t.push_back(row(ranged(count, "load.keys", "Different keys", 1, 1'000'000,
                           "How many different keys are asked for."),
                    LAB_FIELD(p.model->load.keys)));
    t.push_back(row(ranged(number, "load.zipf", "Popularity (Zipf)", 0, 5,
                           "0: all keys alike; 1: the k-th key is asked for 1/k as often."),
                    LAB_FIELD(p.model->load.zipf)));
}

void add_shape(std::vector<Row>& t) {
    using enum ValueKind;
    t.push_back(row(
        one_of("load.shape", "Load shape",
               {"constant", "ramp", "steps", "spike", "bursts", "daily", "recorded"},
               {"level", "ramp", "steps", "spike", "bursts", "a day", "as recorded"},
               "Open loop: how the arrivals move in the course of a run: level at load.rate, up "
               "to load.peak by a ramp, steps or a spike, by turns at random (MMPP), over a day, "
               "or as in a file."),
        LAB_FIELD(p.model->load.shape.kind)));
    t.push_back(row(ranged(rate, "load.peak", "Peak arrivals", 0, 50'000,
                           "The other rate of the shape: where a ramp or steps end, and what a "
                           "spike, a burst or the evening reaches."),
                    LAB_FIELD(p.model->load.shape.peak)));
    t.push_back(row(ranged(duration, "load.shape_start", "Shape begins at", 0, 600 * s,
                           "When the ramp, steps or spike begin, counted from the start of the "
                           "run, warm-up included."),
                    LAB_FIELD(p.model->load.shape.start)));
    t.push_back(row(ranged(duration, "load.shape_length", "Shape takes", 1 * ms, 600 * s,
                           "How long the ramp, the steps or the spike take."),
                    LAB_FIELD(p.model->load.shape.length)));
    t.push_back(row(ranged(duration, "load.shape_repeat", "Shape repeats after", 0, 600 * s,
                           "The ramp, the steps or the spike begin again so long after they "
                           "began; 0 s: once only."),
                    LAB_FIELD(p.model->load.shape.repeat)));
    t.push_back(row(ranged(count, "load.steps", "Steps", 1, 100,
                           "How many equal steps lead from load.rate to load.peak."),
                    LAB_FIELD(p.model->load.shape.steps)));
    t.push_back(row(ranged(duration, "load.calm", "Mean calm", 1 * ms, 600 * s,
                           "Bursts: mean time at load.rate; each calm is of random length."),
                    LAB_FIELD(p.model->load.shape.calm)));
    t.push_back(row(ranged(duration, "load.burst", "Mean burst", 1 * ms, 600 * s,
                           "Bursts: mean time at load.peak; each burst is of random length."),
                    LAB_FIELD(p.model->load.shape.burst)));
    t.push_back(row(ranged(duration, "load.day", "A day takes", 100 * ms, 86'400 * s,
                           "Daily: how long the run takes for one day, from midnight on."),
                    LAB_FIELD(p.model->load.shape.day)));
    t.push_back({{"load.recording",
                  "Recording",
                  ValueKind::text,
                  0,
                  120,
                  {},
                  {},
                  "Recorded: a CSV file in the scenario's own folder whose first column holds "
                  "arrival times in seconds, ascending; empty: none.",
                  {}},
                 [](const SettingInfo&, const ConstPlace& p) -> SettingValue {
                     return p.model->load.shape.recording.file;
                 },
                 [](const SettingInfo&, const Place& p, const SettingValue& v) {
                     Recording& recording = p.model->load.shape.recording;
                     if (recording.file != std::get<std::string>(v)) recording.times.reset();
                     recording.file = std::get<std::string>(v);
                 }});
}

void add_users(std::vector<Row>& t) {
    using enum ValueKind;
    t.push_back(row(ranged(number, "load.session", "Requests per visit", 0, 100,
                           "Open loop: how many requests a visitor makes on average, one after "
                           "another, with load.think in between; up to 1: each is somebody new."),
                    LAB_FIELD(p.model->load.session)));
    t.push_back(row(ranged(distribution, "load.patience", "Patience", 0, 600 * s,
                           "A user who has waited so long leaves, counted from the intended "
                           "start, and closes the connection; 0 s: nobody leaves."),
                    LAB_FIELD(p.model->load.patience)));
    t.push_back(row(ranged(number, "load.slow_readers", "Slow readers", 0, 1,
                           "Share of the connections that read their answer slowly, 0 to 1."),
                    LAB_FIELD(p.model->load.slow.readers)));
    t.push_back(row(ranged(bytes, "load.read_rate", "They read, a second", 1, 1e9,
                           "Bytes a second that a slow reader takes."),
                    LAB_FIELD(p.model->load.slow.read_rate)));
    t.push_back(row(ranged(number, "load.slow_senders", "Slow senders", 0, 1,
                           "Share of the connections that send their request slowly, 0 to 1."),
                    LAB_FIELD(p.model->load.slow.senders)));
    t.push_back(row(ranged(bytes, "load.send_rate", "They send, a second", 1, 1e9,
                           "Bytes a second that a slow sender sends."),
                    LAB_FIELD(p.model->load.slow.send_rate)));
}

void add_retries(std::vector<Row>& t) {
    using enum ValueKind;
    t.push_back(
        row(ranged(duration, "load.attempt_timeout", "One attempt gives up after", 0, 600 * s,
                   "One attempt is broken off after this, and may be made again; the "
                   "server is not told to stop; 0 s: only load.timeout counts.",
                   "requests.get(url, timeout=SECONDS)"),
            LAB_FIELD(p.model->load.retry.attempt_timeout)));
    t.push_back(row(ranged(count, "load.retries", "Retries", 0, 20,
                           "How often a failed attempt is made again at most.",
                           "HTTPAdapter(max_retries=Retry(total={}))"),
                    LAB_FIELD(p.model->load.retry.most)));
    t.push_back(
        row(one_of("load.retry_on", "Retries after", {"all", "timeouts", "errors", "rejected"},
                   {"any failure", "a time-out", "an error", "503 alone"},
                   "What is tried again: any failure, an attempt without an answer in "
                   "time, an answer that is an error (5xx or a broken connection), or "
                   "503 alone."),
            LAB_FIELD(p.model->load.retry.on)));
    t.push_back(row(one_of("load.backoff", "Back-off", {"constant", "exponential"},
                           {"constant", "exponential, full jitter"},
                           "The pause before the next attempt: always load.backoff_base, or at "
                           "random up to a limit that doubles each time."),
                    LAB_FIELD(p.model->load.retry.back_off)));
    t.push_back(row(ranged(duration, "load.backoff_base", "Back-off begins at", 0, 60 * s,
                           "The constant pause, or the first limit of a random one.",
                           "Retry(total=3, backoff_factor=SECONDS)"),
                    LAB_FIELD(p.model->load.retry.base)));
    t.push_back(row(ranged(duration, "load.backoff_most", "Longest back-off", 0, 600 * s,
                           "No pause before an attempt is longer."),
                    LAB_FIELD(p.model->load.retry.cap)));
    t.push_back(row(ranged(number, "load.retry_budget", "Retry budget", 0, 10,
                           "Retries that the client may make for each request, all requests "
                           "taken together: 0.1 is one for ten; 0: no limit."),
                    LAB_FIELD(p.model->load.retry.budget)));
}

void add_protection(std::vector<Row>& t) {
    using enum ValueKind;
    t.push_back(row(ranged(number, "load.breaker", "Breaker opens at", 0, 1,
                           "Share of failed attempts at which the client's circuit breaker "
                           "opens and nothing is sent for a while; 0: there is none."),
                    LAB_FIELD(p.model->load.breaker.share)));
    t.push_back(row(ranged(duration, "load.breaker_window", "Breaker counts over", 10 * ms, 600 * s,
                           "The time over which the breaker counts failures."),
                    LAB_FIELD(p.model->load.breaker.window)));
    t.push_back(row(ranged(count, "load.breaker_calls", "Breaker needs", 1, 10'000,
                           "The breaker judges only where so many attempts have ended."),
                    LAB_FIELD(p.model->load.breaker.calls)));
    t.push_back(row(ranged(duration, "load.breaker_pause", "Breaker stays open", 10 * ms, 600 * s,
                           "After this one request may try; if it is answered, the breaker "
                           "closes."),
                    LAB_FIELD(p.model->load.breaker.pause)));
    t.push_back(row(ranged(duration, "load.hedge", "Second copy after", 0, 600 * s,
                           "A second copy is sent beside a request that takes longer; the first "
                           "answer wins and the other is cancelled; 0 s: none."),
                    LAB_FIELD(p.model->load.hedge.after)));
    t.push_back(row(ranged(number, "load.hedge_percentile", "Second copy at percentile", 0, 99.9,
                           "The second copy is sent after this percentile of the latest answers "
                           "instead; 0: after load.hedge."),
                    LAB_FIELD(p.model->load.hedge.percentile)));
}

}  // namespace

void add_load_section(std::vector<Row>& t) {
    add_load(t);
    add_shape(t);
    add_users(t);
    add_retries(t);
    add_protection(t);
}

}  // namespace lab::names
