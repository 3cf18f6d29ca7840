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
    const Fields gunicorn = joined(
        python_server(), {{"server.worker_timeout", "30s"}, {"network.backlog", "2048"}});
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

std::vector<Preset> make_table() {
    std::vector<Preset> table;
    add_flask(table);
    add_gunicorn(table);
    add_uwsgi(table);
    return table;
}

}  // namespace

std::span<const Preset> presets_table() {
    static const std::vector<Preset> table = make_table();
    return table;
}

}  // namespace lab
