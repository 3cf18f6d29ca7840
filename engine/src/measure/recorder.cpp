// SPDX-License-Identifier: GPL-3.0-or-later
#include "measure/recorder.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "lab/assert.hpp"

namespace lab::measure {
namespace {

/// The integral over [from, to) of a count that changes at known moments, told in any order.
///
/// n(t) is kept for the latest moment told. An event before that adds its change over the time
/// between, so the sum is the same in whichever order the events come.
class Integral {
  public:
    void set_window(Instant from, std::optional<Instant> to) {
        from_ = from;
        to_ = to;
    }
    void change(Instant when, std::int64_t by) {
        if (!begun_) {
            begun_ = true;
            latest_ = when;
        }
        if (when >= latest_) {
            area_ns_ += n_ * inside(latest_, when);
            latest_ = when;
        } else {
            area_ns_ += by * inside(when, latest_);
        }
        n_ += by;
    }
    [[nodiscard]] Instant latest() const { return latest_; }
    [[nodiscard]] double mean_until(Instant to) const {
        const std::int64_t length = from_ ? (to - *from_).count() : 0;
        if (length <= 0) return 0;
        const std::int64_t rest = to > latest_ ? n_ * inside(latest_, to) : 0;
        return static_cast<double>(area_ns_ + rest) / static_cast<double>(length);
    }

  private:
    [[nodiscard]] std::int64_t inside(Instant begin, Instant end) const {
        if (!from_) return 0;
        const Instant first = std::max(begin, *from_);
        const Instant last = to_ ? std::min(end, *to_) : end;
        return std::max<std::int64_t>(0, (last - first).count());
    }

    std::optional<Instant> from_, to_;
    bool begun_ = false;
    Instant latest_{};
    std::int64_t n_ = 0;
    std::int64_t area_ns_ = 0;
};

/// Tells some requests whole: `sent` and `done` of the same ones. A third of the room is for new
/// ones, and as many may be under way, so that what is told never exceeds the room.
class Dots {
  public:
    explicit Dots(std::size_t room)
        : share_{room / 3}, slots_(std::bit_ceil(std::max<std::size_t>(64, share_ * 8)), 0) {}

    void sent(std::uint64_t id, Instant when) {
        std::uint64_t& slot = slot_of(id);
        if (slot == id + 1) return;  // sent again on another connection
        if (begun_ >= share_ || under_way_ >= share_ || slot != 0) {
            ++left_out_;
            return;
        }
        slot = id + 1;
        ++begun_;
        ++under_way_;
        events_.push_back({id, RequestEvent::Kind::sent, 0, Ending::ok, when});
    }
    void done(std::uint64_t id, Instant when, Ending ending) {
        if (forget(id))
            events_.push_back({id, RequestEvent::Kind::done, 0, ending, when});
        else
            ++left_out_;
    }
    bool forget(std::uint64_t id) {
        std::uint64_t& slot = slot_of(id);
        if (slot != id + 1) return false;
        slot = 0;
        --under_way_;
        return true;
    }
    void take(IntervalCut& cut) {
        std::stable_sort(events_.begin(), events_.end(),
                         [](const RequestEvent& a, const RequestEvent& b) { return a.at < b.at; });
        cut.events = std::exchange(events_, {});
        cut.events_left_out = std::exchange(left_out_, 0);
        begun_ = 0;
    }

  private:
    std::uint64_t& slot_of(std::uint64_t id) { return slots_[id & (slots_.size() - 1)]; }

