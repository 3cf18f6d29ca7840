// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/program.hpp"
#include "live/completion_queue.hpp"
#include "live/exchange.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace lab::testing {

/// A generation of these routes and settings, compiled.
inline live::GenerationPtr make_generation(System system, std::uint64_t number = 1) {
    auto generation = std::make_shared<live::Generation>();
    generation->number = number;
    generation->system = std::move(system);
    for (const auto& route : generation->system.routes) {
        generation->programs.push_back(
            core::compile(route, generation->system.server, generation->system.cache));
    }
    return generation;
}

/// Stands for the workers: answers at once with "key=K user=U target=T", or when it is told to. What
/// it was asked is written down. Threads: the front end's for the Dispatcher's calls, any for the
/// others.
class FakeDispatcher final : public live::Dispatcher {
  public:
    FakeDispatcher(live::CompletionQueue& completions, live::GenerationPtr generation)
        : completions_{completions}, generation_{std::move(generation)} {}

    [[nodiscard]] live::GenerationPtr generation() const override { return generation_; }
    void opened(live::Exchange&) override { ++open_; }
    void closed(live::Exchange&) override { --open_; }
    void bind(live::Exchange& exchange) override { take(exchange, "bind"); }
    void submit(live::Exchange& exchange) override { take(exchange, "submit"); }
    void finish(live::Exchange&, bool keep_worker) override {
        note(keep_worker ? "finish, keep" : "finish");
    }
    bool withdraw(live::Exchange& exchange) override {
        note("withdraw");
        const std::lock_guard lock{mutex_};
        const auto is_it = [&](const Asked& asked) { return asked.exchange == &exchange; };
        if (in_hand_ && std::any_of(waiting_.begin(), waiting_.end(), is_it)) return false;
        std::erase_if(waiting_, is_it);
        return true;
    }
    [[nodiscard]] bool accepting() const override { return accepting_; }
    void set_on_accepting(std::function<void()> on_change) override {
        on_change_ = std::move(on_change);
    }

    /// From now on what comes waits until release().
    void keep_waiting(bool on) { keep_waiting_ = on; }
    /// What waits cannot be withdrawn: a worker has it.
    void keep_in_hand(bool on) { in_hand_ = on; }
    /// The answer to what is asked from now on; `end` resets the connection.
    void answer_with(core::Op op, std::uint16_t status, std::string body = {}) {
        const std::lock_guard lock{mutex_};
        op_ = op;
        status_ = status;
        body_ = std::move(body);
    }
    void refuse_bind(bool on) { refuse_bind_ = on; }
    void set_accepting(bool on) {
        accepting_ = on;
        if (on) {
            completions_.post([this] {
                if (on_change_) on_change_();
            });
        }
    }
    /// Serves what waits.
    void release() {
        std::vector<Asked> ready;
        {
            const std::lock_guard lock{mutex_};
            ready.swap(waiting_);
        }
        for (const auto& asked : ready) serve(asked);
    }
    [[nodiscard]] std::size_t waiting() const {
        const std::lock_guard lock{mutex_};
        return waiting_.size();
    }
    /// "bind", "submit GET-target", "finish" ... in their order.
    [[nodiscard]] std::vector<std::string> notes() const {
        const std::lock_guard lock{mutex_};
        return notes_;
    }
    /// Connections that were opened and not closed.
    [[nodiscard]] int open() const { return open_; }
    [[nodiscard]] core::Cursor last_cursor() const {
        const std::lock_guard lock{mutex_};
        return last_cursor_;
    }

  private:
    struct Asked {
        live::Exchange* exchange;
        bool bind;
    };
    void note(std::string text) {
        const std::lock_guard lock{mutex_};
        notes_.push_back(std::move(text));
    }
    void take(live::Exchange& exchange, const char* what) {
        note(what);
        const Asked asked{&exchange, std::string_view{what} == "bind"};
        if (keep_waiting_) {
            const std::lock_guard lock{mutex_};
            waiting_.push_back(asked);
        } else {
            serve(asked);
        }
    }
    void serve(const Asked& asked) {
        auto& exchange = *asked.exchange;
        if (asked.bind && !refuse_bind_) {
            completions_.bound(exchange);
            return;
        }
        const std::lock_guard lock{mutex_};
        if (!asked.bind) last_cursor_ = exchange.cursor;
        exchange.effect.op = op_;
        exchange.effect.status = asked.bind ? std::uint16_t{503} : status_;
        exchange.answer.made_for = exchange.user;
        exchange.answer.body = body_;
        if (body_.empty() && !asked.bind) {
            exchange.answer.body = "key=" + std::to_string(exchange.key) +
                                   " user=" + std::to_string(exchange.user) +
                                   " target=" + std::string{exchange.target};
        }
        exchange.answer.versions = {5, 9};
        completions_.answered(exchange);
    }

    live::CompletionQueue& completions_;
    live::GenerationPtr generation_;
    std::function<void()> on_change_;
    std::atomic<int> open_{0};
    std::atomic<bool> accepting_{true};
    std::atomic<bool> keep_waiting_{false};
    std::atomic<bool> in_hand_{false};
    std::atomic<bool> refuse_bind_{false};
    mutable std::mutex mutex_;
    std::vector<Asked> waiting_;
    std::vector<std::string> notes_;
    core::Op op_ = core::Op::respond;
    std::uint16_t status_ = 200;
    std::string body_;
    core::Cursor last_cursor_;
};

}  // namespace lab::testing
