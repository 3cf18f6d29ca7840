// SPDX-License-Identifier: GPL-3.0-or-later
// The model: a System and the Load put on it. Plain values; every runner reads these and nothing
// else. Names, units, ranges and meanings of the fields: lab/settings.hpp (the one table of names).
#pragma once

#include "lab/units.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace lab {

/// How long a step takes, as a law to draw from.
struct Distribution {
    enum class Law : std::uint8_t { constant, uniform, exponential, lognormal };
    Law law = Law::constant;
    /// constant: the value. uniform: the least. exponential: the mean. lognormal: the median.
    Duration a{};
    /// uniform: the most. lognormal: the 99th percentile. Otherwise unused and zero.
    Duration b{};

    [[nodiscard]] static constexpr Distribution constant(Duration value) {
        return {Law::constant, value, Duration{}};
    }
    [[nodiscard]] static constexpr Distribution uniform(Duration least, Duration most) {
        return {Law::uniform, least, most};
    }
    [[nodiscard]] static constexpr Distribution exponential(Duration mean) {
        return {Law::exponential, mean, Duration{}};
    }
    [[nodiscard]] static constexpr Distribution lognormal(Duration median, Duration p99) {
        return {Law::lognormal, median, p99};
    }
    friend bool operator==(const Distribution&, const Distribution&) = default;
};

/// Where a worker is bound to what waits: when the connection is accepted (it then belongs to the
/// worker until it closes), when the head of a request has arrived, or when the whole request has.
enum class BindPoint : std::uint8_t { accept, head, request };

/// Where the worker is let go: when the answer is in our buffer, or when the client's kernel has it
/// all.
enum class ReleasePoint : std::uint8_t { buffered, drained };

/// What happens to an arrival that finds the queue full: it waits unread while the server stops
/// accepting (the kernel's backlog then fills), it is answered 503, or its connection is reset.
enum class WhenFull : std::uint8_t { wait, reject, reset };

/// What a worker is: threads, each with one request in hand; greenlets, of which one runs until it
/// waits (gevent); or one event loop (asyncio, Node.js), where only what awaits lets others run.
enum class Execution : std::uint8_t { threads, greenlets, loop };

/// How a route's view is written: as server.async_views says, `def`, or `async def`. Threads run an
/// async view on a thread and event loop of its own, for which the worker waits; an event loop runs
/// a sync view in its pool of threads.
enum class View : std::uint8_t { server, sync, async };
/// How work comes to a worker. shared: one queue before all of them, a thread takes when it is free
/// (late binding). ahead: each worker accepts connections whether its threads are free or not, and
/// queues them inside.
enum class Dispatch : std::uint8_t { shared, ahead };

/// Who tells the master that a worker lives: the worker between two requests, so that a long
/// request looks dead, or a main loop of its own, which a long request does not hold up.
enum class Heartbeat : std::uint8_t { request, loop };

struct Server {
    int workers = 1;  ///< each with an interpreter lock, local cache,
                      ///< connections
    int threads = 1;  ///< threads in each worker; 0: one for each
                      ///< connection or request, without bound
    int queue = 64;   ///< places in the admission queue
    WhenFull when_full = WhenFull::reject;
    Duration queue_timeout{};  ///< longest wait in the queue, then 503; 0 means no
                               ///< limit
    BindPoint bind = BindPoint::request;
    ReleasePoint release = ReleasePoint::buffered;
    bool interpreter_lock = true;    ///< one lock per worker, as in CPython
    Duration switch_interval = 5ms;  ///< a waiter asks the holder to let go after this
    bool keep_alive = true;
    Duration keep_alive_timeout = 60s;  ///< an idle connection is closed after this
    Duration head_timeout = 10s;        ///< from the first byte of a request to the end of
                                        ///< its head
    Duration body_timeout = 15s;        ///< from the end of the head to the end of the body
    Bytes body_limit{1'000'000};
    Execution execution = Execution::threads;
    bool async_views = false;     ///< what View::server means
    int pool_threads = 40;        ///< loop, greenlets: threads in each worker's pool,
                                  ///< one token each
    Duration async_cost = 900us;  ///< threads, greenlets: CPU time that an async view
                                  ///< costs, for its thread and event loop
    Duration stall_every{};       ///< the handlers stand still once in each such
                                  ///< stretch; 0: never
    Duration stall_for = 1s;      ///< for so long
    Dispatch dispatch = Dispatch::shared;
    int worker_connections = 1000;  ///< dispatch ahead: what one worker accepts at
                                    ///< most; loop, greenlets: has in hand at most
    // The master process and the lives of its workers.
    Duration worker_timeout{};  ///< without a heartbeat for longer: killed; 0 never
    Heartbeat heartbeat = Heartbeat::request;
    Duration graceful_timeout = 30s;  ///< a worker that leaves has this for what it has
    Duration boot_time{};             ///< from the start of a worker to its first request
    int max_requests = 0;             ///< then it restarts gracefully; 0 never
    int max_requests_jitter = 0;      ///< at most so many more, drawn once a life
    Bytes memory{40'000'000};         ///< of a fresh worker; modelled, not allocated
    Bytes leak{};                     ///< more with each request; modelled too
    Bytes memory_limit{};             ///< a worker above it is killed; 0 no limit
    int cheaper = 0;                  ///< workers that always run; the others come when
                                      ///< all are busy. 0: all always run
    int cheaper_step = 1;             ///< so many more at once
    Duration cheaper_overload = 3s;   ///< all busy for this long: more; as long idle:
                                      ///< fewer
    int cores = 0;                    ///< that the worker threads may use; 0 all
    std::string preset = "none";      ///< which real server filled the fields; see
                                      ///< lab/presets.hpp. Runners do not read it
    friend bool operator==(const Server&, const Server&) = default;
};

