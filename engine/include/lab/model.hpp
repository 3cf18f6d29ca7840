// SPDX-License-Identifier: GPL-3.0-or-later
// The model: a System and the Load put on it. Plain values; every runner reads these and nothing
// else. Names, units, ranges and meanings of the fields: lab/settings.hpp (the one table of names).
#pragma once

#include "lab/units.hpp"

#include <cstdint>
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

struct Server {
    int workers = 1;                            ///< each with an interpreter lock, local cache,
                                                ///< connections
    int threads = 1;                            ///< threads in each worker
    int queue = 64;                             ///< places in the admission queue
    WhenFull when_full = WhenFull::reject;
    Duration queue_timeout{};                   ///< longest wait in the queue, then 503; 0 means no
                                                ///< limit
    BindPoint bind = BindPoint::request;
    ReleasePoint release = ReleasePoint::buffered;
    bool interpreter_lock = true;               ///< one lock per worker, as in CPython
    Duration switch_interval = 5ms;             ///< a waiter asks the holder to let go after this
    bool keep_alive = true;
    Duration keep_alive_timeout = 60s;          ///< an idle connection is closed after this
    Duration head_timeout = 10s;                ///< from the first byte of a request to the end of
                                                ///< its head
    Duration body_timeout = 15s;                ///< from the end of the head to the end of the body
    Bytes body_limit{1'000'000};
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

/// What makes two requests the same to the cache.
struct KeyRule {
    bool path = true;   ///< the path, with the key in it
    bool query = false; ///< the query string
    bool user = false;  ///< who asks
    friend bool operator==(const KeyRule&, const KeyRule&) = default;
};

enum class StepKind : std::uint8_t { cpu, wait, query, cache, render, respond, write };

/// One thing a handler does. Only the fields of its kind have a meaning; the others stay at their
/// default.
struct Step {
    std::string id;                 ///< unique in its route; the kind's name where the file gives
                                    ///< none
    StepKind kind = StepKind::cpu;
    Distribution time{};            ///< cpu: CPU time burnt. wait: time slept, as on another
                                    ///< service. write: how long its transaction is held open
    QueryKind query = QueryKind::product_by_sku;
    int times = 1;                  ///< query: asked so often in a row; of reviews: products on the
                                    ///< page
    double share = 0.5;             ///< query products_under_price: of the table, 0 to 1
    KeyRule key{};                  ///< cache
    std::vector<Step> steps;        ///< cache: what is computed on a miss and stored
    int rows = 1;                   ///< render: rows rendered (of those read, repeated if fewer)
    Bytes size{};                   ///< respond: bytes of body
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
    bool inline_answer = false;     ///< answered on the front end, without a worker; needs steps =
                                    ///< []
    bool personal = false;          ///< the answer is for the user who asked: another's is wrong
    std::vector<Step> steps;
    Bytes size{100};                ///< body of an inline answer
    friend bool operator==(const Route&, const Route&) = default;
};

enum class CacheMode : std::uint8_t { none, per_worker, shared };

struct Cache {
    CacheMode mode = CacheMode::none;
    Duration ttl = 60s;             ///< an entry is fresh for this long
    int capacity = 10'000;          ///< entries (in each worker, or in all); least recently used
                                    ///< goes first
    friend bool operator==(const Cache&, const Cache&) = default;
};

/// How rows are found where there is an index for them: as SQLite's planner chooses, always through
/// the index (INDEXED BY), or never (NOT INDEXED).
enum class Access : std::uint8_t { planner, index, scan };

struct Database {
    int products = 200'000;         ///< rows
    bool index = true;              ///< on product.sku and product.category
    int price_indexes = 0;          ///< indexes that hold the price; each write changes them all
    Access access = Access::planner;
    int pool = 5;                   ///< connections that each worker keeps open
    int overflow = 10;              ///< ... and may open beyond them, closed when they come back
    Duration pool_timeout = 30s;    ///< longest wait for a connection, then 500
    Duration query_timeout{};       ///< longest running time of a query, then 500; 0 means no limit
    Duration lock_timeout = 5s;     ///< longest wait for the write lock, then 500; 0 means no limit
    Duration round_trip{};          ///< added to every query, as to a database on another machine
    Duration replica_lag{};         ///< reads go to a copy that is so far behind; 0 means no copy
    ArrivalRate updates{};          ///< rows changed per second behind the application's back
    friend bool operator==(const Database&, const Database&) = default;
};

struct Network {
    int backlog = 2048;             ///< connections that the kernel holds until they are accepted
    bool no_delay = true;           ///< TCP_NODELAY; false lets Nagle's rule meet delayed
                                    ///< acknowledgements
    friend bool operator==(const Network&, const Network&) = default;
};

/// The thing under test.
struct System {
    Server server;
    std::vector<Route> routes;
    Cache cache;
    Database database;
    Network network;
    friend bool operator==(const System&, const System&) = default;
};

enum class LoadModel : std::uint8_t { open, closed };
enum class Arrivals : std::uint8_t { constant, poisson };

struct RouteShare {
    std::string route;              ///< a route's id
    double weight = 1;
    friend bool operator==(const RouteShare&, const RouteShare&) = default;
};

/// What is asked of the System.
struct Load {
    LoadModel model = LoadModel::open;
    ArrivalRate rate = ArrivalRate::per_second(30);  ///< open loop: requests planned per second
    Arrivals arrivals = Arrivals::poisson;           ///< open loop
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
    friend bool operator==(const Load&, const Load&) = default;
};

struct Model {
    System system;
    Load load;
    friend bool operator==(const Model&, const Model&) = default;
};

/// The route with this id, or nullptr.
[[nodiscard]] const Route* find_route(const System&, const std::string& id);

}  // namespace lab