    std::size_t share_;
    std::vector<std::uint64_t> slots_;  // id + 1 of the told request under way, 0 for none
    std::vector<RequestEvent> events_;
    std::uint64_t left_out_ = 0;
    std::size_t begun_ = 0;
    std::size_t under_way_ = 0;
};

void count(Counts& counts, const Sample& s) {
    ++counts.of(s.ending);
    counts.abandoned += s.abandoned ? 1 : 0;
    counts.held_back += s.held_back ? 1 : 0;
    if (s.ending != Ending::ok) return;
    counts.wrong_user += s.wrong_user ? 1 : 0;
    counts.stale += s.stale ? 1 : 0;
    counts.late += s.late ? 1 : 0;
    counts.good += s.wrong_user || s.stale || s.late ? 0 : 1;
}

void count(Counts& counts, Attempt attempt) {
    ++counts.attempts;
    counts.retries += attempt == Attempt::retry ? 1 : 0;
    counts.hedges += attempt == Attempt::hedge ? 1 : 0;
}

void add(PartTimes& sum, const PartTimes& parts) {
    for (std::size_t i = 0; i < part_count; ++i) sum[i] += parts[i];
}

/// What one interval adds up to.
struct Interval {
    Histogram latency, since_send, service, slip;
    Counts counts;  ///< without planned
    PartTimes parts{};
    std::uint64_t parts_of = 0;
};

/// Adds `from` to the window, which has the same of all its intervals.
void add(WindowTotals& window, const Interval& from) {
    window.latency.merge(from.latency);
    window.since_send.merge(from.since_send);
    window.service.merge(from.service);
    window.slip.merge(from.slip);
    window.counts += from.counts;
    add(window.parts, from.parts);
    window.parts_of += from.parts_of;
}

/// Takes what both have of one histogram and leaves them empty.
SparseCounts take(Histogram& a, Histogram& b) {
    if (b.count() > 0) {
        a.merge(b);
        b.clear();
    }
    return a.take_sparse();
}

void record(Interval& h, const Sample& s) {
    if (s.released != Instant{}) h.slip.record(s.released - s.intended);
    if (s.ending != Ending::ok && s.ending != Ending::timed_out) return;
    h.latency.record(s.done - s.intended);
    if (s.sent != Instant{}) h.since_send.record(s.done - s.sent);
    if (s.server) h.service.record(s.server->service);
}

/// Room for what one load thread plans between two cuts before the vector grows.
constexpr std::size_t usual_plans_per_cut = 4096;

}  // namespace

struct Recorder::Books {
    explicit Books(std::size_t events_per_cut) : dots{events_per_cut} {
        due.reserve(usual_plans_per_cut);
    }

    [[nodiscard]] bool follows(Instant t) const { return from && t >= *from && (!to || t < *to); }

    std::optional<Instant> from, to;
    std::optional<Instant> cut_start;
    Instant last_done{};
    std::int64_t open = 0;
    std::size_t client_backlog = 0;
    Integral begun_and_not_done;
    Dots dots;

