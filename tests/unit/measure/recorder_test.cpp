// SPDX-License-Identifier: GPL-3.0-or-later
#include "measure/recorder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <queue>
#include <vector>

#include "unit/measure/samples.hpp"

namespace lab::measure {
namespace {

using testing::at;
using testing::Numbers;
using testing::request;

/// Plans and ends one request.
void play(Recorder& r, const Sample& s) {
    r.planned(s.id, s.intended);
    r.ended(s);
}

Sample with_server(Sample s, Duration service) {
    ServerTimes times;
    times.received = s.sent;
    times.ready = s.done;
    times.parts[static_cast<std::size_t>(Part::io_wait)] = service;
    times.service = service;
    s.server = times;
    return s;
}

TEST(Recorder, FollowsWhatWasDueInTheWindowToItsEnd) {
    Recorder r;
    r.set_window(at(1s), at(2s));
    play(r, request(1, 900ms, 1100ms));   // due before, done inside
    play(r, request(2, 1000ms, 1010ms));  // the first instant belongs to it
    play(r, request(3, 1900ms, 2500ms));  // due inside, done after
    play(r, request(4, 2000ms, 2010ms));  // the last does not
    const auto t = r.totals();
    EXPECT_EQ(t->counts.planned, 2U);
    EXPECT_EQ(t->counts.of(Ending::ok), 2U);
    EXPECT_EQ(t->latency.count(), 2U);
    EXPECT_EQ(t->latency.count_at_or_below(599ms), 1U);
    EXPECT_EQ(t->inside.of(Ending::ok), 2U);  // 1 and 2
    EXPECT_EQ(t->inside.planned, 2U);         // 2 and 3
    EXPECT_EQ(t->from, at(1s));
    EXPECT_EQ(t->to, at(2s));
}

TEST(Recorder, MeasuresFromTheIntendedStartAndBesideItFromTheSending) {
    Recorder r;
    r.set_window(at(0s), at(10s));
    Sample s = request(1, 0ms, 1000ms);
    s.released = at(100ms);
    s.sent = at(300ms);
    play(r, s);
    const auto t = r.totals();
    EXPECT_EQ(*t->latency.max(), Histogram::upper_edge(Histogram::bucket_of(1s)));
    EXPECT_EQ(*t->since_send.max(), Histogram::upper_edge(Histogram::bucket_of(700ms)));
    EXPECT_EQ(*t->slip.max(), Histogram::upper_edge(Histogram::bucket_of(100ms)));
    EXPECT_EQ(t->service.count(), 0U);
}

TEST(Recorder, TakesAnswersAndTimeOutsAsSamplesAndCountsTheRest) {
    Recorder r;
    r.set_window(at(0s), at(10s));
    for (std::size_t i = 0; i < ending_count; ++i)
        play(r, with_server(request(i, 0ms, 10ms, static_cast<Ending>(i)), 5ms));
    Sample unsent = request(9, 0ms, 20ms, Ending::timed_out);
    unsent.sent = Instant{};
    play(r, unsent);
    Sample refused = request(10, 0ms, 0ms, Ending::not_sent);
    refused.released = refused.assigned = refused.sent = Instant{};
    play(r, refused);

    const auto t = r.totals();
    EXPECT_EQ(t->counts.planned, 9U);
    EXPECT_EQ(t->counts.total_ended(), 9U);
    EXPECT_EQ(t->counts.of(Ending::not_sent), 2U);
    EXPECT_EQ(t->latency.count(), 3U);
    EXPECT_EQ(t->since_send.count(), 2U);
    EXPECT_EQ(t->slip.count(), 8U);
    EXPECT_EQ(t->parts_of, 1U);  // the ok one
    EXPECT_EQ(t->unexplained.count(), 1U);
}

TEST(Recorder, CountsAsGoodWhatIsRightFreshAndInTime) {
    Recorder r;
    r.set_window(at(0s), at(10s));
    for (std::uint64_t bits = 0; bits < 8; ++bits) {
        Sample s = request(bits, 0ms, 10ms);
        s.wrong_user = (bits & 1) != 0;
        s.stale = (bits & 2) != 0;
        s.late = (bits & 4) != 0;
        play(r, s);
    }
    Sample late_failure = request(8, 0ms, 10ms, Ending::http_5xx);
    late_failure.late = true;
    play(r, late_failure);
    const auto t = r.totals();
    EXPECT_EQ(t->counts.of(Ending::ok), 8U);
    EXPECT_EQ(t->counts.wrong_user, 4U);
    EXPECT_EQ(t->counts.stale, 4U);
    EXPECT_EQ(t->counts.late, 4U);
    EXPECT_EQ(t->counts.good, 1U);
    EXPECT_EQ(t->inside, t->counts);
}

TEST(Recorder, CutsWhatEndedAndWhatWasDueSinceTheLastCut) {
    Recorder r;
    r.begin(at(0ms));
    r.set_window(at(0s), at(10s));
    play(r, request(1, 10ms, 20ms));
    r.planned(2, at(50ms));
    r.planned(3, at(150ms));  // planned ahead of its time
    r.set_client_backlog(7);
    const auto first = r.cut(at(100ms));
    EXPECT_EQ(first->start, at(0ms));
    EXPECT_EQ(first->end, at(100ms));
    EXPECT_EQ(first->counts.planned, 2U);
    EXPECT_EQ(first->counts.of(Ending::ok), 1U);
    EXPECT_EQ(first->in_flight, 1U);
    EXPECT_EQ(first->client_backlog, 7U);
    const SparseCounts one_of_10ms{{Histogram::bucket_of(10ms), 1}};
    EXPECT_EQ(first->latency, one_of_10ms);
    EXPECT_EQ(r.in_flight(), 2U);

    r.ended(request(2, 50ms, 180ms));
    const auto second = r.cut(at(200ms));
    EXPECT_EQ(second->start, at(100ms));
    EXPECT_EQ(second->counts.planned, 1U);
    EXPECT_EQ(second->counts.of(Ending::ok), 1U);
    EXPECT_EQ(second->in_flight, 1U);
    const SparseCounts one_of_130ms{{Histogram::bucket_of(130ms), 1}};
    EXPECT_EQ(second->latency, one_of_130ms);

    const auto third = r.cut(at(300ms));
    EXPECT_EQ(third->counts, Counts{});
    EXPECT_TRUE(third->latency.empty());
    EXPECT_EQ(third->in_flight, 1U);
}

TEST(Recorder, EndsACutAtItsLastSampleWhereTheBeatCameLate) {
    Recorder r;
    r.begin(at(0ms));
    play(r, request(1, 90ms, 102ms));
    EXPECT_EQ(r.cut(at(100ms))->end, at(102ms));
    EXPECT_EQ(r.cut(at(200ms))->start, at(102ms));
}

TEST(Recorder, SumsThePartsOfACut) {
    Recorder r;
    r.begin(at(0ms));
    play(r, with_server(request(1, 0ms, 30ms), 30ms));
    play(r, with_server(request(2, 0ms, 50ms), 40ms));
    const auto cut = r.cut(at(100ms));
    EXPECT_EQ(cut->parts_of, 2U);
    EXPECT_EQ(cut->parts[static_cast<std::size_t>(Part::io_wait)], 70ms);
    EXPECT_EQ(cut->parts[static_cast<std::size_t>(Part::unexplained)], 10ms);
}

TEST(Recorder, TakesWithdrawnRequestsOutOfThePlannedAndKeepsThemAsOffered) {
    Recorder r;
    r.set_window(at(0s), at(10s));
    play(r, request(1, 0ms, 100ms));
    r.planned(2, at(200ms));
    r.close_window(at(1s));
    r.withdrawn(2, at(200ms));
    const auto t = r.totals();
    EXPECT_EQ(t->to, at(1s));
    EXPECT_EQ(t->counts.planned, 1U);
    EXPECT_EQ(t->counts.total_ended(), 1U);
    EXPECT_EQ(t->inside.planned, 2U);
    EXPECT_EQ(r.in_flight(), 0U);
    EXPECT_NEAR(t->concurrency, 0.1 + 0.8, 1e-9);
}

TEST(Recorder, DoesNotCloseTheWindowBeforeWhatItHasAlreadyCounted) {
    Recorder r;
    r.set_window(at(0s), std::nullopt);
    play(r, request(1, 0ms, 700ms));
    r.planned(2, at(800ms));
    r.close_window(at(500ms));
    r.withdrawn(2, at(800ms));
    const auto t = r.totals();
    EXPECT_EQ(t->to, at(800ms) + 1ns);
    EXPECT_EQ(t->counts.planned, 1U);
    EXPECT_EQ(t->inside.of(Ending::ok), 1U);
}

TEST(Recorder, NeverMovesTheEndOfTheWindowAway) {
    Recorder r;
    r.set_window(at(0s), at(1s));
    r.close_window(at(5s));
    EXPECT_EQ(r.totals()->to, at(1s));
}

TEST(Recorder, HasEmptyTotalsWithoutAWindow) {
    Recorder r;
    play(r, request(1, 0ms, 10ms));
    r.close_window(at(1s));
    const auto t = r.totals();
    EXPECT_EQ(t->counts, Counts{});
    EXPECT_EQ(t->from, t->to);
    EXPECT_EQ(t->concurrency, 0);
}

TEST(Recorder, IntegratesConcurrencyOverTheWindowAlone) {
    Recorder r;
    r.set_window(at(1s), at(2s));
    play(r, request(1, 0ms, 1500ms));     // 0.5 s inside
    play(r, request(2, 1200ms, 1400ms));  // 0.2 s
    play(r, request(3, 1900ms, 9000ms));  // 0.1 s
    play(r, request(4, 100ms, 200ms));    // none
    EXPECT_NEAR(r.totals()->concurrency, 0.8, 1e-9);
}

TEST(Recorder, CountsARequestThatWasReleasedLateFromItsIntendedStart) {
    Recorder r;
    r.set_window(at(0s), at(1s));
    play(r, request(1, 0ms, 500ms));
    r.planned(2, at(100ms));  // told after what happened at 500 ms
    r.ended(request(2, 100ms, 600ms));
    EXPECT_NEAR(r.totals()->concurrency, 0.5 + 0.5, 1e-9);
}

/// Something that happens to a request, to be told in any order that keeps each request's own.
struct Told {
    Instant when;
    Sample sample;
    bool end = false;
};

TEST(Recorder, AddsUpAtEveryMomentInWhateverOrderItIsTold) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        Numbers n{seed};
        std::vector<Told> story;
        double area = 0;
        int open = 0;
        std::uint64_t open_in_window = 0;
        const Instant from = at(300ms), to = at(900ms);
        for (std::uint64_t id = 0; id < 300; ++id) {
            const Duration intended = n.up_to(1200ms);
            Sample s =
                request(id, intended, intended + n.up_to(200ms), static_cast<Ending>(n.next(7)));
            const Duration told_late = n.up_to(30ms);
            story.push_back({std::min(s.intended + told_late, s.done), s, false});
            story.push_back({s.done + 1ns, s, true});
            area += to_seconds(std::max(0ns, std::min(s.done, to) - std::max(s.intended, from)));
        }
        std::stable_sort(story.begin(), story.end(),
                         [](const Told& a, const Told& b) { return a.when < b.when; });
        Recorder r;
        r.begin(at(0ms));
        r.set_window(from, to);
        Counts frames;
        Instant beat = at(100ms);
        for (const Told& t : story) {
            while (t.when >= beat) {
                frames += r.cut(beat)->counts;
                beat += 100ms;
            }
            if (t.end)
                r.ended(t.sample);
            else
                r.planned(t.sample.id, t.sample.intended);
            open += t.end ? -1 : 1;
            ASSERT_EQ(static_cast<int>(r.in_flight()), open);
            const bool counted = t.sample.intended >= from && t.sample.intended < to;
            if (counted) t.end ? --open_in_window : ++open_in_window;
            if ((&t - story.data()) % 20 != 0) continue;  // totals are copied whole
            const auto now = r.totals()->counts;
            ASSERT_EQ(now.planned, now.total_ended() + open_in_window);
        }
        frames += r.cut(beat + 1s)->counts;
        const auto totals = r.totals();
        EXPECT_EQ(frames.planned, 300U);
        EXPECT_EQ(frames.total_ended(), 300U);
        EXPECT_EQ(totals->counts.planned, totals->counts.total_ended());
        EXPECT_NEAR(totals->concurrency, area / 0.6, 1e-9) << seed;
    }
}

