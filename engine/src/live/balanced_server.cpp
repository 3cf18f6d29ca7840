// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/balanced_server.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "live/backend_view.hpp"
#include "live/completion_queue.hpp"
#include "live/front_end.hpp"
#include "live/platform.hpp"
#include "live/port_reservation.hpp"
#include "live/proxy.hpp"

namespace lab::live {

namespace {

using Servers = std::array<std::shared_ptr<Server>, most_backends>;

bool wanted(const System& system, std::size_t backend) {
    return backend < static_cast<std::size_t>(system.balancer.count) &&
           system.balancer.backends[backend].up;
}

/// The settings as they are written, as no backend has them: what is asked of the database.
Generation written(const System& system, std::uint64_t number) {
    Generation made;
    made.number = number;
    made.system = system;
    for (const Route& route : system.routes) {
        made.programs.push_back(core::compile(route, system.server, system.cache));
    }
    return made;
}

void add(DatabaseCounts& whole, const DatabaseCounts& part) {
    whole.queries += part.queries;
    whole.rows_touched += part.rows_touched;
    whole.opened += part.opened;
    whole.pool_timeouts += part.pool_timeouts;
    whole.query_timeouts += part.query_timeouts;
    whole.lock_timeouts += part.lock_timeouts;
}

/// Adds what one backend says of itself to the whole.
void add(ServerSample& whole, ServerSample&& part) {
    whole.queue_depth += part.queue_depth;
    whole.queue_capacity += part.queue_capacity;
    whole.in_service += part.in_service;
    whole.threads.insert(whole.threads.end(), part.threads.begin(), part.threads.end());
    whole.threads_per_worker = part.threads_per_worker;
    whole.workers.insert(whole.workers.end(), part.workers.begin(), part.workers.end());
    whole.worker_kills += part.worker_kills;
    whole.worker_restarts += part.worker_restarts;
    whole.worker_boots += part.worker_boots;
    whole.memory.count += part.memory.count;
    whole.cores = std::max(whole.cores, part.cores);
    whole.busy_time += part.busy_time;
    whole.worker_cpu += part.worker_cpu;
    whole.pool_in_use += part.pool_in_use;
    whole.pool_size += part.pool_size;
    whole.pool_open += part.pool_open;
    whole.pool_waiting += part.pool_waiting;
    whole.pool_busy_time += part.pool_busy_time;
    add(whole.database, part.database);
    whole.cache_hits += part.cache_hits;
    whole.cache_misses += part.cache_misses;
    whole.cache_entries += part.cache_entries;
    whole.cache_bytes += part.cache_bytes;
    whole.cache_evictions += part.cache_evictions;
    whole.cache_errors += part.cache_errors;
    whole.cache_duplicates += part.cache_duplicates;
    whole.loops += part.loops;
    whole.loop_ready += part.loop_ready;
    whole.tokens += part.tokens;
    whole.tokens_in_use += part.tokens_in_use;
    whole.tokens_waiting += part.tokens_waiting;
    if (whole.loop_lag.empty()) {
        whole.loop_lag = std::move(part.loop_lag);
    } else if (!part.loop_lag.empty()) {
        Histogram both;
        both.merge(whole.loop_lag);
        both.merge(part.loop_lag);
        whole.loop_lag = both.sparse();
    }
    if (!part.progress.empty()) whole.progress = std::move(part.progress);
}

class BalancedServer final : public Server {
  public:
    explicit BalancedServer(Options options)
        : options_{std::move(options)}, system_{options_.system} {}
    ~BalancedServer() override { stop(); }

    [[nodiscard]] Result<void> prepare();
    [[nodiscard]] std::uint16_t port() const override { return front_end_->port(); }
    std::uint64_t apply(System system) override;
    [[nodiscard]] std::uint64_t generation() const override;
    void set_database(std::shared_ptr<Database> database) override;
    [[nodiscard]] ServerSample sample() override;
    [[nodiscard]] std::vector<RequestEvent> take_events(std::size_t most,
                                                        std::uint64_t& left_out) override;
    [[nodiscard]] const TruthSource& truth() const override {
        if (storage_) return *storage_;
        return nothing_changes_;
    }
    [[nodiscard]] std::vector<std::string> plans() const override {
        return storage_ ? storage_->plans() : std::vector<std::string>{};
    }
    [[nodiscard]] std::vector<CacheContent> cache_contents(std::size_t most) const override;
    void stop() override;

  private:
    [[nodiscard]] Result<void> open_storage();
    [[nodiscard]] Result<std::shared_ptr<Server>> open_backend(std::size_t index, System system);
    [[nodiscard]] Servers servers() const;
    void operate();
    void settle(const System& wanted_system);

