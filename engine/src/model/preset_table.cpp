// SPDX-License-Identifier: GPL-3.0-or-later
// The real servers, each with the defaults of the program that it stands for. Each setting of the
// execution model is stated, also where it is our default: a preset stands for the whole server.
#include "lab/presets.hpp"

namespace lab {
namespace {

using Fields = std::vector<PresetField>;

/// Fields that a family of presets shares, with those that one of them has for itself. Of two with
/// the same path the later wins.
Fields joined(Fields fields, const Fields& own) {
    for (const PresetField& field : own) {
        std::erase_if(fields, [&](const PresetField& f) { return f.path == field.path; });
        fields.push_back(field);
    }
    return fields;
}

/// What every process-based Python server has in common: no queue of its own, so that what waits
/// waits in the kernel's backlog; nothing restarts; a lock in each process.
Fields python_server() {
    return {
        {"server.workers", "1"},
        {"server.threads", "1"},
        {"server.execution", "threads"},
        {"server.async_views", "false"},
        {"server.dispatch", "shared"},
        {"server.queue", "0"},
        {"server.when_full", "wait"},
        {"server.queue_timeout", "0s"},
        {"server.bind", "accept"},
        {"server.release", "drained"},
        {"server.interpreter_lock", "true"},
        {"server.switch_interval", "5ms"},
        {"server.keep_alive", "false"},
        {"server.keep_alive_timeout", "60s"},
        {"server.worker_timeout", "0s"},
        {"server.heartbeat", "request"},
        {"server.graceful_timeout", "30s"},
        {"server.boot_time", "500ms"},
        {"server.max_requests", "0"},
        {"server.max_requests_jitter", "0"},
        {"server.cheaper", "0"},
    };
}

void add_flask(std::vector<Preset>& table) {
    const Fields flask = joined(python_server(), {{"server.head_timeout", "60s"},
                                                  {"server.body_timeout", "60s"},
                                                  {"network.backlog", "128"}});
    table.push_back({"flask-dev", "Flask's development server",
                     "One process, a thread for each connection without bound, no time limits and "
                     "no restarts.",
                     joined(flask, {{"server.threads", "0"},
                                    {"server.keep_alive", "true"},
                                    {"server.keep_alive_timeout", "600s"}}),
                     "flask --app app run", "Flask 2.2.2 with Werkzeug 2.2.2"});
    table.push_back({"flask-dev-unthreaded", "Flask's development server, unthreaded",
                     "One process and one thread: one connection at a time, closed after its "
                     "answer.",
                     flask, "flask --app app run --without-threads",
                     "Flask 2.2.2 with Werkzeug 2.2.2"});
}

void add_gunicorn(std::vector<Preset>& table) {
    const Fields gunicorn =
        joined(python_server(), {{"server.worker_timeout", "30s"}, {"network.backlog", "2048"}});
    table.push_back(
        {"gunicorn-sync", "gunicorn, sync worker",
         "Processes that accept a connection only when they are free, answer once and close it; "
         "the timeout ends a long request.",
         gunicorn,
         "gunicorn -w {server.workers}[ --threads {server.threads}]"
         "[ --timeout {server.worker_timeout:s}][ --graceful-timeout {server.graceful_timeout:s}]"
         "[ --max-requests {server.max_requests}]"
         "[ --max-requests-jitter {server.max_requests_jitter}][ --backlog {network.backlog}]"
         " app:app",
         "gunicorn 20.1.0, and 26.1.0 by its source"});
    table.push_back(
        {"gunicorn-gthread", "gunicorn, gthread worker",
         "Each process accepts connections ahead of its threads and queues them inside, behind a "
         "busy thread while a sibling idles; a long request lives.",
         joined(gunicorn, {{"server.dispatch", "ahead"},
                           {"server.worker_connections", "1000"},
                           {"server.bind", "head"},
                           {"server.keep_alive", "true"},
                           {"server.keep_alive_timeout", "2s"},
                           {"server.heartbeat", "loop"}}),
         "gunicorn -w {server.workers} -k gthread --threads {server.threads}"
         "[ --worker-connections {server.worker_connections}]"
         "[ --keep-alive {server.keep_alive_timeout:s}][ --timeout {server.worker_timeout:s}]"
         "[ --graceful-timeout {server.graceful_timeout:s}]"
         "[ --max-requests {server.max_requests}]"
         "[ --max-requests-jitter {server.max_requests_jitter}][ --backlog {network.backlog}]"
         " app:app",
         "gunicorn 20.1.0, and 26.1.0 by its source"});
}

void add_uwsgi(std::vector<Preset>& table) {
    const Fields uwsgi = joined(python_server(), {{"network.backlog", "100"}});
    table.push_back(
        {"uwsgi", "uWSGI",
         "Processes behind one short backlog of 100, without threads and without a time limit "
         "unless told.",
         uwsgi,
         "uwsgi --http-socket :8000 --master -p {server.workers}"
         "[ --enable-threads --threads {server.threads}][ --harakiri {server.worker_timeout:s}]"
         "[ --max-requests {server.max_requests}][ --listen {network.backlog}]"
         "[ --evil-reload-on-rss {server.memory_limit:MB}] -w app:app",
         "uWSGI 2.0.21"});
    table.push_back(
        {"uwsgi-cheaper", "uWSGI, cheaper",
         "A few processes always, more when all have been busy for three seconds, and back one by "
         "one.",
         joined(uwsgi, {{"server.workers", "8"},
                        {"server.cheaper", "2"},
                        {"server.cheaper_step", "1"},
                        {"server.cheaper_overload", "3s"}}),
         "uwsgi --http-socket :8000 --master -p {server.workers} --cheaper {server.cheaper}"
         "[ --cheaper-step {server.cheaper_step}][ --cheaper-overload {server.cheaper_overload:s}]"
         "[ --enable-threads --threads {server.threads}][ --harakiri {server.worker_timeout:s}]"
         "[ --max-requests {server.max_requests}][ --listen {network.backlog}]"
         "[ --evil-reload-on-rss {server.memory_limit:MB}] -w app:app",
         "uWSGI 2.0.21"});
}

/// gunicorn's greenlets and Flask's async views. Neither worker_timeout nor boot_time: only workers
/// of threads have lives.
void add_async_gunicorn(std::vector<Preset>& table) {
    const Fields gunicorn = joined(python_server(), {{"network.backlog", "2048"}});
    table.push_back({"gunicorn-gevent", "gunicorn, gevent worker",
                     "Greenlets: a process has up to a thousand connections in hand and switches "
                     "where one of them waits; what computes or blocks holds up them all.",
                     joined(gunicorn, {{"server.execution", "greenlets"},
                                       {"server.worker_connections", "1000"},
                                       {"server.pool_threads", "10"},
                                       {"server.boot_time", "0s"},
                                       {"server.keep_alive", "true"},
                                       {"server.keep_alive_timeout", "2s"},
                                       {"server.heartbeat", "loop"}}),
                     "gunicorn -w {server.workers} -k gevent"
                     "[ --worker-connections {server.worker_connections}]"
                     "[ --keep-alive {server.keep_alive_timeout:s}][ --backlog {network.backlog}]"
                     " app:app",
                     "gunicorn 20.1.0 and gevent by its documentation"});
    table.push_back({"flask-async", "Flask, async views under gunicorn",
                     "Each async view gets a thread and an event loop of its own, and its worker "
                     "waits for it: gather works inside it, and nobody else gains.",
                     joined(gunicorn, {{"server.async_views", "true"},
                                       {"server.async_cost", "900us"},
                                       {"server.worker_timeout", "30s"}}),
                     "gunicorn -w {server.workers}[ --threads {server.threads}]"
                     "[ --timeout {server.worker_timeout:s}][ --backlog {network.backlog}] app:app",
                     "Flask 2.2.2 with asgiref under gunicorn 20.1.0"});
}

/// Servers whose workers are event loops: they take in hand whatever comes.
Fields loop_server() {
    return joined(python_server(), {{"server.execution", "loop"},
                                    {"server.async_views", "true"},
                                    {"server.worker_connections", "10000"},
                                    {"server.pool_threads", "40"},
                                    {"server.boot_time", "0s"},
                                    {"server.bind", "request"},
                                    {"server.release", "buffered"},
                                    {"server.keep_alive", "true"},
                                    {"server.keep_alive_timeout", "5s"}});
}

void add_loops(std::vector<Preset>& table) {
    const Fields uvicorn = joined(loop_server(), {{"network.backlog", "2048"}});
    const std::string_view command =
        "uvicorn app:app --workers {server.workers}[ --limit-concurrency "
        "{server.worker_connections}][ --timeout-keep-alive {server.keep_alive_timeout:s}]"
        "[ --backlog {network.backlog}]";
    table.push_back({"uvicorn", "uvicorn, async def views",
                     "One event loop a process: while a view awaits, others run; one blocking "
                     "call stalls every connection of its process.",
                     uvicorn, command, "uvicorn 0.17.6"});
    table.push_back({"fastapi-def", "FastAPI, def views",
                     "Each view runs on one of 40 threads beside the loop; the 41st waits for a "
                     "thread where no queue shows it.",
                     joined(uvicorn, {{"server.async_views", "false"}}), command,
                     "FastAPI 0.92 on uvicorn 0.17.6, with anyio's limit of 40"});
    table.push_back({"node", "Node.js",
                     "One event loop without an interpreter lock beside it, and four threads in "
                     "libuv's pool.",
                     joined(loop_server(), {{"server.interpreter_lock", "false"},
                                            {"server.pool_threads", "4"},
                                            {"server.head_timeout", "60s"},
                                            {"network.backlog", "511"}}),
                     "[UV_THREADPOOL_SIZE={server.pool_threads} ]node server.js", "Node.js 20"});
}

std::vector<Preset> make_table() {
    std::vector<Preset> table;
    add_flask(table);
    add_gunicorn(table);
    add_uwsgi(table);
    add_async_gunicorn(table);
    add_loops(table);
    return table;
}

}  // namespace

std::span<const Preset> presets_table() {
    static const std::vector<Preset> table = make_table();
    return table;
}

}  // namespace lab
