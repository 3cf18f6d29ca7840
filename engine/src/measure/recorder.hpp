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
    Instant received{};  ///< first byte of the request read
    Instant ready{};     ///< the answer was there
    PartTimes parts{};   ///< parse .. render; the others zero
    Duration service{};
};

/// One request, from the plan to its end, as the client saw it.
struct Sample {
    std::uint64_t id = 0;
    Instant intended{};  ///< when the plan says it begins
    Instant released{};  ///< when the generator took it up
    Instant retried{};   ///< when its last attempt began; zero where that is the first
    Instant assigned{};  ///< when it had a connection object to go on (waiting in the client ends)
    Instant sent{};      ///< connected, and the request handed to the kernel
    Instant done{};      ///< last byte received, or given up
    Ending ending = Ending::ok;
    bool wrong_user = false;
    bool stale = false;
    bool late = false;
    bool abandoned = false;  ///< timed_out because the user's patience ended
    bool held_back = false;  ///< not_sent because the circuit breaker was open
    Duration network{};      ///< of the time between sent and done, what the client added as delay
    std::optional<ServerTimes> server;
};

/// Why a request is written to a connection.
enum class Attempt : std::uint8_t { first, retry, hedge };

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
    Duration generator_cpu{};  ///< CPU time of the load thread in it
    Duration breaker_open{};   ///< in it
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
    std::uint64_t trace = 0;  ///< virtual time: see RunResult
};

/// Keeps the books of one load thread. Everything is by the timestamps of the samples; no clock is
/// read.
///
/// Which request counts where:
/// - The window's `counts`, histograms and parts follow each request *intended* in [from, to) to
///   its end, whenever that is. `inside` counts what was *done* in [from, to), whenever it was
///   intended; its `planned` is what was due in the window, withdrawn requests included.
/// - A cut counts what was done since the last cut; its `planned` what was due in it.
/// - ok and timed_out are samples of latency, since_send (where it was sent) and service (where the
///   server told); slip is of every request that was released, however it ended; parts are of ok
///   answers of a server that tells. wrong_user, stale and late are marks on ok; good is ok without
///   a mark.
/// - Attempts count where they were made (a cut, `inside`) and to whom they belong (the window's
///   `counts`); they take no part in the sum of the endings.
/// - At every moment: planned = ended + in flight, in the window and over all.
/// - concurrency is the time integral, over the window, of the number of requests begun (by their
///   intended start) and not done, of every kind of ending. It is kept from the events, not from
///   the latencies.
///
/// Threads: the load thread alone. Cuts and totals are handed over whole.
class Recorder {
  public:
    /// Events beyond `events_per_cut` are counted, not kept. Requests are told whole: who is told
    /// `sent` is told `done`.
    explicit Recorder(std::size_t events_per_cut = 400);
    ~Recorder();
    Recorder(Recorder&&) noexcept;
    Recorder& operator=(Recorder&&) noexcept;

    /// When the run begins: the start of the first cut. Without it the first cut starts at its
    /// first event.
    void begin(Instant start);
    /// The window of the run, before anything planned is due in it. Requests intended inside are
    /// followed to their end.
    void set_window(Instant from, std::optional<Instant> to);
    /// Ends the window at a stop, before the rest is withdrawn. It may be moved nearer, but not
    /// before anything already planned or ended: it then ends there.
    void close_window(Instant to);

    /// The plan made a request. Must be called before anything else for it.
    void planned(std::uint64_t id, Instant intended);
    /// It was sent, once more where `attempt` is not the first. Counts as an attempt of the request
    /// that was due at `intended`, however that ends.
    void sent(std::uint64_t id, Instant intended, Instant at, Attempt attempt = Attempt::first);
    /// It ended, in whichever way.
    void ended(const Sample& sample);
    /// A request that was in flight when the run was stopped: neither answered nor given up, so it
    /// is taken out of the window's planned. It still counts as begun in `concurrency` until the
    /// window's end.
    void withdrawn(std::uint64_t id, Instant intended);
    void set_client_backlog(std::size_t waiting);

    /// What was recorded since the last cut. Ends at `end`, or at the last sample if that is later.
    [[nodiscard]] std::unique_ptr<IntervalCut> cut(Instant end);
    [[nodiscard]] std::unique_ptr<WindowTotals> totals() const;
    /// Planned and not ended, those planned ahead of their time included.
    [[nodiscard]] std::uint32_t in_flight() const;

  private:
    struct Books;
    std::unique_ptr<Books> books_;
};

/// The parts of one request; they add up to its latency exactly, and none is negative.
///
/// Up to the sending they are told by the client (schedule_slip, client_wait, connect), the rest by
/// the server: queue is from the sending until the worker has it, write from `ready` to the last
/// byte. `unexplained` is what is left; without server times all that follows the sending. Where
/// the client took its time of sending late (it was descheduled, the server already had the
/// request), `connect` ends at `received`. Should the parts still exceed the latency, the excess is
/// taken off the largest.
[[nodiscard]] PartTimes decompose(const Sample& sample);

}  // namespace lab::measure
