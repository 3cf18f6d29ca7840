// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/pipeline_scene.hpp"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>

namespace lab::app {

namespace {

QString tr(const char* text) { return QCoreApplication::translate("PipelineView", text); }

bool holdsKind(const std::vector<Step>& steps, std::initializer_list<StepKind> kinds) {
    return std::any_of(steps.begin(), steps.end(), [&](const Step& step) {
        return std::find(kinds.begin(), kinds.end(), step.kind) != kinds.end() ||
               holdsKind(step.steps, kinds);
    });
}

QPointF between(QPointF a, QPointF b, double share) {
    const double eased = share * share * (3 - 2 * share);
    return a + (b - a) * eased;
}

}  // namespace

QString workerWord(WorkerState state) {
    switch (state) {
        case WorkerState::idle:
            return tr("idle");
        case WorkerState::computing:
            return tr("computing");
        case WorkerState::lock_wait:
            return tr("waiting lock");
        case WorkerState::io_wait:
            return tr("waiting I/O");
        case WorkerState::pool_wait:
            return tr("waiting conn.");
        case WorkerState::write_wait:
            return tr("write lock");
        case WorkerState::database:
            return tr("database");
        case WorkerState::cache:
            return tr("cache");
        case WorkerState::render:
            return tr("rendering");
        case WorkerState::writing:
            return tr("writing");
        case WorkerState::blocked:
            return tr("blocked loop");
        case WorkerState::booting:
            return tr("booting");
        case WorkerState::off:
            return tr("off");
    }
    return {};
}

QChar workerLetter(WorkerState state) {
    switch (state) {
        case WorkerState::idle:
            return {};
        case WorkerState::computing:
            return u'C';
        case WorkerState::lock_wait:
            return u'L';
        case WorkerState::io_wait:
            return u'I';
        case WorkerState::pool_wait:
            return u'P';
        case WorkerState::write_wait:
            return u'T';
        case WorkerState::database:
            return u'D';
        case WorkerState::cache:
            return u'H';
        case WorkerState::render:
            return u'R';
        case WorkerState::writing:
            return u'W';
        case WorkerState::blocked:
            return u'X';
        case WorkerState::booting:
            return u'B';
        case WorkerState::off:
            return u'-';
    }
    return {};
}

QString shortPlan(const std::string& plan) {
    if (plan.empty()) return {};
    if (plan.find("SCAN") != std::string::npos) return tr("SCAN: every row");
    if (plan.find("PRIMARY KEY") != std::string::npos) return tr("SEARCH: by its number");
    if (plan.find("SEARCH") != std::string::npos) return tr("SEARCH: by index");
    return QString::fromStdString(plan);
}

PipelineParts partsOf(const Model& model) {
    PipelineParts parts;
    for (const Route& route : model.system.routes) {
        parts.cache = parts.cache || holdsKind(route.steps, {StepKind::cache});
        parts.database =
            parts.database || holdsKind(route.steps, {StepKind::query, StepKind::write});
    }
    const Load& load = model.load;
    if (load.model == LoadModel::open) {
        parts.clients = tr("%1 req/s, open").arg(load.rate.per_second(), 0, 'f', 0);
    } else {
        parts.clients = tr("%1 users, closed").arg(load.users);
    }
    const CacheMode mode = model.system.cache.mode;
    parts.cacheOn = mode != CacheMode::none;
    parts.cacheMode = mode == CacheMode::none         ? tr("off")
                      : mode == CacheMode::per_worker ? tr("per worker")
                      : mode == CacheMode::null       ? tr("null")
                                                      : tr("shared");
    parts.workers = model.system.server.workers;
    parts.execution = model.system.server.execution;
    parts.threads = model.system.server.threads;
    parts.queue = static_cast<std::uint32_t>(std::max(0, model.system.server.queue));
    const Balancer& balancer = model.system.balancer;
    if (balancer.rule != BalancerRule::none) {
        parts.backends.assign(balancer.backends.begin(),
                              balancer.backends.begin() + balancer.count);
        const SettingInfo* const info = find_setting(model.system, "balancer.rule");
        const auto rule = get_setting(model, "balancer.rule");
        if (info && rule) parts.rule = QString::fromStdString(show_value(*info, *rule));
    }
    return parts;
}

PipelinePlaces placeBoxes(QSizeF size, const PipelineParts& parts) {
    constexpr double margin = 16, top = 18;
    const double width = size.width() - 2 * margin, height = size.height();
    const bool side = parts.cache || parts.database;
    // Shares of the width: clients, gap, queue, gap, workers, gap, side boxes, way out.
    const double clients = std::clamp(width * 0.135, 70.0, 150.0);
    const double queue = std::clamp(width * 0.18, 88.0, 190.0);
    const double gap = std::clamp(width * 0.05, 18.0, 60.0);
    const double sideWidth = side ? std::clamp(width * 0.165, 88.0, 190.0) : 0;
    const double out = std::clamp(width * 0.035, 12.0, 40.0);
    const double workers =
        width - clients - queue - 2 * gap - (side ? gap + sideWidth + out : gap * 1.8);

    PipelinePlaces p;
    p.laneY = height / 2;
    p.bottom = height - 8;
    p.exitX = size.width() - 4;
    const double low = std::min(height * 0.44, 92.0);  // height of clients and queue
    p.clients = QRectF(margin, p.laneY - low / 2, clients, low);
    p.queue = QRectF(p.clients.right() + gap, p.laneY - low / 2, queue, low);
    p.workers = QRectF(p.queue.right() + gap, top, std::max(workers, 90.0), height - 2 * top);
    p.exitY = p.laneY;
    if (!side) return p;
    const double x = p.workers.right() + gap;
    const double half = (height - 2 * top - 22) / 2;
    if (parts.cache && parts.database) {
        p.cache = QRectF(x, top, sideWidth, half);
        p.database = QRectF(x, height - top - half, sideWidth, half);
        return p;
    }
    QRectF& only = parts.cache ? p.cache : p.database;
    only = QRectF(x, top + 4, sideWidth, std::min(half + 20, 104.0));
    p.exitY = height - top - (height - top - only.bottom()) * 0.42;
    return p;
}

WorkerCells layWorkers(const QRectF& box, std::size_t count) {
    constexpr double head = 44, margin = 12, least = 17, gap = 5, wordWidth = 92;
    WorkerCells cells;
    cells.area = box.adjusted(margin, head, -margin, -10);
    const auto n = static_cast<int>(std::max<std::size_t>(count, 1));
    const int rowsFit = std::max(1, int((cells.area.height() + gap) / (least + gap)));
    const int columnsFit = std::max(1, int((cells.area.width() + gap) / (wordWidth + gap)));
    if (n <= rowsFit * columnsFit && n <= 16) {
        cells.columns = (n + rowsFit - 1) / rowsFit;
        cells.rows = (n + cells.columns - 1) / cells.columns;
        return cells;
    }
    cells.words = false;
    cells.area.setBottom(cells.area.bottom() - 16);  // the words, counted, stand below
    double best = 0;
    for (int columns = 1; columns <= n; ++columns) {
        const int rows = (n + columns - 1) / columns;
        const double side = std::min(cells.area.width() / columns, cells.area.height() / rows);
        if (side <= best) continue;
        best = side;
        cells.columns = columns;
        cells.rows = rows;
    }
    return cells;
}

QRectF WorkerCells::cell(std::size_t index) const {
    const int column = static_cast<int>(index) / rows, row = static_cast<int>(index) % rows;
    if (!words) {
        const double side = std::min({area.width() / columns, area.height() / rows, 24.0});
        return QRectF(area.left() + column * side, area.top() + row * side, side - 2, side - 2);
    }
    constexpr double gap = 5, tallest = 34;
    const double width = (area.width() - gap * (columns - 1)) / columns;
    const double height = std::min((area.height() - gap * (rows - 1)) / rows, tallest);
    const double used = height * rows + gap * (rows - 1);
    const double top = area.top() + std::max(0.0, (area.height() - used) / 2);
    return QRectF(area.left() + column * (width + gap), top + row * (height + gap), width, height);
}

QPointF PipelinePlaces::thread(std::size_t index, std::size_t count) const {
    return layWorkers(workers, count).cell(index).center();
}

void PipelineScene::clear() {
    m_facts = {};
    m_recent.clear();
    m_requests.clear();
}

void PipelineScene::remember(const Frame& frame) {
    m_recent.push_back({.counts = frame.counts,
                        .hits = frame.server.cache_hits,
                        .misses = frame.server.cache_misses,
                        .seconds = to_seconds(frame.length),
                        .proxy = frame.server.proxy});
    for (const BackendSample& backend : frame.server.backends) {
        m_recent.back().given.push_back(backend.requests);
    }
    double seconds = 0;
    for (const Recent& r : m_recent) seconds += r.seconds;
    constexpr double window = 1.0;
    while (m_recent.size() > 1 && seconds - m_recent.front().seconds > window - 1e-6) {
        seconds -= m_recent.front().seconds;
        m_recent.pop_front();
    }
}

void PipelineScene::append(const Frame& frame, const RunHistory& history) {
    remember(frame);
    Counts counts;
    std::uint64_t hits = 0, lookups = 0;
    double seconds = 0;
    for (const Recent& r : m_recent) {
        counts += r.counts;
        hits += r.hits;
        lookups += r.hits + r.misses;
        seconds += r.seconds;
    }
    const auto rate = [seconds](std::uint64_t n) {
        return seconds > 0 ? static_cast<double>(n) / seconds : 0.0;
    };
    const ServerSample& server = frame.server;
    const bool wasDense = m_facts.dense;
    m_facts = {.running = true,
               .offered = rate(counts.planned),
               .completed = rate(counts.of(Ending::ok)),
               .rejected = rate(counts.of(Ending::rejected)),
               .timedOut = rate(counts.of(Ending::timed_out)),
               .inFlight = frame.in_flight,
               .queueDepth = server.queue_depth,
               .queueCapacity = server.queue_capacity,
               .backlog = server.backlog,
               .queueWaitMs = {},
               .threads = server.threads,
               .threadsPerWorker = std::max(1, server.threads_per_worker),
               .hitRatio = {},
               .cacheEntries = server.cache_entries,
               .poolInUse = server.pool_in_use,
               .poolSize = std::max(server.pool_size, server.pool_open),  // overflow too
               .poolWaiting = server.pool_waiting,
               .tokens = server.tokens,
               .tokensInUse = server.tokens_in_use,
               .tokensWaiting = server.tokens_waiting,
               .plan = server.plan,
               .progress = server.progress,
               .backends = server.backends,
               .shares = {},
               .proxyHitRatio = {}};
    if (!server.backends.empty()) sumUpProxy();
    m_facts.otherErrors = rate(counts.errors()) - m_facts.rejected - m_facts.timedOut;
    m_facts.busy = history.figures().busy.value_or(0);
    if (lookups > 0) m_facts.hitRatio = static_cast<double>(hits) / static_cast<double>(lookups);
    if (!history.isEmpty() && history.points().back().partsKnown) {
        const auto& parts = history.points().back().partsMs;
        m_facts.queueWaitMs = static_cast<double>(parts[static_cast<std::size_t>(Part::queue)]);
    }
    const double busiest = std::max(m_facts.offered, m_facts.completed);
    m_facts.dense = frame.events_left_out > 0 || busiest > (wasDense ? sparseBelow : denseAbove);
    if (m_facts.dense) {
        m_requests.clear();
        return;
    }
    for (const RequestEvent& event : frame.events) follow(event);
}

void PipelineScene::follow(const RequestEvent& event) {
    using Kind = RequestEvent::Kind;
    const auto found = m_requests.find(event.request);
    if (found == m_requests.end()) {
        // Only what was seen leaving is followed: half a story would jump.
        if (event.kind == Kind::sent && m_requests.size() < most) {
            m_requests[event.request].sent = event.at;
        }
        return;
    }
    Seen& seen = found->second;
    switch (event.kind) {
        case Kind::sent:
        case Kind::queued:
            break;
        case Kind::started:
            seen.started = event.at;
            seen.thread = event.thread;
            break;
        case Kind::answered:
            seen.answered = event.at;
            break;
        case Kind::done:
            seen.done = event.at;
            seen.ending = event.ending;
            break;
    }
}

std::optional<PipelineDot> PipelineScene::dotOf(const Seen& seen, Instant at,
                                                const PipelinePlaces& places, bool& left) const {
    const auto share = [at](Instant from, Duration length) {
        return static_cast<double>((at - from).count()) / static_cast<double>(length.count());
    };
    const auto falling = [&](QPointF from, Instant since) -> std::optional<PipelineDot> {
        const double s = share(since, fall);
        left = s > 1;
        if (s < 0 || left) return std::nullopt;
        const double depth = (places.bottom - from.y()) * s * s;
        return PipelineDot{
            .at = from + QPointF(6 * s, depth), .failed = true, .opacity = 1 - s * s};
    };
    const QPointF start(places.clients.right(), places.laneY);
    const QPointF door(places.queue.left(), places.laneY), exit(places.queue.right(), places.laneY);
    const double first = share(*seen.sent, way);
    if (first < 0) return std::nullopt;
    if (first < 1) return PipelineDot{.at = between(start, door, first)};

    const Instant arrived = *seen.sent + way;
    const bool failed = seen.done && seen.ending != Ending::ok;
    const QPointF under(places.queue.right() - 12, places.queue.bottom());
    if (!seen.started || *seen.started > at) {
        if (failed && *seen.done <= at) return falling(under, std::max(arrived, *seen.done));
        // Answered without a worker: it passes by.
        if (seen.done && !seen.started && *seen.done <= at) left = true;
        return std::nullopt;
    }
    const Instant taken = std::max(arrived, *seen.started);
    const QPointF worker = threadAt(places, seen.thread);
    const double second = share(taken, way);
    if (second < 0) return std::nullopt;
    const QPointF gate(places.workers.left() + 6, worker.y());
    if (second < 1) return PipelineDot{.at = between(exit, gate, second)};

    if (!seen.answered && !seen.done) return std::nullopt;
    const Instant leaves = std::max(taken + way, seen.answered ? *seen.answered : *seen.done);
    if (failed) {
        return falling(QPointF(places.workers.center().x(), places.workers.bottom()), leaves);
    }
    const double third = share(leaves, way);
    left = third > 1;
    if (third < 0 || left) return std::nullopt;
    return PipelineDot{.at = between(QPointF(places.workers.right(), places.exitY),
                                     QPointF(places.exitX, places.exitY), third),
                       .opacity = third > 0.7 ? (1 - third) / 0.3 : 1};
}

std::vector<PipelineDot> PipelineScene::dots(Instant at, const PipelinePlaces& places) {
    constexpr Duration oldest = 60s;  // a request whose end was never told
    std::vector<PipelineDot> drawn;
    for (auto it = m_requests.begin(); it != m_requests.end();) {
        bool left = at - *it->second.sent > oldest;
        if (const auto dot = dotOf(it->second, at, places, left)) drawn.push_back(*dot);
        it = left ? m_requests.erase(it) : std::next(it);
    }
    return drawn;
}

}  // namespace lab::app