/// What a query asks for. `key` is the request's key (see Load::keys).
enum class QueryKind : std::uint8_t {
    product_by_sku,        ///< one row by its unique text code; a scan unless the index is there
    product_by_id,         ///< one row by primary key; never a scan
    products_by_category,  ///< the 400 rows of one category; a scan unless the index is there
    products_under_price,  ///< counts a share of the table; see Database::price_indexes
    reviews_per_product,   ///< a page of products, then the reviews of each: 1 + n questions
    reviews_in_batch,      ///< a page of products, then the reviews of them all: 2 questions
    reviews_joined,        ///< a page of products with their reviews: 1 question
};

/// What the function that makes the key does: joins the parts named in the rule; gives one key for
/// all, as a prefix without the request in it does; or throws, which Flask-Caching swallows: the
/// view is called as if there were no cache.
enum class KeyFunction : std::uint8_t { parts, constant, throws };

/// What makes two requests the same to the cache.
struct KeyRule {
    bool path = true;                           ///< the path, with the key in it
    bool query = false;                         ///< the query string
    bool user = false;                          ///< who asks
    bool header = false;                        ///< Accept-Language
    KeyFunction function = KeyFunction::parts;  ///< other than parts: the four above are not asked
    friend bool operator==(const KeyRule&, const KeyRule&) = default;
};

enum class StepKind : std::uint8_t {
    cpu,
    wait,
    query,
    cache,
    render,
    respond,
    write,
    gather,  ///< its steps at once, each a branch, where the view is async or a greenlet; in turn
             ///< elsewhere
    group,   ///< its steps one after the other: a branch of more than one
};

/// One thing a handler does. Only the fields of its kind have a meaning; the others stay at their
/// default.
struct Step {
    std::string id;  ///< unique in its route; the kind's name where the file gives
                     ///< none
    StepKind kind = StepKind::cpu;
    Distribution time{};  ///< cpu: CPU time burnt. wait: time slept, as on another
                          ///< service. write: how long its transaction is held open
    QueryKind query = QueryKind::product_by_sku;
    int times = 1;            ///< query: asked so often in a row; of reviews: products on the
                              ///< page
    double share = 0.5;       ///< query products_under_price: of the table, 0 to 1
    KeyRule key{};            ///< cache
    std::vector<Step> steps;  ///< cache: what is computed on a miss and stored. gather:
                              ///< branches. group: what it consists of
    bool blocking = false;    ///< wait, query, write: does not yield; a loop or a greenlet's
                              ///< worker stands still meanwhile
    bool offload = false;     ///< cpu, wait, query, write, render: done in the thread pool
    int copies = 1;           ///< gather: how many times each branch is started
    int rows = 1;             ///< render: rows rendered (of those read, repeated if fewer)
    Bytes size{};             ///< respond: bytes of body
    friend bool operator==(const Step&, const Step&) = default;
};

enum class Method : std::uint8_t { get, post };