/// One worker, random arrivals, random work: an M/M/1 queue at 70 %, told event by event.
TEST(Recorder, KeepsLittlesLawInASteadyQueue) {
    Numbers n{3};
    const auto draw = [&n](double mean_ms) {
        return from_seconds(-std::log((static_cast<double>(n.next(1'000'000)) + 0.5) / 1e6) *
                            mean_ms / 1e3);
    };
    Recorder r;
    r.set_window(at(10s), at(200s));
    Duration arrival{}, worker_free{};
    std::vector<Told> story;
    for (std::uint64_t id = 0; arrival < 210s; ++id) {
        arrival += draw(10);
        worker_free = std::max(worker_free, arrival) + draw(7);
        const Sample s = request(id, arrival, worker_free);
        story.push_back({s.intended, s, false});
        story.push_back({s.done, s, true});
    }
    std::stable_sort(story.begin(), story.end(),
                     [](const Told& a, const Told& b) { return a.when < b.when; });
    for (const Told& t : story)
        t.end ? r.ended(t.sample) : r.planned(t.sample.id, t.sample.intended);
    const auto t = r.totals();
    const double throughput = static_cast<double>(t->inside.of(Ending::ok)) / 190;
    const double mean = to_seconds(*t->latency.mean());
    EXPECT_NEAR(t->concurrency / (throughput * mean), 1.0, 0.01);
    EXPECT_GT(t->concurrency, 1.5);
}

