// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/execution_switch.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "live/loop_pool.hpp"
#include "live/worker_pool.hpp"

namespace lab::live {

ExecutionSwitch::Kind ExecutionSwitch::kind_of(const Generation& generation) {
    return generation.system.server.execution == Execution::threads ? Kind::threads : Kind::loops;
}

Result<std::unique_ptr<Workers>> ExecutionSwitch::start(Options options) {
    std::unique_ptr<ExecutionSwitch> made{new ExecutionSwitch{std::move(options)}};
    if (auto pool = made->make(made->options_.generation); !pool) return pool.error();
    return std::unique_ptr<Workers>{std::move(made)};
}

/// The pool for this generation is there and takes what comes.
Result<void> ExecutionSwitch::make(const GenerationPtr& generation) {
    const Kind kind = kind_of(*generation);
    Options options;
    {
        const std::lock_guard hold{mutex_};
        Workers* const there = kind == Kind::threads ? threads_.get() : loops_.get();
        if (there != nullptr) {
            current_ = there;
            return {};
        }
        options = options_;
    }
    options.generation = generation;
    std::unique_ptr<Workers> made;
    if (kind == Kind::threads) {
        auto pool = WorkerPool::start(std::move(options));
        if (!pool) return pool.error();
        made = std::move(pool.value());
    } else {
        auto pool = LoopPool::start(std::move(options));
        if (!pool) return pool.error();
        made = std::move(pool.value());
    }
    const std::lock_guard hold{mutex_};
    made->set_on_accepting(on_accepting_);
    if (cancelled_) made->cancel();
    current_ = made.get();
    (kind == Kind::threads ? threads_ : loops_) = std::move(made);
    return {};
}

GenerationPtr ExecutionSwitch::generation() const {
    const std::lock_guard hold{mutex_};
    return options_.generation;
}

Workers& ExecutionSwitch::current() const {
    const std::lock_guard hold{mutex_};
    return *current_;
}

std::vector<Workers*> ExecutionSwitch::all() const {
    const std::lock_guard hold{mutex_};
    std::vector<Workers*> pools;
    for (Workers* pool : {threads_.get(), loops_.get()}) {
        if (pool != nullptr) pools.push_back(pool);
    }
    return pools;
}

Workers& ExecutionSwitch::pool_for(const Exchange& exchange) const {
    const std::lock_guard hold{mutex_};
    return kind_of(*exchange.generation) == Kind::threads ? *threads_ : *loops_;
}

void ExecutionSwitch::opened(Exchange& exchange) {
    for (Workers* pool : all()) pool->opened(exchange);
}

void ExecutionSwitch::closed(Exchange& exchange) {
    for (Workers* pool : all()) pool->closed(exchange);
}

void ExecutionSwitch::bind(Exchange& exchange) {
    Workers& pool = pool_for(exchange);
    exchange.pool = &pool;
    pool.bind(exchange);
}

void ExecutionSwitch::submit(Exchange& exchange) {
    Workers& pool = pool_for(exchange);
    // A connection that is bound to a worker of the other kind moves over.
    if (exchange.slot >= 0 && exchange.pool != &pool) exchange.pool->withdraw(exchange);
    exchange.pool = &pool;
    pool.submit(exchange);
}

void ExecutionSwitch::finish(Exchange& exchange, bool keep_worker) {
    exchange.pool->finish(exchange, keep_worker);
}

bool ExecutionSwitch::withdraw(Exchange& exchange) {
    return exchange.pool == nullptr || exchange.pool->withdraw(exchange);
}

bool ExecutionSwitch::accepting() const { return current().accepting(); }

void ExecutionSwitch::set_on_accepting(std::function<void()> on_change) {
    {
        const std::lock_guard hold{mutex_};
        on_accepting_ = on_change;
    }
    for (Workers* pool : all()) pool->set_on_accepting(on_change);
}

void ExecutionSwitch::apply(GenerationPtr generation) {
    const auto made = make(generation);
    if (made) current().apply(generation);
    const std::lock_guard hold{mutex_};
    remark_ = made ? std::string{} : made.error().message();
    // Last: no request may be compiled for a pool that is not there.
    if (made) options_.generation = std::move(generation);
}

void ExecutionSwitch::set_database(std::shared_ptr<Database> database) {
    {
        const std::lock_guard hold{mutex_};
        options_.database = database;
    }
    for (Workers* pool : all()) pool->set_database(database);
}

void ExecutionSwitch::cancel() {
    {
        const std::lock_guard hold{mutex_};
        cancelled_ = true;
    }
    for (Workers* pool : all()) pool->cancel();
}

void ExecutionSwitch::stop() {
    for (Workers* pool : all()) pool->stop();
}

void ExecutionSwitch::sample(ServerSample& out) { current().sample(out); }

std::vector<RequestEvent> ExecutionSwitch::take_events(std::size_t most, std::uint64_t& left_out) {
    std::vector<RequestEvent> events;
    left_out = 0;
    for (Workers* pool : all()) {
        std::uint64_t more = 0;
        auto told = pool->take_events(most - std::min(most, events.size()), more);
        left_out += more;
        std::move(told.begin(), told.end(), std::back_inserter(events));
    }
    std::stable_sort(events.begin(), events.end(),
                     [](const RequestEvent& a, const RequestEvent& b) { return a.at < b.at; });
    return events;
}

std::vector<CacheContent> ExecutionSwitch::cache_contents(std::size_t most) const {
    return current().cache_contents(most);
}

std::string ExecutionSwitch::cache_page() const { return current().cache_page(); }

std::string ExecutionSwitch::remark() const {
    {
        const std::lock_guard hold{mutex_};
        if (!remark_.empty()) return remark_;
    }
    return current().remark();
}

}  // namespace lab::live