/// One address and what is done for it.
struct Route {
    std::string id;
    /// Begins with '/'. May hold `{key}` once, in the path or the query string, and `{user}` once,
    /// in the query string; the generator fills them in. Who asks travels in the cookie `user` as
    /// well.
    std::string path;
    Method method = Method::get;
    bool inline_answer = false;  ///< answered on the front end, without a worker; needs steps =
                                 ///< []
    bool personal = false;       ///< the answer is for the user who asked: another's is wrong
    bool localised = false;      ///< ... in the language asked for: another is wrong
    bool static_file = false;    ///< behind a balancer: answered by it, with `size` bytes
    std::vector<Step> steps;
    Bytes size{100};  ///< body of an inline or static answer
    View view = View::server;
    friend bool operator==(const Route&, const Route&) = default;
};

/// Where entries are kept. `null` looks up and stores like the others, and keeps nothing.
enum class CacheMode : std::uint8_t { none, per_worker, shared, null };

/// Who goes when there is no room. `soonest_expiry`: cachelib's SimpleCache.
enum class Eviction : std::uint8_t { lru, lfu, fifo, random, soonest_expiry };

/// What keeps many from making the same entry at once: nothing; one makes it and the others wait;
/// it is made again by chance shortly before its time (XFetch); one makes it and the others get
/// the old one.
enum class Stampede : std::uint8_t { none, lock, early, stale_while_revalidate };

struct Cache {
    CacheMode mode = CacheMode::none;
    Duration ttl = 60s;      ///< an entry is fresh for this long; 0 means for ever
    int capacity = 10'000;   ///< entries (in each worker, or in all)
    Bytes capacity_bytes{};  ///< of keys and bodies; 0 means no limit
    Eviction eviction = Eviction::lru;
    double ttl_jitter = 0;             ///< 0..1: up to this share of the ttl is taken off, by lot
    bool invalidate_on_write = false;  ///< a write step drops the entries made from its row
    Distribution hop{};    ///< shared: the way to the cache and back, for each look-up and
                           ///< each store
    bool failing = false;  ///< shared: the cache's server answers with errors
    Stampede stampede = Stampede::none;
    double early_beta = 1;     ///< early: above 1 sooner, below 1 later
    Duration stale_for = 60s;  ///< stale_while_revalidate: how long after its time
    friend bool operator==(const Cache&, const Cache&) = default;
};

/// How rows are found where there is an index for them: as SQLite's planner chooses, always through
/// the index (INDEXED BY), or never (NOT INDEXED).
enum class Access : std::uint8_t { planner, index, scan };

struct Database {
    int products = 200'000;  ///< rows
    bool index = true;       ///< on product.sku and product.category
    int price_indexes = 0;   ///< indexes that hold the price; each write changes them all
    Access access = Access::planner;
    int pool = 5;                 ///< connections that each worker keeps open
    int overflow = 10;            ///< ... and may open beyond them, closed when they come back
    Duration pool_timeout = 30s;  ///< longest wait for a connection, then 500
    Duration query_timeout{};     ///< longest running time of a query, then 500; 0 means no limit
    Duration lock_timeout = 5s;   ///< longest wait for the write lock, then 500; 0 means no limit
    Duration round_trip{};        ///< added to every query, as to a database on another machine
    Duration replica_lag{};       ///< reads go to a copy that is so far behind; 0 means no copy
    ArrivalRate updates{};        ///< rows changed per second behind the application's back
    friend bool operator==(const Database&, const Database&) = default;
};

struct Network {
    int backlog = 2048;    ///< connections that the kernel holds until they are accepted
    bool no_delay = true;  ///< TCP_NODELAY; false lets Nagle's rule meet delayed
                           ///< acknowledgements
    Duration delay{};      ///< one way between client and server; added in the client
    friend bool operator==(const Network&, const Network&) = default;
};

/// How a balancer in front chooses a backend; none: there is no balancer, the server is asked
/// itself.
enum class BalancerRule : std::uint8_t {
    none,
    round_robin,
    least_conn,
    ip_hash,
    random_two,
    peak_ewma
};

/// After which failures the next backend is asked (nginx: proxy_next_upstream).
enum class NextUpstream : std::uint8_t { off, error, timeout, error_timeout };

inline constexpr std::size_t most_backends = 8;

/// One of the equal servers behind the balancer, and how it differs from the others.
struct Backend {
    int weight = 1;
    int max_conns = 0;    ///< requests that it is given at once; 0: no limit
    double slowdown = 1;  ///< all its work takes so many times as long
    bool up = true;       ///< false: its process is killed
    friend bool operator==(const Backend&, const Backend&) = default;
};