TEST(Recorder, TellsTheSameRequestsWholeAndNeverMoreThanItsRoom) {
    Recorder r{90};
    r.begin(at(0ms));
    std::map<std::uint64_t, int> told;
    std::uint64_t left_out = 0, happened = 0;
    std::queue<Sample> under_way;
    Duration now{};
    for (std::uint64_t id = 0; id < 5'000; ++id) {
        now += 100us;
        r.planned(id, at(now));
        r.sent(id, at(now), at(now));
        ++happened;
        under_way.push(request(id, now, now + 4ms));
        if (under_way.size() >= 40) {
            r.ended(under_way.front());
            under_way.pop();
            ++happened;
        }
        if (id % 1000 == 999) {
            const auto cut = r.cut(at(now));
            ASSERT_LE(cut->events.size(), 90U);
            ASSERT_TRUE(std::is_sorted(cut->events.begin(), cut->events.end(),
                                       [](const auto& a, const auto& b) { return a.at < b.at; }));
            left_out += cut->events_left_out;
            for (const auto& e : cut->events) {
                const int before = e.kind == RequestEvent::Kind::done ? 1 : 0;
                EXPECT_EQ(told[e.request], before) << e.request;
                ++told[e.request];
            }
        }
    }
    std::uint64_t events = 0;
    for (const auto& [id, count] : told) events += static_cast<std::uint64_t>(count);
    EXPECT_EQ(events + left_out, happened);
    EXPECT_GE(told.size(), 5U * 30U);
}

TEST(Recorder, TellsTheEndingOfADot) {
    Recorder r;
    r.begin(at(0ms));
    r.planned(5, at(1ms));
    r.sent(5, at(2ms), at(2ms));
    r.sent(5, at(2ms), at(3ms));  // again, on another connection: one dot
    r.ended(request(5, 1ms, 9ms, Ending::rejected));
    const auto cut = r.cut(at(100ms));
    ASSERT_EQ(cut->events.size(), 2U);
    EXPECT_EQ(cut->events[0].kind, RequestEvent::Kind::sent);
    EXPECT_EQ(cut->events[0].at, at(2ms));
    EXPECT_EQ(cut->events[1].kind, RequestEvent::Kind::done);
    EXPECT_EQ(cut->events[1].ending, Ending::rejected);
    EXPECT_EQ(cut->events_left_out, 0U);
}

}  // namespace
}  // namespace lab::measure
