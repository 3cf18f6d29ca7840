// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/server.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include "core/program.hpp"
#include "live/backend_view.hpp"
#include "live/balanced_server.hpp"
#include "live/completion_queue.hpp"
#include "live/exchange.hpp"
#include "live/execution_switch.hpp"
#include "live/front_end.hpp"
#include "live/platform.hpp"
#include "live/storage.hpp"
#include "live/workers.hpp"

namespace lab::live {

namespace {

bool steps_use_database(const std::vector<Step>& steps) {
    return std::any_of(steps.begin(), steps.end(), [](const Step& step) {
        return step.kind == StepKind::query || step.kind == StepKind::write ||
               steps_use_database(step.steps);
    });
}

GenerationPtr make_generation(System system, std::uint64_t number, std::optional<int> backend) {
    auto made = std::make_shared<Generation>();
    made->number = number;
    if (backend) {
        made->slowdown = system.balancer.backends[static_cast<std::size_t>(*backend)].slowdown;
        system = backend_system(std::move(system), made->slowdown);
    }
    for (const Route& route : system.routes) {
        made->programs.push_back(core::compile(route, system.server, system.cache));
    }
    made->system = std::move(system);
    return made;
}

}  // namespace

std::vector<core::AskedQuery> queries_of(const Generation& generation) {
    std::vector<core::AskedQuery> all;
    for (const core::Program& program : generation.programs) {
        for (const core::AskedQuery& query : program.queries) {
            if (std::find(all.begin(), all.end(), query) == all.end()) all.push_back(query);
        }
    }
    return all;
}

bool uses_database(const System& system) {
    return std::any_of(system.routes.begin(), system.routes.end(),
                       [](const Route& route) { return steps_use_database(route.steps); });
}

Storage::Options storage_options(const Server::Options& options, const Generation& generation) {
    Storage::Options made;
    made.database = options.system.database;
    made.generation = generation.number;
    made.queries = queries_of(generation);
    made.seed = options.seed;
    made.keys = options.load.keys;
    made.zipf = options.load.zipf;
    made.data_folder = options.data_folder;
    made.preparation = {options.on_progress, options.cancelled};
    return made;
}

namespace {

class LiveServer final : public Server {
  public:
    ~LiveServer() override { stop(); }

    [[nodiscard]] Result<void> prepare(const Options& options) {
        backend_ = options.backend;
        generation_ = make_generation(options.system, 1, backend_);
        newest_ = 1;
        std::shared_ptr<Database> database;
        if (options.shared_storage != nullptr) {
            database = options.shared_storage->database()->for_another_server();
        } else if (uses_database(options.system)) {
            auto storage = Storage::open(storage_options(options, *generation_));
            if (!storage) return storage.error();
            storage_ = std::move(storage.value());
            database = storage_->database();
        }
        // Equal servers would have their workers leave at the same request.
        const std::uint64_t chance = options.seed + static_cast<unsigned>(backend_.value_or(0));
        auto workers =
            ExecutionSwitch::start({generation_, &completions_, std::move(database), chance});
        if (!workers) return workers.error();
        workers_ = std::move(workers.value());
        if (storage_) {
            auto started = storage_->start([this](std::shared_ptr<Database> another) {
                workers_->set_database(std::move(another));
            });
            if (!started) return started;
        }
        auto front_end = FrontEnd::open({.port = options.port,
                                         .seed = options.seed,
                                         .title = options.title,
                                         .most_connections = options.most_connections,
                                         .generation = generation_,
                                         .dispatcher = workers_.get(),
                                         .completions = &completions_});
        if (!front_end) return front_end.error();
        front_end_ = std::move(front_end.value());
        process_cpu_ = platform::process_cpu_time();
        return {};
    }

    [[nodiscard]] std::uint16_t port() const override { return front_end_->port(); }

    std::uint64_t apply(System system) override {
        const std::lock_guard hold{apply_mutex_};
        const lab::Database database = system.database;
        const std::uint64_t number = newest_ + 1;
        generation_ = make_generation(std::move(system), number, backend_);
        workers_->apply(generation_);
        front_end_->apply(generation_);
        if (storage_) storage_->apply(database, number, queries_of(*generation_));
        newest_ = number;
        return number;
    }

    [[nodiscard]] std::uint64_t generation() const override {
        const std::uint64_t newest = newest_;
        return storage_ ? std::min(newest, storage_->settled()) : newest;
    }

    void set_database(std::shared_ptr<Database> database) override {
        workers_->set_database(std::move(database));
    }

    [[nodiscard]] ServerSample sample() override {
        ServerSample made;
        workers_->sample(made);
        made.backlog = front_end_->backlog();
        made.connections = front_end_->connections();
        const Duration cpu = platform::process_cpu_time();
        made.process_cpu = cpu - std::exchange(process_cpu_, cpu);
        made.progress = workers_->remark();
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

    [[nodiscard]] std::vector<RequestEvent> take_events(std::size_t most,
                                                        std::uint64_t& left_out) override {
        return workers_->take_events(most, left_out);
    }

    [[nodiscard]] const TruthSource& truth() const override {
        if (storage_) return *storage_;
        return nothing_changes_;
    }

    [[nodiscard]] std::vector<std::string> plans() const override {
        return storage_ ? storage_->plans() : std::vector<std::string>{};
    }

    [[nodiscard]] std::vector<CacheContent> cache_contents(std::size_t most) const override {
        return workers_->cache_contents(most);
    }

    void stop() override {
        // What the workers have in hand comes back through the front end's thread, which waits for
        // it.
        if (front_end_) front_end_->close();
        if (workers_) workers_->cancel();
        if (front_end_) front_end_->stop();
        if (storage_) storage_->stop();
        if (workers_) workers_->stop();
    }

  private:
    NothingChanges nothing_changes_;
    std::optional<int> backend_;
    CompletionQueue completions_;
    std::mutex apply_mutex_;
    GenerationPtr generation_;
    std::atomic<std::uint64_t> newest_{0};
    std::unique_ptr<Storage> storage_;
    std::unique_ptr<Workers> workers_;
    std::unique_ptr<FrontEnd> front_end_;

    // sample()'s: one caller.
    Duration process_cpu_{};
    std::uint64_t changes_ = 0;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::open(Options options) {
    if (!options.backend && options.system.balancer.rule != BalancerRule::none) {
        return open_balanced_server(std::move(options));
    }
    auto server = std::make_unique<LiveServer>();
    if (auto prepared = server->prepare(options); !prepared) return prepared.error();
    return std::unique_ptr<Server>{std::move(server)};
}

}  // namespace lab::live