/// A proxy in front of `count` copies of the server, as nginx 1.22 is. Backends beyond the count
/// are kept and not used.
struct Balancer {
    BalancerRule rule = BalancerRule::none;
    int count = 1;  ///< backends
    std::array<Backend, most_backends> backends{};
    int max_fails = 1;            ///< failures after which a backend rests; 0: never
    Duration fail_timeout = 10s;  ///< how long it rests
    NextUpstream next_upstream = NextUpstream::error_timeout;
    int next_tries = 0;  ///< backends asked for one request, at most; 0: all
    Duration connect_timeout = 60s;
    Duration read_timeout = 60s;  ///< for the answer of a backend
    bool keep_alive = false;      ///< false: HTTP/1.0 and a connection a request, as nginx 1.22
    bool buffering = true;        ///< takes the whole answer at once, however slow the client is
    Duration cache_ttl{};         ///< answers are kept by the proxy for so long; 0: not at all
    bool one_address = false;     ///< every client comes from one address, as behind one router
    friend bool operator==(const Balancer&, const Balancer&) = default;
};

/// How runnable threads share the cores of a host: all at once, each with an equal share (what
/// short slices come to), or one after the other for a slice each.
enum class Scheduling : std::uint8_t { shared, slices };

/// The computer that the server runs on. The live engine has this one and no other.
struct Host {
    int cores = 0;                              ///< 0: as many as this computer has
    Scheduling scheduling = Scheduling::shared;
    Duration slice = 4ms;                       ///< slices: the longest turn of a thread
    Duration switch_cost{};                     ///< slices: added where a core changes threads
    friend bool operator==(const Host&, const Host&) = default;
};

/// What things cost in virtual time; the live engine pays the real price. All but `connect`,
/// `network`, `hand_off` and `wake` are CPU time. Not fixed: what was measured on this computer
/// (lab/calibration.hpp), or these values where nothing was.
struct Costs {
    bool fixed = false;             ///< these values count, whatever was measured
    Duration network = 12us;        ///< one way between client and server, the kernel's part
    Duration connect = 60us;        ///< until a new connection may be used
    Duration parse = 8us;           ///< front end: reading and understanding a request
    Duration answer = 10us;         ///< front end: writing an answer
    Duration body_kb = 300ns;       ///< each 1,000 bytes of a body: made and written
    Duration hand_off = 15us;       ///< until a sleeping thread runs that was given work
    Duration wake = 70us;           ///< a sleep ends later by this
    Duration query = 12us;          ///< a query but for its rows
    Duration scan_row = 150ns;      ///< each row that a scan compares
    Duration read_row = 600ns;      ///< each row that is read
    Duration update = 90us;         ///< a row changed and committed
    Duration render = 8us;          ///< a template but for its rows
    Duration render_row = 1us;      ///< each row rendered
    Duration cache = 2us;           ///< one look-up or store
    friend bool operator==(const Costs&, const Costs&) = default;
};

/// The thing under test.
struct System {
    Server server;
    std::vector<Route> routes;
    Cache cache;
    Database database;
    Network network;
    Balancer balancer;
    Host host;
    Costs costs;
    friend bool operator==(const System&, const System&) = default;
};

enum class LoadModel : std::uint8_t { open, closed };
enum class Arrivals : std::uint8_t { constant, poisson };

/// How the arrival rate moves in the course of a run (open loop): not at all; a straight rise to
/// the peak; the same in steps; the peak for a while; calm and bursts by turns, each of a random
/// length; a day from night to evening peak and back; or arrivals as they were recorded.
enum class LoadShape : std::uint8_t { constant, ramp, steps, spike, bursts, daily, recorded };

/// Arrival times from a file beside the scenario, since the start of the run, ascending.
struct Recording {
    std::string file;                                    ///< its name in the scenario's folder
    std::shared_ptr<const std::vector<Duration>> times;  ///< null: not read
    friend bool operator==(const Recording& a, const Recording& b) {
        if (a.file != b.file) return false;
        return a.times == b.times || (a.times && b.times && *a.times == *b.times);
    }
};

/// What goes with a LoadShape. Times count from the start of the run, its warm-up included.
struct Shape {
    LoadShape kind = LoadShape::constant;
    ArrivalRate peak = ArrivalRate::per_second(120);  ///< where `load.rate` goes
    Duration start = 4s;                              ///< ramp, steps, spike: begin
    Duration length = 4s;                             ///< and take so long
    Duration repeat{};                                ///< and begin again after this; 0: once
    int steps = 4;
    Duration calm = 4s;   ///< bursts: mean time at `load.rate`
    Duration burst = 1s;  ///< bursts: mean time at the peak
    Duration day = 24s;   ///< daily: how long a day takes
    Recording recording;
    friend bool operator==(const Shape&, const Shape&) = default;
};

