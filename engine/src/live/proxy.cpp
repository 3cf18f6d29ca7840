// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/proxy.hpp"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include <boost/asio/post.hpp>

#include "lab/assert.hpp"
#include "live/backend_view.hpp"
#include "live/platform.hpp"

namespace lab::live {

namespace asio = boost::asio;

namespace {

constexpr std::size_t most_idle = 32;
constexpr std::uint64_t most_requests_a_connection = 1'000;
constexpr std::size_t cache_entries = 10'000;
/// How finely time limits are looked after.
constexpr Duration look = 10ms;

Instant clock_now() { return std::chrono::steady_clock::now(); }

core::Balancer::Options balancer_options(const Balancer& settings, std::uint64_t seed) {
    core::Balancer::Options made;
    made.rule = settings.rule;
    made.max_fails = settings.max_fails;
    made.fail_timeout = settings.fail_timeout;
    made.seed = seed;
    for (int i = 0; i < settings.count; ++i) {
        const Backend& backend = settings.backends[static_cast<std::size_t>(i)];
        made.peers.push_back({backend.weight, backend.max_conns});
    }
    return made;
}

const Balancer& settings_of(const GenerationPtr& generation) { return generation->system.balancer; }

}  // namespace

Proxy::Proxy(Options options)
    : completions_{*options.completions},
      ports_{options.ports},
      seed_{options.seed},
      work_{asio::make_work_guard(io_)},
      cache_{{.ttl = settings_of(options.generation).cache_ttl, .capacity = cache_entries}},
      newest_{options.generation},
      balancer_{balancer_options(settings_of(options.generation), options.seed)} {}

Result<std::unique_ptr<Proxy>> Proxy::start(Options options) {
    try {
        std::unique_ptr<Proxy> proxy{new Proxy{std::move(options)}};
        proxy->thread_ = std::thread{[made = proxy.get()] { made->run(); }};
        return proxy;
    } catch (const std::system_error& error) {
        return Error{ErrorCode::no_resources, "balancer",
                     std::string{"the proxy cannot start: "} + error.what()};
    }
}

Proxy::~Proxy() { stop(); }

void Proxy::run() {
    platform::name_this_thread("proxy");
    for (;;) {
        try {
            io_.run();
            return;
        } catch (const std::exception&) {
            // Memory ran out for one request: its time limit ends it, the others go on.
        }
    }
}

GenerationPtr Proxy::generation() const {
    const std::lock_guard hold{mutex_};
    return newest_;
}

void Proxy::apply(GenerationPtr generation) {
    asio::post(io_, [this, settings = settings_of(generation)] {
        cache_.configure({.ttl = settings.cache_ttl, .capacity = cache_entries});
        if (settings.cache_ttl <= Duration{}) cache_.clear();
    });
    const std::lock_guard hold{mutex_};
    balancer_.configure(balancer_options(settings_of(generation), seed_));
    newest_ = std::move(generation);
}

/// The proxy takes whole requests: nothing is bound before one is there.
void Proxy::bind(Exchange& exchange) { completions_.bound(exchange); }

void Proxy::submit(Exchange& exchange) {
    exchange.answer.clear();
    exchange.answer.made_for = exchange.user;
    exchange.answer.language = exchange.language;
    exchange.effect = core::next(exchange.cursor, {.now = clock_now()});
    exchange.place = Exchange::Place::in_hand;
    asio::post(io_, [this, &exchange] { begin(exchange); });
}

void Proxy::more(Exchange& exchange) {
    exchange.answer.body.clear();
    asio::post(io_, [this, &exchange] { go_on(exchange); });
}

void Proxy::finish(Exchange& exchange, bool) {
    exchange.place = Exchange::Place::nowhere;
    if (std::exchange(exchange.more, false)) {  // the client has gone between two pieces
        asio::post(io_, [this, &exchange] { drop(exchange); });
    }
    if (exchange.cursor.program == nullptr) return;
    while (!exchange.cursor.ended) {
        static_cast<void>(core::next(exchange.cursor, {.now = clock_now()}));
    }
}

bool Proxy::withdraw(Exchange& exchange) {
    if (exchange.place != Exchange::Place::in_hand) return true;
    // What was submitted before is begun before this; what has been answered is no longer there.
    asio::post(io_, [this, &exchange] { abandon(exchange); });
    return false;
}

void Proxy::begin(Exchange& exchange) {
    if (free_flights_.empty()) free_flights_.push_back(&flights_.emplace_back());
    Flight& flight = *free_flights_.back();
    free_flights_.pop_back();
    const auto route = exchange.route;
    flight.exchange = &exchange;
    flight.generation = exchange.generation;
    flight.method = exchange.generation->system.routes[route].method;
    flight.way = {.request = exchange.cursor.id,
                  .client = core::virtual_address(
                      settings_of(exchange.generation).one_address ? 0 : exchange.user)};
    flight.peer = -1;
    flight.asked = 0;
    flight.in_pieces = flight.paused = false;
    in_hand_[&exchange] = &flight;
    const Instant now = clock_now();
    if (cancelled_) {
        give_back(flight, {.now = now, .fault = core::Fault::cancelled});
    } else if (!answer_from_cache(flight, now)) {
        ask_one(flight, now);
    }
}

bool Proxy::answer_from_cache(Flight& flight, Instant now) {
    if (settings_of(flight.generation).cache_ttl <= Duration{}) return false;
    if (flight.method != Method::get) return false;
    Exchange& exchange = *flight.exchange;
    const core::CachedAnswer* const found = cache_.get(exchange.target, now);
    {
        const std::lock_guard hold{mutex_};
        ++(found != nullptr ? counts_.proxy.cache_hits : counts_.proxy.cache_misses);
    }
    if (found == nullptr) return false;
    exchange.answer.body = found->body;
    exchange.answer.made_for = found->made_for;
    exchange.answer.versions = found->versions;
    exchange.answer.language = found->language;
    give_back(flight, {.now = now});
    return true;
}

/// Gives the request to the backend whose turn it is.
void Proxy::ask_one(Flight& flight, Instant now) {
    const Balancer& settings = settings_of(flight.generation);
    {
        const std::lock_guard hold{mutex_};
        const auto chosen = balancer_.pick(flight.way, now);
        flight.peer = chosen.value_or(-1);
        if (chosen) ++counts_.requests[static_cast<std::size_t>(*chosen)];
    }
    if (flight.peer < 0) {
        answer_alone(flight, 502, now);
        return;
    }
    ++flight.asked;
    flight.begun = now;
    flight.sent = false;
    auto& idle = idle_[static_cast<std::size_t>(flight.peer)];
    if (settings.keep_alive && !idle.empty()) {
        flight.upstream = idle.back();
        idle.pop_back();
        --idle_count_;
        flight.upstream->flight = &flight;
        send(flight, now);
    } else {
        Upstream& upstream = take_closed();
        flight.upstream = &upstream;
        upstream.flight = &flight;
        upstream.peer = flight.peer;
        flight.limit = now + settings.connect_timeout;
        LoopbackTarget target;
        target.port = ports_[static_cast<std::size_t>(flight.peer)];
        upstream.open(endpoint_of(target));
    }
    if (!limits_run_) watch_limits();
}

void Proxy::send(Flight& flight, Instant now) {
    const Balancer& settings = settings_of(flight.generation);
    Upstream& upstream = *flight.upstream;
    const Exchange& exchange = *flight.exchange;
    write_forwarded(upstream.text(), {.method = flight.method,
                                      .target = exchange.target,
                                      .port = ports_[static_cast<std::size_t>(flight.peer)],
                                      .user = exchange.user,
                                      .request = exchange.cursor.id,
                                      .client = flight.way.client,
                                      .language = exchange.language,
                                      .keep_alive = settings.keep_alive});
    flight.body.clear();
    flight.sent = true;
    flight.sent_at = now;
    flight.limit = now + settings.read_timeout;
    if (settings.buffering) {
        upstream.send(upstream.text(), &flight.body);
    } else {
        upstream.send_for_pieces(upstream.text(), flight.body);
    }
}

void Proxy::on_connected(ClientConnection& connection, Instant now) {
    Flight* const flight = static_cast<Upstream&>(connection).flight;
    LAB_ASSERT(flight != nullptr);
    send(*flight, now);
}

void Proxy::on_answer(ClientConnection& connection, Instant now) {
    auto& upstream = static_cast<Upstream&>(connection);
    LAB_ASSERT(upstream.flight != nullptr);
    Flight& flight = *upstream.flight;
    done(flight, false, now);
    Exchange& exchange = *flight.exchange;
    exchange.more = false;
    if (flight.in_pieces) {
        exchange.answer.body.swap(flight.body);
        let_go(flight);
        forget(flight);
        completions_.answered(exchange);
        return;
    }
    PartTimes told{};
    const core::Outcome outcome = take_answer(flight, told, now);
    const Balancer& settings = settings_of(flight.generation);
    if (outcome.status == 200 && settings.cache_ttl > Duration{} && settings.buffering &&
        flight.method == Method::get) {
        const Answer& made = exchange.answer;
        cache_.put(exchange.target,
                   {.body = made.body,
                    .made_for = made.made_for,
                    .versions = made.versions,
                    .rows = {},
                    .language = made.language},
                   now);
    }
    let_go(flight);
    give_back(flight, outcome);
}

/// The first piece starts the answer, with the length of all of it; a later one follows.
void Proxy::on_piece(ClientConnection& connection, Instant now) {
    auto& upstream = static_cast<Upstream&>(connection);
    LAB_ASSERT(upstream.flight != nullptr);
    Flight& flight = *upstream.flight;
    const ReceivedAnswer& received = upstream.answer();
    if (received.status != 200 || !received.length) {
        upstream.resume();  // a refusal, or of a length not known: whole, as it is short
        return;
    }
    Exchange& exchange = *flight.exchange;
    exchange.more = flight.paused = true;
    if (flight.in_pieces) {
        exchange.answer.body.swap(flight.body);
    } else {
        flight.in_pieces = true;
        PartTimes told{};
        exchange.whole_length = received.length;
        exchange.effect = core::next(exchange.cursor, take_answer(flight, told, now));
    }
    flight.body.clear();
    completions_.answered(exchange);
}

/// The client has taken the last piece.
void Proxy::go_on(Exchange& exchange) {
    const auto found = in_hand_.find(&exchange);
    if (found == in_hand_.end()) {  // broken off meanwhile
        exchange.more = false;
        exchange.effect = {.op = core::Op::end, .status = 0};
        completions_.answered(exchange);
        return;
    }
    Flight& flight = *found->second;
    flight.paused = false;
    flight.limit = clock_now() + settings_of(flight.generation).read_timeout;
    flight.upstream->resume();
}

/// The exchange is no longer ours to touch: its session may have gone.
void Proxy::drop(Exchange& exchange) {
    const auto found = in_hand_.find(&exchange);
    if (found == in_hand_.end()) return;
    Flight& flight = *found->second;
    done(flight, false, clock_now());
    flight.upstream->close();
    let_go(flight);
    forget(flight);
}

/// What a backend has answered, into the exchange; the parts of its time into `told`.
core::Outcome Proxy::take_answer(Flight& flight, PartTimes& told, Instant now) {
    Exchange& exchange = *flight.exchange;
    const ReceivedAnswer& received = flight.upstream->answer();
    core::Outcome outcome{.now = now, .status = static_cast<std::uint16_t>(received.status)};
    if (received.times) {
        told = received.times->parts;
        told[static_cast<std::size_t>(Part::queue)] +=
            std::max(Duration{}, received.times->received - flight.sent_at);
        outcome.told = &told;
    }
    if (received.status == 200) {
        exchange.answer.body.swap(flight.body);
        if (received.made_for) exchange.answer.made_for = *received.made_for;
        if (received.language) exchange.answer.language = *received.language;
        exchange.answer.versions.assign(
            received.versions.begin(),
            received.versions.begin() + static_cast<std::ptrdiff_t>(received.version_count));
    }
    return outcome;
}

void Proxy::on_broken(ClientConnection& connection, Breakage, bool, Instant now) {
    auto& upstream = static_cast<Upstream&>(connection);
    if (upstream.flight != nullptr) {
        failed(*upstream.flight, core::ForwardFailure::error, now);
        return;
    }
    // Closed by the backend while it was idle.
    idle_count_ -= std::erase(idle_[static_cast<std::size_t>(upstream.peer)], &upstream);
    closed_.push_back(&upstream);
}

/// Asks the next backend, or answers that there is none.
void Proxy::failed(Flight& flight, core::ForwardFailure failure, Instant now) {
    const Balancer& settings = settings_of(flight.generation);
    const bool was_kept = flight.upstream->answers() > 0;
    done(flight, true, now);
    flight.upstream->close();
    let_go(flight);
    // It may just have crossed with the backend's closing an idle connection.
    if (was_kept && failure == core::ForwardFailure::error) --flight.asked;
    if (cancelled_) {
        give_back(flight, {.now = now, .fault = core::Fault::cancelled});
    } else if (flight.in_pieces) {  // too late for another answer: the client gets a reset
        Exchange& exchange = *flight.exchange;
        exchange.more = false;
        exchange.effect = {.op = core::Op::end, .status = 0};
        forget(flight);
        completions_.answered(exchange);
    } else if (core::may_try_next(settings.next_upstream, settings.next_tries, failure, flight.sent,
                                  flight.method == Method::get, flight.asked, settings.count)) {
        {
            const std::lock_guard hold{mutex_};
            ++counts_.proxy.retries;
        }
        ask_one(flight, now);
    } else {
        answer_alone(flight, failure == core::ForwardFailure::timeout ? 504 : 502, now);
    }
}

void Proxy::answer_alone(Flight& flight, int status, Instant now) {
    {
        const std::lock_guard hold{mutex_};
        ++counts_.proxy.lost;
    }
    give_back(flight, {.now = now, .status = static_cast<std::uint16_t>(status)});
}

void Proxy::done(Flight& flight, bool failed, Instant now) {
    const std::lock_guard hold{mutex_};
    balancer_.done(flight.peer, failed, flight.begun, now);
    if (failed) ++counts_.failures[static_cast<std::size_t>(flight.peer)];
}

/// Parts a flight from its connection, which is kept where it may be.
void Proxy::let_go(Flight& flight) {
    Upstream& upstream = *std::exchange(flight.upstream, nullptr);
    upstream.flight = nullptr;
    keep(upstream);
}

void Proxy::keep(Upstream& upstream) {
    if (!upstream.is_closed() &&
        (idle_count_ >= most_idle || upstream.answers() >= most_requests_a_connection)) {
        upstream.close();
    }
    if (upstream.is_closed()) {
        closed_.push_back(&upstream);
        return;
    }
    idle_[static_cast<std::size_t>(upstream.peer)].push_back(&upstream);
    ++idle_count_;
}

Proxy::Upstream& Proxy::take_closed() {
    if (closed_.empty()) {
        ConnectionOwner& owner = *this;
        return upstreams_.emplace_back(io_, owner);
    }
    Upstream& upstream = *closed_.back();
    closed_.pop_back();
    return upstream;
}

void Proxy::forget(Flight& flight) {
    in_hand_.erase(flight.exchange);
    flight.exchange = nullptr;
    flight.generation.reset();
    free_flights_.push_back(&flight);
}

void Proxy::give_back(Flight& flight, const core::Outcome& outcome) {
    Exchange& exchange = *flight.exchange;
    forget(flight);
    exchange.more = false;
    exchange.effect = core::next(exchange.cursor, outcome);
    if (exchange.effect.op == core::Op::end) exchange.effect.status = 0;
    completions_.answered(exchange);
}

void Proxy::abandon(Exchange& exchange) {
    const auto found = in_hand_.find(&exchange);
    if (found == in_hand_.end()) return;  // answered meanwhile
    Flight& flight = *found->second;
    if (flight.paused) {
        drop(exchange);
        return;
    }
    const Instant now = clock_now();
    done(flight, false, now);
    flight.upstream->close();
    let_go(flight);
    give_back(flight, {.now = now, .fault = core::Fault::cancelled});
}

void Proxy::abandon_all() {
    std::vector<Exchange*> exchanges;
    for (const auto& [exchange, flight] : in_hand_) exchanges.push_back(exchange);
    for (Exchange* exchange : exchanges) abandon(*exchange);
    for (auto& idle : idle_) {
        for (Upstream* upstream : std::exchange(idle, {})) upstream->close();
    }
    idle_count_ = 0;
    limits_.cancel();
}

/// One timer for all; rests while nothing is in hand.
void Proxy::watch_limits() {
    limits_run_ = true;
    limits_.expires_after(look);
    limits_.async_wait([this](const boost::system::error_code& ec) {
        limits_run_ = false;
        if (ec) return;
        const Instant now = clock_now();
        std::vector<Flight*> late;
        for (const auto& [exchange, flight] : in_hand_) {
            if (now >= flight->limit && !flight->paused) late.push_back(flight);
        }
        for (Flight* flight : late) failed(*flight, core::ForwardFailure::timeout, now);
        if (!in_hand_.empty() && !limits_run_) watch_limits();
    });
}

void Proxy::cancel() {
    if (cancelled_.exchange(true)) return;
    asio::post(io_, [this] { abandon_all(); });
}

void Proxy::stop() {
    cancel();
    work_.reset();
    if (thread_.joinable()) thread_.join();
}

void Proxy::sample(ServerSample& out) {
    const Instant now = clock_now();
    const std::lock_guard hold{mutex_};
    const Counts fresh = std::exchange(counts_, Counts{});
    out.proxy = fresh.proxy;
    out.backends.resize(static_cast<std::size_t>(balancer_.peers()));
    for (std::size_t i = 0; i < out.backends.size(); ++i) {
        const auto level = balancer_.level(static_cast<int>(i), now);
        BackendSample& sample = out.backends[i];
        sample.resting = level.resting;
        sample.weight = level.weight;
        sample.effective_weight = level.effective_weight;
        sample.in_flight = static_cast<std::uint32_t>(level.in_hand);
        sample.fails = static_cast<std::uint32_t>(level.fails);
        sample.requests = fresh.requests[i];
        sample.failures = fresh.failures[i];
    }
}

}  // namespace lab::live
