// SPDX-License-Identifier: GPL-3.0-or-later
// One row a setting: name, label, kind, range, meaning, and how to reach the field.
#include "model/table_rows.hpp"

#include <array>

#include "lab/presets.hpp"

namespace lab::names {
namespace {

Words preset_names() {
    Words choices{"none"};
    for (const Preset& preset : presets_table()) choices.push_back(preset.name);
    return choices;
}
Words preset_titles() {
    Words titles{"none"};
    for (const Preset& preset : presets_table()) titles.push_back(preset.title);
    return titles;
}

void add_server(std::vector<Row>& t) {
    using enum ValueKind;
    t.push_back(row(one_of("server.preset", "Server", preset_names(), preset_titles(),
                           "Which real server this one behaves as: fills every setting that the "
                           "preset states and nobody gave."),
                    LAB_FIELD(p.model->system.server.preset)));
    t.push_back(row(ranged(count, "server.workers", "Workers", 1, 256,
                           "Worker processes; each has its own interpreter lock, local cache and "
                           "database connections.",
                           "gunicorn -w {} app:app"),
                    LAB_FIELD(p.model->system.server.workers)));
    t.push_back(row(ranged(count, "server.threads", "Threads per worker", 0, 64,
                           "Threads in each worker; they share its interpreter lock. 0: a thread "
                           "for each connection or request, without bound.",
                           "gunicorn --threads {} app:app"),
                    LAB_FIELD(p.model->system.server.threads)));
    t.push_back(row(one_of("server.dispatch", "Work comes to workers", {"shared", "ahead"},
                           {"when a thread is free", "ahead of their threads"},
                           "One queue before all workers, from which a free thread takes; or each "
                           "worker accepts connections ahead and queues them inside.",
                           "gunicorn -k sync takes when free, -k gthread accepts ahead"),
                    LAB_FIELD(p.model->system.server.dispatch)));
    t.push_back(row(ranged(count, "server.worker_connections", "Connections per worker", 1, 10'000,
                           "Connections that one worker accepts at most, where it accepts ahead; "
                           "of event loops and greenlets, requests in hand at once.",
                           "gunicorn --worker-connections {} app:app"),
                    LAB_FIELD(p.model->system.server.worker_connections)));
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

void add_server_execution(std::vector<Row>& t) {
    using enum ValueKind;
    t.push_back(row(
        one_of(
            "server.execution", "A worker is", {"threads", "greenlets", "loop"},
            {"threads", "greenlets", "an event loop"},
            "What a worker is: threads; greenlets, of which one runs until it waits (gevent); or "
            "an event loop, where only what awaits lets others run (asyncio, Node.js).",
            "gunicorn -k gthread, -k gevent or -k uvicorn.workers.UvicornWorker"),
        LAB_FIELD(p.model->system.server.execution)));
    t.push_back(row(yes_no("server.async_views", "Views are async",
                           "Views are written with async def. Threads run one on an event loop of "
                           "its own and wait for it; an event loop runs it itself, and views "
                           "written with def in its pool of threads.",
                           "async def view(): instead of def view():"),
                    LAB_FIELD(p.model->system.server.async_views)));
    t.push_back(row(ranged(count, "server.pool_threads", "Pool threads per worker", 1, 1'024,
                           "Event loops and greenlets: threads of each worker's pool, for what "
                           "would block; what comes when all are taken waits unseen.",
                           "anyio.to_thread.current_default_thread_limiter().total_tokens = {}"),
                    LAB_FIELD(p.model->system.server.pool_threads)));
    t.push_back(row(ranged(duration, "server.async_cost", "Cost of an async view", 0, 1 * s,
                           "CPU time that an async view costs a worker of threads or greenlets, "
                           "which starts a thread and an event loop for each.",
                           "async def view(): under Flask, about 1 ms a request"),
                    LAB_FIELD(p.model->system.server.async_cost)));
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
    t.push_back(row(ranged(duration, "server.stall_every", "Stands still every", 0, 600 * s,
                           "Once in each such stretch no handler goes on, as in a long garbage "
                           "collection; 0 s: never."),
                    LAB_FIELD(p.model->system.server.stall_every)));
    t.push_back(row(ranged(duration, "server.stall_for", "Stands still for", 0, 60 * s,
                           "How long the handlers stand still each time."),
                    LAB_FIELD(p.model->system.server.stall_for)));
}

void add_lives(std::vector<Row>& t) {
    using enum ValueKind;
    t.push_back(row(ranged(duration, "server.worker_timeout", "Worker timeout", 0, 600 * s,
                           "A worker without a heartbeat for longer is killed, and what it had in "
                           "hand is cut off; 0 s means never.",
                           "gunicorn --timeout SECONDS app:app"),
                    LAB_FIELD(p.model->system.server.worker_timeout)));
    t.push_back(row(one_of("server.heartbeat", "Heart beats", {"request", "loop"},
                           {"between requests", "in a main loop"},
                           "Who tells that a worker lives: it does between two requests, so that "
                           "the timeout ends a long one, or a main loop of its own does.",
                           "gunicorn -k sync beats between requests, -k gthread from a main loop"),
                    LAB_FIELD(p.model->system.server.heartbeat)));
    t.push_back(row(ranged(duration, "server.graceful_timeout", "Time to leave", 0, 600 * s,
                           "A worker that leaves has this long for what it has in hand, then it is "
                           "killed.",
                           "gunicorn --graceful-timeout SECONDS app:app"),
                    LAB_FIELD(p.model->system.server.graceful_timeout)));
    t.push_back(row(ranged(duration, "server.boot_time", "A worker boots in", 0, 60 * s,
                           "From the start of a worker to its first request: the import of the "
                           "application."),
                    LAB_FIELD(p.model->system.server.boot_time)));
    t.push_back(row(ranged(count, "server.max_requests", "Requests in a worker's life", 0, 1e6,
                           "After so many requests a worker ends what it has in hand and boots "
                           "anew; 0 means never.",
                           "gunicorn --max-requests {} app:app"),
                    LAB_FIELD(p.model->system.server.max_requests)));
    t.push_back(
        row(ranged(count, "server.max_requests_jitter", "... and up to so many more", 0, 1e6,
                   "Drawn once for each life of a worker, so that workers do not restart "
                   "together.",
                   "gunicorn --max-requests-jitter {} app:app"),
            LAB_FIELD(p.model->system.server.max_requests_jitter)));
    t.push_back(row(ranged(bytes, "server.memory", "Memory of a fresh worker", 0, 8e9,
                           "A modelled number: nothing is allocated."),
                    LAB_FIELD(p.model->system.server.memory)));
    t.push_back(row(ranged(bytes, "server.leak", "Leak", 0, 1e9,
                           "What each request adds to its worker's modelled memory."),
                    LAB_FIELD(p.model->system.server.leak)));
    t.push_back(row(ranged(bytes, "server.memory_limit", "Memory limit of a worker", 0, 64e9,
                           "A worker that comes above it is killed with what it has in hand, as "
                           "the system does when memory ends; 0 B means no limit."),
                    LAB_FIELD(p.model->system.server.memory_limit)));
    t.push_back(row(ranged(count, "server.cheaper", "Workers always there", 0, 256,
                           "So many workers always run; the others come when all are busy, and go "
                           "when they are not. 0: all always run.",
                           "uwsgi --cheaper {} --processes N"),
                    LAB_FIELD(p.model->system.server.cheaper)));
    t.push_back(row(ranged(count, "server.cheaper_step", "Workers that come at once", 1, 64,
                           "How many more workers are started when all have been busy.",
                           "uwsgi --cheaper-step {}"),
                    LAB_FIELD(p.model->system.server.cheaper_step)));
    t.push_back(row(ranged(duration, "server.cheaper_overload", "All busy for", 100 * ms, 60 * s,
                           "All workers busy for this long: more are started; not busy for this "
                           "long: one goes.",
                           "uwsgi --cheaper-overload SECONDS"),
                    LAB_FIELD(p.model->system.server.cheaper_overload)));
    t.push_back(row(ranged(count, "server.cores", "Cores for the workers", 0, 256,
                           "How many cores the worker threads may use; 0 means all there are.",
                           "taskset -c 0 gunicorn app:app leaves it one"),
                    LAB_FIELD(p.model->system.server.cores)));
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
    t.push_back(row(one_of("route.*.view", "View", {"server", "sync", "async"},
                           {"as the server's", "def", "async def"},
                           "How the view is written: as server.async_views says, with def, or with "
                           "async def.",
                           "def view(): or async def view():"),
                    LAB_FIELD(p.route->view)));
    t.push_back(row(yes_no("route.*.inline", "Answered without a worker",
                           "Answered on the front end, without a worker; needs steps = []."),
                    LAB_FIELD(p.route->inline_answer)));
    t.push_back(row(yes_no("route.*.personal", "Personal answer",
                           "The answer is for the user who asked: another user's is wrong."),
                    LAB_FIELD(p.route->personal)));
    t.push_back(row(yes_no("route.*.localised", "Localised answer",
                           "The answer is in the language asked for (Accept-Language): one in "
                           "another language is for the wrong user."),
                    LAB_FIELD(p.route->localised)));
    t.push_back(row(yes_no("route.*.static", "Static file",
                           "Behind a balancer it answers this address itself, with a file of the "
                           "route's size; without one a worker does the steps.",
                           "location /static/ { root /srv/app; } in nginx"),
                    LAB_FIELD(p.route->static_file)));
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
        one_of("route.*.cache.key", "Cache key",
               {"path", "query", "user", "path+query", "path+user", "query+user", "path+query+user",
                "header", "path+header", "query+header", "user+header", "path+query+header",
                "path+user+header", "query+user+header", "path+query+user+header", "constant",
                "throws"},
               {"path", "query string", "user", "path, query string", "path, user",
                "query string, user", "path, query string, user", "language", "path, language",
                "query string, language", "user, language", "path, query string, language",
                "path, user, language", "query string, user, language",
                "path, query string, user, language", "the same for all", "throws an error"},
               "What makes two requests the same to the cache; header is Accept-Language, constant "
               "one key for all, throws a key function that fails, which is swallowed.",
               "@cache.cached(make_cache_key=...)"),
        LAB_FIELD(p.step->key)));
    t.push_back(row(ranged(count, "route.*.render", "Rows rendered", 1, 2'000,
                           "Rows that the template shows: of those read, repeated if fewer.",
                           R"(render_template("page.html", rows=rows))"),
                    LAB_FIELD(p.step->rows)));
    t.push_back(row(ranged(bytes, "route.*.respond", "Body size", 0, 1e6,
                           "Bytes added to the body of the answer."),
                    LAB_FIELD(p.step->size)));
    t.push_back(row(ranged(count, "route.*.gather", "Calls at once", 1, 64,
                           "How many times each branch of a gather is started; they run at once "
                           "where the view is async, one after the other elsewhere.",
                           "await asyncio.gather(*[call() for _ in range({})])"),
                    LAB_FIELD(p.step->copies)));
}

/// How a step is done, whatever it is.
void add_step_manners(std::vector<Row>& t) {
    t.push_back(row(yes_no("route.*.step.blocking", "Blocks",
                           "Of a wait, query or write: it does not await, so that an event loop or "
                           "a worker of greenlets stands still meanwhile.",
                           "time.sleep() or requests.get() where await belongs"),
                    LAB_FIELD(p.step->blocking)));
    t.push_back(row(yes_no("route.*.step.offload", "In the thread pool",
                           "Of a cpu, wait, query, write or render on an event loop: it is done in "
                           "the pool of threads while others run.",
                           "await asyncio.to_thread(work)"),
                    LAB_FIELD(p.step->offload)));
}

void add_cache(std::vector<Row>& t) {
    using enum ValueKind;
    t.push_back(
        row(one_of("cache.mode", "Cache", {"none", "per-worker", "shared", "null"},
                   {"none", "per worker", "shared", "null"},
                   "Where answers are kept: nowhere, in each worker, or in one place for all; null "
                   "is Flask-Caching's default, which looks up and stores and keeps nothing.",
                   R"(app.config["CACHE_TYPE"] = "NullCache", "SimpleCache" or "RedisCache")"),
            LAB_FIELD(p.model->system.cache.mode)));
    t.push_back(row(ranged(duration, "cache.ttl", "Entries live for", 0, 600 * s,
                           "An entry is fresh for this long, then it is made again; 0 s means for "
                           "ever.",
                           "@cache.cached(timeout=SECONDS)"),
                    LAB_FIELD(p.model->system.cache.ttl)));
    t.push_back(row(ranged(number, "cache.ttl_jitter", "Life is shortened by", 0, 1,
                           "Up to this share of an entry's life is taken off, by lot, so that "
                           "entries made together do not end together."),
                    LAB_FIELD(p.model->system.cache.ttl_jitter)));
    t.push_back(
        row(ranged(count, "cache.capacity", "Cache places", 1, 100'000,
                   "Entries, in each worker or in all.", R"(app.config["CACHE_THRESHOLD"] = {})"),
            LAB_FIELD(p.model->system.cache.capacity)));
    t.push_back(row(ranged(bytes, "cache.capacity_bytes", "Cache memory", 0, 1e9,
                           "Bytes of keys and bodies, in each worker or in all; 0 B means no "
                           "limit.",
                           "redis-server --maxmemory BYTES"),
                    LAB_FIELD(p.model->system.cache.capacity_bytes)));
    t.push_back(
        row(one_of("cache.eviction", "Who goes when it is full",
                   {"lru", "lfu", "fifo", "random", "soonest-expiry"},
                   {"least recently used", "least often used", "oldest", "one at random",
                    "soonest to expire"},
                   "Which entry goes for want of room; soonest-expiry is SimpleCache's rule, which "
                   "prunes on the next store, and entries that never expire first.",
                   "redis-server --maxmemory-policy allkeys-lru, allkeys-lfu, allkeys-random"),
            LAB_FIELD(p.model->system.cache.eviction)));
}

void add_cache_cures(std::vector<Row>& t) {
    using enum ValueKind;
    t.push_back(row(yes_no("cache.invalidate_on_write", "Writing drops entries",
                           "A write step drops the entries that were made from the row it "
                           "changes, in the cache that its worker uses.",
                           "cache.delete(key), after db.session.commit()"),
                    LAB_FIELD(p.model->system.cache.invalidate_on_write)));
    t.push_back(row(ranged(distribution, "cache.hop", "Way to the cache", 0, 1 * s,
                           "Shared cache: waited for at each look-up and each store, as for a "
                           "cache server on another machine.",
                           "RedisCache: one round trip for get, one for set"),
                    LAB_FIELD(p.model->system.cache.hop)));
    t.push_back(row(yes_no("cache.failing", "Cache server fails",
                           "Shared cache: its server answers with errors, which are swallowed; the "
                           "view is called as if there were no cache."),
                    LAB_FIELD(p.model->system.cache.failing)));
    t.push_back(row(one_of("cache.stampede", "When many miss at once",
                           {"none", "lock", "early", "stale-while-revalidate"},
                           {"each makes it", "one makes it, others wait",
                            "made again early, by chance", "one makes it, others get the old one"},
                           "What keeps many requests from making the same entry at once.",
                           "Flask-Caching: each makes it; nginx: proxy_cache_lock on, "
                           "proxy_cache_use_stale updating"),
                    LAB_FIELD(p.model->system.cache.stampede)));
    t.push_back(row(ranged(number, "cache.early_beta", "Eagerness (beta)", 0, 100,
                           "Stampede cure early: above 1 an entry is made again sooner, below 1 "
                           "later."),
                    LAB_FIELD(p.model->system.cache.early_beta)));
    t.push_back(row(ranged(duration, "cache.stale_for", "Stale entries serve for", 0, 600 * s,
                           "Stampede cure stale-while-revalidate: how long after its time an entry "
                           "may still be given.",
                           "Cache-Control: stale-while-revalidate=SECONDS"),
                    LAB_FIELD(p.model->system.cache.stale_for)));
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
    add_server_execution(table);
    add_server_limits(table);
    add_lives(table);
    add_route(table);
    add_steps(table);
    add_step_manners(table);
    add_cache(table);
    add_cache_cures(table);
    add_database(table);
    add_balancer_rows(table);
    add_host(table);
    add_costs(table);
    add_load_section(table);
    add_mix(table);
    return table;
}

}  // namespace

std::span<const Row> rows() {
    static const std::vector<Row> table = make_rows();
    return table;
}

std::string_view step_kind_name(StepKind kind) {
    constexpr std::array<std::string_view, 9> names{"cpu",     "wait",  "query",  "cache", "render",
                                                    "respond", "write", "gather", "group"};
    return names[static_cast<std::size_t>(kind)];
}

std::string_view step_row_path(StepKind kind) {
    constexpr std::array<std::string_view, 9> paths{"route.*.cpu",
                                                    "route.*.wait",
                                                    "route.*.query",
                                                    "route.*.cache.key",
                                                    "route.*.render",
                                                    "route.*.respond",
                                                    "",  // its `hold` alone is a setting
                                                    "route.*.gather",
                                                    ""};
    return paths[static_cast<std::size_t>(kind)];
}

bool may_block(StepKind kind) {
    return kind == StepKind::wait || kind == StepKind::query || kind == StepKind::write;
}

bool may_offload(StepKind kind) {
    return may_block(kind) || kind == StepKind::cpu || kind == StepKind::render;
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