/// After which failures an attempt is made again: all; no answer in time; an answer that is none
/// (503, another 5xx, a broken connection); 503 alone.
enum class RetryOn : std::uint8_t { all, timeouts, errors, rejected };

/// How long before the next attempt: always the same, or drawn from [0, base x 2^n).
enum class BackOff : std::uint8_t { constant, exponential };

struct Retry {
    int most = 0;  ///< further attempts for one request
    RetryOn on = RetryOn::all;
    Duration attempt_timeout{};  ///< one attempt is given up after this; 0: no limit of its
                                 ///< own
    BackOff back_off = BackOff::exponential;
    Duration base = 100ms;
    Duration cap = 10s;  ///< longest pause
    double budget = 0;   ///< further attempts allowed per request; 0: no limit
    friend bool operator==(const Retry&, const Retry&) = default;
};

/// A circuit breaker in the client: when too many fail, nothing is sent for a while.
struct Breaker {
    double share = 0;      ///< of failures that opens it; 0: there is none
    Duration window = 2s;  ///< over which it counts
    int calls = 20;        ///< least in the window before it judges
    Duration pause = 5s;   ///< stays open; then one request tries
    friend bool operator==(const Breaker&, const Breaker&) = default;
};

/// A second copy of a request that takes long: the first answer wins, the other is cancelled.
struct Hedge {
    Duration after{};       ///< 0: none, unless by percentile
    double percentile = 0;  ///< after this percentile of the last answers; 0: not
    friend bool operator==(const Hedge&, const Hedge&) = default;
};

/// Connections that are slow at their end, as a phone on a bad line.
struct SlowClients {
    double readers = 0;       ///< share of connections that read their answer slowly
    Bytes read_rate{10'000};  ///< a second
    double senders = 0;       ///< share of connections that send their request slowly
    Bytes send_rate{100};     ///< a second
    friend bool operator==(const SlowClients&, const SlowClients&) = default;
};

struct RouteShare {
    std::string route;  ///< a route's id
    double weight = 1;
    friend bool operator==(const RouteShare&, const RouteShare&) = default;
};

/// What is asked of the System.
struct Load {
    LoadModel model = LoadModel::open;
    ArrivalRate rate = ArrivalRate::per_second(30);  ///< open loop: requests planned per second
    Arrivals arrivals = Arrivals::poisson;           ///< open loop
    int languages = 1;                               ///< how many languages the users speak; above
                                                     ///< 1 each sends its Accept-Language
    int users = 100;                                 ///< identities; in closed loop also how many
                                                     ///< ask at once
    Distribution think{};                            ///< closed loop: pause between answer and next
                                                     ///< request
    int connections = 256;                           ///< at most; closed loop uses one a user
    bool keep_alive = true;                          ///< false: a new connection for each request
    Duration timeout = 10s;                          ///< the client gives up, counted from the
                                                     ///< intended start
    Duration deadline = 1s;                          ///< an answer after this is late: no goodput
    int backlog = 10'000;                            ///< overdue requests held for a free
                                                     ///< connection
    int keys = 1'000;                                ///< how many different keys are asked for
    double zipf = 0;                                 ///< 0: all keys alike; 1: the k-th key 1/k as
                                                     ///< often
    std::vector<RouteShare> mix;                     ///< empty: every route alike
    Shape shape;                                     ///< open loop
    double session = 1;                              ///< open loop: requests that a visitor makes,
                                                     ///< on average, thinking in between
    Distribution patience{};                         ///< a user leaves after this, counted from the
                                                     ///< intended start; 0: never
    Retry retry;
    Breaker breaker;
    Hedge hedge;
    SlowClients slow;
    friend bool operator==(const Load&, const Load&) = default;
};

/// The settings that somebody gave, as opposed to those that a preset filled in or nobody touched.
/// How a model came to be is no part of what it is: any two of these are equal.
struct StatedSettings {
    std::vector<std::string> paths;  ///< ascending
    void add(const std::string& path);
    [[nodiscard]] bool contains(const std::string& path) const;
    friend bool operator==(const StatedSettings&, const StatedSettings&) { return true; }
};

struct Model {
    System system;
    Load load;
    StatedSettings stated;
    friend bool operator==(const Model&, const Model&) = default;
};

/// The route with this id, or nullptr.
[[nodiscard]] const Route* find_route(const System&, const std::string& id);

}  // namespace lab