    Options options_;
    NothingChanges nothing_changes_;
    std::unique_ptr<Storage> storage_;
    std::array<std::unique_ptr<PortReservation>, most_backends> ports_;
    CompletionQueue completions_;
    std::unique_ptr<Proxy> proxy_;
    std::unique_ptr<FrontEnd> front_end_;

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    System system_;  ///< under mutex_, as is all to the next blank line
    std::uint64_t newest_ = 1;
    std::uint64_t settled_ = 1;  ///< of the operator
    Servers servers_;
    std::string remark_;
    bool stopping_ = false;

    std::thread operator_;  ///< starts and stops backends

    // sample()'s and take_events()'s: one caller.
    Duration process_cpu_{};
    std::uint64_t changes_ = 0;
    std::array<std::size_t, most_backends> first_thread_{};
};

Result<void> BalancedServer::open_storage() {
    if (!uses_database(options_.system)) return {};
    auto storage = Storage::open(storage_options(options_, written(options_.system, 1)));
    if (!storage) return storage.error();
    storage_ = std::move(storage.value());
    return storage_->start(
        [this](std::shared_ptr<Database> database) { set_database(std::move(database)); });
}

Result<std::shared_ptr<Server>> BalancedServer::open_backend(std::size_t index, System system) {
    Options options = options_;
    options.system = std::move(system);
    options.port = ports_[index]->port();
    options.backend = static_cast<int>(index);
    options.shared_storage = storage_.get();
    auto opened = Server::open(std::move(options));
    if (!opened) return opened.error();
    return std::shared_ptr<Server>{std::move(opened.value())};
}

Result<void> BalancedServer::prepare() {
    if (auto opened = open_storage(); !opened) return opened;
    std::array<std::uint16_t, most_backends> ports{};
    for (std::size_t i = 0; i < most_backends; ++i) {
        auto reserved = PortReservation::make();
        if (!reserved) return reserved.error();
        ports_[i] = std::move(reserved.value());
        ports[i] = ports_[i]->port();
        if (!wanted(options_.system, i)) continue;
        auto backend = open_backend(i, options_.system);
        if (!backend) return backend.error();
        const std::lock_guard hold{mutex_};
        servers_[i] = std::move(backend.value());
    }
    const GenerationPtr generation = proxy_generation(options_.system, 1);
    auto proxy = Proxy::start({generation, &completions_, ports, options_.seed});
    if (!proxy) return proxy.error();
    proxy_ = std::move(proxy.value());
    auto front_end = FrontEnd::open({.port = options_.port,
                                     .seed = options_.seed,
                                     .title = options_.title,
                                     .most_connections = options_.most_connections,
                                     .generation = generation,
                                     .dispatcher = proxy_.get(),
                                     .completions = &completions_});
    if (!front_end) return front_end.error();
    front_end_ = std::move(front_end.value());
    process_cpu_ = platform::process_cpu_time();
    try {
        operator_ = std::thread{[this] { operate(); }};
    } catch (const std::system_error&) {
        return Error{ErrorCode::no_resources, "balancer", "no thread can be started for it"};
    }
    return {};
}

Servers BalancedServer::servers() const {
    const std::lock_guard hold{mutex_};
    return servers_;
}

std::uint64_t BalancedServer::apply(System system) {
    std::uint64_t number = 0;
    Servers running;
    {
        const std::lock_guard hold{mutex_};
        number = ++newest_;
        system_ = system;
        running = servers_;
    }
    wake_.notify_one();
    const GenerationPtr generation = proxy_generation(system, number);
    proxy_->apply(generation);
    front_end_->apply(generation);
    for (const auto& server : running) {
        if (server) server->apply(system);
    }
    if (storage_) storage_->apply(system.database, number, queries_of(written(system, number)));
    return number;
}

std::uint64_t BalancedServer::generation() const {
    const std::lock_guard hold{mutex_};
    return storage_ ? std::min(settled_, storage_->settled()) : settled_;
}

void BalancedServer::set_database(std::shared_ptr<Database> database) {
    for (const auto& server : servers()) {
        if (server) server->set_database(database->for_another_server());
    }
}

/// Starts and stops backends until the settings are met; both may take a while.
void BalancedServer::operate() {
    platform::name_this_thread("backends");
    std::unique_lock hold{mutex_};
    while (!stopping_) {
        if (settled_ == newest_) {
            wake_.wait(hold, [this] { return stopping_ || settled_ != newest_; });
            continue;
        }
        const std::uint64_t number = newest_;
        const System system = system_;
        hold.unlock();
        settle(system);
        hold.lock();
        settled_ = number;
    }
}

void BalancedServer::settle(const System& wanted_system) {
    for (std::size_t i = 0; i < most_backends; ++i) {
        std::shared_ptr<Server> running;
        {
            const std::lock_guard hold{mutex_};
            running = servers_[i];
        }
        const bool wants = wanted(wanted_system, i);
        if (wants == (running != nullptr)) continue;
        if (!wants) {
            {
                const std::lock_guard hold{mutex_};
                servers_[i].reset();
            }
            running->stop();
            continue;
        }
        auto opened = open_backend(i, wanted_system);
        const std::lock_guard hold{mutex_};
        remark_ = opened ? "" : fmt::format("backend {}: {}", i + 1, opened.error().message());
        if (!opened) continue;
        // What was changed while it started.
        if (system_ != wanted_system) opened.value()->apply(system_);
        if (storage_) opened.value()->set_database(storage_->database()->for_another_server());
        servers_[i] = std::move(opened.value());
    }
}

ServerSample BalancedServer::sample() {
    ServerSample made;
    proxy_->sample(made);
    const Servers running = servers();
    for (std::size_t i = 0; i < most_backends; ++i) {
        first_thread_[i] = made.threads.size();
        if (i < made.backends.size()) made.backends[i].up = running[i] != nullptr;
        if (!running[i]) continue;
        ServerSample part = running[i]->sample();
        if (i < made.backends.size()) {
            made.backends[i].queue_depth = part.queue_depth;
            made.backends[i].threads = static_cast<std::uint32_t>(part.threads.size());
        }
        add(made, std::move(part));
    }
    made.backlog = front_end_->backlog();
    made.connections = front_end_->connections();
    const Duration cpu = platform::process_cpu_time();
    made.process_cpu = cpu - std::exchange(process_cpu_, cpu);
    {
        const std::lock_guard hold{mutex_};
        if (!remark_.empty()) made.progress = remark_;
    }
    if (!storage_) return made;
    const std::uint64_t changes = storage_->changes();
    made.updates = changes - std::exchange(changes_, changes);
    const auto plans = storage_->plans();
    if (!plans.empty()) made.plan = plans.front();
    if (auto progress = storage_->progress(); !progress.empty()) {
        made.progress = std::move(progress);
    }
    return made;
}

std::vector<RequestEvent> BalancedServer::take_events(std::size_t most, std::uint64_t& left_out) {
    std::vector<RequestEvent> all;
    const Servers running = servers();
    for (std::size_t i = 0; i < most_backends; ++i) {
        if (!running[i]) continue;
        std::uint64_t more_left_out = 0;
        auto events = running[i]->take_events(most, more_left_out);
        left_out += more_left_out;
        for (RequestEvent& event : events) {
            event.thread = static_cast<std::uint16_t>(event.thread + first_thread_[i]);
        }
        all.insert(all.end(), events.begin(), events.end());
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const RequestEvent& a, const RequestEvent& b) { return a.at < b.at; });
    if (all.size() > most) {
        left_out += all.size() - most;
        all.resize(most);
    }
    return all;
}

std::vector<CacheContent> BalancedServer::cache_contents(std::size_t most) const {
    std::vector<CacheContent> all;
    int workers = 0;
    {
        const std::lock_guard hold{mutex_};
        workers = system_.server.workers;
    }
    int first = 0;  // workers are numbered through
    for (const auto& server : servers()) {
        first += workers;
        if (!server) continue;
        auto of_one = server->cache_contents(most);
        for (CacheContent& content : of_one) {
            if (content.worker >= 0) content.worker += first - workers;
        }
        std::move(of_one.begin(), of_one.end(), std::back_inserter(all));
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const CacheContent& a, const CacheContent& b) { return a.hits > b.hits; });
    if (all.size() > most) all.resize(most);
    return all;
}

void BalancedServer::stop() {
    {
        const std::lock_guard hold{mutex_};
        stopping_ = true;
    }
    wake_.notify_one();
    if (operator_.joinable()) operator_.join();
    // What the proxy has in hand comes back through the front end's thread, which waits for it.
    if (front_end_) front_end_->close();
    if (proxy_) proxy_->cancel();
    if (front_end_) front_end_->stop();
    Servers running;
    {
        const std::lock_guard hold{mutex_};
        running.swap(servers_);
    }
    for (const auto& server : running) {
        if (server) server->stop();
    }
    if (storage_) storage_->stop();
    if (proxy_) proxy_->stop();
}

}  // namespace

Result<std::unique_ptr<Server>> open_balanced_server(Server::Options options) {
    auto server = std::make_unique<BalancedServer>(std::move(options));
    if (auto prepared = server->prepare(); !prepared) return prepared.error();
    return std::unique_ptr<Server>{std::move(server)};
}

}  // namespace lab::live
