// SPDX-License-Identifier: GPL-3.0-or-later
// What the pipeline shows, worked out apart from the widget: facts, places and moving dots.
#pragma once

#include <QPointF>
#include <QRectF>
#include <QString>

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "lab/frame.hpp"
#include "lab/model.hpp"
#include "models/run_history.hpp"

namespace lab::app {

/// How many states a worker's thread can be in.
inline constexpr std::size_t workerStates = static_cast<std::size_t>(WorkerState::off) + 1;
/// "computing", "waiting I/O": what a worker does, as a word beside its colour.
[[nodiscard]] QString workerWord(WorkerState state);
/// One letter for cells too small for the word.
[[nodiscard]] QChar workerLetter(WorkerState state);
/// "SCAN: every row" or "SEARCH: by index" for a line of EXPLAIN QUERY PLAN.
[[nodiscard]] QString shortPlan(const std::string& plan);

/// The state of the system at the last frame. Rates are per second over the last second.
struct PipelineFacts {
    bool running = false;  ///< false: no frame has come
    double offered = 0, completed = 0, rejected = 0, timedOut = 0, otherErrors = 0;
    std::uint32_t inFlight = 0;
    std::uint32_t queueDepth = 0, queueCapacity = 0, backlog = 0;
    std::optional<double> queueWaitMs;  ///< mean of those answered in the last second
    std::vector<WorkerSample> threads;
    int threadsPerWorker = 1;
    double busy = 0;                 ///< 0..1
    std::optional<double> hitRatio;  ///< over the last second; empty without look-ups
    std::uint64_t cacheEntries = 0;
    std::uint32_t poolInUse = 0, poolSize = 0, poolWaiting = 0;
    std::uint32_t tokens = 0, tokensInUse = 0, tokensWaiting = 0;  ///< of event loops' thread pools
    std::string plan, progress;
    std::vector<BackendSample> backends;  ///< behind a balancer, else empty
    std::vector<double> shares;           ///< of the requests of the last second, one a backend
    double retries = 0, lost = 0;         ///< next backend asked; no backend answered
    std::optional<double> proxyHitRatio;  ///< over the last second; empty without look-ups
    bool dense = false;                   ///< too many requests for a dot each
};

/// Which boxes there are, and their words that come from the model.
struct PipelineParts {
    bool cache = false, database = false;
    QString clients;    ///< "80 req/s, open loop"
    QString cacheMode;  ///< "off", "per worker", "shared"
    bool cacheOn = false;
    int workers = 1, threads = 1;  ///< before the first frame
    Execution execution = Execution::threads;
    std::uint32_t queue = 64;
    std::vector<Backend> backends;  ///< behind a balancer, else empty
    QString rule;                   ///< "in turn": how the balancer chooses
};
[[nodiscard]] PipelineParts partsOf(const Model& model);

/// "up", "left alone" or "down".
[[nodiscard]] QString healthWord(const BackendSample& backend);
/// "Balancer in turn. Backend 1 up, weight 1, 3 in hand. ...": for screen readers.
[[nodiscard]] QString describeBackends(const PipelineParts& parts, const PipelineFacts& facts);

/// Where the boxes are, in widget pixels. A box that is absent is null.
struct PipelinePlaces {
    QRectF clients, queue, workers, cache, database;  ///< queue: the balancer's where there is one;
                                                      ///< workers: then the backends'
    double laneY = 0;                                 ///< of clients, queue and workers
    double exitY = 0, exitX = 0;                      ///< answers leave to the right here
    double bottom = 0;                                ///< what fails falls to here
    [[nodiscard]] QPointF thread(std::size_t index, std::size_t count) const;
};
[[nodiscard]] PipelinePlaces placeBoxes(QSizeF size, const PipelineParts& parts);
/// The cells of `count` worker threads inside the workers' box: bars with words, or small squares.
struct WorkerCells {
    int columns = 1, rows = 1;
    bool words = true;
    QRectF area;
    [[nodiscard]] QRectF cell(std::size_t index) const;
};
[[nodiscard]] WorkerCells layWorkers(const QRectF& box, std::size_t count);

/// The rows of `count` backends inside the workers' box: one column to four, two beyond.
struct BackendRows {
    int columns = 1, rows = 1;
    QRectF area;
    [[nodiscard]] QRectF row(std::size_t index) const;
};
[[nodiscard]] BackendRows layBackends(const QRectF& box, std::size_t count);

/// A dot to be drawn.
struct PipelineDot {
    QPointF at;
    bool failed = false;  ///< falls, with a cross
    double opacity = 1;
};

/// Frames in, facts and dots out. Time is a parameter.
///
/// A dot leaves the clients when its request was sent, enters the workers when a worker took it and
/// leaves when it was answered; each way takes `way` however fast it was. Rejections fall off the
/// queue, what fails later falls off the workers.
/// Bounds:  600 requests; older ones are forgotten.   Threads: GUI.
class PipelineScene {
  public:
    static constexpr Duration way = 220ms;
    static constexpr Duration fall = 420ms;
    static constexpr double denseAbove = 150, sparseBelow = 120;  ///< requests a second
    static constexpr std::size_t most = 600;

    void append(const Frame& frame, const RunHistory& history);
    void clear();
    [[nodiscard]] const PipelineFacts& facts() const { return m_facts; }
    /// Dots of the moment `at` of the run's clock. Forgets what has left.
    [[nodiscard]] std::vector<PipelineDot> dots(Instant at, const PipelinePlaces& places);
    [[nodiscard]] bool hasDots() const { return !m_requests.empty(); }

  private:
    struct Seen {
        std::optional<Instant> sent, started, answered, done;
        std::uint16_t thread = 0;
        Ending ending = Ending::ok;
    };
    struct Recent {
        Counts counts;
        std::uint64_t hits = 0, misses = 0;
        double seconds = 0;
        ProxySample proxy{};
        std::vector<std::uint64_t> given{};  // requests, one a backend
    };

    void remember(const Frame& frame);
    void sumUpProxy();
    /// Where the worker thread of this number is drawn.
    [[nodiscard]] QPointF threadAt(const PipelinePlaces& places, std::size_t thread) const;
    void follow(const RequestEvent& event);
    /// The dot of a request, or nothing while it is inside a box; `left` when it is gone for good.
    [[nodiscard]] std::optional<PipelineDot> dotOf(const Seen& seen, Instant at,
                                                   const PipelinePlaces& places, bool& left) const;

    PipelineFacts m_facts;
    std::deque<Recent> m_recent;  // one second
    std::unordered_map<std::uint64_t, Seen> m_requests;
};

}  // namespace lab::app
