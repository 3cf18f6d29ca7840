// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/frame.hpp"
#include "lab/units.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace lab::measure {

/// What our own server tells about an answer (header X-Lab-Times), on the same steady clock.
struct ServerTimes {
    Instant received{};         ///< first byte of the request read
    Instant ready{};            ///< the answer was there
    PartTimes parts{};          ///< parse .. render; the others zero
    Duration service{};
};

/// One request, from the plan to its end, as the client saw it.
struct Sample {
    std::uint64_t id = 0;
    Instant intended{};         ///< when the plan says it begins
    Instant released{};         ///< when the generator took it up
    Instant assigned{};         ///< when it had a connection object to go on (waiting in the client ends)
    Instant sent{};             ///< connected, and the request handed to the kernel
    Instant done{};             ///< last byte received, or given up
    Ending ending = Ending::ok;
    bool wrong_user = false;
    bool stale = false;
    bool late = false;
    std::optional<ServerTimes> server;
};

/// What was recorded since the last cut, for one Frame.
struct IntervalCut {
    Instant start{}, end{};
    Counts counts;
    SparseCounts latency, since_send, service, slip;
    PartTimes parts{};
    std::uint64_t parts_of = 0;
    std::uint32_t in_flight = 0;
    std::uint32_t client_backlog = 0;
    std::vector<RequestEvent> events;
    std::uint64_t events_left_out = 0;
    Duration generator_cpu{};           ///< CPU time of the load thread in it
};

/// What the window [from, to) comes to. See RunResult for which base each figure has.
struct WindowTotals {
    Instant from{}, to{};
    Counts counts, inside;
    Histogram latency, since_send, service, slip, unexplained;
    PartTimes parts{};
    std::uint64_t parts_of = 0;
    double concurrency = 0;
    Duration generator_cpu{};
};

/// Keeps the books of one load thread. Everything is by the timestamps of the samples; no clock is read.
/// Threads: the load thread alone. Cuts and totals are handed over whole.
class Recorder {
  public:
    /// Events beyond `events_per_cut` are counted, not kept.
    explicit Recorder(std::size_t events_per_cut = 400);

    /// The window of the run. Requests intended inside are followed to their end; `to` may be moved nearer
    /// (a stop) but not past requests already ended.
    void set_window(Instant from, std::optional<Instant> to);
    void close_window(Instant to);

    /// The plan made a request. Must be called before anything else for it.
    void planned(std::uint64_t id, Instant intended);
    /// It was sent (for the dots).
    void sent(std::uint64_t id, Instant at);
    /// It ended, in whichever way.
    void ended(const Sample& sample);
    /// Requests of the window that are withdrawn at a stop: they were never planned.
    void withdrawn(std::uint64_t id, Instant intended);
    void set_client_backlog(std::size_t waiting);

    /// What was recorded since the last cut.
    [[nodiscard]] std::unique_ptr<IntervalCut> cut(Instant end);
    [[nodiscard]] std::unique_ptr<WindowTotals> totals() const;
    [[nodiscard]] std::uint32_t in_flight() const;

  private:
    struct Books;
    std::shared_ptr<Books> books_;
};

/// The parts of one answered request; they add up to its latency, `unexplained` being the rest (never
/// negative: clock steps of a few ns between threads are taken off the largest part).
[[nodiscard]] PartTimes decompose(const Sample& sample);

}  // namespace lab::measure
