// SPDX-License-Identifier: GPL-3.0-or-later
// One row a setting: name, label, kind, range, meaning, and how to reach the field.
#include "model/table.hpp"

#include <array>
#include <type_traits>
#include <utility>

namespace lab::names {
namespace {

using Words = std::vector<std::string_view>;

constexpr double us = 1e3, ms = 1e6, s = 1e9;

SettingValue value_of(const SettingInfo&, bool v) { return v; }
SettingValue value_of(const SettingInfo&, int v) { return std::int64_t{v}; }
SettingValue value_of(const SettingInfo&, double v) { return v; }
SettingValue value_of(const SettingInfo&, Duration v) { return v; }
SettingValue value_of(const SettingInfo&, ArrivalRate v) { return v; }
SettingValue value_of(const SettingInfo&, Bytes v) { return v; }
SettingValue value_of(const SettingInfo&, const Distribution& v) { return v; }
SettingValue value_of(const SettingInfo&, const std::string& v) { return v; }
SettingValue value_of(const SettingInfo&, const KeyRule& v) {
    std::string text;
    for (const auto& [part, name] :
         {std::pair{v.path, "path"}, std::pair{v.query, "query"}, std::pair{v.user, "user"}}) {
        if (part) text += (text.empty() ? "" : "+") + std::string(name);
    }
    return text;
}
template <class E>
requires std::is_enum_v<E> SettingValue value_of(const SettingInfo& info, E v) {
    return std::string(info.choices[static_cast<std::size_t>(v)]);
}

template <class T>
requires(!std::is_enum_v<T>) void assign(const SettingInfo&, T& field, const SettingValue& v) {
    field = std::get<T>(v);
}
void assign(const SettingInfo&, int& field, const SettingValue& v) {
    field = static_cast<int>(std::get<std::int64_t>(v));
}
void assign(const SettingInfo&, KeyRule& field, const SettingValue& v) {
    const auto& text = std::get<std::string>(v);
    const auto names_it = [&](std::string_view part) { return text.find(part) != text.npos; };
    field = {names_it("path"), names_it("query"), names_it("user")};
}
template <class E>
requires std::is_enum_v<E>
void assign(const SettingInfo& info, E& field, const SettingValue& v) {
    for (std::size_t i = 0; i < info.choices.size(); ++i) {
        if (info.choices[i] == std::get<std::string>(v)) field = static_cast<E>(i);
    }
}

/// `Access` takes a place and gives the field by reference; it captures nothing.
template <class Access>
Row row(SettingInfo info, Access) {
    return {std::move(info),
            [](const SettingInfo& i, const ConstPlace& p) { return value_of(i, Access{}(p)); },
            [](const SettingInfo& i, const Place& p, const SettingValue& v) {
                assign(i, Access{}(p), v);
            }};
}

SettingInfo yes_no(std::string_view path, std::string_view label, std::string_view meaning,
                   std::string_view flask = {}) {
    return {path, label, ValueKind::flag, 0, 0, {}, {}, meaning, flask};
}
SettingInfo ranged(ValueKind kind, std::string_view path, std::string_view label, double least,
                   double most, std::string_view meaning, std::string_view flask = {}) {
    return {path, label, kind, least, most, {}, {}, meaning, flask};
}
SettingInfo one_of(std::string_view path, std::string_view label, Words choices, Words labels,
                   std::string_view meaning, std::string_view flask = {}) {
    return {path,    label, ValueKind::choice, 0, 0, std::move(choices), std::move(labels),
            meaning, flask};
}
SettingInfo words(std::string_view path, std::string_view label, double most,
                  std::string_view meaning, std::string_view flask = {}) {
    return {path, label, ValueKind::text, 1, most, {}, {}, meaning, flask};
}

#define LAB_FIELD(expression) \
    [](const auto& p) -> auto& { return expression; }

void add_server(std::vector<Row>& t) {
    using enum ValueKind;
    t.push_back(row(ranged(count, "server.workers", "Workers", 1, 256,
                           "Worker processes; each has its own interpreter lock, local cache and "
                           "database connections.",
                           "gunicorn -w {} app:app"),
                    LAB_FIELD(p.model->system.server.workers)));
    t.push_back(row(ranged(count, "server.threads", "Threads per worker", 1, 64,
                           "Threads in each worker; they share its interpreter lock.",
                           "gunicorn --threads {} app:app"),
                    LAB_FIELD(p.model->system.server.threads)));
    t.push_back(row(ranged(count, "server.queue", "Queue places", 0, 10'000,
                           "Requests that may wait for a free worker; what comes after them finds "
                           "the queue full."),
                    LAB_FIELD(p.model->system.server.queue)));
    t.push_back(
        row(one_of("server.when_full", "When the queue is full", {"wait", "reject", "reset"},
                   {"stop accepting", "answer 503", "reset the connection"},
                   "What happens to an arrival that finds the queue full: it waits in the "
                   "kernel's backlog, is answered 503, or is cut off."),
            LAB_FIELD(p.model->system.server.when_full)));
    t.push_back(row(ranged(duration, "server.queue_timeout", "Longest wait in the queue", 0,
                           600 * s, "Longest wait in the queue, then 503; 0 s means no limit."),
                    LAB_FIELD(p.model->system.server.queue_timeout)));
    t.push_back(row(one_of("server.bind", "Worker is bound at", {"accept", "head", "request"},
                           {"the connection", "the request's head", "the whole request"},
                           "What a worker is given: a connection until it closes, a request whose "
                           "head has arrived, or a whole request."),
                    LAB_FIELD(p.model->system.server.bind)));
    t.push_back(row(one_of("server.release", "Worker is let go when", {"buffered", "drained"},
                           {"the answer is buffered", "the client's side has it"},
                           "When a worker is free again: once the answer is in our buffer, or once "
                           "the client's kernel has it all."),
                    LAB_FIELD(p.model->system.server.release)));
    t.push_back(row(yes_no("server.interpreter_lock", "Interpreter lock",
                           "One lock for each worker, as in CPython: only one of its threads "
                           "computes at a time.",
                           "python3.13t -X gil=0 turns it off (the free-threaded build)"),
                    LAB_FIELD(p.model->system.server.interpreter_lock)));
    t.push_back(row(ranged(duration, "server.switch_interval", "Switch interval", 100 * us, 1 * s,
                           "A thread that waits for the interpreter lock asks for it after this.",
                           "sys.setswitchinterval(seconds)"),
                    LAB_FIELD(p.model->system.server.switch_interval)));
}

void add_server_limits(std::vector<Row>& t) {
    using enum ValueKind;
    t.push_back(
        row(yes_no("server.keep_alive", "Server keeps connections",
                   "The server keeps a connection open for the next request.",
                   "gunicorn -k gthread app:app keeps connections; the sync worker does not"),
            LAB_FIELD(p.model->system.server.keep_alive)));
    t.push_back(row(ranged(duration, "server.keep_alive_timeout", "Idle connection closes after",
                           100 * ms, 600 * s, "An idle connection is closed after this.",
                           "gunicorn -k gthread --keep-alive SECONDS app:app"),
                    LAB_FIELD(p.model->system.server.keep_alive_timeout)));
    t.push_back(row(ranged(duration, "server.head_timeout", "Time limit for a head", 100 * ms,
                           60 * s, "From the first byte of a request to the end of its head."),
                    LAB_FIELD(p.model->system.server.head_timeout)));
    t.push_back(row(ranged(duration, "server.body_timeout", "Time limit for a body", 100 * ms,
                           60 * s, "From the end of the head to the end of the body."),
                    LAB_FIELD(p.model->system.server.body_timeout)));
    t.push_back(row(ranged(bytes, "server.body_limit", "Largest request body", 0, 1e6,
                           "A longer request body is answered 413.",
                           R"(app.config["MAX_CONTENT_LENGTH"] = BYTES)"),
                    LAB_FIELD(p.model->system.server.body_limit)));
}

void add_route(std::vector<Row>& t) {
    using enum ValueKind;
    t.push_back(row(words("route.*.path", "Path", 512,
                          "Begins with '/'; may hold {key} once, in the path or the query string, "
                          "and {user} once, in the query string.",
                          R"(@app.route("{}"))"),
                    LAB_FIELD(p.route->path)));
    t.push_back(row(one_of("route.*.method", "Method", {"GET", "POST"}, {"GET", "POST"},
                           "How the address is asked for."),
                    LAB_FIELD(p.route->method)));
    t.push_back(row(yes_no("route.*.inline", "Answered without a worker",
                           "Answered on the front end, without a worker; needs steps = []."),
                    LAB_FIELD(p.route->inline_answer)));
    t.push_back(row(yes_no("route.*.personal", "Personal answer",
                           "The answer is for the user who asked: another user's is wrong."),
                    LAB_FIELD(p.route->personal)));
    t.push_back(row(ranged(bytes, "route.*.size", "Answer size", 0, 1e6,
                           "Bytes of body where no step makes one."),
                    LAB_FIELD(p.route->size)));
}

void add_steps(std::vector<Row>& t) {
    using enum ValueKind;
    t.push_back(
        row(ranged(distribution, "route.*.cpu", "Computing", 0, 60 * s,
                   "CPU time burnt, with the interpreter lock held.", "the view's own Python code"),
            LAB_FIELD(p.step->time)));
    t.push_back(row(ranged(distribution, "route.*.wait", "Waiting", 0, 60 * s,
                           "Time spent waiting for something else, such as another service.",
                           "requests.post(...) to another service"),
                    LAB_FIELD(p.step->time)));
    t.push_back(row(
        one_of(
            "route.*.query", "Query",
            {"product_by_sku", "product_by_id", "products_by_category", "products_under_price",
             "reviews_per_product", "reviews_in_batch", "reviews_joined"},
            {"one product by its code", "one product by its number", "the products of a category",
             "the products under a price", "reviews, one product at a time",
             "reviews, all products at once", "reviews, joined to their products"},
            "What is asked of the database.",
            "lazy loading asks once a product; selectinload(Product.reviews) asks twice in all, "
            "joinedload(Product.reviews) once"),
        LAB_FIELD(p.step->query)));
    t.push_back(row(ranged(count, "route.*.query.times", "Asked so often", 1, 200,
                           "How many times in a row the query is asked; of reviews: how many "
                           "products are on the page.",
                           "for product in products: product.reviews"),
                    LAB_FIELD(p.step->times)));
    t.push_back(row(ranged(number, "route.*.query.share", "Share of the table", 0, 1,
                           "products_under_price: how large a share of the table is under it."),
                    LAB_FIELD(p.step->share)));
    t.push_back(row(ranged(distribution, "route.*.write.hold", "Transaction held open", 0, 60 * s,
                           "How long a write keeps its transaction open, and with it the "
                           "database's one write lock.",
                           "what runs between the first flush and db.session.commit()"),
                    LAB_FIELD(p.step->time)));
    t.push_back(row(
        one_of(
            "route.*.cache.key", "Cache key",
            {"path", "query", "user", "path+query", "path+user", "query+user", "path+query+user"},
            {"path", "query string", "user", "path, query string", "path, user",
             "query string, user", "path, query string, user"},
            "What makes two requests the same to the cache.", "@cache.cached(make_cache_key=...)"),
        LAB_FIELD(p.step->key)));
    t.push_back(row(ranged(count, "route.*.render", "Rows rendered", 1, 2'000,
                           "Rows that the template shows: of those read, repeated if fewer.",
                           R"(render_template("page.html", rows=rows))"),
                    LAB_FIELD(p.step->rows)));
    t.push_back(row(ranged(bytes, "route.*.respond", "Body size", 0, 1e6,
                           "Bytes added to the body of the answer."),
                    LAB_FIELD(p.step->size)));
}

/// SQLAlchemy's QueuePool, with its defaults, and the limits of what a connection may wait for.
void add_connections(std::vector<Row>& t) {
    using enum ValueKind;
    t.push_back(row(ranged(count, "database.pool", "Connections per worker", 1, 64,
                           "Database connections that each worker keeps open.",
                           "create_engine(url, pool_size={})"),
                    LAB_FIELD(p.model->system.database.pool)));
    t.push_back(row(ranged(count, "database.overflow", "Overflow connections", 0, 64,
                           "Connections that each worker may open beyond those; they are closed "
                           "when they come back.",
                           "create_engine(url, max_overflow={})"),
                    LAB_FIELD(p.model->system.database.overflow)));
    t.push_back(
        row(ranged(duration, "database.pool_timeout", "Longest wait for a connection", 0, 600 * s,
                   "Longest wait for a database connection, then 500; 0 s means no limit.",
                   "create_engine(url, pool_timeout=SECONDS)"),
            LAB_FIELD(p.model->system.database.pool_timeout)));
    t.push_back(row(ranged(duration, "database.query_timeout", "Longest time of a query", 0,
                           600 * s, "A query that runs longer ends in 500; 0 s means no limit.",
                           R"(connect_args={"options": "-c statement_timeout=MILLISECONDS"})"),
                    LAB_FIELD(p.model->system.database.query_timeout)));
    t.push_back(
        row(ranged(duration, "database.lock_timeout", "Longest wait for the write lock", 0, 600 * s,
                   "One transaction writes at a time; another that waits longer ends in "
                   "500; 0 s means no limit.",
                   R"(connect_args={"timeout": SECONDS}, of SQLite)"),
            LAB_FIELD(p.model->system.database.lock_timeout)));
}

void add_cache_and_database(std::vector<Row>& t) {
    using enum ValueKind;
    t.push_back(
        row(one_of("cache.mode", "Cache", {"none", "per-worker", "shared"},
                   {"none", "per worker", "shared"},
                   "Where answers are kept: nowhere, in each worker, or in one place for all.",
                   R"(app.config["CACHE_TYPE"] = "NullCache", "SimpleCache" or "RedisCache")"),
            LAB_FIELD(p.model->system.cache.mode)));
    t.push_back(row(ranged(duration, "cache.ttl", "Entries live for", 10 * ms, 600 * s,
                           "An entry is fresh for this long, then it is made again.",
                           "@cache.cached(timeout=SECONDS)"),
                    LAB_FIELD(p.model->system.cache.ttl)));
    t.push_back(row(ranged(count, "cache.capacity", "Cache places", 1, 100'000,
                           "Entries, in each worker or in all; the least recently used goes first.",
                           R"(app.config["CACHE_THRESHOLD"] = {})"),
                    LAB_FIELD(p.model->system.cache.capacity)));
    t.push_back(row(ranged(count, "database.products", "Products", 400, 1'000'000,
                           "Rows of the product table."),
                    LAB_FIELD(p.model->system.database.products)));
    t.push_back(
        row(yes_no("database.index", "Index", "An index on the product's code and on its category.",
                   "sku = db.Column(db.String, index=True)"),
            LAB_FIELD(p.model->system.database.index)));
    t.push_back(row(ranged(count, "database.price_indexes", "Indexes on the price", 0, 8,
                           "Indexes that hold the price, the first on it alone: every write "
                           "changes them all.",
                           "price = db.Column(db.Integer, index=True)"),
                    LAB_FIELD(p.model->system.database.price_indexes)));
    t.push_back(row(one_of("database.access", "Way to the rows", {"planner", "index", "scan"},
                           {"as the planner chooses", "by index", "by a scan"},
                           "How rows are found where there is an index for them: as SQLite's "
                           "planner chooses, always by it, or never."),
                    LAB_FIELD(p.model->system.database.access)));
    add_connections(t);
    t.push_back(row(ranged(duration, "database.round_trip", "Round trip to the database", 0, 60 * s,
                           "Added to every query, as to a database on another machine."),
                    LAB_FIELD(p.model->system.database.round_trip)));
    t.push_back(row(ranged(duration, "database.replica_lag", "Replica is behind by", 0, 60 * s,
                           "Reads go to a copy that takes up each change this long after it; 0 s "
                           "means no copy.",
                           R"(app.config["SQLALCHEMY_BINDS"] = {"replica": url})"),
                    LAB_FIELD(p.model->system.database.replica_lag)));
    t.push_back(row(ranged(rate, "database.updates", "Rows changed", 0, 1'000,
                           "Rows changed per second behind the application's back."),
                    LAB_FIELD(p.model->system.database.updates)));
    t.push_back(row(ranged(count, "network.backlog", "Kernel backlog", 1, 4'096,
                           "Connections that the kernel holds until they are accepted.",
                           "gunicorn --backlog {} app:app"),
                    LAB_FIELD(p.model->system.network.backlog)));
    t.push_back(row(yes_no("network.no_delay", "Send at once",
                           "TCP_NODELAY; without it Nagle's rule meets delayed acknowledgements."),
                    LAB_FIELD(p.model->system.network.no_delay)));
}

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

#undef LAB_FIELD

/// An empty mix asks for every route alike.
double weight_of(const Load& load, const std::string& route) {
    for (const RouteShare& share : load.mix) {
        if (share.route == route) return share.weight;
    }
    return load.mix.empty() ? 1 : 0;
}

void set_weight(Model& model, const std::string& route, double weight) {
    auto& mix = model.load.mix;
    if (mix.empty()) {
        for (const Route& each : model.system.routes) mix.push_back({each.id, 1});
    }
    for (RouteShare& share : mix) {
        if (share.route == route) {
            share.weight = weight;
            return;
        }
    }
    mix.push_back({route, weight});
}

void add_mix(std::vector<Row>& t) {
    t.push_back({ranged(ValueKind::number, "load.mix.*", "Share", 0, 1'000,
                        "How often the route is asked for, beside the others; without a mix all "
                        "routes are alike."),
                 [](const SettingInfo&, const ConstPlace& p) -> SettingValue {
                     return weight_of(p.model->load, p.route->id);
                 },
                 [](const SettingInfo&, const Place& p, const SettingValue& v) {
                     set_weight(*p.model, p.route->id, std::get<double>(v));
                 }});
}

std::vector<Row> make_rows() {
    std::vector<Row> table;
    add_server(table);
    add_server_limits(table);
    add_route(table);
    add_steps(table);
    add_cache_and_database(table);
    add_load(table);
    add_mix(table);
    return table;
}

}  // namespace

std::span<const Row> rows() {
    static const std::vector<Row> table = make_rows();
    return table;
}

std::string_view step_kind_name(StepKind kind) {
    constexpr std::array<std::string_view, 7> names{"cpu",    "wait",    "query", "cache",
                                                    "render", "respond", "write"};
    return names[static_cast<std::size_t>(kind)];
}

std::string_view step_row_path(StepKind kind) {
    constexpr std::array<std::string_view, 7> paths{"route.*.cpu",
                                                    "route.*.wait",
                                                    "route.*.query",
                                                    "route.*.cache.key",
                                                    "route.*.render",
                                                    "route.*.respond",
                                                    ""};  // its `hold` alone is a setting
    return paths[static_cast<std::size_t>(kind)];
}

std::span<const std::string_view> step_details(StepKind kind) {
    static constexpr std::array<std::string_view, 1> of_cache{"key"};
    static constexpr std::array<std::string_view, 2> of_query{"times", "share"};
    static constexpr std::array<std::string_view, 1> of_write{"hold"};
    switch (kind) {
        case StepKind::cache:
            return of_cache;
        case StepKind::query:
            return of_query;
        case StepKind::write:
            return of_write;
        default:
            return {};
    }
}

}  // namespace lab::names