    std::vector<Instant> due;  // planned, and not yet counted in a cut
    // Of the present interval: the requests that the window follows, and the others. The window
    // gets the former when the interval is cut, so that each sample is recorded once.
    Interval followed, others;
    WindowTotals window;  // all but from, to and concurrency; of the intervals that were cut
};

Recorder::Recorder(std::size_t events_per_cut) : books_{std::make_unique<Books>(events_per_cut)} {}
Recorder::~Recorder() = default;
Recorder::Recorder(Recorder&&) noexcept = default;
Recorder& Recorder::operator=(Recorder&&) noexcept = default;

void Recorder::begin(Instant start) { books_->cut_start = start; }

void Recorder::set_window(Instant from, std::optional<Instant> to) {
    Books& b = *books_;
    LAB_ASSERT(b.begun_and_not_done.latest() <= from);
    LAB_ASSERT(!to || *to >= from);
    b.from = from;
    b.to = to;
    b.begun_and_not_done.set_window(from, to);
}

void Recorder::close_window(Instant to) {
    Books& b = *books_;
    if (!b.from) return;
    if (b.to && *b.to <= to) return;
    // What was counted by the old end must stay counted: the end is never before anything known.
    const Instant known = b.begun_and_not_done.latest() + 1ns;
    const Instant end = std::max({to, *b.from, known});
    if (b.to && *b.to <= end) return;
    b.to = end;
    b.begun_and_not_done.set_window(*b.from, b.to);
    b.begun_and_not_done.change(end, 0);
}

void Recorder::planned(std::uint64_t, Instant intended) {
    Books& b = *books_;
    b.due.push_back(intended);
    b.begun_and_not_done.change(intended, +1);
    ++b.open;
    if (!b.follows(intended)) return;
    ++b.window.counts.planned;
    ++b.window.inside.planned;
}

void Recorder::sent(std::uint64_t id, Instant intended, Instant at, Attempt attempt) {
    Books& b = *books_;
    b.dots.sent(id, at);
    count((b.follows(intended) ? b.followed : b.others).counts, attempt);
    if (b.follows(at)) count(b.window.inside, attempt);
}

void Recorder::ended(const Sample& s) {
    Books& b = *books_;
    LAB_ASSERT(b.open > 0);
    --b.open;
    b.last_done = std::max(b.last_done, s.done);
    b.begun_and_not_done.change(s.done, -1);
    b.dots.done(s.id, s.done, s.ending);

    const bool followed = b.follows(s.intended);
    Interval& interval = followed ? b.followed : b.others;
    count(interval.counts, s);
    record(interval, s);
    if (b.follows(s.done)) count(b.window.inside, s);
    if (s.ending != Ending::ok || !s.server) return;

    const PartTimes parts = decompose(s);
    add(interval.parts, parts);
    ++interval.parts_of;
    if (!followed) return;
    b.window.unexplained.record(parts[static_cast<std::size_t>(Part::unexplained)]);
}

void Recorder::withdrawn(std::uint64_t id, Instant intended) {
    Books& b = *books_;
    LAB_ASSERT(b.open > 0);
    --b.open;
    b.begun_and_not_done.change(std::max(intended, b.begun_and_not_done.latest()), -1);
    b.dots.forget(id);
    if (b.follows(intended)) --b.window.counts.planned;
}

void Recorder::set_client_backlog(std::size_t waiting) { books_->client_backlog = waiting; }

std::unique_ptr<IntervalCut> Recorder::cut(Instant end) {
    Books& b = *books_;
    end = std::max(end, b.last_done);
    if (b.cut_start) end = std::max(end, *b.cut_start);
    const auto later =
        std::partition(b.due.begin(), b.due.end(), [end](Instant t) { return t < end; });
    if (!b.cut_start) {
        b.cut_start = end;
        if (later != b.due.begin()) b.cut_start = *std::min_element(b.due.begin(), later);
    }

    add(b.window, b.followed);
    auto out = std::make_unique<IntervalCut>();
    out->counts = b.followed.counts;
    out->counts += b.others.counts;
    out->parts = b.followed.parts;
    add(out->parts, b.others.parts);
    out->parts_of = b.followed.parts_of + b.others.parts_of;
    for (Interval* const interval : {&b.followed, &b.others}) {
        interval->counts = {};
        interval->parts = {};
        interval->parts_of = 0;
    }
    out->start = *b.cut_start;
    out->end = end;
    out->counts.planned = static_cast<std::uint64_t>(later - b.due.begin());
    b.due.erase(b.due.begin(), later);
    b.cut_start = end;

    out->latency = take(b.followed.latency, b.others.latency);
    out->since_send = take(b.followed.since_send, b.others.since_send);
    out->service = take(b.followed.service, b.others.service);
    out->slip = take(b.followed.slip, b.others.slip);
    const std::int64_t begun = b.open - static_cast<std::int64_t>(b.due.size());
    out->in_flight = static_cast<std::uint32_t>(std::max<std::int64_t>(0, begun));
    out->client_backlog = static_cast<std::uint32_t>(b.client_backlog);
    b.dots.take(*out);
    b.begun_and_not_done.change(end, 0);
    return out;
}

std::unique_ptr<WindowTotals> Recorder::totals() const {
    const Books& b = *books_;
    auto out = std::make_unique<WindowTotals>(b.window);
    add(*out, b.followed);
    out->from = b.from.value_or(Instant{});
    const Instant latest = b.from ? std::max(*b.from, b.begun_and_not_done.latest()) : out->from;
    out->to = b.to.value_or(latest);
    out->concurrency = b.begun_and_not_done.mean_until(out->to);
    return out;
}

std::uint32_t Recorder::in_flight() const {
    return static_cast<std::uint32_t>(std::max<std::int64_t>(0, books_->open));
}

}  // namespace lab::measure
